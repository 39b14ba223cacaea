// SPDX-License-Identifier: MIT
#include "kernels/error.h"
#include "tests/fuzz/memory_file.h"
#include "tools/common/config.h"
#include "tools/common/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chorale;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    for (const tools::YamlItem& item : tools::parse_yaml(text, "input")) {
      for (const tools::YamlScalar& value : item.values) {
        const auto again = tools::parse_yaml("key: " + tools::yaml_scalar(value.text) + "\n", "again");
        fuzz::check(again.at(0).values.at(0).text == value.text, "a scalar reads back the same");
      }
    }
    tools::Config config, again;
    config.read_text(text, "input");
    again.read_text(config.dump(), "dump");
    fuzz::check(again.dump() == config.dump(), "a configuration reads back the same");
    config.check();
  } catch (const UsageError& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
