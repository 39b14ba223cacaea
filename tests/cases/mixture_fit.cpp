// SPDX-License-Identifier: MIT
// The kernels of expectation maximisation on Gaussian mixtures, against their definitions in f64.
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/launch.h"
#include "kernels/params.h"
#include "tests/cases/cluster_case.h"

namespace chorale::harness {
namespace {

using clustering::Index;
using clustering::real;
using clustering::vars;

enum class Kind : std::uint8_t { full, tied, diagonal, spherical };

const char* name_of(Kind kind) {
  constexpr const char* names[] = {"full", "tied", "diagonal", "spherical"};
  return names[static_cast<int>(kind)];
}

Shape factor_shape(Kind kind, Index k, Index d) {
  if (kind == Kind::full) return {k, d, d};
  return kind == Kind::tied ? Shape{1, d, d} : Shape{k, d};
}

/// x, centers, factors, constants. Factors are small, so that several components share a row.
std::vector<Variant> mixtures(Kind kind) {
  constexpr Index sizes[][3] = {{1, 1, 2}, {37, 5, 7}, {530, 3, 5}, {70, 140, 3}, {70, 17, 70}, {9000, 2, 2}};
  std::vector<Variant> variants;
  for (const auto& [n, d, k] : sizes) {
    const double scale = (kind == Kind::diagonal ? 1 : 0.4) / std::sqrt(static_cast<double>(d));
    variants.push_back({std::to_string(n) + "x" + std::to_string(d) + "_components_" + std::to_string(k),
                        {real({n, d}), real({k, d}), real(factor_shape(kind, k, d), -scale, scale),
                         real({k}, -2, 2, Storage::f64)}});
  }
  return variants;
}

struct Expected {
  Array log_likelihood, responsibilities, labels;
  double bound = 0;
};

Expected expect(const Arrays& x, Kind kind) {
  const Index n = x[0].dim(0), d = x[0].dim(1), k = x[1].dim(0);
  Expected e{Array({n}), Array({n, k}), Array({n})};
  for (Index i = 0; i < n; ++i) {
    std::vector<double> density;
    for (Index c = 0; c < k; ++c) {
      double square = 0;
      for (Index j = 0; j < d; ++j) {
        double y = 0;
        for (Index l = 0; l <= j; ++l) {
          const double z = x[0][i * d + l] - x[1][c * d + l];
          if (kind == Kind::diagonal) {
            y += l == j ? z * x[2][c * d + j] : 0;
          } else {
            y += z * x[2][((kind == Kind::full ? c : 0) * d + l) * d + j];
          }
        }
        square += y * y;
      }
      density.push_back(x[3][c] - square / 2);
    }
    double highest = density[0], sum = 0;
    for (const double value : density) highest = std::max(highest, value);
    for (const double value : density) sum += std::exp(value - highest);
    e.log_likelihood[i] = highest + std::log(sum);
    e.bound += e.log_likelihood[i] / static_cast<double>(n);
    for (Index c = k - 1; c >= 0; --c) {
      const double value = density[static_cast<std::size_t>(c)];
      e.responsibilities[i * k + c] = std::exp(value - e.log_likelihood[i]);
      if (value == highest) e.labels[i] = static_cast<double>(c);
    }
  }
  return e;
}

OpCase gmm_expect(Kind kind) {
  OpCase c = statistics_case(std::string("gmm_expect_") + name_of(kind));
  c.variants = mixtures(kind);
  c.run = [](const Run& run) {
    const Index n = run.tensor(0).dim(0), k = run.tensor(1).dim(0);
    const Tensor log_likelihood({n}, DType::f32), responsibilities({n, k}, DType::f32),
        labels({n}, DType::i32);
    kernel::gmm_expect(current_context(), run.tensor(0), run.tensor(1), run.tensor(2), run.tensor(3),
                       log_likelihood, responsibilities, labels);
    return vars({log_likelihood, responsibilities, labels});
  };
  c.reference = [kind](const Arrays& x) {
    const Expected e = expect(x, kind);
    return Arrays{e.log_likelihood, e.responsibilities, e.labels};
  };
  return c;
}

/// What gmm_step sums up for given responsibilities; second of `shape`, [k, d] or [k or 1, d, d], or empty.
Arrays moments(const Array& x, const Array& centers, const Array& responsibilities, const Shape& shape) {
  const Index n = x.dim(0), d = x.dim(1), k = centers.dim(0);
  Array counts({k}), first({k, d}), second(shape);
  for (Index i = 0; i < n; ++i)
    for (Index c = 0; c < k; ++c) {
      const double r = responsibilities[i * k + c];
      counts[c] += r;
      for (Index j = 0; j < d; ++j) {
        const double z = x[i * d + j] - centers[c * d + j];
        first[c * d + j] += r * z;
        if (shape.size() == 2) second[c * d + j] += r * z * z;
        for (Index l = 0; shape.size() == 3 && l <= j; ++l)
          second[((shape[0] == k ? c : 0) * d + l) * d + j] += r * (x[i * d + l] - centers[c * d + l]) * z;
      }
    }
  return {counts, first, second};
}

/// Zeroes what is below the diagonal of matrices, which gmm_step leaves open.
Tensor upper_triangle(const Tensor& matrices) {
  Array values = to_array(matrices);
  const Index d = matrices.dim(-1);
  for (Index at = 0; matrices.rank() == 3 && at < values.size(); ++at)
    if (at / d % d > at % d) values[at] = 0;
  return to_device(values, DType::f64);
}

/// Steps under the mixture, then once more in a fit that is done, which must change nothing.
OpCase gmm_step(Kind kind) {
  OpCase c = statistics_case(std::string("gmm_step_") + name_of(kind));
  c.variants = mixtures(kind);
  c.run = [kind](const Run& run) {
    const Index d = run.tensor(0).dim(1), k = run.tensor(1).dim(0);
    const Tensor bound({1}, DType::f64), counts({k}, DType::f64), first({k, d}, DType::f64),
        second = Tensor::zeros(factor_shape(kind, k, d), DType::f64);
    const View squares = kind == Kind::tied ? View() : View(second);
    for (const double done : {0.0, 1.0})
      kernel::gmm_step(current_context(), done ? run.tensor(0).slice(0, 0, 1) : run.tensor(0), ConstView(),
                       run.tensor(1), run.tensor(2), run.tensor(3),
                       Tensor::from_host(std::vector<double>{0, 0, done, 0}, {gmm_state_size}), bound, counts,
                       first, squares);
    return vars({bound, counts, first, upper_triangle(second)});
  };
  c.reference = [kind](const Arrays& x) {
    const Expected e = expect(x, kind);
    const Index d = x[0].dim(1), k = x[1].dim(0);
    Arrays sums =
        moments(x[0], x[1], e.responsibilities, kind == Kind::tied ? Shape{} : factor_shape(kind, k, d));
    if (kind == Kind::tied) sums[2] = Array({1, d, d});
    return Arrays{Array({1}, e.bound), sums[0], sums[1], sums[2]};
  };
  return c;
}

/// Labels or responsibilities are given; matrices for each component, or one for all.
OpCase gmm_step_given(bool labels) {
  OpCase c = statistics_case(labels ? "gmm_step_labels" : "gmm_step_given");
  constexpr Index sizes[][3] = {{1, 1, 2}, {37, 5, 7}, {530, 3, 5}, {70, 140, 3}, {3000, 20, 2}};
  for (const auto& [n, d, k] : sizes)
    c.variants.push_back(
        {std::to_string(n) + "x" + std::to_string(d),
         {real({n, d}), real({k, d}),
          labels ? Input{{n}, 0, static_cast<double>(k - 1), false, Storage::i64} : real({n, k}, 0, 1)}});
  c.run = [labels](const Run& run) {
    const Index d = run.tensor(0).dim(1), k = run.tensor(1).dim(0);
    const Tensor counts({k}, DType::f64), first({k, d}, DType::f64),
        second = Tensor::zeros({labels ? k : 1, d, d}, DType::f64);
    kernel::gmm_step(current_context(), run.tensor(0), labels ? run.tensor(2).to(DType::i32) : run.tensor(2),
                     run.tensor(1), ConstView(), ConstView(), ConstView(), View(), counts, first, second);
    return vars({counts, first, upper_triangle(second)});
  };
  c.reference = [labels](const Arrays& x) {
    const Index n = x[0].dim(0), d = x[0].dim(1), k = x[1].dim(0);
    Array r = x[2];
    if (labels) {
      r = Array({n, k});
      for (Index i = 0; i < n; ++i) r[i * k + static_cast<Index>(x[2][i])] = 1;
    }
    return moments(x[0], x[1], r, {labels ? k : 1, d, d});
  };
  return c;
}

constexpr double reg_covar = 0.5, tol = 0.25, bound_before = -3.5, bound_now = -3.375;

/// A second moment that leaves a positive definite covariance: of rows g [k, rows, d] about the new means, or
/// for tied covariances the scatter about the origin that is all components' together.
Array second_moment(const Array& counts, const Array& first, const Array& g, const Array& centers,
                    Kind kind) {
  const Index k = centers.dim(0), d = centers.dim(1), rows = g.dim(1);
  const bool squares = kind == Kind::diagonal || kind == Kind::spherical;
  Array second(factor_shape(squares ? Kind::diagonal : kind, k, d));
  for (Index c = 0; c < k; ++c)
    for (Index i = 0; i < d; ++i)
      for (Index j = i; j < d; ++j) {
        double sum = 0;
        for (Index r = 0; r < rows; ++r) sum += g[(c * rows + r) * d + i] * g[(c * rows + r) * d + j];
        const double step_i = first[c * d + i] / counts[c], step_j = first[c * d + j] / counts[c];
        if (kind == Kind::tied) {
          second[i * d + j] +=
              sum + counts[c] * (centers[c * d + i] + step_i) * (centers[c * d + j] + step_j);
        } else if (!squares || i == j) {
          second[squares ? c * d + i : (c * d + i) * d + j] = sum + counts[c] * step_i * step_j;
        }
      }
  return second;
}

/// P = L^-T of a = L L^T, by the textbook; returns log |P|.
double factorize(const double* a, Index d, double* p) {
  std::vector<double> l(static_cast<std::size_t>(d * d)), inverse(l.size());
  const auto at = [d](std::vector<double>& m, Index i, Index j) -> double& {
    return m[static_cast<std::size_t>(i * d + j)];
  };
  double log_determinant = 0;
  for (Index j = 0; j < d; ++j) {
    for (Index i = j; i < d; ++i) {
      double sum = a[i * d + j];
      for (Index q = 0; q < j; ++q) sum -= at(l, i, q) * at(l, j, q);
      at(l, i, j) = i == j ? std::sqrt(sum) : sum / at(l, j, j);
    }
    log_determinant -= std::log(at(l, j, j));
  }
  for (Index column = 0; column < d; ++column)
    for (Index i = column; i < d; ++i) {
      double sum = i == column;
      for (Index q = column; q < i; ++q) sum -= at(l, i, q) * at(inverse, q, column);
      at(inverse, i, column) = sum / at(l, i, i);
      p[column * d + i] = at(inverse, i, column);
    }
  return log_determinant;
}

OpCase gmm_update(Kind kind) {
  OpCase c = statistics_case(std::string("gmm_update_") + name_of(kind));
  for (const auto& [k, d] : {std::pair<Index, Index>{1, 1}, {3, 7}, {2, 70}, {3, 140}}) {
    if (k == 1 && kind == Kind::tied) continue;
    c.variants.push_back({"components_" + std::to_string(k) + "_columns_" + std::to_string(d),
                          {real({k}, 5, 9, Storage::f64), real({k, d}, -2, 2, Storage::f64),
                           real({k, d + 3, d}, -2, 2, Storage::f64), real({k, d})}});
  }
  c.run = [kind](const Run& run) {
    const Tensor centers = run.tensor(3).clone();
    const Index k = centers.dim(0), d = centers.dim(1);
    const Tensor second = to_device(second_moment(to_array(run.tensor(0)), to_array(run.tensor(1)),
                                                  to_array(run.tensor(2)), to_array(centers), kind),
                                    DType::f64);
    const Tensor state = Tensor::from_host(std::vector<double>{bound_before, 3, 0, 0}, {gmm_state_size});
    const Tensor weights({k}, DType::f64), means({k, d}, DType::f64),
        covariances(kind == Kind::spherical ? Shape{k} : second.shape(), DType::f64),
        factors(second.shape(), DType::f32), constants({k}, DType::f64);
    for (int call = 0; call < 2; ++call)  // the second finds the fit converged
      kernel::gmm_update(current_context(), run.tensor(0), run.tensor(1), second,
                         Tensor::full({1}, bound_now, DType::f64), reg_covar, tol, state, weights, means,
                         covariances, centers, factors, constants);
    return vars({state, weights, means, covariances, centers, factors, constants});
  };
  c.reference = [kind](const Arrays& x) {
    const Array &counts = x[0], &first = x[1];
    Array centers = x[3];
    const Index k = centers.dim(0), d = centers.dim(1);
    const Array second = second_moment(counts, first, x[2], centers, kind);
    Array state({gmm_state_size}), weights({k}), means({k, d}), covariances = second, factors(second.shape),
                                                                constants({k});
    state.values = {bound_now, 4, 1, 0};
    double total = 0;
    for (Index c = 0; c < k; ++c) total += counts[c];
    for (Index c = 0; c < k; ++c) {
      weights[c] = counts[c] / total;
      for (Index j = 0; j < d; ++j) means[c * d + j] = centers[c * d + j] + first[c * d + j] / counts[c];
    }
    const bool squares = second.shape.size() == 2;
    const Index rows = squares ? 1 : d;
    for (Index m = 0; m < second.shape[0]; ++m)
      for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < d; ++j) {
          const Index row = squares ? j : std::min(i, j), column = squares ? j : std::max(i, j);
          double value = second[squares ? m * d + j : (m * d + row) * d + column];
          if (kind == Kind::tied) {
            for (Index c = 0; c < k; ++c) value -= counts[c] * means[c * d + row] * means[c * d + column];
            value /= total;
          } else {
            value = (value - first[m * d + row] * first[m * d + column] / counts[m]) / counts[m];
          }
          covariances[(m * rows + i) * d + j] = value + (row == column ? reg_covar : 0);
        }
    if (kind == Kind::spherical) {
      Array one({k});
      for (Index at = 0; at < k * d; ++at) one[at / d] += covariances[at] / static_cast<double>(d);
      covariances = one;
    }
    for (Index c = 0; c < k; ++c) {
      double log_determinant = 0;
      if (squares) {
        for (Index j = 0; j < d; ++j) {
          factors[c * d + j] = 1 / std::sqrt(covariances[kind == Kind::spherical ? c : c * d + j]);
          log_determinant += std::log(factors[c * d + j]);
        }
      } else {
        const Index m = kind == Kind::tied ? 0 : c;
        log_determinant =
            factorize(covariances.values.data() + m * d * d, d, factors.values.data() + m * d * d);
      }
      constants[c] = std::log(weights[c]) + log_determinant -
                     0.5 * static_cast<double>(d) * std::log(2 * std::numbers::pi);
    }
    return Arrays{state, weights, means, covariances, means, factors, constants};
  };
  return c;
}

/// Component 1 has no positive definite covariance.
OpCase gmm_update_failed(Kind kind) {
  OpCase c = statistics_case(std::string("gmm_update_failed_") + name_of(kind));
  c.variants.push_back({"components_3", {real({3}, 4, 5, Storage::f64)}});
  c.run = [kind](const Run& run) {
    Array second(factor_shape(kind, 3, 4));
    for (Index c = 0; c < 3; ++c)
      for (Index j = 0; j < 4; ++j)
        second[kind == Kind::diagonal ? c * 4 + j : (c * 4 + j) * 4 + j] = c == 1 && j == 2 ? 0 : 1;
    const Tensor state = Tensor::from_host(std::vector<double>{bound_before, 3, 0, 0}, {gmm_state_size});
    const Tensor weights({3}, DType::f64), means({3, 4}, DType::f64), covariances(second.shape, DType::f64),
        factors(second.shape, DType::f32), constants({3}, DType::f64), centers = Tensor::zeros({3, 4});
    for (int call = 0; call < 2; ++call)  // the second finds the fit failed
      kernel::gmm_update(current_context(), run.tensor(0), Tensor::zeros({3, 4}, DType::f64),
                         to_device(second, DType::f64), Tensor::full({1}, bound_now, DType::f64), 0, 0, state,
                         weights, means, covariances, centers, factors, constants);
    return vars({state});
  };
  c.reference = [](const Arrays&) {
    Array state({gmm_state_size});
    state.values = {bound_now, 4, 0, 2};
    return Arrays{state};
  };
  return c;
}

}  // namespace

std::vector<OpCase> mixture_fit_cases() {
  std::vector<OpCase> cases;
  for (const Kind kind : {Kind::full, Kind::tied, Kind::diagonal}) {
    cases.push_back(gmm_expect(kind));
    cases.push_back(gmm_step(kind));
  }
  for (const bool labels : {false, true}) cases.push_back(gmm_step_given(labels));
  for (const Kind kind : {Kind::full, Kind::tied, Kind::diagonal, Kind::spherical})
    cases.push_back(gmm_update(kind));
  for (const Kind kind : {Kind::full, Kind::diagonal}) cases.push_back(gmm_update_failed(kind));
  return cases;
}

}  // namespace chorale::harness
