// SPDX-License-Identifier: MIT
#include "tensor/npy.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chorale;
  const fuzz::MemoryFile file(data, size);
  try {
    const NpyArray array = read_npy_host(file.path());
    fuzz::check(array.data.size() == static_cast<std::size_t>(array.size()) * dtype_size(array.dtype),
                "sizes agree");
    // Widening to i32 or i64 is the only growth.
    fuzz::check(array.data.size() <= 8 * size, "no more memory than the file stands for");
  } catch (const InputError& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
