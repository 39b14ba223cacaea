// SPDX-License-Identifier: MIT
#include "tools/common/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

#include "tools/common/text.h"

namespace chorale::tools {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto redraw_interval = std::chrono::milliseconds(100);

// Recursive: a log line may be written while a bar is being drawn on the same thread.
std::recursive_mutex mutex;
std::atomic<bool> disabled{false};

void write_stderr(const std::string& text) {
  // A vanished terminal is no reason to fail.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

/// What stands beside the bar.
std::string status_text(std::int64_t done, std::int64_t total, std::string_view unit, double seconds,
                        std::string_view note, std::int64_t earlier) {
  const std::int64_t now = done - earlier;
  const double rate = seconds > 0 ? static_cast<double>(now) / seconds : 0;
  std::string text = total > 0 ? concat(done, '/', total, ' ', unit) : concat(done, ' ', unit);
  if (now > 0) text += concat("  ", format_number(rate, 3), "/s");
  if (now > 0 && total > done)
    text += concat("  ", format_duration(static_cast<double>(total - done) / rate), " left");
  if (!note.empty()) text += concat("  ", note);
  return text;
}

int terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

struct Progress::State {
  std::string label, unit, note;
  std::int64_t total = 0, earlier = 0;
  bool visible = false;
  bool drawn = false;
  std::atomic<std::int64_t> done{0};
  std::atomic<Clock::rep> next_draw{0};
  Clock::time_point start = Clock::now();

  static std::vector<State*> stack;

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start).count(); }
  bool shown() const { return visible && !disabled && !stack.empty() && stack.back() == this; }

  void draw_if_due(bool now) {
    if (!visible || disabled) return;
    const auto time = Clock::now();
    if (!now && time.time_since_epoch().count() < next_draw) return;
    const std::scoped_lock lock(mutex);
    if (!shown()) return;
    next_draw = (time + redraw_interval).time_since_epoch().count();
    write_stderr("\r" + line(label, done, total, unit, seconds(), note, terminal_columns(), earlier) +
                 "\x1b[K");
    drawn = true;
  }

  void clear() {
    if (drawn) write_stderr("\r\x1b[K");
    drawn = false;
  }
};

std::vector<Progress::State*> Progress::State::stack;

Progress::Progress(std::string_view label, std::int64_t total, std::string_view unit, bool force)
    : state_(std::make_unique<State>()) {
  state_->label = label;
  state_->unit = unit;
  state_->total = total;
  state_->visible = force || ::isatty(STDERR_FILENO);
  const std::scoped_lock lock(mutex);
  if (!State::stack.empty()) State::stack.back()->clear();
  State::stack.push_back(state_.get());
  state_->draw_if_due(true);
}

Progress::~Progress() {
  const std::scoped_lock lock(mutex);
  state_->clear();
  std::erase(State::stack, state_.get());
}

void Progress::advance(std::int64_t steps) {
  state_->done += steps;
  state_->draw_if_due(false);
}

void Progress::set(std::int64_t done) {
  state_->done = done;
  state_->draw_if_due(false);
}

void Progress::start_at(std::int64_t done) {
  {
    const std::scoped_lock lock(mutex);
    state_->earlier = done;
    state_->done = done;
    state_->start = Clock::now();
  }
  state_->draw_if_due(true);
}

void Progress::note(std::string_view text) {
  const std::scoped_lock lock(mutex);
  state_->note = text;
}

void Progress::disable() { disabled = true; }

Progress::Pause::Pause() {
  mutex.lock();
  if (!State::stack.empty()) State::stack.back()->clear();
}

Progress::Pause::~Pause() {
  if (!State::stack.empty()) State::stack.back()->draw_if_due(true);
  mutex.unlock();
}

std::string Progress::status() const {
  const std::scoped_lock lock(mutex);
  return status_text(state_->done, state_->total, state_->unit, state_->seconds(), state_->note,
                     state_->earlier);
}

bool Progress::visible() const { return state_->visible && !disabled; }

std::string Progress::line(std::string_view label, std::int64_t done, std::int64_t total,
                           std::string_view unit, double seconds, std::string_view note, int columns,
                           std::int64_t earlier) {
  const std::string status = status_text(done, total, unit, seconds, note, earlier);
  std::string text = concat(label, ' ');
  if (total > 0) {
    const int room = columns - static_cast<int>(text.size() + status.size()) - 4;
    const int width = std::clamp(room, 8, 24);
    const double share = std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
    const int filled = static_cast<int>(share * width);
    text += concat('[', std::string(filled, '#'), std::string(width - filled, '.'), "] ");
  }
  text += status;
  // Labels and notes are ours and plain; a longer line would wrap and could not be redrawn.
  if (static_cast<int>(text.size()) >= columns)
    text.resize(static_cast<std::size_t>(std::max(columns - 1, 0)));
  return text;
}

bool LogPace::due(double seconds) {
  if (seconds < next_) return false;
  constexpr double longest = 300;
  interval_ = std::min(2 * interval_, longest);
  next_ = seconds + interval_;
  return true;
}

}  // namespace chorale::tools
