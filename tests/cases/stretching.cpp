// SPDX-License-Identifier: MIT
// The phase vocoder as librosa writes it, with angles that add up in f64, and resampling at any ratio by the
// windowed sinc itself, whose window comes from the Bessel function.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "kernels/launch.h"
#include "tests/cases/audio_case.h"

namespace chorale::harness {
namespace {

using std::numbers::pi;

OpCase vocoder() {
  const auto inputs = [](Shape spectrum, double slowest, double fastest) {
    const std::int64_t n = spectrum[0];
    return std::vector<Input>{Input{std::move(spectrum)}, {{n}, slowest, fastest, false, Storage::f64}};
  };
  const auto out_frames = [](std::int64_t frames) { return frames + 7; };
  OpCase c = statistics_case("phase_vocoder");
  c.variants = {{"one", inputs({1, 1, 1, 2}, 1, 1)},
                {"odd", inputs({3, 5, 37, 2}, 0.6, 1.7)},
                {"slow", inputs({2, 33, 20, 2}, 0.11, 0.12)},
                {"fast", inputs({2, 17, 200, 2}, 17, 40)},
                {"large", inputs({2, 200, 600, 2}, 0.7, 1.4), true}};
  c.run = [=](const Run& run) {
    const Tensor& x = run.tensor(0);
    Tensor y({x.dim(0), x.dim(1), out_frames(x.dim(2)), 2}, DType::f32);
    kernel::phase_vocoder(current_context(), x, run.tensor(1), std::int64_t{0}, std::int64_t{0},
                          std::int64_t{0}, View(), y);
    // The same in two pieces that overlap by a frame; the second one begins where its first frame needs the
    // input.
    const std::int64_t half = y.dim(2) / 2, rest = y.dim(2) - half;
    const std::vector<double> rates = run.tensor(1).to_host<double>();
    const auto slowest = *std::min_element(rates.begin(), rates.end());
    const auto first = std::min(x.dim(2) - 1, static_cast<std::int64_t>(static_cast<double>(half) * slowest));
    const Tensor later = x.slice(2, first, x.dim(2)).contiguous();
    Tensor head({x.dim(0), x.dim(1), half + 1, 2}, DType::f32),
        tail({x.dim(0), x.dim(1), rest, 2}, DType::f32);
    Tensor phase({x.dim(0), x.dim(1), 2}, DType::f32);
    kernel::phase_vocoder(current_context(), x, run.tensor(1), std::int64_t{0}, std::int64_t{0}, half, phase,
                          head);
    kernel::phase_vocoder(current_context(), later, run.tensor(1), first, half, half, phase, tail);
    return std::vector{Var(y), Var(head), Var(tail)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t rows = x[0].dim(0) * x[0].dim(1), bins = x[0].dim(1), frames = x[0].dim(2),
                       wanted = out_frames(frames);
    Array y({x[0].dim(0), bins, wanted, 2});
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto value = [&](std::int64_t i) {
        const std::int64_t at = 2 * (row * frames + i);
        return i < frames ? std::complex<double>(x[0][at], x[0][at + 1]) : 0.0;
      };
      const double rate = x[1][row / bins], advance = pi * static_cast<double>(row % bins) / 4;
      double phase = std::arg(value(0));
      for (std::int64_t t = 0; t < wanted; ++t) {
        const double place = static_cast<double>(t) * rate;
        if (place >= static_cast<double>(frames)) break;
        const auto i = static_cast<std::int64_t>(place);
        const double part = place - static_cast<double>(i);
        const std::complex<double> result =
            std::polar((1 - part) * std::abs(value(i)) + part * std::abs(value(i + 1)), phase);
        y[2 * (row * wanted + t)] = result.real(), y[2 * (row * wanted + t) + 1] = result.imag();
        double change = std::arg(value(i + 1)) - std::arg(value(i)) - advance;
        change -= 2 * pi * std::round(change / (2 * pi));
        phase += advance + change;
      }
    }
    const auto part = [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t count = 2 * (end - begin);
      Array some({x[0].dim(0), bins, end - begin, 2});
      for (std::int64_t i = 0; i < some.size(); ++i)
        some[i] = y[i / count * 2 * wanted + 2 * begin + i % count];
      return some;
    };
    return Arrays{y, part(0, wanted / 2 + 1), part(wanted / 2, wanted)};
  };
  c.bench = {"30s", inputs({4, 1025, 1292, 2}, 0.95, 1.05), true};
  c.cost = [](const std::vector<Input>& x, double) {
    return Cost{30 * bytes_of(x[0]) / 8, 2 * bytes_of(x[0])};
  };
  return c;
}

/// The length of the third input is that of the output.
OpCase resampling(const std::string& name, double max_step, std::vector<Variant> variants) {
  OpCase c = statistics_case(name);
  c.variants = std::move(variants);
  c.run = [=](const Run& run) {
    const Tensor& x = run.tensor(0);
    Tensor y({x.dim(0), run.tensor(2).size()}, DType::f32);
    kernel::resample_ratio(current_context(), x, run.tensor(1), max_step, y);
    return std::vector{Var(y)};
  };
  c.reference = [=](const Arrays& x) {
    constexpr double width = 64, cut_off = 0.95, beta = 9.6;
    const std::int64_t length = x[0].dim(1), wanted = x[2].size();
    Array y({x[0].dim(0), wanted});
    for (std::int64_t i = 0; i < y.size(); ++i) {
      const std::int64_t clip = i / wanted, j = i % wanted;
      const double step = std::min(x[1][clip], max_step), scale = std::min(1.0, 1 / step);
      if (step == 1) {
        y[i] = j < length ? x[0][clip * length + j] : 0;
        continue;
      }
      for (std::int64_t k = 0; k < length; ++k) {
        const double at = (static_cast<double>(k) - static_cast<double>(j) * step) * scale;
        if (std::fabs(at) >= width) continue;
        const double z = pi * cut_off * at;
        const double window = std::cyl_bessel_i(0, beta * std::sqrt(1 - at * at / (width * width))) /
                              std::cyl_bessel_i(0, beta);
        y[i] += x[0][clip * length + k] * cut_off * scale * (z == 0 ? 1 : std::sin(z) / z) * window;
      }
    }
    return Arrays{y};
  };
  return c;
}

std::vector<Input> clips(std::int64_t n, std::int64_t length, double low, double high, std::int64_t wanted) {
  return {Input{{n, length}}, {{n}, low, high, false, Storage::f64}, {{wanted}, 0, 0, false, Storage::f32}};
}

}  // namespace

std::vector<OpCase> stretching_cases() {
  OpCase up = resampling("resample_ratio", 2,
                         {{"one", clips(1, 1, 0.5, 0.9, 3)},
                          {"up", clips(2, 300, 0.4, 0.7, 401)},
                          {"down", clips(2, 500, 1.1, 1.9, 350)},
                          {"copy", clips(2, 30, 1, 1, 41)},
                          {"large", clips(3, 9000, 0.5, 2, 9000), true}});
  up.bench = {"30s", clips(4, 661500 * 9 / 8, 1.125, 1.125, 661500), true};
  up.cost = [](const std::vector<Input>& x, double) {
    return Cost{bytes_of(x[0]) / 9 * 8 / 4 * 2 * 2 * 144, bytes_of(x[0]) * 17 / 9};
  };
  return {vocoder(), std::move(up),
          resampling("resample_ratio_clamped", 1.25, {{"beyond", clips(2, 200, 1.2, 1.4, 170)}})};
}

}  // namespace chorale::harness
