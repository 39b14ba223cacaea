// SPDX-License-Identifier: MIT
#include "models/convolutional.h"

#include "models/streams.h"

namespace chorale::models {

using autograd::FileLayout;
using autograd::Var;
using Direction = Convolution::Direction;

namespace {

constexpr float slope = 0.2f;  // of LeakyReLU
constexpr std::int64_t kernel = 4;
constexpr ConvolutionParams halving{2, 2, 1, 1}, same{1, 1, 1, 1};

}  // namespace

Convolutional::Convolutional(const NetworkOptions& options, autograd::ParameterStore& parameters)
    : options_(options), parameters_(parameters), narrow_(options.image) {
  if (options_.channels.empty() || options_.channels.size() > 6)
    throw UsageError("model.channels: wrong number of layers: " + std::to_string(options_.channels.size()) +
                     " (allowed 1 to 6)");
  for (std::size_t i = 0; i < options_.channels.size(); ++i) {
    narrow_.height /= 2;
    narrow_.width /= 2;
  }
  if (narrow_.height < 1 || narrow_.width < 1)
    throw UsageError("model.channels: more halvings than the spectrogram allows: " +
                     std::to_string(options_.channels.size()) + " of " +
                     std::to_string(options_.image.height) + " bands x " +
                     std::to_string(options_.image.width) + " frames (allowed as long as 1 x 1 is left)");
  make_encoder();
  make_condition();
  make_decoder();
}

Convolutional::Block Convolutional::make_block(const std::string& name, std::size_t index,
                                               Direction direction, std::int64_t in, std::int64_t out,
                                               std::uint32_t stream, bool with_bias) {
  // Positions in nn.Sequential: convolution, normalisation, activation, dropout.
  Block block;
  block.convolution = Convolution(parameters_, name + "." + std::to_string(4 * index), direction, in, out,
                                  kernel, halving, with_bias);
  block.norm = BatchNorm(parameters_, name + "." + std::to_string(4 * index + 1), out);
  block.dropout_stream = stream + static_cast<std::uint32_t>(index);
  return block;
}

void Convolutional::make_encoder() {
  std::int64_t in = 1;
  const bool with_bias =
      options_.backbone == Backbone::flat;  // useless in front of a norm, but the original's
  for (std::size_t i = 0; i < options_.channels.size(); ++i) {
    const std::int64_t out = options_.channels[i];
    Block block = make_block("encoder", i, Direction::forward, in, out, stream::encoder, with_bias);
    if (options_.backbone == Backbone::deep) {
      const std::string name = "encoder_residual." + std::to_string(i);
      block.residual = Residual{
          Convolution(parameters_, name + ".conv1", Direction::forward, out, out, 3, same, false),
          Convolution(parameters_, name + ".conv2", Direction::forward, out, out, 3, same, false),
          GroupNorm(parameters_, name + ".norm1", out), GroupNorm(parameters_, name + ".norm2", out)};
    }
    encoder_.push_back(std::move(block));
    in = out;
  }
  const std::int64_t c = in, d = options_.latent_dim, h = narrow_.height;
  const std::int64_t w = options_.backbone == Backbone::flat ? narrow_.width : 1;
  const std::int64_t features = c * h * w + joined();
  statistics_ = Linear(parameters_, "fc_statistics", features, 2 * d,
                       {.weight_pieces = {{"fc_mu.weight", 0, d}, {"fc_logvar.weight", d, d}},
                        .bias_pieces = {{"fc_mu.bias", 0, d}, {"fc_logvar.bias", d, d}},
                        .weight_file = FileLayout{h, w, c, false, {d, features}}});
}

void Convolutional::make_condition() {
  if (!conditional()) return;
  const std::int64_t classes = options_.condition.classes, dim = options_.condition.dim;
  condition_.embedding = parameters_.add({.name = "embedding.weight",
                                          .shape = {classes, dim},
                                          .initializer = autograd::Initializer::normal,
                                          .fan_in = 1});
  if (!options_.condition.film) return;
  const std::int64_t c = options_.channels.back();
  condition_.encoder_film = Linear(parameters_, "encoder_film", dim, 2 * c);
  condition_.decoder_film = Linear(parameters_, "decoder_film", dim, 2 * c);
}

void Convolutional::make_decoder() {
  const std::int64_t c = options_.channels.back(), h = narrow_.height, w = narrow_.width;
  const std::int64_t in = options_.latent_dim + joined();
  decoder_input_ = Linear(parameters_, "decoder_input", in, c * h * w,
                          {.weight_file = FileLayout{h, w, c, true, {c * h * w, in}},
                           .bias_file = FileLayout{h, w, c, true, {c * h * w}}});
  const bool with_bias = options_.backbone == Backbone::flat;
  const std::size_t n = options_.channels.size();
  for (std::size_t i = 0; i + 1 < n; ++i)
    decoder_.push_back(make_block("decoder", i, Direction::transposed, options_.channels[n - 1 - i],
                                  options_.channels[n - 2 - i], stream::decoder, with_bias));
  output_ = Convolution(parameters_, "decoder." + std::to_string(4 * (n - 1)), Direction::transposed,
                        options_.channels.front(), 1, kernel, halving, true);
}

void Convolutional::allocate(DType compute) {
  compute_ = compute;
  for (auto* blocks : {&encoder_, &decoder_})
    for (Block& block : *blocks) block.norm.allocate();
}

std::vector<NamedBuffer> Convolutional::buffers() const {
  std::vector<NamedBuffer> all;
  for (const auto* blocks : {&encoder_, &decoder_})
    for (const Block& block : *blocks) block.norm.add_buffers(all);
  return all;
}

void Convolutional::set_training(bool on) {
  for (auto* blocks : {&encoder_, &decoder_})
    for (Block& block : *blocks) block.norm.set_training(on);
}

Var Convolutional::run(Block& block, const Var& x, const StepState* step) {
  Var y = block.convolution.before_norm(parameters_, x);
  const std::int64_t positions = y.value().dim(1) * y.value().dim(2);
  y = block.norm(parameters_, y, Activation::leaky_relu, slope,
                 {.p = options_.dropout, .stream = block.dropout_stream, .rows_per_sample = positions}, step);
  if (!block.residual) return y;
  const Residual& r = *block.residual;
  Var inner = r.first_norm(parameters_, r.first(parameters_, y), Activation::leaky_relu, slope);
  inner = r.second_norm(parameters_, r.second(parameters_, inner), Activation::none, slope);
  return autograd::leaky_relu(autograd::add(y, inner), slope);
}

Var Convolutional::embed(const Tensor& labels) const {
  if (!labels.defined()) throw ContractError("convolutional: a conditional network needs labels");
  return autograd::embedding(parameters_.var(condition_.embedding), labels);
}

Var Convolutional::encode(const Batch& batch, const StepState* step) {
  const std::int64_t n = batch.x.dim(0), frames = batch.x.dim(1) / options_.image.height;
  if (batch.x.dim(1) != frames * options_.image.height ||
      (options_.backbone == Backbone::flat && frames != options_.image.width))
    throw ContractError("convolutional: x " + to_string(batch.x.shape()) + " for " +
                        std::to_string(options_.image.height) + " bands x " +
                        std::to_string(options_.image.width) + " frames");
  Var x(batch.x.to(compute_).reshape({n, options_.image.height, frames, 1}));
  for (Block& block : encoder_) x = run(block, x, step);
  const Var condition = conditional() ? embed(batch.labels) : Var();
  if (conditional() && options_.condition.film)
    x = autograd::film(x, condition_.encoder_film(parameters_, condition));
  if (options_.backbone != Backbone::flat) x = autograd::average_pool(x, narrow_.height, 1);
  x = autograd::reshape(x, {n, x.value().size() / n});
  if (joined()) x = autograd::concat(x, condition);
  return statistics_(parameters_, x);
}

Var Convolutional::decode(const Var& z, const Tensor& labels, const StepState* step) {
  const std::int64_t n = z.value().dim(0);
  const Var condition = conditional() ? embed(labels) : Var();
  Var x = decoder_input_(parameters_, joined() ? autograd::concat(z, condition) : z);
  x = autograd::reshape(x, {n, narrow_.height, narrow_.width, options_.channels.back()});
  if (conditional() && options_.condition.film)
    x = autograd::film(x, condition_.decoder_film(parameters_, condition));
  for (Block& block : decoder_) x = run(block, x, step);
  x = output_(parameters_, x);
  const ImageShape& image = options_.image;
  if (x.value().dim(1) != image.height || x.value().dim(2) != image.width)
    x = autograd::resize_bilinear(x, image.height, image.width);
  return autograd::reshape(x, {n, image.height * image.width});
}

Var Convolutional::reconstruct(const Var& z, const Batch& batch, const StepState* step) {
  return autograd::reconstruction(decode(z, batch.labels, step), batch.wanted().to(compute_),
                                  options_.likelihood);
}

}  // namespace chorale::models
