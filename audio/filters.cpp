// SPDX-License-Identifier: MIT
#include "audio/filters.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "audio/checks.h"
#include "audio/stft.h"

namespace chorale::audio {
namespace {

double highest_frequency(const MelParams& p) { return p.fmax > 0 ? p.fmax : p.sample_rate / 2.0; }

// Slaney's scale (Auditory Toolbox): linear below 1 kHz, 27 steps a factor of 6.4 above.
constexpr double slaney_step = 200.0 / 3, slaney_corner = 1000.0,
                 slaney_corner_mel = slaney_corner / slaney_step;
const double slaney_log_step = std::log(6.4) / 27;

/// To a p-norm of 1.
void normalise(std::span<float> weights, double p) {
  double sum = 0, largest = 0;
  for (const float w : weights) {
    sum += std::pow(static_cast<double>(w), p);
    largest = std::max(largest, static_cast<double>(w));
  }
  const double size = std::isinf(p) ? largest : std::pow(sum, 1 / p);
  for (float& w : weights) w = static_cast<float>(static_cast<double>(w) / size);
}

/// Element (k, i) of SciPy's DCT of `size` points, in its two normalisations.
double dct_element(const CepstrumParams& params, double k, double i, double size) {
  using std::numbers::pi;
  if (params.dct_type == 1) {
    const bool edge = i == 0 || i == size - 1;
    const double element = (edge ? 1 : 2) * std::cos(pi * k * i / (size - 1));
    if (!params.ortho) return element;
    return element * (edge ? std::numbers::sqrt2 : 1) *
           std::sqrt((k == 0 || k == size - 1 ? 0.25 : 0.5) / (size - 1));
  }
  if (params.dct_type == 2)
    return 2 * std::cos(pi * k * (2 * i + 1) / (2 * size)) *
           (params.ortho ? std::sqrt((k == 0 ? 0.25 : 0.5) / size) : 1);
  const double element = (i == 0 ? 1 : 2) * std::cos(pi * (2 * k + 1) * i / (2 * size));
  return params.ortho ? element * std::sqrt((i == 0 ? 1 : 0.5) / size) : element;
}

}  // namespace

void check(const MelParams& p) {
  check(static_cast<const StftParams&>(p));
  const auto text = [](auto value) { return std::to_string(value); };
  check_range(p.sample_rate >= 1000 && p.sample_rate <= 768000, "sample_rate", text(p.sample_rate),
              "1000 to 768000");
  check_range(p.n_mels >= 1 && p.n_mels <= 1 + p.n_fft / 2, "n_mels", text(p.n_mels),
              "1 to 1 + n_fft / 2 = " + text(1 + p.n_fft / 2));
  const double top = highest_frequency(p);
  check_range(std::isfinite(p.fmin) && std::isfinite(p.fmax) && p.fmin >= 0 && p.fmax >= 0 &&
                  top <= p.sample_rate / 2.0 && p.fmin < top,
              "fmin, fmax", number_text(p.fmin) + ", " + number_text(p.fmax),
              "0 <= fmin < fmax <= sample_rate / 2 = " + number_text(p.sample_rate / 2.0));
  check_range(std::isfinite(p.power) && p.power > 0 && p.power <= 4, "power", number_text(p.power),
              "above 0, up to 4");
  check_range(p.norm.kind != BandNorm::Kind::p_norm || p.norm.p > 0, "norm", number_text(p.norm.p),
              "slaney, none or a number above 0");
}

double hz_to_mel(double hz, bool htk) {
  if (htk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  return hz < slaney_corner ? hz / slaney_step
                            : slaney_corner_mel + std::log(hz / slaney_corner) / slaney_log_step;
}

double mel_to_hz(double mel, bool htk) {
  if (htk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  return mel < slaney_corner_mel ? mel * slaney_step
                                 : slaney_corner * std::exp(slaney_log_step * (mel - slaney_corner_mel));
}

MelFilterBank mel_filter_bank(const MelParams& params) {
  check(params);
  const double low = hz_to_mel(params.fmin, params.htk),
               high = hz_to_mel(highest_frequency(params), params.htk);
  std::vector<double> edge(static_cast<std::size_t>(params.n_mels) + 2);
  for (std::size_t i = 0; i < edge.size(); ++i)
    edge[i] = mel_to_hz(low + (high - low) * static_cast<double>(i) / (params.n_mels + 1), params.htk);
  MelFilterBank bank;
  bank.offset.push_back(0);
  for (std::size_t band = 0; band + 2 < edge.size(); ++band) {
    const double area =
        params.norm.kind == BandNorm::Kind::slaney ? 2.0 / (edge[band + 2] - edge[band]) : 1.0;
    std::int32_t first = -1;
    for (std::int32_t bin = 0; bin <= params.n_fft / 2; ++bin) {
      const double hz = static_cast<double>(bin) * params.sample_rate / params.n_fft;
      const double rising = (hz - edge[band]) / (edge[band + 1] - edge[band]);
      const double falling = (edge[band + 2] - hz) / (edge[band + 2] - edge[band + 1]);
      const float weight = static_cast<float>(std::max(0.0, std::min(rising, falling)) * area);
      if (weight > 0) {
        if (first < 0) first = bin;
        bank.weight.push_back(weight);
      } else if (first >= 0) {
        break;
      }
    }
    if (first < 0) bank.empty_bands.push_back(static_cast<std::int64_t>(band));
    if (params.norm.kind == BandNorm::Kind::p_norm)
      normalise(std::span(bank.weight).subspan(static_cast<std::size_t>(bank.offset.back())), params.norm.p);
    bank.first_bin.push_back(std::max(first, 0));
    bank.offset.push_back(static_cast<std::int32_t>(bank.weight.size()));
  }
  return bank;
}

std::vector<float> dct_matrix(const CepstrumParams& params, std::int64_t size) {
  check_range(params.n_mfcc >= 1 && params.n_mfcc <= size, "n_mfcc", std::to_string(params.n_mfcc),
              "1 to n_mels = " + std::to_string(size));
  check_range(params.dct_type >= 1 && params.dct_type <= 3, "dct_type", std::to_string(params.dct_type),
              "1, 2 or 3");
  check_range(params.dct_type != 1 || size > 1, "dct_type", "1 of one mel band", "2 or 3, or more mel bands");
  check_range(std::isfinite(params.lifter) && params.lifter >= 0, "lifter", number_text(params.lifter),
              "0 or above");
  std::vector<float> matrix;
  matrix.reserve(static_cast<std::size_t>(params.n_mfcc * size));
  for (std::int64_t k = 0; k < params.n_mfcc; ++k) {
    const double row = static_cast<double>(k);
    const double lift = params.lifter > 0
                            ? 1 + params.lifter / 2 * std::sin(std::numbers::pi * (row + 1) / params.lifter)
                            : 1;
    for (std::int64_t i = 0; i < size; ++i)
      matrix.push_back(static_cast<float>(
          lift * dct_element(params, row, static_cast<double>(i), static_cast<double>(size))));
  }
  return matrix;
}

std::vector<float> savitzky_golay(int width, int derivative) {
  check_range(width >= 3 && width % 2 == 1 && width <= 101, "width", std::to_string(width), "odd, 3 to 101");
  check_range(derivative >= 1 && derivative <= std::min(8, width - 1), "order", std::to_string(derivative),
              "1 to " + std::to_string(std::min(8, width - 1)) + ", at most 8 and below width");
  // A fit of degree d is the sum over j <= d of <y, P_j> / <P_j, P_j> P_j, with P_j the monic polynomials
  // that are orthogonal on the positions -h .. h; d differentiations leave d! <y, P_d> / <P_d, P_d>.
  const int half = width / 2;
  std::vector<double> before(static_cast<std::size_t>(width), 0.0), now(static_cast<std::size_t>(width), 1.0);
  double norm_before = 1, norm = width, factorial = 1;
  for (int degree = 1; degree <= derivative; ++degree) {
    const double ratio = degree == 1 ? 0 : norm / norm_before;
    norm_before = norm, norm = 0, factorial *= degree;
    for (int i = 0; i < width; ++i) {
      const std::size_t at = static_cast<std::size_t>(i);
      const double next = (i - half) * now[at] - ratio * before[at];
      before[at] = now[at], now[at] = next;
      norm += next * next;
    }
  }
  std::vector<float> filter;
  for (const double value : now) filter.push_back(static_cast<float>(factorial * value / norm));
  return filter;
}

}  // namespace chorale::audio
