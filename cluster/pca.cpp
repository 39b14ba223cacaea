// SPDX-License-Identifier: MIT
#include "cluster/pca.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "cluster/rows.h"
#include "kernels/launch.h"
#include "kernels/philox.h"

namespace chorale::cluster {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Rows or columns of one product; longer sums are added up in f64.
constexpr std::int64_t product_block = 1024;

Matrix to_matrix(const Tensor& t) {
  const std::vector<float> values = t.to_host<float>();
  Matrix m(t.dim(0), t.dim(1));
  for (std::int64_t i = 0; i < m.size(); ++i)
    m.data()[i] = static_cast<double>(values[static_cast<std::size_t>(i)]);
  return m;
}

Tensor to_tensor(const Matrix& m) {
  std::vector<float> values(static_cast<std::size_t>(m.size()));
  for (std::int64_t i = 0; i < m.size(); ++i)
    values[static_cast<std::size_t>(i)] = static_cast<float>(m.data()[i]);
  return Tensor::from_host(values, {m.rows(), m.cols()});
}

Tensor product(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  const Tensor c({a.dim(transpose_a ? 1 : 0), b.dim(transpose_b ? 0 : 1)}, DType::f32);
  kernel::matmul(current_context(), a, b, c, transpose_a, transpose_b, 1.0f, 0.0f);
  return c;
}

/// a^T b, summed over the rows of both by blocks.
Matrix transposed_product(const Tensor& a, const Tensor& b) {
  Matrix sum = Matrix::Zero(a.dim(1), b.dim(1));
  for (std::int64_t row = 0; row < a.dim(0); row += product_block) {
    const std::int64_t end = std::min(a.dim(0), row + product_block);
    sum += to_matrix(product(a.slice(0, row, end), b.slice(0, row, end), true, false));
  }
  return sum;
}

/// x^T x in f64: the small eigenvalues of columns of unlike scales are lost in f32.
Matrix column_products(const Tensor& x) {
  const std::int64_t d = x.dim(1);
  const Tensor products({d, d}, DType::f64);
  kernel::column_products(current_context(), x, products);
  const std::vector<double> values = products.to_host<double>();
  return Eigen::Map<const Matrix>(values.data(), d, d);
}

/// Right singular vectors (rows, largest first) and squared singular values.
struct Decomposition {
  Matrix vectors;
  Eigen::VectorXd squares;
};

/// The `count` largest eigenpairs of a symmetric matrix; vectors as columns.
Decomposition eigenpairs(const Matrix& symmetric, std::int64_t count) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  if (solver.info() != Eigen::Success)
    throw NumericalError("pca: the eigenvalue decomposition did not converge");
  return {solver.eigenvectors().rightCols(count).rowwise().reverse(),
          solver.eigenvalues().tail(count).reverse().cwiseMax(0.0)};
}

/// Rows of length 1; a row without direction (variance 0) becomes one that is orthogonal to those before it.
void normalize_rows(Matrix& rows) {
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    const auto orthogonalize = [&] {
      for (std::int64_t j = 0; j < i; ++j) rows.row(i) -= rows.row(i).dot(rows.row(j)) * rows.row(j);
    };
    const double length = rows.row(i).norm();
    if (length > 0) rows.row(i) /= length;
    orthogonalize();
    for (std::int64_t axis = 0; rows.row(i).norm() < 0.5 && axis < rows.cols(); ++axis) {
      rows.row(i).setZero();
      rows(i, axis) = 1;
      orthogonalize();
    }
    rows.row(i) /= rows.row(i).norm();
  }
}

Decomposition exact(const Tensor& x, std::int64_t count) {
  if (x.dim(1) <= x.dim(0)) {
    Decomposition d = eigenpairs(column_products(x), count);
    d.vectors.transposeInPlace();
    return d;
  }
  Decomposition d = eigenpairs(column_products(x.transpose(0, 1).contiguous()), count);
  const Tensor left = to_tensor(d.vectors);
  d.vectors = to_matrix(product(left, x, true, false));
  normalize_rows(d.vectors);
  return d;
}

Matrix orthonormal(const Matrix& m) {
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(m);
  return qr.householderQ() * Eigen::MatrixXd::Identity(m.rows(), m.cols());
}

Matrix normals(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Matrix m(rows, columns);
  for (std::int64_t i = 0; i < m.size(); i += 4) {
    float four[4];
    philox::normals(philox::block(seed, 0, 0, static_cast<std::uint64_t>(i / 4)), four);
    for (std::int64_t j = i; j < std::min<std::int64_t>(m.size(), i + 4); ++j)
      m.data()[j] = static_cast<double>(four[j - i]);
  }
  return m;
}

Decomposition randomized(const Tensor& x, std::int64_t count, std::uint64_t seed) {
  const std::int64_t smaller = std::min(x.dim(0), x.dim(1)), width = std::min(smaller, count + 10);
  const int power_iterations = static_cast<double>(count) < 0.1 * static_cast<double>(smaller) ? 7 : 4;
  Matrix range = orthonormal(to_matrix(product(x, to_tensor(normals(x.dim(1), width, seed)), false, false)));
  for (int i = 0; i < power_iterations; ++i) {
    const Matrix right = orthonormal(transposed_product(x, to_tensor(range)));
    range = orthonormal(to_matrix(product(x, to_tensor(right), false, false)));
  }
  const Matrix projected = transposed_product(x, to_tensor(range)).transpose();  // [width, d]
  Decomposition d = eigenpairs(projected * projected.transpose(), count);
  d.vectors = d.vectors.transpose() * projected;
  normalize_rows(d.vectors);
  return d;
}

void fix_signs(Matrix& vectors) {
  for (std::int64_t i = 0; i < vectors.rows(); ++i) {
    std::int64_t largest = 0;
    vectors.row(i).cwiseAbs().maxCoeff(&largest);
    if (vectors(i, largest) < 0) vectors.row(i) *= -1.0;
  }
}

}  // namespace

Pca pca(const Tensor& input, const PcaOptions& options, const std::string& name) {
  const CenteredRows rows = center_rows(input, name);
  const std::int64_t n = rows.x.dim(0), d = rows.x.dim(1), smaller = std::min(n, d);
  if (n < 2)
    throw InputError(name + ": PCA needs at least two rows: " + std::to_string(n) + " (allowed 2 or more)");
  if (options.n_components < 0 || options.n_components > smaller)
    throw UsageError("n_components: out of range: " + std::to_string(options.n_components) +
                     " (allowed 0 to " + std::to_string(smaller) + ")");
  const std::int64_t count = options.n_components ? options.n_components : smaller;
  const bool approximate =
      options.solver == PcaSolver::randomized ||
      (options.solver == PcaSolver::automatic && smaller > 2000 && 5 * count < 4 * smaller);
  Decomposition found = approximate ? randomized(rows.x, count, options.random_state) : exact(rows.x, count);
  fix_signs(found.vectors);

  Pca result;
  result.mean_ = rows.mean;
  result.components_ = to_tensor(found.vectors);
  double explained = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double square = found.squares[i];
    result.explained_variance_.push_back(square / static_cast<double>(n - 1));
    result.explained_variance_ratio_.push_back(rows.total_square > 0 ? square / rows.total_square : 0.0);
    result.singular_values_.push_back(std::sqrt(square));
    explained += square;
  }
  if (count < smaller)
    result.noise_variance_ = std::max(0.0, rows.total_square - explained) / static_cast<double>(n - 1) /
                             static_cast<double>(smaller - count);
  return result;
}

Tensor Pca::transform(const Tensor& input, const std::string& name) const {
  check_matrix(input, name);
  if (input.dim(1) != components_.dim(1))
    throw InputError(name + ": another number of columns than the PCA was fitted on: " +
                     to_string(input.shape()) + " (allowed (n, " + std::to_string(components_.dim(1)) + "))");
  const Tensor centred(input.shape(), DType::f32), norms({input.dim(0)}, DType::f32), total({1}, DType::f64);
  kernel::subtract_mean(current_context(), input.contiguous(), mean_, centred, norms, total);
  return product(centred, components_, false, true);
}

}  // namespace chorale::cluster
