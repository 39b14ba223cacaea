// SPDX-License-Identifier: MIT
#include "cluster/kmeans_seeding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_set>

#include "kernels/launch.h"
#include "kernels/params.h"
#include "kernels/philox.h"

namespace chorale::cluster {
namespace {

// Philox streams; k-means++ takes those from 0 on.
constexpr std::uint32_t parallel_stream = 1u << 24, random_stream = 2u << 24;

/// Passes after the first candidate. With 2 k candidates each, two more of them lower the inertia that
/// Lloyd's algorithm reaches by less than 1 %.
constexpr int parallel_rounds = 3;

std::int32_t weighted_draw(const std::vector<float>& weights, double uniform) {
  double left = uniform * std::accumulate(weights.begin(), weights.end(), 0.0);
  std::size_t i = 0;
  while (i + 1 < weights.size() && left >= static_cast<double>(weights[i]))
    left -= static_cast<double>(weights[i++]);
  return static_cast<std::int32_t>(i);
}

/// Greedy k-means++ from the given first rows, one for each restart.
void plus_plus(const KMeansRows& rows, const Tensor& weights, std::uint64_t seed,
               const std::vector<std::int32_t>& first, const Tensor& centers) {
  Context& context = current_context();
  const std::int64_t count = centers.dim(0), k = centers.dim(1), n = rows.x.dim(0);
  const std::int64_t trials = 2 + static_cast<std::int64_t>(std::log(static_cast<double>(k)));
  const std::int64_t blocks = (n + kmeans_block - 1) / kmeans_block;
  const Tensor closest({count, n}, DType::f32), distances({count * trials, n}, DType::f32);
  const Tensor block_sums({count * trials, blocks}, DType::f64);
  Tensor candidates = Tensor::from_host(first, {count});
  const Tensor next({count * trials}, DType::i32);
  for (std::int64_t step = 0; step < k; ++step) {
    const std::int64_t columns = candidates.size();
    const Tensor d = distances.slice(0, 0, columns), sums = block_sums.slice(0, 0, columns);
    kernel::kmeans_seed(context, rows.x, rows.norms, weights.defined() ? ConstView(weights) : ConstView(),
                        candidates, step ? ConstView(closest) : ConstView(), d, sums);
    kernel::kmeans_seed_choose(context, rows.x, candidates, d, sums, seed, step, centers, closest, next);
    if (step == 0) candidates = Tensor({count * trials}, DType::i32);
    candidates.copy_from(next);
  }
}

/// The candidates of k-means||, and of each row the nearest one.
class Candidates {
 public:
  explicit Candidates(KMeansSource& source)
      : source_(source),
        closest_(static_cast<std::size_t>(source.rows()), std::numeric_limits<float>::infinity()),
        nearest_(closest_.size()) {}

  /// Adds rows; one pass.
  void add(const std::vector<std::int64_t>& rows) {
    const auto count = static_cast<std::int64_t>(rows.size()),
               before = static_cast<std::int64_t>(rows_.size());
    const Tensor fresh = source_.gather(rows);
    const Tensor centers = fresh.reshape({1, count, fresh.dim(1)}), half_norms = square_lengths(centers, 0.5);
    const Tensor only = Tensor::zeros({1}, DType::i32), inertia({1}, DType::f64);
    source_.visit([&](const KMeansRows& group) {
      Context& context = current_context();
      const std::int64_t n = group.x.dim(0);
      const Tensor labels({1, n}, DType::i32), distances({n}, DType::f32);
      kernel::kmeans_assign(context, group.x, group.norms, only, centers, half_norms, ConstView(), 0, labels,
                            View(), View());
      kernel::kmeans_distances(context, group.x, fresh, labels[0], distances, inertia);
      const std::vector<float> distance = distances.to_host<float>();
      const std::vector<std::int32_t> label = labels.to_host<std::int32_t>();
      float* closest = closest_.data() + group.first;
      std::int32_t* nearest = nearest_.data() + group.first;
      for (std::size_t i = 0; i < distance.size(); ++i) {
        if (!(distance[i] < closest[i])) continue;
        closest[i] = distance[i];
        nearest[i] = static_cast<std::int32_t>(before) + label[i];
      }
    });
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    potential_ = 0;
    for (const float value : closest_) potential_ += static_cast<double>(value);
  }

  /// Rows drawn with probability proportional to their distance: one from each of `draws` equal shares of the
  /// potential, each row once.
  std::vector<std::int64_t> draw(std::int64_t draws, std::uint64_t seed, std::uint64_t round,
                                 std::uint32_t stream) const {
    const double share = potential_ / static_cast<double>(draws);
    const auto place = [&](std::int64_t i) {
      return (static_cast<double>(i) + seeding_uniform(seed, round, stream, static_cast<std::uint64_t>(i))) *
             share;
    };
    std::vector<std::int64_t> rows;
    std::int64_t drawn = 0;
    double next = place(0), below = 0;
    for (std::size_t i = 0; i < closest_.size() && drawn < draws; ++i) {
      below += static_cast<double>(closest_[i]);
      if (!(next < below)) continue;
      rows.push_back(static_cast<std::int64_t>(i));
      while (drawn < draws && next < below) next = place(++drawn);
    }
    return rows;
  }

  const std::vector<std::int64_t>& rows() const { return rows_; }
  double potential() const { return potential_; }
  std::vector<float> weights() const {
    std::vector<std::int64_t> counts(rows_.size());
    for (const std::int32_t candidate : nearest_) ++counts[static_cast<std::size_t>(candidate)];
    return {counts.begin(), counts.end()};
  }

 private:
  KMeansSource& source_;
  std::vector<std::int64_t> rows_;
  std::vector<float> closest_;
  std::vector<std::int32_t> nearest_;
  double potential_ = 0;
};

}  // namespace

double seeding_uniform(std::uint64_t seed, std::uint64_t offset, std::uint32_t stream, std::uint64_t index) {
  const philox::Block word = philox::block(seed, offset, stream, index);
  return static_cast<double>((static_cast<std::uint64_t>(word.word[0]) << 32 | word.word[1]) >> 11) * 0x1p-53;
}

void seed_plus_plus(const KMeansRows& rows, std::uint64_t seed, const Tensor& centers) {
  std::vector<std::int32_t> first(static_cast<std::size_t>(centers.dim(0)));
  for (std::size_t r = 0; r < first.size(); ++r)
    first[r] = static_cast<std::int32_t>(seeding_uniform(seed, 0, static_cast<std::uint32_t>(r), 0) *
                                         static_cast<double>(rows.x.dim(0)));
  plus_plus(rows, Tensor(), seed, first, centers);
}

Tensor seed_parallel(KMeansSource& source, std::int64_t k, std::uint64_t seed, std::uint32_t restart) {
  const std::uint32_t stream = parallel_stream + restart;
  Candidates candidates(source);
  candidates.add(
      {static_cast<std::int64_t>(seeding_uniform(seed, 0, stream, 0) * static_cast<double>(source.rows()))});
  for (std::uint64_t round = 1;
       candidates.potential() > 0 &&
       (round <= parallel_rounds || static_cast<std::int64_t>(candidates.rows().size()) < k);
       ++round)
    candidates.add(candidates.draw(2 * k, seed, round, stream));
  const Tensor x = source.gather(candidates.rows());
  const std::vector<float> weights = candidates.weights();
  const Tensor centers({1, k, x.dim(1)}, DType::f32);
  const philox::Block key = philox::block(seed, 0, stream, 1);
  const std::uint64_t own_seed = static_cast<std::uint64_t>(key.word[0]) << 32 | key.word[1];
  plus_plus({0, x, square_lengths(x, 1)}, Tensor::from_host(weights, {x.dim(0)}), own_seed,
            {weighted_draw(weights, seeding_uniform(own_seed, 0, 0, 0))}, centers);
  return centers[0];
}

Tensor seed_random(KMeansSource& source, std::int64_t k, std::uint64_t seed, std::uint32_t restart) {
  // Floyd's sampling: the j-th of the last k rows is taken for whatever was drawn before.
  std::vector<std::int64_t> rows;
  std::unordered_set<std::int64_t> taken;
  for (std::int64_t last = source.rows() - k; last < source.rows(); ++last) {
    const auto drawn = static_cast<std::int64_t>(
        seeding_uniform(seed, 0, random_stream + restart, static_cast<std::uint64_t>(rows.size())) *
        static_cast<double>(last + 1));
    rows.push_back(taken.insert(drawn).second ? drawn : last);
    taken.insert(rows.back());
  }
  return source.gather(rows);
}

void seed_centers(KMeansMatrix& matrix, const std::string& init, std::uint64_t seed, const Tensor& centers) {
  if (init == "k-means++") return seed_plus_plus(matrix.all(), seed, centers);
  const auto seed_one = init == "random" ? seed_random : seed_parallel;
  for (std::int64_t r = 0; r < centers.dim(0); ++r)
    centers[r].copy_from(seed_one(matrix, centers.dim(1), seed, static_cast<std::uint32_t>(r)));
}

}  // namespace chorale::cluster
