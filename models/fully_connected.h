// SPDX-License-Identifier: MIT
// Blocks of Linear, BatchNorm, ReLU, Dropout down to mu and log variance, the same widths mirrored back, a
// plain linear output. Parameters carry the names of the PyTorch model `encoder` / `fc_mu` / `fc_logvar` /
// `decoder` built from nn.Sequential.
#pragma once
#include "models/network.h"

namespace chorale::models {

class FullyConnected final : public Network {
 public:
  FullyConnected(const NetworkOptions& options, autograd::ParameterStore& parameters);

  void allocate(DType compute) override;
  std::vector<NamedBuffer> buffers() const override;
  void set_training(bool on) override;
  autograd::Var encode(const Batch& batch, const StepState* step) override;
  autograd::Var reconstruct(const autograd::Var& z, const Batch& batch, const StepState* step) override;
  autograd::Var decode(const autograd::Var& z, const Tensor& labels, const StepState* step) override;

 private:
  struct Block {
    Linear linear;
    BatchNorm norm;
    std::uint32_t dropout_stream = 0;
  };
  std::vector<Block> make_blocks(const std::string& name, std::int64_t input,
                                 const std::vector<std::int64_t>& widths, std::uint32_t first_stream);
  autograd::Var run(std::vector<Block>& blocks, autograd::Var x, const StepState* step);

  NetworkOptions options_;
  autograd::ParameterStore& parameters_;
  DType compute_ = DType::f32;
  std::vector<Block> encoder_, decoder_;
  Linear statistics_, output_;
};

}  // namespace chorale::models
