// SPDX-License-Identifier: MIT
// Every form of the fully connected layer against sums in f64: odd sizes, all storage types, optional
// arguments, sums longer than 65,536 terms, and the same bits for any number of threads.
#include "tests/kernels_linear/support.h"

namespace chorale::testing {
namespace {

struct Sizes {
  std::int64_t n, in, out;
};
// Around the vector widths (4, 8, 16), the tile's rows (6, 12), the switch at 64 rows, and beyond the blocks.
const Sizes odd_sizes[] = {{1, 1, 1},    {2, 3, 5},      {7, 17, 13},    {16, 16, 16},
                           {31, 33, 12}, {32, 300, 15},  {33, 31, 47},   {64, 129, 300},
                           {65, 49, 97}, {67, 300, 299}, {13, 300, 257}, {130, 530, 70}};
const Sizes long_sizes[] = {{5, 66049, 7}, {32, 70001, 3}, {3, 9, 66053}, {32, 16, 65563}, {70, 5, 66001}};
const DType dtypes[] = {DType::f32, DType::f16, DType::bf16};

std::vector<Sizes> all_sizes() {
  std::vector<Sizes> all(std::begin(odd_sizes), std::end(odd_sizes));
  all.insert(all.end(), std::begin(long_sizes), std::end(long_sizes));
  return all;
}

class Products : public KernelTest {
 protected:
  template <class Test>
  void for_all(const Test& test) {
    for (const DType dtype : dtypes) {
      for (const Sizes& s : all_sizes()) {
        SCOPED_TRACE(std::string(dtype_name(dtype)) + " n " + std::to_string(s.n) + " in " +
                     std::to_string(s.in) + " out " + std::to_string(s.out));
        test(s, dtype);
        if (HasFatalFailure()) return;
      }
    }
  }
};

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::leaky_relu:
      return x > 0 ? x : 0.2 * x;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  }
  return x;
}

TEST_F(Products, Forward) {
  int turn = 0;
  for_all([&](const Sizes& s, DType dtype) {
    const Operand x = operand({s.n, s.in}, dtype, 1), w = operand({s.out, s.in}, dtype, 2);
    const bool with_bias = turn % 3 != 0;
    const Operand bias = operand({s.out}, turn % 2 ? dtype : DType::f32, 3);
    const auto activation = static_cast<Activation>(turn++ % 5);
    auto expected = product(
        s.n, s.out, s.in, [&](auto i, auto k) { return x[i * s.in + k]; },
        [&](auto k, auto j) { return w[j * s.in + k]; });
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double offset = with_bias ? bias[static_cast<std::int64_t>(i) % s.out] : 0;
      expected[i] = activated(activation, expected[i] + offset);
    }
    const Tensor y = garbage({s.n, s.out}, dtype);
    kernel::linear_forward(context, x, w, with_bias ? ConstView(bias) : ConstView(), activation, y);
    expect_close(y, expected, std::sqrt(static_cast<double>(s.in)));
  });
}

TEST_F(Products, BackwardInput) {
  for_all([&](const Sizes& s, DType dtype) {
    const Operand dy = operand({s.n, s.out}, dtype, 4), w = operand({s.out, s.in}, dtype, 5);
    const auto expected = product(
        s.n, s.in, s.out, [&](auto i, auto k) { return dy[i * s.out + k]; },
        [&](auto k, auto j) { return w[k * s.in + j]; });
    const Tensor dx = garbage({s.n, s.in}, dtype);
    kernel::linear_backward_input(context, dy, w, dx);
    expect_close(dx, expected, std::sqrt(static_cast<double>(s.out)));
  });
}

TEST_F(Products, BackwardWeight) {
  int turn = 0;
  for_all([&](const Sizes& s, DType dtype) {
    const Operand dy = operand({s.n, s.out}, dtype, 6), x = operand({s.n, s.in}, dtype, 7);
    auto expected = product(
        s.out, s.in, s.n, [&](auto i, auto k) { return dy[k * s.out + i]; },
        [&](auto k, auto j) { return x[k * s.in + j]; });
    auto expected_bias = product(
        1, s.out, s.n, [](auto, auto) { return 1.0; }, [&](auto k, auto j) { return dy[k * s.out + j]; });
    const DType kept = turn % 2 ? dtype : DType::f32;
    const float beta = turn % 3 == 1 ? 0.5f : 0.0f;
    const bool skip_weight = turn % 7 == 6, skip_bias = turn % 7 == 5;
    ++turn;
    Operand dw = operand({s.out, s.in}, kept, 8), dbias = operand({s.out}, kept, 9);
    if (beta == 0.0f) {  // what was there must not matter, not even a NaN
      dw.tensor.fill(std::nan(""));
      dbias.tensor.fill(std::nan(""));
    } else {
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] += static_cast<double>(beta) * dw.value[i];
      for (std::size_t i = 0; i < expected_bias.size(); ++i)
        expected_bias[i] += static_cast<double>(beta) * dbias.value[i];
    }
    kernel::linear_backward_weight(context, dy, x, skip_weight ? View() : View(dw.tensor),
                                   skip_bias ? View() : View(dbias.tensor), beta);
    if (!skip_weight) expect_close(dw.tensor, expected, std::sqrt(static_cast<double>(s.n)));
    if (!skip_bias) expect_close(dbias.tensor, expected_bias, std::sqrt(static_cast<double>(s.n)));
  });
}

TEST_F(Products, GramNormEqualsTheNormOfTheProduct) {
  for_all([&](const Sizes& s, DType dtype) {
    const Operand dy = operand({s.n, s.out}, dtype, 10), x = operand({s.n, s.in}, dtype, 11);
    const auto g = product(
        s.out, s.in, s.n, [&](auto i, auto k) { return dy[k * s.out + i]; },
        [&](auto k, auto j) { return x[k * s.in + j]; });
    double expected = 1.5;
    for (const double v : g) expected += v * v;
    const Tensor out = Tensor::full({1}, 1.5, DType::f64);
    kernel::outer_square_sum(context, dy, x, out);
    EXPECT_NEAR(out.item(), expected, 3e-6 * expected);
  });
}

TEST_F(Products, GramNormSeesWhatIsNotFinite) {
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    for (const std::int64_t columns : {3, 500}) {
      const Operand dy = operand({32, columns}, DType::f32, 10), x = operand({32, 4000}, DType::f32, 11);
      x.tensor[17].slice(0, 2500, 2501).fill(bad);
      const Tensor out = Tensor::zeros({1}, DType::f64);
      kernel::outer_square_sum(context, dy, x, out);
      EXPECT_FALSE(std::isfinite(out.item()));
    }
  }
}

TEST_F(Products, Matmul) {
  int turn = 0;
  for_all([&](const Sizes& s, DType dtype) {
    const bool ta = turn & 1, tb = turn & 2;
    const float beta = turn % 3 == 1 ? -0.75f : 0.0f;
    ++turn;
    const std::int64_t m = s.n, k = s.in, n = s.out;
    const Operand a = operand(ta ? Shape{k, m} : Shape{m, k}, dtype, 12);
    const Operand b = operand(tb ? Shape{n, k} : Shape{k, n}, dtype, 13);
    Operand c = operand({m, n}, dtype, 14);
    auto expected = product(
        m, n, k, [&](auto i, auto p) { return ta ? a[p * m + i] : a[i * k + p]; },
        [&](auto p, auto j) { return tb ? b[j * k + p] : b[p * n + j]; });
    if (beta == 0.0f) c.tensor.fill(std::nan(""));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] *= 0.25;
      if (beta != 0.0f) expected[i] += static_cast<double>(beta) * c.value[i];
    }
    kernel::matmul(context, a, b, c.tensor, ta, tb, 0.25f, beta);
    expect_close(c.tensor, expected, std::sqrt(static_cast<double>(k)));
  });
}

double loss(const LikelihoodParams& params, double y, double x, double& derivative) {
  const double s = static_cast<double>(params.scale), d = y - x, pi = 3.14159265358979323846;
  switch (params.kind) {
    case Likelihood::squared_error:
      derivative = 2 * d;
      return d * d;
    case Likelihood::gaussian:
      derivative = d / (s * s);
      return 0.5 * d * d / (s * s) + std::log(s) + 0.5 * std::log(2 * pi);
    case Likelihood::laplace:
      derivative = (d > 0) - (d < 0);
      derivative /= s;
      return std::abs(d) / s + std::log(2 * s);
    case Likelihood::bernoulli:
      derivative = 1 / (1 + std::exp(-y)) - x;
      return std::max(y, 0.0) - x * y + std::log1p(std::exp(-std::abs(y)));
  }
  return 0;
}

TEST_F(Products, Reconstruction) {
  int turn = 0;
  for_all([&](const Sizes& s, DType dtype) {
    const LikelihoodParams params{static_cast<Likelihood>(turn % 4), 0.7f};
    const bool with_bias = turn++ % 3 != 2;
    const double scale = 1 / std::sqrt(static_cast<double>(s.in));
    const Operand x = operand({s.n, s.in}, dtype, 15), w = operand({s.out, s.in}, dtype, 16, scale);
    const Operand bias = operand({s.out}, DType::f32, 17), target = operand({s.n, s.out}, dtype, 18);
    auto y = product(
        s.n, s.out, s.in, [&](auto i, auto k) { return x[i * s.in + k]; },
        [&](auto k, auto j) { return w[j * s.in + k]; });
    std::vector<double> expected(y.size()), nll(static_cast<std::size_t>(s.n));
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (with_bias) y[i] += bias[static_cast<std::int64_t>(i) % s.out];
      nll[i / static_cast<std::size_t>(s.out)] += loss(params, y[i], target.value[i], expected[i]);
    }
    const Tensor sum = garbage({s.n}), dy = garbage({s.n, s.out}, dtype);
    kernel::linear_reconstruction(context, x, w, with_bias ? ConstView(bias) : ConstView(), target, params,
                                  sum, dy);
    const auto actual = values_of(sum);
    for (std::size_t r = 0; r < nll.size(); ++r)
      ASSERT_NEAR(actual[r], nll[r], 1e-5 * std::sqrt(static_cast<double>(s.out)) + 1e-6 * std::abs(nll[r]));
    // The Laplace gradient jumps where y = target; a rounding error may fall on either side.
    if (params.kind == Likelihood::laplace)
      for (std::size_t i = 0; i < y.size(); ++i)
        if (std::abs(y[i] - target.value[i]) < 1e-5) return;
    expect_close(dy, expected, 2.0);
  });
}

TEST_F(Products, ThreadsDoNotChangeTheBits) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Sizes& s :
         {Sizes{32, 70001, 40}, Sizes{32, 48, 66000}, Sizes{70, 300, 299}, Sizes{300, 520, 530}}) {
      const Operand x = operand({s.n, s.in}, dtype, 20), w = operand({s.out, s.in}, dtype, 21);
      const Operand dy = operand({s.n, s.out}, dtype, 22), bias = operand({s.out}, DType::f32, 23);
      std::vector<Tensor> first;
      for (const int threads : {1, 2, 3, 7}) {
        set_threads(threads);
        std::vector<Tensor> results{garbage({s.n, s.out}, dtype),
                                    garbage({s.n, s.in}, dtype),
                                    garbage({s.out, s.in}),
                                    garbage({s.out}),
                                    garbage({s.n}),
                                    garbage({s.n, s.out}, dtype),
                                    Tensor::zeros({1}, DType::f64)};
        kernel::linear_forward(context, x, w, bias, Activation::relu, results[0]);
        kernel::linear_backward_input(context, dy, w, results[1]);
        kernel::linear_backward_weight(context, dy, x, results[2], results[3], 0.0f);
        kernel::linear_reconstruction(context, x, w, bias, dy, LikelihoodParams{}, results[4], results[5]);
        kernel::outer_square_sum(context, dy, x, results[6]);
        if (first.empty()) first = results;
        for (std::size_t i = 0; i < results.size(); ++i)
          EXPECT_TRUE(same_bits(first[i], results[i])) << "result " << i << " with " << threads << " threads";
      }
    }
  }
}

TEST_F(Products, WrongShapesAreRefused) {
  const Tensor x({4, 6}, DType::f32), w({5, 7}, DType::f32), y({4, 5}, DType::f32), ids({4, 6}, DType::i64);
  EXPECT_THROW(kernel::linear_forward(context, x, w, ConstView(), Activation::none, y), ContractError);
  EXPECT_THROW(kernel::linear_forward(context, ids, w, ConstView(), Activation::none, y), ContractError);
  EXPECT_THROW(kernel::linear_backward_input(context, y, x, x), ContractError);
  EXPECT_THROW(kernel::linear_backward_weight(context, y, x, w, View(), 0.0f), ContractError);
  EXPECT_THROW(kernel::matmul(context, x, w, y, false, false, 1.0f, 0.0f), ContractError);
  EXPECT_THROW(kernel::outer_square_sum(context, x, w, y), ContractError);
}

}  // namespace
}  // namespace chorale::testing
