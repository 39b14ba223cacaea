// SPDX-License-Identifier: MIT
#include "report/html.h"

#include <sstream>

#include "tensor/file.h"

namespace chorale::report {
namespace {

constexpr const char* style =
    "body{font:16px/1.5 system-ui,'Noto Sans',sans-serif;max-width:72rem;margin:2rem auto;padding:0 "
    "1rem;color:#222}"
    "h1{font-size:1.7rem}h2{font-size:1.2rem;margin-top:2rem}table{border-collapse:collapse;font-size:.9rem}"
    "th,td{padding:.25rem .7rem;border-bottom:1px solid #ddd;text-align:left}td.n{text-align:right;"
    "font-variant-numeric:tabular-nums}figure{margin:1rem "
    "0}img{max-width:100%}figcaption{color:#555;font-size:.9rem}"
    ".scroll{overflow-x:auto}";

constexpr std::uint64_t largest_figure = 64u << 20;

std::string base64(const std::string& bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63];
  }
  return out;
}

bool looks_numeric(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.,-+eE%") == std::string::npos;
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void HtmlReport::heading(const std::string& text) { body_ += "<h2>" + escape_html(text) + "</h2>\n"; }
void HtmlReport::paragraph(const std::string& text) { body_ += "<p>" + escape_html(text) + "</p>\n"; }

void HtmlReport::table(const std::vector<std::vector<std::string>>& rows) {
  body_ += "<div class=\"scroll\"><table>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    body_ += "<tr>";
    for (const std::string& cell : rows[r]) {
      const char* tag = r == 0 ? "th" : "td";
      body_ += std::string("<") + tag + (r && looks_numeric(cell) ? " class=\"n\">" : ">") +
               escape_html(cell) + "</" + tag + ">";
    }
    body_ += "</tr>\n";
  }
  body_ += "</table></div>\n";
}

void HtmlReport::csv_table(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells(1);
    for (char c : line) {
      if (c == ',')
        cells.emplace_back();
      else
        cells.back().push_back(c);
    }
    rows.push_back(std::move(cells));
  }
  table(rows);
}

void HtmlReport::figure(const std::string& png_path, const std::string& caption) {
  body_ += "<figure><img alt=\"" + escape_html(caption) + "\" src=\"data:image/png;base64," +
           base64(read_file_bounded(png_path, largest_figure)) + "\"><figcaption>" + escape_html(caption) +
           "</figcaption></figure>\n";
}

void HtmlReport::write(const std::string& path) const {
  write_file(path,
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
             "content=\"width=device-width\"><title>" +
                 escape_html(title_) + "</title><style>" + style + "</style></head><body>\n<h1>" +
                 escape_html(title_) + "</h1>\n" + body_ + "</body></html>\n");
}

}  // namespace chorale::report
