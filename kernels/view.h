// SPDX-License-Identifier: MIT
// Contiguous, row-major views on memory that somebody else owns: what kernels take. A view without data
// stands for an optional argument that was not given.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "kernels/dtype.h"
#include "kernels/error.h"

namespace chorale {

constexpr int max_rank = 4;

template <class Void>
struct BasicView {
  Void* data = nullptr;
  DType dtype = DType::f32;
  int rank = 0;
  std::array<std::int64_t, max_rank> shape{};

  BasicView() = default;
  BasicView(Void* data, DType dtype, std::initializer_list<std::int64_t> dims) : data(data), dtype(dtype) {
    if (dims.size() > max_rank) throw ContractError("view: rank above " + std::to_string(max_rank));
    for (std::int64_t d : dims) shape[rank++] = d;
  }
  template <class T, class = std::enable_if_t<!std::is_void_v<T>>>
  BasicView(T* data, std::initializer_list<std::int64_t> dims)
      : BasicView(data, dtype_of<std::remove_const_t<T>>::value, dims) {}
  // A mutable view serves where a read-only one is asked for.
  template <class V = Void, class = std::enable_if_t<std::is_const_v<V>>>
  BasicView(const BasicView<void>& other)
      : data(other.data), dtype(other.dtype), rank(other.rank), shape(other.shape) {}

  explicit operator bool() const { return data != nullptr; }
  std::int64_t size() const {
    std::int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= shape[i];
    return n;
  }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * dtype_size(dtype); }
  /// Size of the last dimension (1 for a scalar).
  std::int64_t columns() const { return rank ? shape[rank - 1] : 1; }
  /// Product of all dimensions but the last.
  std::int64_t rows() const {
    std::int64_t n = 1;
    for (int i = 0; i + 1 < rank; ++i) n *= shape[i];
    return n;
  }
  template <class T>
  auto as() const {
    using P = std::conditional_t<std::is_const_v<Void>, const T, T>;
    return static_cast<P*>(data);
  }
};

using View = BasicView<void>;
using ConstView = BasicView<const void>;

}  // namespace chorale
