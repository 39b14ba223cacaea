// SPDX-License-Identifier: MIT
// Where k-means works, whatever its form: rows and centers minus the mean of the rows ("euclidean"), so that
// products do not cancel, or scaled to length 1 ("cosine"), where the squared distance is 2 (1 - cos).
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::cluster {

struct KMeansSpace {
  bool unit_length = false;
  Tensor mean;  ///< f64 (d): what was subtracted; undefined with unit_length

  /// What a squared distance of this space counts in inertia_.
  double distance_scale() const { return unit_length ? 0.5 : 1.0; }
  /// Centers f32 (k, d) of a caller, brought into this space. InputError, in the name of `option`, for
  /// elements that are not finite and for zeros where only directions count.
  Tensor enter(const Tensor& centers, const std::string& option) const;
  /// Centers of this space as the caller sees them.
  Tensor leave(const Tensor& centers) const;
};

/// Consecutive rows in such a space.
struct KMeansRows {
  std::int64_t first = 0;
  Tensor x;      ///< f32 (m, d)
  Tensor norms;  ///< f32 (m): squared length of each
};

/// Rows that passes are made over: a matrix in one group, or a file in many.
class KMeansSource {
 public:
  virtual ~KMeansSource() = default;
  virtual std::int64_t rows() const = 0;
  /// Calls work on all rows, group by group in order.
  virtual void visit(const std::function<void(const KMeansRows&)>& work) = 0;
  /// The listed rows: f32 (count, d).
  virtual Tensor gather(const std::vector<std::int64_t>& rows) = 0;
};

/// A matrix in its space.
class KMeansMatrix : public KMeansSource {
 public:
  /// Checks x f32 (n, d); InputError in the name of `name`.
  KMeansMatrix(const Tensor& x, bool unit_length, const std::string& name);
  /// Rows that are in the space already.
  KMeansMatrix(KMeansSpace space, Tensor x);

  std::int64_t rows() const override { return rows_.x.dim(0); }
  void visit(const std::function<void(const KMeansRows&)>& work) override { work(rows_); }
  Tensor gather(const std::vector<std::int64_t>& rows) override { return rows_.x.gather_rows(rows); }

  const KMeansSpace& space() const { return space_; }
  const KMeansRows& all() const { return rows_; }
  /// The listed rows, i64 (m), with their norms.
  KMeansRows pick(const Tensor& rows) const;
  double total_square() const { return total_square_; }  ///< sum of the squared lengths
  double variance() const { return variance_; }          ///< mean variance of the columns

 private:
  KMeansSpace space_;
  KMeansRows rows_;
  double total_square_ = 0, variance_ = 0;
};

/// f32 (...) = factor |c|^2 of each vector of centers (..., d).
Tensor square_lengths(const Tensor& centers, double factor);

/// What stands wrong in the options of any form of k-means: UsageErrors, in scikit-learn's names.
[[noreturn]] void refuse_option(const std::string& option, const std::string& what, const std::string& value,
                                const std::string& allowed);
void check_clusters(std::int64_t n_clusters, std::int64_t rows);
void check_iterations(std::int64_t max_iter, double tol);
/// `init` is one of `allowed`, or centers f32 (n_clusters, columns) are given.
void check_init(const std::string& init, const std::vector<std::string>& allowed, const Tensor& centers,
                std::int64_t n_clusters, std::int64_t columns);
/// True for "cosine", false for "euclidean".
bool is_cosine(const std::string& metric);

}  // namespace chorale::cluster
