// SPDX-License-Identifier: MIT
#include "tools/common/options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/error.h"
#include "tools/common/config.h"
#include "tools/common/text.h"

namespace chorale::tools {
namespace {

std::string range_text(const Range& range, bool whole) {
  const auto number = [&](double value) {
    return whole && std::fabs(value) < 9e15 ? std::to_string(static_cast<std::int64_t>(value))
                                            : format_number(value, 9);
  };
  if (std::isfinite(range.low) && std::isfinite(range.high)) {
    return concat(range.above ? "above " : "", number(range.low), range.above ? " to " : "..",
                  number(range.high));
  }
  if (std::isfinite(range.low)) return concat(range.above ? "above " : "at least ", number(range.low));
  if (std::isfinite(range.high)) return concat("at most ", number(range.high));
  return whole ? "a whole number" : "a number";
}

bool in_range(double value, const Range& range) {
  return value <= range.high && (range.above ? value > range.low : value >= range.low);
}

template <class T>
T read_number(std::string_view name, std::string_view text, const Range& range) {
  constexpr bool whole = std::is_integral_v<T>;
  const auto fail = [&](std::string_view problem) {
    throw UsageError(concat(name, ": ", problem, ": ", text, " (allowed ", range_text(range, whole), ")"));
  };
  double value = 0;
  T result{};
  if constexpr (whole) {
    const auto parsed = parse_integer(text);
    if (!parsed) fail("not a whole number");
    if (*parsed < std::numeric_limits<T>::min() || *parsed > std::numeric_limits<T>::max())
      fail("out of range");
    value = static_cast<double>(*parsed);
    result = static_cast<T>(*parsed);
  } else {
    const auto parsed = parse_real(text);
    if (!parsed) fail("not a finite number");
    value = *parsed;
    result = static_cast<T>(*parsed);
    if (!std::isfinite(result)) fail("out of range");
  }
  if (!in_range(value, range)) fail("out of range");
  return result;
}

void check_choice(std::string_view name, const std::string& value, const std::vector<std::string>& choices) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  throw UsageError(
      concat(name, ": unknown value: ", value.empty() ? "''" : value, " (allowed ", join(choices), ")"));
}

std::vector<std::string> split_list(std::string_view name, const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    if (parts.back().empty()) {
      throw UsageError(concat(name, ": empty entry: '", text, "' (allowed a comma-separated list)"));
    }
    begin = end + 1;
  }
  return parts;
}

// CLI11's only part in the layout is the grouping: names, values and defaults are said our way.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(34); }
  std::string make_usage(const CLI::App* app, std::string) const override {
    return concat("Usage: ", app->get_name(), " [options]\n");
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text().empty() ? "" : concat(' ', option->get_option_text());
  }
};

}  // namespace

Option& Option::config(std::string_view key) {
  config_key_ = key;
  return *this;
}

Option& Option::required() {
  required_ = true;
  default_.clear();
  return *this;
}

Option& Option::placeholder(std::string_view name) {
  placeholder_ = name;
  return *this;
}

Option& Option::value_if_bare(std::string_view value) {
  bare_ = value;
  return *this;
}

Option& Option::shown_default(std::string_view text) {
  default_ = text;
  return *this;
}

struct Options::Parser {
  std::string program, summary;

  // The CLI11 application is made when all options are known, once to parse and once for the help.
  std::unique_ptr<CLI::App> make(const std::vector<std::unique_ptr<Option>>& options) const {
    auto app = std::make_unique<CLI::App>(summary, program);
    app->formatter(std::make_shared<HelpFormatter>());
    app->set_help_flag();
    app->allow_extras();
    for (const auto& option : options) {
      std::vector<std::string> remarks;
      if (!option->allowed_.empty()) remarks.push_back(option->allowed_);
      if (option->required_) remarks.push_back("required");
      if (!option->default_.empty()) remarks.push_back("default " + option->default_);
      std::string help = option->help_;
      if (!remarks.empty()) help += concat(" (", join(remarks, "; "), ")");
      CLI::Option* declared = nullptr;
      if (option->switch_) {
        declared = app->add_flag(option->name_, std::as_const(help));
      } else {
        declared = app->add_option(option->name_, option->text_, help);
        declared->option_text(option->bare_.empty() ? option->placeholder_
                                                    : concat('[', option->placeholder_, ']'));
        if (!option->bare_.empty()) declared->expected(0, 1)->default_str(option->bare_);
      }
      declared->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)->group(option->group_);
    }
    return app;
  }
};

Options::Options(std::string program, std::string summary)
    : parser_(std::make_unique<Parser>(Parser{std::move(program), std::move(summary)})) {}

Options::~Options() = default;

Option& Options::declare(std::string_view name, std::string_view help, std::string_view placeholder,
                         std::function<void(const std::string&)> assign) {
  auto option = std::make_unique<Option>();
  option->name_ = name;
  option->help_ = help;
  option->placeholder_ = placeholder;
  option->group_ = group_;
  option->assign_ = std::move(assign);
  options_.push_back(std::move(option));
  return *options_.back();
}

Option& Options::add(std::string_view name, bool* value, std::string_view help) {
  Option& option = declare(name, help, "", [value](const std::string& text) { *value = text == "true"; });
  option.switch_ = true;
  return option;
}

namespace {

template <class T>
std::function<void(const std::string&)> assign_number(std::string name, T* value, Range range) {
  return [name = std::move(name), value, range](const std::string& text) {
    *value = read_number<T>(name, text, range);
  };
}

std::string range_text_or_nothing(const Range& range, bool whole) {
  return std::isfinite(range.low) || std::isfinite(range.high) ? range_text(range, whole) : "";
}

}  // namespace

// One overload for each numeric type; `whole` decides how ranges and defaults are written.
#define CHORALE_ADD_NUMBER(T)                                                                     \
  Option& Options::add(std::string_view name, T* value, std::string_view help, Range range) {     \
    Option& option = declare(name, help, "N", assign_number<T>(std::string(name), value, range)); \
    option.allowed_ = range_text_or_nothing(range, std::is_integral_v<T>);                        \
    option.default_ = concat(*value);                                                             \
    return option;                                                                                \
  }
CHORALE_ADD_NUMBER(int)
CHORALE_ADD_NUMBER(std::int64_t)
CHORALE_ADD_NUMBER(float)
CHORALE_ADD_NUMBER(double)
#undef CHORALE_ADD_NUMBER

Option& Options::add(std::string_view name, std::uint64_t* value, std::string_view help) {
  Option& option = declare(name, help, "N", [name = std::string(name), value](const std::string& text) {
    const auto parsed = parse_unsigned(text);
    if (!parsed) {
      throw UsageError(concat(name, ": not such a number: ", text, " (allowed 0..18446744073709551615)"));
    }
    *value = *parsed;
  });
  option.default_ = std::to_string(*value);
  return option;
}

Option& Options::add(std::string_view name, std::string* value, std::string_view help,
                     std::vector<std::string> choices) {
  const std::string allowed = join(choices, "|");
  Option& option =
      declare(name, help, "TEXT",
              [name = std::string(name), value, choices = std::move(choices)](const std::string& text) {
                check_choice(name, text, choices);
                *value = text;
              });
  option.allowed_ = allowed;
  option.default_ = *value;
  return option;
}

Option& Options::add(std::string_view name, std::vector<std::int64_t>* value, std::string_view help,
                     Range range) {
  Option& option =
      declare(name, help, "N,...", [name = std::string(name), value, range](const std::string& text) {
        value->clear();
        for (const auto& part : split_list(name, text)) {
          value->push_back(read_number<std::int64_t>(name, part, range));
        }
      });
  option.allowed_ = range_text_or_nothing(range, true);
  for (const auto entry : *value) option.default_ += concat(option.default_.empty() ? "" : ",", entry);
  return option;
}

Option& Options::add(std::string_view name, std::vector<std::string>* value, std::string_view help,
                     std::vector<std::string> choices) {
  const std::string allowed = join(choices, "|");
  Option& option =
      declare(name, help, "TEXT,...",
              [name = std::string(name), value, choices = std::move(choices)](const std::string& text) {
                *value = split_list(name, text);
                for (const auto& part : *value) check_choice(name, part, choices);
              });
  option.allowed_ = allowed;
  option.default_ = join(*value, ",");
  return option;
}

Option& Options::add_config(std::string_view name, std::string_view key, std::string_view help) {
  const auto& schema = config_schema();
  const auto row =
      std::find_if(schema.begin(), schema.end(), [&](const ConfigKey& k) { return k.name == key; });
  if (row == schema.end()) throw ContractError(concat("options: no key of the configuration: ", key));
  Option& option = declare(name, help.empty() ? row->help : help, "N", [](const std::string&) {}).config(key);
  const bool whole = !std::holds_alternative<double>(row->initial);
  option.allowed_ = row->choices.empty() ? range_text_or_nothing(row->range, whole) : join(row->choices, "|");
  std::visit(
      [&](const auto& initial) {
        using T = std::decay_t<decltype(initial)>;
        if constexpr (std::is_same_v<T, std::string>) option.placeholder_ = "TEXT";
        if constexpr (std::is_same_v<T, bool>) option.switch_ = true;
        if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
          option.placeholder_ = "N,...";
          for (const auto entry : initial)
            option.default_ += concat(option.default_.empty() ? "" : ",", entry);
        } else if constexpr (!std::is_same_v<T, bool>) {
          option.default_ = concat(initial);
        }
      },
      row->initial);
  return option;
}

void Options::group(std::string_view heading) { group_ = heading; }

void Options::parse(int argc, const char* const* argv) {
  std::vector<std::string> names;
  for (const auto& option : options_) names.push_back(option->name_);

  // `--n_clusters=5` becomes `--n-clusters 5` where that is an option of ours; values stay as they are.
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    std::string name = argument.substr(0, equals);
    std::replace(name.begin(), name.end(), '_', '-');
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end()) {
      arguments.push_back(std::move(argument));
      continue;
    }
    const Option& option = *options_[static_cast<std::size_t>(known - names.begin())];
    const bool takes_value = !option.switch_ && option.bare_.empty();
    if (equals != std::string::npos && !takes_value) {
      arguments.push_back(name + argument.substr(equals));
      continue;
    }
    arguments.push_back(name);
    if (!takes_value) continue;
    if (equals != std::string::npos) {
      arguments.push_back(argument.substr(equals + 1));
    } else if (i + 1 < argc) {
      arguments.push_back(argv[++i]);
    }
  }
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back

  const auto app = parser_->make(options_);
  try {
    app->parse(arguments);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    throw UsageError(concat(what.substr(0, what.find(':')), ": takes one value, none given"));
  } catch (const CLI::ParseError& error) {
    throw UsageError(one_line(error.what()));
  }

  for (const std::string& extra : app->remaining()) {
    if (extra.size() < 2 || extra[0] != '-') {
      throw UsageError(concat(one_line(extra), ": unexpected argument (allowed options only, see --help)"));
    }
    std::string name = extra.substr(0, extra.find('='));
    std::replace(name.begin(), name.end(), '_', '-');
    const std::string nearest = nearest_name(name, names);
    throw UsageError(concat(one_line(extra), ": unknown option (",
                            nearest.empty() ? "see --help" : concat("did you mean ", nearest, "?"), ")"));
  }
  for (const auto& option : options_) {
    const CLI::Option* parsed = app->get_option(option->name_);
    option->given_ = parsed->count() > 0;
    if (option->given_ && !option->switch_ && parsed->results().back().empty() && !option->bare_.empty()) {
      option->text_ = option->bare_;
    }
    if (option->given_ && option->switch_) {  // `--quiet`, `--quiet=false`
      option->text_ = parsed->results().back();
      if (option->text_ != "true" && option->text_ != "false") {
        throw UsageError(
            concat(option->name_, ": not a switch's value: ", option->text_, " (allowed true, false)"));
      }
    }
    if (option->given_) option->assign_(option->text_);
  }
  for (const auto& option : options_)
    if (option->given_ && (option->name_ == "--help" || option->name_ == "--version")) return;
  for (const auto& option : options_) {
    if (option->required_ && !option->given_) throw UsageError(option->name_ + ": required, but not given");
  }
}

bool Options::given(std::string_view name) const {
  for (const auto& option : options_) {
    if (option->name_ == name) return option->given_;
  }
  throw ContractError(concat("options: never declared: ", name));
}

std::vector<ConfigFlag> Options::config_flags() const {
  std::vector<ConfigFlag> flags;
  for (const auto& option : options_) {
    if (!option->given_ || option->config_key_.empty()) continue;
    flags.push_back({option->config_key_, option->text_, option->name_});
  }
  return flags;
}

std::string Options::help() const { return parser_->make(options_)->help(); }

}  // namespace chorale::tools
