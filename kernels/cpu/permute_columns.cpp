// SPDX-License-Identifier: MIT
// Each column in a random order of its own: samples of the product of the marginals, from a batch of the
// joint (Kim and Mnih, "Disentangling by factorising", ICML 2018).
//
//   y[rank_k(r), k] = x[r, k],   rank_k(r) = place of word[r, k] among the words of column k, ties by row
//
// x, y [n, d]; word[r, k] is word r d + k of the Philox stream, so that the order is a function of seed and
// offset alone. The words of a column are sorted together with their rows, as one 64-bit key each; elements
// move as they are stored. Bytes: x + y, and 12 n d for words and keys, which fit the cache; n d log n
// comparisons.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/random.h"

namespace chorale::cpu {
namespace {

template <class Word>
void move(const Word* x, Word* y, const std::uint64_t* keys, std::int64_t n, std::int64_t d,
          std::int64_t column) {
  for (std::int64_t i = 0; i < n; ++i)
    y[i * d + column] = x[static_cast<std::int64_t>(keys[i] & 0xffffffffu) * d + column];
}

}  // namespace

void permute_columns(Context& context, ConstView x, const StepState* state, std::uint32_t stream, View y) {
  const char* kernel = "permute_columns";
  require_storage(kernel, x, y);
  require(x.rank == 2 && same_shape(x, y) && x.dtype == y.dtype, kernel,
          "x and y must be [n, d] of one dtype", x, y);
  const std::int64_t n = x.shape[0], d = x.shape[1];
  require(n < std::int64_t{1} << 32, kernel, "rows must be fewer than 2^32", x);
  const Scratch words(context, static_cast<std::size_t>(n * d) * sizeof(std::uint32_t));
  const Scratch keys(context, static_cast<std::size_t>(n * d) * sizeof(std::uint64_t));
  parallel_blocks(n * d, [&](std::int64_t begin, std::int64_t end) {
    random_words(*state, stream, begin, end - begin, words.as<std::uint32_t>() + begin);
  });
  parallel_tasks(d, n * d, [&](std::int64_t column) {
    std::uint64_t* key = keys.as<std::uint64_t>() + column * n;
    for (std::int64_t row = 0; row < n; ++row)
      key[row] =
          std::uint64_t{words.as<std::uint32_t>()[row * d + column]} << 32 | static_cast<std::uint64_t>(row);
    std::sort(key, key + n);
    if (x.dtype == DType::f32)
      move(x.as<std::uint32_t>(), y.as<std::uint32_t>(), key, n, d, column);
    else
      move(x.as<std::uint16_t>(), y.as<std::uint16_t>(), key, n, d, column);
  });
}

}  // namespace chorale::cpu
