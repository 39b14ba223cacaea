// SPDX-License-Identifier: MIT
#include "tests/harness/run_case.h"

#include <cmath>
#include <map>
#include <memory>
#include <random>

#include "kernels/launch.h"
#include "tests/harness/compare.h"

#ifdef CHORALE_HAVE_SIMT
#include "tests/simt/emulator/device.h"
#endif

namespace chorale::harness {
namespace {

std::vector<DeviceKind> find_devices() {
  std::vector<DeviceKind> devices{DeviceKind::cpu};
#ifdef CHORALE_HAVE_SIMT
  register_backend(DeviceKind::simt, *simt::device_api());
  devices.push_back(DeviceKind::simt);
#endif
  try {
    open_backend(DeviceKind::cuda);
    devices.push_back(DeviceKind::cuda);
  } catch (const DeviceError&) {  // no such device here
  }
  return devices;
}

/// The random weights of output k's projection; exact in every storage type.
Array projection(std::size_t k, const Shape& shape) {
  std::mt19937_64 engine(1234 + k);
  Array weights(shape);
  for (double& value : weights.values) {
    const double magnitude = static_cast<double>(1 + (engine() >> 60)) / 8.0;
    value = engine() >> 63 ? -magnitude : magnitude;
  }
  return weights;
}

double projected(const Arrays& outputs, const Arrays& weights) {
  double total = 0;
  for (std::size_t k = 0; k < weights.size(); ++k)
    for (std::int64_t i = 0; i < weights[k].size(); ++i) total += weights[k][i] * outputs[k][i];
  return total;
}

/// How many elements of an input get a central difference each.
std::int64_t differences(const Variant& variant) { return variant.large ? 12 : 24; }

Tolerance case_tolerance(const OpCase& op, DType tested, DType output) {
  if (op.exact) return {0, 0};
  const bool rounded = op.rounds_inside && tested != DType::f32;
  const Tolerance allowed =
      tolerance(op.rounds_inside ? tested : output, rounded ? PrecisionClass::stat : op.precision);
  return op.scaled ? allowed : Tolerance{allowed.relative, 0};
}

/// A device against the CPU: both may be off, in opposite directions.
Tolerance twice(Tolerance t) { return {2 * t.relative, 2 * t.absolute}; }

std::string prefixed(const std::string& what, std::size_t i, const std::string& message) {
  return message.empty() ? "" : what + " " + std::to_string(i) + ": " + message;
}

bool same_bits(const Array& a, const Array& b) {
  if (a.shape != b.shape) return false;
  for (std::int64_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  return true;
}

}  // namespace

const std::vector<DeviceKind>& test_devices() {
  static const std::vector<DeviceKind> devices = find_devices();
  return devices;
}

ExecutionContext& test_context(DeviceKind kind) {
  static std::map<DeviceKind, std::unique_ptr<ExecutionContext>> contexts;
  auto& context = contexts[kind];
  if (!context)
    context = std::make_unique<ExecutionContext>(kind, 0, AllocatorOptions{.poison = true, .guard = true});
  return *context;
}

std::vector<std::string_view> stand_ins(DeviceKind kind) {
#ifdef CHORALE_HAVE_SIMT
  if (kind == DeviceKind::simt) return simt::stand_ins();
#endif
  (void)kind;
  return {};
}

bool has_backward(const OpCase& op, const Variant& variant) {
  if (!op.differentiable) return false;
  bool any = false;
  for (const Input& input : variant.inputs) {
    if (input.specials) return false;
    any |= input.gradient && element_count(input.shape) > 0;
  }
  return any;
}

Results run_case(const OpCase& op, const Variant& variant, DType dtype, ExecutionContext& context,
                 bool backward) {
  const ContextScope scope(context);
  const Arrays inputs = make_inputs(op, variant, dtype);
  const autograd::TrainState state(case_state());
  Run run{{}, state.device(), dtype};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Input& input = variant.inputs[i];
    run.x.emplace_back(to_device(inputs[i], storage_type(input.storage, dtype)),
                       backward && op.differentiable && input.gradient);
  }
  Results results;
  std::vector<Var> outputs = op.run(run);
  for (const Var& output : outputs) {
    results.outputs.push_back(to_array(output.value()));
    results.dtypes.push_back(output.value().dtype());
  }
  if (!backward) return results;
  std::vector<Var> roots;
  for (const Var& output : outputs)
    if (output.requires_grad()) roots.push_back(output);
  results.differentiable = roots.size();
  if (roots.size() == 1) {
    const Tensor& value = roots[0].value();
    roots[0].backward(to_device(projection(0, value.shape()), value.dtype()));
  } else {
    Var total;
    for (std::size_t k = 0; k < roots.size(); ++k) {
      const Tensor& value = roots[k].value();
      const Var part =
          autograd::sum(autograd::mul(roots[k], Var(to_device(projection(k, value.shape()), value.dtype()))));
      total = total.defined() ? autograd::add(total, part) : part;
    }
    total.backward();
  }
  for (const Var& x : run.x)
    results.gradients.push_back(x.requires_grad() && x.grad().defined() ? to_array(x.grad()) : Array());
  return results;
}

std::string check_forward(const OpCase& op, const Variant& variant, DType dtype, DeviceKind kind) {
  const Results actual = run_case(op, variant, dtype, test_context(kind), false);
  const Arrays expected = op.reference(make_inputs(op, variant, dtype));
  if (actual.outputs.size() != expected.size()) return "the reference gives another number of outputs";
  for (std::size_t k = 0; k < expected.size(); ++k) {
    if (actual.outputs[k].shape != expected[k].shape)
      return "output " + std::to_string(k) + " has shape " + to_string(actual.outputs[k].shape) +
             ", expected " + to_string(expected[k].shape);
    const std::string message = compare(actual.outputs[k].values, expected[k].values,
                                        case_tolerance(op, dtype, actual.dtypes[k]), actual.dtypes[k]);
    if (!message.empty()) return prefixed("output", k, message);
  }
  if (kind == DeviceKind::cpu) return "";
  const Results cpu = run_case(op, variant, dtype, test_context(DeviceKind::cpu), false);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const std::string message = compare(actual.outputs[k].values, cpu.outputs[k].values,
                                        twice(case_tolerance(op, dtype, actual.dtypes[k])), actual.dtypes[k]);
    if (!message.empty()) return prefixed("against the CPU, output", k, message);
  }
  return "";
}

std::string check_backward(const OpCase& op, const Variant& variant, DType dtype, DeviceKind kind) {
  const Results actual = run_case(op, variant, dtype, test_context(kind), true);
  Arrays inputs = make_inputs(op, variant, dtype);
  Arrays weights;  // outputs that take part in the projection come first in every case
  for (std::size_t k = 0; k < actual.differentiable; ++k)
    weights.push_back(projection(k, actual.outputs[k].shape));
  const Tolerance allowed = tolerance(dtype, PrecisionClass::stat);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!variant.inputs[i].gradient || inputs[i].size() == 0) continue;
    if (actual.gradients[i].shape != inputs[i].shape)
      return "gradient " + std::to_string(i) + " has shape " + to_string(actual.gradients[i].shape);
    const std::int64_t n = inputs[i].size(), count = std::min(n, differences(variant));
    std::vector<double> chosen, expected;
    for (std::int64_t d = 0; d < count; ++d) {
      const std::int64_t at = count == n ? d : d * (n - 1) / (count - 1);
      const double original = inputs[i][at], step = 1e-5 * std::max(1.0, std::fabs(original));
      inputs[i][at] = original + step;
      const double above = projected(op.reference(inputs), weights);
      inputs[i][at] = original - step;
      const double below = projected(op.reference(inputs), weights);
      inputs[i][at] = original;
      chosen.push_back(actual.gradients[i][at]);
      expected.push_back((above - below) / (2 * step));
    }
    const std::string message = compare(chosen, expected, allowed);
    if (!message.empty()) return prefixed("gradient", i, message);
  }
  if (kind == DeviceKind::cpu) return "";
  const Results cpu = run_case(op, variant, dtype, test_context(DeviceKind::cpu), true);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string message = compare(actual.gradients[i].values, cpu.gradients[i].values, twice(allowed));
    if (!message.empty()) return prefixed("against the CPU, gradient", i, message);
  }
  return "";
}

std::string check_threads(const OpCase& op, const Variant& variant, DType dtype) {
  ExecutionContext& context = test_context(DeviceKind::cpu);
  const bool backward = has_backward(op, variant);
  context.api().set_threads(1);
  const Results one = run_case(op, variant, dtype, context, backward);
  context.api().set_threads(2);
  const Results two = run_case(op, variant, dtype, context, backward);
  for (std::size_t k = 0; k < one.outputs.size(); ++k)
    if (!same_bits(one.outputs[k], two.outputs[k])) return "output " + std::to_string(k) + " differs";
  for (std::size_t k = 0; k < one.gradients.size(); ++k)
    if (!same_bits(one.gradients[k], two.gradients[k])) return "gradient " + std::to_string(k) + " differs";
  return "";
}

}  // namespace chorale::harness
