// SPDX-License-Identifier: MIT
#include "audio/filters.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "kernels/error.h"

namespace chorale::audio {
namespace {

void require(bool ok, const std::string& field, const std::string& what, const std::string& value,
             const std::string& allowed) {
  if (!ok) throw UsageError(field + ": " + what + ": " + value + " (allowed " + allowed + ")");
}

double highest_frequency(const MelParams& p) { return p.fmax > 0 ? p.fmax : p.sample_rate / 2.0; }

// Slaney's scale (Auditory Toolbox): linear below 1 kHz, 27 steps a factor of 6.4 above.
constexpr double slaney_step = 200.0 / 3, slaney_corner = 1000.0,
                 slaney_corner_mel = slaney_corner / slaney_step;
const double slaney_log_step = std::log(6.4) / 27;

}  // namespace

void check(const MelParams& p) {
  const auto text = [](auto value) { return std::to_string(value); };
  require(p.sample_rate >= 1000 && p.sample_rate <= 768000, "sample_rate", "out of range",
          text(p.sample_rate), "1000 to 768000");
  require(p.n_fft >= 64 && p.n_fft <= 16384 && std::has_single_bit(static_cast<unsigned>(p.n_fft)), "n_fft",
          "not supported", text(p.n_fft), "64, 128, 256, 512, 1024, 2048, 4096, 8192 or 16384");
  require(p.hop_length >= 1 && p.hop_length <= p.n_fft, "hop_length", "out of range", text(p.hop_length),
          "1 to n_fft = " + text(p.n_fft));
  require(p.win_length >= 0 && p.win_length <= p.n_fft, "win_length", "out of range", text(p.win_length),
          "1 to n_fft = " + text(p.n_fft) + ", or 0 for n_fft");
  require(p.n_mels >= 1 && p.n_mels <= 1 + p.n_fft / 2, "n_mels", "out of range", text(p.n_mels),
          "1 to 1 + n_fft / 2 = " + text(1 + p.n_fft / 2));
  const double top = highest_frequency(p);
  require(std::isfinite(p.fmin) && std::isfinite(p.fmax) && p.fmin >= 0 && p.fmax >= 0 &&
              top <= p.sample_rate / 2.0 && p.fmin < top,
          "fmin, fmax", "out of range", text(p.fmin) + ", " + text(p.fmax),
          "0 <= fmin < fmax <= sample_rate / 2 = " + text(p.sample_rate / 2.0));
  require(std::isfinite(p.power) && p.power > 0 && p.power <= 4, "power", "out of range", text(p.power),
          "above 0, up to 4");
}

std::vector<float> hann_window(const MelParams& params) {
  const int length = params.win_length ? params.win_length : params.n_fft;
  std::vector<float> window(static_cast<std::size_t>(params.n_fft), 0.0f);
  const int before = (params.n_fft - length) / 2;
  for (int i = 0; i < length; ++i)
    window[static_cast<std::size_t>(before + i)] =
        static_cast<float>(length == 1 ? 1.0 : 0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / length));
  return window;
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
    const double area = params.slaney_norm ? 2.0 / (edge[band + 2] - edge[band]) : 1.0;
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
    bank.first_bin.push_back(std::max(first, 0));
    bank.offset.push_back(static_cast<std::int32_t>(bank.weight.size()));
  }
  return bank;
}

std::vector<float> dct_matrix(std::int64_t coefficients, std::int64_t size) {
  require(coefficients >= 1 && coefficients <= size, "n_mfcc", "out of range", std::to_string(coefficients),
          "1 to n_mels = " + std::to_string(size));
  std::vector<float> matrix;
  matrix.reserve(static_cast<std::size_t>(coefficients * size));
  const double points = static_cast<double>(size);
  for (std::int64_t k = 0; k < coefficients; ++k)
    for (std::int64_t i = 0; i < size; ++i)
      matrix.push_back(static_cast<float>(std::sqrt((k == 0 ? 1.0 : 2.0) / points) *
                                          std::cos(std::numbers::pi * static_cast<double>(k) *
                                                   (2.0 * static_cast<double>(i) + 1) / (2 * points))));
  return matrix;
}

std::vector<float> savitzky_golay(int width, int derivative) {
  require(width >= 3 && width % 2 == 1 && width <= 31, "width", "out of range", std::to_string(width),
          "odd, 3 to 31");
  require(derivative == 1 || derivative == 2, "order", "out of range", std::to_string(derivative), "1 or 2");
  // Positions x = -h .. h. Orthogonal polynomials on them: 1, x, x^2 - m2; a fit of degree 2 is
  // sum over j of (<y, P_j> / <P_j, P_j>) P_j(x), and only its highest term survives `derivative`
  // differentiations.
  const int half = width / 2;
  double second = 0;
  for (int x = -half; x <= half; ++x) second += x * x;
  second /= width;
  std::vector<double> row;
  double norm = 0;
  for (int x = -half; x <= half; ++x) {
    row.push_back(derivative == 1 ? x : x * x - second);
    norm += row.back() * row.back();
  }
  std::vector<float> filter;
  for (const double value : row) filter.push_back(static_cast<float>(derivative * value / norm));
  return filter;
}

}  // namespace chorale::audio
