// SPDX-License-Identifier: MIT
// A progress bar on stderr with the rate and the time left. It draws only on a terminal and never under
// --quiet; elsewhere a program may log status() when LogPace says so.
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

  /// `done` steps were there before this run began: they are done, and no part of the rate. The clock starts
  /// anew.
  void start_at(std::int64_t done);
  /// Thread-safe and cheap: the bar is drawn at most ten times a second.
  void advance(std::int64_t steps = 1);
  void set(std::int64_t done);
  /// A few words after the bar ("loss 12.3").
  void note(std::string_view text);

  /// "50/200 songs  5/s  30.0 s left  loss 3": what stands beside the bar.
  std::string status() const;
  /// The bar is drawn, for stderr is a terminal.
  bool visible() const;

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

  /// The line for `done` of `total` steps, `earlier` of them from before the `seconds` began, cut to
  /// `columns`; exposed for tests.
  static std::string line(std::string_view label, std::int64_t done, std::int64_t total,
                          std::string_view unit, double seconds, std::string_view note, int columns,
                          std::int64_t earlier = 0);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// When a log that no one watches is due a line about progress: after 10 s, then each time twice as long
/// after the last, at most 5 minutes. A short run stays silent, a day leaves 300 lines.
class LogPace {
 public:
  /// `seconds` since the start; true once for each line.
  bool due(double seconds);

 private:
  double interval_ = 10, next_ = 10;
};

}  // namespace chorale::tools
