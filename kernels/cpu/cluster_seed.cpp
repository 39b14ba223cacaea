// SPDX-License-Identifier: MIT
// Distances of k-means++: squared distance of every point to the candidates of all restarts, in one product,
// times the point's weight, kept if it is below that of the nearest center so far; and its sums over blocks
// of kmeans_block points.
//
// |x - c|^2 = |x|^2 + |c|^2 - 2 x.c, at least 0, exactly 0 at the candidate itself. f32, sums in f64.
// Moves n d floats, and 8 n floats for each column of candidates; 2 n d columns flops.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/cluster_tile.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {

using tile::lanes;
using tile::vec;

void kmeans_seed(Context& context, ConstView x, ConstView norms, ConstView weights, ConstView candidates,
                 ConstView closest, View distances, View block_sums) {
  require(x.dtype == DType::f32 && x.rank == 2 && candidates.dtype == DType::i32 &&
              distances.size() == candidates.size() * x.shape[0] &&
              (!weights || weights.size() == x.shape[0]),
          "kmeans_seed", "x f32 [n, d], candidates i32 [c], distances f32 [c, n]", x, candidates, distances);
  const std::int64_t n = x.shape[0], d = x.shape[1], columns = candidates.size();
  const std::int64_t trials = closest ? columns / closest.shape[0] : 1;
  const float* data = x.as<float>();
  const float* norm = norms.as<float>();
  const std::int32_t* candidate = candidates.as<std::int32_t>();
  const Scratch packed(context, tile::packed_size(columns, d) * sizeof(float));
  tile::pack([&](std::int64_t c) { return data + candidate[c] * d; }, columns, d, 0,
             tile::vector_count(columns), packed.as<float>());

  const std::int64_t blocks = (n + kmeans_block - 1) / kmeans_block;
#pragma omp parallel for schedule(dynamic) if (n * d * columns > 200000)
  for (std::int64_t block = 0; block < blocks; ++block) {
    tile::Rows rows;
    const std::int64_t begin = block * kmeans_block, end = std::min(n, begin + kmeans_block);
    for (std::int64_t c = 0; c < columns; ++c) block_sums.as<double>()[c * blocks + block] = 0;
    for (std::int64_t i = begin; i < end; i += tile::tile_rows) {
      const int count = static_cast<int>(std::min<std::int64_t>(tile::tile_rows, end - i));
      const auto column = [&](std::int64_t c, int row_block, vec dots) {
        const std::int64_t first = i + row_block * lanes;
        const int used = std::clamp(count - row_block * lanes, 0, lanes);
        float* target = distances.as<float>() + c * n + first;
        const float* weight = weights ? weights.as<float>() + first : nullptr;
        const float* near = closest ? closest.as<float>() + c / trials * n + first : nullptr;
        const float own = norm[candidate[c]];
        double sum = 0;
        if (used == lanes) {
          vec value = tile::maximum(vec{}, tile::load(norm + first) + own - 2.0f * dots);
          if (weight) value *= tile::load(weight);
          if (near) value = tile::minimum(value, tile::load(near));
          tile::store(target, value);
        } else {
          for (int r = 0; r < used; ++r) {
            const float square = std::max(0.0f, norm[first + r] + own - 2.0f * dots[r]);
            const float value = weight ? weight[r] * square : square;
            target[r] = near ? std::min(value, near[r]) : value;
          }
        }
        if (candidate[c] >= first && candidate[c] < first + used) target[candidate[c] - first] = 0.0f;
        for (int r = 0; r < used; ++r) sum += static_cast<double>(target[r]);
        block_sums.as<double>()[c * blocks + block] += sum;
      };
      tile::product([&](int r) { return data + (i + r) * d; }, count, d, packed.as<float>(), columns, rows,
                    column);
    }
  }
}

}  // namespace chorale::cpu
