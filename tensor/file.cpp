// SPDX-License-Identifier: MIT
#include "tensor/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace chorale {
namespace {

// Linux transfers at most 0x7ffff000 bytes a call.
constexpr std::size_t max_transfer = std::size_t{1} << 30;

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw InputError(printable(path) + ": " + what);
}

[[noreturn]] void fail_errno(const std::string& path, const std::string& what, int error) {
  fail(path, what + ": " + std::strerror(error));
}

// Length of the valid UTF-8 sequence at the start of `s`, or 0.
std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t n = lead >= 0xf0 && lead <= 0xf4  ? 4
                        : lead >= 0xe0 && lead < 0xf0 ? 3
                        : lead >= 0xc2 && lead < 0xe0 ? 2
                                                      : 0;
  if (n == 0 || s.size() < n) return 0;
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool outside = (lead == 0xed && byte(1) > 0x9f) || (lead == 0xf4 && byte(1) > 0x8f);
  return overlong || outside ? 0 : n;
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    const auto c = static_cast<unsigned char>(text[0]);
    // U+0080..U+009F are control characters too.
    const bool control =
        c < 0x20 || c == 0x7f || (n == 2 && c == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    const std::size_t step = std::max<std::size_t>(n, 1);
    if (out.size() + (n == 0 || control ? 4 * step : step) > max_bytes) return out + "...";
    if (n == 0 || control) {
      for (std::size_t i = 0; i < step; ++i) {
        const auto b = static_cast<unsigned char>(text[i]);
        out += {'\\', 'x', digits[b >> 4], digits[b & 15]};
      }
    } else {
      out.append(text.substr(0, n));
    }
    text.remove_prefix(step);
  }
  return out;
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

void ignore_file_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  sigaction(SIGXFSZ, &action, nullptr);
  sigaction(SIGPIPE, &action, nullptr);
}

InputFile::InputFile(const std::string& path) : path_(path) {
  if (path.empty()) throw InputError("cannot open: empty path");
  if (path.find('\0') != std::string::npos) fail(path, "path holds a NUL byte");
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  do {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) fail_errno(path, "cannot open", errno);
  struct stat status {};
  std::string problem;
  if (::fstat(descriptor_, &status) != 0) {
    problem = std::string("cannot read its size: ") + std::strerror(errno);
  } else if (S_ISDIR(status.st_mode)) {
    problem = "is a directory (allowed: a regular file)";
  } else if (!S_ISREG(status.st_mode)) {
    problem = "is a device, pipe or socket (allowed: a regular file)";
  }
  if (!problem.empty()) {
    ::close(std::exchange(descriptor_, -1));
    fail(path, problem);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), size_(other.size_), descriptor_(std::exchange(other.descriptor_, -1)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(size_, other.size_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::size_t InputFile::read_some(std::uint64_t offset, std::span<std::byte> target) const {
  std::size_t done = 0;
  while (done < target.size()) {
    const ssize_t n = ::pread(descriptor_, target.data() + done, std::min(target.size() - done, max_transfer),
                              static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(path_, "cannot read", errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> target) const {
  const std::size_t n = read_some(offset, target);
  if (n == target.size()) return;
  fail(path_, "truncated: ends at byte " + std::to_string(offset + n) + " (needed " +
                  std::to_string(offset + target.size()) + ")");
}

std::string read_file_bounded(const std::string& path, std::uint64_t max_bytes) {
  const InputFile file(path);
  const auto too_large = [&](const std::string& size) {
    fail(path, "too large: " + size + " bytes (allowed at most " + std::to_string(max_bytes) + ")");
  };
  if (file.size() > max_bytes) too_large(std::to_string(file.size()));
  // Files of /proc say 0 and hold more, and a file may grow: read until it ends.
  std::string text;
  for (;;) {
    const std::size_t old = text.size();
    const std::uint64_t known = file.size() > old ? file.size() - old : 0;
    const std::size_t step = static_cast<std::size_t>(std::max<std::uint64_t>(known, 4096));
    text.resize(old + step);
    const std::size_t n = file.read_some(old, std::as_writable_bytes(std::span(text).subspan(old)));
    text.resize(old + n);
    if (text.size() > max_bytes) too_large("more than " + std::to_string(max_bytes));
    if (n < step) return text;
  }
}

}  // namespace chorale
