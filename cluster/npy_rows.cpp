// SPDX-License-Identifier: MIT
#include "cluster/npy_rows.h"

#include <algorithm>
#include <future>

#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {

NpyRows::NpyRows(const std::string& path) : file_(path), layout_(read_npy_layout(file_)) {
  if (layout_.shape.size() != 2 || rows() < 1 || columns() < 1)
    throw InputError(printable(path) + ": not a matrix: " + to_string(layout_.shape) +
                     " (allowed (n, d), at least 1 row and 1 column)");
}

std::uint64_t NpyRows::row_bytes() const {
  return static_cast<std::uint64_t>(columns()) * dtype_size(layout_.dtype);
}

std::int64_t NpyRows::bytes_per_row() const {
  // Two buffers and a copy on the device of the file's elements, f32, f32 in the space; norms, distances,
  // bounds, and what kmeans_update needs to sort the rows.
  return static_cast<std::int64_t>(3 * row_bytes()) + 8 * columns() + 64;
}

void NpyRows::read(std::int64_t first, std::vector<std::byte>& buffer) const {
  const std::int64_t count = std::min(group_rows_, rows() - first);
  buffer.resize(static_cast<std::size_t>(count) * row_bytes());
  file_.read_at(layout_.data_offset + static_cast<std::uint64_t>(first) * row_bytes(), buffer);
}

Tensor NpyRows::as_f32(const std::vector<std::byte>& elements, std::int64_t rows) const {
  return Tensor::from_bytes(elements.data(), {rows, columns()}, layout_.dtype).to(DType::f32);
}

KMeansRows NpyRows::prepare(const Tensor& x, std::int64_t first, double* total_square) const {
  const std::int64_t count = x.dim(0);
  KMeansRows rows{first, Tensor({count, columns()}, DType::f32), Tensor({count}, DType::f32)};
  if (space_.unit_length) {
    kernel::normalize_rows(current_context(), x, rows.x, rows.norms, Tensor({1}, DType::i64));
  } else {
    const Tensor total({1}, DType::f64);
    kernel::subtract_mean(current_context(), x, space_.mean, rows.x, rows.norms, total);
    check_squares(x, total.item(), 1, file_.path());
    *total_square += total.item();
  }
  return rows;
}

void NpyRows::each_group(const std::function<void(std::int64_t, const Tensor&)>& work) {
  const auto start_reading = [this](std::int64_t first, std::size_t slot) {
    return std::async(std::launch::async, [this, first, slot] { read(first, buffers_[slot]); });
  };
  std::future<void> reading = start_reading(0, 0);
  std::size_t slot = 0;
  for (std::int64_t first = 0; first < rows(); first += group_rows_, slot = 1 - slot) {
    reading.get();
    if (first + group_rows_ < rows()) reading = start_reading(first + group_rows_, 1 - slot);
    work(first, as_f32(buffers_[slot], std::min(group_rows_, rows() - first)));
  }
}

void NpyRows::enter_space(bool unit_length, std::int64_t group_rows) {
  space_.unit_length = unit_length;
  group_rows_ = group_rows;
  std::vector<double> mean(static_cast<std::size_t>(columns()));
  each_group([&](std::int64_t first, const Tensor& x) {
    const Tensor part = unit_length
                            ? finite_column_mean(unit_rows(x, file_.path(), first).x, file_.path(), first)
                            : finite_column_mean(x, file_.path(), first);
    const std::vector<double> values = part.to_host<double>();
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += values[j] * static_cast<double>(x.dim(0));
  });
  double mean_square = 0;
  for (double& value : mean) {
    value /= static_cast<double>(rows());
    mean_square += value * value;
  }
  if (unit_length) {
    variance_ = std::max(0.0, 1 - mean_square) / static_cast<double>(columns());
  } else {
    space_.mean = Tensor::from_host(mean, {columns()});
  }
}

void NpyRows::visit(const std::function<void(const KMeansRows&)>& work) {
  double total_square = 0;
  each_group([&](std::int64_t first, const Tensor& x) { work(prepare(x, first, &total_square)); });
  if (!space_.unit_length)
    variance_ = total_square / (static_cast<double>(rows()) * static_cast<double>(columns()));
}

Tensor NpyRows::gather(const std::vector<std::int64_t>& rows) {
  std::vector<std::byte> elements(rows.size() * row_bytes());
  for (std::size_t i = 0; i < rows.size(); ++i)
    file_.read_at(layout_.data_offset + static_cast<std::uint64_t>(rows[i]) * row_bytes(),
                  std::span(elements).subspan(i * row_bytes(), row_bytes()));
  double total_square = 0;
  return prepare(as_f32(elements, static_cast<std::int64_t>(rows.size())), 0, &total_square).x;
}

}  // namespace chorale::cluster
