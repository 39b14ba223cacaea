// SPDX-License-Identifier: MIT
// y[:, first : first + columns of x] = x: half of a concatenation, or columns put back where they came from.
//
// x [n, a] and y [n, b] of one dtype, row-major, moved as raw words, as wide as all rows and addresses allow
// (up to 16 bytes), a thread a word; y's other columns are kept. Bytes: 2 x.
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

// `stride` and `first` in words.
template <class Word>
__global__ void __launch_bounds__(block_threads)
    place_kernel(const Word* x, std::int64_t words, std::int64_t size, Word* y, std::int64_t stride,
                 std::int64_t first) {
  for (std::int64_t i = global_thread(); i < size; i += global_threads()) {
    const std::int64_t row = quotient(i, words);
    y[row * stride + first + (i - row * words)] = x[i];
  }
}

}  // namespace

void place_columns(Context& context, ConstView x, std::int64_t first_column, View y) {
  const char* op = "place_columns";
  require_dtype(y, x.dtype, op, "y");
  require(x.rank == 2 && y.rank == 2 && x.shape[0] == y.shape[0], op,
          "x and y must be matrices with as many rows");
  require(first_column >= 0 && first_column + x.shape[1] <= y.shape[1], op, "x must lie within y's columns");
  if (x.size() == 0) return;
  const std::size_t element = dtype_size(x.dtype);
  const auto bytes = [&](std::int64_t columns) { return static_cast<std::size_t>(columns) * element; };
  const auto place = [&](auto word) {
    using Word = decltype(word);
    const auto words = [&](std::int64_t columns) {
      return static_cast<std::int64_t>(bytes(columns) / sizeof(Word));
    };
    const std::int64_t size = words(x.size());
    LAUNCH((place_kernel<Word>), stride_grid(context, size, block_threads), block_threads, 0, context.stream,
           x.as<Word>(), words(x.shape[1]), size, y.as<Word>(), words(y.shape[1]), words(first_column));
  };
  const std::size_t all = bytes(x.shape[1]) | bytes(y.shape[1]) | bytes(first_column) |
                          reinterpret_cast<std::uintptr_t>(x.data) | reinterpret_cast<std::uintptr_t>(y.data);
  if (all % 16 == 0) return place(uint4{});
  if (all % 4 == 0) return place(std::uint32_t{});
  if (all % 2 == 0) return place(std::uint16_t{});
  place(std::uint8_t{});
}

}  // namespace chorale::cuda
