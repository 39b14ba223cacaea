// SPDX-License-Identifier: MIT
// Expectation maximisation. All parameters live on the device; an iteration is gmm_step (one pass over the
// rows: E and the sums of M) and gmm_update (M), which keep count and stop by themselves. The host looks
// every few iterations.
//
// Sums are about the current means, so that tight clusters far from the origin do not cancel; the first means
// are those of the start. Tied covariances need the scatter of all rows about the origin only once, because
// responsibilities add up to 1; it is put together from the scatter within hard clusters and their means.
#include "cluster/gmm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "cluster/kmeans.h"
#include "cluster/rows.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

/// From here on k-means++ would take longer than EM: 200,000 x 64, k = 50: 0.50 s against 0.25 of k-means||.
constexpr std::int64_t many_components = 32;
/// Iterations between looks at the state.
constexpr std::int64_t look_every = 4;

void check_init(const Tensor& init, std::int64_t n, std::int64_t k) {
  const std::string allowed = " (allowed f32 (" + std::to_string(n) + ", " + std::to_string(k) +
                              ") or i32 (" + std::to_string(n) + "))";
  if (!(init.dtype() == DType::f32 && init.shape() == Shape{n, k}) &&
      !(init.dtype() == DType::i32 && init.shape() == Shape{n}))
    throw UsageError("init: neither responsibilities nor labels: " + std::string(dtype_name(init.dtype())) +
                     " " + to_string(init.shape()) + allowed);
  if (init.dtype() == DType::i32) {
    for (const std::int32_t label : init.to_host<std::int32_t>())
      if (label < 0 || label >= k)
        throw UsageError("init: not a label: " + std::to_string(label) + " (allowed 0 to " +
                         std::to_string(k - 1) + ")");
  } else {
    for (const float r : init.to_host<float>())
      if (!(r >= 0 && r <= 1))
        throw UsageError("init: not a responsibility: " + std::to_string(r) + " (allowed 0 to 1)");
  }
}

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
  if (!(o.reg_covar >= 0) || std::isinf(o.reg_covar))
    refuse("reg_covar", "out of range", std::to_string(o.reg_covar), "0 or more");
  if (o.init.defined()) check_init(o.init, n, o.n_components);
}

/// Labels i32 (n) of the largest responsibilities f32 (n, k).
Tensor most_likely(const Tensor& responsibilities) {
  const std::vector<float> r = responsibilities.to_host<float>();
  const auto k = static_cast<std::ptrdiff_t>(responsibilities.dim(1));
  std::vector<std::int32_t> labels;
  for (auto row = r.begin(); row != r.end(); row += k)
    labels.push_back(static_cast<std::int32_t>(std::max_element(row, row + k) - row));
  return Tensor::from_host(labels, {responsibilities.dim(0)});
}

/// Where a restart begins: f32 (n, k) or i32 (n); centers f32 (k, d) near the means that follow from it.
struct Start {
  Tensor given, centers;
};

/// One restart, on the device.
class Restart {
 public:
  Restart(const CenteredRows& rows, const GmmOptions& options, std::string name)
      : context_(current_context()),
        x_(rows.x),
        options_(options),
        name_(std::move(name)),
        d_(x_.dim(1)),
        k_(options.n_components),
        // With one component both are the same, and the sums about its mean are the more accurate ones.
        tied_(options.covariance_type == CovarianceType::tied && k_ > 1),
        centers_({k_, d_}, DType::f32),
        constants_({k_}, DType::f64),
        weights_({k_}, DType::f64),
        means_({k_, d_}, DType::f64),
        counts_({k_}, DType::f64),
        first_({k_, d_}, DType::f64),
        bound_({1}, DType::f64),
        state_(Tensor::from_host(std::vector<double>{-std::numeric_limits<double>::infinity(), 0, 0, 0},
                                 {gmm_state_size})) {
    const CovarianceType type = options.covariance_type;
    const bool matrices = type == CovarianceType::full || type == CovarianceType::tied;
    const Shape shape = matrices ? Shape{tied_ ? 1 : k_, d_, d_} : Shape{k_, d_};
    factors_ = Tensor(shape, DType::f32);
    second_ = Tensor(shape, DType::f64);
    covariances_ = Tensor(type == CovarianceType::spherical ? Shape{k_} : shape, DType::f64);
  }

  void run(const Start& start) {
    centers_.copy_from(start.centers);
    begin(start.given);
    for (std::int64_t i = 0; i < options_.max_iter; ++i) {
      step(ConstView(), tied_ ? View() : View(second_));
      update(bound_);
      if ((i + 1) % look_every == 0 && finished()) break;
    }
    finished();
  }

  double lower_bound() const { return lower_bound_; }

  Gmm result(const CenteredRows& rows) const {
    const std::vector<double> state = state_.to_host<double>(), origin = rows.mean.to_host<double>();
    Gmm g;
    g.n_components_ = k_;
    g.n_features_ = d_;
    g.covariance_type_ = options_.covariance_type;
    g.weights_ = weights_.to_host<double>();
    g.means_ = means_.to_host<double>();
    for (std::size_t i = 0; i < g.means_.size(); ++i) g.means_[i] += origin[i % origin.size()];
    g.covariances_ = covariances_.to_host<double>();
    g.lower_bound_ = lower_bound_;
    g.converged_ = state[gmm_converged] != 0;
    g.n_iter_ = static_cast<std::int64_t>(state[gmm_steps]);
    g.origin_ = rows.mean;
    g.centers_ = centers_;
    g.precisions_cholesky_ = factors_;
    g.constants_ = constants_;
    g.labels_ = Tensor({x_.dim(0)}, DType::i32);
    g.log_likelihood_ = Tensor({x_.dim(0)}, DType::f32);
    kernel::gmm_expect(context_, x_, centers_, factors_, constants_, g.log_likelihood_, View(), g.labels_);
    return g;
  }

 private:
  void step(ConstView given, View second) {
    const bool own = !given;
    kernel::gmm_step(context_, x_, given, centers_, own ? ConstView(factors_) : ConstView(),
                     own ? ConstView(constants_) : ConstView(), own ? ConstView(state_) : ConstView(),
                     own ? View(bound_) : View(), counts_, first_, second);
  }

  void update(ConstView bound) {
    kernel::gmm_update(context_, counts_, first_, second_, bound, options_.reg_covar, options_.tol, state_,
                       weights_, means_, covariances_, centers_, factors_, constants_);
  }

  /// The maximisation for given responsibilities.
  void begin(const Tensor& given) {
    const bool soft = given.dtype() == DType::f32;
    step(tied_ && soft ? most_likely(given) : given, second_);
    if (tied_) {
      move_scatter_to_origin();
      if (soft) step(given, View());
    }
    update(ConstView());
    finished();
  }

  /// second, summed over hard clusters about their centers, becomes the scatter of all rows about the origin.
  void move_scatter_to_origin() {
    std::vector<double> scatter = second_.to_host<double>();
    const std::vector<double> counts = counts_.to_host<double>(), first = first_.to_host<double>();
    const std::vector<float> centers = centers_.to_host<float>();
    const auto d = static_cast<std::size_t>(d_);
    for (std::size_t c = 0; c < counts.size(); ++c)
      for (std::size_t i = 0; i < d; ++i)
        for (std::size_t j = i; j < d; ++j) {
          const double at_i = static_cast<double>(centers[c * d + i]),
                       at_j = static_cast<double>(centers[c * d + j]);
          scatter[i * d + j] += first[c * d + i] * at_j + at_i * first[c * d + j] + counts[c] * at_i * at_j;
        }
    second_.upload(scatter.data(), DType::f64);
  }

  /// Reads the state; true if there is nothing left to do.
  bool finished() {
    const std::vector<double> state = state_.to_host<double>();
    if (state[gmm_failed] != 0)
      throw NumericalError(name_ + ": covariance of component " +
                           std::to_string(static_cast<std::int64_t>(state[gmm_failed]) - 1) +
                           " is not positive definite: reg_covar " + std::to_string(options_.reg_covar) +
                           " (allowed a larger reg_covar, fewer components, or data of another scale)");
    lower_bound_ = state[gmm_bound];
    if (state[gmm_steps] > 0 && !std::isfinite(lower_bound_))
      throw NumericalError(name_ + ": log-likelihood is not finite: " + std::to_string(lower_bound_) +
                           " (allowed a larger reg_covar, or data of another scale)");
    return state[gmm_converged] != 0;
  }

  Context& context_;
  Tensor x_;
  GmmOptions options_;
  std::string name_;
  std::int64_t d_, k_;
  bool tied_;
  Tensor centers_, constants_, weights_, means_, counts_, first_, bound_, state_;
  Tensor factors_, second_, covariances_;  // of the covariances' shape
  double lower_bound_ = 0;
};

/// Means of given responsibilities, about the origin.
Start start_from(const CenteredRows& rows, const Tensor& given, std::int64_t k) {
  const std::int64_t d = rows.x.dim(1);
  const Tensor zero = Tensor::zeros({k, d}), counts({k}, DType::f64), first({k, d}, DType::f64);
  kernel::gmm_step(current_context(), rows.x, given, zero, ConstView(), ConstView(), ConstView(), View(),
                   counts, first, View());
  const std::vector<double> count = counts.to_host<double>(), sum = first.to_host<double>();
  std::vector<float> centers(sum.size());
  for (std::size_t i = 0; i < sum.size(); ++i)
    if (count[i / static_cast<std::size_t>(d)] > 0)
      centers[i] = static_cast<float>(sum[i] / count[i / static_cast<std::size_t>(d)]);
  return {given, Tensor::from_host(centers, {k, d})};
}

/// Labels of a k-means, and its centers about the origin.
Start start_from_kmeans(const Tensor& x, const CenteredRows& rows, const GmmOptions& options,
                        std::int64_t restart, const std::string& name) {
  KMeansOptions start;
  start.n_clusters = options.n_components;
  start.n_init = 1;
  if (start.n_clusters >= many_components) start.init = "k-means||";
  start.random_state = options.random_state + static_cast<std::uint64_t>(restart);
  const KMeansResult result = kmeans(x, start, name);
  std::vector<float> centers = result.cluster_centers_.to_host<float>();
  const std::vector<double> origin = rows.mean.to_host<double>();
  for (std::size_t i = 0; i < centers.size(); ++i)
    centers[i] = static_cast<float>(static_cast<double>(centers[i]) - origin[i % origin.size()]);
  return {result.labels_, Tensor::from_host(centers, result.cluster_centers_.shape())};
}

/// Log-likelihoods f32 (n) of the rows of x; responsibilities and labels where asked for.
Tensor expect(const Gmm& g, const Tensor& x, const std::string& name, View responsibilities, View labels) {
  const CenteredRows rows = center_rows(x, name, g.origin_);
  const Tensor log_likelihood({x.dim(0)}, DType::f32);
  kernel::gmm_expect(current_context(), rows.x, g.centers_, g.precisions_cholesky_, g.constants_,
                     log_likelihood, responsibilities, labels);
  return log_likelihood;
}

void check_width(const Gmm& g, const Tensor& x, const std::string& name) {
  check_matrix(x, name);
  if (x.dim(1) != g.n_features_)
    throw InputError(name + ": another number of columns than the mixture was fitted on: " +
                     to_string(x.shape()) + " (allowed (n, " + std::to_string(g.n_features_) + "))");
}

}  // namespace

Gmm gmm(const Tensor& x, const GmmOptions& options, const std::string& name) {
  check_matrix(x, name);
  check_options(options, x);
  const CenteredRows rows = center_rows(x, name);
  std::optional<Restart> best;
  for (std::int64_t i = 0; i < (options.init.defined() ? 1 : options.n_init); ++i) {
    Restart restart(rows, options, name);
    restart.run(options.init.defined() ? start_from(rows, options.init.contiguous(), options.n_components)
                                       : start_from_kmeans(x, rows, options, i, name));
    if (!best || restart.lower_bound() > best->lower_bound()) best.emplace(std::move(restart));
  }
  return best->result(rows);
}

Tensor Gmm::score_samples(const Tensor& x, const std::string& name) const {
  check_width(*this, x, name);
  return expect(*this, x, name, View(), View());
}

double Gmm::score(const Tensor& x, const std::string& name) const {
  double sum = 0;
  for (const float value : score_samples(x, name).to_host<float>()) sum += static_cast<double>(value);
  return sum / static_cast<double>(x.dim(0));
}

Tensor Gmm::predict(const Tensor& x, const std::string& name) const {
  check_width(*this, x, name);
  const Tensor labels({x.dim(0)}, DType::i32);
  expect(*this, x, name, View(), labels);
  return labels;
}

Tensor Gmm::predict_proba(const Tensor& x, const std::string& name) const {
  check_width(*this, x, name);
  const Tensor responsibilities({x.dim(0), n_components_}, DType::f32);
  expect(*this, x, name, responsibilities, View());
  return responsibilities;
}

double Gmm::n_parameters() const {
  const auto k = static_cast<double>(n_components_), d = static_cast<double>(n_features_);
  double covariances = k;
  if (covariance_type_ == CovarianceType::full) covariances = k * d * (d + 1) / 2;
  if (covariance_type_ == CovarianceType::tied) covariances = d * (d + 1) / 2;
  if (covariance_type_ == CovarianceType::diag) covariances = k * d;
  return covariances + k * d + k - 1;
}

double Gmm::bic(const Tensor& x, const std::string& name) const {
  const double likelihood = score(x, name), n = static_cast<double>(x.dim(0));
  return -2 * n * likelihood + n_parameters() * std::log(n);
}

double Gmm::aic(const Tensor& x, const std::string& name) const {
  return -2 * static_cast<double>(x.dim(0)) * score(x, name) + 2 * n_parameters();
}

}  // namespace chorale::cluster
