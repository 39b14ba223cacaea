// SPDX-License-Identifier: MIT
#include "models/occupancy.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chorale::models {
namespace {

/// Log-likelihood of each row of `codes` under the mixture, up to a constant.
std::vector<double> row_likelihoods(const std::vector<float>& codes, const std::vector<float>& logits,
                                    const std::vector<float>& means,
                                    const std::vector<float>& log_variances) {
  const std::size_t k = logits.size(), d = means.size() / k, n = codes.size() / d;
  std::vector<double> result(n), joint(k);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < k; ++c) {
      double sum = 0;
      for (std::size_t j = 0; j < d; ++j) {
        const double difference = double{codes[i * d + j]} - double{means[c * d + j]},
                     s = log_variances[c * d + j];
        sum += s + difference * difference / std::exp(s);
      }
      joint[c] = double{logits[c]} - 0.5 * sum;
    }
    const double top = *std::max_element(joint.begin(), joint.end());
    double total = 0;
    for (double v : joint) total += std::exp(v - top);
    result[i] = top + std::log(total);
  }
  return result;
}

}  // namespace

Occupancy occupancy(const Tensor& responsibilities) {
  const auto gamma = responsibilities.to_host<float>();
  const auto n = static_cast<std::size_t>(responsibilities.dim(0)),
             k = static_cast<std::size_t>(responsibilities.dim(1));
  Occupancy use;
  use.share.assign(k, 0);
  std::vector<bool> chosen(k);
  for (std::size_t i = 0; i < n; ++i) {
    const float* row = gamma.data() + i * k;
    const std::size_t top = static_cast<std::size_t>(std::max_element(row, row + k) - row);
    chosen[top] = true;
    use.confidence += double{row[top]} / static_cast<double>(n);
    for (std::size_t c = 0; c < k; ++c) {
      use.share[c] += double{row[c]} / static_cast<double>(n);
      if (row[c] > 0) use.entropy -= double{row[c]} * std::log(double{row[c]}) / static_cast<double>(n);
    }
  }
  use.occupied = std::count(chosen.begin(), chosen.end(), true);
  return use;
}

int reseed_empty(Vae& model, const Tensor& codes, const Occupancy& use, double least) {
  std::vector<std::size_t> empty;
  for (std::size_t c = 0; c < use.share.size(); ++c)
    if (use.share[c] < least) empty.push_back(c);
  if (empty.empty()) return 0;
  Vae::Mixture prior = model.mixture();
  auto logits = prior.logits.to_host<float>(), means = prior.means.to_host<float>(),
       log_variances = prior.log_variances.to_host<float>();
  const auto rows = codes.to_host<float>();
  const std::size_t k = logits.size(), d = means.size() / k;
  const auto likelihood = row_likelihoods(rows, logits, means, log_variances);
  std::vector<std::size_t> worst(likelihood.size());
  std::iota(worst.begin(), worst.end(), std::size_t{0});
  std::stable_sort(worst.begin(), worst.end(),
                   [&](std::size_t a, std::size_t b) { return likelihood[a] < likelihood[b]; });
  double average = 0, logit = 0;  // of the components in use
  for (std::size_t c = 0; c < k; ++c) logit += std::exp(double{logits[c]}) / static_cast<double>(k);
  for (float v : log_variances) average += double{v} / static_cast<double>(log_variances.size());
  int moved = 0;
  for (std::size_t c : empty) {
    if (static_cast<std::size_t>(moved) >= worst.size()) break;
    const float* code = rows.data() + worst[static_cast<std::size_t>(moved)] * d;
    std::copy(code, code + d, means.begin() + static_cast<std::ptrdiff_t>(c * d));
    std::fill_n(log_variances.begin() + static_cast<std::ptrdiff_t>(c * d), d, static_cast<float>(average));
    logits[c] = static_cast<float>(std::log(logit));
    ++moved;
  }
  prior.logits.upload(logits.data(), DType::f32);
  prior.means.upload(means.data(), DType::f32);
  prior.log_variances.upload(log_variances.data(), DType::f32);
  return moved;
}

}  // namespace chorale::models
