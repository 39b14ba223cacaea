// SPDX-License-Identifier: MIT
// Files that survive faults: bounded reading, atomic replacement, the lock of a run folder.
//
// Every function throws InputError with the path when the system refuses. Paths are bytes; a
// std::filesystem::path converts by itself. Messages show paths and names through printable().
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kernels/error.h"

namespace chorale {

/// `text` fit for a one-line message: control and invalid UTF-8 bytes as \xNN, cut with "..." after
/// `max_bytes`.
std::string printable(std::string_view text, std::size_t max_bytes = 300);

bool valid_utf8(std::string_view text);

/// Ignores SIGXFSZ and SIGPIPE, so that a full disk and a closed pipe arrive as errors. Call once from
/// main().
void ignore_file_signals();

/// A regular file opened for reading. Reads go by position through pread, so a file that shrinks meanwhile is
/// an InputError and not SIGBUS. A directory, FIFO or device is refused without blocking.
class InputFile {
 public:
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }  ///< bytes, when it was opened
  /// Fills `target` from byte `offset`. Thread-safe. InputError when the file ends before.
  void read_at(std::uint64_t offset, std::span<std::byte> target) const;
  /// Reads up to target.size() bytes and returns how many there were; fewer only at the end of the file.
  std::size_t read_some(std::uint64_t offset, std::span<std::byte> target) const;

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

/// The whole file. InputError when it holds more than `max_bytes`.
std::string read_file_bounded(const std::string& path, std::uint64_t max_bytes);

enum class Durability : std::uint8_t {
  durable,  ///< fsync before the rename and of the folder after it: survives a power cut
  fast      ///< no fsync: for caches that can be made again
};

/// Writes a file beside its final name and renames it on commit(), so the old file stays whole until the new
/// one is. Without commit() (an exception, say) the temporary is removed. A target that is a symbolic link is
/// followed; one that is a directory or a device is refused. Temporaries that dead processes left in the
/// folder are removed when this process first writes there.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path, Durability durability = Durability::durable);
  ~AtomicFile();
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  AtomicFile& operator=(AtomicFile&&) = delete;

  const std::string& path() const { return path_; }
  void write(const void* data, std::size_t bytes);  ///< appends; buffered
  void write(std::string_view text) { write(text.data(), text.size()); }
  void write_at(std::uint64_t offset, const void* data,
                std::size_t bytes);  ///< rewrites bytes already written
  std::uint64_t size() const { return written_ + buffer_.size(); }
  void commit();  ///< once; InputError ("disk full", ...) leaves the old file as it was

 private:
  void flush();
  void write_out(std::uint64_t offset, const char* data, std::size_t bytes);
  void discard() noexcept;

  std::string path_;       // as the caller named it
  std::string target_;     // symbolic links resolved
  std::string temporary_;  // empty once committed or discarded
  std::string buffer_;
  std::uint64_t written_ = 0;
  Durability durability_;
  int descriptor_ = -1;
};

/// AtomicFile in one call.
void write_file(const std::string& path, std::string_view content,
                Durability durability = Durability::durable);

/// Removes temporaries of AtomicFile in `directory` whose process is gone; returns how many.
int remove_stale_temporaries(const std::string& directory);

/// Makes the folder and its parents.
void create_directories(const std::string& path);

/// Checks before long work that `path` can be written: its folder exists and takes a file, it is no
/// directory.
void check_writable(const std::string& path);

/// Makes the n-th file system call of AtomicFile from now (1 = next: open, write, fsync, close, rename, ...)
/// fail with `error_number`, for tests of full disks; n = 0 turns it off. Process-wide.
void inject_write_failure(std::int64_t n, int error_number);

/// Keeps a second process out of a folder: `<directory>/.lock`, held until destruction and released by the
/// kernel when the process dies, so a lock of a dead process is simply taken over. InputError naming the
/// holder: "process 4711 on HOST since 2025-01-31T12:00:00Z", the content of the file.
class RunLock {
 public:
  explicit RunLock(const std::string& directory);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace chorale
