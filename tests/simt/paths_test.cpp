// SPDX-License-Identifier: MIT
// Every path of the CUDA kernels that a shape, an alignment or a size chooses, against the CPU backend: rows
// cut into pieces, a block instead of a warp per row, several launches instead of one, odd addresses, ragged
// tiles. What the rows compute is tested by the op cases.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/launch.h"
#include "kernels/philox.h"
#include "tensor/tensor.h"
#include "tests/simt/emulator/device.h"

namespace chorale {
namespace {

using Body = std::function<std::vector<Tensor>()>;

/// Values in [-1, 1), the same on every device; the storage starts `offset` elements late.
Tensor random_tensor(const Shape& shape, DType dtype, std::uint32_t seed, std::int64_t offset = 0) {
  const std::int64_t size = element_count(shape);
  std::vector<float> values(static_cast<std::size_t>(size + offset));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = 2.0f * philox::uniform(philox::block(seed, 0, 0, i / 4).word[i % 4]) - 1.0f;
  return Tensor::from_host(values, {size + offset}).to(dtype).slice(0, offset, size + offset).reshape(shape);
}

Tensor step_state(const StepState& state) {
  return Tensor::from_bytes(&state, {static_cast<std::int64_t>(sizeof state)}, DType::u8);
}
StepState* pointer(const Tensor& state) { return reinterpret_cast<StepState*>(state.raw()); }

double tolerance(DType dtype) {
  return dtype == DType::f16 ? 2e-3 : dtype == DType::bf16 ? 2e-2 : dtype == DType::f32 ? 2e-5 : 1e-6;
}

std::vector<double> values_of(const Tensor& t) { return t.to(DType::f64).to_host<double>(); }

class Paths : public testing::Test {
 protected:
  static void SetUpTestSuite() { register_backend(DeviceKind::simt, *simt::device_api()); }

  /// Runs on both devices, fresh memory poisoned and guarded, and compares all outputs.
  static void compare(const Body& body) {
    std::vector<std::vector<double>> results[2];
    std::vector<DType> dtypes;
    for (const int device : {0, 1}) {
      ExecutionContext context(device ? DeviceKind::simt : DeviceKind::cpu, 0,
                               {.poison = true, .guard = true});
      const ContextScope scope(context);
      dtypes.clear();
      for (const Tensor& t : body()) {
        results[device].push_back(values_of(t));
        dtypes.push_back(t.dtype());
      }
    }
    for (std::size_t k = 0; k < dtypes.size(); ++k) {
      const auto &expected = results[0][k], &actual = results[1][k];
      ASSERT_EQ(expected.size(), actual.size());
      double scale = 0;
      for (const double e : expected)
        if (std::isfinite(e)) scale = std::max(scale, std::fabs(e));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const double e = expected[i], a = actual[i];
        const bool same = std::isfinite(e)
                              ? std::fabs(a - e) <= tolerance(dtypes[k]) * (std::fabs(e) + 0.1 * scale + 1e-6)
                          : std::isnan(e) ? std::isnan(a)
                                          : a == e;
        ASSERT_TRUE(same) << "output " << k << ", element " << i << ": " << a << ", CPU " << e;
      }
    }
  }
};

constexpr DType storage[] = {DType::f32, DType::f16, DType::bf16};

TEST_F(Paths, Elementwise) {
  for (const DType dtype : storage)
    for (const std::int64_t offset : {0, 1})
      for (const std::int64_t period : {1, 7, 16, 4928})
        compare([&] {
          const Shape shape{4928 / period, period};
          const Tensor x = random_tensor(shape, dtype, 1, offset),
                       y = random_tensor({period}, dtype, 2, offset);
          const Tensor out(shape, dtype), dx(shape, dtype), dy(shape, dtype), t(shape, dtype);
          Context& c = current_context();
          kernel::mul_forward(c, x, y, out);
          kernel::mul_backward(c, x, x, y, dx, dy);
          kernel::gelu_forward(c, x, t, 0.0f, 0.0f);
          return std::vector<Tensor>{out, dx, dy, t};
        });
}

TEST_F(Paths, Reductions) {
  const Shape shapes[] = {{1, 100003, 1}, {3, 40000, 1}, {5, 70, 1},  {40, 33, 1},   {4, 5000, 1},
                          {1, 3000, 7},   {6, 50, 33},   {1, 1, 129}, {2, 1500, 40}, {3, 0, 2}};
  for (const Shape& shape : shapes)
    for (const std::int64_t offset : {0, 1})
      for (const DType dtype : {DType::f32, DType::f16})
        compare([&] {
          const Tensor x = random_tensor(shape, dtype, 3, offset);
          const Tensor sum({shape[0], shape[2]}, DType::f32), max({shape[0], shape[2]}, dtype),
              back(shape, dtype);
          Context& c = current_context();
          kernel::reduce_sum(c, x, sum);
          kernel::reduce_max(c, x, max);
          kernel::broadcast_middle(c, max, 0.5f, back);
          const Tensor squares = Tensor::full({1}, 3.0, DType::f64);
          kernel::square_sum(c, x, squares);
          return std::vector<Tensor>{sum, max, back, squares};
        });
}

TEST_F(Paths, SoftmaxByWarpAndByBlock) {
  for (const DType dtype : storage)
    for (const std::int64_t columns : {1, 7, 1024, 1025, 3000})
      compare([&] {
        const Tensor x = random_tensor({9, columns}, dtype, 4), dy = random_tensor({9, columns}, dtype, 5);
        x[2].fill(-INFINITY);
        x[3].fill(60.0);
        std::vector<Tensor> out;
        for (int i = 0; i < 4; ++i) out.emplace_back(Shape{9, columns}, dtype);
        Context& c = current_context();
        kernel::softmax_forward(c, x, out[0]);
        kernel::softmax_backward(c, dy, out[0], out[1]);
        kernel::log_softmax_forward(c, x, out[2]);
        kernel::log_softmax_backward(c, dy, out[2], out[3]);
        return out;
      });
}

TEST_F(Paths, BatchNormInOneKernelAndInSeveral) {
  for (const std::int64_t rows : {1, 37, 2048, 2049, 5000})
    for (const std::int64_t columns : {5, 40, 70})
      for (const std::int64_t offset : {0, 1})
        for (const ChannelDropout dropout :
             {ChannelDropout{}, ChannelDropout{0.4f, 3u, 1}, ChannelDropout{0.4f, 3u, rows}})
          compare([&] {
            const Tensor device = step_state(StepState{});
            const Tensor x = random_tensor({rows, columns}, DType::f32, 6, offset),
                         dy = random_tensor({rows, columns}, DType::f32, 7, offset);
            kernel::affine_forward(current_context(), x, x, 2.0f, 8.0f);  // a mean far from zero
            const Tensor gamma = random_tensor({columns}, DType::f32, 8),
                         beta = random_tensor({columns}, DType::f32, 9);
            const Tensor mean({columns}, DType::f32), rstd({columns}, DType::f32);
            const Tensor running_mean = Tensor::zeros({columns}),
                         running_variance = Tensor::full({columns}, 1.0);
            const Tensor y({rows, columns}, DType::f32), z({rows, columns}, DType::f32),
                dx({rows, columns}, DType::f32);
            const Tensor dgamma({columns}, DType::f32), dbeta({columns}, DType::f32);
            Context& c = current_context();
            kernel::batch_norm_forward(c, x, gamma, beta, running_mean, running_variance, 0.1f, 1e-2f,
                                       Activation::leaky_relu, 0.2f, dropout, pointer(device), y, mean, rstd);
            kernel::batch_norm_inference(c, x, gamma, beta, running_mean, running_variance, 1e-2f,
                                         Activation::none, 0.2f, z);
            // Without an activation: at its kink rounding decides which side an element is on.
            kernel::batch_norm_backward(c, dy, x, gamma, beta, mean, rstd, Activation::none, 0.2f, dropout,
                                        pointer(device), dx, dgamma, dbeta);
            std::vector<Tensor> out{running_mean, running_variance, z, rstd, dgamma, dbeta};
            if (rows > 1) out.insert(out.end(), {y, dx});  // of one row both are rounding errors
            return out;
          });
}

TEST_F(Paths, GroupNormInPieces) {
  for (const std::int64_t pixels : {1, 130, 3000})
    for (const std::int64_t columns : {6, 40, 72})
      for (const std::int64_t groups : {1, 2})
        for (const DType dtype : {DType::f32, DType::bf16})
          compare([&] {
            const Tensor x = random_tensor({2, pixels, columns}, dtype, 6),
                         dy = random_tensor({2, pixels, columns}, dtype, 7);
            kernel::affine_forward(current_context(), x, x, 2.0f, 8.0f);
            const Tensor gamma = random_tensor({columns}, DType::f32, 8),
                         beta = random_tensor({columns}, DType::f32, 9);
            const Tensor mean({2, groups}, DType::f32), rstd({2, groups}, DType::f32);
            const Tensor y(x.shape(), dtype), dx(x.shape(), dtype);
            const Tensor dgamma({columns}, DType::f32), dbeta({columns}, DType::f32);
            Context& c = current_context();
            kernel::group_norm_forward(c, x, gamma, beta, groups, 1e-2f, Activation::leaky_relu, 0.2f, y,
                                       mean, rstd);
            kernel::group_norm_backward(c, dy, x, gamma, beta, mean, rstd, groups, Activation::none, 0.2f, dx,
                                        dgamma, dbeta);
            return std::vector<Tensor>{y, mean, rstd, dx, dgamma, dbeta};
          });
}

TEST_F(Paths, GatherByEveryWordAndCopyByTiles) {
  for (const DType dtype : {DType::u8, DType::f16, DType::f32, DType::f64})
    for (const std::int64_t columns : {1, 7, 16, 600})
      compare([&] {
        std::vector<float> numbers(static_cast<std::size_t>(12 * columns));
        std::iota(numbers.begin(), numbers.end(), 0.0f);
        for (float& v : numbers) v = std::fmod(v, 251.0f);
        const Tensor source = Tensor::from_host(numbers, {12, columns}).to(dtype);
        const Tensor index = Tensor::from_host(std::vector<std::int64_t>{3, 11, -1, 0, 12, 5, 5}, {7});
        StepState state;
        state.cursor = 2;
        const Tensor device = step_state(state), all({7, columns}, dtype), late({6, columns}, dtype);
        Context& c = current_context();
        kernel::gather_rows(c, source, index, nullptr, all);
        kernel::gather_rows(c, source, index, pointer(device), late);
        const Tensor transposed = source.transpose(0, 1).contiguous();
        const Tensor batch = source.reshape({2, 3, 2, columns});
        return std::vector<Tensor>{all, late, transposed, batch.transpose(2, 3).contiguous(),
                                   batch.transpose(0, 2).contiguous()};
      });
}

TEST_F(Paths, CastBetweenAllTypes) {
  const DType all[] = {DType::f32, DType::f16, DType::bf16, DType::f64,
                       DType::i32, DType::i64, DType::u8,   DType::i16};
  const std::vector<float> special{0,    -0.5f, 0.5f, 1,     -1,     255, 256, -300, 65504,
                                   1e9f, -1e9f, 3e9f, 1e19f, -1e19f, 7,   8,   9};
  for (const DType from : all)
    for (const DType to : all)
      compare([&] {
        const Tensor x = Tensor::from_host(special, {17}).to(from), y({17}, to);
        kernel::cast(current_context(), x, y);
        return std::vector<Tensor>{y};
      });
}

TEST_F(Paths, RandomNumbersAtOddSizesAndAddresses) {
  for (const DType dtype : storage)
    for (const std::int64_t offset : {0, 1})
      compare([&] {
        StepState state;
        state.seed = 99;
        state.rng_offset = 5;
        const Tensor device = step_state(state), x = random_tensor({2051}, dtype, 10, offset);
        const Tensor normal({2051}, dtype), uniform({2051}, dtype), dropped({2051}, dtype);
        Context& c = current_context();
        kernel::normal_fill(c, pointer(device), 3u, normal);
        kernel::uniform_fill(c, pointer(device), 4u, uniform);
        kernel::dropout(c, x, pointer(device), 5u, 0.3f, dropped);
        return std::vector<Tensor>{normal, uniform, dropped};
      });
}

TEST_F(Paths, GaussianLatentWithColumnsInAndOutOfStep) {
  for (const std::int64_t d : {1, 6, 33, 128})
    for (const bool sample : {true, false})
      compare([&] {
        const Tensor device = step_state(StepState{}),
                     statistics = random_tensor({70, 2 * d}, DType::f32, 11);
        kernel::affine_forward(current_context(), statistics, statistics, 4.0f, 0.0f);
        GaussianLatentParams params;
        params.log_variance_min = -2;
        params.log_variance_max = 3;
        params.sample = sample;
        const Tensor dz = random_tensor({70, d}, DType::f32, 12), dkl = random_tensor({d}, DType::f32, 13);
        const Tensor z({70, d}, DType::f32), kl({d}, DType::f32);
        const Tensor both({70, 2 * d}, DType::f32), only_kl({70, 2 * d}, DType::f32);
        Context& c = current_context();
        kernel::gaussian_latent_forward(c, statistics, pointer(device), 1u, params, z, kl);
        kernel::gaussian_latent_backward(c, dz, dkl, statistics, pointer(device), 1u, params, both);
        kernel::gaussian_latent_backward(c, View(), dkl, statistics, pointer(device), 1u, params, only_kl);
        return std::vector<Tensor>{z, kl, both, only_kl};
      });
}

TEST_F(Paths, ReconstructionInPiecesAndInPlace) {
  for (const Likelihood kind :
       {Likelihood::squared_error, Likelihood::gaussian, Likelihood::bernoulli, Likelihood::laplace})
    for (const std::int64_t d : {5, 1001, 20000})
      for (const DType dtype : {DType::f32, DType::f16})
        compare([&] {
          const LikelihoodParams params{kind, 0.7f};
          const Tensor y = random_tensor({3, d}, dtype, 14), target = random_tensor({3, d}, DType::f32, 15);
          const Tensor dnll = random_tensor({3}, DType::f32, 16), nll({3}, DType::f32), dy({3, d}, dtype);
          Context& c = current_context();
          kernel::reconstruction_forward(c, y, target, params, nll);
          kernel::reconstruction_backward(c, dnll, y, target, params, dy);
          const Tensor x = random_tensor({3, 8}, DType::f32, 17), w = random_tensor({d, 8}, DType::f32, 18);
          const Tensor bias = random_tensor({d}, DType::f32, 19), both({3}, DType::f32),
                       dboth({3, d}, DType::f32);
          kernel::linear_reconstruction(c, x, w, bias, target, params, both, dboth);
          std::vector<Tensor> out{nll, dy, both};
          if (kind != Likelihood::laplace) out.push_back(dboth);  // a sign; rounding decides near zero
          return out;
        });
}

TEST_F(Paths, LinearEpilogues) {
  for (const DType dtype : {DType::f32, DType::f16})
    for (const Activation activation :
         {Activation::none, Activation::relu, Activation::leaky_relu, Activation::tanh, Activation::gelu})
      compare([&] {
        const Tensor x = random_tensor({10, 24}, dtype, 20), w = random_tensor({19, 24}, dtype, 21);
        const Tensor bias = random_tensor({19}, dtype, 22), y({10, 19}, dtype), plain({10, 19}, dtype);
        const Tensor dw = Tensor::full({19, 24}, 0.5, DType::f32),
                     dbias = Tensor::full({19}, 0.5, DType::f32);
        const Tensor fresh({19}, dtype), dy = random_tensor({10, 19}, dtype, 31);
        Context& c = current_context();
        kernel::linear_forward(c, x, w, bias, activation, y);
        kernel::linear_forward(c, x, w, View(), activation, plain);
        kernel::linear_backward_weight(c, dy, x, dw, dbias, 0.25f);
        kernel::linear_backward_weight(c, dy, x, View(), fresh, 0.0f);
        return std::vector<Tensor>{y, plain, dw, dbias, fresh};
      });
}

TEST_F(Paths, OptimizersOnRaggedTilesAndSkippedSteps) {
  for (const OptimizerKind kind : {OptimizerKind::adamw, OptimizerKind::adam, OptimizerKind::sgd})
    for (const bool shadowed : {true, false})
      for (const std::int32_t found_inf : {0, 1})
        for (const std::int64_t in : {67, 132})
          compare([&] {
            StepState state;
            state.learning_rate = 0.1f;
            state.gradient_multiplier = 0.5f;
            state.bias_correction1 = 0.1f;
            state.bias_correction2 = 0.01f;
            state.found_inf = found_inf;
            OptimizerParams params;
            params.kind = kind;
            params.weight_decay = 0.1f;
            params.nesterov = true;
            const std::int64_t out = 70, size = out * in;
            const Tensor device = step_state(state);
            const Tensor p = random_tensor({size}, DType::f32, 23), m = random_tensor({size}, DType::f32, 24);
            const Tensor v = Tensor::full({size}, 0.3), shadow = Tensor::zeros({size}, DType::bf16);
            const Tensor g = random_tensor({size}, DType::f16, 25);
            const Tensor dy = random_tensor({45, out}, DType::f16, 26),
                         x = random_tensor({45, in}, DType::f16, 27);
            const View second = kind == OptimizerKind::sgd ? View() : v.view(),
                       copy = shadowed ? shadow.view() : View();
            Context& c = current_context();
            kernel::optimizer_step(c, pointer(device), params, g, p, m, second, copy);
            kernel::optimizer_step_outer(c, pointer(device), params, dy, x, p, m, second, copy);
            const Tensor squares = Tensor::full({1}, 1.0, DType::f64);
            kernel::outer_square_sum(c, dy, x, squares);
            return std::vector<Tensor>{p, m, v, shadow, squares};
          });
}

TEST_F(Paths, GramMatricesInPieces) {
  for (const std::int64_t rows : {1, 32, 33, 70})
    for (const std::int64_t columns : {3, 64, 1500})
      compare([&] {
        const Tensor dy = random_tensor({rows, columns}, DType::f32, 28),
                     x = random_tensor({rows, 200}, DType::f32, 29);
        const Tensor out = Tensor::zeros({1}, DType::f64);
        kernel::outer_square_sum(current_context(), dy, x, out);
        return std::vector<Tensor>{out};
      });
}

TEST_F(Paths, StepBookkeeping) {
  for (const double square_sum : {4.0, 1e30, static_cast<double>(INFINITY), static_cast<double>(NAN)})
    compare([&] {
      StepState state;
      state.step_in_epoch = 1;
      state.loss_scale = 1024;
      state.growth_counter = 1;
      const Tensor device = step_state(state), rates = random_tensor({2}, DType::f32, 30);
      StepControl control;
      control.max_gradient_norm = 0.5f;
      control.dynamic_loss_scale = true;
      control.growth_interval = 2;
      Context& c = current_context();
      for (int i = 0; i < 3; ++i) {
        kernel::step_begin(c, pointer(device), rates, rates, rates);
        pointer(device)->gradient_square_sum = square_sum;
        kernel::step_decide(c, pointer(device), control);
        kernel::micro_batch_end(c, pointer(device), std::int64_t{32});
      }
      const Tensor sums = Tensor::zeros({3}, DType::f64);
      const Tensor values = Tensor::from_host(std::vector<float>{2, NAN}, {2});
      kernel::accumulate_metrics(c, values, 0.5, sums);
      return std::vector<Tensor>{device.slice(0, 0, 100), sums};  // padding follows
    });
}

}  // namespace
}  // namespace chorale
