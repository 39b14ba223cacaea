// SPDX-License-Identifier: MIT
// Filling, converting, gathering and adding memory.
#include <cmath>

#include "kernels/launch.h"
#include "tests/cases/philox_reference.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

constexpr std::uint32_t stream = 23;

OpCase fill() {
  OpCase c;
  c.name = "fill";
  c.differentiable = false;
  c.exact = true;
  c.variants = {plain("one", {{1}}), plain("odd", {{7, 13}}), plain("empty", {{0}}),
                plain("large", {{70001}}, true)};
  c.run = [](const Run& run) {
    Tensor y(run.tensor(0).shape(), run.dtype), words(run.tensor(0).shape(), DType::i64),
        bytes(run.tensor(0).shape(), DType::u8);
    kernel::fill(current_context(), y, 0.75);
    kernel::fill(current_context(), words, -7.0);
    kernel::fill(current_context(), bytes, 200.0);
    return std::vector{Var(y), Var(words), Var(bytes)};
  };
  c.reference = [](const Arrays& x) {
    return Arrays{Array(x[0].shape, 0.75), Array(x[0].shape, -7), Array(x[0].shape, 200)};
  };
  c.bench = plain("4M", {{4 << 20}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) { return Cost{0, size(x[0]) * (bytes + 9)}; };
  return c;
}

/// To every other dtype and back.
OpCase cast() {
  OpCase c;
  c.name = "cast";
  c.differentiable = false;
  c.exact = true;
  Input specials{{41}};
  specials.specials = true;
  c.variants = {plain("one", {{1}}),
                {"odd", {Input{{7, 13}, -300, 300}}},
                plain("empty", {{0}}),
                {"large", {Input{{70001}, -70000, 70000}}, true},
                {"specials", {specials}}};
  c.run = [](const Run& run) {
    std::vector<Var> results;
    for (const DType dtype :
         {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i32, DType::i64, DType::u8, DType::i16}) {
      Tensor there(run.tensor(0).shape(), dtype), back(run.tensor(0).shape(), DType::f32);
      kernel::cast(current_context(), run.tensor(0), there);
      kernel::cast(current_context(), there, back);
      results.emplace_back(there);
      results.emplace_back(back);
    }
    return results;
  };
  c.reference = [](const Arrays& x) {
    Arrays results;
    const auto integer = [](double value, double low, double high) {
      if (std::isnan(value)) return 0.0;
      return std::fmin(std::fmax(std::trunc(value), low), high);
    };
    for (const DType dtype :
         {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i32, DType::i64, DType::u8, DType::i16}) {
      Array there(x[0].shape);
      for (std::int64_t i = 0; i < there.size(); ++i) {
        const double value = x[0][i];
        switch (dtype) {
          case DType::i32:
            there[i] = integer(value, -0x1p31, 0x1p31 - 1);
            break;
          case DType::i64:
            there[i] = integer(value, -0x1p63, 0x1p63);
            break;  // 2^63 - 1 reads back as 2^63
          case DType::u8:
            there[i] = integer(value, 0, 255);
            break;
          case DType::i16:
            there[i] = integer(value, -0x1p15, 0x1p15 - 1);
            break;
          default:
            there[i] = round_to(value, dtype);
        }
      }
      results.push_back(there);
      for (double& value : there.values) value = round_to(value, DType::f32);
      results.push_back(there);
    }
    return results;
  };
  c.bench = plain("1M", {{1 << 20}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{0, size(x[0]) * (8 * bytes + 8 * 4 + 2 * 31)};
  };
  return c;
}

/// Transposed, every second element, and a rank-4 permutation.
OpCase copy_strided() {
  OpCase c;
  c.name = "copy_strided";
  c.differentiable = false;
  c.exact = true;
  c.variants = {plain("one", {{1, 1, 1, 1}}), plain("odd", {{3, 5, 7, 2}}),
                plain("large", {{5, 30, 41, 12}}, true)};
  c.run = [](const Run& run) {
    const Shape& s = run.tensor(0).shape();
    Context& context = current_context();
    const Tensor& x = run.tensor(0);
    Tensor permuted({s[2], s[0], s[3], s[1]}, x.dtype());
    const std::int64_t s3 = 1, s2 = s[3], s1 = s[3] * s[2], s0 = s1 * s[1];
    kernel::copy_strided(context, x, Strides{{s2, s0, s3, s1}}, permuted);
    const std::int64_t n = x.size();
    Tensor even({(n + 1) / 2}, x.dtype());
    kernel::copy_strided(context, x, Strides{{2}}, even);
    Tensor repeated({3, n}, x.dtype());
    kernel::copy_strided(context, x, Strides{{0, 1}}, repeated);
    return std::vector{Var(permuted), Var(even), Var(repeated)};
  };
  c.reference = [](const Arrays& x) {
    const Shape& s = x[0].shape;
    const std::int64_t n = x[0].size();
    Array permuted({s[2], s[0], s[3], s[1]}), even({(n + 1) / 2}), repeated({3, n});
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t d = i % s[3], k = i / s[3] % s[2], j = i / s[3] / s[2] % s[1],
                         b = i / s[3] / s[2] / s[1];
      permuted[((k * s[0] + b) * s[3] + d) * s[1] + j] = x[0][i];
      if (i % 2 == 0) even[i / 2] = x[0][i];
      for (std::int64_t r = 0; r < 3; ++r) repeated[r * n + i] = x[0][i];
    }
    return Arrays{permuted, even, repeated};
  };
  c.bench = plain("4M", {{16, 64, 64, 64}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) { return Cost{0, size(x[0]) * bytes * 7}; };
  return c;
}

OpCase accumulate() {
  OpCase c;
  c.name = "accumulate";
  c.differentiable = false;
  c.variants = {plain("one", {{1}, {1}}), plain("odd", {{7, 13}, {7, 13}}), plain("empty", {{0}, {0}}),
                plain("large", {{70001}, {70001}}, true)};
  // In place into its own type and, as the gradient buffers do, into f32.
  c.run = [](const Run& run) {
    Tensor same = run.tensor(1).clone(), wide = run.tensor(1).to(DType::f32).clone();
    kernel::accumulate(current_context(), run.tensor(0), same);
    kernel::accumulate(current_context(), run.tensor(0), wide);
    return std::vector{Var(same), Var(wide)};
  };
  c.reference = [](const Arrays& x) {
    Array y(x[0].shape);
    for (std::int64_t i = 0; i < y.size(); ++i) y[i] = x[0][i] + x[1][i];
    return Arrays{y, y};
  };
  c.bench = plain("4M", {{4 << 20}, {4 << 20}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{2 * size(x[0]), size(x[0]) * (8 * bytes + 16)};  // with the copies that make the targets
  };
  return c;
}

OpCase scale_by() {
  OpCase c;
  c.name = "scale_by";
  const auto inputs = [](Shape shape) {
    return std::vector{Input{std::move(shape)}, Input{{1}, 0.5, 1.5, false, Storage::f32}};
  };
  c.variants = {{"one", inputs({1})}, {"odd", inputs({7, 13})}, {"large", inputs({70001}), true}};
  c.run = [](const Run& run) { return std::vector{autograd::scale_by(run.x[0], run.tensor(1))}; };
  c.reference = [](const Arrays& x) {
    Array y = x[0];
    for (double& value : y.values) value *= x[1][0];
    return Arrays{y};
  };
  c.bench = {"4M", inputs({4 << 20}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) { return Cost{size(x[0]), 2 * size(x[0]) * bytes}; };
  return c;
}

/// From the start, from the state's cursor (past the end of the index: zeros), with an index out of range.
OpCase gather_rows() {
  const auto inputs = [](std::int64_t rows, std::int64_t columns, std::int64_t picks) {
    return std::vector<Input>{{{rows, columns}},
                              {{picks}, 0, static_cast<double>(rows), false, Storage::i64}};
  };
  OpCase c;
  c.name = "gather_rows";
  c.differentiable = false;
  c.exact = true;
  c.variants = {{"one", inputs(1, 1, 1)},
                {"odd", inputs(11, 37, 7)},
                {"empty", inputs(4, 3, 0)},
                {"large", inputs(300, 1001, 90), true}};
  c.run = [](const Run& run) {
    const Tensor &source = run.tensor(0), &index = run.tensor(1);
    Tensor start({index.size(), source.dim(1)}, run.dtype), cursor({index.size(), source.dim(1)}, run.dtype);
    const StepState* none = nullptr;
    kernel::gather_rows(current_context(), source, index, none, start);
    kernel::gather_rows(current_context(), source, index, run.state, cursor);
    return std::vector{Var(start), Var(cursor)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t rows = x[0].dim(0), columns = x[0].dim(1), picks = x[1].size();
    Arrays results{Array({picks, columns}), Array({picks, columns})};
    for (std::size_t k = 0; k < 2; ++k)
      for (std::int64_t r = 0; r < picks; ++r) {
        const std::int64_t position = r + (k == 0 ? 0 : case_state().cursor);
        if (position >= picks || x[1][position] >= static_cast<double>(rows)) continue;
        for (std::int64_t j = 0; j < columns; ++j)
          results[k][r * columns + j] = x[0][static_cast<std::int64_t>(x[1][position]) * columns + j];
      }
    return results;
  };
  c.bench = {"64x165376", inputs(64, 165376, 32), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{0, 4 * size(x[1]) * static_cast<double>(x[0].shape[1]) * bytes};
  };
  return c;
}

/// The middle of rows from the start, random crops of rows from the state's cursor, and random crops of the
/// source's own rows. The length of the third input is that of a crop.
OpCase gather_crops() {
  struct Sizes {
    std::int64_t rows, bands, frames, picks, crop;
  };
  const auto inputs = [](Sizes s) {
    return std::vector<Input>{{{s.rows, s.bands, s.frames}},
                              {{s.picks}, 0, static_cast<double>(s.rows), false, Storage::i64},
                              {{s.crop}, 0, 0, false, Storage::f32}};
  };
  OpCase c;
  c.name = "gather_crops";
  c.differentiable = false;
  c.exact = true;
  c.variants = {{"one", inputs({1, 1, 1, 1, 1})},   {"odd", inputs({11, 5, 37, 7, 10})},
                {"whole", inputs({4, 3, 9, 6, 9})}, {"long", inputs({3, 9, 130, 5, 71})},
                {"empty", inputs({4, 3, 9, 0, 2})}, {"large", inputs({300, 20, 101, 90, 43}), true}};
  c.run = [](const Run& run) {
    const Tensor &source = run.tensor(0), &index = run.tensor(1);
    const Shape shape{index.size(), source.dim(1), run.tensor(2).size()};
    Tensor middle(shape, run.dtype), random(shape, run.dtype), own(shape, run.dtype);
    const StepState* none = nullptr;
    kernel::gather_crops(current_context(), source, index, none, stream, middle);
    kernel::gather_crops(current_context(), source, index, run.state, stream, random);
    kernel::gather_crops(current_context(), source, ConstView(), run.state, stream, own);
    return std::vector{Var(middle), Var(random), Var(own)};
  };
  c.reference = [](const Arrays& x) {
    const std::int64_t rows = x[0].dim(0), bands = x[0].dim(1), frames = x[0].dim(2), picks = x[1].size(),
                       crop = x[2].size();
    Arrays results(3, Array({picks, bands, crop}));
    for (std::size_t k = 0; k < 3; ++k)
      for (std::int64_t r = 0; r < picks; ++r) {
        const std::int64_t position = r + (k == 1 ? case_state().cursor : 0);
        if (position >= picks) continue;
        const double from = k == 2 ? static_cast<double>(r) : x[1][position];
        if (from >= static_cast<double>(rows)) continue;
        const double places = static_cast<double>(frames - crop + 1);
        const auto first = static_cast<std::int64_t>(
            k == 0 ? std::floor(static_cast<double>(frames - crop) / 2)
                   : std::floor(reference_uniform(case_state(), stream, r) * places));
        for (std::int64_t b = 0; b < bands; ++b)
          for (std::int64_t j = 0; j < crop; ++j)
            results[k][(r * bands + b) * crop + j] =
                x[0][(static_cast<std::int64_t>(from) * bands + b) * frames + first + j];
      }
    return results;
  };
  c.bench = {"64x128x646", inputs({64, 128, 1292, 32, 646}), true};
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{0, 4 * size(x[1]) * static_cast<double>(x[0].shape[1]) * size(x[2]) * bytes};
  };
  return c;
}

}  // namespace

std::vector<OpCase> memory_cases() {
  return {fill(), cast(), copy_strided(), accumulate(), scale_by(), gather_rows(), gather_crops()};
}

}  // namespace chorale::harness
