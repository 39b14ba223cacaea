// SPDX-License-Identifier: MIT
// A progress bar on stderr with the rate and the time left. It draws only on a terminal and never under
// --quiet.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace chorale::tools {

class Progress {
 public:
  /// `total` steps of `unit` ("songs", "steps"); total <= 0: unknown, only a count is shown. One bar is shown
  /// at a time, the newest. `force` draws without a terminal (tests).
  Progress(std::string_view label, std::int64_t total, std::string_view unit, bool force = false);
  ~Progress();  ///< clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Thread-safe and cheap: the bar is drawn at most ten times a second.
  void advance(std::int64_t steps = 1);
  void set(std::int64_t done);
  /// A few words after the bar ("loss 12.3").
  void note(std::string_view text);

  /// No bar from now on (--quiet).
  static void disable();

  /// While it lives, the line of the bar is free for other output.
  class Pause {
   public:
    Pause();
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
  };

  /// The line for `done` of `total` steps after `seconds`, cut to `columns`; exposed for tests.
  static std::string line(std::string_view label, std::int64_t done, std::int64_t total,
                          std::string_view unit, double seconds, std::string_view note, int columns);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chorale::tools
