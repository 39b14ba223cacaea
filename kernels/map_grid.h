// SPDX-License-Identifier: MIT
// The grid that t-SNE's repulsion is convolved on, read by both compilers: where it lies over the points, and
// the splines that carry points to nodes and node values back to points.
//
// A point at u = (y - origin) / cell touches `order` nodes in each direction, with the weights of the
// cardinal B-spline of that order (Essmann et al., J. Chem. Phys. 1995, for Ewald sums): their sum is 1, and
// the interpolated potential has continuous derivatives. Dividing the kernel's spectrum by the splines'
// (twice, for spreading and for interpolation) makes the interpolated kernel exact at the nodes.
//
// What is convolved is K(r) - K(far), far the diagonal of the grid: in a map as small as the first
// iterations' K is 1 to seven digits everywhere, and forces are its differences.
#pragma once
#include <cmath>
#include <cstdint>

#include "kernels/macros.h"

namespace chorale::map_grid {

constexpr int order = 4;

/// What tsne_repulsion_grid keeps in f64 [4].
struct Placement {
  double x, y;           ///< position of node (0, 0)
  double cell;           ///< distance of neighbouring nodes
  double spectrum_cell;  ///< the cell that the spectrum was made for
};

/// Lays a grid of side x side nodes over points within [low, high]. The old cell stays while the points fit
/// and fill most of it, since another one needs another spectrum.
CHORALE_HD inline Placement place(Placement old, std::int64_t side, double low_x, double high_x, double low_y,
                                  double high_y) {
  const double width = high_x - low_x, height = high_y - low_y;
  const double intervals = static_cast<double>(side - order - 1);
  const double fit = (width > height ? width : height) / intervals;
  Placement result = old;
  result.cell = old.spectrum_cell;
  if (!(fit <= old.spectrum_cell && old.spectrum_cell <= 1.3 * fit)) result.cell = 1.1 * fit;
  if (!(result.cell > 0 && result.cell < 1e30)) result.cell = 1;  // one place, or no numbers
  const double middle = 0.5 * static_cast<double>(side - 1);
  result.x = 0.5 * (low_x + high_x) - middle * result.cell;
  result.y = 0.5 * (low_y + high_y) - middle * result.cell;
  return result;
}

/// The nodes that a coordinate touches: first to first + order - 1, their weights, and the weights'
/// derivatives by u.
struct Stencil {
  std::int32_t first;
  float weight[order], slope[order];
};

/// One step of the recursion from splines of order k - 1 to order k.
CHORALE_HD inline void raise_order(float* weight, float t, int k) {
  const float scale = 1.0f / static_cast<float>(k - 1);
  weight[k - 1] = scale * t * weight[k - 2];
  for (int j = k - 2; j > 0; --j)
    weight[j] = scale * ((t + static_cast<float>(k - 1 - j)) * weight[j - 1] +
                         (static_cast<float>(j + 1) - t) * weight[j]);
  weight[0] *= scale * (1.0f - t);
}

CHORALE_HD inline Stencil stencil(float y, double origin, double cell, std::int64_t side) {
  constexpr double before = order / 2 - 1;
  const double highest = static_cast<double>(side - order / 2) - 1e-3;
  double u = (static_cast<double>(y) - origin) / cell;
  u = u >= before ? (u <= highest ? u : highest) : before;  // NaN too stays on the grid
  const auto node = static_cast<std::int32_t>(u);
  const float t = static_cast<float>(u - static_cast<double>(node));
  Stencil s{};
  s.first = node - static_cast<std::int32_t>(before);
  s.weight[0] = 1.0f - t;
  s.weight[1] = t;
  for (int k = 3; k < order; ++k) raise_order(s.weight, t, k);
  s.slope[0] = -s.weight[0];
  for (int j = 1; j < order; ++j) s.slope[j] = s.weight[j - 1] - s.weight[j];
  raise_order(s.weight, t, order);
  return s;
}

/// What the transform of the kernel is multiplied with at frequency k of 2 side, in each direction.
CHORALE_HD inline double inverse_spline(std::int64_t k, std::int64_t side) {
  const Stencil s = stencil(order, 0, 1, 4 * order);  // the spline at the nodes
  const double angle = 3.14159265358979323846 * static_cast<double>(k) / static_cast<double>(side);
  double sum = 0;
  for (int j = 0; j < order; ++j)
    sum += static_cast<double>(s.weight[j]) * ::cos(angle * static_cast<double>(j - (order / 2 - 1)));
  return 1.0 / (sum * sum);
}

/// What K(far), left out of the potential of n points, and their potentials at themselves, left in, add to
/// the sum over pairs.
CHORALE_HD inline double far_share(std::int64_t n, double cell, std::int64_t side) {
  const double length = cell * static_cast<double>(side), count = static_cast<double>(n);
  return count * (count / (1.0 + 2.0 * length * length) - 1.0);
}

/// K(r) - K(far) for nodes that lie (a, b) cells apart.
CHORALE_HD inline float kernel_at(std::int64_t a, std::int64_t b, double cell, std::int64_t side) {
  const double square = cell * cell * static_cast<double>(a * a + b * b);
  const double length = cell * static_cast<double>(side), far = 2.0 * length * length;
  return static_cast<float>((far - square) / ((1.0 + square) * (1.0 + far)));
}

}  // namespace chorale::map_grid
