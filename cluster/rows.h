// SPDX-License-Identifier: MIT
// What every clustering algorithm does with its matrix first: check it and move its columns' mean to the
// origin.
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

/// Throws InputError unless x is f32 (n, d) with n, d >= 1 and n < 2^31, and UsageError never. `name` is the
/// file or argument that x came from.
void check_matrix(const Tensor& x, const std::string& name);

/// Checks x and centres it. InputError naming row and column of the first element that is not finite.
CenteredRows center_rows(const Tensor& x, const std::string& name);

/// The same about a given origin f64 (d), where other rows were centred.
CenteredRows center_rows(const Tensor& x, const std::string& name, const Tensor& origin);

}  // namespace chorale::cluster
