// SPDX-License-Identifier: MIT
// Convolutions of every form against sums in f64, in every storage type: each element, the error as a whole
// where transforms round on their way, and the same bits for any number of threads.
#include <span>

#include "tests/kernels_linear/support.h"

namespace chorale::testing {
namespace {

struct Layer {
  std::int64_t n, height, width, channels, outs, rows, columns;
  ConvolutionParams params;
  std::int64_t out_height() const {
    return (height + 2 * params.padding_height - rows) / params.stride_height + 1;
  }
  std::int64_t out_width() const {
    return (width + 2 * params.padding_width - columns) / params.stride_width + 1;
  }
  Shape x() const { return {n, height, width, channels}; }
  Shape y() const { return {n, out_height(), out_width(), outs}; }
  Shape w() const { return {outs, rows, columns, channels}; }
};

constexpr ConvolutionParams halving{2, 2, 1, 1}, same{1, 1, 1, 1};
// Tiles of 3 x 3 and 2 x 2 results, several blocks of them, channels in slices of 16, 48 and 64; then few
// channels; then what is left.
const Layer transformed[] = {{1, 4, 4, 16, 16, 4, 4, halving},     {2, 13, 31, 48, 16, 4, 4, halving},
                             {3, 33, 70, 16, 80, 4, 4, halving},   {1, 10, 11, 80, 144, 4, 4, {2, 2, 0, 2}},
                             {2, 9, 20, 80, 32, 3, 3, same},       {1, 40, 41, 16, 16, 3, 3, same},
                             {2, 8, 9, 16, 32, 2, 2, {1, 1, 0, 0}}};
const Layer others[] = {{2, 9, 50, 1, 32, 4, 4, halving},      {1, 40, 21, 1, 17, 4, 4, halving},
                        {2, 12, 13, 3, 40, 3, 3, same},        {1, 9, 14, 2, 3, 1, 5, {3, 3, 0, 2}},
                        {2, 7, 11, 33, 5, 3, 2, {1, 3, 2, 1}}, {1, 30, 31, 24, 20, 4, 4, halving}};

enum class Direction { forward, input, weight };

/// What each direction sums: f(position in x, in w, in y).
template <class F>
void for_each_product(const Layer& s, const F& f) {
  for (std::int64_t n = 0; n < s.n; ++n)
    for (std::int64_t i = 0; i < s.out_height(); ++i)
      for (std::int64_t j = 0; j < s.out_width(); ++j)
        for (std::int64_t a = 0; a < s.rows; ++a)
          for (std::int64_t b = 0; b < s.columns; ++b) {
            const std::int64_t h = i * s.params.stride_height + a - s.params.padding_height,
                               w = j * s.params.stride_width + b - s.params.padding_width;
            if (h < 0 || h >= s.height || w < 0 || w >= s.width) continue;
            for (std::int64_t o = 0; o < s.outs; ++o)
              for (std::int64_t c = 0; c < s.channels; ++c)
                f(((n * s.height + h) * s.width + w) * s.channels + c,
                  ((o * s.rows + a) * s.columns + b) * s.channels + c,
                  ((n * s.out_height() + i) * s.out_width() + j) * s.outs + o);
          }
}

class Convolutions : public KernelTest {
 protected:
  /// Calls test(layer, dtype, direction) for all of them.
  template <class Test>
  void for_all(std::span<const Layer> layers, const Test& test) {
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
      for (const Layer& s : layers) {
        for (const Direction direction : {Direction::forward, Direction::input, Direction::weight}) {
          SCOPED_TRACE(std::string(dtype_name(dtype)) + " x " + to_string(s.x()) + " w " + to_string(s.w()) +
                       " direction " + std::to_string(static_cast<int>(direction)));
          test(s, dtype, direction);
          if (HasFatalFailure()) return;
        }
      }
    }
  }

  Tensor compute(const Layer& s, DType dtype, Direction direction) {
    const Operand x = operand(s.x(), dtype, 1), w = operand(s.w(), dtype, 2), y = operand(s.y(), dtype, 3);
    if (direction == Direction::forward) {
      Tensor result = garbage(s.y(), dtype);
      kernel::conv2d_forward(context, x, w, ConstView(), s.params, result);
      return result;
    }
    if (direction == Direction::input) {
      Tensor result = garbage(s.x(), dtype);
      kernel::conv2d_backward_input(context, y, w, ConstView(), s.params, result);
      return result;
    }
    Tensor result = garbage(s.w(), DType::f32);
    kernel::conv2d_backward_weight(context, y, x, s.params, result, View(), 0.0f);
    return result;
  }

  std::vector<double> expected(const Layer& s, DType dtype, Direction direction) {
    const Operand x = operand(s.x(), dtype, 1), w = operand(s.w(), dtype, 2), y = operand(s.y(), dtype, 3);
    std::vector<double> result(
        static_cast<std::size_t>(element_count(direction == Direction::forward ? s.y()
                                               : direction == Direction::input ? s.x()
                                                                               : s.w())));
    const auto at = [&](std::int64_t i) -> double& { return result[static_cast<std::size_t>(i)]; };
    for_each_product(s, [&](std::int64_t from, std::int64_t weight, std::int64_t to) {
      if (direction == Direction::forward) at(to) += x[from] * w[weight];
      if (direction == Direction::input) at(from) += y[to] * w[weight];
      if (direction == Direction::weight) at(weight) += x[from] * y[to];
    });
    return result;
  }
};

/// ||actual - expected|| / ||expected||; NaN if an element is not a number.
double relative_error(const Tensor& actual, const std::vector<double>& expected) {
  const std::vector<double> values = values_of(actual);
  double error = 0, scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    error += (values[i] - expected[i]) * (values[i] - expected[i]);
    scale += expected[i] * expected[i];
  }
  return std::sqrt(error / scale);
}

TEST_F(Convolutions, WithTransforms) {
  for_all(transformed, [&](const Layer& s, DType dtype, Direction direction) {
    const double allowed = dtype == DType::f32 ? 6e-7 : dtype == DType::f16 ? 4e-4 : 6e-3;
    EXPECT_LE(relative_error(compute(s, dtype, direction), expected(s, dtype, direction)), allowed);
  });
}

TEST_F(Convolutions, WithoutTransforms) {
  for_all(others, [&](const Layer& s, DType dtype, Direction direction) {
    const std::int64_t terms = direction == Direction::forward ? s.rows * s.columns * s.channels
                               : direction == Direction::input ? s.rows * s.columns * s.outs
                                                               : s.n * s.out_height() * s.out_width();
    expect_close(compute(s, dtype, direction), expected(s, dtype, direction),
                 std::sqrt(static_cast<double>(terms)));
  });
}

TEST_F(Convolutions, BitsDoNotDependOnThreads) {
  const auto compare = [&](const Layer& s, DType dtype, Direction direction) {
    set_threads(1);
    const Tensor one = compute(s, dtype, direction);
    for (const int threads : {2, 3, 7}) {
      set_threads(threads);
      EXPECT_TRUE(same_bits(compute(s, dtype, direction), one)) << threads << " threads";
    }
  };
  for_all(transformed, compare);
  for_all(others, compare);
}

TEST_F(Convolutions, ANaNIsSeen) {
  for (const Layer& s : {transformed[1], transformed[4], others[0], others[5]}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      Operand x = operand(s.x(), dtype, 1);
      x.tensor.fill(std::nan(""));
      const Operand w = operand(s.w(), dtype, 2), y = operand(s.y(), dtype, 3);
      Tensor result(s.y(), dtype), dw(s.w(), DType::f32);
      kernel::conv2d_forward(context, x, w, ConstView(), s.params, result);
      kernel::conv2d_backward_weight(context, y, x, s.params, dw, View(), 0.0f);
      for (const double value : values_of(result)) ASSERT_TRUE(std::isnan(value));
      for (const double value : values_of(dw)) ASSERT_TRUE(std::isnan(value));
    }
  }
}

TEST_F(Convolutions, ArgumentsThatDoNotFitAreRefused) {
  const Operand x = operand({1, 8, 8, 16}, DType::f32, 1), w = operand({16, 4, 4, 16}, DType::f32, 2);
  Tensor y({1, 4, 4, 16}, DType::f32), wrong({1, 4, 5, 16}, DType::f32);
  const ConvolutionParams standing{0, 2, 1, 1};
  kernel::conv2d_forward(context, x, w, ConstView(), halving, y);
  EXPECT_THROW(kernel::conv2d_forward(context, x, w, ConstView(), halving, wrong), ContractError);
  EXPECT_THROW(kernel::conv2d_forward(context, x, w, ConstView(), same, y), ContractError);
  EXPECT_THROW(kernel::conv2d_forward(context, x, w, ConstView(), standing, y), ContractError);
  EXPECT_THROW(kernel::conv2d_backward_input(context, wrong, w, ConstView(), halving, x.tensor),
               ContractError);
}

}  // namespace
}  // namespace chorale::testing
