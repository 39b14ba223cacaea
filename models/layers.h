// SPDX-License-Identifier: MIT
// Layers: parameters registered under the names and in the file layouts of the torch.nn module of the same
// name, and the differentiable operations on them.
#pragma once
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "autograd/parameters.h"

namespace chorale::models {

/// A tensor that is state but no parameter (running statistics), by the name PyTorch gives it.
struct NamedBuffer {
  std::string name;
  Tensor value;
};

/// How files hold a layer's parameters.
struct LinearFiles {
  std::vector<autograd::ParameterPiece> weight_pieces = {}, bias_pieces = {};
  autograd::FileLayout weight_file = {}, bias_file = {};
};

/// torch.nn.Linear.
struct Linear {
  Linear() = default;
  Linear(autograd::ParameterStore& parameters, const std::string& name, std::int64_t in, std::int64_t out,
         LinearFiles files = {});
  autograd::Var operator()(const autograd::ParameterStore& parameters, const autograd::Var& x) const;
  /// In front of a batch normalisation, which takes a constant away again: the bias gets no gradient.
  autograd::Var before_norm(const autograd::ParameterStore& parameters, const autograd::Var& x) const;

  int weight = -1, bias = -1;
};

/// torch.nn.Conv2d, or torch.nn.ConvTranspose2d, on NHWC.
struct Convolution {
  enum class Direction : std::uint8_t { forward, transposed };

  Convolution() = default;
  Convolution(autograd::ParameterStore& parameters, const std::string& name, Direction direction,
              std::int64_t in, std::int64_t out, std::int64_t kernel, ConvolutionParams params,
              bool with_bias);
  /// A transposed convolution multiplies height and width by its stride.
  autograd::Var operator()(const autograd::ParameterStore& parameters, const autograd::Var& x) const;
  autograd::Var before_norm(const autograd::ParameterStore& parameters, const autograd::Var& x) const;

  int weight = -1, bias = -1;
  Direction direction = Direction::forward;
  ConvolutionParams params;

 private:
  autograd::Var apply(const autograd::Var& x, const autograd::Var& w, const autograd::Var& b) const;
};

/// torch.nn.BatchNorm1d or 2d, an activation, and torch.nn.Dropout or Dropout2d.
class BatchNorm {
 public:
  BatchNorm() = default;
  BatchNorm(autograd::ParameterStore& parameters, std::string name, std::int64_t channels);
  void allocate();
  void set_training(bool on) { state_.training = on; }
  void add_buffers(std::vector<NamedBuffer>& all) const;
  autograd::Var operator()(const autograd::ParameterStore& parameters, const autograd::Var& x,
                           Activation activation, float slope, ChannelDropout dropout, const StepState* step);

 private:
  std::string name_;
  std::int64_t channels_ = 0;
  int gamma_ = -1, beta_ = -1;
  autograd::BatchNormState state_;
};

/// torch.nn.GroupNorm and an activation.
class GroupNorm {
 public:
  GroupNorm() = default;
  GroupNorm(autograd::ParameterStore& parameters, const std::string& name, std::int64_t channels);
  autograd::Var operator()(const autograd::ParameterStore& parameters, const autograd::Var& x,
                           Activation activation, float slope) const;

 private:
  std::int64_t groups_ = 1;
  int gamma_ = -1, beta_ = -1;
};

}  // namespace chorale::models
