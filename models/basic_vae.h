// SPDX-License-Identifier: MIT
// The fully connected VAE (Kingma and Welling, ICLR 2014): blocks of Linear, BatchNorm, ReLU, Dropout down to
// mu and log variance, the same widths mirrored back, a plain linear output. Parameters carry the names of
// the PyTorch model `encoder` / `fc_mu` / `fc_logvar` / `decoder` built from nn.Sequential.
#pragma once
#include "models/vae.h"

namespace chorale::models {

class BasicVae final : public Vae {
 public:
  explicit BasicVae(VaeOptions options);

  const VaeOptions& options() const override { return options_; }
  std::vector<NamedBuffer> buffers() override;
  void allocate(const autograd::ParameterStore::Layout& layout, std::uint64_t seed) override;
  Objective objective(const Tensor& x, const autograd::TrainState& state) override;
  Objective evaluate(const Tensor& x, const autograd::TrainState& state) override;
  Tensor encode(const Tensor& x) override;
  Tensor decode(const Tensor& z) override;

 private:
  struct Block {
    std::string prefix;  ///< "encoder.4": index of the Linear; its BatchNorm is one further
    std::string norm_prefix;
    int weight = 0, bias = 0, gamma = 0, beta = 0;
    autograd::BatchNormState norm;
    std::uint32_t dropout_stream = 0;
    std::int64_t width = 0;
  };
  struct Linear {
    int weight = 0, bias = 0;
  };

  std::vector<Block> add_blocks(const std::string& name, std::int64_t input,
                                const std::vector<std::int64_t>& widths, std::uint32_t first_stream);
  Linear add_linear(const std::string& name, std::int64_t in, std::int64_t out,
                    std::vector<autograd::ParameterPiece> weight_pieces = {},
                    std::vector<autograd::ParameterPiece> bias_pieces = {});
  autograd::Var run_blocks(std::vector<Block>& blocks, autograd::Var x, const StepState* state);
  autograd::Var statistics(const Tensor& x, const StepState* state);
  Tensor to_compute(const Tensor& x) const { return x.to(layout_.precision.compute); }
  void set_training(bool on);

  VaeOptions options_;
  autograd::ParameterStore::Layout layout_;
  std::vector<Block> encoder_, decoder_;
  Linear latent_, output_;
};

}  // namespace chorale::models
