// SPDX-License-Identifier: MIT
#include "data/csv.h"

#include <set>

#include "kernels/error.h"
#include "tensor/file.h"

namespace chorale::data {
namespace {

std::string at_line(const std::string& name, std::int64_t line) {
  return printable(name) + ":" + std::to_string(line) + ": ";
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  /// The next row that is not blank; false at the end.
  bool next(CsvRow& row) {
    while (position_ < text_.size()) {
      row.line = line_;
      row.cells.clear();
      read_row(row);
      if (row.cells.size() > 1 || !row.cells[0].empty() || quoted_) return true;
    }
    return false;
  }

 private:
  void read_row(CsvRow& row) {
    for (;;) {
      row.cells.push_back(read_cell());
      if (position_ >= text_.size()) return;
      const char end = text_[position_++];
      if (end == ',') continue;
      if (end == '\r' && position_ < text_.size() && text_[position_] == '\n') ++position_;
      ++line_;
      return;
    }
  }

  bool at_end_of_cell() const {
    if (position_ >= text_.size()) return true;
    const char c = text_[position_];
    return c == ',' || c == '\n' || c == '\r';
  }

  std::string read_cell() {
    std::string cell;
    const std::int64_t start_line = line_;
    quoted_ = position_ < text_.size() && text_[position_] == '"';
    if (quoted_) {
      ++position_;
      for (;;) {
        if (position_ >= text_.size()) {
          throw InputError(at_line(name_, start_line) + "quoted cell is never closed: end of file");
        }
        const char c = text_[position_++];
        if (c == '"') {
          if (position_ >= text_.size() || text_[position_] != '"') break;
          ++position_;
        }
        if (c == '\n') ++line_;
        append(cell, c, start_line);
      }
      if (!at_end_of_cell()) {
        throw InputError(at_line(name_, line_) + "text after a closing quote: " +
                         printable(text_.substr(position_, 20)) + " (allowed , or end of line)");
      }
    } else {
      while (!at_end_of_cell()) {
        const char c = text_[position_++];
        if (c == '"') {
          throw InputError(at_line(name_, line_) + "quote inside an unquoted cell: " + printable(cell) +
                           "\"");
        }
        append(cell, c, start_line);
      }
    }
    if (!valid_utf8(cell)) {
      throw InputError(at_line(name_, start_line) + "invalid UTF-8: " + printable(cell, 40));
    }
    return cell;
  }

  void append(std::string& cell, char c, std::int64_t start_line) const {
    if (c == '\0') throw InputError(at_line(name_, line_) + "NUL byte in a cell");
    if (cell.size() >= csv_max_cell) {
      throw InputError(at_line(name_, start_line) + "cell too long: more than " +
                       std::to_string(cell.size()) + " bytes (allowed " + std::to_string(csv_max_cell) + ")");
    }
    cell.push_back(c);
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1;
  bool quoted_ = false;
};

void check_header(const CsvTable& table, std::int64_t line) {
  std::set<std::string_view> seen;
  for (const std::string& column : table.header) {
    if (column.empty()) throw InputError(at_line(table.name, line) + "empty column name in the header");
    if (!seen.insert(column).second) {
      throw InputError(at_line(table.name, line) + "column named twice: " + printable(column));
    }
  }
}

}  // namespace

int CsvTable::find_column(std::string_view column) const {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == column) return static_cast<int>(i);
  }
  return -1;
}

int CsvTable::column(std::string_view column) const {
  const int index = find_column(column);
  if (index >= 0) return index;
  std::string names;
  for (const std::string& other : header) names += (names.empty() ? "" : ",") + other;
  throw InputError(printable(name) + ":1: missing column: " + std::string(column) + " (seen " +
                   printable(names, 300) + ")");
}

CsvTable parse_csv(std::string_view text, const std::string& name) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  CsvTable table;
  table.name = name;
  Parser parser(text, name);
  CsvRow row;
  if (!parser.next(row))
    throw InputError(printable(name) + ":1: empty file (allowed a header line and rows)");
  table.header = row.cells;
  check_header(table, row.line);
  while (parser.next(row)) {
    if (row.cells.size() != table.header.size()) {
      throw InputError(at_line(name, row.line) +
                       "wrong number of cells: " + std::to_string(row.cells.size()) + " (allowed " +
                       std::to_string(table.header.size()) + ", as in the header)");
    }
    table.rows.push_back(std::move(row));
    row = {};
  }
  return table;
}

CsvTable read_csv(const std::filesystem::path& path) {
  return parse_csv(read_file_bounded(path.native(), std::uint64_t{1} << 30), path.native());
}

std::string format_csv_row(std::span<const std::string> cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) out += ',';
    const std::string& cell = cells[i];
    const bool quote =
        cell.find_first_of(",\"\r\n") != std::string::npos || (cells.size() == 1 && cell.empty());
    if (!quote) {
      out += cell;
      continue;
    }
    out += '"';
    for (const char c : cell) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  return out + '\n';
}

}  // namespace chorale::data
