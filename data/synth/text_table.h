// SPDX-License-Identifier: MIT
// Reading of the small text notations of the style tables.
#pragma once
#include <string_view>
#include <vector>

#include "data/synth/portable_math.h"

namespace chorale::data::synth {

inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    if (end > start) parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

/// One of the alternatives between `|`, each equally likely.
inline std::string_view pick_alternative(std::string_view text, Random& random) {
  const std::vector<std::string_view> parts = split(text, '|');
  return parts[static_cast<std::size_t>(random.below(static_cast<int>(parts.size())))];
}

/// One name of a `name:weight` list.
inline std::string_view pick_weighted(std::string_view list, Random& random) {
  const std::vector<std::string_view> entries = split(list, ' ');
  const auto weight = [](std::string_view entry) {
    const std::size_t colon = entry.find(':');
    return colon == std::string_view::npos ? 1 : entry[colon + 1] - '0';
  };
  int total = 0;
  for (const std::string_view entry : entries) total += weight(entry);
  int draw = random.below(total);
  for (const std::string_view entry : entries) {
    draw -= weight(entry);
    if (draw < 0) return entry.substr(0, entry.find(':'));
  }
  return entries.back();
}

}  // namespace chorale::data::synth
