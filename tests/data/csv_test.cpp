// SPDX-License-Identifier: MIT
#include "data/csv.h"

#include <gtest/gtest.h>

#include "kernels/error.h"

namespace chorale::data {
namespace {

std::string error_of(const std::string& text) {
  try {
    parse_csv(text, "m.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Csv, ReadsByteOrderMarkCrlfQuotesAndQuotedNewlines) {
  const CsvTable table = parse_csv("\xEF\xBB\xBFid,title\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n\r\n2,\n", "m.csv");
  ASSERT_EQ(table.header, (std::vector<std::string>{"id", "title"}));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].cells[1], "a, \"b\"\r\nc");
  EXPECT_EQ(table.rows[0].line, 2);
  EXPECT_EQ(table.rows[1].cells[1], "");
  EXPECT_EQ(table.rows[1].line, 5);
}

TEST(Csv, WritesWhatItReads) {
  const std::vector<std::string> cells = {"plain", "with,comma", "with \"quote\"", "two\nlines", "", "नमस्ते"};
  const CsvTable table = parse_csv("a,b,c,d,e,f\n" + format_csv_row(cells), "m.csv");
  EXPECT_EQ(table.rows.at(0).cells, cells);
  const std::vector<std::string> lone = {""};
  EXPECT_EQ(parse_csv("a\n" + format_csv_row(lone), "m.csv").rows.at(0).cells, lone);
}

TEST(Csv, FaultsNameTheLine) {
  EXPECT_EQ(error_of(""), "m.csv:1: empty file (allowed a header line and rows)");
  EXPECT_EQ(error_of("\xEF\xBB\xBF\n\n"), "m.csv:1: empty file (allowed a header line and rows)");
  EXPECT_EQ(error_of("a,b\n1,2\n3\n"), "m.csv:3: wrong number of cells: 1 (allowed 2, as in the header)");
  EXPECT_EQ(error_of("a,b\n\"x\ny\",2\n3,4,5\n"),
            "m.csv:4: wrong number of cells: 3 (allowed 2, as in the header)");
  EXPECT_EQ(error_of("a,b\n1,\"2\n3"), "m.csv:2: quoted cell is never closed: end of file");
  EXPECT_EQ(error_of("a,b\n1,x\"y\"\n"), "m.csv:2: quote inside an unquoted cell: x\"");
  EXPECT_EQ(error_of("a,b\n1,\"x\"y\n"),
            "m.csv:2: text after a closing quote: y\\x0a (allowed , or end of line)");
  EXPECT_EQ(error_of("a,b,a\n"), "m.csv:1: column named twice: a");
  EXPECT_EQ(error_of("a,,b\n"), "m.csv:1: empty column name in the header");
  EXPECT_EQ(error_of("a\n\xC0\xAF\n"), "m.csv:2: invalid UTF-8: \\xc0\\xaf");
  EXPECT_EQ(error_of(std::string("a\nx\0y\n", 6)), "m.csv:2: NUL byte in a cell");
  EXPECT_EQ(error_of("a\n" + std::string(10 << 20, 'x')),
            "m.csv:2: cell too long: more than 1048576 bytes (allowed 1048576)");
}

TEST(Csv, MissingColumnListsThoseThatExist) {
  const CsvTable table = parse_csv("a,b\n1,2\n", "m.csv");
  EXPECT_EQ(table.column("b"), 1);
  EXPECT_EQ(table.find_column("c"), -1);
  EXPECT_THROW(table.column("c"), InputError);
}

}  // namespace
}  // namespace chorale::data
