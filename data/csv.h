// SPDX-License-Identifier: MIT
// Strict reader and writer of comma-separated files (RFC 4180, UTF-8).
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::data {

struct CsvRow {
  std::int64_t line = 0;  ///< of the file, counted from 1, where the row starts
  std::vector<std::string> cells;
};

struct CsvTable {
  std::string name;  ///< of the file, for messages
  std::vector<std::string> header;
  std::vector<CsvRow> rows;  ///< each with as many cells as the header

  /// Index of a column, -1 when there is none.
  int find_column(std::string_view column) const;
  /// Index of a column; InputError naming the file, line 1 and the columns that exist.
  int column(std::string_view column) const;
};

/// Longest cell that is accepted, in bytes.
inline constexpr std::size_t csv_max_cell = std::size_t{1} << 20;

/// Parses a header line and rows. A byte-order mark, CRLF, quoted newlines and doubled quotes are understood;
/// blank lines are skipped. InputError `name:line: ...` on an empty file, a doubled or empty column name, a
/// row with another number of cells than the header, a quote inside an unquoted cell or never closed, a cell
/// longer than csv_max_cell, a NUL byte or invalid UTF-8.
CsvTable parse_csv(std::string_view text, const std::string& name);

/// Reads a regular file of at most 1 GiB and parses it. InputError if it cannot be read.
CsvTable read_csv(const std::filesystem::path& path);

/// One line with its newline; cells are quoted where they must be.
std::string format_csv_row(std::span<const std::string> cells);

}  // namespace chorale::data
