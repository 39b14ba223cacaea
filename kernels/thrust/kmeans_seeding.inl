// SPDX-License-Identifier: MIT
// Greedy k-means++ of all restarts, written once for both backends (see kmeans.inl): keeps the best candidate
// of each restart and draws the next ones. Potentials are sums of block sums in block order.
#pragma once
#include "kernels/philox.h"
#include "kernels/thrust/kmeans.inl"

namespace chorale::thrust_kmeans {

struct Seeding {
  const float* x;
  const std::int32_t* candidates;
  const float* distances;    // [candidate, n]
  const double* block_sums;  // [candidate, blocks]
  Index n, d, k, blocks, restarts, trials, step;
  std::uint64_t seed;
  double* potentials;  // [candidate]
  Index* kept;         // [restart]: the candidate of lowest potential
};

struct SumPotential {
  Seeding s;
  CHORALE_HD void operator()(Index candidate) const {
    double sum = 0;
    for (Index b = 0; b < s.blocks; ++b) sum += s.block_sums[candidate * s.blocks + b];
    s.potentials[candidate] = sum;
  }
};

struct KeepCandidate {
  Seeding s;
  float* centers;
  CHORALE_HD void operator()(Index item) const {
    const Index restart = item / s.d, j = item % s.d;
    Index best = restart * s.trials;
    for (Index t = 1; t < s.trials; ++t)
      if (s.potentials[restart * s.trials + t] < s.potentials[best]) best = restart * s.trials + t;
    centers[(restart * s.k + s.step) * s.d + j] = s.x[static_cast<Index>(s.candidates[best]) * s.d + j];
    if (j == 0) s.kept[restart] = best;
  }
};

struct KeepDistances {
  Seeding s;
  Index points_per_item;
  float* closest;
  CHORALE_HD void operator()(Index item) const {
    const Index items = (s.n + points_per_item - 1) / points_per_item;
    const Index restart = item / items, begin = item % items * points_per_item;
    const Index end = begin + points_per_item < s.n ? begin + points_per_item : s.n;
    const float* from = s.distances + s.kept[restart] * s.n;
    for (Index i = begin; i < end; ++i) closest[restart * s.n + i] = from[i];
  }
};

/// Draws a point with probability proportional to its distance; where all are 0, any point.
struct DrawCandidate {
  Seeding s;
  Index draws;
  std::int32_t* next;
  CHORALE_HD void operator()(Index item) const {
    const Index restart = item / draws, kept = s.kept[restart];
    const philox::Block word =
        philox::block(s.seed, static_cast<std::uint64_t>(s.step + 1), static_cast<std::uint32_t>(restart),
                      static_cast<std::uint64_t>(item % draws));
    const std::uint64_t bits = (static_cast<std::uint64_t>(word.word[0]) << 21) ^ (word.word[1] >> 11);
    const double uniform = static_cast<double>(bits) * 0x1p-53;
    if (!(s.potentials[kept] > 0)) {
      next[item] = static_cast<std::int32_t>(uniform * static_cast<double>(s.n));
      return;
    }
    double left = uniform * s.potentials[kept];
    Index block = 0, last = 0;
    for (; block < s.blocks; ++block) {
      const double sum = s.block_sums[kept * s.blocks + block];
      if (sum > 0) last = block;
      if (left < sum) break;
      left -= sum;
    }
    if (block == s.blocks) block = last;
    const Index begin = block * kmeans_block, end = begin + kmeans_block < s.n ? begin + kmeans_block : s.n;
    Index chosen = begin;
    for (Index i = begin; i < end; ++i) {
      const double weight = static_cast<double>(s.distances[kept * s.n + i]);
      if (!(weight > 0)) continue;
      chosen = i;
      if (left < weight) break;
      left -= weight;
    }
    next[item] = static_cast<std::int32_t>(chosen);
  }
};

template <class System>
void seed_choose(System& system, Context& context, ConstView x, ConstView candidates, ConstView distances,
                 ConstView block_sums, std::uint64_t seed, std::int64_t step, View centers, View closest,
                 View next) {
  const Index restarts = centers.shape[0], columns = candidates.size(), draws = next.size() / restarts;
  const Scratch potentials(context, static_cast<std::size_t>(columns) * sizeof(double));
  const Scratch kept(context, static_cast<std::size_t>(restarts) * sizeof(Index));
  const Seeding s{x.as<float>(),
                  candidates.as<std::int32_t>(),
                  distances.as<float>(),
                  block_sums.as<double>(),
                  x.shape[0],
                  x.shape[1],
                  centers.shape[1],
                  block_sums.shape[1],
                  restarts,
                  columns / restarts,
                  step,
                  seed,
                  potentials.template as<double>(),
                  kept.template as<Index>()};
  for_items(system, columns, columns * s.blocks, SumPotential{s});
  for_items(system, restarts * s.d, restarts * s.d, KeepCandidate{s, centers.as<float>()});
  const Index items = (s.n + system.points_per_item - 1) / system.points_per_item;
  for_items(system, restarts * items, restarts * s.n,
            KeepDistances{s, system.points_per_item, closest.as<float>()});
  for_items(system, restarts * draws, restarts * draws * (s.blocks + kmeans_block),
            DrawCandidate{s, draws, next.as<std::int32_t>()});
}

}  // namespace chorale::thrust_kmeans
