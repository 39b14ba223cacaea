// SPDX-License-Identifier: MIT
// NumPy's .npy format (numpy/lib/format.py, versions 1.0, 2.0 and 3.0), read strictly and written atomically.
//
// Read: little and big endian, C and Fortran order. Element types: f2 f4 f8 u1 i4 i8 as they are; b1 as u8 (0
// or 1); i1 i2 u2 as i32; u4 and u8 as i64 (InputError above 2^63 - 1). Objects, strings, complex and
// structured types are refused and nothing is ever evaluated. The header is checked against the file's size
// before memory is taken. Written: version 1.0, little endian, C order, the same bytes as numpy.save. bf16
// has no NumPy type and is written as f32, which holds every bf16 value.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor/file.h"
#include "tensor/tensor.h"

namespace chorale {

/// An array in host memory, row-major.
struct NpyArray {
  Shape shape;
  DType dtype = DType::f32;
  std::vector<std::byte> data;

  std::int64_t size() const { return element_count(shape); }
  /// The elements; ContractError when `T` is not the array's type.
  template <class T>
  std::span<const T> as() const {
    if (dtype_of<T>::value != dtype) throw ContractError("NpyArray: holds " + std::string(dtype_name(dtype)));
    return {reinterpret_cast<const T*>(data.data()), data.size() / sizeof(T)};
  }
};

/// Where the elements of a file lie.
struct NpyLayout {
  Shape shape;
  DType dtype = DType::f32;
  std::uint64_t data_offset = 0;  ///< bytes; what follows is as in memory, row-major
};

/// For files that are read piece by piece. InputError on any fault, and where the elements would have to be
/// converted or put into another order.
NpyLayout read_npy_layout(const InputFile& file);

struct NpyHeader {
  Shape shape;
  DType dtype = DType::f32;  ///< as NpyArray has it
};

/// What a file's array is, which is not read. InputError on any fault of the header.
NpyHeader read_npy_header(const std::string& path);

/// Reads a whole array into host memory; any rank up to 32. InputError naming the file on any fault.
NpyArray read_npy_host(const std::string& path);

/// Reads an array of rank 4 at most into a tensor of the current context, without a second copy in host
/// memory where the file's layout allows it.
Tensor read_npy(const std::string& path);

/// Writes the tensor; the file is replaced when it is complete.
void write_npy(const std::string& path, const Tensor& tensor);

/// What comes before the elements in a file. As in NumPy's, it is of one length for any first dimension.
std::string npy_header(DType dtype, const Shape& shape);

/// Writes f32 (..., 2), real and imaginary parts, as complex64 of the shape without its last dimension.
void write_npy_complex(const std::string& path, const Tensor& pairs);

/// Writes `values` (row-major) of the given shape; ContractError when the counts differ.
void write_npy(const std::string& path, DType dtype, const void* values, const Shape& shape);
template <class T>
void write_npy(const std::string& path, std::span<const T> values, const Shape& shape) {
  if (element_count(shape) != static_cast<std::int64_t>(values.size())) {
    throw ContractError("write_npy: " + std::to_string(values.size()) + " values for shape " +
                        to_string(shape));
  }
  write_npy(path, dtype_of<T>::value, values.data(), shape);
}
template <class T>
void write_npy(const std::string& path, const std::vector<T>& values, const Shape& shape) {
  write_npy(path, std::span<const T>(values), shape);
}

/// Writes an array row by row when the number of rows is not known before. The file appears on commit().
class NpyWriter {
 public:
  /// `row_shape` is the shape without the first dimension; () gives a vector.
  NpyWriter(const std::string& path, DType dtype, Shape row_shape,
            Durability durability = Durability::durable);

  /// Appends `rows` rows of host memory.
  void append(const void* values, std::int64_t rows);
  template <class T>
  void append(std::span<const T> values) {
    append_checked(values.data(), values.size(), dtype_of<T>::value);
  }
  template <class T>
  void append(const std::vector<T>& values) {
    append(std::span<const T>(values));
  }
  /// Appends a tensor of shape (rows, row_shape...).
  void append(const Tensor& rows);
  std::int64_t rows() const { return rows_; }
  void commit();

 private:
  void append_checked(const void* values, std::size_t count, DType dtype);

  AtomicFile file_;
  DType dtype_;
  Shape row_shape_;
  std::int64_t row_size_ = 1;
  std::int64_t rows_ = 0;
  std::size_t header_bytes_ = 0;
};

}  // namespace chorale
