// SPDX-License-Identifier: MIT
#include "models/layers.h"

namespace chorale::models {

using autograd::Initializer;
using autograd::ParameterStore;
using autograd::Var;

namespace {

constexpr std::int64_t channels_per_group = 8;

int add_scale(ParameterStore& parameters, const std::string& name, std::int64_t channels) {
  return parameters.add(
      {.name = name + ".weight", .shape = {channels}, .initializer = Initializer::ones, .low = false});
}

int add_shift(ParameterStore& parameters, const std::string& name, std::int64_t channels) {
  return parameters.add(
      {.name = name + ".bias", .shape = {channels}, .initializer = Initializer::zeros, .low = false});
}

}  // namespace

Linear::Linear(ParameterStore& parameters, const std::string& name, std::int64_t in, std::int64_t out,
               LinearFiles files) {
  weight = parameters.add({.name = name + ".weight",
                           .shape = {out, in},
                           .fan_in = in,
                           .pieces = std::move(files.weight_pieces),
                           .file = std::move(files.weight_file)});
  bias = parameters.add({.name = name + ".bias",
                         .shape = {out},
                         .fan_in = in,
                         .pieces = std::move(files.bias_pieces),
                         .file = std::move(files.bias_file)});
}

Var Linear::operator()(const ParameterStore& parameters, const Var& x) const {
  return autograd::linear(x, parameters.var(weight), parameters.var(bias));
}

Var Linear::before_norm(const ParameterStore& parameters, const Var& x) const {
  return autograd::linear(x, parameters.var(weight), parameters.var(bias).detach());
}

Convolution::Convolution(ParameterStore& parameters, const std::string& name, Direction d, std::int64_t in,
                         std::int64_t out, std::int64_t kernel, ConvolutionParams p, bool with_bias)
    : direction(d), params(p) {
  // PyTorch's fan-in of either layer: the second dimension of its weight times the kernel's area.
  const bool forward = direction == Direction::forward;
  const std::int64_t rows = forward ? out : in, channels = forward ? in : out;
  const std::int64_t fan_in = channels * kernel * kernel;
  weight = parameters.add({.name = name + ".weight",
                           .shape = {rows, kernel, kernel, channels},
                           .fan_in = fan_in,
                           .file = {kernel, kernel, channels, false, {rows, channels, kernel, kernel}}});
  if (with_bias) bias = parameters.add({.name = name + ".bias", .shape = {out}, .fan_in = fan_in});
}

Var Convolution::apply(const Var& x, const Var& w, const Var& b) const {
  if (direction == Direction::forward) return autograd::conv2d(x, w, b, params);
  return autograd::conv_transpose2d(x, w, b, params, x.value().dim(1) * params.stride_height,
                                    x.value().dim(2) * params.stride_width);
}

Var Convolution::operator()(const ParameterStore& parameters, const Var& x) const {
  return apply(x, parameters.var(weight), bias < 0 ? Var() : parameters.var(bias));
}

Var Convolution::before_norm(const ParameterStore& parameters, const Var& x) const {
  return apply(x, parameters.var(weight), bias < 0 ? Var() : parameters.var(bias).detach());
}

BatchNorm::BatchNorm(ParameterStore& parameters, std::string name, std::int64_t channels)
    : name_(std::move(name)),
      channels_(channels),
      gamma_(add_scale(parameters, name_, channels)),
      beta_(add_shift(parameters, name_, channels)) {}

void BatchNorm::allocate() {
  state_.running_mean = Tensor::zeros({channels_});
  state_.running_variance = Tensor::full({channels_}, 1.0);
}

void BatchNorm::add_buffers(std::vector<NamedBuffer>& all) const {
  all.push_back({name_ + ".running_mean", state_.running_mean});
  all.push_back({name_ + ".running_var", state_.running_variance});
}

Var BatchNorm::operator()(const ParameterStore& parameters, const Var& x, Activation activation, float slope,
                          ChannelDropout dropout, const StepState* step) {
  if (!state_.training) dropout.p = 0;
  return autograd::batch_norm(x, parameters.var(gamma_), parameters.var(beta_), state_, activation, slope,
                              dropout, step);
}

GroupNorm::GroupNorm(ParameterStore& parameters, const std::string& name, std::int64_t channels)
    : gamma_(add_scale(parameters, name, channels)), beta_(add_shift(parameters, name, channels)) {
  groups_ = channels % channels_per_group == 0 ? channels / channels_per_group : 1;
}

Var GroupNorm::operator()(const ParameterStore& parameters, const Var& x, Activation activation,
                          float slope) const {
  return autograd::group_norm(x, parameters.var(gamma_), parameters.var(beta_), groups_, 1e-5f, activation,
                              slope);
}

}  // namespace chorale::models
