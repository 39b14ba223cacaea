// SPDX-License-Identifier: MIT
#include "cluster/kmeans.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "cluster/rows.h"
#include "kernels/launch.h"
#include "kernels/philox.h"

namespace chorale::cluster {
namespace {

void check_options(const KMeansOptions& o, const Tensor& x) {
  const std::int64_t n = x.dim(0);
  const auto refuse = [](const char* option, const std::string& what, const std::string& value,
                         const std::string& allowed) {
    throw UsageError(std::string(option) + ": " + what + ": " + value + " (allowed " + allowed + ")");
  };
  if (o.n_clusters < 1 || o.n_clusters > n)
    refuse("n_clusters", "not between 1 and the number of rows", std::to_string(o.n_clusters),
           "1 to " + std::to_string(n));
  if (o.n_init < 1 || o.n_init > 10000)
    refuse("n_init", "out of range", std::to_string(o.n_init), "1 to 10000");
  if (o.max_iter < 1) refuse("max_iter", "out of range", std::to_string(o.max_iter), "1 or more");
  if (!(o.tol >= 0) || std::isinf(o.tol)) refuse("tol", "out of range", std::to_string(o.tol), "0 or more");
  if (o.init.defined() && (o.init.rank() != 2 || o.init.dim(0) != o.n_clusters || o.init.dim(1) != x.dim(1)))
    refuse("init", "centers of another shape", to_string(o.init.shape()),
           "(" + std::to_string(o.n_clusters) + ", " + std::to_string(x.dim(1)) + ")");
}

/// target = centers - mean, in f64.
void move_to_mean(const Tensor& centers, const Tensor& mean, Tensor& target) {
  std::vector<float> values = centers.to(DType::f32).to_host<float>();
  const std::vector<double> origin = mean.to_host<double>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      throw InputError("init: element is not finite: " + std::to_string(values[i]) +
                       " (allowed finite numbers)");
    values[i] = static_cast<float>(static_cast<double>(values[i]) - origin[i % origin.size()]);
  }
  target.upload(values.data(), DType::f32);
}

/// half_norms [..., k] = |c|^2 / 2 of centers [..., k, d].
void find_half_norms(const Tensor& centers, Tensor& half_norms) {
  const std::vector<float> values = centers.to_host<float>();
  const auto d = static_cast<std::size_t>(centers.dim(-1));
  std::vector<float> half(values.size() / d);
  for (std::size_t c = 0; c < half.size(); ++c) {
    double sum = 0;
    for (std::size_t i = c * d; i < (c + 1) * d; ++i)
      sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    half[c] = static_cast<float>(0.5 * sum);
  }
  half_norms.upload(half.data(), DType::f32);
}

/// All restarts and what they share, on the device.
class Restarts {
 public:
  Restarts(const CenteredRows& rows, const KMeansOptions& options)
      : context_(current_context()),
        rows_(rows),
        options_(options),
        n_(rows.x.dim(0)),
        d_(rows.x.dim(1)),
        k_(options.n_clusters),
        count_(options.init.defined() ? 1 : options.n_init),
        centers_({count_, k_, d_}, DType::f32),
        half_norms_({count_, k_}, DType::f32),
        shift_({count_, k_}, DType::f32),
        labels_({count_, n_}, DType::i32),
        accounted_({count_, n_}, DType::i32),
        upper_({count_, n_}, DType::f32),
        lower_({count_, n_}, DType::f32),
        sums_(Tensor::zeros({count_, k_, d_}, DType::f64)),
        counts_(Tensor::zeros({count_, k_}, DType::i64)),
        status_({count_, 3}, DType::f64),
        iterations_(static_cast<std::size_t>(count_), options.max_iter) {
    accounted_.fill(-1);
  }

  KMeansResult run() {
    if (options_.init.defined()) {
      move_to_mean(options_.init, rows_.mean, centers_);
    } else {
      seed();
    }
    find_half_norms(centers_, half_norms_);
    iterate();
    return result(best());
  }

 private:
  void seed() {
    const std::int64_t trials = 2 + static_cast<std::int64_t>(std::log(static_cast<double>(k_)));
    const std::int64_t blocks = (n_ + kmeans_block - 1) / kmeans_block;
    const Tensor closest({count_, n_}, DType::f32), distances({count_ * trials, n_}, DType::f32);
    const Tensor block_sums({count_ * trials, blocks}, DType::f64);
    std::vector<std::int32_t> first(static_cast<std::size_t>(count_));
    for (std::size_t r = 0; r < first.size(); ++r) {
      const philox::Block word = philox::block(options_.random_state, 0, static_cast<std::uint32_t>(r), 0);
      first[r] =
          static_cast<std::int32_t>(((static_cast<std::uint64_t>(word.word[0]) << 32 | word.word[1]) >> 11) *
                                    0x1p-53 * static_cast<double>(n_));
    }
    Tensor candidates = Tensor::from_host(first, {count_});
    const Tensor next({count_ * trials}, DType::i32);
    for (std::int64_t step = 0; step < k_; ++step) {
      const std::int64_t columns = candidates.size();
      const Tensor d = distances.slice(0, 0, columns), sums = block_sums.slice(0, 0, columns);
      kernel::kmeans_seed(context_, rows_.x, rows_.norms, candidates, step ? ConstView(closest) : ConstView(),
                          d, sums);
      kernel::kmeans_seed_choose(context_, rows_.x, candidates, d, sums, options_.random_state, step,
                                 centers_, closest, next);
      if (step == 0) candidates = Tensor({count_ * trials}, DType::i32);
      candidates.copy_from(next);
    }
  }

  void assign(const std::vector<std::int32_t>& active, bool bounds) {
    const Tensor list = Tensor::from_host(active, {static_cast<std::int64_t>(active.size())});
    kernel::kmeans_assign(context_, rows_.x, rows_.norms, list, centers_, half_norms_,
                          bounds ? ConstView(shift_) : ConstView(), labels_, upper_, lower_);
    kernel::kmeans_update(context_, rows_.x, list, labels_, accounted_, sums_, counts_, status_);
  }

  void move_centers(const std::vector<std::int32_t>& active, bool keep_empty) {
    const Tensor list = Tensor::from_host(active, {static_cast<std::int64_t>(active.size())});
    kernel::kmeans_centers(context_, list, sums_, counts_, keep_empty, centers_, half_norms_, shift_,
                           status_);
  }

  void iterate() {
    const double tolerance =
        options_.tol * rows_.total_square / (static_cast<double>(n_) * static_cast<double>(d_));
    std::vector<std::int32_t> active(static_cast<std::size_t>(count_)), unfinished;
    std::iota(active.begin(), active.end(), 0);
    for (std::int64_t iteration = 0; iteration < options_.max_iter && !active.empty(); ++iteration) {
      assign(active, options_.bounds && iteration > 0);
      move_centers(active, false);
      std::vector<double> status = status_.to_host<double>();
      std::vector<std::int32_t> still;
      for (const std::int32_t r : active) {
        const double moved = status[static_cast<std::size_t>(3 * r)];
        double shifted = status[static_cast<std::size_t>(3 * r + 2)];
        if (status[static_cast<std::size_t>(3 * r + 1)] > 0) {
          fill_empty_clusters(r);
          shifted = status_.to_host<double>()[static_cast<std::size_t>(3 * r + 2)];
        }
        if (moved == 0 || shifted <= tolerance) iterations_[static_cast<std::size_t>(r)] = iteration + 1;
        if (moved == 0) continue;
        (shifted <= tolerance ? unfinished : still).push_back(r);
      }
      active = std::move(still);
    }
    // Labels must be those of the final centers.
    unfinished.insert(unfinished.end(), active.begin(), active.end());
    if (!unfinished.empty()) assign(unfinished, options_.bounds);
  }

  /// Gives each empty cluster of restart r one of the points farthest from their centers, the farthest first.
  void fill_empty_clusters(std::int32_t r) {
    const Tensor labels = labels_[r], distances({n_}, DType::f32), inertia({1}, DType::f64);
    kernel::kmeans_distances(context_, rows_.x, centers_[r], labels, distances, inertia);
    const std::vector<float> distance = distances.to_host<float>();
    const std::vector<std::int64_t> counts = counts_[r].to_host<std::int64_t>();
    std::vector<std::int32_t> label = labels.to_host<std::int32_t>();
    std::vector<std::int32_t> points(distance.size());
    std::iota(points.begin(), points.end(), 0);
    const auto empty = std::count(counts.begin(), counts.end(), 0);
    std::partial_sort(
        points.begin(), points.begin() + empty, points.end(), [&](std::int32_t a, std::int32_t b) {
          const float da = distance[static_cast<std::size_t>(a)], db = distance[static_cast<std::size_t>(b)];
          return da != db ? da > db : a < b;
        });
    std::vector<float> upper = upper_[r].to_host<float>(), lower = lower_[r].to_host<float>();
    auto next = points.begin();
    // Where all points lie on their centers there are fewer distinct points than clusters.
    if (distance[static_cast<std::size_t>(*next)] > 0)
      for (std::size_t c = 0; c < counts.size(); ++c)
        if (counts[c] == 0) {
          const std::size_t point = static_cast<std::size_t>(*next++);
          label[point] = static_cast<std::int32_t>(c);
          upper[point] = std::numeric_limits<float>::infinity();
          lower[point] = 0;
        }
    labels_[r].upload(label.data(), DType::i32);
    upper_[r].upload(upper.data(), DType::f32);
    lower_[r].upload(lower.data(), DType::f32);
    const Tensor list = Tensor::from_host(std::vector<std::int32_t>{r}, {1});
    kernel::kmeans_update(context_, rows_.x, list, labels_, accounted_, sums_, counts_, status_);
    move_centers({r}, true);
  }

  /// Sum over clusters of |x|^2 - 2 c.S + m |c|^2 (sum S of m points, center c): no pass over the points.
  std::size_t best() const {
    const std::vector<double> sums = sums_.to_host<double>();
    const std::vector<float> centers = centers_.to_host<float>();
    const std::vector<std::int64_t> counts = counts_.to_host<std::int64_t>();
    std::size_t best = 0;
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t r = 0; r < static_cast<std::size_t>(count_); ++r) {
      double inertia = rows_.total_square;
      for (std::size_t i = r * static_cast<std::size_t>(k_ * d_);
           i < (r + 1) * static_cast<std::size_t>(k_ * d_); ++i) {
        const double c = static_cast<double>(centers[i]);
        inertia += c * (static_cast<double>(counts[i / static_cast<std::size_t>(d_)]) * c - 2.0 * sums[i]);
      }
      // Restarts that found the same clusters in another order differ by rounding: the first of them counts.
      if (r == 0 || inertia < lowest - 1e-10 * rows_.total_square) {
        lowest = inertia;
        best = r;
      }
    }
    return best;
  }

  KMeansResult result(std::size_t best) const {
    const auto r = static_cast<std::int64_t>(best);
    const Tensor distances({n_}, DType::f32), inertia({1}, DType::f64);
    kernel::kmeans_distances(context_, rows_.x, centers_[r], labels_[r], distances, inertia);
    const std::vector<double> mean = rows_.mean.to_host<double>();
    std::vector<float> centers = centers_[r].to_host<float>();
    for (std::size_t i = 0; i < centers.size(); ++i)
      centers[i] = static_cast<float>(static_cast<double>(centers[i]) + mean[i % mean.size()]);
    return {labels_[r].clone(), Tensor::from_host(centers, {k_, d_}), inertia.item(), iterations_[best]};
  }

  Context& context_;
  const CenteredRows& rows_;
  const KMeansOptions& options_;
  std::int64_t n_, d_, k_, count_;
  Tensor centers_, half_norms_, shift_;        // [restart, k, ...]
  Tensor labels_, accounted_, upper_, lower_;  // [restart, n]
  Tensor sums_, counts_, status_;
  std::vector<std::int64_t> iterations_;
};

}  // namespace

KMeansResult kmeans(const Tensor& x, const KMeansOptions& options, const std::string& name) {
  check_matrix(x, name);
  check_options(options, x);
  const CenteredRows rows = center_rows(x, name);
  return Restarts(rows, options).run();
}

Tensor kmeans_predict(const Tensor& x, const Tensor& centers, const std::string& name) {
  check_matrix(x, name);
  if (!centers.defined() || centers.rank() != 2 || centers.dim(0) < 1 || centers.dim(1) != x.dim(1))
    throw UsageError("centers: of another shape than (k, " + std::to_string(x.dim(1)) +
                     "): " + (centers.defined() ? to_string(centers.shape()) : "nothing"));
  const CenteredRows rows = center_rows(x, name);
  const std::int64_t n = x.dim(0), k = centers.dim(0);
  Tensor moved({1, k, x.dim(1)}, DType::f32), half_norms({1, k}, DType::f32);
  move_to_mean(centers, rows.mean, moved);
  find_half_norms(moved, half_norms);
  const Tensor labels({1, n}, DType::i32), upper({1, n}, DType::f32), lower({1, n}, DType::f32);
  kernel::kmeans_assign(current_context(), rows.x, rows.norms, Tensor::zeros({1}, DType::i32), moved,
                        half_norms, ConstView(), labels, upper, lower);
  return labels[0].clone();
}

}  // namespace chorale::cluster
