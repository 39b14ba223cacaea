// SPDX-License-Identifier: MIT
// Convolutions over spectrograms (bands x frames, one channel): blocks of Conv 4x4 stride 2, BatchNorm,
// LeakyReLU 0.2, Dropout2d down, the same channels back up through ConvTranspose 4x4 stride 2, the last one
// plain, and a bilinear resize to the input's size. `flat` is the original's network, parameter for
// parameter; `pooled` averages the last feature map over time; `deep` adds a residual block (He et al., CVPR
// 2016; GroupNorm) after each encoder block.
//
// A condition is an embedding of the class, joined to the features and to z, or modulating the feature maps
// at the narrow ends of encoder and decoder.
#pragma once
#include <optional>

#include "models/network.h"

namespace chorale::models {

class Convolutional final : public Network {
 public:
  Convolutional(const NetworkOptions& options, autograd::ParameterStore& parameters);

  void allocate(DType compute) override;
  std::vector<NamedBuffer> buffers() const override;
  void set_training(bool on) override;
  /// `pooled` and `deep` take any number of frames.
  autograd::Var encode(const Batch& batch, const StepState* step) override;
  autograd::Var reconstruct(const autograd::Var& z, const Batch& batch, const StepState* step) override;
  autograd::Var decode(const autograd::Var& z, const Tensor& labels, const StepState* step) override;

 private:
  struct Residual {
    Convolution first, second;
    GroupNorm first_norm, second_norm;
  };
  struct Block {
    Convolution convolution;
    BatchNorm norm;
    std::uint32_t dropout_stream = 0;
    std::optional<Residual> residual;
  };
  /// The embedding of the classes, and what it modulates.
  struct Condition {
    int embedding = -1;
    Linear encoder_film, decoder_film;  ///< under FiLM
  };

  Block make_block(const std::string& name, std::size_t index, Convolution::Direction direction,
                   std::int64_t in, std::int64_t out, std::uint32_t stream, bool with_bias);
  void make_encoder();
  void make_condition();
  void make_decoder();
  bool conditional() const { return options_.condition.classes > 0; }
  std::int64_t joined() const {  ///< columns that a condition adds to features and z
    return conditional() && !options_.condition.film ? options_.condition.dim : 0;
  }
  autograd::Var run(Block& block, const autograd::Var& x, const StepState* step);
  autograd::Var embed(const Tensor& labels) const;

  NetworkOptions options_;
  autograd::ParameterStore& parameters_;
  DType compute_ = DType::f32;
  ImageShape narrow_;  ///< of the last feature map, for a training input
  std::vector<Block> encoder_, decoder_;
  Linear statistics_, decoder_input_;
  Convolution output_;
  Condition condition_;
};

}  // namespace chorale::models
