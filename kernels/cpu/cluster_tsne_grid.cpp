// SPDX-License-Identifier: MIT
// The repulsion of t-SNE in time near-linear in the points (after Linderman et al., Nature Methods 2019):
// charges of 1 are spread to a grid, convolved there with K(r) = 1 / (1 + r^2) by Fourier transforms, and the
// potential u = sum over j of K is interpolated at the points.
//
//   sum over i != j of K = sum over i of (u_i - 1),   sum over j of K^2 (y_i - y_j) = -1/2 grad u_i
//
// Interpolating with smooth splines (kernels/map_grid.h) gives the force as the gradient of the interpolant:
// one kind of charge and one convolution, where piecewise polynomials need K^2 as well and three more kinds.
//
// f32; positions within a cell in f64 up to one subtraction, sums over points f64 over blocks in block order.
// Points are sorted by bands of rows of the grid; bands that are not neighbours touch different nodes, so
// first all even ones and then all odd ones add their points in point order, on any number of threads. 16
// nodes a point are read and written in the second-level cache; the transforms cost more
// (cluster_convolution.h).
#include <vector>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_convolution.h"
#include "kernels/cpu/kernels.h"
#include "kernels/map_grid.h"

namespace chorale::cpu {
namespace {

constexpr std::int64_t band_rows = 8;
static_assert(band_rows >= map_grid::order, "bands that are not neighbours must touch different nodes");

map_grid::Placement place_grid(ConstView points, std::int64_t side, const map_grid::Placement& old) {
  const std::int64_t n = points.shape[0];
  const float* p = points.as<float>();
  float low[2] = {p[0], p[1]}, high[2] = {p[0], p[1]};
  for (std::int64_t i = 0; i < n; ++i)
    for (int a = 0; a < 2; ++a) {
      low[a] = std::min(low[a], p[2 * i + a]);
      high[a] = std::max(high[a], p[2 * i + a]);
    }
  return map_grid::place(old, side, static_cast<double>(low[0]), static_cast<double>(high[0]),
                         static_cast<double>(low[1]), static_cast<double>(high[1]));
}

struct PointStencil {
  map_grid::Stencil x, y;
  PointStencil(const float* point, const map_grid::Placement& grid, std::int64_t side)
      : x(map_grid::stencil(point[0], grid.x, grid.cell, side)),
        y(map_grid::stencil(point[1], grid.y, grid.cell, side)) {}
};

void spread_charges(ConstView points, const map_grid::Placement& grid, std::int64_t side, float* charges) {
  const std::int64_t n = points.shape[0], bands = block_count(side, band_rows);
  const float* p = points.as<float>();
  std::vector<std::int32_t> band_of(static_cast<std::size_t>(n)), sorted(band_of.size());
  parallel_blocks(n, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      band_of[static_cast<std::size_t>(i)] = map_grid::stencil(p[2 * i + 1], grid.y, grid.cell, side).first /
                                             static_cast<std::int32_t>(band_rows);
  });
  std::vector<std::int64_t> first(static_cast<std::size_t>(bands + 1));
  for (const std::int32_t band : band_of) ++first[static_cast<std::size_t>(band) + 1];
  for (std::size_t b = 1; b < first.size(); ++b) first[b] += first[b - 1];
  std::vector<std::int64_t> next = first;
  for (std::size_t i = 0; i < band_of.size(); ++i)
    sorted[static_cast<std::size_t>(next[static_cast<std::size_t>(band_of[i])]++)] =
        static_cast<std::int32_t>(i);
  std::fill_n(charges, side * side, 0.0f);
  for (int parity = 0; parity < 2; ++parity)
    parallel_tasks((bands + 1 - parity) / 2, 32 * n, [&](std::int64_t task) {
      const auto band = static_cast<std::size_t>(2 * task + parity);
      for (std::int64_t at = first[band]; at < first[band + 1]; ++at) {
        const PointStencil s(p + 2 * std::int64_t{sorted[static_cast<std::size_t>(at)]}, grid, side);
        for (int a = 0; a < map_grid::order; ++a) {
          float* row = charges + (s.y.first + a) * side + s.x.first;
          for (int b = 0; b < map_grid::order; ++b) row[b] += s.y.weight[a] * s.x.weight[b];
        }
      }
    });
}

/// Forces on points [begin, end); returns the sum of their potentials.
double interpolate(ConstView points, const map_grid::Placement& grid, std::int64_t side,
                   const float* potential, std::int64_t begin, std::int64_t end, float* force) {
  const float scale = static_cast<float>(-0.5 / grid.cell);
  double total = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const PointStencil s(points.as<float>() + 2 * i, grid, side);
    float u = 0, slope_x = 0, slope_y = 0;
    for (int a = 0; a < map_grid::order; ++a) {
      const float* row = potential + (s.y.first + a) * side + s.x.first;
      float value = 0, slope = 0;
      for (int b = 0; b < map_grid::order; ++b) {
        value += s.x.weight[b] * row[b];
        slope += s.x.slope[b] * row[b];
      }
      u += s.y.weight[a] * value;
      slope_x += s.y.weight[a] * slope;
      slope_y += s.y.slope[a] * value;
    }
    force[2 * i] = scale * slope_x;
    force[2 * i + 1] = scale * slope_y;
    total += static_cast<double>(u);
  }
  return total;
}

}  // namespace

void tsne_repulsion_grid(Context& context, ConstView points, View grid, View spectrum, View force,
                         View total) {
  require(points.dtype == DType::f32 && points.rank == 2 && points.shape[1] == 2 &&
              force.dtype == DType::f32 && same_shape(points, force) && grid.dtype == DType::f64 &&
              grid.size() == 4 && spectrum.dtype == DType::f32 && spectrum.rank == 2 &&
              spectrum.shape[0] == spectrum.shape[1] && (spectrum.shape[0] - 1) % 32 == 0 &&
              total.dtype == DType::f64,
          "tsne_repulsion_grid",
          "points, force f32 [n, 2], grid f64 [4], spectrum f32 [side + 1, side + 1], side a multiple of 32",
          points, grid, spectrum, force);
  const std::int64_t n = points.shape[0], side = spectrum.shape[1] - 1;
  map_grid::Placement placement{grid.as<double>()[0], grid.as<double>()[1], grid.as<double>()[2],
                                grid.as<double>()[3]};
  placement = place_grid(points, side, placement);
  const simd::GridConvolution convolution(context, static_cast<int>(side));
  if (placement.spectrum_cell != placement.cell) {
    placement.spectrum_cell = placement.cell;
    convolution.make_spectrum([&](int a, int b) { return map_grid::kernel_at(a, b, placement.cell, side); },
                              [&](int k) { return static_cast<float>(map_grid::inverse_spline(k, side)); },
                              spectrum.as<float>());
  }
  const double kept[4] = {placement.x, placement.y, placement.cell, placement.spectrum_cell};
  std::copy_n(kept, 4, grid.as<double>());

  const Scratch nodes(context, sizeof(float) * static_cast<std::size_t>(2 * side * side));
  float* charges = nodes.as<float>();
  float* potential = charges + side * side;
  spread_charges(points, placement, side, charges);
  convolution.run(charges, spectrum.as<float>(), potential);
  const std::int64_t blocks = block_count(n, tsne_block);
  std::vector<double> partial(static_cast<std::size_t>(blocks));
  parallel_tasks(blocks, 64 * n, [&](std::int64_t block) {
    partial[static_cast<std::size_t>(block)] =
        interpolate(points, placement, side, potential, block * tsne_block,
                    std::min(n, (block + 1) * tsne_block), force.as<float>());
  });
  double sum = 0;
  for (const double value : partial) sum += value;
  *total.as<double>() = sum + map_grid::far_share(n, placement.cell, side);
}

}  // namespace chorale::cpu
