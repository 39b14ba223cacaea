// SPDX-License-Identifier: MIT
// Spectra, their inverse and mel spectrograms against their definitions in f64.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "kernels/audio_frames.h"
#include "kernels/launch.h"
#include "tests/cases/audio_case.h"

namespace chorale::harness {
namespace {

/// Bands of five bins, four apart, with a weight that differs from bin to bin; one band is empty.
struct Bands {
  std::vector<std::int32_t> first_bin, offset{0};
  std::vector<float> weight;
  explicit Bands(std::int64_t bins) {
    for (std::int32_t bin = 0; bin + 5 <= bins; bin += 4) {
      first_bin.push_back(bin);
      for (int i = 0; bin != 8 && i < 5; ++i)
        weight.push_back(0.1f * static_cast<float>(1 + i) + 0.01f * static_cast<float>(bin));
      offset.push_back(static_cast<std::int32_t>(weight.size()));
    }
  }
  std::int64_t count() const { return static_cast<std::int64_t>(first_bin.size()); }
};

std::vector<float> window_of(std::int64_t n_fft) {
  std::vector<float> window;
  for (std::int64_t m = 0; m < n_fft; ++m)
    window.push_back(static_cast<float>(
        0.6 - 0.4 * std::cos(2 * std::numbers::pi * static_cast<double>(m) / static_cast<double>(n_fft))));
  return window;
}

/// Spectra of all frames, one after the other, bins after bins, by the definition.
std::vector<std::complex<double>> spectra(const Array& samples, const FrameParams& params) {
  const std::int64_t n = samples.dim(0), length = samples.dim(1), n_fft = params.n_fft;
  const std::vector<float> window = window_of(n_fft);
  std::vector<std::complex<double>> turn, result;
  for (std::int64_t i = 0; i < n_fft; ++i)
    turn.push_back(
        std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n_fft)));
  for (std::int64_t clip = 0; clip < n; ++clip) {
    // The padded clip, sample by sample.
    const std::int64_t pad = params.center ? n_fft / 2 : 0;
    std::vector<double> padded;
    for (std::int64_t i = -pad; i < length + pad; ++i) {
      std::int64_t at = i;
      while (params.pad_mode == PadMode::reflect && length > 1 && (at < 0 || at >= length))
        at = at < 0 ? -at : 2 * (length - 1) - at;
      if (params.pad_mode != PadMode::constant) at = std::clamp<std::int64_t>(at, 0, length - 1);
      padded.push_back(at < 0 || at >= length ? 0.0 : samples[clip * length + at]);
    }
    for (std::size_t begin = 0; begin + static_cast<std::size_t>(n_fft) <= padded.size();
         begin += static_cast<std::size_t>(params.hop_length))
      for (std::int64_t k = 0; k <= n_fft / 2; ++k) {
        std::complex<double> sum = 0;
        for (std::int64_t m = 0; m < n_fft; ++m)
          sum += static_cast<double>(window[static_cast<std::size_t>(m)]) *
                 padded[begin + static_cast<std::size_t>(m)] * turn[static_cast<std::size_t>(k * m % n_fft)];
        result.push_back(sum);
      }
  }
  return result;
}

std::string described(const FrameParams& p) {
  return std::to_string(p.n_fft) + "_" + std::to_string(p.hop_length) + (p.center ? "" : "_uncentred") +
         (p.pad_mode == PadMode::reflect ? "_reflect"
          : p.pad_mode == PadMode::edge  ? "_edge"
                                         : "");
}

OpCase mel(FrameParams params, float power, std::vector<Variant> variants) {
  OpCase c = statistics_case("mel_" + described(params));
  c.variants = std::move(variants);
  c.run = [=](const Run& run) {
    const Bands bands(params.n_fft / 2 + 1);
    const Tensor& samples = run.tensor(0);
    Tensor out({samples.dim(0), bands.count(), frame_count(params, samples.dim(1))}, DType::f32);
    const auto size = [](const auto& v) { return static_cast<std::int64_t>(v.size()); };
    kernel::mel_spectrogram_forward(
        current_context(), samples, Tensor::from_host(window_of(params.n_fft), {params.n_fft}),
        Tensor::from_host(bands.first_bin, {bands.count()}),
        Tensor::from_host(bands.offset, {bands.count() + 1}),
        Tensor::from_host(bands.weight, {size(bands.weight)}), params, power, out);
    return std::vector{Var(out)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t bins = params.n_fft / 2 + 1;
    const Bands bands(bins);
    const std::vector<std::complex<double>> spectrum = spectra(x[0], params);
    const std::int64_t n = x[0].dim(0), frames = static_cast<std::int64_t>(spectrum.size()) / bins / n;
    Array y({n, bands.count(), frames});
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const std::int64_t frame = i / (bands.count() * frames) * frames + i % frames;
      const std::size_t band = static_cast<std::size_t>(i / frames % bands.count());
      for (std::int32_t j = 0; j < bands.offset[band + 1] - bands.offset[band]; ++j)
        y[i] +=
            static_cast<double>(bands.weight[static_cast<std::size_t>(bands.offset[band] + j)]) *
            std::pow(std::abs(spectrum[static_cast<std::size_t>(frame * bins + bands.first_bin[band] + j)]),
                     static_cast<double>(power));
    }
    return Arrays{y};
  };
  return c;
}

OpCase mel_bench() {
  OpCase c = mel({2048, 512}, 2, {plain("short", {{1, 300}}), plain("odd", {{2, 5001}})});
  c.bench = plain("30s", {{4, 661500}}, true);
  c.cost = [](const std::vector<Input>& x, double) {
    const double frames = static_cast<double>(x[0].shape[0] * (1 + x[0].shape[1] / 512));
    return Cost{frames * 2.5 * 2048 * 11, bytes_of(x[0]) + frames * 256 * 4};
  };
  return c;
}

OpCase stft(FrameParams params, std::vector<Variant> variants) {
  OpCase c = statistics_case("stft_" + described(params));
  c.variants = std::move(variants);
  c.run = [=](const Run& run) {
    const Tensor& samples = run.tensor(0);
    Tensor out({samples.dim(0), params.n_fft / 2 + 1, frame_count(params, samples.dim(1)), 2}, DType::f32);
    kernel::stft_forward(current_context(), samples,
                         Tensor::from_host(window_of(params.n_fft), {params.n_fft}), params, out);
    return std::vector{Var(out)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t bins = params.n_fft / 2 + 1;
    const std::vector<std::complex<double>> spectrum = spectra(x[0], params);
    const std::int64_t n = x[0].dim(0), frames = static_cast<std::int64_t>(spectrum.size()) / bins / n;
    Array y({n, bins, frames, 2});
    for (std::int64_t i = 0; i < y.size() / 2; ++i) {
      const std::int64_t clip = i / (bins * frames), k = i / frames % bins, frame = i % frames;
      const std::complex<double> value =
          spectrum[static_cast<std::size_t>((clip * frames + frame) * bins + k)];
      y[2 * i] = value.real(), y[2 * i + 1] = value.imag();
    }
    return Arrays{y};
  };
  c.bench = plain("30s", {{4, 661500}}, true);
  c.cost = [=](const std::vector<Input>& x, double) {
    const double n_fft = params.n_fft;
    const double frames = static_cast<double>(x[0].shape[0] * (1 + x[0].shape[1] / params.hop_length));
    return Cost{frames * 2.5 * n_fft * std::log2(n_fft), bytes_of(x[0]) + frames * (n_fft / 2 + 1) * 8};
  };
  return c;
}

/// `length` samples from the frames of the input, [n, bins, frames, 2].
OpCase istft(FrameParams params, std::int64_t length, std::vector<Variant> variants) {
  OpCase c = statistics_case("istft_" + described(params) + "_" + std::to_string(length));
  c.variants = std::move(variants);
  c.run = [=](const Run& run) {
    Tensor out({run.tensor(0).dim(0), length}, DType::f32);
    kernel::stft_inverse(current_context(), run.tensor(0),
                         Tensor::from_host(window_of(params.n_fft), {params.n_fft}), params, out);
    return std::vector{Var(out)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), bins = x[0].dim(1), frames = x[0].dim(2), n_fft = params.n_fft,
                       lead = params.center ? n_fft / 2 : 0;
    const std::vector<float> window = window_of(n_fft);
    Array y({n, length});
    for (std::int64_t clip = 0; clip < n; ++clip) {
      const std::size_t covered =
          static_cast<std::size_t>(std::max(frames * params.hop_length + n_fft, length + lead));
      std::vector<double> sum(covered), weight(covered);
      for (std::int64_t frame = 0; frame < frames; ++frame)
        for (std::int64_t m = 0; m < n_fft; ++m) {
          double value = 0;
          for (std::int64_t k = 0; k < bins; ++k) {
            const double* bin =
                &x[0].values[static_cast<std::size_t>(((clip * bins + k) * frames + frame) * 2)];
            const double angle =
                2 * std::numbers::pi * static_cast<double>(k * m % n_fft) / static_cast<double>(n_fft);
            const bool edge = k == 0 || k == bins - 1;
            value +=
                edge ? bin[0] * std::cos(angle) : 2 * (bin[0] * std::cos(angle) - bin[1] * std::sin(angle));
          }
          const double w = static_cast<double>(window[static_cast<std::size_t>(m)]);
          const std::size_t at = static_cast<std::size_t>(frame * params.hop_length + m);
          sum[at] += w * value / static_cast<double>(n_fft);
          weight[at] += w * w;
        }
      for (std::int64_t t = 0; t < length; ++t) {
        const std::size_t at = static_cast<std::size_t>(t + lead);
        y[clip * length + t] = weight[at] > 0 ? sum[at] / weight[at] : 0.0;
      }
    }
    return Arrays{y};
  };
  if (params.n_fft == 2048) {
    c.bench = plain("30s", {{4, 1025, 1 + length / params.hop_length, 2}}, true);
    c.cost = [=](const std::vector<Input>& x, double) {
      const double frames = static_cast<double>(x[0].shape[0] * x[0].shape[2]);
      return Cost{frames * 2.5 * 2048 * 11,
                  bytes_of(x[0]) + 4.0 * static_cast<double>(x[0].shape[0] * length)};
    };
  }
  return c;
}

}  // namespace

std::vector<OpCase> audio_spectrum_cases() {
  return {
      mel({64, 16}, 2, {plain("one_sample", {{1, 1}}), plain("clips", {{3, 500}})}),
      mel({128, 128}, 1, {plain("clips", {{2, 700}})}),
      mel({512, 37}, 3, {plain("clips", {{2, 900}})}),
      mel({256, 60, true, PadMode::reflect}, 2, {plain("one_sample", {{1, 1}}), plain("clips", {{2, 300}})}),
      mel({1024, 300, false}, 2, {plain("clips", {{2, 2500}})}),
      mel({4096, 1000, true, PadMode::edge}, 2, {plain("shorter_than_pad", {{1, 700}})}),
      mel_bench(),
      mel({8192, 3000}, 2, {plain("clip", {{1, 7000}})}),
      mel({16384, 4096}, 2, {plain("clip", {{1, 3000}})}),
      mel({16, 3}, 2, {plain("clips", {{2, 90}})}),
      mel({450, 100, true, PadMode::reflect}, 2, {plain("odd_half", {{3, 1000}})}),
      mel({400, 160}, 1, {plain("clips", {{2, 1700}})}),
      mel({1200, 300, false, PadMode::edge}, 2, {plain("clips", {{2, 4000}})}),
      mel({7680, 1920}, 2, {plain("beyond_shared_memory", {{1, 5000}})}),
      stft({2048, 512}, {plain("short", {{1, 300}}), plain("odd", {{2, 9001}})}),
      stft({32, 8, true, PadMode::reflect}, {plain("short", {{1, 5}}), plain("clips", {{3, 401}})}),
      stft({480, 160, true, PadMode::reflect}, {plain("clips", {{2, 3333}})}),
      stft({1000, 250, false}, {plain("one_frame", {{2, 1000}})}),
      stft({250, 77, true, PadMode::edge}, {plain("odd_half", {{2, 1500}})}),
      istft({2048, 512}, 4000, {plain("short", {{1, 1025, 3, 2}}), plain("whole", {{2, 1025, 8, 2}})}),
      istft({64, 16, false}, 300, {plain("one", {{1, 33, 1, 2}}), plain("clips", {{3, 33, 16, 2}})}),
      istft({450, 100}, 2500, {plain("odd_half", {{2, 226, 27, 2}})}),
      istft({48, 70, false}, 900, {plain("gaps", {{2, 25, 13, 2}})}),
      istft({60, 60}, 6000, {plain("several_tiles", {{2, 31, 90, 2}})})};
}

}  // namespace chorale::harness
