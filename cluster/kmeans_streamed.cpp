// SPDX-License-Identifier: MIT
#include "cluster/kmeans_streamed.h"

#include <algorithm>
#include <vector>

#include "cluster/kmeans_drift.h"
#include "cluster/kmeans_seeding.h"
#include "cluster/npy_rows.h"
#include "kernels/launch.h"
#include "kernels/params.h"
#include "tensor/npy.h"

namespace chorale::cluster {
namespace {

constexpr std::int64_t largest_group = std::int64_t{64} << 20;  // bytes of f32; larger ones are no faster

/// Rows of a group, a multiple of kmeans_block so that block sums are those of the whole matrix.
std::int64_t group_rows(const NpyRows& source, const KMeansStreamedOptions& o) {
  // 6 k candidates of k-means||, gathered, packed and with distances to the trials; centers and their sums.
  const std::int64_t fixed = 16 * source.rows() + o.n_clusters * (164 * source.columns() + 700);
  const std::int64_t least = fixed + kmeans_block * source.bytes_per_row();
  if (o.max_memory < least)
    refuse_option("max_memory", "too little for " + std::to_string(source.rows()) + " rows",
                  std::to_string(o.max_memory), std::to_string(least) + " bytes or more");
  const std::int64_t fit =
      std::min((o.max_memory - fixed) / source.bytes_per_row(), largest_group / (4 * source.columns()));
  return std::max<std::int64_t>(1, fit / kmeans_block) * kmeans_block;
}

/// Lloyd's algorithm over groups of rows: centers, and on the device for every row its label, the label that
/// the sums account for, and what drift leaves of it (KMeansDrift).
class StreamedLloyd {
 public:
  StreamedLloyd(NpyRows& source, const KMeansStreamedOptions& options, const Tensor& start)
      : context_(current_context()),
        source_(source),
        options_(options),
        n_(source.rows()),
        k_(options.n_clusters),
        centers_(start.reshape({1, k_, source.columns()}).clone()),
        half_norms_(square_lengths(centers_, 0.5)),
        sums_(Tensor::zeros({1, k_, source.columns()}, DType::f64)),
        counts_(Tensor::zeros({1, k_}, DType::i64)),
        status_({1, 3}, DType::f64),
        only_(Tensor::zeros({1}, DType::i32)),
        labels_(Tensor::zeros({n_}, DType::i32)),
        accounted_(Tensor::full({n_}, -1, DType::i32)),
        drift_(1, n_, k_, source.columns()) {}

  /// Returns the number of iterations.
  std::int64_t iterate() {
    for (std::int64_t iteration = 0; iteration < options_.max_iter; ++iteration) {
      const double moved = assign_all();
      move_centers(EmptyClusters::wait);
      const std::vector<double> status = status_.to_host<double>();
      double shifted = status[2];
      if (status[1] > 0) {
        fill_empty_clusters();
        shifted = status_.to_host<double>()[2];
      }
      labels_final_ = moved == 0;
      if (moved == 0 || shifted <= options_.tol * source_.variance()) return iteration + 1;
    }
    return options_.max_iter;
  }

  /// Labels of the final centers, to a file; returns the inertia.
  double write_labels(const std::string& path) {
    NpyWriter writer(path, DType::i32, {});
    double total = 0;
    if (!labels_final_) drift_.measure(only_, centers_, half_norms_);
    source_.visit([&](const KMeansRows& rows) {
      if (!labels_final_) assign(rows);
      const Tensor distances({rows.x.dim(0)}, DType::f32), inertia({1}, DType::f64);
      const Tensor labels = part(labels_, rows)[0];
      kernel::kmeans_distances(context_, rows.x, centers_[0], labels, distances, inertia);
      total += inertia.item();
      writer.append(labels);
    });
    writer.commit();
    return source_.space().distance_scale() * total;
  }

  Tensor cluster_centers() const { return source_.space().leave(centers_[0]); }

 private:
  static Tensor part(const Tensor& state, const KMeansRows& rows) {
    return state.slice(0, rows.first, rows.first + rows.x.dim(0)).reshape({1, rows.x.dim(0)});
  }

  void assign(const KMeansRows& rows) {
    kernel::kmeans_assign(context_, rows.x, rows.norms, only_, centers_, half_norms_, drift_.drift(),
                          drift_.place(), part(labels_, rows), part(drift_.margins()[0], rows),
                          part(drift_.stamps()[0], rows));
  }

  /// Returns how many rows changed their cluster.
  double assign_all() {
    double moved = 0;
    drift_.measure(only_, centers_, half_norms_);
    source_.visit([&](const KMeansRows& rows) {
      assign(rows);
      kernel::kmeans_update(context_, rows.x, only_, part(labels_, rows), part(accounted_, rows), sums_,
                            counts_, status_);
      moved += status_.to_host<double>()[0];
    });
    return moved;
  }

  void move_centers(EmptyClusters empty) {
    kernel::kmeans_centers(context_, only_, sums_, counts_, CenterParams{empty, source_.space().unit_length},
                           centers_, half_norms_, status_);
  }

  /// The `count` rows farthest from their centers, the farthest first; none at distance 0.
  std::vector<std::int64_t> farthest_rows(std::size_t count) {
    struct Row {
      float distance;
      std::int64_t index;
    };
    std::vector<Row> far;
    source_.visit([&](const KMeansRows& rows) {
      const Tensor distances({rows.x.dim(0)}, DType::f32), inertia({1}, DType::f64);
      kernel::kmeans_distances(context_, rows.x, centers_[0], part(labels_, rows)[0], distances, inertia);
      const std::vector<float> distance = distances.to_host<float>();
      for (std::size_t i = 0; i < distance.size(); ++i)
        if (distance[i] > 0) far.push_back({distance[i], rows.first + static_cast<std::int64_t>(i)});
      const std::size_t kept = std::min(count, far.size());
      std::partial_sort(far.begin(), far.begin() + static_cast<std::ptrdiff_t>(kept), far.end(),
                        [](const Row& a, const Row& b) {
                          return a.distance != b.distance ? a.distance > b.distance : a.index < b.index;
                        });
      far.resize(kept);
    });
    std::vector<std::int64_t> indices;
    for (const Row& row : far) indices.push_back(row.index);
    return indices;
  }

  /// Gives each empty cluster one of the rows farthest from their centers, as kmeans() does.
  void fill_empty_clusters() {
    const std::vector<std::int64_t> counts = counts_.to_host<std::int64_t>();
    std::vector<std::int32_t> empty;
    for (std::size_t c = 0; c < counts.size(); ++c)
      if (counts[c] == 0) empty.push_back(static_cast<std::int32_t>(c));
    const std::vector<std::int64_t> rows = farthest_rows(empty.size());
    if (!rows.empty()) {
      const auto count = static_cast<std::int64_t>(rows.size());
      const Tensor x = source_.gather(rows);
      empty.resize(rows.size());
      std::vector<std::int32_t> before;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::int64_t row = rows[i];
        before.push_back(static_cast<std::int32_t>(labels_.slice(0, row, row + 1).item()));
        for (Tensor state : {labels_, accounted_}) state.slice(0, row, row + 1).fill(empty[i]);
        drift_.forget(0, row);
      }
      kernel::kmeans_update(context_, x, only_, Tensor::from_host(empty, {1, count}),
                            Tensor::from_host(before, {1, count}), sums_, counts_, status_);
    }
    move_centers(EmptyClusters::on_largest);
  }

  Context& context_;
  NpyRows& source_;
  const KMeansStreamedOptions& options_;
  std::int64_t n_, k_;
  Tensor centers_, half_norms_, sums_, counts_, status_, only_;
  Tensor labels_, accounted_;  // [n]
  KMeansDrift drift_;
  bool labels_final_ = false;
};

}  // namespace

KMeansStreamedResult kmeans_streamed(const std::string& npy_path, const std::string& labels_path,
                                     const KMeansStreamedOptions& options) {
  NpyRows source(npy_path);
  const std::int64_t k = options.n_clusters;
  check_clusters(k, source.rows());
  check_iterations(options.max_iter, options.tol);
  check_init(options.init, {"k-means||", "random"}, options.init_centers, k, source.columns());
  const bool cosine = is_cosine(options.metric);
  const std::int64_t rows = group_rows(source, options);
  check_writable(labels_path);
  source.enter_space(cosine, rows);
  const Tensor start = options.init_centers.defined()
                           ? source.space().enter(options.init_centers, "init_centers")
                       : options.init == "random" ? seed_random(source, k, options.random_state, 0)
                                                  : seed_parallel(source, k, options.random_state, 0);
  StreamedLloyd lloyd(source, options, start);
  KMeansStreamedResult result;
  result.n_iter_ = lloyd.iterate();
  result.inertia_ = lloyd.write_labels(labels_path);
  result.cluster_centers_ = lloyd.cluster_centers();
  result.n_groups_ = source.groups();
  return result;
}

}  // namespace chorale::cluster
