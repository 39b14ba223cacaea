// SPDX-License-Identifier: MIT
#include "cluster/kmeans_space.h"

#include <algorithm>
#include <cmath>

#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {

Tensor KMeansSpace::enter(const Tensor& centers, const std::string& option) const {
  std::vector<float> values = centers.to(DType::f32).to_host<float>();
  for (const float value : values)
    if (!std::isfinite(value))
      throw InputError(option + ": element is not finite: " + std::to_string(value) +
                       " (allowed finite numbers)");
  const auto d = static_cast<std::size_t>(centers.dim(1));
  const std::vector<double> origin = unit_length ? std::vector<double>(d) : mean.to_host<double>();
  for (std::size_t first = 0; first < values.size(); first += d) {
    double length = 1;
    if (unit_length) {
      double square = 0;
      for (std::size_t j = first; j < first + d; ++j)
        square += static_cast<double>(values[j]) * static_cast<double>(values[j]);
      if (!(square > 0))
        throw InputError(option + ": center of zeros has no direction: center " + std::to_string(first / d) +
                         " (allowed centers that are not all 0, where metric is cosine)");
      length = std::sqrt(square);
    }
    for (std::size_t j = 0; j < d; ++j)
      values[first + j] = static_cast<float>((static_cast<double>(values[first + j]) - origin[j]) / length);
  }
  return Tensor::from_host(values, centers.shape());
}

Tensor KMeansSpace::leave(const Tensor& centers) const {
  if (unit_length) return centers.clone();
  std::vector<float> values = centers.to_host<float>();
  const std::vector<double> origin = mean.to_host<double>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(static_cast<double>(values[i]) + origin[i % origin.size()]);
  return Tensor::from_host(values, centers.shape());
}

KMeansMatrix::KMeansMatrix(const Tensor& x, bool unit_length, const std::string& name) {
  space_.unit_length = unit_length;
  if (!unit_length) {
    CenteredRows rows = center_rows(x, name);
    space_.mean = rows.mean;
    rows_ = {0, rows.x, rows.norms};
    total_square_ = rows.total_square;
    variance_ = total_square_ / static_cast<double>(rows.x.size());
    return;
  }
  UnitRows rows = unit_rows(x, name);
  rows_ = {0, rows.x, rows.norms};
  total_square_ = static_cast<double>(rows.x.dim(0));
  double mean_square = 0;
  for (const double value : finite_column_mean(rows.x, name).to_host<double>()) mean_square += value * value;
  variance_ = std::max(0.0, 1 - mean_square) / static_cast<double>(rows.x.dim(1));
}

KMeansMatrix::KMeansMatrix(KMeansSpace space, Tensor x)
    : space_(std::move(space)), rows_{0, x, square_lengths(x, 1)} {}

KMeansRows KMeansMatrix::pick(const Tensor& rows) const {
  return {0, rows_.x.gather_rows(rows),
          rows_.norms.reshape({rows_.norms.size(), 1}).gather_rows(rows).reshape({rows.size()})};
}

Tensor square_lengths(const Tensor& centers, double factor) {
  const std::vector<float> values = centers.to_host<float>();
  const auto d = static_cast<std::size_t>(centers.dim(-1));
  std::vector<float> lengths(values.size() / d);
  for (std::size_t c = 0; c < lengths.size(); ++c) {
    double sum = 0;
    for (std::size_t i = c * d; i < (c + 1) * d; ++i)
      sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    lengths[c] = static_cast<float>(factor * sum);
  }
  Shape shape = centers.shape();
  shape.pop_back();
  return Tensor::from_host(lengths, shape);
}

void refuse_option(const std::string& option, const std::string& what, const std::string& value,
                   const std::string& allowed) {
  throw UsageError(option + ": " + what + ": " + value + " (allowed " + allowed + ")");
}

void check_clusters(std::int64_t n_clusters, std::int64_t rows) {
  if (n_clusters < 1 || n_clusters > rows)
    refuse_option("n_clusters", "not between 1 and the number of rows", std::to_string(n_clusters),
                  "1 to " + std::to_string(rows));
}

void check_iterations(std::int64_t max_iter, double tol) {
  if (max_iter < 1) refuse_option("max_iter", "out of range", std::to_string(max_iter), "1 or more");
  if (!(tol >= 0) || std::isinf(tol)) refuse_option("tol", "out of range", std::to_string(tol), "0 or more");
}

void check_init(const std::string& init, const std::vector<std::string>& allowed, const Tensor& centers,
                std::int64_t n_clusters, std::int64_t columns) {
  if (centers.defined()) {
    if (centers.rank() != 2 || centers.dim(0) != n_clusters || centers.dim(1) != columns)
      refuse_option("init_centers", "of another shape", to_string(centers.shape()),
                    "(" + std::to_string(n_clusters) + ", " + std::to_string(columns) + ")");
    return;
  }
  if (std::find(allowed.begin(), allowed.end(), init) != allowed.end()) return;
  std::string list;
  for (const std::string& name : allowed) list += (list.empty() ? "" : ", ") + name;
  refuse_option("init", "unknown", init, list);
}

bool is_cosine(const std::string& metric) {
  if (metric != "euclidean" && metric != "cosine")
    refuse_option("metric", "unknown", metric, "euclidean, cosine");
  return metric == "cosine";
}

}  // namespace chorale::cluster
