// SPDX-License-Identifier: MIT
#include "models/basic_vae.h"

#include "kernels/launch.h"

namespace chorale::models {

using autograd::Initializer;
using autograd::ParameterPiece;
using autograd::Var;

namespace {

// Philox streams of a training step: one per random op, fixed so that a twin can draw the same numbers.
constexpr std::uint32_t latent_stream = 1;
constexpr std::uint32_t encoder_stream = 16;  // + index of the block
constexpr std::uint32_t decoder_stream = 32;

}  // namespace

BasicVae::BasicVae(VaeOptions options) : options_(std::move(options)) {
  if (options_.input_dim < 1) throw ContractError("basic: input_dim " + std::to_string(options_.input_dim));
  if (options_.latent_dim < 1)
    throw UsageError("model.latent_dim: out of range: " + std::to_string(options_.latent_dim) +
                     " (allowed 1 or more)");
  if (options_.hidden.empty() || options_.hidden.size() > 8)
    throw UsageError("model.hidden: wrong number of layers: " + std::to_string(options_.hidden.size()) +
                     " (allowed 1 to 8)");
  const std::int64_t d = options_.latent_dim;
  encoder_ = add_blocks("encoder", options_.input_dim, options_.hidden, encoder_stream);
  latent_ = add_linear("fc_statistics", options_.hidden.back(), 2 * d,
                       {{"fc_mu.weight", 0, d}, {"fc_logvar.weight", d, d}},
                       {{"fc_mu.bias", 0, d}, {"fc_logvar.bias", d, d}});
  decoder_ = add_blocks("decoder", d, {options_.hidden.rbegin(), options_.hidden.rend()}, decoder_stream);
  output_ = add_linear("decoder." + std::to_string(4 * decoder_.size()), options_.hidden.front(),
                       options_.input_dim);
}

BasicVae::Linear BasicVae::add_linear(const std::string& name, std::int64_t in, std::int64_t out,
                                      std::vector<ParameterPiece> weight_pieces,
                                      std::vector<ParameterPiece> bias_pieces) {
  Linear linear;
  linear.weight = parameters_.add(
      {.name = name + ".weight", .shape = {out, in}, .fan_in = in, .pieces = std::move(weight_pieces)});
  linear.bias = parameters_.add(
      {.name = name + ".bias", .shape = {out}, .fan_in = in, .pieces = std::move(bias_pieces)});
  return linear;
}

std::vector<BasicVae::Block> BasicVae::add_blocks(const std::string& name, std::int64_t input,
                                                  const std::vector<std::int64_t>& widths,
                                                  std::uint32_t first_stream) {
  std::vector<Block> blocks;
  for (std::int64_t width : widths) {
    Block block;
    const std::size_t index = 4 * blocks.size();  // Linear, BatchNorm, ReLU, Dropout
    block.prefix = name + "." + std::to_string(index);
    block.norm_prefix = name + "." + std::to_string(index + 1);
    const Linear linear = add_linear(block.prefix, input, width);
    block.weight = linear.weight;
    block.bias = linear.bias;
    block.gamma = parameters_.add({.name = block.norm_prefix + ".weight",
                                   .shape = {width},
                                   .initializer = Initializer::ones,
                                   .low = false});
    block.beta = parameters_.add({.name = block.norm_prefix + ".bias",
                                  .shape = {width},
                                  .initializer = Initializer::zeros,
                                  .low = false});
    block.width = width;
    block.dropout_stream = first_stream + static_cast<std::uint32_t>(blocks.size());
    blocks.push_back(std::move(block));
    input = width;
  }
  return blocks;
}

void BasicVae::allocate(const autograd::ParameterStore::Layout& layout, std::uint64_t seed) {
  layout_ = layout;
  parameters_.allocate(layout, seed);
  for (auto* blocks : {&encoder_, &decoder_})
    for (Block& block : *blocks) {
      block.norm.running_mean = Tensor::zeros({block.width});
      block.norm.running_variance = Tensor::full({block.width}, 1.0);
    }
}

std::vector<NamedBuffer> BasicVae::buffers() {
  std::vector<NamedBuffer> all;
  for (auto* blocks : {&encoder_, &decoder_})
    for (Block& block : *blocks) {
      all.push_back({block.norm_prefix + ".running_mean", block.norm.running_mean});
      all.push_back({block.norm_prefix + ".running_var", block.norm.running_variance});
    }
  return all;
}

void BasicVae::set_training(bool on) {
  for (auto* blocks : {&encoder_, &decoder_})
    for (Block& block : *blocks) block.norm.training = on;
}

Var BasicVae::run_blocks(std::vector<Block>& blocks, Var x, const StepState* state) {
  for (Block& block : blocks) {
    x = autograd::linear(x, parameters_.var(block.weight), parameters_.var(block.bias));
    x = autograd::batch_norm(x, parameters_.var(block.gamma), parameters_.var(block.beta), block.norm,
                             Activation::relu);
    if (block.norm.training) x = autograd::dropout(x, state, block.dropout_stream, options_.dropout);
  }
  return x;
}

Var BasicVae::statistics(const Tensor& x, const StepState* state) {
  const Var h = run_blocks(encoder_, Var(to_compute(x)), state);
  return autograd::linear(h, parameters_.var(latent_.weight), parameters_.var(latent_.bias));
}

Objective BasicVae::objective(const Tensor& x, const autograd::TrainState& state) {
  set_training(true);
  const auto latent = autograd::gaussian_latent(statistics(x, state.device()), state.device(), latent_stream,
                                                options_.latent);
  const Var h = run_blocks(decoder_, latent.z, state.device());
  const Var nll = autograd::linear_reconstruction(
      h, parameters_.var(output_.weight), parameters_.var(output_.bias), to_compute(x), options_.likelihood);
  return make_objective(options_, nll, latent.kl, state);
}

Objective BasicVae::evaluate(const Tensor& x, const autograd::TrainState& state) {
  const autograd::NoGradScope no_gradient;
  set_training(false);
  GaussianLatentParams at_mean = options_.latent;
  at_mean.sample = false;
  const auto latent =
      autograd::gaussian_latent(statistics(x, state.device()), state.device(), latent_stream, at_mean);
  const Var h = run_blocks(decoder_, latent.z, state.device());
  const Var nll = autograd::linear_reconstruction(
      h, parameters_.var(output_.weight), parameters_.var(output_.bias), to_compute(x), options_.likelihood);
  return make_objective(options_, nll, latent.kl, state);
}

Tensor BasicVae::encode(const Tensor& x) {
  const autograd::NoGradScope no_gradient;
  set_training(false);
  return statistics(x, nullptr).value().slice(1, 0, options_.latent_dim).contiguous().to(DType::f32);
}

Tensor BasicVae::decode(const Tensor& z) {
  const autograd::NoGradScope no_gradient;
  set_training(false);
  const Var h = run_blocks(decoder_, Var(to_compute(z)), nullptr);
  return autograd::linear(h, parameters_.var(output_.weight), parameters_.var(output_.bias))
      .value()
      .to(DType::f32);
}

}  // namespace chorale::models
