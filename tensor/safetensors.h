// SPDX-License-Identifier: MIT
// Hugging Face's safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes without
// gaps.
//
// The reader checks everything that the reference implementation checks, and more, before it takes memory for
// a tensor: header length (at most 100,000,000), UTF-8, duplicate keys, nesting, dtype, shape, sizes,
// overlaps, holes, trailing bytes. It reads with pread, so a file that is truncated later is an InputError.
// Values are not looked at: NaN loads.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tensor/file.h"
#include "tensor/tensor.h"

namespace chorale {

/// One tensor of a file. BOOL is read as u8.
struct TensorInfo {
  DType dtype = DType::f32;
  Shape shape;  ///< at most 4 dimensions
  std::uint64_t bytes = 0;
};

/// A file, or several that `*.index.json` joins (`weight_map`: tensor name to file name in the same folder).
class SafetensorsFile {
 public:
  /// `path` is a .safetensors file, an index ending in .json, or a folder with model.safetensors or
  /// model.safetensors.index.json. InputError naming the file on any fault.
  explicit SafetensorsFile(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<std::string>& names() const { return names_; }  ///< in the order of their bytes
  bool contains(const std::string& name) const { return entries_.count(name) != 0; }
  const TensorInfo& info(const std::string& name) const;  ///< InputError when there is none of that name
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// The tensor on the current context's device.
  Tensor load(const std::string& name) const;
  /// Reads into an existing contiguous tensor; InputError when dtype or shape differ.
  void load_into(const std::string& name, const Tensor& target) const;
  /// The elements in host memory; InputError when the dtype is not `T`'s.
  template <class T>
  std::vector<T> load_host(const std::string& name) const {
    require(name, dtype_of<T>::value);
    std::vector<T> values(info(name).bytes / sizeof(T));
    read_bytes(name, 0, std::as_writable_bytes(std::span(values)));
    return values;
  }
  /// How many elements are NaN or infinite (0 for integers).
  std::int64_t count_non_finite(const std::string& name) const;

 private:
  struct Entry {
    TensorInfo info;
    std::uint64_t offset = 0;
    std::size_t file = 0;
  };
  void add_file(const std::string& path);
  void read_index(const std::string& path);
  const Entry& entry(const std::string& name) const;
  void require(const std::string& name, DType dtype) const;
  void read_bytes(const std::string& name, std::uint64_t offset, std::span<std::byte> target) const;

  std::string path_;
  std::vector<InputFile> files_;
  std::vector<std::string> names_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

/// What a program needs from a file.
struct ExpectedTensor {
  std::string name;
  Shape shape;
  std::vector<DType> dtypes = {DType::f32};  ///< any of these
};
enum class ExtraTensors : std::uint8_t { refuse, allow };

/// InputError listing the names that are missing, of another shape or dtype (with both), or, unless allowed,
/// not expected.
void check_tensors(const SafetensorsFile& file, const std::vector<ExpectedTensor>& expected,
                   ExtraTensors extra);

/// Writes a file in the reference implementation's order and layout. Tensors are kept by reference until
/// commit(), which streams them from the device; they must not change before.
class SafetensorsWriter {
 public:
  explicit SafetensorsWriter(const std::string& path, Durability durability = Durability::durable);

  void set_metadata(const std::string& key, const std::string& value);
  /// ContractError on a name given twice or not valid UTF-8.
  void add(const std::string& name, const Tensor& tensor);
  /// Copies host values: counters, seeds, small state.
  template <class T>
  void add(const std::string& name, std::span<const T> values, Shape shape) {
    if (element_count(shape) != static_cast<std::int64_t>(values.size())) {
      throw ContractError("SafetensorsWriter: " + std::to_string(values.size()) + " values for shape " +
                          to_string(shape));
    }
    add_host(name, dtype_of<T>::value, std::as_bytes(values), std::move(shape));
  }
  template <class T>
  void add(const std::string& name, const std::vector<T>& values, Shape shape) {
    add(name, std::span<const T>(values), std::move(shape));
  }
  void commit();

 private:
  struct Entry {
    DType dtype;
    Shape shape;
    Tensor tensor;                // or
    std::vector<std::byte> host;  // host values
  };
  void add_host(const std::string& name, DType dtype, std::span<const std::byte> values, Shape shape);
  void add_entry(const std::string& name, Entry entry);

  AtomicFile file_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace chorale
