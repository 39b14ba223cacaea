// SPDX-License-Identifier: MIT
// Command-line options of a program, declared against the variables that take their values.
//
//   options.add("--epochs", &epochs, "passes over the training songs", {1, 100000}).config("train.epochs");
//   options.add("--format", &format, "file format", {"wav", "flac", "mp3"});
//   options.add("--resume", &resume, "go on from the last checkpoint");
//
// A variable's value before parsing is its default. Long options take hyphens or underscores alike, `--name
// value` or
// `--name=value`; given twice, the last one counts.
#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chorale::tools {

/// What a number may be; both ends are allowed unless `above` says that `low` itself is not.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above = false;
};

/// An option given on the command line that stands for a key of the YAML configuration, over whose file it
/// wins.
struct ConfigFlag {
  std::string key;     ///< "train.epochs"
  std::string value;   ///< as typed; "true" or "false" for a switch
  std::string option;  ///< "--epochs", for error messages
};

class Option {
 public:
  /// The key of the configuration that the option stands for.
  Option& config(std::string_view key);
  /// UsageError when it is not given.
  Option& required();
  /// What `--help` calls the value ("DIR"); "N" for numbers and "TEXT" otherwise.
  Option& placeholder(std::string_view name);
  /// The value taken when the option stands without one (`--resume` for `--resume auto`).
  Option& value_if_bare(std::string_view value);
  /// What `--help` shows as the default, for options whose default the configuration decides.
  Option& shown_default(std::string_view text);

 private:
  friend class Options;
  std::string name_, help_, placeholder_, default_, allowed_, config_key_, bare_, group_;
  bool switch_ = false, required_ = false, given_ = false;
  std::string text_;
  std::function<void(const std::string&)> assign_;
};

class Options {
 public:
  Options(std::string program, std::string summary);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  /// A switch: `--quiet`, or `--quiet=false`.
  Option& add(std::string_view name, bool* value, std::string_view help);
  Option& add(std::string_view name, int* value, std::string_view help, Range range = {});
  Option& add(std::string_view name, std::int64_t* value, std::string_view help, Range range = {});
  Option& add(std::string_view name, std::uint64_t* value, std::string_view help);
  Option& add(std::string_view name, float* value, std::string_view help, Range range = {});
  Option& add(std::string_view name, double* value, std::string_view help, Range range = {});
  /// `choices` empty: any text.
  Option& add(std::string_view name, std::string* value, std::string_view help,
              std::vector<std::string> choices = {});
  /// A comma-separated list, not empty.
  Option& add(std::string_view name, std::vector<std::int64_t>* value, std::string_view help,
              Range range = {});
  Option& add(std::string_view name, std::vector<std::string>* value, std::string_view help,
              std::vector<std::string> choices = {});
  /// A flag that stands for a key of the configuration and has no variable here; `help`, range and default
  /// are the schema's. ContractError when there is no such key.
  Option& add_config(std::string_view name, std::string_view key, std::string_view help = "");
  /// Options added from here on stand under this heading in `--help`.
  void group(std::string_view heading);

  /// Reads the command line into the variables. UsageError names the option, the value seen and what is
  /// allowed.
  void parse(int argc, const char* const* argv);
  /// True if the option stood on the command line.
  bool given(std::string_view name) const;
  /// The options given that stand for keys of the configuration, in the order of their declaration.
  std::vector<ConfigFlag> config_flags() const;
  std::string help() const;

 private:
  struct Parser;
  Option& declare(std::string_view name, std::string_view help, std::string_view placeholder,
                  std::function<void(const std::string&)> assign);

  std::vector<std::unique_ptr<Option>> options_;
  std::string group_ = "Options";
  std::unique_ptr<Parser> parser_;
};

}  // namespace chorale::tools
