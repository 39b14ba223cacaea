// SPDX-License-Identifier: MIT
#include "tensor/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "tensor/transfer.h"

namespace chorale {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t max_header = 10000;  // what numpy.load accepts
constexpr int max_npy_rank = 32;
// The room that numpy.save leaves so that the first dimension can grow in place.
constexpr std::size_t growth_digits = 21;
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw InputError(printable(path) + ": not a readable .npy file: " + what);
}

struct Format {
  char kind = 0;  // 'f', 'i', 'u' or 'b'
  int size = 0;
  bool big_endian = false;
  DType dtype = DType::f32;  // after conversion
};

struct Header {
  Format format;
  bool fortran_order = false;
  Shape shape;
  std::uint64_t data_offset = 0;

  /// The elements need no conversion and no other order.
  bool plain() const {
    return !fortran_order && format.kind != 'b' && (!format.big_endian || format.size == 1) &&
           static_cast<std::size_t>(format.size) == dtype_size(format.dtype) &&
           !(format.kind == 'u' && format.size == 8);
  }
};

// Reads the header: a Python dictionary of exactly three literals.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  Header parse() {
    Header header;
    std::optional<std::string> descr;
    std::optional<bool> fortran;
    std::optional<Shape> shape;
    const auto once = [&](const auto& slot, const char* key) {
      if (slot) fail(path_, std::string("key '") + key + "' twice");
    };
    expect('{');
    while (!accept('}')) {
      const std::string key = string();
      expect(':');
      if (key == "descr") {
        once(descr, "descr");
        skip_space();
        if (position_ < text_.size() && text_[position_] == '[')
          fail(path_, "structured element type (allowed: plain numbers)");
        descr = string();
      } else if (key == "fortran_order") {
        once(fortran, "fortran_order");
        fortran = boolean();
      } else if (key == "shape") {
        once(shape, "shape");
        shape = tuple();
      } else {
        fail(path_, "unknown key '" + printable(key, 40) + "' (allowed descr, fortran_order, shape)");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) fail(path_, "text after the header's dictionary");
    if (!descr || !fortran || !shape) fail(path_, "header lacks one of the keys descr, fortran_order, shape");
    header.format = element_format(*descr);
    header.fortran_order = *fortran;
    header.shape = std::move(*shape);
    return header;
  }

 private:
  void skip_space() {
    while (position_ < text_.size() &&
           (text_[position_] == ' ' || text_[position_] == '\n' || text_[position_] == '\t')) {
      ++position_;
    }
  }
  bool accept(char c) {
    skip_space();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      fail(path_, std::string("header: expected '") + c + "' at character " + std::to_string(position_));
  }
  std::string string() {
    skip_space();
    const char quote = position_ < text_.size() ? text_[position_] : '\0';
    if (quote != '\'' && quote != '"')
      fail(path_, "header: expected a string at character " + std::to_string(position_));
    const std::size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) fail(path_, "header: string without an end");
    const std::string_view value = text_.substr(position_ + 1, end - position_ - 1);
    if (value.find('\\') != std::string_view::npos) fail(path_, "header: escape in a string");
    position_ = end + 1;
    return std::string(value);
  }
  bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(position_, word.size()) != word) continue;
      position_ += word.size();
      return value;
    }
    fail(path_, "header: fortran_order is neither True nor False");
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!accept(')')) {
      shape.push_back(dimension());
      if (shape.size() > max_npy_rank)
        fail(path_, "more than " + std::to_string(max_npy_rank) + " dimensions");
      if (!accept(',')) {
        // (5) is a number in Python, (5,) a shape.
        if (shape.size() == 1) fail(path_, "header: shape is no tuple");
        expect(')');
        break;
      }
    }
    return shape;
  }
  std::int64_t dimension() {
    skip_space();
    std::int64_t value = 0;
    const char* begin = text_.data() + position_;
    const char* end = text_.data() + text_.size();
    const auto result = std::from_chars(begin, end, value);
    if (result.ec == std::errc::result_out_of_range) fail(path_, "header: dimension above 2^63 - 1");
    if (result.ec != std::errc() || value < 0) {
      fail(path_, "header: dimension is no whole number: " +
                      printable(std::string_view(begin, std::min<std::size_t>(end - begin, 20))));
    }
    position_ += static_cast<std::size_t>(result.ptr - begin);
    return value;
  }
  [[noreturn]] void refuse(const std::string& descr) const {
    fail(path_, "element type '" + printable(descr, 40) + "' (allowed f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1)");
  }
  Format element_format(const std::string& descr) const {
    if (descr.find('O') != std::string::npos) {
      fail(path_, "element type '" + printable(descr, 40) +
                      "' holds pickled Python objects, which are never loaded");
    }
    if (descr.size() != 3 || std::string_view("<>|=").find(descr[0]) == std::string_view::npos) refuse(descr);
    Format format;
    format.big_endian = descr[0] == '>';
    format.kind = descr[1];
    format.size = descr[2] - '0';
    const std::string type = descr.substr(1);
    static constexpr std::array<std::pair<std::string_view, DType>, 12> types{{{"f2", DType::f16},
                                                                               {"f4", DType::f32},
                                                                               {"f8", DType::f64},
                                                                               {"i1", DType::i32},
                                                                               {"i2", DType::i32},
                                                                               {"i4", DType::i32},
                                                                               {"i8", DType::i64},
                                                                               {"u1", DType::u8},
                                                                               {"u2", DType::i32},
                                                                               {"u4", DType::i64},
                                                                               {"u8", DType::i64},
                                                                               {"b1", DType::u8}}};
    for (const auto& [name, dtype] : types) {
      if (type != name) continue;
      format.dtype = dtype;
      if (format.size > 1 && descr[0] == '|') refuse(descr);
      return format;
    }
    refuse(descr);
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t position_ = 0;
};

// Bytes of the stored elements; refuses shapes that no 64-bit index can address.
std::uint64_t stored_bytes(const Header& header, const std::string& path) {
  const Shape& shape = header.shape;
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  std::int64_t bytes = 8;  // the widest element: conversion to it must not overflow either
  for (const std::int64_t d : shape) {
    if (d == 0) continue;
    if (bytes > int64_max / d) fail(path, "shape overflows: " + to_string(shape));
    bytes *= d;
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes / 8 * header.format.size);
}

Header read_header(const InputFile& file) {
  const std::string& path = file.path();
  std::array<unsigned char, 12> start{};
  const std::size_t n = file.read_some(0, std::as_writable_bytes(std::span(start)));
  if (n == 0) fail(path, "empty");
  if (n < 10 || std::memcmp(start.data(), magic.data(), magic.size()) != 0)
    fail(path, "does not start with \\x93NUMPY");
  const int major = start[6], minor = start[7];
  if (major < 1 || major > 3 || minor != 0) {
    fail(path, "format version " + std::to_string(major) + "." + std::to_string(minor) +
                   " (allowed 1.0, 2.0, 3.0)");
  }
  const std::size_t prefix = major == 1 ? 10 : 12;
  if (n < prefix) fail(path, "truncated in its header");
  std::size_t length = start[8] | std::size_t{start[9]} << 8;
  if (major > 1) length |= std::size_t{start[10]} << 16 | std::size_t{start[11]} << 24;
  if (length > max_header) {
    fail(path, "header of " + std::to_string(length) + " characters (allowed at most " +
                   std::to_string(max_header) + ")");
  }
  std::string text(length, '\0');
  if (file.read_some(prefix, std::as_writable_bytes(std::span(text))) != length)
    fail(path, "truncated in its header");
  Header header = HeaderParser(text, path).parse();
  header.data_offset = prefix + length;
  const std::uint64_t needed = stored_bytes(header, path),
                      present = file.size() - std::min<std::uint64_t>(file.size(), header.data_offset);
  if (needed != present) {
    fail(path, "shape " + to_string(header.shape) + " needs " + std::to_string(needed) +
                   " bytes of data, the file holds " + std::to_string(present));
  }
  return header;
}

void swap_bytes(std::span<std::byte> data, int size) {
  for (std::size_t i = 0; i + size <= data.size(); i += size)
    std::reverse(data.begin() + i, data.begin() + i + size);
}

template <class From, class To>
std::vector<std::byte> widen(const std::vector<std::byte>& data, const std::string& path) {
  const std::size_t count = data.size() / sizeof(From);
  std::vector<std::byte> out(count * sizeof(To));
  for (std::size_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, data.data() + i * sizeof(From), sizeof(From));
    if constexpr (std::is_same_v<From, std::uint64_t>) {
      if (value > static_cast<std::uint64_t>(int64_max)) {
        fail(path, "element " + std::to_string(i) + " does not fit i64: " + std::to_string(value));
      }
    }
    const To wide = static_cast<To>(value);
    std::memcpy(out.data() + i * sizeof(To), &wide, sizeof(To));
  }
  return out;
}

// From first-index-fastest to last-index-fastest order.
std::vector<std::byte> to_row_major(const std::vector<std::byte>& data, const Shape& shape,
                                    std::size_t size) {
  std::vector<std::byte> out(data.size());
  const std::size_t rank = shape.size();
  std::vector<std::int64_t> index(rank, 0), stride(rank, 1);
  for (std::size_t i = 1; i < rank; ++i) stride[i] = stride[i - 1] * shape[i - 1];
  std::int64_t source = 0;
  for (std::size_t target = 0; target < data.size(); target += size) {
    std::memcpy(out.data() + target, data.data() + static_cast<std::size_t>(source) * size, size);
    for (std::size_t i = rank; i-- > 0;) {
      source += stride[i];
      if (++index[i] < shape[i]) break;
      source -= stride[i] * shape[i];
      index[i] = 0;
    }
  }
  return out;
}

NpyArray read_data(const InputFile& file, const Header& header) {
  const std::string& path = file.path();
  const Format& format = header.format;
  NpyArray array{header.shape, format.dtype, std::vector<std::byte>(stored_bytes(header, path))};
  file.read_at(header.data_offset, array.data);
  if (format.big_endian) swap_bytes(array.data, format.size);
  if (header.fortran_order && header.shape.size() > 1 && !array.data.empty()) {
    array.data = to_row_major(array.data, header.shape, static_cast<std::size_t>(format.size));
  }
  const bool is_signed = format.kind == 'i', is_unsigned = format.kind == 'u';
  if (is_signed && format.size == 1) array.data = widen<std::int8_t, std::int32_t>(array.data, path);
  if (is_signed && format.size == 2) array.data = widen<std::int16_t, std::int32_t>(array.data, path);
  if (is_unsigned && format.size == 2) array.data = widen<std::uint16_t, std::int32_t>(array.data, path);
  if (is_unsigned && format.size == 4) array.data = widen<std::uint32_t, std::int64_t>(array.data, path);
  if (is_unsigned && format.size == 8) array.data = widen<std::uint64_t, std::int64_t>(array.data, path);
  if (format.kind == 'b') {
    for (std::byte& b : array.data) b = std::byte{b != std::byte{0}};
  }
  return array;
}

std::string_view descr(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return "<f2";
    case DType::f32:
    case DType::bf16:
      return "<f4";
    case DType::f64:
      return "<f8";
    case DType::i32:
      return "<i4";
    case DType::i64:
      return "<i8";
    case DType::u8:
      return "|u1";
    case DType::i16:
      return "<i2";
  }
  throw ContractError("write_npy: unknown dtype");
}

std::string header_text(std::string_view type, const Shape& shape) {
  std::string dictionary = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    dictionary += std::to_string(shape[i]) + (shape.size() == 1 ? "," : i + 1 < shape.size() ? ", " : "");
  }
  dictionary += "), }";
  if (!shape.empty())
    dictionary.append(growth_digits - std::min(growth_digits, std::to_string(shape[0]).size()), ' ');
  const std::size_t unpadded = magic.size() + 4 + dictionary.size() + 1;
  dictionary.append(64 - unpadded % 64, ' ');
  dictionary += '\n';
  std::string header(magic);
  header += {'\x01', '\x00', static_cast<char>(dictionary.size() & 0xff),
             static_cast<char>(dictionary.size() >> 8)};
  return header + dictionary;
}

void write_elements(AtomicFile& file, DType dtype, const void* values, std::size_t count) {
  if (dtype != DType::bf16) {
    if (count > 0) file.write(values, count * dtype_size(dtype));
    return;
  }
  const bf16* source = static_cast<const bf16*>(values);
  for (std::size_t i = 0; i < count; ++i) {
    const float value = to_float(source[i]);
    file.write(&value, sizeof value);
  }
}

void append_elements(AtomicFile& file, const Tensor& tensor) {
  if (tensor.dtype() != DType::bf16) return append_to(file, tensor);
  const std::vector<bf16> values = tensor.to_host<bf16>();
  write_elements(file, DType::bf16, values.data(), values.size());
}

}  // namespace

std::string npy_header(DType dtype, const Shape& shape) { return header_text(descr(dtype), shape); }

NpyLayout read_npy_layout(const InputFile& file) {
  Header header = read_header(file);
  if (!header.plain())
    fail(file.path(), "elements of another order or type (allowed as numpy.save writes them)");
  return {std::move(header.shape), header.format.dtype, header.data_offset};
}

NpyHeader read_npy_header(const std::string& path) {
  const Header header = read_header(InputFile(path));
  return {header.shape, header.format.dtype};
}

NpyArray read_npy_host(const std::string& path) {
  const InputFile file(path);
  return read_data(file, read_header(file));
}

Tensor read_npy(const std::string& path) {
  const InputFile file(path);
  const Header header = read_header(file);
  if (header.shape.size() > max_rank) {
    fail(path, "shape " + to_string(header.shape) + " (allowed: at most " + std::to_string(max_rank) +
                   " dimensions)");
  }
  if (!header.plain()) {
    const NpyArray array = read_data(file, header);
    return Tensor::from_bytes(array.data.data(), array.shape, array.dtype);
  }
  Tensor tensor(header.shape, header.format.dtype);
  read_into(file, header.data_offset, tensor);
  return tensor;
}

void write_npy(const std::string& path, DType dtype, const void* values, const Shape& shape) {
  AtomicFile file(path);
  file.write(npy_header(dtype, shape));
  write_elements(file, dtype, values, static_cast<std::size_t>(element_count(shape)));
  file.commit();
}

void write_npy(const std::string& path, const Tensor& tensor) {
  AtomicFile file(path);
  file.write(npy_header(tensor.dtype(), tensor.shape()));
  append_elements(file, tensor);
  file.commit();
}

void write_npy_complex(const std::string& path, const Tensor& pairs) {
  if (pairs.dtype() != DType::f32 || pairs.rank() < 1 || pairs.dim(pairs.rank() - 1) != 2)
    throw ContractError("write_npy_complex: f32 (..., 2) wanted: " + to_string(pairs.shape()));
  Shape shape = pairs.shape();
  shape.pop_back();
  AtomicFile file(path);
  file.write(header_text("<c8", shape));
  append_elements(file, pairs);
  file.commit();
}

NpyWriter::NpyWriter(const std::string& path, DType dtype, Shape row_shape, Durability durability)
    : file_(path, durability),
      dtype_(dtype),
      row_shape_(std::move(row_shape)),
      row_size_(element_count(row_shape_)) {
  Shape shape = row_shape_;
  shape.insert(shape.begin(), 0);
  const std::string header = npy_header(dtype_, shape);
  header_bytes_ = header.size();
  file_.write(header);
}

void NpyWriter::append(const void* values, std::int64_t rows) {
  write_elements(file_, dtype_, values, static_cast<std::size_t>(rows * row_size_));
  rows_ += rows;
}

void NpyWriter::append_checked(const void* values, std::size_t count, DType dtype) {
  const auto n = static_cast<std::int64_t>(count);
  if (dtype != dtype_) throw ContractError("NpyWriter: rows are " + std::string(dtype_name(dtype_)));
  if (row_size_ == 0 || n % row_size_ != 0) {
    throw ContractError("NpyWriter: " + std::to_string(n) + " values for rows of shape " +
                        to_string(row_shape_));
  }
  append(values, n / row_size_);
}

void NpyWriter::append(const Tensor& rows) {
  if (rows.dtype() != dtype_) throw ContractError("NpyWriter: rows are " + std::string(dtype_name(dtype_)));
  if (rows.rank() < 1 || Shape(rows.shape().begin() + 1, rows.shape().end()) != row_shape_) {
    throw ContractError("NpyWriter: tensor " + to_string(rows.shape()) + " for rows of shape " +
                        to_string(row_shape_));
  }
  append_elements(file_, rows);
  rows_ += rows.dim(0);
}

void NpyWriter::commit() {
  Shape shape = row_shape_;
  shape.insert(shape.begin(), rows_);
  const std::string header = npy_header(dtype_, shape);
  // The header's padding absorbs the digits of the row count, so the data stays where it is.
  if (header.size() != header_bytes_) throw ContractError("NpyWriter: header grew");
  file_.write_at(0, header.data(), header.size());
  file_.commit();
}

}  // namespace chorale
