// SPDX-License-Identifier: MIT
// The configuration of a run: typed keys with defaults and allowed ranges (tools/common/schema.cpp), a strict
// YAML file over the defaults, command-line flags over both.
//
//   Config config;
//   if (!common.config.empty()) config.read(common.config);
//   for (const ConfigFlag& flag : options.config_flags()) config.set_from_flag(flag);
//   config.check();
//   const double rate = config.real("training.learning_rate");
//
// The file is a plain subset of YAML: groups of keys, scalars and lists of numbers. Unknown and duplicate
// keys, anchors, aliases, tags, tabs, quoted numbers, and whatever the key's type does not allow (`no` as a
// boolean, 0x10, 1e400, nan) are UsageErrors that name file and line. Numbers use a point whatever the
// locale.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tools/common/options.h"

namespace chorale::tools {

using ConfigValue =
    std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<std::int64_t>>;

/// One row of the schema. The alternative that `initial` holds is the key's type.
struct ConfigKey {
  std::string name;  ///< "training.learning_rate"
  ConfigValue initial;
  std::string help;                       ///< one line
  Range range = {};                       ///< of numbers, of each entry of a list
  std::vector<std::string> choices = {};  ///< of texts; empty: any
};

/// All keys, group by group.
const std::vector<ConfigKey>& config_schema();

class Config {
 public:
  /// Every key at its default.
  Config();

  /// Takes the keys of a YAML file. InputError when it cannot be read, UsageError `file:line: ...` on its
  /// content.
  void read(const std::string& path);
  /// The same for a text; `origin` stands for the file in messages.
  void read_text(const std::string& yaml, const std::string& origin);
  /// Takes the text of a flag; lists are comma-separated. UsageError naming the option.
  void set_from_flag(const ConfigFlag& flag);
  /// The rules that join several keys (hop_length <= n_fft, fmin < fmax, ...). Call once all values are set.
  void check() const;

  // The value of a key; ContractError when there is no such key or it is of another type.
  bool boolean(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  std::uint64_t unsigned_integer(std::string_view key) const;
  double real(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  const std::vector<std::int64_t>& integers(std::string_view key) const;

  /// The value of any key as dump() writes it.
  std::string value_text(std::string_view key) const;

  /// Where the value came from: "default", "configs/config.yaml:12" or "--epochs".
  const std::string& origin(std::string_view key) const;
  /// True if a file or a flag set the key.
  bool given(std::string_view key) const { return origin(key) != "default"; }

  /// The effective configuration as YAML that read() takes back to the same values; equal configurations give
  /// equal texts.
  std::string dump() const;

 private:
  struct Entry {
    const ConfigKey* key;
    ConfigValue value;
    std::string origin;
  };
  const Entry& entry(std::string_view key) const;

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace chorale::tools
