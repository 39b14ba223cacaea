// SPDX-License-Identifier: MIT
// Random numbers and dropout, element by element against the Philox stream.
#include "kernels/launch.h"
#include "tests/cases/philox_reference.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

double size(const Input& input) { return static_cast<double>(element_count(input.shape)); }

constexpr std::uint32_t stream = 17;

OpCase draws(const std::string& name, bool normal) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.variants = {plain("one", {{1}}), plain("odd", {{7, 13}}), plain("empty", {{0}}),
                plain("blocks", {{3001}}), plain("large", {{70001}}, true)};
  c.run = [normal](const Run& run) {
    Tensor y(run.tensor(0).shape(), run.dtype);
    if (normal)
      kernel::normal_fill(current_context(), run.state, stream, y);
    else
      kernel::uniform_fill(current_context(), run.state, stream, y);
    return std::vector{Var(y)};
  };
  c.reference = [normal](const Arrays& x) {
    Array y(x[0].shape);
    for (std::int64_t i = 0; i < y.size(); ++i)
      y[i] = normal ? reference_normal(case_state(), stream, i) : reference_uniform(case_state(), stream, i);
    return Arrays{y};
  };
  c.bench = plain("4M", {{4 << 20}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{25 * size(x[0]), size(x[0]) * bytes};
  };
  return c;
}

OpCase dropout() {
  constexpr float p = 0.3f;
  OpCase c;
  c.name = "dropout";
  c.variants = {plain("one", {{1}}), plain("odd", {{7, 13}}), plain("blocks", {{3001}}),
                plain("large", {{70001}}, true)};
  c.run = [](const Run& run) { return std::vector{autograd::dropout(run.x[0], run.state, stream, p)}; };
  c.reference = [](const Arrays& x) {
    Array y = x[0];
    for (std::int64_t i = 0; i < y.size(); ++i)
      y[i] = reference_uniform(case_state(), stream, i) < static_cast<double>(p)
                 ? 0
                 : y[i] / (1 - static_cast<double>(p));
    return Arrays{y};
  };
  c.bench = plain("4M", {{4 << 20}}, true);
  c.cost = [](const std::vector<Input>& x, double bytes) {
    return Cost{25 * size(x[0]), 2 * size(x[0]) * bytes};
  };
  return c;
}

}  // namespace

std::vector<OpCase> random_cases() {
  return {draws("normal_fill", true), draws("uniform_fill", false), dropout()};
}

}  // namespace chorale::harness
