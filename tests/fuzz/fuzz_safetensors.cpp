// SPDX-License-Identifier: MIT
#include "tensor/safetensors.h"
#include "tests/fuzz/memory_file.h"
#include "tests/tensor_formats/plain_device.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chorale;
  static testing::PlainDevice device(true);
  const fuzz::MemoryFile file(data, size);
  try {
    const SafetensorsFile opened(file.path());
    std::uint64_t bytes = 0;
    for (const std::string& name : opened.names()) {
      const TensorInfo& info = opened.info(name);
      bytes += info.bytes;
      fuzz::check(
          static_cast<std::uint64_t>(element_count(info.shape)) * dtype_size(info.dtype) == info.bytes,
          "sizes agree");
      fuzz::check(opened.load(name).bytes() == info.bytes, "loaded whole");
      fuzz::check(opened.count_non_finite(name) <= element_count(info.shape), "counted within");
    }
    fuzz::check(bytes < size, "tensors do not overlap");
  } catch (const InputError& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
