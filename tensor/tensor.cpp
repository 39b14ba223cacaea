// SPDX-License-Identifier: MIT
#include "tensor/tensor.h"

#include <algorithm>
#include <utility>

#include "kernels/launch.h"

namespace chorale {
namespace {

Shape contiguous_strides(const Shape& shape) {
  Shape strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

void check_shape(const Shape& shape) {
  if (shape.size() > max_rank)
    throw ContractError("tensor: rank too high: " + std::to_string(shape.size()) + " (allowed 0 to 4)");
  for (std::int64_t d : shape)
    if (d < 0) throw ContractError("tensor: negative dimension in shape " + to_string(shape));
}

}  // namespace

Storage::Storage(std::shared_ptr<Allocator> allocator, std::size_t bytes)
    : allocator_(std::move(allocator)), bytes_(bytes) {
  data_ = static_cast<std::byte*>(allocator_->acquire(std::max<std::size_t>(bytes, 1)));
}
Storage::Storage(void* data, std::size_t bytes, std::shared_ptr<const void> owner)
    : owner_(std::move(owner)), data_(static_cast<std::byte*>(data)), bytes_(bytes) {}
Storage::~Storage() {
  if (allocator_) allocator_->release(data_);
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t n = 1;
  for (std::int64_t d : shape) n *= d;
  return n;
}

Tensor::Tensor(Shape shape, DType dtype) : shape_(std::move(shape)), dtype_(dtype) {
  check_shape(shape_);
  strides_ = contiguous_strides(shape_);
  storage_ = std::make_shared<Storage>(current_context().allocator(), bytes());
}

Tensor::Tensor(std::shared_ptr<Storage> storage, Shape shape, Shape strides, std::int64_t offset, DType dtype)
    : storage_(std::move(storage)),
      shape_(std::move(shape)),
      strides_(std::move(strides)),
      offset_(offset),
      dtype_(dtype) {
  check_shape(shape_);
}

Tensor Tensor::zeros(Shape shape, DType dtype) {
  Tensor t(std::move(shape), dtype);
  ExecutionContext& context = current_context();
  context.api().set_bytes(context.kernel_context().device, context.kernel_context().stream, t.raw(), 0,
                          t.bytes());
  return t;
}

Tensor Tensor::full(Shape shape, double value, DType dtype) {
  Tensor t(std::move(shape), dtype);
  t.fill(value);
  return t;
}

Tensor Tensor::from_bytes(const void* host, Shape shape, DType dtype) {
  Tensor t(std::move(shape), dtype);
  t.upload(host, dtype);
  return t;
}

std::int64_t Tensor::dim(int i) const {
  const int index = i < 0 ? i + rank() : i;
  if (index < 0 || index >= rank())
    throw ContractError("tensor: no dimension " + std::to_string(i) + " in shape " + to_string(shape_));
  return shape_[static_cast<std::size_t>(index)];
}

bool Tensor::is_contiguous() const {
  std::int64_t step = 1;
  for (std::size_t i = shape_.size(); i-- > 0;) {
    if (shape_[i] != 1 && strides_[i] != step) return false;
    step *= shape_[i];
  }
  return true;
}

Tensor Tensor::reshape(Shape shape) const {
  const auto unknown = std::find(shape.begin(), shape.end(), -1);
  if (unknown != shape.end()) {
    *unknown = 1;
    const std::int64_t known = element_count(shape);
    *unknown = known ? size() / known : 0;
  }
  if (element_count(shape) != size())
    throw ContractError("tensor: cannot reshape " + to_string(shape_) + " to " + to_string(shape));
  const Tensor source = contiguous();
  Shape strides = contiguous_strides(shape);
  return Tensor(source.storage_, std::move(shape), std::move(strides), source.offset_, dtype_);
}

Tensor Tensor::transpose(int a, int b) const {
  Tensor t = *this;
  std::swap(t.shape_.at(static_cast<std::size_t>(a)), t.shape_.at(static_cast<std::size_t>(b)));
  std::swap(t.strides_[static_cast<std::size_t>(a)], t.strides_[static_cast<std::size_t>(b)]);
  return t;
}

Tensor Tensor::slice(int dimension, std::int64_t start, std::int64_t stop) const {
  const std::int64_t n = dim(dimension);
  if (start < 0 || stop < start || stop > n)
    throw ContractError("tensor: slice [" + std::to_string(start) + ", " + std::to_string(stop) +
                        ") outside dimension of " + std::to_string(n));
  Tensor t = *this;
  const auto d = static_cast<std::size_t>(dimension < 0 ? dimension + rank() : dimension);
  t.shape_[d] = stop - start;
  t.offset_ += start * strides_[d];
  return t;
}

Tensor Tensor::operator[](std::int64_t i) const {
  Tensor t = slice(0, i, i + 1);
  t.shape_.erase(t.shape_.begin());
  t.strides_.erase(t.strides_.begin());
  return t;
}

Tensor Tensor::gather_rows(const Tensor& rows) const {
  if (shape_.empty() || rows.rank() != 1)
    throw ContractError("gather_rows: rows " + to_string(rows.shape()) + " of " + to_string(shape_) +
                        " (allowed (n) of a tensor with rows)");
  Shape shape = shape_;
  shape[0] = rows.dim(0);
  Tensor out(std::move(shape), dtype_);
  kernel::gather_rows(current_context(), contiguous(), rows.contiguous(),
                      static_cast<const StepState*>(nullptr), out);
  return out;
}

Tensor Tensor::gather_rows(const std::vector<std::int64_t>& rows) const {
  return gather_rows(from_host(rows, {static_cast<std::int64_t>(rows.size())}));
}

Tensor Tensor::contiguous() const {
  if (is_contiguous()) return *this;
  Tensor out(shape_, dtype_);
  Strides strides;
  for (std::size_t i = 0; i < strides_.size(); ++i) strides.value[i] = strides_[i];
  ConstView
      source;  // the extent the strides reach is the caller's memory, so a shape of its own is not needed
  source.data = raw();
  source.dtype = dtype_;
  source.rank = rank();
  for (std::size_t i = 0; i < shape_.size(); ++i) source.shape[i] = shape_[i];
  kernel::copy_strided(current_context(), source, strides, out.view());
  return out;
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor out(shape_, dtype);
  kernel::cast(current_context(), contiguous().view(), out.view());
  return out;
}

Tensor Tensor::clone() const {
  Tensor out(shape_, dtype_);
  out.copy_from(*this);
  return out;
}

void Tensor::copy_from(const Tensor& source) {
  if (source.shape_ != shape_)
    throw ContractError("tensor: cannot copy " + to_string(source.shape_) + " to " + to_string(shape_));
  const Tensor from = source.contiguous();
  if (from.dtype_ != dtype_) {
    kernel::cast(current_context(), from.view(), view());
    return;
  }
  ExecutionContext& context = current_context();
  context.api().copy(context.kernel_context().device, context.kernel_context().stream, view().data,
                     from.raw(), bytes(), CopyKind::device_to_device);
}

void Tensor::fill(double value) { kernel::fill(current_context(), view(), value); }

void Tensor::download(void* host, DType expected) const {
  if (expected != dtype_)
    throw ContractError("tensor: asked for " + std::string(dtype_name(expected)) + " of a tensor of " +
                        std::string(dtype_name(dtype_)));
  const Tensor source = contiguous();
  ExecutionContext& context = current_context();
  context.api().copy(context.kernel_context().device, context.kernel_context().stream, host, source.raw(),
                     bytes(), CopyKind::device_to_host);
  context.synchronize();
}

void Tensor::upload(const void* host, DType expected) {
  if (expected != dtype_)
    throw ContractError("tensor: " + std::string(dtype_name(expected)) + " for a tensor of " +
                        std::string(dtype_name(dtype_)));
  ExecutionContext& context = current_context();
  context.api().copy(context.kernel_context().device, context.kernel_context().stream, view().data, host,
                     bytes(), CopyKind::host_to_device);
  context.synchronize();  // the host memory may go away
}

double Tensor::item() const {
  if (size() != 1) throw ContractError("tensor: item() of shape " + to_string(shape_));
  if (dtype_ == DType::f64) return to_host<double>()[0];
  if (dtype_ == DType::i64) return static_cast<double>(to_host<std::int64_t>()[0]);
  return to(DType::f32).to_host<float>()[0];
}

View Tensor::view() const {
  if (!defined()) return View();
  if (!is_contiguous())
    throw ContractError("tensor: a kernel needs contiguous memory, shape " + to_string(shape_));
  View v;
  v.data = raw();
  v.dtype = dtype_;
  v.rank = rank();
  for (std::size_t i = 0; i < shape_.size(); ++i) v.shape[i] = shape_[i];
  return v;
}

}  // namespace chorale
