// SPDX-License-Identifier: MIT
// Aligned tables for results on stdout.
#pragma once
#include <string>
#include <vector>

namespace chorale::tools {

/// Columns as wide as their widest cell, two spaces apart; cells that hold numbers to the right, others to
/// the left.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  /// ContractError unless there is one cell for each column.
  void add_row(std::vector<std::string> cells);
  /// Every line ends in a newline, none in a space.
  std::string text() const;
  /// Writes text() to stdout.
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace chorale::tools
