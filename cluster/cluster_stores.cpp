// SPDX-License-Identifier: MIT
#include "cluster/cluster_stores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

using Column = std::int32_t;
using Pairs = std::span<const ClusterStore::Pair>;

/// The share of a squared distance within which f64 decides, for each share by which an entry of the distance
/// matrix was seen to be off: two entries are compared, and those merged are a sample.
constexpr double band_per_error = 8;

template <class T>
Tensor upload(const std::vector<T>& values) {
  return Tensor::from_host(values, {static_cast<std::int64_t>(values.size())});
}

Tensor first_integers(std::int64_t n) {
  std::vector<Column> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), 0);
  return upload(rows);
}

/// Elements `kept` of a vector on the device.
template <class T>
Tensor select(const Tensor& values, std::span<const Column> kept) {
  const std::vector<T> from = values.to_host<T>();
  std::vector<T> to;
  to.reserve(kept.size());
  for (const Column column : kept) to.push_back(from[static_cast<std::size_t>(column)]);
  return upload(to);
}

/// Puts `values` at place `at` of a vector or of the rows of a matrix on the device.
template <class T>
void write(const Tensor& target, std::int64_t at, const std::vector<T>& values) {
  const std::int64_t rows =
      static_cast<std::int64_t>(values.size()) / (target.rank() > 1 ? target.dim(1) : 1);
  target.slice(0, at, at + rows).upload(values.data(), dtype_of<T>::value);
}

std::vector<Column> columns_of(Pairs pairs) {
  std::vector<Column> columns;
  columns.reserve(2 * pairs.size());
  for (const ClusterStore::Pair& pair : pairs) columns.insert(columns.end(), {pair.first, pair.second});
  return columns;
}

/// Merges the centers f64 (n, d) of pairs of clusters and returns Ward's distances between them. Column c
/// has row rows[c] of the centers.
std::vector<double> merge_centers(Pairs pairs, const Tensor& rows, const Tensor& centers, View points,
                                  View rounding) {
  const auto count = static_cast<std::int64_t>(pairs.size());
  std::vector<double> sizes;
  sizes.reserve(2 * pairs.size());
  for (const ClusterStore::Pair& pair : pairs)
    sizes.insert(sizes.end(), {static_cast<double>(pair.first_size), static_cast<double>(pair.second_size)});
  const Tensor heights({count}, DType::f64);
  kernel::ward_merge(current_context(), Tensor::from_host(columns_of(pairs), {count, 2}), rows,
                     Tensor::from_host(sizes, {count, 2}), centers, points, rounding, heights);
  return heights.to_host<double>();
}

class MatrixStore : public ClusterStore {
 public:
  MatrixStore(const Tensor& x, Linkage linkage)
      : linkage_(linkage),
        distances_(linkage_distance_matrix(x, linkage)),
        rows_(first_integers(x.dim(0))),
        sizes_(Tensor::full({x.dim(0)}, 1)),
        seen_(Tensor::zeros({x.dim(0)}, DType::i32)),
        rounds_(Tensor::zeros({x.dim(0) + 1}, DType::i32)),
        pairs_({x.dim(0), 2}, DType::i32),
        terms_({x.dim(0), 3}, DType::f32) {
    if (linkage != Linkage::ward) return;
    centers_ = x.to(DType::f64);
    band_ = square_band(x.dim(1));
  }

  void nearest(std::span<const Column> listed, std::vector<Column>& columns,
               std::vector<float>& distances) override {
    const auto count = static_cast<std::int64_t>(listed.size());
    const Tensor found({count}, DType::i32), how_far({count}, DType::f32);
    kernel::linkage_nearest(current_context(), Tensor::from_host(listed, {count}), rows_, sizes_, linkage_,
                            centers_.defined() ? ConstView(centers_) : ConstView(), band_, rounds(), pairs(),
                            terms(), distances_, seen_, found, how_far);
    columns = found.to_host<Column>();
    distances = how_far.to_host<float>();
  }

  std::vector<double> merge(Pairs pairs) override {
    const std::vector<double> heights = linkage_ == Linkage::ward ? ward_heights(pairs) : own_heights(pairs);
    std::vector<float> terms;
    terms.reserve(3 * pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Pair& pair = pairs[i];
      const float distance =
          linkage_ == Linkage::ward ? static_cast<float>(heights[i] * heights[i]) : pair.distance;
      terms.insert(terms.end(),
                   {distance, static_cast<float>(pair.first_size), static_cast<float>(pair.second_size)});
    }
    write(pairs_, logged_, columns_of(pairs));
    write(terms_, logged_, terms);
    logged_ += static_cast<std::int64_t>(pairs.size());
    write(rounds_, ++round_count_, std::vector<std::int32_t>{static_cast<std::int32_t>(logged_)});
    kernel::linkage_merge(current_context(), static_cast<std::int64_t>(pairs.size()), rows_, linkage_,
                          rounds(), this->pairs(), this->terms(), sizes_, distances_, seen_);
    return heights;
  }

  void compact(std::span<const Column> kept) override {
    const auto count = static_cast<std::int64_t>(kept.size());
    kernel::linkage_compact(current_context(), Tensor::from_host(kept, {count}), rows_, sizes_, linkage_,
                            rounds(), pairs(), terms(), distances_, seen_);
    rows_ = select<Column>(rows_, kept);
    sizes_ = select<float>(sizes_, kept);
    seen_ = Tensor::zeros({count}, DType::i32);
    logged_ = round_count_ = 0;
  }

 private:
  Tensor rounds() const { return rounds_.slice(0, 0, round_count_ + 1); }
  Tensor pairs() const { return pairs_.slice(0, 0, logged_); }
  Tensor terms() const { return terms_.slice(0, 0, logged_); }

  /// Exact heights; they tell how far off the matrix is by now.
  std::vector<double> ward_heights(Pairs pairs) {
    const std::vector<double> heights = merge_centers(pairs, rows_, centers_, View(), View());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const double square = heights[i] * heights[i];
      if (square < static_cast<double>(std::numeric_limits<float>::min())) continue;
      const double off = std::fabs(static_cast<double>(pairs[i].distance) / square - 1);
      band_ = std::max(band_, static_cast<float>(band_per_error * off));
    }
    return heights;
  }

  std::vector<double> own_heights(Pairs pairs) const {
    std::vector<double> heights;
    heights.reserve(pairs.size());
    for (const Pair& pair : pairs) {
      const auto distance = static_cast<double>(pair.distance);
      heights.push_back(linkage_ == Linkage::complete ? std::sqrt(distance) : distance);
    }
    return heights;
  }

  Linkage linkage_;
  Tensor distances_, centers_, rows_, sizes_, seen_;
  Tensor rounds_, pairs_, terms_;  // the log of merges since columns were compacted
  std::int64_t logged_ = 0, round_count_ = 0;
  float band_ = 0;  // of squared distances within which f64 decides
};

class CenterStore : public ClusterStore {
 public:
  explicit CenterStore(const Tensor& x) : centers_(x.to(DType::f64)), sizes_(Tensor::full({x.dim(0)}, 1)) {
    set_rows(first_integers(x.dim(0)));
  }

  void nearest(std::span<const Column> listed, std::vector<Column>& columns,
               std::vector<float>& distances) override {
    const auto count = static_cast<std::int64_t>(listed.size());
    const Tensor found({count}, DType::i32), squares({count}, DType::f32);
    kernel::ward_nearest(current_context(), points_, rounding_, centers_, rows_, sizes_,
                         Tensor::from_host(listed, {count}), found, squares);
    columns = found.to_host<Column>();
    distances = squares.to_host<float>();
  }

  std::vector<double> merge(Pairs pairs) override {
    std::vector<float> sizes = sizes_.to_host<float>();
    for (const Pair& pair : pairs) {
      sizes[static_cast<std::size_t>(pair.first)] = static_cast<float>(pair.first_size + pair.second_size);
      sizes[static_cast<std::size_t>(pair.second)] = 0;
    }
    sizes_ = upload(sizes);
    return merge_centers(pairs, rows_, centers_, points_, rounding_);
  }

  void compact(std::span<const Column> kept) override {
    sizes_ = select<float>(sizes_, kept);
    set_rows(select<Column>(rows_, kept));
  }

 private:
  void set_rows(const Tensor& rows) {
    rows_ = rows;
    points_ =
        Tensor({(rows.size() + point_block - 1) / point_block, centers_.dim(1), point_block}, DType::f32);
    rounding_ = Tensor({rows.size()}, DType::f32);
    kernel::ward_points(current_context(), centers_, rows_, points_, rounding_);
  }

  Tensor centers_, rows_, sizes_, points_, rounding_;
};

}  // namespace

std::int64_t distance_matrix_bytes(std::int64_t n) {
  return n * ((n + point_block - 1) / point_block * point_block) * static_cast<std::int64_t>(sizeof(float));
}

Tensor linkage_distance_matrix(const Tensor& x, Linkage linkage) {
  const std::int64_t n = x.dim(0);
  const Tensor distances({n, (n + point_block - 1) / point_block * point_block}, DType::f32);
  kernel::linkage_distances(current_context(), x, linkage == Linkage::average, distances);
  return distances;
}

std::unique_ptr<ClusterStore> make_matrix_store(const Tensor& x, Linkage linkage) {
  return std::make_unique<MatrixStore>(x, linkage);
}

std::unique_ptr<ClusterStore> make_center_store(const Tensor& x) { return std::make_unique<CenterStore>(x); }

}  // namespace chorale::cluster
