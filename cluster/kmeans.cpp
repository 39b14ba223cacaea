// SPDX-License-Identifier: MIT
#include "cluster/kmeans.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "cluster/kmeans_drift.h"
#include "cluster/kmeans_seeding.h"
#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

void check_options(const KMeansOptions& o, const Tensor& x) {
  check_clusters(o.n_clusters, x.dim(0));
  if (o.n_init < 1 || o.n_init > 10000)
    refuse_option("n_init", "out of range", std::to_string(o.n_init), "1 to 10000");
  check_iterations(o.max_iter, o.tol);
  check_init(o.init, {"k-means++", "k-means||", "random"}, o.init_centers, o.n_clusters, x.dim(1));
}

/// All restarts and what they share, on the device.
class Restarts {
 public:
  Restarts(KMeansMatrix& matrix, const KMeansOptions& options)
      : context_(current_context()),
        matrix_(matrix),
        rows_(matrix.all()),
        options_(options),
        n_(rows_.x.dim(0)),
        d_(rows_.x.dim(1)),
        k_(options.n_clusters),
        count_(options.init_centers.defined() ? 1 : options.n_init),
        centers_({count_, k_, d_}, DType::f32),
        labels_(Tensor::zeros({count_, n_}, DType::i32)),
        accounted_({count_, n_}, DType::i32),
        sums_(Tensor::zeros({count_, k_, d_}, DType::f64)),
        counts_(Tensor::zeros({count_, k_}, DType::i64)),
        status_({count_, 3}, DType::f64),
        iterations_(static_cast<std::size_t>(count_), options.max_iter) {
    accounted_.fill(-1);
    if (options.bounds) drift_.emplace(count_, n_, k_, d_);
  }

  KMeansResult run() {
    if (options_.init_centers.defined()) {
      centers_[0].copy_from(matrix_.space().enter(options_.init_centers, "init_centers"));
    } else {
      seed_centers(matrix_, options_.init, options_.random_state, centers_);
    }
    half_norms_ = square_lengths(centers_, 0.5);
    iterate();
    return result(best());
  }

 private:
  void assign(const std::vector<std::int32_t>& active) {
    const Tensor list = Tensor::from_host(active, {static_cast<std::int64_t>(active.size())});
    if (drift_) {
      drift_->measure(list, centers_, half_norms_);
      kernel::kmeans_assign(context_, rows_.x, rows_.norms, list, centers_, half_norms_, drift_->drift(),
                            drift_->place(), labels_, drift_->margins(), drift_->stamps());
    } else {
      kernel::kmeans_assign(context_, rows_.x, rows_.norms, list, centers_, half_norms_, ConstView(), 0,
                            labels_, View(), View());
    }
    kernel::kmeans_update(context_, rows_.x, list, labels_, accounted_, sums_, counts_, status_);
  }

  void move_centers(const std::vector<std::int32_t>& active, EmptyClusters empty) {
    const Tensor list = Tensor::from_host(active, {static_cast<std::int64_t>(active.size())});
    kernel::kmeans_centers(context_, list, sums_, counts_, CenterParams{empty, matrix_.space().unit_length},
                           centers_, half_norms_, status_);
  }

  void iterate() {
    const double tolerance = options_.tol * matrix_.variance();
    std::vector<std::int32_t> active(static_cast<std::size_t>(count_)), unfinished;
    std::iota(active.begin(), active.end(), 0);
    for (std::int64_t iteration = 0; iteration < options_.max_iter && !active.empty(); ++iteration) {
      assign(active);
      move_centers(active, EmptyClusters::wait);
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
    if (!unfinished.empty()) assign(unfinished);
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
    auto next = points.begin();
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (counts[c] > 0) continue;
      const auto point = static_cast<std::size_t>(*next++);
      // Where all that are left lie on their centers there are fewer distinct points than clusters.
      if (!(distance[point] > 0)) break;
      label[point] = static_cast<std::int32_t>(c);
      if (drift_) drift_->forget(r, static_cast<std::int64_t>(point));
    }
    labels_[r].upload(label.data(), DType::i32);
    const Tensor list = Tensor::from_host(std::vector<std::int32_t>{r}, {1});
    kernel::kmeans_update(context_, rows_.x, list, labels_, accounted_, sums_, counts_, status_);
    move_centers({r}, EmptyClusters::on_largest);
  }

  /// Sum over clusters of |x|^2 - 2 c.S + m |c|^2 (sum S of m points, center c): no pass over the points.
  std::size_t best() const {
    const std::vector<double> sums = sums_.to_host<double>();
    const std::vector<float> centers = centers_.to_host<float>();
    const std::vector<std::int64_t> counts = counts_.to_host<std::int64_t>();
    std::size_t best = 0;
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t r = 0; r < static_cast<std::size_t>(count_); ++r) {
      double inertia = matrix_.total_square();
      for (std::size_t i = r * static_cast<std::size_t>(k_ * d_);
           i < (r + 1) * static_cast<std::size_t>(k_ * d_); ++i) {
        const double c = static_cast<double>(centers[i]);
        inertia += c * (static_cast<double>(counts[i / static_cast<std::size_t>(d_)]) * c - 2.0 * sums[i]);
      }
      // Restarts that found the same clusters in another order differ by rounding: the first of them counts.
      if (r == 0 || inertia < lowest - 1e-10 * matrix_.total_square()) {
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
    return {labels_[r].clone(), matrix_.space().leave(centers_[r]),
            matrix_.space().distance_scale() * inertia.item(), iterations_[best]};
  }

  Context& context_;
  KMeansMatrix& matrix_;
  const KMeansRows& rows_;
  const KMeansOptions& options_;
  std::int64_t n_, d_, k_, count_;
  Tensor centers_, half_norms_;  // [restart, k, ...]
  Tensor labels_, accounted_;    // [restart, n]
  std::optional<KMeansDrift> drift_;
  Tensor sums_, counts_, status_;
  std::vector<std::int64_t> iterations_;
};

}  // namespace

KMeansResult kmeans(const Tensor& x, const KMeansOptions& options, const std::string& name) {
  check_matrix(x, name);
  check_options(options, x);
  KMeansMatrix matrix(x, is_cosine(options.metric), name);
  return Restarts(matrix, options).run();
}

Tensor kmeans_predict(const Tensor& x, const Tensor& centers, const std::string& name,
                      const std::string& metric) {
  check_matrix(x, name);
  if (!centers.defined() || centers.rank() != 2 || centers.dim(0) < 1 || centers.dim(1) != x.dim(1))
    throw UsageError("centers: of another shape than (k, " + std::to_string(x.dim(1)) +
                     "): " + (centers.defined() ? to_string(centers.shape()) : "nothing"));
  const KMeansMatrix matrix(x, is_cosine(metric), name);
  const std::int64_t n = x.dim(0), k = centers.dim(0);
  const Tensor moved = matrix.space().enter(centers, "centers").reshape({1, k, x.dim(1)});
  const Tensor labels({1, n}, DType::i32);
  kernel::kmeans_assign(current_context(), matrix.all().x, matrix.all().norms, Tensor::zeros({1}, DType::i32),
                        moved, square_lengths(moved, 0.5), ConstView(), 0, labels, View(), View());
  return labels[0].clone();
}

}  // namespace chorale::cluster
