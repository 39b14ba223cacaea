// SPDX-License-Identifier: MIT
// Ward's method from centers, without a matrix of distances; see kernels/cpu/cluster_ward.cpp.
//
// Search: a block takes 64 listed clusters against a chunk of columns in 64 x 64 tiles of squared
// differences; each thread keeps the nearest of its columns for its 4 rows, 16 threads join theirs, and a
// second launch joins the chunks. Columns are read in whole lines from their blocks of point_block points.
// Merging: a warp a pair, differences and centers in f64, lanes joined in a fixed order. 3 l m d flops for l
// listed of m clusters; reads the points once for every 64 listed.
#include "kernels/cuda/cluster_nearest.cuh"
#include "kernels/cuda/cluster_tile.cuh"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/reduction.cuh"

namespace chorale::cuda {
namespace {

constexpr std::int64_t column_chunk = 2048;
constexpr int merge_threads = 256;

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

struct Search {
  const float* points;
  const float* sizes;
  const std::int32_t* listed;
  std::int64_t count, m, d;
};

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
__global__ void __launch_bounds__(cluster_threads) search_chunk(Search s, NearestColumn* found) {
  SHARED(TileStorage, storage, [1]);
  const int thread = static_cast<int>(threadIdx.x), at_column = thread % tile_square,
            at_row = thread / tile_square;
  const std::int64_t first_row = static_cast<std::int64_t>(blockIdx.y) * tile_side,
                     begin = static_cast<std::int64_t>(blockIdx.x) * column_chunk;
  const std::int64_t end = begin + column_chunk < s.m ? begin + column_chunk : s.m;
  NearestColumn nearest[tile_each];
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
      for (int i = 0; i < tile_each; ++i)
        if (column != own[i])
          see(nearest[i], 2.0f * (size[i] * other) / (size[i] + other) * squares[i][j],
              static_cast<std::int32_t>(column));
    }
  }
  for (int i = 0; i < tile_each; ++i) {
    join_lanes<tile_square>(nearest[i]);
    const std::int64_t row = first_row + at_row + tile_square * i;
    if (at_column == 0 && row < s.count) found[row * gridDim.x + blockIdx.x] = nearest[i];
  }
}

__global__ void join_chunks(const NearestColumn* found, std::int64_t count, std::int64_t chunks,
                            std::int32_t* nearest, float* squares) {
  for (std::int64_t row = global_thread(); row < count; row += global_threads()) {
    NearestColumn joined;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk)
      see(joined, found[row * chunks + chunk].value, found[row * chunks + chunk].column);
    nearest[row] = joined.column;
    squares[row] = joined.value;
  }
}

// A warp a pair.
__global__ void __launch_bounds__(merge_threads)
    merge_centers(const std::int32_t* pairs, const std::int32_t* rows, const double* sizes,
                  std::int64_t count, std::int64_t d, double* centers, float* points, double* heights) {
  const std::int64_t pair = global_thread() / warp_size;
  if (pair >= count) return;
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int32_t column = pairs[2 * pair];
  double* first = centers + rows[column] * d;
  const double* second = centers + rows[pairs[2 * pair + 1]] * d;
  const double a = sizes[2 * pair], b = sizes[2 * pair + 1];
  double square = 0;
  for (std::int64_t k = lane; k < d; k += warp_size) {
    const double from = first[k], difference = second[k] - from;
    square += difference * difference;
    const double center = from + b / (a + b) * difference;
    first[k] = center;
    if (points) points[point_offset(column, k, d)] = static_cast<float>(center);
  }
  square = warp_reduce<Sum>(square);
  if (lane == 0) heights[pair] = sqrt(2 * a * b / (a + b) * square);
}

}  // namespace

void ward_points(Context& context, ConstView centers, ConstView rows, View points) {
  require(centers.rank == 2 && points.rank == 3 && points.shape[1] == centers.shape[1] &&
              points.shape[0] == ceil_div(rows.size(), point_block) && points.shape[2] == point_block,
          "ward_points", "centers must be [n, d] and points [m / 32 rounded up, d, 32]");
  require_dtype(centers, DType::f64, "ward_points", "centers");
  require_dtype(rows, DType::i32, "ward_points", "rows");
  require_dtype(points, DType::f32, "ward_points", "points");
  LAUNCH((pack), stride_grid(context, points.size(), merge_threads), merge_threads, 0, context.stream,
         centers.as<double>(), rows.as<std::int32_t>(), rows.size(), centers.shape[1], points.size(),
         points.as<float>());
}

void ward_nearest(Context& context, ConstView points, ConstView sizes, ConstView listed, View nearest,
                  View squares) {
  require(points.rank == 3 && points.shape[2] == point_block && sizes.size() <= points.shape[0] * point_block,
          "ward_nearest", "points must be [blocks, d, 32] and sizes [m]");
  require_dtype(points, DType::f32, "ward_nearest", "points");
  require_dtype(listed, DType::i32, "ward_nearest", "listed");
  require_dtype(nearest, DType::i32, "ward_nearest", "nearest");
  require_size(nearest, listed.size(), "ward_nearest", "nearest");
  require_size(squares, listed.size(), "ward_nearest", "squares");
  const Search s{points.as<float>(), sizes.as<float>(), listed.as<std::int32_t>(),
                 listed.size(),      sizes.size(),      points.shape[1]};
  if (s.count == 0) return;
  const std::int64_t chunks = ceil_div(s.m, column_chunk);
  const Scratch found(context, static_cast<std::size_t>(s.count * chunks) * sizeof(NearestColumn));
  LAUNCH((search_chunk),
         dim3(static_cast<unsigned>(chunks), static_cast<unsigned>(ceil_div(s.count, tile_side))),
         cluster_threads, 0, context.stream, s, found.as<NearestColumn>());
  LAUNCH((join_chunks), stride_grid(context, s.count, merge_threads), merge_threads, 0, context.stream,
         found.as<NearestColumn>(), s.count, chunks, nearest.as<std::int32_t>(), squares.as<float>());
}

void ward_merge(Context& context, ConstView pairs, ConstView rows, ConstView sizes, View centers, View points,
                View heights) {
  require(centers.rank == 2 && pairs.size() == 2 * heights.size() && sizes.size() == pairs.size(),
          "ward_merge", "pairs and sizes must be [p, 2], centers [n, d] and heights [p]");
  require_dtype(pairs, DType::i32, "ward_merge", "pairs");
  require_dtype(sizes, DType::f64, "ward_merge", "sizes");
  require_dtype(centers, DType::f64, "ward_merge", "centers");
  require_dtype(heights, DType::f64, "ward_merge", "heights");
  const std::int64_t count = heights.size();
  if (count == 0) return;
  LAUNCH((merge_centers), static_cast<unsigned>(ceil_div(count * warp_size, merge_threads)), merge_threads, 0,
         context.stream, pairs.as<std::int32_t>(), rows.as<std::int32_t>(), sizes.as<double>(), count,
         centers.shape[1], centers.as<double>(), points.as<float>(), heights.as<double>());
}

}  // namespace chorale::cuda
