// SPDX-License-Identifier: MIT
#include "tools/common/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "kernels/audio_frames.h"
#include "kernels/error.h"
#include "tensor/file.h"
#include "tools/common/text.h"
#include "tools/common/yaml.h"

namespace chorale::tools {
namespace {

constexpr std::uint64_t max_config_bytes = 1 << 18;
constexpr std::size_t max_list = 64;

std::string shortest(double value) {
  std::array<char, 32> buffer;
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

std::string range_text(const Range& range) {
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high)
    return concat(range.above ? "above " : "", shortest(range.low), " to ", shortest(range.high));
  if (low) return concat(range.above ? "above " : "at least ", shortest(range.low));
  return high ? concat("at most ", shortest(range.high)) : "any";
}

struct Described {
  std::string type, allowed;
};

Described describe(const ConfigKey& key) {
  switch (key.initial.index()) {
    case 0:
      return {"true or false", "true, false"};
    case 1:
      return {"a whole number", range_text(key.range)};
    case 2:
      return {"a whole number", "0 to 18446744073709551615"};
    case 3:
      return {"a finite number", range_text(key.range)};
    case 4:
      return {"a word", join(key.choices)};
    default:
      return {"a list of whole numbers",
              "1 to " + std::to_string(max_list) + " of them, each " + range_text(key.range)};
  }
}

// One value as it was typed, with what a message about it needs.
class Reader {
 public:
  Reader(const ConfigKey& key, const std::string& where) : key_(key), where_(where) {}

  ConfigValue read(const std::vector<YamlScalar>& values, bool is_list) const {
    if (std::holds_alternative<std::vector<std::int64_t>>(key_.initial)) {
      if (!is_list) refuse("not a list", values.at(0).text);
      if (values.empty()) refuse("empty list", "[]");
      if (values.size() > max_list) refuse("list too long", std::to_string(values.size()) + " entries");
      std::vector<std::int64_t> list;
      for (const YamlScalar& value : values) list.push_back(whole(value));
      return list;
    }
    if (is_list) refuse("not " + describe(key_).type, "a list");
    const YamlScalar& value = values.at(0);
    switch (key_.initial.index()) {
      case 0:
        return boolean(value);
      case 1:
        return whole(value);
      case 2:
        return seed(value);
      case 3:
        return real(value);
      default:
        return text(value);
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& problem, const std::string& seen) const {
    throw UsageError(concat(where_, ": ", problem, ": ", seen.empty() ? "''" : printable(seen, 100),
                            " (allowed ", describe(key_).allowed, ")"));
  }
  bool boolean(const YamlScalar& value) const {
    if (value.quoted || (value.text != "true" && value.text != "false"))
      refuse("not true or false", value.text);
    return value.text == "true";
  }
  // YAML 1.1 reads 010 as octal and YAML 1.2 as ten: neither here.
  static bool is_decimal(const YamlScalar& value) {
    const std::size_t sign = value.text.starts_with('-') ? 1 : 0;
    const bool padded = value.text.size() > sign + 1 && value.text[sign] == '0' &&
                        value.text[sign + 1] >= '0' && value.text[sign + 1] <= '9';
    return !value.quoted && !padded;
  }
  std::int64_t whole(const YamlScalar& value) const {
    const auto parsed = is_decimal(value) ? parse_integer(value.text) : std::nullopt;
    if (!parsed) refuse("not a whole number", value.text);
    check_range(static_cast<double>(*parsed), value.text);
    return *parsed;
  }
  std::uint64_t seed(const YamlScalar& value) const {
    const auto parsed = is_decimal(value) ? parse_unsigned(value.text) : std::nullopt;
    if (!parsed) refuse("not a whole number", value.text);
    return *parsed;
  }
  double real(const YamlScalar& value) const {
    const auto parsed = is_decimal(value) ? parse_real(value.text) : std::nullopt;
    if (!parsed) refuse("not a finite number", value.text);
    check_range(*parsed, value.text);
    return *parsed;
  }
  std::string text(const YamlScalar& value) const {
    if (!key_.choices.empty() &&
        std::find(key_.choices.begin(), key_.choices.end(), value.text) == key_.choices.end()) {
      const std::string nearest = nearest_name(printable(value.text, 100), key_.choices);
      refuse("unknown value" + (nearest.empty() ? "" : ", perhaps " + nearest), value.text);
    }
    return value.text;
  }
  void check_range(double value, const std::string& seen) const {
    const Range& range = key_.range;
    const bool inside = value <= range.high && (range.above ? value > range.low : value >= range.low);
    if (!inside) refuse("out of range", seen);
  }

  const ConfigKey& key_;
  const std::string& where_;
};

[[noreturn]] void refuse_unknown(const YamlItem& item, const std::string& origin) {
  std::vector<std::string> names;
  for (const ConfigKey& key : config_schema()) names.push_back(key.name);
  const std::string seen = printable(item.key, 100);
  std::string nearest;
  for (const std::string& name : names) {  // the right key in the wrong group
    if (name.substr(name.find('.') + 1) == seen.substr(seen.rfind('.') + 1)) nearest = name;
  }
  if (nearest.empty()) nearest = nearest_name(seen, names);
  const std::string allowed = nearest.empty() ? "see configs/config.yaml" : "perhaps " + nearest;
  throw UsageError(concat(printable(origin), ":", item.line, ": unknown key: ", seen, " (", allowed, ")"));
}

std::string written(const ConfigValue& value) {
  struct Writer {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(std::uint64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return shortest(v); }
    std::string operator()(const std::string& v) const { return yaml_scalar(v); }
    std::string operator()(const std::vector<std::int64_t>& v) const {
      std::string out = "[";
      for (std::size_t i = 0; i < v.size(); ++i) out += (i ? ", " : "") + std::to_string(v[i]);
      return out + "]";
    }
  };
  return std::visit(Writer{}, value);
}

}  // namespace

Config::Config() {
  for (const ConfigKey& key : config_schema()) entries_[key.name] = {&key, key.initial, "default"};
}

void Config::read(const std::string& path) { read_text(read_file_bounded(path, max_config_bytes), path); }

void Config::read_text(const std::string& yaml, const std::string& origin) {
  for (const YamlItem& item : parse_yaml(yaml, origin)) {
    const auto found = entries_.find(item.key);
    if (found == entries_.end()) refuse_unknown(item, origin);
    Entry& entry = found->second;
    const std::string line = concat(printable(origin), ":", item.line);
    entry.value = Reader(*entry.key, concat(line, ": ", item.key)).read(item.values, item.is_list);
    entry.origin = line;
  }
}

void Config::set_from_flag(const ConfigFlag& flag) {
  const auto found = entries_.find(flag.key);
  if (found == entries_.end()) throw ContractError("config: no key " + flag.key);
  Entry& entry = found->second;
  const bool is_list = std::holds_alternative<std::vector<std::int64_t>>(entry.key->initial);
  std::vector<YamlScalar> values;
  for (std::size_t begin = 0; begin <= flag.value.size();) {
    const std::size_t end =
        is_list ? std::min(flag.value.find(',', begin), flag.value.size()) : flag.value.size();
    values.push_back({flag.value.substr(begin, end - begin), false});
    begin = end + 1;
  }
  entry.value = Reader(*entry.key, flag.option).read(values, is_list);
  entry.origin = flag.option;
}

void Config::check() const {
  const auto require = [&](bool fine, std::string_view key, const std::string& problem,
                           const std::string& allowed) {
    if (fine) return;
    const Entry& e = entry(key);
    const std::string where = e.origin == "default"        ? std::string(key)
                              : e.origin.starts_with("--") ? e.origin
                                                           : concat(e.origin, ": ", key);
    throw UsageError(concat(where, ": ", problem, ": ", written(e.value), " (allowed ", allowed, ")"));
  };
  const std::int64_t n_fft = integer("features.n_fft"), n_mels = integer("features.n_mels");
  const double half_rate = static_cast<double>(integer("features.sample_rate")) / 2;
  const double fmin = real("features.fmin"),
               fmax = real("features.fmax") > 0 ? real("features.fmax") : half_rate;
  require(transform_size(n_fft), "features.n_fft", "no length of a transform",
          "even, 16 to 16384, no prime factor above 5");
  const std::string to_n_fft = " to n_fft, " + std::to_string(n_fft);
  require(integer("features.hop_length") <= n_fft, "features.hop_length", "longer than a frame",
          "1" + to_n_fft);
  require(integer("features.win_length") <= n_fft, "features.win_length", "longer than a frame",
          "0" + to_n_fft);
  require(n_mels <= 1 + n_fft / 2, "features.n_mels", "more bands than bins",
          "1 to 1 + n_fft / 2, " + std::to_string(1 + n_fft / 2));
  const std::int64_t width = integer("features.delta_width");
  require(width % 2 == 1, "features.delta_width", "even", "an odd number, 3 to 101");
  require(integer("features.delta_order") < width, "features.delta_order", "not below delta_width",
          "1 to " + std::to_string(std::min<std::int64_t>(8, width - 1)));
  require(integer("features.n_mfcc") <= n_mels, "features.n_mfcc", "more coefficients than mel bands",
          "1 to n_mels, " + std::to_string(n_mels));
  require(fmax <= half_rate, "features.fmax", "above half the sample rate", "0 to " + shortest(half_rate));
  const double shortest_window = static_cast<double>(n_fft) / (2 * half_rate);
  require(real("features.window") == 0 || real("features.window") >= shortest_window, "features.window",
          "shorter than n_fft samples", concat("0, or ", shortest(shortest_window), " to 3600"));
  require(boolean("features.center") || real("features.window") > 0 ||
              real("features.duration") >= shortest_window,
          "features.duration", "shorter than n_fft samples, and features.center is false",
          concat(shortest(shortest_window), " to 3600"));
  require(fmin < fmax, "features.fmin", "not below fmax", "0 to below " + shortest(fmax));
}

const Config::Entry& Config::entry(std::string_view key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) throw ContractError(concat("config: no key ", key));
  return found->second;
}

namespace {

template <class T>
const T& typed(const ConfigValue& value, std::string_view key) {
  if (const T* found = std::get_if<T>(&value)) return *found;
  throw ContractError(concat("config: ", key, " is of another type"));
}

}  // namespace

bool Config::boolean(std::string_view key) const { return typed<bool>(entry(key).value, key); }
std::int64_t Config::integer(std::string_view key) const {
  return typed<std::int64_t>(entry(key).value, key);
}
std::uint64_t Config::unsigned_integer(std::string_view key) const {
  return typed<std::uint64_t>(entry(key).value, key);
}
double Config::real(std::string_view key) const { return typed<double>(entry(key).value, key); }
const std::string& Config::text(std::string_view key) const {
  return typed<std::string>(entry(key).value, key);
}
const std::vector<std::int64_t>& Config::integers(std::string_view key) const {
  return typed<std::vector<std::int64_t>>(entry(key).value, key);
}
const std::string& Config::origin(std::string_view key) const { return entry(key).origin; }

std::string Config::dump() const {
  std::string out, group;
  for (const ConfigKey& key : config_schema()) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != group) {
      group = key.name.substr(0, dot);
      out += group + ":\n";
    }
    out += "  " + key.name.substr(dot + 1) + ": " + written(entry(key.name).value) + "\n";
  }
  return out;
}

std::string Config::value_text(std::string_view key) const { return written(entry(key).value); }

}  // namespace chorale::tools
