// SPDX-License-Identifier: MIT
// What every clustering algorithm does with its matrix first: check it and move its columns' mean to the
// origin, or, where only directions count, scale its rows to length 1.
#pragma once
#include <string>

#include "tensor/tensor.h"

namespace chorale::cluster {

/// A matrix whose column means are zero, so that products of its rows do not cancel.
struct CenteredRows {
  Tensor x;                 ///< f32 (n, d)
  Tensor norms;             ///< f32 (n): squared length of each row
  Tensor mean;              ///< f64 (d): what was subtracted
  double total_square = 0;  ///< sum of the squared lengths; over n d, the mean variance of the columns
};

/// A matrix whose rows have length 1.
struct UnitRows {
  Tensor x;      ///< f32 (n, d)
  Tensor norms;  ///< f32 (n): squared length of each row, 1 but for rounding
};

/// Throws InputError unless x is f32 (n, d) with n, d >= 1 and n < 2^31, and UsageError never. `name` is the
/// file or argument that x came from.
void check_matrix(const Tensor& x, const std::string& name);

/// Checks x and centres it. InputError naming row and column of the first element that is not finite, as
/// check_squares, and where rows differ but by too little for squares in f32: none by 1e-15 from the mean.
CenteredRows center_rows(const Tensor& x, const std::string& name);

/// The same about a given origin f64 (d), where other rows were centred; differences may be small.
CenteredRows center_rows(const Tensor& x, const std::string& name, const Tensor& origin);

/// Throws InputError unless x, whose rows have squared distances `total_square` in all from their mean,
/// leaves room in f32 for `factor` times the squared distance of any two of them.
void check_squares(const Tensor& x, double total_square, double factor, const std::string& name);

/// Checks x and scales its rows to length 1, whatever their lengths were. InputError naming the first element
/// that is not finite or the first row of zeros, which has no direction. Rows are counted from `first_row`.
UnitRows unit_rows(const Tensor& x, const std::string& name, std::int64_t first_row = 0);

/// Means f64 (d) of the columns of x f32 (n, d). InputError naming row and column of the first element that
/// is not finite. Rows are counted from `first_row`.
Tensor finite_column_mean(const Tensor& x, const std::string& name, std::int64_t first_row = 0);

}  // namespace chorale::cluster
