// SPDX-License-Identifier: MIT
// The networks of a variational autoencoder: one that gives the statistics of q(z | x), one that gives the
// likelihood of x from z. What is done with z in between (prior, objective) is Vae's.
#pragma once
#include <memory>
#include <vector>

#include "models/layers.h"

namespace chorale::models {

/// One batch as a model sees it.
struct Batch {
  Tensor x;         ///< f32 (n, input_dim)
  Tensor labels;    ///< i64 (n): the class of each row under the condition; undefined without a condition
  Tensor target{};  ///< f32 (n, input_dim): what the decoder has to give; undefined: x itself
  const Tensor& wanted() const { return target.defined() ? target : x; }
};

enum class Backbone : std::uint8_t {
  fully_connected,
  flat,    ///< convolutions, all positions flattened: the original's
  pooled,  ///< convolutions, averaged over time: the same code wherever in a song a clip starts
  deep,    ///< pooled, with a residual block at each resolution
};

/// Rows and columns of a spectrogram: bands, and the frames of a training input.
struct ImageShape {
  std::int64_t height = 0, width = 0;
};

/// What encoder and decoder are told about a row (Sohn et al., NeurIPS 2015).
struct ConditionOptions {
  std::int64_t classes = 0;  ///< 0: nothing
  std::int64_t dim = 32;     ///< of the embedding of a class
  bool film = false;  ///< feature-wise modulation (Perez et al., AAAI 2018), else joined to features and z
};

struct NetworkOptions {
  Backbone backbone = Backbone::fully_connected;
  std::int64_t input_dim = 0;                          ///< fully connected
  std::vector<std::int64_t> hidden = {512, 256, 128};  ///< fully connected: widths, mirrored in the decoder
  ImageShape image;                                    ///< convolutions
  std::vector<std::int64_t> channels = {32, 64, 128, 256};
  std::int64_t latent_dim = 128;
  float dropout = 0.2f;
  LikelihoodParams likelihood;
  ConditionOptions condition;
};

class Network {
 public:
  virtual ~Network() = default;
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Buffers on the current device; `compute` is the dtype of activations.
  virtual void allocate(DType compute) = 0;
  virtual std::vector<NamedBuffer> buffers() const = 0;
  /// Training: batch statistics and dropout.
  virtual void set_training(bool on) = 0;
  /// (n, 2 d) = [mu | log variance].
  virtual autograd::Var encode(const Batch& batch, const StepState* step) = 0;
  /// Negative log-likelihood of batch.x under z (n, d), nats: f32 (n).
  virtual autograd::Var reconstruct(const autograd::Var& z, const Batch& batch, const StepState* step) = 0;
  /// Parameters of the likelihood (n, input_dim): means, logits under a Bernoulli likelihood.
  virtual autograd::Var decode(const autograd::Var& z, const Tensor& labels, const StepState* step) = 0;
};

/// Registers its parameters in `parameters`, which must outlive it. UsageError on options out of range.
std::unique_ptr<Network> make_network(const NetworkOptions& options, autograd::ParameterStore& parameters);

}  // namespace chorale::models
