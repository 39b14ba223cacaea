// SPDX-License-Identifier: MIT
// Ward's method from centers, without a matrix of distances; see kernels/cpu/cluster_ward.cpp.
//
// Search: a block takes 64 listed clusters against a chunk of columns in 64 x 64 tiles of squared
// differences; each thread keeps the nearest of its columns and the second value for its 4 rows, and 16
// threads join theirs. A second launch has a block for each listed cluster: it joins the chunks, and where
// the second is within what f32 may have got wrong, it goes through all columns again, one a thread, and f64
// decides. Columns are read in whole lines from their blocks of point_block points. Merging: a warp a pair,
// differences and centers in f64, lanes joined in a fixed order. 3 l m d flops for l listed of m clusters;
// reads the points once for every 64 listed.
#include <cmath>

#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/cluster_ward.cuh"
#include "kernels/cuda/dispatch.h"

namespace chorale::cuda {
namespace {

constexpr std::int64_t column_chunk = 2048;
constexpr int merge_threads = 256, decide_threads = 128;

__device__ inline std::int64_t point_offset(std::int64_t point, std::int64_t element, std::int64_t d) {
  return (point / point_block * d + element) * point_block + point % point_block;
}

__global__ void pack(const double* centers, const std::int32_t* rows, std::int64_t m, std::int64_t d,
                     std::int64_t size, float* points) {
  for (std::int64_t at = global_thread(); at < size; at += global_threads()) {
    const std::int64_t column = at / (d * point_block) * point_block + at % point_block;
    const std::int64_t element = at / point_block % d;
    points[at] = column < m ? static_cast<float>(centers[rows[column] * d + element]) : 0.0f;
  }
}

__device__ inline double rounding_square(double center) {
  const double lost = center - static_cast<double>(static_cast<float>(center));
  return lost * lost;
}

/// |center - point|, rounded up; see ward_points in kernels.def.
__device__ inline float rounding_of(double square) {
  return static_cast<float>(sqrt(square)) * (1.0f + 0x1p-20f) + 0x1p-63f;
}

// A warp a column.
__global__ void __launch_bounds__(merge_threads)
    measure_rounding(const double* centers, const std::int32_t* rows, std::int64_t m, std::int64_t d,
                     float* rounding) {
  const std::int64_t column = global_thread() / warp_size;
  if (column >= m) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  double square = 0;
  for (std::int64_t k = lane; k < d; k += warp_size) square += rounding_square(centers[rows[column] * d + k]);
  square = warp_reduce<Sum>(square);
  if (lane == 0) rounding[column] = rounding_of(square);
}

struct Search {
  const float* points;
  const float* rounding;
  const float* sizes;
  const std::int32_t* listed;
  std::int64_t count, m, d;
  float widened;  // 1 + 2 e
};

/// Squared distances of one row to the columns of one chunk, and the largest rounding of these columns.
struct Found {
  NearestColumn nearest;
  float second = INFINITY, rounding = 0.0f;
};

__device__ inline void join(Found& a, const Found& b) {
  a.second = fminf(fminf(a.second, b.second), fmaxf(a.nearest.value, b.nearest.value));
  a.rounding = fmaxf(a.rounding, b.rounding);
  see(a.nearest, b.nearest.value, b.nearest.column);
}

/// Joins groups of `width` neighbouring threads, a power of two; every thread gets the result.
template <int width>
__device__ inline void join_lanes(Found& a) {
  for (int distance = width / 2; distance; distance /= 2) {
    Found other;
    other.nearest.value = __shfl_xor_sync(all_lanes, a.nearest.value, distance);
    other.nearest.column = __shfl_xor_sync(all_lanes, a.nearest.column, distance);
    other.second = __shfl_xor_sync(all_lanes, a.second, distance);
    other.rounding = __shfl_xor_sync(all_lanes, a.rounding, distance);
    join(a, other);
  }
}

__device__ inline float ward_factor(float a, float b) { return 2.0f * (a * b) / (a + b); }

/// Squared distances of listed clusters [first_row, + 64) to columns [first_column, + 64).
__device__ inline void tile_squares(const Search& s, std::int64_t first_row, std::int64_t first_column,
                                    int at_row, int at_column, TileStorage& storage,
                                    float (&squares)[tile_each][tile_each]) {
  for (int i = 0; i < tile_each; ++i)
    for (int j = 0; j < tile_each; ++j) squares[i][j] = 0.0f;
  for (std::int64_t first = 0; first < s.d; first += tile_depth) {
    for (int e = static_cast<int>(threadIdx.x); e < tile_side * tile_depth; e += cluster_threads) {
      const int vector = e % tile_side, element = e / tile_side;
      const std::int64_t row = first_row + vector, column = first_column + vector;
      const bool inside = first + element < s.d;
      storage.rows[element][vector] =
          inside && row < s.count ? s.points[point_offset(s.listed[row], first + element, s.d)] : 0.0f;
      storage.columns[element][vector] =
          inside && column < s.m ? s.points[point_offset(column, first + element, s.d)] : 0.0f;
    }
    __syncthreads();
    add_terms(storage, at_row, at_column, SquareTerm(), squares);
    __syncthreads();
  }
}

// found [listed, chunks]: the nearest column of each chunk.
__global__ void __launch_bounds__(cluster_threads) search_chunk(Search s, Found* found) {
  SHARED(TileStorage, storage, [1]);
  const int thread = static_cast<int>(threadIdx.x), at_column = thread % tile_square,
            at_row = thread / tile_square;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.y) * tile_side,
                     begin = static_cast<std::int64_t>(blockIdx.x) * column_chunk;
  const std::int64_t end = begin + column_chunk < s.m ? begin + column_chunk : s.m;
  Found nearest[tile_each];
  std::int32_t own[tile_each];
  float size[tile_each];
  for (int i = 0; i < tile_each; ++i) {
    const std::int64_t row = first_row + at_row + tile_square * i;
    own[i] = row < s.count ? s.listed[row] : 0;
    size[i] = s.sizes[own[i]];
  }
  for (std::int64_t first = begin; first < end; first += tile_side) {
    float squares[tile_each][tile_each];
    tile_squares(s, first_row, first, at_row, at_column, storage[0], squares);
    for (int j = 0; j < tile_each; ++j) {
      const std::int64_t column = first + at_column + tile_square * j;
      const float other = column < end ? s.sizes[column] : 0.0f;
      if (!(other > 0.0f)) continue;
      const float rounding = s.rounding[column];
      for (int i = 0; i < tile_each; ++i) {
        if (column == own[i]) continue;
        const float value = ward_factor(size[i], other) * squares[i][j];
        nearest[i].second = fminf(nearest[i].second, fmaxf(nearest[i].nearest.value, value));
        nearest[i].rounding = fmaxf(nearest[i].rounding, rounding);
        see(nearest[i].nearest, value, static_cast<std::int32_t>(column));
      }
    }
  }
  for (int i = 0; i < tile_each; ++i) {
    join_lanes<tile_square>(nearest[i]);
    const std::int64_t row = first_row + at_row + tile_square * i;
    if (at_column == 0 && row < s.count) found[row * gridDim.x + blockIdx.x] = nearest[i];
  }
}

// A block a listed cluster. The bound is that of kernels/cpu/cluster_ward.cpp.
__global__ void __launch_bounds__(decide_threads)
    decide(Search s, WardCenters centers, const Found* found, std::int64_t chunks, std::int32_t* nearest,
           float* squares) {
  const std::int64_t row = blockIdx.x, own = s.listed[row];
  Found all;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) join(all, found[row * chunks + chunk]);
  const float size = s.sizes[own], weight = sqrtf(2.0f * size);
  const bool any = all.nearest.column != no_column;
  const float bound = any ? sqrtf(all.nearest.value) * s.widened +
                                weight * (2.0f * s.rounding[own] + s.rounding[all.nearest.column])
                          : 0.0f;
  const auto within = [=](float value, float rounding) {
    const float reach = bound + weight * rounding;
    return value <= reach * reach;
  };
  ExactNearest exact;
  if (any && within(all.second, all.rounding)) {
    exact = nearest_of<decide_threads>(centers, own, s.m, [=](std::int64_t column) {
      const float other = s.sizes[column];
      if (column == own || !(other > 0.0f)) return false;
      float square = 0.0f;
      for (std::int64_t k = 0; k < s.d; ++k)
        square =
            SquareTerm()(s.points[point_offset(own, k, s.d)], s.points[point_offset(column, k, s.d)], square);
      return within(ward_factor(size, other) * square, s.rounding[column]);
    });
  } else if (any && threadIdx.x < warp_size) {
    exact.column = all.nearest.column;
    exact.square = warp_ward_distance(centers, own, exact.column, static_cast<int>(threadIdx.x));
  }
  if (threadIdx.x != 0) return;
  nearest[row] = exact.column;
  squares[row] = static_cast<float>(exact.square);
}

// A warp a pair.
__global__ void __launch_bounds__(merge_threads)
    merge_centers(const std::int32_t* pairs, const std::int32_t* rows, const double* sizes,
                  std::int64_t count, std::int64_t d, double* centers, float* points, float* rounding,
                  double* heights) {
  const std::int64_t pair = global_thread() / warp_size;
  if (pair >= count) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int32_t column = pairs[2 * pair];
  double* first = centers + rows[column] * d;
  const double* second = centers + rows[pairs[2 * pair + 1]] * d;
  const double a = sizes[2 * pair], b = sizes[2 * pair + 1];
  double square = 0, lost = 0;
  for (std::int64_t k = lane; k < d; k += warp_size) {
    const double from = first[k], difference = second[k] - from;
    square += difference * difference;
    const double center = from + b / (a + b) * difference;
    first[k] = center;
    if (!points) continue;
    points[point_offset(column, k, d)] = static_cast<float>(center);
    lost += rounding_square(center);
  }
  square = warp_reduce<Sum>(square);
  lost = warp_reduce<Sum>(lost);
  if (lane == 0 && points) rounding[column] = rounding_of(lost);
  if (lane == 0) heights[pair] = sqrt(2 * a * b / (a + b) * square);
}

}  // namespace

void ward_points(Context& context, ConstView centers, ConstView rows, View points, View rounding) {
  require(centers.rank == 2 && points.rank == 3 && points.shape[1] == centers.shape[1] &&
              points.shape[0] == ceil_div(rows.size(), point_block) && points.shape[2] == point_block,
          "ward_points", "centers must be [n, d] and points [m / 32 rounded up, d, 32]");
  require_dtype(centers, DType::f64, "ward_points", "centers");
  require_dtype(rows, DType::i32, "ward_points", "rows");
  require_dtype(points, DType::f32, "ward_points", "points");
  require_dtype(rounding, DType::f32, "ward_points", "rounding");
  require_size(rounding, rows.size(), "ward_points", "rounding");
  LAUNCH((pack), stride_grid(context, points.size(), merge_threads), merge_threads, 0, context.stream,
         centers.as<double>(), rows.as<std::int32_t>(), rows.size(), centers.shape[1], points.size(),
         points.as<float>());
  if (rows.size() == 0) return;
  LAUNCH((measure_rounding), static_cast<unsigned>(ceil_div(rows.size() * warp_size, merge_threads)),
         merge_threads, 0, context.stream, centers.as<double>(), rows.as<std::int32_t>(), rows.size(),
         centers.shape[1], rounding.as<float>());
}

void ward_nearest(Context& context, ConstView points, ConstView rounding, ConstView centers, ConstView rows,
                  ConstView sizes, ConstView listed, View nearest, View squares) {
  require(points.rank == 3 && points.shape[2] == point_block &&
              sizes.size() <= points.shape[0] * point_block && centers.rank == 2 &&
              centers.shape[1] == points.shape[1],
          "ward_nearest", "points must be [blocks, d, 32], sizes [m] and centers [n, d]");
  require_dtype(points, DType::f32, "ward_nearest", "points");
  require_dtype(centers, DType::f64, "ward_nearest", "centers");
  require_dtype(rows, DType::i32, "ward_nearest", "rows");
  require_size(rows, sizes.size(), "ward_nearest", "rows");
  require_size(rounding, sizes.size(), "ward_nearest", "rounding");
  require_dtype(listed, DType::i32, "ward_nearest", "listed");
  require_dtype(nearest, DType::i32, "ward_nearest", "nearest");
  require_size(nearest, listed.size(), "ward_nearest", "nearest");
  require_size(squares, listed.size(), "ward_nearest", "squares");
  const std::int64_t d = points.shape[1];
  const Search s{points.as<float>(),
                 rounding.as<float>(),
                 sizes.as<float>(),
                 listed.as<std::int32_t>(),
                 listed.size(),
                 sizes.size(),
                 d,
                 std::sqrt(1.0f + square_band(d))};
  const WardCenters clusters{centers.as<double>(), rows.as<std::int32_t>(), sizes.as<float>(), d};
  if (s.count == 0) return;
  const std::int64_t chunks = ceil_div(s.m, column_chunk);
  const Scratch found(context, static_cast<std::size_t>(s.count * chunks) * sizeof(Found));
  LAUNCH((search_chunk),
         dim3(static_cast<unsigned>(chunks), static_cast<unsigned>(ceil_div(s.count, tile_side))),
         cluster_threads, 0, context.stream, s, found.as<Found>());
  LAUNCH((decide), static_cast<unsigned>(s.count), decide_threads, 0, context.stream, s, clusters,
         found.as<Found>(), chunks, nearest.as<std::int32_t>(), squares.as<float>());
}

void ward_merge(Context& context, ConstView pairs, ConstView rows, ConstView sizes, View centers, View points,
                View rounding, View heights) {
  require(centers.rank == 2 && pairs.size() == 2 * heights.size() && sizes.size() == pairs.size() &&
              static_cast<bool>(points) == static_cast<bool>(rounding),
          "ward_merge", "pairs and sizes must be [p, 2], centers [n, d] and heights [p]");
  require_dtype(pairs, DType::i32, "ward_merge", "pairs");
  require_dtype(sizes, DType::f64, "ward_merge", "sizes");
  require_dtype(centers, DType::f64, "ward_merge", "centers");
  require_dtype(heights, DType::f64, "ward_merge", "heights");
  const std::int64_t count = heights.size();
  if (count == 0) return;
  LAUNCH((merge_centers), static_cast<unsigned>(ceil_div(count * warp_size, merge_threads)), merge_threads, 0,
         context.stream, pairs.as<std::int32_t>(), rows.as<std::int32_t>(), sizes.as<double>(), count,
         centers.shape[1], centers.as<double>(), points.as<float>(), rounding.as<float>(),
         heights.as<double>());
}

}  // namespace chorale::cuda
