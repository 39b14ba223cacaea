// SPDX-License-Identifier: MIT
// The log of a program: lines on stderr, "warning: ...", "error: ...", plain for information. Results never
// go here.
#pragma once
#include <string>
#include <string_view>

#include "tools/common/text.h"

namespace chorale::tools {

enum class LogLevel { debug, information, warning, error, off };

/// Lines below `level` are dropped. `information` until set.
void set_log_level(LogLevel level);
/// "debug", "info", "warning", "error" or "off"; UsageError on any other word.
LogLevel parse_log_level(std::string_view word);
bool log_enabled(LogLevel level);
/// Writes one line (control characters become spaces), moving a progress bar out of its way. Thread-safe.
void log_line(LogLevel level, std::string_view message);

template <class... Parts>
void log_debug(const Parts&... parts) {
  if (log_enabled(LogLevel::debug)) log_line(LogLevel::debug, concat(parts...));
}
template <class... Parts>
void log_info(const Parts&... parts) {
  if (log_enabled(LogLevel::information)) log_line(LogLevel::information, concat(parts...));
}
template <class... Parts>
void log_warning(const Parts&... parts) {
  if (log_enabled(LogLevel::warning)) log_line(LogLevel::warning, concat(parts...));
}
template <class... Parts>
void log_error(const Parts&... parts) {
  if (log_enabled(LogLevel::error)) log_line(LogLevel::error, concat(parts...));
}

}  // namespace chorale::tools
