// SPDX-License-Identifier: MIT
#include "models/fully_connected.h"

#include "models/streams.h"

namespace chorale::models {

using autograd::Var;

FullyConnected::FullyConnected(const NetworkOptions& options, autograd::ParameterStore& parameters)
    : options_(options), parameters_(parameters) {
  if (options_.input_dim < 1)
    throw ContractError("fully connected: input_dim " + std::to_string(options_.input_dim));
  if (options_.hidden.empty() || options_.hidden.size() > 8)
    throw UsageError("model.hidden: wrong number of layers: " + std::to_string(options_.hidden.size()) +
                     " (allowed 1 to 8)");
  const std::int64_t d = options_.latent_dim;
  encoder_ = make_blocks("encoder", options_.input_dim, options_.hidden, stream::encoder);
  statistics_ = Linear(parameters_, "fc_statistics", options_.hidden.back(), 2 * d,
                       {.weight_pieces = {{"fc_mu.weight", 0, d}, {"fc_logvar.weight", d, d}},
                        .bias_pieces = {{"fc_mu.bias", 0, d}, {"fc_logvar.bias", d, d}}});
  decoder_ = make_blocks("decoder", d, {options_.hidden.rbegin(), options_.hidden.rend()}, stream::decoder);
  output_ = Linear(parameters_, "decoder." + std::to_string(4 * decoder_.size()), options_.hidden.front(),
                   options_.input_dim);
}

std::vector<FullyConnected::Block> FullyConnected::make_blocks(const std::string& name, std::int64_t input,
                                                               const std::vector<std::int64_t>& widths,
                                                               std::uint32_t first_stream) {
  std::vector<Block> blocks;
  for (std::int64_t width : widths) {
    const std::size_t index = 4 * blocks.size();  // Linear, BatchNorm, ReLU, Dropout
    Block block;
    block.linear = Linear(parameters_, name + "." + std::to_string(index), input, width);
    block.norm = BatchNorm(parameters_, name + "." + std::to_string(index + 1), width);
    block.dropout_stream = first_stream + static_cast<std::uint32_t>(blocks.size());
    blocks.push_back(std::move(block));
    input = width;
  }
  return blocks;
}

void FullyConnected::allocate(DType compute) {
  compute_ = compute;
  for (auto* blocks : {&encoder_, &decoder_})
    for (Block& block : *blocks) block.norm.allocate();
}

std::vector<NamedBuffer> FullyConnected::buffers() const {
  std::vector<NamedBuffer> all;
  for (const auto* blocks : {&encoder_, &decoder_})
    for (const Block& block : *blocks) block.norm.add_buffers(all);
  return all;
}

void FullyConnected::set_training(bool on) {
  for (auto* blocks : {&encoder_, &decoder_})
    for (Block& block : *blocks) block.norm.set_training(on);
}

Var FullyConnected::run(std::vector<Block>& blocks, Var x, const StepState* step) {
  for (Block& block : blocks)
    x = block.norm(parameters_, block.linear.before_norm(parameters_, x), Activation::relu, 0.0f,
                   {.p = options_.dropout, .stream = block.dropout_stream}, step);
  return x;
}

Var FullyConnected::encode(const Batch& batch, const StepState* step) {
  return statistics_(parameters_, run(encoder_, Var(batch.x.to(compute_)), step));
}

Var FullyConnected::reconstruct(const Var& z, const Batch& batch, const StepState* step) {
  return autograd::linear_reconstruction(run(decoder_, z, step), parameters_.var(output_.weight),
                                         parameters_.var(output_.bias), batch.wanted().to(compute_),
                                         options_.likelihood);
}

Var FullyConnected::decode(const Var& z, const Tensor&, const StepState* step) {
  return output_(parameters_, run(decoder_, z, step));
}

}  // namespace chorale::models
