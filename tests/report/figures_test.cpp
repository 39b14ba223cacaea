// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "kernels/error.h"
#include "report/gnuplot.h"
#include "report/html.h"
#include "tensor/file.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::report {
namespace {

class FiguresTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_ / name; }
  chorale::testing::TemporaryFolder folder_;
};

/// Width and height in the header of a PNG file.
std::pair<int, int> png_size(const std::string& path) {
  const std::string bytes = read_file_bounded(path, 16 << 20);
  EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n");
  const auto word = [&](std::size_t at) {
    int value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
    return value;
  };
  return {word(16), word(20)};
}

TEST_F(FiguresTest, ScatterWithAwkwardNames) {
  ASSERT_TRUE(gnuplot_available()) << "package gnuplot-nox";
  ScatterPlot plot{"it's 100% \"done\" \\n", {0, 1, NAN}, {1, 0, 2}, {"বাংলা", "a'b", "العربية"}};
  write_scatter(file("scatter.png"), plot);
  EXPECT_EQ(png_size(file("scatter.png")), std::pair(900, 640));
}

TEST_F(FiguresTest, PanelsAndCurves) {
  const ScatterPlot plot{"p", {0, 1}, {1, 0}, {"a", "b"}};
  write_scatter_panels(file("panels.png"), {plot, plot});
  EXPECT_EQ(png_size(file("panels.png")), std::pair(1440, 560));
  write_curves(file("curves.png"), "loss", "epoch", "nats", {{"train", {1, 2, 3}, {3, 2, 1}}});
  EXPECT_EQ(png_size(file("curves.png")), std::pair(900, 420));
}

TEST_F(FiguresTest, AMissingFolderLeavesNothingBehind) {
  const ScatterPlot plot{"p", {0}, {1}, {"a"}};
  EXPECT_THROW(write_scatter(file("missing/scatter.png"), plot), Error);
  EXPECT_FALSE(std::filesystem::exists(file("missing")));
}

TEST_F(FiguresTest, ReportIsSelfContained) {
  write_scatter(file("scatter.png"), {"p", {0}, {1}, {"a"}});
  HtmlReport report("A <report> & more");
  report.heading("Results");
  report.csv_table("method,score\nkmeans,0.25\n");
  report.figure(file("scatter.png"), "the map");
  report.write(file("report.html"));
  const std::string html = read_file_bounded(file("report.html"), 1 << 24);
  EXPECT_NE(html.find("<title>A &lt;report&gt; &amp; more</title>"), std::string::npos);
  EXPECT_NE(html.find("<td class=\"n\">0.25</td>"), std::string::npos);
  EXPECT_NE(html.find("data:image/png;base64,iVBORw0KGgo"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);
}

}  // namespace
}  // namespace chorale::report
