// SPDX-License-Identifier: MIT
// One self-contained HTML file: text, tables and figures, readable from disk without a network.
#pragma once
#include <string>
#include <vector>

namespace chorale::report {

class HtmlReport {
 public:
  explicit HtmlReport(std::string title) : title_(std::move(title)) {}
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  /// The first row is the header; numeric cells stand to the right.
  void table(const std::vector<std::vector<std::string>>& rows);
  /// A CSV file's text as a table (no quoting inside cells).
  void csv_table(const std::string& csv);
  /// A PNG file, embedded. InputError if it cannot be read.
  void figure(const std::string& png_path, const std::string& caption);
  /// Written atomically.
  void write(const std::string& path) const;

 private:
  std::string title_, body_;
};

/// Text with &, <, > and quotes replaced.
std::string escape_html(const std::string& text);

}  // namespace chorale::report
