// SPDX-License-Identifier: MIT
#include "models/discriminator.h"

#include "models/streams.h"

namespace chorale::models {

using autograd::Var;

namespace {
constexpr std::int64_t width = 256, depth = 3;
constexpr float slope = 0.2f;
}  // namespace

Discriminator::Discriminator(std::int64_t latent_dim) {
  std::int64_t in = latent_dim;
  for (std::int64_t i = 0; i <= depth; ++i) {
    const std::int64_t out = i < depth ? width : 1;
    layers_.emplace_back(parameters_, "discriminator." + std::to_string(2 * i), in, out);
    in = out;
  }
}

void Discriminator::allocate(bool training, std::uint64_t seed) {
  parameters_.allocate({.precision = {}, .factor_rows = 0, .training = training}, seed);
}

Var Discriminator::logits(Var x, bool learn) const {
  const auto parameter = [&](int index) {
    return learn ? parameters_.var(index) : parameters_.var(index).detach();
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    x = autograd::linear(x, parameter(layers_[i].weight), parameter(layers_[i].bias));
    if (i + 1 < layers_.size()) x = autograd::leaky_relu(x, slope);
  }
  return x;
}

Var Discriminator::total_correlation(const Var& z) {
  const Var codes = autograd::cast(z, DType::f32);
  codes_ = codes.value();
  return autograd::mean(logits(codes, false));
}

Var Discriminator::objective(const StepState* state) {
  const Tensor shuffled = autograd::permute_columns(codes_, state, stream::permutation);
  const Var real = autograd::softplus(autograd::scale(logits(Var(codes_), true), -1.0f));
  const Var other = autograd::softplus(logits(Var(shuffled), true));
  codes_ = Tensor();
  return autograd::scale(autograd::add(autograd::mean(real), autograd::mean(other)), 0.5f);
}

}  // namespace chorale::models
