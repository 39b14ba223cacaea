// SPDX-License-Identifier: MIT
#include "cluster/tsne.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

constexpr std::int64_t exploration = 250;  ///< iterations of early exaggeration
constexpr std::int64_t check_every = 50;   ///< iterations between looks at the divergence
/// Up to here all pairs cost less than the transforms of the grid.
constexpr std::int64_t exact_points = 2000;
/// Grids are laid for cells of at most this width, which gives forces to better than 1 %; K varies over 1.
constexpr double wanted_cell = 0.5;

[[noreturn]] void refuse(const char* option, const std::string& what, const std::string& value,
                         const std::string& allowed) {
  throw UsageError(std::string(option) + ": " + what + ": " + value + " (allowed " + allowed + ")");
}

void check_options(const TsneOptions& o, std::int64_t n) {
  if (o.n_components != 2) refuse("n_components", "out of range", std::to_string(o.n_components), "2");
  if (!(o.perplexity > 0) || !(o.perplexity < static_cast<double>(n)))
    refuse("perplexity", "not between 0 and the number of rows", std::to_string(o.perplexity),
           "above 0 and below " + std::to_string(n));
  if (!(o.early_exaggeration >= 1) || std::isinf(o.early_exaggeration))
    refuse("early_exaggeration", "out of range", std::to_string(o.early_exaggeration), "1 or more");
  if (!(o.learning_rate >= 0) || std::isinf(o.learning_rate))
    refuse("learning_rate", "out of range", std::to_string(o.learning_rate), "above 0, or 0 for auto");
  if (o.max_iter < exploration)
    refuse("max_iter", "out of range", std::to_string(o.max_iter), std::to_string(exploration) + " or more");
  if (o.n_iter_without_progress < 0)
    refuse("n_iter_without_progress", "out of range", std::to_string(o.n_iter_without_progress), "0 or more");
  if (!(o.min_grad_norm >= 0) || std::isinf(o.min_grad_norm))
    refuse("min_grad_norm", "out of range", std::to_string(o.min_grad_norm), "0 or more");
  if (o.init != MapInit::pca && o.init != MapInit::random)
    refuse("init", "not for t-SNE", "spectral", "pca, random");
}

/// Points around the origin; the first coordinate's deviation is 1e-4.
Tensor first_points(const Tensor& x, const TsneOptions& o, const std::string& name) {
  const std::int64_t n = x.dim(0);
  std::vector<float> points =
      o.init == MapInit::pca ? map_components(x, o.random_state, name) : map_normals(n, o.random_state, 0);
  double mean = 0, square = 0;
  for (std::int64_t i = 0; i < n; ++i)
    mean += static_cast<double>(points[static_cast<std::size_t>(2 * i)]) / static_cast<double>(n);
  for (std::int64_t i = 0; i < n; ++i) {
    const double from_mean = static_cast<double>(points[static_cast<std::size_t>(2 * i)]) - mean;
    square += from_mean * from_mean / static_cast<double>(n);
  }
  const double scale = o.init == MapInit::pca && square > 0 ? 1e-4 / std::sqrt(square) : 1e-4;
  for (float& value : points) value = static_cast<float>(scale * static_cast<double>(value));
  return Tensor::from_host(points, {n, 2});
}

class Descent {
 public:
  Descent(const Graph& graph, const Tensor& points, const TsneOptions& options)
      : context_(current_context()),
        graph_(graph),
        options_(options),
        points_(points),
        force_(points.shape(), DType::f32),
        gradient_(points.shape(), DType::f32),
        velocity_(points.shape(), DType::f32),
        gains_(points.shape(), DType::f32),
        sums_({3}, DType::f64),
        grid_(Tensor::zeros({4}, DType::f64)) {
    const double n = static_cast<double>(points.dim(0));
    learning_rate_ =
        static_cast<float>(options.learning_rate > 0 ? options.learning_rate
                                                     : std::max(n / options.early_exaggeration / 4, 50.0));
  }

  TsneResult run() {
    const bool stopped = descend(0, exploration, exploration, 0.5f, options_.early_exaggeration);
    if (!stopped) descend(n_iter_ + 1, options_.max_iter, options_.n_iter_without_progress, 0.8f, 1);
    return {points_, divergence_, n_iter_};
  }

 private:
  /// Iterations from `begin` to before `end`, or until nothing improves; true if the caller interrupted.
  bool descend(std::int64_t begin, std::int64_t end, std::int64_t patience, float momentum,
               double exaggeration) {
    velocity_.fill(0);
    gains_.fill(1);
    double best = std::numeric_limits<double>::max();
    std::int64_t best_at = begin;
    for (n_iter_ = begin; n_iter_ < end; ++n_iter_) {
      const bool check = (n_iter_ + 1) % check_every == 0, look = check || n_iter_ == end - 1;
      if (n_iter_ % check_every == 0) choose_grid();
      const Tensor total = sums_.slice(0, 0, 1), divergence = sums_.slice(0, 1, 2),
                   square = sums_.slice(0, 2, 3);
      if (spectrum_.defined()) {
        kernel::tsne_repulsion_grid(context_, points_, grid_, spectrum_, force_, total);
      } else {
        kernel::tsne_repulsion(context_, points_, force_, total);
      }
      kernel::tsne_gradient(context_, points_, graph_.offsets, graph_.columns, graph_.values, force_, total,
                            static_cast<float>(exaggeration), gradient_, look ? View(divergence) : View());
      kernel::tsne_update(context_, gradient_, momentum, learning_rate_, velocity_, gains_, points_, square);
      if (!look) continue;
      const std::vector<double> sums = sums_.to_host<double>();
      divergence_ = exaggeration * (sums[1] + std::log(exaggeration));  // similarities sum to 1
      if (!check) continue;
      if (options_.callbacks.report(n_iter_ + 1, divergence_)) return true;
      if (divergence_ < best) {
        best = divergence_;
        best_at = n_iter_;
      } else if (n_iter_ - best_at > patience) {
        return false;
      }
      if (std::sqrt(sums[2]) <= options_.min_grad_norm) return false;
    }
    --n_iter_;
    return false;
  }

  /// A grid as fine as the map's extent asks for, with room to grow until the next look.
  void choose_grid() {
    if (points_.dim(0) <= exact_points) return;
    constexpr std::int64_t sides[] = {64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536};
    constexpr double growth = 1.25;
    const double extent = side_ ? grid_.to_host<double>()[2] * static_cast<double>(side_) : 0;
    std::int64_t side = sides[0];
    for (const std::int64_t candidate : sides)
      if (static_cast<double>(side) * wanted_cell < growth * extent) side = candidate;
    if (side <= side_) return;
    side_ = side;
    grid_.fill(0);
    spectrum_ = Tensor({side + 1, side + 1}, DType::f32);
  }

  Context& context_;
  const Graph& graph_;
  const TsneOptions& options_;
  Tensor points_, force_, gradient_, velocity_, gains_;
  Tensor sums_;  ///< sum of K over pairs, divergence, squared length of the gradient
  Tensor grid_, spectrum_;
  std::int64_t side_ = 0, n_iter_ = 0;
  float learning_rate_ = 0;
  double divergence_ = 0;
};

}  // namespace

Graph tsne_similarities(const Tensor& x, double perplexity, const std::string& name) {
  const std::int64_t n = x.dim(0);
  const std::int64_t k = std::min<std::int64_t>(n - 1, static_cast<std::int64_t>(3 * perplexity + 1));
  const Neighbours near = nearest_neighbours(x, k, name);
  const Tensor weights(near.distances.shape(), DType::f32);
  kernel::perplexity_weights(current_context(), near.distances, perplexity, weights);
  return symmetric_graph(near.indices, weights, 0.5 / static_cast<double>(n), 0);
}

TsneResult tsne(const Tensor& input, const TsneOptions& options, const std::string& name) {
  check_matrix(input, name);
  if (input.dim(0) < 2) throw InputError(name + ": t-SNE needs at least two rows: 1 (allowed 2 or more)");
  check_options(options, input.dim(0));
  const Tensor x = input.contiguous();
  const Graph graph = tsne_similarities(x, options.perplexity, name);
  return Descent(graph, first_points(x, options, name), options).run();
}

}  // namespace chorale::cluster
