// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "tensor/json.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chorale;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const nlohmann::json document = parse_json(text, "input");
    fuzz::check(parse_json(document.dump(), "again") == document, "the same after writing and reading");
  } catch (const InputError& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
