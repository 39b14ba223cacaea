// SPDX-License-Identifier: MIT
// yaml-cpp's parser gives events; its Node API would take duplicate keys, expand aliases and recurse by
// itself.
#include "tools/common/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "tensor/file.h"
#include "tools/common/text.h"

namespace chorale::tools {
namespace {

constexpr std::size_t max_depth = 4;
constexpr std::size_t max_values = 10000;
constexpr std::size_t max_bracket_depth = 100;

class Collector : public YAML::EventHandler {
 public:
  explicit Collector(const std::string& origin) : origin_(origin) {}

  std::vector<YamlItem> items;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (levels_.empty()) return;  // an empty file
    check(mark, "", anchor);
    if (levels_.back().expects_key) fail(mark, "empty key");
    throw UsageError(concat(printable(origin_), ":", levels_.back().line, ": no value for ", path()));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "anchors and aliases are not allowed");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(mark, tag, anchor);
    if (levels_.empty()) fail(mark, "not a mapping (allowed: groups of `key: value`)");
    if (list_open_) {
      items.back().values.push_back({value, tag == "!"});
    } else if (levels_.back().expects_key) {
      start_key(mark, value);
    } else {
      items.push_back({full_path(), {{value, tag == "!"}}, false, levels_.back().line});
      levels_.back().expects_key = true;
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    if (levels_.empty() || levels_.back().expects_key) fail(mark, "a list stands where a key is expected");
    if (list_open_) fail(mark, path() + ": list within a list");
    items.push_back({full_path(), {}, true, levels_.back().line});
    list_open_ = true;
  }
  void OnSequenceEnd() override {
    list_open_ = false;
    levels_.back().expects_key = true;
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check(mark, tag, anchor);
    if (list_open_) fail(mark, path() + ": mapping within a list");
    if (!levels_.empty() && levels_.back().expects_key)
      fail(mark, "a mapping stands where a key is expected");
    if (levels_.size() == max_depth)
      fail(mark, "nested deeper than " + std::to_string(max_depth) + " levels");
    levels_.push_back({});
  }
  void OnMapEnd() override {
    levels_.pop_back();
    if (!levels_.empty()) levels_.back().expects_key = true;
  }

 private:
  struct Level {
    std::string key;
    int line = 0;
    bool expects_key = true;
  };

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& what) const {
    throw UsageError(concat(printable(origin_), ":", mark.line + 1, ": ", what));
  }
  // Plain scalars carry the tag "?" and quoted ones "!"; collections in plain style "?".
  void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) fail(mark, "anchors and aliases are not allowed");
    if (!tag.empty() && tag != "?" && tag != "!") fail(mark, "tags are not allowed: " + printable(tag, 100));
    if (++values_ > max_values) fail(mark, concat("more than ", max_values, " values"));
  }
  void start_key(const YAML::Mark& mark, const std::string& key) {
    levels_.back().key = key;
    levels_.back().line = mark.line + 1;
    levels_.back().expects_key = false;
    const auto [position, added] = lines_.try_emplace(full_path(), mark.line + 1);
    if (!added) fail(mark, concat("duplicate key: ", path(), " (first on line ", position->second, ")"));
  }
  std::string full_path() const {
    std::string path;
    for (const Level& level : levels_) path += (path.empty() ? "" : ".") + level.key;
    return path;
  }
  std::string path() const { return printable(full_path(), 200); }

  const std::string& origin_;
  std::vector<Level> levels_;
  std::map<std::string, int> lines_;
  bool list_open_ = false;
  std::size_t values_ = 0;
};

// What yaml-cpp reads too kindly, or too deep for its recursion.
void check_characters(const std::string& text, const std::string& origin) {
  if (!valid_utf8(text)) throw UsageError(printable(origin) + ": not valid UTF-8");
  int line = 1;
  std::size_t brackets = 0;
  const auto fail = [&](const std::string& what) {
    throw UsageError(concat(printable(origin), ":", line, ": ", what));
  };
  for (const char c : text) {
    if (c == '\n') ++line;
    if (c == '\t') fail("tab character (allowed: spaces)");
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r') || c == 0x7f)
      fail("control character");
    if ((c == '[' || c == '{') && ++brackets > max_bracket_depth) fail("too many brackets");
  }
}

}  // namespace

std::vector<YamlItem> parse_yaml(const std::string& text, const std::string& origin) {
  check_characters(text, origin);
  std::istringstream stream(text);
  Collector collector(origin);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(collector);
    std::vector<YamlItem> items = std::move(collector.items);
    Collector second(origin);
    if (parser.HandleNextDocument(second)) {
      throw UsageError(concat(printable(origin), ": more than one YAML document"));
    }
    return items;
  } catch (const YAML::Exception& error) {
    throw UsageError(
        concat(printable(origin), ":", error.mark.line + 1, ": malformed YAML: ", printable(error.msg)));
  }
}

std::string yaml_scalar(const std::string& text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./";
  const bool is_plain = !text.empty() && text.find_first_not_of(plain) == std::string::npos;
  if (is_plain && text != "null" && text != "Null" && text != "NULL") return text;
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace chorale::tools
