// SPDX-License-Identifier: MIT
#include "cluster/rows.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "kernels/launch.h"

namespace chorale::cluster {

void check_matrix(const Tensor& x, const std::string& name) {
  if (!x.defined() || x.rank() != 2 || x.dtype() != DType::f32)
    throw InputError(
        name + ": not a matrix of f32: " +
        (x.defined() ? std::string(dtype_name(x.dtype())) + " " + to_string(x.shape()) : "nothing") +
        " (allowed f32 of shape (n, d))");
  if (x.dim(0) < 1 || x.dim(1) < 1 || x.dim(0) > INT32_MAX)
    throw InputError(name + ": number of rows or columns out of range: " + to_string(x.shape()) +
                     " (allowed 1 to 2147483647 rows, at least 1 column)");
}

Tensor finite_column_mean(const Tensor& x, const std::string& name, std::int64_t first_row) {
  const Tensor mean({x.dim(1)}, DType::f64), bad({1}, DType::i64);
  kernel::column_mean(current_context(), x, mean, bad);
  const std::int64_t at = bad.to_host<std::int64_t>()[0];
  if (at < 0) return mean;
  const std::int64_t row = at / x.dim(1), column = at % x.dim(1);
  throw InputError(name +
                   ": element is not finite: " + std::to_string(x[row].slice(0, column, column + 1).item()) +
                   " at row " + std::to_string(first_row + row) + ", column " + std::to_string(column) +
                   " (allowed finite numbers)");
}

namespace {

/// Below this the square of a difference has lost digits to f32, or is 0.
constexpr double least_difference = 1e-15;

std::string shortest(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

double largest_magnitude(const Tensor& x) {
  double largest = 0;
  for (const float value : x.to_host<float>())
    largest = std::max(largest, std::fabs(static_cast<double>(value)));
  return largest;
}

/// Throws unless rows are equal or differ by enough for squares in f32.
void check_differences(const CenteredRows& rows, const std::string& name) {
  const double elements = static_cast<double>(rows.x.size());
  if (!(rows.total_square > 0) || rows.total_square >= elements * least_difference * least_difference) return;
  const double largest = largest_magnitude(rows.x);
  if (largest < least_difference)
    throw InputError(name + ": differences too small for squares in f32: largest difference from the mean " +
                     shortest(largest) + " (allowed " + shortest(least_difference) +
                     " or more, or rows that are all equal; scale the data)");
}

CenteredRows about(const Tensor& x, const std::string& name, const Tensor& mean) {
  CenteredRows rows{Tensor(x.shape(), DType::f32), Tensor({x.dim(0)}, DType::f32), mean, 0};
  const Tensor total({1}, DType::f64);
  kernel::subtract_mean(current_context(), x, rows.mean, rows.x, rows.norms, total);
  rows.total_square = total.item();
  check_squares(x, rows.total_square, 1, name);
  return rows;
}

}  // namespace

void check_squares(const Tensor& x, double total_square, double factor, const std::string& name) {
  // No squared distance of two rows is above twice the total.
  const double limit = static_cast<double>(std::numeric_limits<float>::max()) / (8 * factor);
  if (total_square < limit) return;
  throw InputError(name + ": squared distances overflow f32: largest magnitude " +
                   shortest(largest_magnitude(x)) + ", sum of squares about the mean " +
                   shortest(total_square) + " (allowed below " + shortest(limit) + "; scale the data)");
}

CenteredRows center_rows(const Tensor& input, const std::string& name) {
  check_matrix(input, name);
  const Tensor x = input.contiguous();
  CenteredRows rows = about(x, name, finite_column_mean(x, name));
  check_differences(rows, name);
  return rows;
}

CenteredRows center_rows(const Tensor& input, const std::string& name, const Tensor& origin) {
  check_matrix(input, name);
  const Tensor x = input.contiguous();
  finite_column_mean(x, name);
  return about(x, name, origin);
}

UnitRows unit_rows(const Tensor& input, const std::string& name, std::int64_t first_row) {
  check_matrix(input, name);
  const Tensor x = input.contiguous();
  finite_column_mean(x, name, first_row);
  UnitRows rows{Tensor(x.shape(), DType::f32), Tensor({x.dim(0)}, DType::f32)};
  const Tensor zero({1}, DType::i64);
  kernel::normalize_rows(current_context(), x, rows.x, rows.norms, zero);
  const std::int64_t row = zero.to_host<std::int64_t>()[0];
  if (row >= 0)
    throw InputError(name + ": row of zeros has no direction: row " + std::to_string(first_row + row) +
                     " (allowed rows that are not all 0, where metric is cosine)");
  return rows;
}

}  // namespace chorale::cluster
