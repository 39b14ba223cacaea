// SPDX-License-Identifier: MIT
// Figures through gnuplot, called as a program with its commands on standard input.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace chorale::report {

/// True if a `gnuplot` is on PATH.
bool gnuplot_available();

/// Points in the plane with one class each.
struct ScatterPlot {
  std::string title;
  std::vector<double> x, y;
  std::vector<std::string> classes;  ///< one per point; drawn in the order of their names, with a legend
};

/// Writes a PNG of 900 x 640 pixels. InputError if the file cannot be written, Error if gnuplot fails.
void write_scatter(const std::string& path, const ScatterPlot& plot);

struct Curve {
  std::string name;
  std::vector<double> x, y;
};

/// Lines over a common axis, as a PNG of 900 x 420 pixels; non-finite points are gaps.
void write_curves(const std::string& path, const std::string& title, const std::string& x_label,
                  const std::string& y_label, const std::vector<Curve>& curves);

/// Several scatter plots side by side, each 720 pixels wide.
void write_scatter_panels(const std::string& path, const std::vector<ScatterPlot>& plots);

}  // namespace chorale::report
