// SPDX-License-Identifier: MIT
// The rows of an .npy file as k-means takes them: read in groups by a thread of their own.
#pragma once
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "cluster/kmeans_space.h"
#include "tensor/npy.h"

namespace chorale::cluster {

/// Passes over a matrix in a file. While one group of rows is worked on, the next one is read. Buffers are
/// taken once: two of the file's elements, and on the device one of f32 and one of the rows in their space.
class NpyRows : public KMeansSource {
 public:
  /// Opens (n, d) with n, d >= 1; InputError for anything else.
  explicit NpyRows(const std::string& path);

  std::int64_t rows() const override { return layout_.shape[0]; }
  std::int64_t columns() const { return layout_.shape[1]; }
  std::int64_t groups() const { return (rows() + group_rows_ - 1) / group_rows_; }
  /// Memory that each row of a group takes.
  std::int64_t bytes_per_row() const;

  /// Fixes the size of the groups and makes a pass for what the space needs: finite elements, means.
  void enter_space(bool unit_length, std::int64_t group_rows);
  const KMeansSpace& space() const { return space_; }
  /// Mean variance of the columns in the space; known after the first visit.
  double variance() const { return variance_; }

  void visit(const std::function<void(const KMeansRows&)>& work) override;
  Tensor gather(const std::vector<std::int64_t>& rows) override;

 private:
  std::uint64_t row_bytes() const;
  void read(std::int64_t first, std::vector<std::byte>& buffer) const;
  Tensor as_f32(const std::vector<std::byte>& elements, std::int64_t rows) const;
  KMeansRows prepare(const Tensor& x, std::int64_t first, double* total_square) const;
  /// Calls work(first row, f32 (m, d)) for all groups in order.
  void each_group(const std::function<void(std::int64_t, const Tensor&)>& work);

  InputFile file_;
  NpyLayout layout_;
  std::int64_t group_rows_ = 1;
  std::array<std::vector<std::byte>, 2> buffers_;
  KMeansSpace space_;
  double variance_ = 0;
};

}  // namespace chorale::cluster
