// SPDX-License-Identifier: MIT
// From a dtype known at run time to a template argument; and the checks that kernels make of their arguments.
#pragma once
#include <string>

#include "kernels/view.h"

namespace chorale::cuda {

template <class T>
struct Type {
  using type = T;
};

[[noreturn]] inline void unsupported(const char* op, DType dtype, const char* allowed) {
  throw ContractError(std::string(op) + ": unsupported dtype: " + std::string(dtype_name(dtype)) +
                      " (allowed " + allowed + ")");
}

/// Calls f(Type<T>{}) for the storage types that kernels compute on.
template <class F>
void dispatch_floating(const char* op, DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(Type<float>{});
    case DType::f16:
      return f(Type<half>{});
    case DType::bf16:
      return f(Type<bf16>{});
    default:
      unsupported(op, dtype, "f32, f16, bf16");
  }
}

/// `second` is the same type as `first`, or f32: statistics, parameters and targets beside 16-bit
/// activations.
template <class F>
void dispatch_floating_or_f32(const char* op, DType first, DType second, F&& f) {
  dispatch_floating(op, first, [&](auto t) {
    if (second == first) return f(t, t);
    if (second != DType::f32) unsupported(op, second, "the dtype of the first argument, or f32");
    f(t, Type<float>{});
  });
}

/// Calls f(Type<T>{}) for every dtype.
template <class F>
void dispatch_any(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(Type<float>{});
    case DType::f16:
      return f(Type<half>{});
    case DType::bf16:
      return f(Type<bf16>{});
    case DType::f64:
      return f(Type<double>{});
    case DType::i32:
      return f(Type<std::int32_t>{});
    case DType::i64:
      return f(Type<std::int64_t>{});
    case DType::u8:
      return f(Type<std::uint8_t>{});
    case DType::i16:
      return f(Type<std::int16_t>{});
  }
}

inline void require(bool holds, const char* op, const char* what) {
  if (!holds) throw ContractError(std::string(op) + ": " + what);
}

inline void require_dtype(const ConstView& view, DType dtype, const char* op, const char* argument) {
  if (view.dtype != dtype)
    throw ContractError(std::string(op) + ": " + argument +
                        ": wrong dtype: " + std::string(dtype_name(view.dtype)) + " (allowed " +
                        std::string(dtype_name(dtype)) + ")");
}

inline void require_size(const ConstView& view, std::int64_t size, const char* op, const char* argument) {
  if (view.size() != size)
    throw ContractError(std::string(op) + ": " + argument + ": wrong number of elements: " +
                        std::to_string(view.size()) + " (allowed " + std::to_string(size) + ")");
}

}  // namespace chorale::cuda
