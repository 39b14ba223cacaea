// SPDX-License-Identifier: MIT
#include "audio/byte_window.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>

namespace chorale::audio {

std::size_t ByteWindow::read(void* target, std::size_t count) noexcept try {
  constexpr std::size_t block = 1 << 16;
  const std::size_t wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - std::min(size_, position_)));
  auto* out = static_cast<std::byte*>(target);
  std::size_t done = 0;
  while (done < wanted) {
    if (position_ < buffered_at_ || position_ >= buffered_at_ + buffer_.size()) {
      if (wanted - done >= block) {  // large reads need no copy
        const std::size_t got = file_.read_some(begin_ + position_, {out + done, wanted - done});
        position_ += got;
        return done + got;
      }
      buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(block, size_ - position_)));
      buffered_at_ = position_;
      buffer_.resize(file_.read_some(begin_ + position_, buffer_));
      if (buffer_.empty()) break;
    }
    const auto from = static_cast<std::size_t>(position_ - buffered_at_);
    const std::size_t n = std::min(wanted - done, buffer_.size() - from);
    std::memcpy(out + done, buffer_.data() + from, n);
    done += n;
    position_ += n;
  }
  return done;
} catch (const std::exception&) {
  buffer_.clear();
  return 0;
}

std::int64_t ByteWindow::seek(std::int64_t offset, int whence) noexcept {
  const std::int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position() : size();
  if (offset < -base || offset > std::numeric_limits<std::int64_t>::max() - base) return -1;
  position_ = static_cast<std::uint64_t>(base + offset);
  return position();
}

}  // namespace chorale::audio
