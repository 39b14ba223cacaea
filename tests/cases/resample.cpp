// SPDX-License-Identifier: MIT
// Resampling by a bank of filters against its formula in f64; tests/audio measures the filters themselves.
#include "kernels/launch.h"
#include "tests/cases/audio_case.h"

namespace chorale::harness {
namespace {

/// Any numbers will do for the formula: no two phases and no two places alike.
std::vector<float> bank(std::int64_t width, std::int64_t up) {
  std::vector<float> taps;
  for (std::int64_t i = 0; i < width * up; ++i)
    taps.push_back(static_cast<float>((i * 37 % 101 - 50) / 50.0 / static_cast<double>(width)));
  return taps;
}

/// Outputs of a clip: ceil(length up / down).
std::int64_t outputs(std::int64_t length, std::int64_t up, std::int64_t down) {
  return (length * up + down - 1) / down;
}

OpCase resample(const std::string& name, bool i16, std::int64_t width, std::int64_t up, std::int64_t down,
                const std::vector<std::pair<std::string, Shape>>& shapes) {
  OpCase c = statistics_case("resample_polyphase_" + name);
  for (const auto& [label, shape] : shapes)
    c.variants.push_back({label,
                          {i16 ? integers(shape, -32768, 32767) : Input{shape, -1, 1, false}},
                          element_count(shape) > 20000});
  c.run = [=](const Run& run) {
    Tensor samples = run.tensor(0);
    if (i16) {
      samples = Tensor(run.tensor(0).shape(), DType::i16);
      kernel::cast(current_context(), run.tensor(0), samples);
    }
    Tensor y({samples.dim(0), outputs(samples.dim(1), up, down)}, DType::f32);
    kernel::resample_polyphase(current_context(), samples, Tensor::from_host(bank(width, up), {width, up}),
                               down, y);
    return std::vector{Var(y)};
  };
  c.reference = [=](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), length = x[0].dim(1), channels = x[0].dim(2);
    const std::vector<float> taps = bank(width, up);
    Array y({n, outputs(length, up, down)});
    for (std::int64_t k = 0; k < y.size(); ++k) {
      const std::int64_t clip = k / y.dim(1), i = k % y.dim(1);
      for (std::int64_t j = 0; j < width; ++j) {
        const std::int64_t at = i * down / up - (width - 1) / 2 + j;
        for (std::int64_t channel = 0; at >= 0 && at < length && channel < channels; ++channel)
          y[k] += static_cast<double>(taps[static_cast<std::size_t>(j * up + i % up)]) *
                  x[0][(clip * length + at) * channels + channel] / static_cast<double>(channels) /
                  (i16 ? 32768 : 1);
      }
    }
    return Arrays{y};
  };
  return c;
}

}  // namespace

std::vector<OpCase> audio_resample_cases() {
  std::vector<OpCase> cases = {
      resample("half", true, 288, 1, 2,
               {{"one", {1, 1, 1}}, {"odd", {2, 1501, 2}}, {"empty", {0, 30, 2}}, {"large", {1, 30001, 6}}}),
      resample("half_f32", false, 44, 1, 2, {{"one", {1, 1, 2}}, {"odd", {3, 777, 1}}}),
      resample("147_320", true, 70, 147, 320, {{"odd", {2, 2000, 1}}, {"stereo", {1, 1234, 2}}}),
      resample("441_320", false, 33, 441, 320, {{"short", {1, 20, 3}}, {"odd", {1, 1001, 1}}}),
      resample("wide", false, 1250, 147, 1280, {{"odd", {1, 9001, 1}}}),
      resample("copy", true, 1, 1, 1, {{"odd", {2, 301, 2}}})};
  cases[0].bench.label = "30s";
  cases[0].bench.inputs = {integers({8, 30 * 44100, 2}, -32768, 32767)};
  cases[0].bench.large = true;
  cases[0].cost = [](const std::vector<Input>& x, double) {
    const double samples = static_cast<double>(element_count(x[0].shape)) / 2;
    return Cost{samples / 2 * 288 * 2, samples * (8 + 2) * 2 + samples / 2 * 4};
  };
  return cases;
}

}  // namespace chorale::harness
