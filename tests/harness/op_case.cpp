// SPDX-License-Identifier: MIT
#include "tests/harness/op_case.h"

#include <cmath>
#include <limits>
#include <random>

namespace chorale::harness {
namespace {

std::vector<OpCase> collect() {
  std::vector<OpCase> all;
  for (const auto cases :
       {unary_cases,        binary_cases,         memory_cases,         reduce_cases,
        matrix_cases,       convolution_cases,    image_cases,          normalisation_cases,
        random_cases,       latent_cases,         mixture_cases,        step_cases,
        optimizer_cases,    audio_cases,          audio_spectrum_cases, audio_descriptor_cases,
        augmentation_cases, stretching_cases,     audio_resample_cases, cluster_row_cases,
        kmeans_cases,       cluster_metric_cases, mixture_fit_cases,    near_point_cases,
        linkage_cases,      ward_cases,           map_graph_cases,      map_layout_cases})
    for (OpCase& op : cases()) all.push_back(std::move(op));
  return all;
}

template <class T>
Tensor upload(const Array& array) {
  std::vector<T> host(array.values.size());
  for (std::size_t i = 0; i < host.size(); ++i) {
    if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bf16>)
      host[i] = from_float<T>(static_cast<float>(array.values[i]));
    else
      host[i] = static_cast<T>(array.values[i]);
  }
  return Tensor::from_host(host, array.shape);
}

template <class T>
Array download(const Tensor& tensor) {
  Array array(tensor.shape());
  const std::vector<T> host = tensor.contiguous().to_host<T>();
  for (std::size_t i = 0; i < host.size(); ++i) {
    if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bf16>)
      array.values[i] = static_cast<double>(to_float(host[i]));
    else
      array.values[i] = static_cast<double>(host[i]);
  }
  return array;
}

}  // namespace

const std::vector<OpCase>& all_cases() {
  static const std::vector<OpCase> cases = collect();
  return cases;
}

double round_to(double value, DType dtype) {
  const float f = static_cast<float>(value);
  switch (dtype) {
    case DType::f64:
      return value;
    case DType::f32:
      return static_cast<double>(f);
    case DType::f16:
      return static_cast<double>(to_float(to_half(f)));
    case DType::bf16:
      return static_cast<double>(to_float(to_bf16(f)));
    default:
      return std::trunc(value);
  }
}

DType storage_type(Storage storage, DType tested) {
  switch (storage) {
    case Storage::tested:
      return tested;
    case Storage::f32:
      return DType::f32;
    case Storage::f64:
      return DType::f64;
    case Storage::i64:
      return DType::i64;
  }
  return tested;
}

Arrays make_inputs(const OpCase& op, const Variant& variant, DType tested) {
  // The raw engine and own arithmetic: library distributions differ between standard libraries.
  std::mt19937_64 engine(std::hash<std::string>{}(op.name + "/" + variant.label));
  const auto uniform = [&] { return static_cast<double>(engine() >> 11) * 0x1p-53; };
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr double specials[] = {
      std::numeric_limits<double>::quiet_NaN(), inf, -inf, 0.0, -0.0, 88.0, -88.0, 3e4, -3e4};
  Arrays inputs;
  for (const Input& input : variant.inputs) {
    const DType dtype = storage_type(input.storage, tested);
    Array array(input.shape);
    for (double& value : array.values) {
      const double u = uniform();
      value = dtype == DType::i64 ? std::floor(input.low + u * (input.high - input.low + 1))
                                  : round_to(input.low + u * (input.high - input.low), dtype);
    }
    if (input.specials)
      for (std::size_t i = 0; i < array.values.size(); i += 3)
        array.values[i] = round_to(specials[i / 3 % 9], dtype);
    inputs.push_back(std::move(array));
  }
  return inputs;
}

Tensor to_device(const Array& array, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return upload<float>(array);
    case DType::f16:
      return upload<half>(array);
    case DType::bf16:
      return upload<bf16>(array);
    case DType::f64:
      return upload<double>(array);
    case DType::i32:
      return upload<std::int32_t>(array);
    case DType::i64:
      return upload<std::int64_t>(array);
    case DType::u8:
      return upload<std::uint8_t>(array);
    case DType::i16:
      return upload<std::int16_t>(array);
  }
  return {};
}

Array to_array(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::f32:
      return download<float>(tensor);
    case DType::f16:
      return download<half>(tensor);
    case DType::bf16:
      return download<bf16>(tensor);
    case DType::f64:
      return download<double>(tensor);
    case DType::i32:
      return download<std::int32_t>(tensor);
    case DType::i64:
      return download<std::int64_t>(tensor);
    case DType::u8:
      return download<std::uint8_t>(tensor);
    case DType::i16:
      return download<std::int16_t>(tensor);
  }
  return {};
}

}  // namespace chorale::harness
