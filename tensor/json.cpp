// SPDX-License-Identifier: MIT
#include "tensor/json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "tensor/file.h"

namespace chorale {
namespace {

using nlohmann::json;

// Builds the document from parser events, so that depth and size are checked while they grow.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(JsonLimits limits) : limits_(limits) {}

  json document;
  std::string problem;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return refuse("binary value"); }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name)) return refuse("duplicate key: '" + printable(name, 100) + "'");
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (!problem.empty()) return false;
    if (error.id == 406) return refuse("number out of range near byte " + std::to_string(position));
    return refuse("syntax error near byte " + std::to_string(position));
  }

 private:
  bool refuse(std::string what) {
    problem = std::move(what);
    return false;
  }
  json* place(json&& value) {
    if (open_.empty()) return &(document = std::move(value));
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }
  bool count() {
    if (++values_ <= limits_.max_values) return true;
    return refuse("more than " + std::to_string(limits_.max_values) + " values");
  }
  bool add(json&& value) {
    if (!count()) return false;
    place(std::move(value));
    return true;
  }
  bool open(json&& value) {
    if (!count()) return false;
    if (open_.size() >= limits_.max_depth) {
      return refuse("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  JsonLimits limits_;
  std::size_t values_ = 0;
  // Each points into its parent, which does not grow while the child is open.
  std::vector<json*> open_;
  std::string key_;
};

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& origin, JsonLimits limits) {
  // The parser takes a NUL byte for the end of its input; JSON never holds one.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    throw InputError(printable(origin) + ": malformed JSON: NUL byte at " + std::to_string(nul));
  }
  Builder builder(limits);
  const bool parsed = json::sax_parse(text.begin(), text.end(), &builder);
  if (!parsed) throw InputError(printable(origin) + ": malformed JSON: " + builder.problem);
  return std::move(builder.document);
}

}  // namespace chorale
