// SPDX-License-Identifier: MIT
// An operation as the tests and the benchmark see it: inputs, how to run it, and a slow f64 reference written
// apart from the kernels. Everything that a backend must do with it (forward, backward, every storage type,
// every device) is derived from one OpCase.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "autograd/ops.h"
#include "autograd/train_state.h"

namespace chorale::harness {

using autograd::Var;

/// A host array in f64.
struct Array {
  Shape shape;
  std::vector<double> values;
  Array() = default;
  explicit Array(Shape s, double value = 0)
      : shape(std::move(s)), values(static_cast<std::size_t>(element_count(shape)), value) {}
  std::int64_t size() const { return static_cast<std::int64_t>(values.size()); }
  std::int64_t dim(int i) const { return shape[static_cast<std::size_t>(i)]; }
  double& operator[](std::int64_t i) { return values[static_cast<std::size_t>(i)]; }
  double operator[](std::int64_t i) const { return values[static_cast<std::size_t>(i)]; }
};
using Arrays = std::vector<Array>;

/// What a storage type in an Input stands for.
enum class Storage : std::uint8_t {
  tested,  ///< the type under test: f32, f16, bf16
  f32,
  f64,
  i64,
};

struct Input {
  Shape shape;
  double low = -2, high = 2;  ///< uniform in this range; integers include both ends
  bool gradient = true;       ///< backward is checked with respect to it
  Storage storage = Storage::tested;
  bool specials = false;  ///< NaN, infinities, zeros and huge values are mixed in; no gradient check
};

struct Variant {
  std::string label;  ///< "tiny", "odd", "large", ...
  std::vector<Input> inputs;
  bool large = false;  ///< too much work for the emulator
};

/// A variant whose inputs are nothing but shapes.
inline Variant plain(std::string label, std::initializer_list<Shape> shapes, bool large = false) {
  Variant variant{std::move(label), {}, large};
  for (const Shape& shape : shapes) variant.inputs.push_back(Input{shape});
  return variant;
}

struct Cost {
  double flops = 0;
  double bytes = 0;  ///< read and written at least once
};

/// What `run` works with: the inputs on the device, and the device's training state.
struct Run {
  std::vector<Var> x;
  const StepState* state = nullptr;
  DType dtype = DType::f32;  ///< the storage type under test
  const Tensor& tensor(std::size_t i) const { return x[i].value(); }
};

/// The training state that `run` sees and references may use.
inline StepState case_state() {
  StepState state;
  state.seed = 0x9e3779b97f4a7c15ull;
  state.rng_offset = 3;
  state.cursor = 2;
  state.learning_rate = 0.01f;
  state.gradient_multiplier = 0.5f;
  state.step = 4;
  state.bias_correction1 = 0.4095f;
  state.bias_correction2 = 0.00499001f;
  return state;
}

struct OpCase {
  std::string name;
  PrecisionClass precision = PrecisionClass::low;
  bool differentiable = true;
  bool sixteen_bit = true;  ///< false: f32 only
  bool exact = false;       ///< results must be equal, not only close (copies, integers)
  bool scaled = true;       ///< false: elements are unrelated numbers, so only the relative tolerance counts
  /// An intermediate may be rounded to the tested type: its tolerance is for all outputs; in 16 bits, that of
  /// sums.
  bool rounds_inside = false;
  std::vector<Variant> variants;
  std::function<std::vector<Var>(const Run&)> run;
  std::function<Arrays(const Arrays&)> reference;
  Variant bench;  ///< real sizes; empty: not measured
  std::function<Cost(const std::vector<Input>&, double bytes_per_element)> cost;
};

/// A case of statistics: f32 only, without a gradient.
inline OpCase statistics_case(const std::string& name) {
  OpCase c;
  c.name = name;
  c.precision = PrecisionClass::stat;
  c.differentiable = false;
  c.sixteen_bit = false;
  return c;
}

/// One function per file of tests/cases/.
std::vector<OpCase> unary_cases();
std::vector<OpCase> binary_cases();
std::vector<OpCase> memory_cases();
std::vector<OpCase> reduce_cases();
std::vector<OpCase> matrix_cases();
std::vector<OpCase> convolution_cases();
std::vector<OpCase> image_cases();
std::vector<OpCase> normalisation_cases();
std::vector<OpCase> random_cases();
std::vector<OpCase> latent_cases();
std::vector<OpCase> mixture_cases();
std::vector<OpCase> step_cases();
std::vector<OpCase> optimizer_cases();
std::vector<OpCase> audio_cases();
std::vector<OpCase> audio_spectrum_cases();
std::vector<OpCase> audio_descriptor_cases();
std::vector<OpCase> augmentation_cases();
std::vector<OpCase> stretching_cases();
std::vector<OpCase> audio_resample_cases();
std::vector<OpCase> cluster_row_cases();
std::vector<OpCase> kmeans_cases();
std::vector<OpCase> cluster_metric_cases();
std::vector<OpCase> mixture_fit_cases();
std::vector<OpCase> near_point_cases();
std::vector<OpCase> linkage_cases();
std::vector<OpCase> ward_cases();
std::vector<OpCase> map_graph_cases();
std::vector<OpCase> map_layout_cases();

/// All of them.
const std::vector<OpCase>& all_cases();

/// Rounds to what `dtype` can hold.
double round_to(double value, DType dtype);
DType storage_type(Storage storage, DType tested);
/// Reproducible inputs of a variant, rounded to their storage.
Arrays make_inputs(const OpCase& op, const Variant& variant, DType tested);
/// Uploads an array to the current device.
Tensor to_device(const Array& array, DType dtype);
/// Downloads any floating or integer tensor.
Array to_array(const Tensor& tensor);

}  // namespace chorale::harness
