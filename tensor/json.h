// SPDX-License-Identifier: MIT
// Strict JSON for files that come from elsewhere.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace chorale {

struct JsonLimits {
  std::size_t max_depth = 64;
  std::size_t max_values = 2'000'000;  ///< numbers, strings, arrays, objects together
};

/// Parses RFC 8259 JSON. Beyond the grammar, duplicate keys, numbers outside double, invalid UTF-8, lone
/// surrogates and documents past the limits are refused. `origin` (a path) starts the message of the
/// InputError.
nlohmann::json parse_json(std::string_view text, const std::string& origin, JsonLimits limits = {});

}  // namespace chorale
