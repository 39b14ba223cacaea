// SPDX-License-Identifier: MIT
// Reverse-mode differentiation. A Tensor computes, a Var remembers: it is a shared node {value, gradient,
// inputs, closure}. backward() visits the nodes in the reverse order of their making and frees each closure
// as it goes, so a graph is differentiated once. There is no double backward.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::autograd {

/// Where the gradient of a parameter goes: into a preallocated dense tensor (often a piece of a flat buffer),
/// or, for the weight of a linear layer with a small batch, nowhere: its two factors are kept and the
/// optimizer multiplies them in registers (kernel row optimizer_step_outer).
struct GradientSlot {
  Tensor dense;               ///< f32 or the storage type; undefined if only factors are kept
  bool keep_factors = false;  ///< linear() stores dy and x instead of forming dy^T x
  bool written = false;       ///< `dense` holds a gradient; the next one is added
  Tensor dy, x;               ///< the factors: gradient = dy^T x
  void clear() {
    written = false;
    dy = Tensor();
    x = Tensor();
  }
};

class Var {
 public:
  struct Node;

  Var() = default;
  /// A leaf. With `requires_grad`, grad() is defined after backward().
  explicit Var(Tensor value, bool requires_grad = false);
  /// A parameter whose gradient goes to `slot`, which must outlive it.
  Var(Tensor value, GradientSlot& slot);
  explicit Var(std::shared_ptr<Node> node) : node_(std::move(node)) {}

  bool defined() const { return node_ != nullptr; }
  const Tensor& value() const;
  const Shape& shape() const { return value().shape(); }
  bool requires_grad() const;
  /// Undefined before backward(), and for parameters with a slot.
  const Tensor& grad() const;
  GradientSlot* slot() const;
  const std::shared_ptr<Node>& node() const { return node_; }

  /// From a Var of one element, with seed 1.
  void backward() const;
  /// `seed` has the shape of value().
  void backward(const Tensor& seed) const;
  /// The same value without its history.
  Var detach() const;

 private:
  std::shared_ptr<Node> node_;
};

struct Var::Node {
  using Backward = std::function<void(const Tensor& gradient)>;

  Tensor value;
  Tensor gradient;
  bool requires_grad = false;
  bool gradient_is_own = false;  ///< nobody else holds `gradient`; it may be added to in place
  GradientSlot* slot = nullptr;
  std::uint64_t order = 0;  ///< position in the sequence of all nodes made
  std::vector<std::shared_ptr<Node>> inputs;
  Backward backward;  ///< adds to the gradients of `inputs`
};

/// The result of an operation: remembers inputs and closure only if some input requires a gradient.
Var make_result(Tensor value, std::vector<Var> inputs, Var::Node::Backward backward);

/// Adds `gradient` to what `input` has received so far. A closure calls it once per use of an input.
void add_gradient(const Var& input, const Tensor& gradient);

/// While in scope on this thread, results remember nothing (evaluation).
class NoGradScope {
 public:
  NoGradScope();
  ~NoGradScope();
  NoGradScope(const NoGradScope&) = delete;
  NoGradScope& operator=(const NoGradScope&) = delete;

 private:
  bool previous_;
};

}  // namespace chorale::autograd
