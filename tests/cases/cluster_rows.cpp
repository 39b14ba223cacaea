// SPDX-License-Identifier: MIT
// The kernels that prepare a matrix for clustering, against their definitions in f64.
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/cluster_case.h"

namespace chorale::harness {
namespace {

using namespace clustering;

OpCase column_mean() {
  OpCase c = cluster_case("column_mean");
  for (const auto& [n, d] : sizes) {
    c.variants.push_back({"rows_" + std::to_string(n), {real({n, d})}});
    Input broken = real({n, d});
    broken.specials = true;
    c.variants.push_back({"not_finite_" + std::to_string(n), {broken}});
  }
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(0);
    const Tensor mean({x.dim(1)}, DType::f64), bad({1}, DType::i64);
    kernel::column_mean(current_context(), x, mean, bad);
    if (bad.item() >= 0) return vars({bad});
    return vars({mean, bad});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1);
    Array mean({d}), bad({1}, -1);
    for (Index i = 0; i < n * d; ++i) {
      if (!std::isfinite(x[0][i])) {
        bad[0] = static_cast<double>(i);
        return Arrays{bad};
      }
      mean[i % d] += x[0][i] / static_cast<double>(n);
    }
    return Arrays{mean, bad};
  };
  return c;
}

OpCase subtract_mean() {
  OpCase c = cluster_case("subtract_mean");
  for (const auto& [n, d] : sizes) {
    Input mean = real({d});
    mean.storage = Storage::f64;
    c.variants.push_back({"rows_" + std::to_string(n), {real({n, d}, 3, 8), mean}});
  }
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(0);
    const Tensor y(x.shape(), DType::f32), norms({x.dim(0)}, DType::f32), total({1}, DType::f64);
    kernel::subtract_mean(current_context(), x, run.tensor(1), y, norms, total);
    return vars({y, norms, total});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1);
    Array y({n, d}), norms({n}), total({1});
    for (Index i = 0; i < n * d; ++i) {
      y[i] = x[0][i] - x[1][i % d];
      norms[i / d] += y[i] * y[i];
      total[0] += y[i] * y[i];
    }
    return Arrays{y, norms, total};
  };
  return c;
}

OpCase normalize_rows(bool with_zeros) {
  OpCase c = cluster_case(with_zeros ? "normalize_rows_of_zeros" : "normalize_rows");
  for (const auto& [n, d] : sizes)
    c.variants.push_back({"rows_" + std::to_string(n), {real({n, d}, 1e-3, 8)}});
  const auto is_zero = [=](Index n, Index i) { return with_zeros && (i == n / 2 || i == n - 1); };
  c.run = [is_zero](const Run& run) {
    const Tensor x = run.tensor(0).clone();
    const Index n = x.dim(0);
    for (Index i = 0; i < n; ++i)
      if (is_zero(n, i)) x[i].fill(0);
    const Tensor y(x.shape(), DType::f32), norms({n}, DType::f32), zero({1}, DType::i64);
    kernel::normalize_rows(current_context(), x, y, norms, zero);
    return vars({y, norms, zero});
  };
  c.reference = [is_zero](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1);
    Array y({n, d}), norms({n}), zero({1}, -1);
    for (Index i = 0; i < n; ++i) {
      if (is_zero(n, i)) {
        if (zero[0] < 0) zero[0] = static_cast<double>(i);
        continue;
      }
      double square = 0;
      for (Index j = 0; j < d; ++j) square += x[0][i * d + j] * x[0][i * d + j];
      for (Index j = 0; j < d; ++j) y[i * d + j] = x[0][i * d + j] / std::sqrt(square);
      norms[i] = 1;
    }
    return Arrays{y, norms, zero};
  };
  return c;
}

OpCase column_products() {
  OpCase c = cluster_case("column_products");
  for (const auto& [n, d] : sizes) c.variants.push_back({"rows_" + std::to_string(n), {real({n, d})}});
  c.variants.push_back({"rows_40000", {real({40000, 5})}, true});
  c.run = [](const Run& run) {
    const Index d = run.tensor(0).dim(1);
    const Tensor products({d, d}, DType::f64);
    kernel::column_products(current_context(), run.tensor(0), products);
    return vars({products});
  };
  c.reference = [](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1);
    Array products({d, d});
    for (Index i = 0; i < n; ++i)
      for (Index a = 0; a < d; ++a)
        for (Index b = 0; b < d; ++b) products[a * d + b] += x[0][i * d + a] * x[0][i * d + b];
    return Arrays{products};
  };
  c.bench = {"20000x128", {real({20000, 128})}, true};
  c.cost = [](const std::vector<Input>& x, double) {
    const auto n = static_cast<double>(x[0].shape[0]), d = static_cast<double>(x[0].shape[1]);
    return Cost{n * d * d, 4 * n * d};
  };
  return c;
}

}  // namespace

std::vector<OpCase> cluster_row_cases() {
  return {column_mean(), subtract_mean(), column_products(), normalize_rows(false), normalize_rows(true)};
}

}  // namespace chorale::harness
