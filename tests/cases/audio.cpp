// SPDX-License-Identifier: MIT
// What follows the mel spectrogram, against its formulas in f64; the front end as a whole is compared with
// librosa in tests/audio.
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/audio_case.h"

namespace chorale::harness {
namespace {

OpCase decibels(const std::string& name, DecibelParams params) {
  OpCase c = statistics_case(name);
  const auto shape = [](Shape s) { return Input{std::move(s), 1e-6, 3, false}; };
  c.variants = {{"one", {shape({1, 1})}}, {"odd", {shape({3, 5, 37})}}, {"large", {shape({2, 40001})}, true}};
  c.run = [params](const Run& run) {
    Tensor y(run.tensor(0).shape(), DType::f32);
    kernel::power_to_db(current_context(), run.tensor(0), params, y);
    return std::vector{Var(y)};
  };
  c.reference = [params](const Arrays& x) {
    Array y(x[0].shape);
    const std::int64_t size = y.size() / y.dim(0);
    for (std::int64_t clip = 0; clip < y.dim(0); ++clip) {
      double most = 0;
      for (std::int64_t i = 0; i < size; ++i) most = std::max(most, x[0][clip * size + i]);
      const auto db = [&](double v) {
        const double kept = std::max(static_cast<double>(params.amin), v);
        return params.natural ? std::log(kept) : 10 * std::log10(kept);
      };
      const double reference = db(params.reference > 0 ? static_cast<double>(params.reference) : most);
      const double floor =
          params.top_db < 0 ? -INFINITY : db(most) - reference - static_cast<double>(params.top_db);
      for (std::int64_t i = 0; i < size; ++i)
        y[clip * size + i] = params.natural ? db(x[0][clip * size + i])
                                            : std::max(floor, db(x[0][clip * size + i]) - reference);
    }
    return Arrays{y};
  };
  c.bench = {"30s", {shape({8, 128, 1292})}, true};
  c.cost = [](const std::vector<Input>& x, double) { return Cost{bytes_of(x[0]) * 5, bytes_of(x[0]) * 2}; };
  return c;
}

OpCase transform() {
  OpCase c = statistics_case("frame_transform");
  c.variants = {plain("one", {{1, 1, 1}, {1, 1}}), plain("odd", {{3, 13, 37}, {11, 13}}),
                plain("large", {{2, 128, 700}, {40, 128}}, true)};
  c.run = [](const Run& run) {
    const Tensor &x = run.tensor(0), &basis = run.tensor(1);
    Tensor y = Tensor::full({x.dim(0), basis.dim(0) + 2, x.dim(2)}, 7);
    kernel::frame_transform(current_context(), x, basis, 1, y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), bands = x[0].dim(1), frames = x[0].dim(2), rows = x[1].dim(0);
    Array y({n, rows + 2, frames}, 7);
    for (std::int64_t clip = 0; clip < n; ++clip)
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t f = 0; f < frames; ++f) {
          double sum = 0;
          for (std::int64_t b = 0; b < bands; ++b)
            sum += x[1][r * bands + b] * x[0][(clip * bands + b) * frames + f];
          y[(clip * (rows + 2) + 1 + r) * frames + f] = sum;
        }
    return Arrays{y};
  };
  c.bench = plain("30s", {{8, 128, 1292}, {40, 128}}, true);
  c.cost = [](const std::vector<Input>& x, double) {
    return Cost{bytes_of(x[0]) / 4 * 2 * 40, bytes_of(x[0]) * (1 + 40.0 / 128)};
  };
  return c;
}

OpCase filter() {
  OpCase c = statistics_case("frame_filter");
  c.variants = {plain("one_window", {{1, 3, 5}, {5}}), plain("odd", {{2, 4, 43}, {9}}),
                plain("large", {{2, 6, 9001}, {9}}, true)};
  c.run = [](const Run& run) {
    const Tensor& x = run.tensor(0);
    const std::int64_t rows = x.dim(1) - 1;  // rows 1 .. of x into rows 2 .. of y
    Tensor y = Tensor::zeros({x.dim(0), rows + 2, x.dim(2)});
    kernel::frame_filter(current_context(), x, run.tensor(1), 1, 2, rows, y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t n = x[0].dim(0), all = x[0].dim(1), rows = all - 1, frames = x[0].dim(2),
                       width = x[1].dim(0);
    Array y({n, rows + 2, frames});
    for (std::int64_t clip = 0; clip < n; ++clip)
      for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t f = 0; f < frames; ++f) {
          const std::int64_t first = std::min(std::max<std::int64_t>(f - width / 2, 0), frames - width);
          for (std::int64_t j = 0; j < width; ++j)
            y[(clip * (rows + 2) + 2 + r) * frames + f] +=
                x[1][j] * x[0][(clip * all + 1 + r) * frames + first + j];
        }
    return Arrays{y};
  };
  return c;
}

OpCase standardize() {
  OpCase c = statistics_case("standardize_clips");
  c.variants = {plain("odd", {{3, 5, 37}}), plain("large", {{2, 40001}}, true)};
  c.variants.push_back({"constant", {{{2, 50}, 3, 3, false}}});
  c.run = [](const Run& run) {
    Tensor y(run.tensor(0).shape(), DType::f32);
    kernel::standardize_clips(current_context(), run.tensor(0), 1e-8f, y);
    return std::vector{Var(y)};
  };
  c.reference = [](const Arrays& x) {
    Array y(x[0].shape);
    const std::int64_t size = y.size() / y.dim(0);
    for (std::int64_t clip = 0; clip < y.dim(0); ++clip) {
      double mean = 0, square = 0;
      for (std::int64_t i = 0; i < size; ++i) mean += x[0][clip * size + i];
      mean /= static_cast<double>(size);
      for (std::int64_t i = 0; i < size; ++i)
        square += std::pow(x[0][clip * size + i] - mean, 2) / static_cast<double>(size);
      for (std::int64_t i = 0; i < size; ++i)
        y[clip * size + i] = square > 0 ? (x[0][clip * size + i] - mean) / std::sqrt(square) : 0.0;
    }
    return Arrays{y};
  };
  return c;
}

}  // namespace

std::vector<OpCase> audio_cases() {
  return {decibels("power_to_db", {0.0f, 1e-10f, 20.0f}),
          decibels("power_to_db_fixed", {1.5f, 1e-3f, -1.0f}),
          decibels("power_to_db_natural", {0.0f, 1e-3f, 20.0f, true}),
          transform(),
          filter(),
          standardize()};
}

}  // namespace chorale::harness
