// SPDX-License-Identifier: MIT
// The values that tests/golden/formats/make_formats.py puts into every array, and where files go on request.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::testing {

template <class T>
std::vector<T> pattern(std::int64_t n) {
  std::vector<T> values;
  for (std::int64_t i = 0; i < n; ++i) {
    const int value = static_cast<int>(i * 37 % 101);
    if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bf16>) {
      values.push_back(from_float<T>(static_cast<float>(value - 50)));
    } else {
      values.push_back(static_cast<T>(std::is_same_v<T, std::uint8_t> ? value : value - 50));
    }
  }
  return values;
}

inline std::string golden(const std::string& name) {
  return std::string(CHORALE_SOURCE_DIR) + "/tests/golden/formats/" + name;
}

/// Copies a written file to $CHORALE_KEEP, where make_formats.py --check reads it with NumPy and safetensors.
inline void keep(const std::string& path) {
  const char* folder = std::getenv("CHORALE_KEEP");
  if (!folder) return;
  const std::filesystem::path target = std::filesystem::path(folder) / std::filesystem::path(path).filename();
  std::filesystem::copy_file(path, target, std::filesystem::copy_options::overwrite_existing);
}

}  // namespace chorale::testing
