// SPDX-License-Identifier: MIT
// Expectation maximisation on the kernels of VaDE's latent, which see each row as a posterior of almost no
// width:
//
//   E-step   mixture_latent_forward gives gamma, and log p(x) from the KL divergence
//   M-step   mixture_latent_backward: the gradients of sum log p(x) by means m and log-variances log s are
//              g_c = sum gamma (x - m_c) / s_c       h_c = 0.5 sum gamma ((x - m_c)^2 / s_c - 1)
//            and with N_c = sum gamma the update is
//              m' = m + s g / N                      s' = s (N + 2 h) / N - (m' - m)^2 + reg_covar
//
// Differences are taken from the current means, so that neither tight clusters far from the origin nor
// columns without variance cancel, as they would in sums of x^2; kernels sum in f64. The rows go through in
// chunks, which bounds n k; sums of chunks are f64 on the host.
#include "cluster/gmm.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>

#include "cluster/kmeans.h"
#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

/// Rows of a chunk times (columns + components).
constexpr std::int64_t chunk_elements = std::int64_t{1} << 21;

void check_options(const GmmOptions& o, const Tensor& x) {
  const std::int64_t n = x.dim(0);
  const auto refuse = [](const char* option, const std::string& what, const std::string& value,
                         const std::string& allowed) {
    throw UsageError(std::string(option) + ": " + what + ": " + value + " (allowed " + allowed + ")");
  };
  if (o.n_components < 1 || o.n_components > n)
    refuse("n_components", "not between 1 and the number of rows", std::to_string(o.n_components),
           "1 to " + std::to_string(n));
  if (o.n_init < 1 || o.n_init > 10000)
    refuse("n_init", "out of range", std::to_string(o.n_init), "1 to 10000");
  if (o.max_iter < 1) refuse("max_iter", "out of range", std::to_string(o.max_iter), "1 or more");
  if (!(o.tol >= 0) || std::isinf(o.tol)) refuse("tol", "out of range", std::to_string(o.tol), "0 or more");
  if (!(o.reg_covar >= 1e-12) || std::isinf(o.reg_covar))
    refuse("reg_covar", "out of range", std::to_string(o.reg_covar), "1e-12 or more");
  if (o.init.defined() && (o.init.dtype() != DType::f32 || o.init.shape() != Shape{n, o.n_components}))
    refuse("init", "not responsibilities in f32", to_string(o.init.shape()),
           "(" + std::to_string(n) + ", " + std::to_string(o.n_components) + ")");
}

/// Of a mixture, in the coordinates of centred rows. Kernels get them in f32; `round` makes them what kernels
/// got.
struct Parameters {
  std::vector<double> weights, means, variances;

  void round() {
    for (double& m : means) m = static_cast<double>(static_cast<float>(m));
    for (double& s : variances) s = std::exp(static_cast<double>(static_cast<float>(std::log(s))));
  }
};

Tensor upload(const std::vector<double>& values, Shape shape, double (*map)(double) = nullptr) {
  std::vector<float> rounded(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    rounded[i] = static_cast<float>(map ? map(values[i]) : values[i]);
  return Tensor::from_host(rounded, std::move(shape));
}

/// Parameters as kernels get them.
struct DeviceMixture {
  Tensor logits, means, log_variances;

  DeviceMixture(const Parameters& p, std::int64_t d)
      : logits(upload(p.weights, {static_cast<std::int64_t>(p.weights.size())}, std::log)),
        means(upload(p.means, {logits.size(), d})),
        log_variances(upload(p.variances, {logits.size(), d}, std::log)) {}
};

/// What the kernels tell of all rows under given parameters.
struct Sums {
  std::vector<double> count, mean_gradient, variance_gradient;  ///< N, g and h
};

void add(const Tensor& part, std::vector<double>& sums) {
  const std::vector<float> values = part.to_host<float>();
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(values[i]);
}

/// Rows on the device and the kernels that see them under a mixture.
class Rows {
 public:
  Rows(const CenteredRows& rows, std::int64_t k, double smallest_variance)
      : context_(current_context()), n_(rows.x.dim(0)), d_(rows.x.dim(1)), k_(k) {
    // Below the rounding of f32 beside any component, over all dimensions.
    width_ = static_cast<float>(std::log(smallest_variance) - 20.0 - std::log(static_cast<double>(d_)));
    params_.log_variance_min = width_;
    params_.log_variance_max = 80.0f;
    params_.sample = false;
    Tensor columns({2 * d_, n_}, DType::f32);
    columns.slice(0, 0, d_).copy_from(rows.x.transpose(0, 1));
    columns.slice(0, d_, 2 * d_).fill(static_cast<double>(width_));
    statistics_ = columns.transpose(0, 1).contiguous();
    chunk_ = std::min(n_, std::max<std::int64_t>(256, chunk_elements / (d_ + k_)));
  }

  std::int64_t size() const { return n_; }
  std::int64_t columns() const { return d_; }
  std::int64_t components() const { return k_; }

  /// Calls body(begin, end) for consecutive chunks of rows.
  template <class Body>
  void by_chunks(const Body& body) const {
    for (std::int64_t begin = 0; begin < n_; begin += chunk_) body(begin, std::min(n_, begin + chunk_));
  }

  /// gamma f32 (end - begin, k) of a chunk; the log-likelihoods of its rows go to their places.
  Tensor expect(const DeviceMixture& m, std::int64_t begin, std::int64_t end,
                std::vector<double>& log_likelihood) const {
    const std::int64_t rows = end - begin;
    const Tensor z({rows, d_}, DType::f32), kl({rows}, DType::f32), gamma({rows, k_}, DType::f32);
    const StepState* none = nullptr;
    kernel::mixture_latent_forward(context_, statistics_.slice(0, begin, end), m.logits, m.means,
                                   m.log_variances, none, 0u, params_, z, kl, gamma);
    // kl = -log p(x) + E log q(x'), where q is the row's narrow posterior; neither counts the 2 pi.
    const double d = static_cast<double>(d_);
    const double constant = 0.5 * d * (1.0 + static_cast<double>(width_) + std::log(2 * std::numbers::pi));
    const std::vector<float> values = kl.to_host<float>();
    for (std::size_t i = 0; i < values.size(); ++i)
      log_likelihood[static_cast<std::size_t>(begin) + i] = -static_cast<double>(values[i]) - constant;
    return gamma;
  }

  /// Adds N, g and h of a chunk whose responsibilities are given.
  void accumulate(const DeviceMixture& m, std::int64_t begin, std::int64_t end, const Tensor& gamma,
                  Sums& sums) const {
    const std::int64_t rows = end - begin;
    const Tensor dlogits({k_}, DType::f32), dmeans({k_, d_}, DType::f32),
        dlog_variances({k_, d_}, DType::f32), count({1, k_}, DType::f32);
    const StepState* none = nullptr;
    kernel::mixture_latent_backward(context_, ConstView(), Tensor::full({rows}, -1.0),
                                    statistics_.slice(0, begin, end), m.logits, m.means, m.log_variances,
                                    gamma, none, 0u, params_, View(), dlogits, dmeans, dlog_variances);
    kernel::reduce_sum(context_, gamma.reshape({1, rows, k_}), count);
    add(count, sums.count);
    add(dmeans, sums.mean_gradient);
    add(dlog_variances, sums.variance_gradient);
  }

  Sums no_sums() const {
    const auto kd = static_cast<std::size_t>(k_ * d_);
    return {std::vector<double>(static_cast<std::size_t>(k_)), std::vector<double>(kd),
            std::vector<double>(kd)};
  }

 private:
  Context& context_;
  std::int64_t n_, d_, k_, chunk_ = 0;
  float width_ = 0;  ///< log-variance of a row's posterior
  GaussianLatentParams params_;
  Tensor statistics_;  ///< (n, 2 d)
};

/// Moves p by the sums found under it. False if a variance became so small beside what it was computed from
/// that the rounding of the sums shows in it.
bool update(Parameters& p, const Sums& sums, double reg_covar) {
  const std::size_t k = p.weights.size(), d = p.means.size() / k;
  bool accurate = true;
  double total = 0;
  for (std::size_t c = 0; c < k; ++c) {
    // scikit-learn's guard: a component without points divides by this.
    const double count = sums.count[c] + 10 * std::numeric_limits<double>::epsilon();
    p.weights[c] = count;
    total += count;
    for (std::size_t i = c * d; i < (c + 1) * d; ++i) {
      // Of the mixture that the kernels saw.
      const double mean = static_cast<double>(static_cast<float>(p.means[i]));
      const double variance = std::exp(static_cast<double>(static_cast<float>(std::log(p.variances[i]))));
      const double step = variance * sums.mean_gradient[i] / count;
      const double square = variance * (sums.count[c] + 2 * sums.variance_gradient[i]) / count;
      p.means[i] = mean + step;
      p.variances[i] = std::max(0.0, square - step * step) + reg_covar;
      accurate &= p.variances[i] >= 0.01 * std::max(variance, square);
    }
  }
  for (double& weight : p.weights) weight /= total;
  return accurate;
}

/// Responsibilities of the rows of a chunk.
using Responsibilities = std::function<Tensor(std::int64_t begin, std::int64_t end)>;

/// The M-step: parameters of highest likelihood for given responsibilities, found from p.
Parameters maximize(const Rows& rows, Parameters p, const Responsibilities& responsibilities,
                    double reg_covar) {
  for (int pass = 0; pass < 2; ++pass) {
    const DeviceMixture mixture(p, rows.columns());
    Sums sums = rows.no_sums();
    rows.by_chunks([&](std::int64_t begin, std::int64_t end) {
      rows.accumulate(mixture, begin, end, responsibilities(begin, end), sums);
    });
    if (update(p, sums, reg_covar)) break;
  }
  return p;
}

Responsibilities one_hot(const std::vector<std::int32_t>& labels, std::int64_t k) {
  return [&labels, k](std::int64_t begin, std::int64_t end) {
    std::vector<float> values(static_cast<std::size_t>((end - begin) * k));
    for (std::int64_t i = begin; i < end; ++i)
      values[static_cast<std::size_t>((i - begin) * k + labels[static_cast<std::size_t>(i)])] = 1;
    return Tensor::from_host(values, {end - begin, k});
  };
}

struct Restart {
  Parameters parameters;
  double lower_bound = -std::numeric_limits<double>::infinity();
  bool converged = false;
  std::int64_t n_iter = 0;
};

Restart iterate(const Rows& rows, const Responsibilities& start, double mean_variance,
                const GmmOptions& options) {
  const auto k = static_cast<std::size_t>(rows.components()),
             kd = k * static_cast<std::size_t>(rows.columns());
  Restart r;
  r.parameters = {std::vector<double>(k, 1.0 / static_cast<double>(k)), std::vector<double>(kd, 0.0),
                  std::vector<double>(kd, std::max(mean_variance, options.reg_covar))};
  r.parameters = maximize(rows, std::move(r.parameters), start, options.reg_covar);
  std::vector<double> log_likelihood(static_cast<std::size_t>(rows.size()));
  while (r.n_iter < options.max_iter && !r.converged) {
    const DeviceMixture current(r.parameters, rows.columns());
    const auto expected = [&](std::int64_t begin, std::int64_t end) {
      return rows.expect(current, begin, end, log_likelihood);
    };
    r.parameters = maximize(rows, std::move(r.parameters), expected, options.reg_covar);
    const double bound =
        std::accumulate(log_likelihood.begin(), log_likelihood.end(), 0.0) / static_cast<double>(rows.size());
    r.converged = std::fabs(bound - r.lower_bound) < options.tol;
    r.lower_bound = bound;
    ++r.n_iter;
  }
  return r;
}

/// Parameters of a fitted mixture about another mean.
Parameters moved(const Gmm& g, const Tensor& mean) {
  Parameters p{g.weights_, g.means_, g.covariances_};
  const std::vector<double> origin = mean.to_host<double>();
  for (std::size_t i = 0; i < p.means.size(); ++i) p.means[i] -= origin[i % origin.size()];
  return p;
}

/// Calls body(begin, end, responsibilities) for chunks of the rows of x under a fitted mixture; returns their
/// log-likelihoods.
template <class Body>
std::vector<double> expect(const Gmm& g, const Tensor& x, const std::string& name, const Body& body) {
  check_matrix(x, name);
  if (x.dim(1) != g.n_features_)
    throw InputError(name + ": another number of columns than the mixture was fitted on: " +
                     to_string(x.shape()) + " (allowed (n, " + std::to_string(g.n_features_) + "))");
  const CenteredRows centred = center_rows(x, name);
  const Rows rows(centred, g.n_components_, *std::min_element(g.covariances_.begin(), g.covariances_.end()));
  const DeviceMixture mixture(moved(g, centred.mean), g.n_features_);
  std::vector<double> log_likelihood(static_cast<std::size_t>(rows.size()));
  rows.by_chunks([&](std::int64_t begin, std::int64_t end) {
    body(begin, end, rows.expect(mixture, begin, end, log_likelihood));
  });
  return log_likelihood;
}

}  // namespace

Gmm gmm(const Tensor& x, const GmmOptions& options, const std::string& name) {
  check_matrix(x, name);
  check_options(options, x);
  const CenteredRows centred = center_rows(x, name);
  const std::int64_t n = x.dim(0), d = x.dim(1), k = options.n_components;
  const Rows rows(centred, k, options.reg_covar);
  const double mean_variance = centred.total_square / static_cast<double>(n * d);
  const auto run = [&](const Responsibilities& start) {
    return iterate(rows, start, mean_variance, options);
  };
  Restart best;
  if (options.init.defined()) {
    const Tensor given = options.init.contiguous();
    best = run([&](std::int64_t begin, std::int64_t end) { return given.slice(0, begin, end); });
  } else {
    for (std::int64_t i = 0; i < options.n_init; ++i) {
      KMeansOptions start;
      start.n_clusters = k;
      start.n_init = 1;
      start.random_state = options.random_state + static_cast<std::uint64_t>(i);
      const std::vector<std::int32_t> labels = kmeans(x, start, name).labels_.to_host<std::int32_t>();
      Restart restart = run(one_hot(labels, k));
      if (i == 0 || restart.lower_bound > best.lower_bound) best = std::move(restart);
    }
  }
  Gmm g{k,
        d,
        best.parameters.weights,
        best.parameters.means,
        best.parameters.variances,
        best.lower_bound,
        best.converged,
        best.n_iter,
        Tensor()};
  const std::vector<double> origin = centred.mean.to_host<double>();
  for (std::size_t i = 0; i < g.means_.size(); ++i) g.means_[i] += origin[i % origin.size()];
  g.log_likelihood_ = g.score_samples(x, name);
  return g;
}

Tensor Gmm::score_samples(const Tensor& x, const std::string& name) const {
  return upload(expect(*this, x, name, [](std::int64_t, std::int64_t, const Tensor&) {}), {x.dim(0)});
}

Tensor Gmm::predict_proba(const Tensor& x, const std::string& name) const {
  check_matrix(x, name);
  const Tensor all({x.dim(0), n_components_}, DType::f32);
  expect(*this, x, name, [&](std::int64_t begin, std::int64_t end, const Tensor& gamma) {
    all.slice(0, begin, end).copy_from(gamma);
  });
  return all;
}

}  // namespace chorale::cluster
