// SPDX-License-Identifier: MIT
#include "tools/common/log.h"

#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cstdio>
#include <memory>

#include "kernels/error.h"
#include "tools/common/progress.h"

namespace chorale::tools {
namespace {

constexpr std::array<spdlog::level::level_enum, 5> spdlog_levels{
    spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err, spdlog::level::off};

spdlog::logger& logger() {
  // Never destroyed: destructors of statics may still log.
  static spdlog::logger& instance = *[] {
    auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(spdlog::color_mode::never);
    auto* made = new spdlog::logger("chorale", std::move(sink));
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return instance;
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(spdlog_levels[static_cast<int>(level)]); }

LogLevel parse_log_level(std::string_view word) {
  static constexpr std::array<std::string_view, 5> words{"debug", "info", "warning", "error", "off"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (word == words[i]) return static_cast<LogLevel>(i);
  }
  throw UsageError(
      concat("--log-level: unknown value: ", word, " (allowed debug, info, warning, error, off)"));
}

bool log_enabled(LogLevel level) { return logger().should_log(spdlog_levels[static_cast<int>(level)]); }

void log_line(LogLevel level, std::string_view message) {
  static constexpr std::array<std::string_view, 5> prefixes{"debug: ", "", "warning: ", "error: ", ""};
  const std::string line = one_line(message);
  const Progress::Pause pause;
  std::fflush(stdout);  // results printed so far come before the line, also where both go into one file
  logger().log(spdlog_levels[static_cast<int>(level)], "{}{}", prefixes[static_cast<int>(level)], line);
}

}  // namespace chorale::tools
