// SPDX-License-Identifier: MIT
#include "autograd/var.h"

#include <algorithm>
#include <atomic>
#include <unordered_set>

#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

std::atomic<std::uint64_t> next_order{1};
thread_local bool recording = true;

const Tensor no_tensor;

std::shared_ptr<Var::Node> make_leaf(Tensor value, bool requires_grad) {
  auto node = std::make_shared<Var::Node>();
  node->value = std::move(value);
  node->requires_grad = requires_grad;
  node->order = next_order++;
  return node;
}

/// All nodes that `root` depends on and that take part in differentiation, latest first.
std::vector<std::shared_ptr<Var::Node>> reverse_order(const std::shared_ptr<Var::Node>& root) {
  std::vector<std::shared_ptr<Var::Node>> nodes{root};
  std::unordered_set<const Var::Node*> seen{root.get()};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto inputs = nodes[i]->inputs;
    for (const auto& input : inputs)
      if (input->requires_grad && seen.insert(input.get()).second) nodes.push_back(input);
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->order > b->order; });
  return nodes;
}

}  // namespace

Var::Var(Tensor value, bool requires_grad) : node_(make_leaf(std::move(value), requires_grad)) {}
Var::Var(Tensor value, GradientSlot& slot) : node_(make_leaf(std::move(value), true)) { node_->slot = &slot; }

const Tensor& Var::value() const {
  if (!node_) throw ContractError("autograd: value() of an undefined Var");
  return node_->value;
}
bool Var::requires_grad() const { return node_ && node_->requires_grad; }
const Tensor& Var::grad() const { return node_ ? node_->gradient : no_tensor; }
GradientSlot* Var::slot() const { return node_ ? node_->slot : nullptr; }
Var Var::detach() const { return Var(value(), false); }

void Var::backward() const {
  if (value().size() != 1)
    throw ContractError("autograd: backward() without a seed from shape " + to_string(shape()) +
                        " (allowed: one element)");
  backward(Tensor::full(shape(), 1.0, value().dtype()));
}

void Var::backward(const Tensor& seed) const {
  if (!requires_grad()) throw ContractError("autograd: backward() from a Var that requires no gradient");
  if (seed.shape() != shape())
    throw ContractError("autograd: seed of shape " + to_string(seed.shape()) + " for a value of " +
                        to_string(shape()));
  add_gradient(*this, seed);
  auto nodes = reverse_order(node_);
  for (auto& node : nodes) {
    if (node->backward && node->gradient.defined()) node->backward(node->gradient);
    if (!node->inputs.empty()) {  // an inner node: nothing of it is needed any more
      node->backward = nullptr;
      node->inputs.clear();
      node->gradient = Tensor();
    }
    node.reset();
  }
}

Var make_result(Tensor value, std::vector<Var> inputs, Var::Node::Backward backward) {
  const bool needed =
      recording && std::any_of(inputs.begin(), inputs.end(), [](const Var& v) { return v.requires_grad(); });
  auto node = make_leaf(std::move(value), needed);
  if (needed) {
    for (const Var& v : inputs)
      if (v.defined()) node->inputs.push_back(v.node());
    node->backward = std::move(backward);
  }
  return Var(std::move(node));
}

void add_gradient(const Var& input, const Tensor& gradient) {
  if (!input.requires_grad()) return;
  Var::Node& node = *input.node();
  if (gradient.shape() != node.value.shape())
    throw ContractError("autograd: gradient of shape " + to_string(gradient.shape()) + " for a value of " +
                        to_string(node.value.shape()));
  if (GradientSlot* slot = node.slot) {
    if (!slot->dense.defined())
      throw ContractError("autograd: a parameter that keeps factors received a dense gradient");
    if (slot->written) {
      kernel::accumulate(current_context(), gradient.contiguous(), slot->dense);
    } else {
      slot->dense.copy_from(gradient);
      slot->written = true;
    }
  } else if (!node.gradient.defined()) {
    node.gradient = gradient;  // shared with whoever else received it, so never written to
    node.gradient_is_own = false;
  } else {
    if (!node.gradient_is_own) node.gradient = node.gradient.clone();
    node.gradient_is_own = true;
    kernel::accumulate(current_context(), gradient.contiguous(), node.gradient);
  }
}

NoGradScope::NoGradScope() : previous_(recording) { recording = false; }
NoGradScope::~NoGradScope() { recording = previous_; }

}  // namespace chorale::autograd
