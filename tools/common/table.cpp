// SPDX-License-Identifier: MIT
#include "tools/common/table.h"

#include <algorithm>
#include <cstdio>

#include "kernels/error.h"
#include "tools/common/text.h"

namespace chorale::tools {
namespace {

// Code points, combining marks of the Latin, Arabic and Indic blocks apart: enough to align the names in a
// corpus.
std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t code = length == 1 ? lead : lead & (0xFF >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
      code = (code << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    }
    const bool combining = (code >= 0x0300 && code < 0x0370) || (code >= 0x064B && code < 0x0660);
    width += !combining;
    i += length;
  }
  return width;
}

bool is_number(std::string_view cell) {
  std::string plain;
  for (const char c : cell) {
    if (c != ',' && c != '%' && c != 'x') plain += c;
  }
  return parse_real(plain).has_value();
}

}  // namespace

Table::Table(std::vector<std::string> header) : rows_{std::move(header)} {}

void Table::add_row(std::vector<std::string> cells) {
  if (cells.size() != rows_.front().size()) {
    throw ContractError(
        concat("table: cells in a row: ", cells.size(), " (allowed ", rows_.front().size(), ")"));
  }
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  const std::size_t columns = rows_.front().size();
  std::vector<std::size_t> widths(columns);
  std::vector<bool> numeric(columns, rows_.size() > 1);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < columns; ++c) {
      widths[c] = std::max(widths[c], display_width(row[c]));
      if (&row != &rows_.front() && !row[c].empty() && !is_number(row[c])) numeric[c] = false;
    }
  }
  std::string out;
  const auto end_line = [&] {
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  };
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string padding(widths[c] - display_width(row[c]), ' ');
      out += numeric[c] ? padding + row[c] : row[c] + padding;
      out += "  ";
    }
    end_line();
    if (&row == &rows_.front()) {
      for (const std::size_t width : widths) out += std::string(width, '-') + "  ";
      end_line();
    }
  }
  return out;
}

void Table::print() const {
  const std::string all = text();
  std::fwrite(all.data(), 1, all.size(), stdout);
}

}  // namespace chorale::tools
