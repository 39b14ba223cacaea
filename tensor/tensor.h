// SPDX-License-Identifier: MIT
// Tensor: a shape and strides on a reference-counted block of device memory. Copying a Tensor shares the
// block. Operations run on current_context(); a tensor must live on that context's device.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/view.h"
#include "tensor/device.h"

namespace chorale {

/// A block of device memory, given back to its allocator with the last reference; or borrowed memory.
class Storage {
 public:
  Storage(std::shared_ptr<Allocator> allocator, std::size_t bytes);
  /// Memory that `owner` keeps alive (a memory-mapped file, a host vector).
  Storage(void* data, std::size_t bytes, std::shared_ptr<const void> owner);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<Allocator> allocator_;
  std::shared_ptr<const void> owner_;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

using Shape = std::vector<std::int64_t>;
std::string to_string(const Shape& shape);  ///< "(32, 128)"
std::int64_t element_count(const Shape& shape);

class Tensor {
 public:
  Tensor() = default;  ///< no tensor; `defined()` is false
  /// Uninitialised, contiguous, on the current context's device. Rank at most 4.
  Tensor(Shape shape, DType dtype);
  Tensor(std::shared_ptr<Storage> storage, Shape shape, Shape strides, std::int64_t offset, DType dtype);

  static Tensor zeros(Shape shape, DType dtype = DType::f32);
  static Tensor full(Shape shape, double value, DType dtype = DType::f32);
  /// Copies host memory to the current device.
  template <class T>
  static Tensor from_host(std::span<const T> values, Shape shape) {
    return from_bytes(values.data(), std::move(shape), dtype_of<T>::value);
  }
  template <class T>
  static Tensor from_host(const std::vector<T>& values, Shape shape) {
    return from_host(std::span<const T>(values), std::move(shape));
  }
  static Tensor from_bytes(const void* host, Shape shape, DType dtype);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  const Shape& strides() const { return strides_; }
  std::int64_t dim(int i) const;  ///< negative counts from the end
  int rank() const { return static_cast<int>(shape_.size()); }
  std::int64_t size() const { return element_count(shape_); }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * dtype_size(dtype_); }
  DType dtype() const { return dtype_; }
  const std::shared_ptr<Storage>& storage() const { return storage_; }
  std::byte* raw() const {
    return storage_->data() + offset_ * static_cast<std::int64_t>(dtype_size(dtype_));
  }
  bool is_contiguous() const;

  // Views: no copy.
  Tensor reshape(Shape shape) const;  ///< one dimension may be -1; copies only if not contiguous
  Tensor transpose(int a, int b) const;
  Tensor slice(int dimension, std::int64_t start, std::int64_t stop) const;
  Tensor operator[](std::int64_t i) const;  ///< row i, one dimension fewer

  /// Row i is this tensor's row rows[i], of indices i64 (n) or from the host; zeros where there is no such
  /// row.
  Tensor gather_rows(const Tensor& rows) const;
  Tensor gather_rows(const std::vector<std::int64_t>& rows) const;

  Tensor contiguous() const;     ///< itself if contiguous
  Tensor to(DType dtype) const;  ///< itself if already of that dtype
  Tensor clone() const;
  void copy_from(const Tensor& source);  ///< same shape; converts the dtype
  void fill(double value);

  template <class T>
  std::vector<T> to_host() const {
    std::vector<T> out(static_cast<std::size_t>(size()));
    download(out.data(), dtype_of<T>::value);
    return out;
  }
  void download(void* host, DType expected) const;  ///< synchronises; ContractError on another dtype
  void upload(const void* host, DType expected);    ///< from host memory of the same size
  double item() const;                              ///< the only element, read back

  /// For kernels; ContractError if not contiguous.
  View view() const;
  operator View() const { return view(); }
  operator ConstView() const { return view(); }

 private:
  std::shared_ptr<Storage> storage_;
  Shape shape_, strides_;
  std::int64_t offset_ = 0;  ///< in elements
  DType dtype_ = DType::f32;
};

}  // namespace chorale
