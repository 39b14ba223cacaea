// SPDX-License-Identifier: MIT
#include "cluster/mini_batch_kmeans.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "cluster/kmeans_seeding.h"
#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

// Philox streams, beside those of the seeding.
constexpr std::uint32_t batch_stream = 3u << 24, subset_stream = 4u << 24, reassign_stream = 5u << 24;

void check_options(const MiniBatchKMeansOptions& o, const Tensor& x) {
  check_clusters(o.n_clusters, x.dim(0));
  check_iterations(o.max_iter, o.tol);
  check_init(o.init, {"k-means++", "k-means||", "random"}, o.init_centers, o.n_clusters, x.dim(1));
  if (o.batch_size < 1)
    refuse_option("batch_size", "out of range", std::to_string(o.batch_size), "1 or more");
  if (o.max_no_improvement < 0)
    refuse_option("max_no_improvement", "out of range", std::to_string(o.max_no_improvement), "0 or more");
  if (o.init_size != 0 && o.init_size < o.n_clusters)
    refuse_option("init_size", "fewer than n_clusters", std::to_string(o.init_size),
                  "0 or at least " + std::to_string(o.n_clusters));
  if (o.n_init < 1 || o.n_init > 10000)
    refuse_option("n_init", "out of range", std::to_string(o.n_init), "1 to 10000");
  if (!(o.reassignment_ratio >= 0 && o.reassignment_ratio <= 1))
    refuse_option("reassignment_ratio", "out of range", std::to_string(o.reassignment_ratio), "0 to 1");
}

/// Centers, the sums they are the means of, and what a step needs of memory.
class MiniBatches {
 public:
  MiniBatches(KMeansMatrix& matrix, const MiniBatchKMeansOptions& options)
      : context_(current_context()),
        matrix_(matrix),
        options_(options),
        n_(matrix.rows()),
        d_(matrix.all().x.dim(1)),
        k_(options.n_clusters),
        batch_(std::min(options.batch_size, n_)),
        centers_({1, k_, d_}, DType::f32),
        sums_(Tensor::zeros({1, k_, d_}, DType::f64)),
        counts_(Tensor::zeros({1, k_}, DType::i64)),
        accounted_({1, batch_}, DType::i32),
        status_({1, 3}, DType::f64),
        only_(Tensor::zeros({1}, DType::i32)) {}

  MiniBatchKMeansResult run() {
    start();
    half_norms_ = square_lengths(centers_, 0.5);
    const std::int64_t most_steps = std::max<std::int64_t>(1, options_.max_iter * n_ / batch_);
    std::int64_t steps = 0;
    while (steps < most_steps) {
      const double inertia = step(steps++);
      if (converged(steps, inertia)) break;
    }
    const Labelling all = label(matrix_.all());
    MiniBatchKMeansResult result;
    result.labels_ = all.labels[0];
    result.cluster_centers_ = matrix_.space().leave(centers_[0]);
    result.inertia_ = matrix_.space().distance_scale() * all.inertia.item();
    result.n_iter_ = (steps * batch_ + n_ - 1) / n_;
    result.n_steps_ = steps;
    return result;
  }

 private:
  struct Labelling {
    Tensor labels, inertia;  // i32 (1, m), f64 (1)
  };

  /// Rows drawn with replacement: i64 (count).
  Tensor draw(std::int64_t count, std::uint64_t offset, std::uint32_t stream) const {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<std::int64_t>(seeding_uniform(options_.random_state, offset, stream, i) *
                                          static_cast<double>(n_));
    return Tensor::from_host(rows, {count});
  }

  Labelling label(const KMeansRows& rows) const {
    const std::int64_t n = rows.x.dim(0);
    const Tensor distances({n}, DType::f32);
    const Labelling found{Tensor({1, n}, DType::i32), Tensor({1}, DType::f64)};
    kernel::kmeans_assign(context_, rows.x, rows.norms, only_, centers_, half_norms_, ConstView(), 0,
                          found.labels, View(), View());
    kernel::kmeans_distances(context_, rows.x, centers_[0], found.labels[0], distances, found.inertia);
    return found;
  }

  /// The best of n_init starts, each from rows of its own, on rows that are the same for all.
  void start() {
    if (options_.init_centers.defined()) {
      centers_[0].copy_from(matrix_.space().enter(options_.init_centers, "init_centers"));
      return;
    }
    std::int64_t size = options_.init_size ? options_.init_size : 3 * options_.batch_size;
    if (size < k_) size = 3 * k_;
    size = std::min(size, n_);
    const KMeansRows validation = matrix_.pick(draw(size, 0, subset_stream));
    Tensor best;
    double lowest = 0;
    for (std::int64_t i = 0; i < options_.n_init; ++i) {
      const auto number = static_cast<std::uint64_t>(i);
      KMeansMatrix subset(matrix_.space(), matrix_.pick(draw(size, number + 1, subset_stream)).x);
      seed_centers(subset, options_.init, options_.random_state + number, centers_);
      if (options_.n_init == 1) return;
      half_norms_ = square_lengths(centers_, 0.5);
      const double inertia = label(validation).inertia.item();
      if (best.defined() && !(inertia < lowest)) continue;
      lowest = inertia;
      best = centers_.clone();
    }
    centers_.copy_from(best);
  }

  /// One batch: the sums take in its rows, the centers become the means. Returns the batch's inertia before.
  double step(std::int64_t number) {
    const auto offset = static_cast<std::uint64_t>(number);
    const Tensor rows = draw(batch_, offset, batch_stream);
    const KMeansRows batch = matrix_.pick(rows);
    const Labelling found = label(batch);
    accounted_.fill(-1);
    kernel::kmeans_update(context_, batch.x, only_, found.labels, accounted_, sums_, counts_, status_);
    kernel::kmeans_centers(context_, only_, sums_, counts_,
                           CenterParams{EmptyClusters::stay, matrix_.space().unit_length}, centers_,
                           half_norms_, status_);
    const std::vector<double> status = status_.to_host<double>();
    shifted_ = status[2];
    since_reassignment_ += batch_;
    if (options_.reassignment_ratio > 0 && (status[1] > 0 || since_reassignment_ >= 10 * k_)) {
      since_reassignment_ = 0;
      reassign(batch, offset);
    }
    return found.inertia.item();
  }

  /// Moves the centers of the smallest clusters, at most half a batch of them, to random rows of the batch.
  void reassign(const KMeansRows& batch, std::uint64_t offset) {
    std::vector<std::int64_t> counts = counts_.to_host<std::int64_t>();
    const double enough =
        options_.reassignment_ratio * static_cast<double>(*std::max_element(counts.begin(), counts.end()));
    std::vector<std::size_t> order(counts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return counts[a] < counts[b]; });
    std::size_t small = 0;
    while (small < order.size() && 2 * static_cast<std::int64_t>(small + 1) <= batch_ &&
           static_cast<double>(counts[order[small]]) < enough)
      ++small;
    if (small == 0) return;
    const std::int64_t lowest_kept = small < order.size() ? counts[order[small]] : 0;
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch_));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    for (std::size_t i = 0; i < small; ++i) {  // the first steps of a shuffle
      const double uniform = seeding_uniform(options_.random_state, offset, reassign_stream, i);
      std::swap(rows[i], rows[i + static_cast<std::size_t>(uniform * static_cast<double>(rows.size() - i))]);
    }
    rows.resize(small);
    const std::vector<float> values = batch.x.gather_rows(rows).to_host<float>();
    std::vector<float> centers = centers_.to_host<float>();
    std::vector<double> sums = sums_.to_host<double>();
    const auto d = static_cast<std::size_t>(d_);
    for (std::size_t i = 0; i < small; ++i) {
      counts[order[i]] = lowest_kept;
      for (std::size_t j = 0; j < d; ++j) {
        centers[order[i] * d + j] = values[i * d + j];
        sums[order[i] * d + j] = static_cast<double>(lowest_kept) * static_cast<double>(values[i * d + j]);
      }
    }
    centers_.upload(centers.data(), DType::f32);
    sums_.upload(sums.data(), DType::f64);
    counts_.upload(counts.data(), DType::i64);
    half_norms_ = square_lengths(centers_, 0.5);
  }

  bool converged(std::int64_t steps, double batch_inertia) {
    if (steps == 1) return false;  // the inertia of the first centers, which have learned nothing
    const double inertia = batch_inertia / static_cast<double>(batch_);
    const double alpha = std::min(1.0, 2.0 * static_cast<double>(batch_) / static_cast<double>(n_ + 1));
    smoothed_ = steps == 2 ? inertia : smoothed_ * (1 - alpha) + inertia * alpha;
    const double tolerance = options_.tol * matrix_.variance();
    if (tolerance > 0 && shifted_ <= tolerance) return true;
    if (steps == 2 || smoothed_ < lowest_) {
      lowest_ = smoothed_;
      without_improvement_ = 0;
    } else {
      ++without_improvement_;
    }
    return options_.max_no_improvement > 0 && without_improvement_ >= options_.max_no_improvement;
  }

  Context& context_;
  KMeansMatrix& matrix_;
  const MiniBatchKMeansOptions& options_;
  std::int64_t n_, d_, k_, batch_;
  Tensor centers_, half_norms_, sums_, counts_, accounted_, status_, only_;
  std::int64_t since_reassignment_ = 0, without_improvement_ = 0;
  double shifted_ = 0, smoothed_ = 0, lowest_ = 0;
};

}  // namespace

MiniBatchKMeansResult mini_batch_kmeans(const Tensor& x, const MiniBatchKMeansOptions& options,
                                        const std::string& name) {
  check_matrix(x, name);
  check_options(options, x);
  KMeansMatrix matrix(x, is_cosine(options.metric), name);
  return MiniBatches(matrix, options).run();
}

}  // namespace chorale::cluster
