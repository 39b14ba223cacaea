// SPDX-License-Identifier: MIT
#include "tools/common/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/error.h"
#include "tools/common/progress.h"
#include "tools/common/table.h"

namespace chorale::tools {
namespace {

TEST(Text, NumbersAreWrittenWithAPoint) {
  EXPECT_EQ(format_number(0.125), "0.125");
  EXPECT_EQ(format_number(1e-6), "1e-06");
  EXPECT_EQ(format_number(123456789.0, 3), "1.23e+08");
  EXPECT_EQ(format_number(std::nan("")), "nan");
  EXPECT_EQ(format_fixed(0.125, 4), "0.1250");
  EXPECT_EQ(format_fixed(1e300, 0).size(), 301u);
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_count(-1234), "-1,234");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(-999), "-999");
}

TEST(Text, DurationsAndBytes) {
  EXPECT_EQ(format_duration(0.4199), "0.42 s");
  EXPECT_EQ(format_duration(9.999), "10.0 s");
  EXPECT_EQ(format_duration(59.96), "1 min 00 s");
  EXPECT_EQ(format_duration(245), "4 min 05 s");
  EXPECT_EQ(format_duration(7380), "2 h 03 min");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(std::nan("")), "?");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1.5 * 1024 * 1024), "1.5 MiB");
}

TEST(Text, NumbersAreReadWhole) {
  EXPECT_EQ(parse_integer("-12"), -12);
  for (const char* text : {"", "1.5", "12 ", " 12", "0x10", "1e3", "99999999999999999999", "+"}) {
    EXPECT_FALSE(parse_integer(text)) << text;
  }
  EXPECT_EQ(parse_unsigned("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(parse_unsigned("-1"));
  EXPECT_EQ(parse_real("2.5e-3"), 0.0025);
  for (const char* text : {"", "nan", "inf", "-inf", "1e400", "0,5", "1.5x"}) {
    EXPECT_FALSE(parse_real(text)) << text;
  }
}

TEST(Text, NearestName) {
  const std::vector<std::string> names{"--learning-rate", "--epochs", "--n-clusters"};
  EXPECT_EQ(nearest_name("--learing-rate", names), "--learning-rate");
  EXPECT_EQ(nearest_name("--epoch", names), "--epochs");
  EXPECT_EQ(nearest_name("--zzzzzzzz", names), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Text, OneLine) { EXPECT_EQ(one_line("a\nb\tc\x1b[0m"), "a b c [0m"); }

TEST(Table, AlignsNumbersRightAndTextLeft) {
  Table table({"method", "ari"});
  table.add_row({"k-means", "0.5"});
  table.add_row({"gmm", "-0.25"});
  table.add_row({"dbscan", ""});
  EXPECT_EQ(table.text(),
            "method     ari\n"
            "-------  -----\n"
            "k-means    0.5\n"
            "gmm      -0.25\n"
            "dbscan\n");
}

TEST(Table, CountsCharactersNotBytes) {
  Table table({"title", "n"});
  table.add_row(
      {"ma\xc3\xb1"
       "ana",
       "1"});
  table.add_row({"manana", "22"});
  EXPECT_EQ(table.text(),
            "title    n\n"
            "------  --\n"
            "ma\xc3\xb1"
            "ana   1\n"
            "manana  22\n");
  EXPECT_THROW(table.add_row({"too few"}), ContractError);
}

TEST(Progress, SaysRateAndTimeLeft) {
  EXPECT_EQ(Progress::line("songs", 50, 200, "songs", 10, "loss 3", 100),
            "songs [######..................] 50/200 songs  5/s  30.0 s left  loss 3");
  EXPECT_EQ(Progress::line("songs", 0, 200, "songs", 0, "", 100),
            "songs [........................] 0/200 songs");
  EXPECT_EQ(Progress::line("lines", 50, 0, "lines", 10, "", 100), "lines 50 lines  5/s");
  EXPECT_EQ(Progress::line("songs", 50, 200, "songs", 10, "", 20).size(), 19u);
  EXPECT_EQ(Progress::line("songs", 300, 200, "songs", 10, "", 100),
            "songs [########################] 300/200 songs  30/s");
  EXPECT_EQ(Progress::line("songs", 50, 200, "songs", 10, "412x real time", 64),
            "songs [##......] 50/200 songs  5/s  30.0 s left  412x real time")
      << "the bar makes room for the numbers";
  EXPECT_EQ(Progress::line("songs", 150, 200, "songs", 10, "", 100, 100),
            "songs [##################......] 150/200 songs  5/s  10.0 s left")
      << "what an earlier run did is no part of the rate";
  EXPECT_EQ(Progress::line("songs", 100, 200, "songs", 10, "", 100, 100),
            "songs [############............] 100/200 songs");
}

TEST(Progress, StatusIsThereWithoutATerminal) {
  Progress bar("songs", 10, "songs");
  bar.start_at(4);
  bar.note("3 skipped");
  EXPECT_EQ(bar.status(), "4/10 songs  3 skipped");
}

TEST(LogPace, LinesGetRarer) {
  LogPace pace;
  std::vector<int> lines;
  for (int second = 0; second < 1300; ++second)
    if (pace.due(second)) lines.push_back(second);
  EXPECT_EQ(lines, (std::vector<int>{10, 30, 70, 150, 310, 610, 910, 1210}));
}

}  // namespace
}  // namespace chorale::tools
