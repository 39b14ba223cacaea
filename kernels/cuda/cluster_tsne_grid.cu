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
// The grid is laid over the points by the device itself, so no launch waits for the host. Charges are added
// with integer atomics, as multiples of 2^-32: no order changes their sum. With m = 2 side, of a grid
// [side, side]: pairs of columns share a complex transform of length m, of which side + 1 frequencies are
// kept; each frequency is a row, transformed, multiplied with the spectrum and transformed back by one block;
// columns return in pairs. Sums over points are f64, over blocks of tsne_block, in block order. A point is
// read twice with its 16 nodes; the grid's 4 side^2 bytes and its half-transform's 8 side (side + 1), each
// written and read once or twice, stay in the second-level cache.
#include "kernels/cuda/cluster_convolution.cuh"
#include "kernels/cuda/cluster_map.cuh"
#include "kernels/cuda/reduction.cuh"
#include "kernels/map_grid.h"

namespace chorale::cuda {
namespace {

using map_grid::Placement;

constexpr int point_threads = 256, place_threads = 512;
constexpr double charge_unit = 0x1p-32;
typedef unsigned long long Charge;  // what atomicAdd takes

// One block: bounds of the points and where the grid lies.
__global__ void __launch_bounds__(place_threads)
    place_grid(const float* points, std::int64_t n, std::int64_t side, double* grid) {
  float low_x = points[0], high_x = low_x, low_y = points[1], high_y = low_y;
  for (std::int64_t i = threadIdx.x; i < n; i += place_threads) {
    const float x = points[2 * i], y = points[2 * i + 1];
    low_x = fminf(low_x, x);
    high_x = fmaxf(high_x, x);
    low_y = fminf(low_y, y);
    high_y = fmaxf(high_y, y);
  }
  low_x = -block_reduce<Max, place_threads>(-low_x);
  high_x = block_reduce<Max, place_threads>(high_x);
  low_y = -block_reduce<Max, place_threads>(-low_y);
  high_y = block_reduce<Max, place_threads>(high_y);
  if (threadIdx.x != 0) return;
  const Placement placed =
      map_grid::place(Placement{grid[0], grid[1], grid[2], grid[3]}, side, static_cast<double>(low_x),
                      static_cast<double>(high_x), static_cast<double>(low_y), static_cast<double>(high_y));
  grid[0] = placed.x;
  grid[1] = placed.y;
  grid[2] = placed.cell;
}

// A real even sequence has a real transform: two of them share a complex one. half_done [side + 1, side + 1]
// = transforms down the columns of the kernel; then spectrum the transforms of its rows. Nothing is done
// where the spectrum is that of the grid.
template <bool rows>
__global__ void __launch_bounds__(transform_threads)
    make_spectrum(BlockTransform transform, const double* grid, const float* half_done, float* result) {
  const double cell = grid[2];
  if (cell == grid[3]) return;
  const int m = transform.m, side = m / 2, half = side + 1;
  const int first = 2 * static_cast<int>(blockIdx.x), second = first + 1 < half ? first + 1 : side;
  const auto value = [&](int j, int sequence) {
    const int at = j <= side ? j : m - j;
    return rows ? half_done[static_cast<std::int64_t>(sequence) * half + at]
                : map_grid::kernel_at(at, sequence, cell, side);
  };
  float* in = transform.memory();
  for (int j = static_cast<int>(threadIdx.x); j < m; j += transform_threads) {
    in[2 * j] = value(j, first);
    in[2 * j + 1] = value(j, second);
  }
  const float* z = transform.run(in, 1);
  // Two columns that share a transform in the convolution have twice the spectrum.
  const double scale = 0.5 / (static_cast<double>(m) * static_cast<double>(m));
  for (int k = static_cast<int>(threadIdx.x); k < half; k += transform_threads)
    for (int part = 0; part < 2 && first + part < half; ++part) {
      const int sequence = first + part;
      const std::int64_t to = rows ? static_cast<std::int64_t>(sequence) * half + k
                                   : static_cast<std::int64_t>(k) * half + sequence;
      const double window =
          rows ? scale * map_grid::inverse_spline(sequence, side) * map_grid::inverse_spline(k, side) : 1.0;
      result[to] = static_cast<float>(window * static_cast<double>(z[2 * k + part]));
    }
}

__global__ void clear_charges(Charge* charges, std::int64_t nodes) {
  for (std::int64_t i = global_thread(); i < nodes; i += global_threads()) charges[i] = 0;
}

__global__ void __launch_bounds__(point_threads)
    spread_charges(const float* points, std::int64_t n, const double* grid, std::int64_t side,
                   Charge* charges) {
  for (std::int64_t i = global_thread(); i < n; i += global_threads()) {
    const map_grid::Stencil x = map_grid::stencil(points[2 * i], grid[0], grid[2], side);
    const map_grid::Stencil y = map_grid::stencil(points[2 * i + 1], grid[1], grid[2], side);
    for (int a = 0; a < map_grid::order; ++a)
      for (int b = 0; b < map_grid::order; ++b)
        atomicAdd(charges + (y.first + a) * side + x.first + b,
                  static_cast<Charge>(static_cast<double>(y.weight[a] * x.weight[b]) * 0x1p32));
  }
}

// half_done [side + 1, side] (re, im): `pairs` pairs of columns a block.
__global__ void __launch_bounds__(transform_threads)
    columns_forward(BlockTransform transform, int pairs, const Charge* charges, float* half_done) {
  const int m = transform.m, side = m / 2, width = 2 * pairs;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * width;
  float* in = transform.memory();
  for (int item = static_cast<int>(threadIdx.x); item < m * width; item += transform_threads) {
    const int j = item / width, c = item % width;
    in[2 * (c / 2 * m + j) + c % 2] =
        j < side
            ? static_cast<float>(
                  static_cast<double>(charges[j * static_cast<std::int64_t>(side) + first + c]) * charge_unit)
            : 0.0f;
  }
  const float* z = transform.run(in, pairs);
  for (int item = static_cast<int>(threadIdx.x); item < (side + 1) * width; item += transform_threads) {
    const int k = item / width, c = item % width, mirrored = k ? m - k : 0;
    const float* a = z + 2 * (c / 2 * m + k);
    const float* b = z + 2 * (c / 2 * m + mirrored);
    float* to = half_done + 2 * (k * static_cast<std::int64_t>(side) + first + c);
    to[0] = c % 2 ? a[1] + b[1] : a[0] + b[0];
    to[1] = c % 2 ? b[0] - a[0] : a[1] - b[1];
  }
}

// A row of half_done: transformed, times the spectrum and back. With real and imaginary parts exchanged the
// transform is its own inverse.
__global__ void __launch_bounds__(transform_threads)
    convolve_rows(BlockTransform transform, const float* spectrum, float* half_done) {
  const int m = transform.m, side = m / 2;
  float* row = half_done + 2 * static_cast<std::int64_t>(blockIdx.x) * side;
  const float* factor = spectrum + static_cast<std::int64_t>(blockIdx.x) * (side + 1);
  float* in = transform.memory();
  for (int j = static_cast<int>(threadIdx.x); j < 2 * m; j += transform_threads)
    in[j] = j < 2 * side ? row[j] : 0.0f;
  float* z = transform.run(in, 1);
  for (int l = static_cast<int>(threadIdx.x); l < m; l += transform_threads) {
    const float s = factor[l <= side ? l : m - l], re = z[2 * l];
    z[2 * l] = z[2 * l + 1] * s;
    z[2 * l + 1] = re * s;
  }
  const float* y = transform.run(z, 1);
  for (int j = static_cast<int>(threadIdx.x); j < 2 * side; j += transform_threads) row[j] = y[j ^ 1];
}

__global__ void __launch_bounds__(transform_threads)
    columns_back(BlockTransform transform, int pairs, const float* half_done, float* potential) {
  const int m = transform.m, side = m / 2, width = 2 * pairs;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * width;
  float* in = transform.memory();
  for (int item = static_cast<int>(threadIdx.x); item < m * pairs; item += transform_threads) {
    const int j = item / pairs, c = item % pairs, k = j <= side ? j : m - j;
    const float sign = j <= side ? 1.0f : -1.0f;  // the spectrum of real columns is conjugate beyond
    const float* a = half_done + 2 * (k * static_cast<std::int64_t>(side) + first + 2 * c);
    in[2 * (c * m + j)] = sign * a[1] + a[2];  // a + i b, parts exchanged
    in[2 * (c * m + j) + 1] = a[0] - sign * a[3];
  }
  const float* y = transform.run(in, pairs);
  for (int item = static_cast<int>(threadIdx.x); item < side * width; item += transform_threads) {
    const int j = item / width, c = item % width;
    potential[j * static_cast<std::int64_t>(side) + first + c] = y[2 * (c / 2 * m + j) + 1 - c % 2];
  }
}

// A block takes tsne_block points.
__global__ void __launch_bounds__(point_threads)
    interpolate(const float* points, std::int64_t n, const double* grid, std::int64_t side,
                const float* potential, float* force, double* partial) {
  static_assert(point_threads == tsne_block);
  const std::int64_t i = global_thread();
  float u = 0;
  if (i < n) {
    const map_grid::Stencil x = map_grid::stencil(points[2 * i], grid[0], grid[2], side);
    const map_grid::Stencil y = map_grid::stencil(points[2 * i + 1], grid[1], grid[2], side);
    float slope_x = 0, slope_y = 0;
    for (int a = 0; a < map_grid::order; ++a) {
      const float* row = potential + (y.first + a) * side + x.first;
      float value = 0, slope = 0;
      for (int b = 0; b < map_grid::order; ++b) {
        value += x.weight[b] * row[b];
        slope += x.slope[b] * row[b];
      }
      u += y.weight[a] * value;
      slope_x += y.weight[a] * slope;
      slope_y += y.slope[a] * value;
    }
    const float scale = static_cast<float>(-0.5 / grid[2]);
    force[2 * i] = scale * slope_x;
    force[2 * i + 1] = scale * slope_y;
  }
  const double sum = block_reduce<Sum, point_threads>(static_cast<double>(u));
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// One warp; from now on the spectrum is that of the grid.
__global__ void finish(const double* partial, std::int64_t blocks, std::int64_t n, std::int64_t side,
                       double* grid, double* total) {
  double sum = 0;
  for (std::int64_t b = threadIdx.x; b < blocks; b += warp_size) sum += partial[b];
  sum = warp_reduce<Sum>(sum);
  if (threadIdx.x != 0) return;
  *total = sum + map_grid::far_share(n, grid[2], side);
  grid[3] = grid[2];
}

}  // namespace

void tsne_repulsion_grid(Context& context, ConstView points, View grid, View spectrum, View force,
                         View total) {
  constexpr const char* op = "tsne_repulsion_grid";
  require_points(points, op);
  require_dtype(grid, DType::f64, op, "grid");
  require_size(grid, 4, op, "grid");
  require_dtype(spectrum, DType::f32, op, "spectrum");
  require_size(force, points.size(), op, "force");
  require_dtype(total, DType::f64, op, "total");
  require(spectrum.rank == 2 && spectrum.shape[0] == spectrum.shape[1] && (spectrum.shape[0] - 1) % 32 == 0 &&
              2 * (spectrum.shape[0] - 1) <= most_transform_points,
          op, "spectrum must be [side + 1, side + 1], side a multiple of 32 and at most 1536");
  const std::int64_t n = points.shape[0], side = spectrum.shape[0] - 1, nodes = side * side;
  const int m = static_cast<int>(2 * side), half = static_cast<int>(side + 1);
  const std::int64_t point_blocks = ceil_div(n, tsne_block);
  const Scratch table(context, sizeof(float) * 2 * static_cast<std::size_t>(m));
  const Scratch charge_nodes(context, sizeof(Charge) * static_cast<std::size_t>(nodes));
  const Scratch half_done(context, sizeof(float) * 2 * static_cast<std::size_t>(side * half + half));
  const Scratch potential(context, sizeof(float) * static_cast<std::size_t>(nodes));
  const Scratch partial(context, sizeof(double) * static_cast<std::size_t>(point_blocks));
  Charge* charges = charge_nodes.as<Charge>();
  const BlockTransform transform(m, table.as<float>());
  int pairs = 4;
  while (pairs > 1 && m * pairs > most_transform_points) pairs /= 2;
  const unsigned column_blocks = static_cast<unsigned>(side / (2 * pairs));
  const unsigned sequence_blocks = static_cast<unsigned>(ceil_div(half, 2));

  make_twiddles(context, m, table.as<float>());
  LAUNCH((place_grid), 1, place_threads, 0, context.stream, points.as<float>(), n, side, grid.as<double>());
  LAUNCH((make_spectrum<false>), sequence_blocks, transform_threads, transform.bytes(1), context.stream,
         transform, grid.as<double>(), static_cast<const float*>(nullptr), half_done.as<float>());
  LAUNCH((make_spectrum<true>), sequence_blocks, transform_threads, transform.bytes(1), context.stream,
         transform, grid.as<double>(), half_done.as<float>(), spectrum.as<float>());
  LAUNCH((clear_charges), stride_grid(context, nodes, point_threads), point_threads, 0, context.stream,
         charges, nodes);
  LAUNCH((spread_charges), stride_grid(context, n, point_threads), point_threads, 0, context.stream,
         points.as<float>(), n, grid.as<double>(), side, charges);
  LAUNCH((columns_forward), column_blocks, transform_threads, transform.bytes(pairs), context.stream,
         transform, pairs, charges, half_done.as<float>());
  LAUNCH((convolve_rows), static_cast<unsigned>(half), transform_threads, transform.bytes(1), context.stream,
         transform, spectrum.as<float>(), half_done.as<float>());
  LAUNCH((columns_back), column_blocks, transform_threads, transform.bytes(pairs), context.stream, transform,
         pairs, half_done.as<float>(), potential.as<float>());
  LAUNCH((interpolate), static_cast<unsigned>(point_blocks), point_threads, 0, context.stream,
         points.as<float>(), n, grid.as<double>(), side, potential.as<float>(), force.as<float>(),
         partial.as<double>());
  LAUNCH((finish), 1, warp_size, 0, context.stream, partial.as<double>(), point_blocks, n, side,
         grid.as<double>(), total.as<double>());
}

}  // namespace chorale::cuda
