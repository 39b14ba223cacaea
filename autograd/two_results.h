// SPDX-License-Identifier: MIT
// Operations of which one kernel computes two results.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "autograd/var.h"

namespace chorale::autograd {

/// Vars of both results. Each leaves its gradient with a common node, which calls backward(dfirst, dsecond)
/// when both are done; a result that nothing depends on leaves an undefined tensor. `any` is some tensor:
/// what that node holds.
template <class Backward>
std::pair<Var, Var> two_results(const Tensor& first, const Tensor& second, std::vector<Var> inputs,
                                const Tensor& any, Backward backward) {
  struct Gradients {
    Tensor first, second;
  };
  auto received = std::make_shared<Gradients>();
  const Var both = make_result(any, std::move(inputs), [received, backward](const Tensor&) {
    backward(received->first, received->second);
  });
  const auto leave = [both](Tensor& place, const Tensor& gradient) {
    place = gradient.contiguous();
    if (!both.grad().defined())
      add_gradient(both, both.value());  // marks the node; its closure ignores the value
  };
  return {make_result(first, {both}, [received, leave](const Tensor& g) { leave(received->first, g); }),
          make_result(second, {both}, [received, leave](const Tensor& g) { leave(received->second, g); })};
}

}  // namespace chorale::autograd
