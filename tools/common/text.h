// SPDX-License-Identifier: MIT
// Text and numbers, never by the locale: a decimal point is a point everywhere.
#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::tools {

/// `value` with `digits` significant digits and no padding zeros ("0.125", "1e-06", "nan", "inf").
std::string format_number(double value, int digits = 6);
/// `value` with exactly `decimals` digits after the point ("0.1250").
std::string format_fixed(double value, int decimals);
/// 1234567 -> "1,234,567".
std::string format_count(std::int64_t value);
/// Seconds as "0.42 s", "12.3 s", "4 min 05 s", "2 h 03 min".
std::string format_duration(double seconds);
/// Bytes as "512 B", "1.5 MiB".
std::string format_bytes(double bytes);

/// The whole of `text` as a number; nothing if it is anything else, "nan", "inf" and out of range included.
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
std::optional<double> parse_real(std::string_view text);

/// The element of `known` that `word` was most likely meant to be (edit distance up to a third of its
/// length), or "".
std::string nearest_name(std::string_view word, const std::vector<std::string>& known);
/// "a, b, c".
std::string join(const std::vector<std::string>& parts, std::string_view separator = ", ");
/// `text` on one line: control characters become spaces.
std::string one_line(std::string_view text);

inline void append(std::string& out, std::string_view part) { out += part; }
inline void append(std::string& out, char part) { out += part; }
template <std::integral T>
void append(std::string& out, T part) {
  if constexpr (std::same_as<T, bool>) {
    out += part ? "true" : "false";
  } else {
    out += std::to_string(part);
  }
}
template <std::floating_point T>
void append(std::string& out, T part) {
  out += format_number(part);
}

/// The parts one after the other: text, and numbers as `format_number` writes them.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string out;
  (append(out, parts), ...);
  return out;
}

}  // namespace chorale::tools
