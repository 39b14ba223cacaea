// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/file.h"

namespace chorale::audio {

/// Bytes `begin` to `end` of a file with a position of their own, for libraries that read through callbacks
/// of C: nothing is thrown, an I/O error ends the file there. Reads go by position, so the file may shrink.
class ByteWindow {
 public:
  ByteWindow(const InputFile& file, std::uint64_t begin, std::uint64_t end)
      : file_(file), begin_(begin), size_(end - begin) {}

  const std::string& path() const { return file_.path(); }
  std::int64_t size() const { return static_cast<std::int64_t>(size_); }
  std::int64_t position() const { return static_cast<std::int64_t>(position_); }
  std::uint64_t begin() const { return begin_; }  ///< in the file
  /// How many bytes there were, fewer than `count` only at the end.
  std::size_t read(void* target, std::size_t count) noexcept;
  /// As lseek: the new position, or -1.
  std::int64_t seek(std::int64_t offset, int whence) noexcept;

 private:
  const InputFile& file_;
  std::uint64_t begin_, size_, position_ = 0;
  std::vector<std::byte> buffer_;  ///< what lies at buffered_at_: libmpg123 asks for single bytes
  std::uint64_t buffered_at_ = 0;
};

}  // namespace chorale::audio
