// SPDX-License-Identifier: MIT
// The subset of YAML that configurations use, as a flat list of keys.
#pragma once
#include <string>
#include <vector>

namespace chorale::tools {

struct YamlScalar {
  std::string text;
  bool quoted = false;
};

struct YamlItem {
  std::string key;  ///< "training.epochs"
  std::vector<YamlScalar> values;
  bool is_list = false;
  int line = 0;  ///< of the key, from 1
};

/// Nested mappings whose leaves are scalars or lists of scalars, in the order of the file. UsageError
/// `origin:line: ...` on a syntax error, tab, duplicate key, anchor, alias, tag, second document, missing
/// value, or deeper nesting.
std::vector<YamlItem> parse_yaml(const std::string& text, const std::string& origin);

/// `text` as a double-quoted YAML scalar, or plain if that reads back the same.
std::string yaml_scalar(const std::string& text);

}  // namespace chorale::tools
