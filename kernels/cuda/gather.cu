// SPDX-License-Identifier: MIT
// Moving elements as raw words.
//
//   gather_rows    out[r, :] = source[index[start + r], :], start = state ? state->cursor : 0; out of range:
//   zeros copy_strided   y[i, j, k, l] = x[i s0 + j s1 + k s2 + l s3]
//   gather_crops   out[r, b, :] = source[index[start + r], b, first_r : first_r + crop], rows as in
//   gather_rows
//
// gather_rows: rows of any length, moved 16 bytes a thread where address and length allow; the batch is a
// grid of (pieces of a row, rows), so an epoch's order and cursor stay on the device. Bytes: 2 out.
// gather_crops: a warp a band, an element a lane, for crops begin anywhere. Bytes: 2 out.
// copy_strided: one thread an element, writes coalesced. Where x runs along the second last dimension (a
// transposed matrix) 32 x 32 tiles go through shared memory, so that reads are coalesced too. Bytes: 2 y.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/vector.cuh"
#include "kernels/philox.h"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;
constexpr int tile = 32, tile_rows = 8;
constexpr std::int64_t max_grid_y = 65535;

template <class Word>
__global__ void __launch_bounds__(block_threads)
    gather_kernel(const Word* source, std::int64_t source_rows, const std::int64_t* index,
                  std::int64_t indices, const StepState* state, Word* out, std::int64_t rows,
                  std::int64_t words) {
  const std::int64_t start = state ? state->cursor : 0;
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const std::int64_t position = start + row;
    const std::int64_t from = position >= 0 && position < indices ? index[position] : -1;
    const bool inside = from >= 0 && from < source_rows;
    for (std::int64_t i = global_thread(); i < words; i += global_threads())
      out[row * words + i] = inside ? source[from * words + i] : Word{};
  }
}

template <class Word>
void gather(Context& context, const ConstView& source, const ConstView& index, const StepState* state,
            const View& out, std::size_t row_bytes) {
  const std::int64_t rows = out.shape[0], words = static_cast<std::int64_t>(row_bytes / sizeof(Word));
  const std::int64_t across = ceil_div(words, block_threads);
  const std::int64_t per_row = std::max<std::int64_t>(1, multiprocessors(context) * 16 / rows);
  const dim3 grid(static_cast<unsigned>(std::min(across, per_row)),
                  static_cast<unsigned>(std::min(rows, max_grid_y)));
  LAUNCH((gather_kernel<Word>), grid, block_threads, 0, context.stream, source.as<Word>(), source.shape[0],
         index.as<std::int64_t>(), index.size(), state, out.as<Word>(), rows, words);
}

template <class Word>
__global__ void __launch_bounds__(block_threads)
    crop_kernel(const Word* source, std::int64_t source_rows, std::int64_t frames, const std::int64_t* index,
                std::int64_t indices, const StepState* state, std::uint32_t stream, Word* out,
                std::int64_t rows, std::int64_t bands, std::int64_t crop) {
  const std::int64_t start = state ? state->cursor : 0;
  const std::int64_t lane = threadIdx.x % warp_size, warp = global_thread() / warp_size;
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const std::int64_t position = start + row;
    const std::int64_t from = !index ? row : position >= 0 && position < indices ? index[position] : -1;
    const bool inside = from >= 0 && from < source_rows;
    std::int64_t first = (frames - crop) / 2;
    if (state)
      first =
          philox::below(philox::word(state->seed, state->rng_offset, stream, static_cast<std::uint64_t>(row)),
                        frames - crop + 1);
    for (std::int64_t band = warp; band < bands; band += global_threads() / warp_size) {
      const std::int64_t read = (from * bands + band) * frames + first, write = (row * bands + band) * crop;
      for (std::int64_t i = lane; i < crop; i += warp_size)
        out[write + i] = inside ? source[read + i] : Word{};
    }
  }
}

template <class Word>
void crop(Context& context, const ConstView& source, const ConstView& index, const StepState* state,
          std::uint32_t stream, const View& out) {
  const std::int64_t rows = out.shape[0], across = ceil_div(out.shape[1], block_threads / warp_size);
  const std::int64_t per_row = std::max<std::int64_t>(1, multiprocessors(context) * 16 / rows);
  const dim3 grid(static_cast<unsigned>(std::min(across, per_row)),
                  static_cast<unsigned>(std::min(rows, max_grid_y)));
  LAUNCH((crop_kernel<Word>), grid, block_threads, 0, context.stream, source.as<Word>(), source.shape[0],
         source.shape[2], index.as<std::int64_t>(), index.size(), state, stream, out.as<Word>(), rows,
         out.shape[1], out.shape[2]);
}

struct Extents {
  std::int64_t shape[4], strides[4];
};

template <class Word>
__global__ void __launch_bounds__(block_threads)
    strided_kernel(const Word* x, Extents e, Word* y, std::int64_t size) {
  for (std::int64_t i = global_thread(); i < size; i += global_threads()) {
    std::int64_t rest = i, from = 0;
    for (int d = 3; d >= 0; --d) {
      const std::int64_t next = quotient(rest, e.shape[d]);
      from += (rest - next * e.shape[d]) * e.strides[d];
      rest = next;
    }
    y[i] = x[from];
  }
}

// Matrices of shape[2] x shape[3]; x's neighbours lie along dimension 2.
template <class Word>
__global__ void __launch_bounds__(tile* tile_rows)
    transpose_kernel(const Word* x, Extents e, Word* y, std::int64_t tiles_down, std::int64_t tiles) {
  SHARED(Word, buffer, [tile][tile + 1]);
  const std::int64_t rows = e.shape[2], columns = e.shape[3];
  for (std::int64_t matrix = blockIdx.y; matrix < e.shape[0] * e.shape[1]; matrix += gridDim.y) {
    const Word* from = x + matrix / e.shape[1] * e.strides[0] + matrix % e.shape[1] * e.strides[1];
    Word* to = y + matrix * rows * columns;
    for (std::int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
      const std::int64_t row0 = t % tiles_down * tile, column0 = t / tiles_down * tile;
      for (int j = static_cast<int>(threadIdx.y); j < tile; j += tile_rows) {
        const std::int64_t row = row0 + threadIdx.x, column = column0 + j;
        if (row < rows && column < columns)
          buffer[j][threadIdx.x] = from[row * e.strides[2] + column * e.strides[3]];
      }
      __syncthreads();
      for (int j = static_cast<int>(threadIdx.y); j < tile; j += tile_rows) {
        const std::int64_t row = row0 + j, column = column0 + threadIdx.x;
        if (row < rows && column < columns) to[row * columns + column] = buffer[threadIdx.x][j];
      }
      __syncthreads();
    }
  }
}

template <class Word>
void copy_words(Context& context, const ConstView& x, const Extents& e, const View& y) {
  const std::int64_t size = y.size();
  if (e.strides[2] == 1 && e.strides[3] != 1 && e.shape[2] > 1 && e.shape[3] > 1) {
    const std::int64_t down = ceil_div(e.shape[2], tile), tiles = down * ceil_div(e.shape[3], tile);
    const dim3 grid(static_cast<unsigned>(std::min<std::int64_t>(tiles, 1 << 20)),
                    static_cast<unsigned>(std::min(e.shape[0] * e.shape[1], max_grid_y)));
    LAUNCH((transpose_kernel<Word>), grid, dim3(tile, tile_rows), 0, context.stream, x.as<Word>(), e,
           y.as<Word>(), down, tiles);
    return;
  }
  LAUNCH((strided_kernel<Word>), stride_grid(context, size, block_threads), block_threads, 0, context.stream,
         x.as<Word>(), e, y.as<Word>(), size);
}

}  // namespace

void gather_rows(Context& context, ConstView source, ConstView index, const StepState* state, View out) {
  const char* op = "gather_rows";
  require_dtype(out, source.dtype, op, "out");
  require_dtype(index, DType::i64, op, "index");
  require(source.rank >= 1 && out.rank >= 1 && index.rank == 1, op, "source, out and index must have rows");
  if (out.size() == 0) return;
  const std::size_t row_bytes = out.bytes() / static_cast<std::size_t>(out.shape[0]);
  require(source.bytes() == row_bytes * static_cast<std::size_t>(source.shape[0]), op,
          "rows of source and out differ in size");
  const auto divides = [&](std::size_t word) {
    return row_bytes % word == 0 && reinterpret_cast<std::uintptr_t>(source.data) % word == 0 &&
           reinterpret_cast<std::uintptr_t>(out.data) % word == 0;
  };
  if (divides(16)) return gather<uint4>(context, source, index, state, out, row_bytes);
  if (divides(4)) return gather<std::uint32_t>(context, source, index, state, out, row_bytes);
  if (divides(2)) return gather<std::uint16_t>(context, source, index, state, out, row_bytes);
  gather<std::uint8_t>(context, source, index, state, out, row_bytes);
}

void gather_crops(Context& context, ConstView source, ConstView index, const StepState* state,
                  std::uint32_t stream, View out) {
  const char* op = "gather_crops";
  require_dtype(out, source.dtype, op, "out");
  if (index) require_dtype(index, DType::i64, op, "index");
  require(source.rank == 3 && out.rank == 3 && (!index || index.rank == 1) && source.shape[1] == out.shape[1],
          op, "source must be [m, bands, frames], out [n, bands, crop] and index [n]");
  require(out.shape[2] <= source.shape[2], op, "a crop must not be longer than the rows of source");
  if (out.size() == 0) return;
  switch (dtype_size(out.dtype)) {
    case 1:
      return crop<std::uint8_t>(context, source, index, state, stream, out);
    case 2:
      return crop<std::uint16_t>(context, source, index, state, stream, out);
    case 4:
      return crop<std::uint32_t>(context, source, index, state, stream, out);
    default:
      return crop<std::uint64_t>(context, source, index, state, stream, out);
  }
}

void copy_strided(Context& context, ConstView x, Strides strides, View y) {
  require_dtype(y, x.dtype, "copy_strided", "y");
  if (y.size() == 0) return;
  Extents e{{1, 1, 1, 1}, {0, 0, 0, 0}};  // dimensions of size 1 in front
  for (int i = 0; i < y.rank; ++i) {
    e.shape[4 - y.rank + i] = y.shape[static_cast<std::size_t>(i)];
    e.strides[4 - y.rank + i] = strides.value[i];
  }
  switch (dtype_size(y.dtype)) {
    case 1:
      return copy_words<std::uint8_t>(context, x, e, y);
    case 2:
      return copy_words<std::uint16_t>(context, x, e, y);
    case 4:
      return copy_words<std::uint32_t>(context, x, e, y);
    default:
      return copy_words<std::uint64_t>(context, x, e, y);
  }
}

}  // namespace chorale::cuda
