// SPDX-License-Identifier: MIT
// The writing half of tensor/file.h. Temporaries are called `.chorale-tmp.<pid>.<n>`: short whatever the
// target is called, and their writer holds a flock on them, so that a cleaner in another pid namespace leaves
// them alone.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "tensor/file.h"

namespace chorale {
namespace {

constexpr std::string_view temporary_prefix = ".chorale-tmp.";
constexpr std::size_t buffer_bytes = std::size_t{1} << 18;
constexpr std::size_t max_transfer = std::size_t{1} << 30;

std::atomic<std::int64_t> failure_countdown{0};
std::atomic<int> failure_error{0};

// True when this call is the one that a test wants to fail; errno is set then.
bool injected() {
  if (failure_countdown.load(std::memory_order_relaxed) <= 0) return false;
  if (failure_countdown.fetch_sub(1) != 1) return false;
  errno = failure_error.load();
  return true;
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw InputError(printable(path) + ": " + what);
}

[[noreturn]] void fail_write(const std::string& path, const std::string& action, int error) {
  switch (error) {
    case ENOSPC:
      fail(path, "disk full: cannot " + action);
    case EDQUOT:
      fail(path, "disk full (quota): cannot " + action);
    case EFBIG:
      fail(path, "file size limit reached: cannot " + action);
    case EROFS:
      fail(path, "file system is read-only: cannot " + action);
    case ENOENT:
      fail(path, "folder does not exist: cannot " + action);
    case ENOTDIR:
      fail(path, "part of the path is not a folder: cannot " + action);
    default:
      fail(path, "cannot " + action + ": " + std::strerror(error));
  }
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The file that a write to `path` replaces: symbolic links followed, kind checked. `mode` is set if it
// exists.
std::string resolve_target(const std::string& path, mode_t* mode) {
  if (path.empty()) throw InputError("cannot write: empty path");
  if (path.find('\0') != std::string::npos) fail(path, "path holds a NUL byte");
  if (path.back() == '/') fail(path, "is a directory (allowed: a file name)");
  struct stat status {};
  std::string target = path;
  if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    if (!real) fail_write(path, "follow the symbolic link", errno);
    target = real.get();
  }
  if (::stat(target.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) fail(path, "is a directory (allowed: a file name)");
    if (!S_ISREG(status.st_mode)) fail(path, "is a device, pipe or socket (allowed: a regular file)");
    *mode = status.st_mode & 07777;
  } else if (errno != ENOENT) {
    fail_write(path, "write", errno);
  }
  return target;
}

void clean_once(const std::string& directory) {
  static std::mutex mutex;
  static std::set<std::string> seen;
  {
    const std::lock_guard lock(mutex);
    if (!seen.insert(directory).second) return;
  }
  remove_stale_temporaries(directory);
}

// After a rename, so that the new name survives a power cut. Some file systems cannot sync a folder (EINVAL).
void sync_directory(const std::string& directory, const std::string& path) {
  const int descriptor = injected() ? -1 : ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail_write(path, "open its folder", errno);
  const int result = injected() ? -1 : ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (result != 0 && error != EINVAL && error != EROFS) fail_write(path, "sync its folder", error);
}

/// "process 4711 on HOST since 2025-01-31T12:00:00Z"
std::string this_process() {
  char host[256] = {}, since[32] = {};
  if (::gethostname(host, sizeof host - 1) != 0) std::strcpy(host, "unknown");
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return "process " + std::to_string(::getpid()) + " on " + host + " since " + since;
}

}  // namespace

void inject_write_failure(std::int64_t n, int error_number) {
  failure_error = error_number;
  failure_countdown = n;
}

AtomicFile::AtomicFile(const std::string& path, Durability durability)
    : path_(path), durability_(durability) {
  static std::atomic<std::uint64_t> counter{0};
  mode_t mode = 0;
  target_ = resolve_target(path, &mode);
  const std::string directory = directory_of(target_);
  clean_once(directory);
  const std::string stem = directory + '/' + std::string(temporary_prefix) + std::to_string(::getpid()) + '.';
  std::string name;
  do {  // the name may be taken by a dead process of the same pid
    name = stem + std::to_string(counter.fetch_add(1));
    descriptor_ = injected() ? -1 : ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
  if (descriptor_ < 0) fail_write(path_, "write", errno);
  temporary_ = std::move(name);
  ::flock(descriptor_, LOCK_EX | LOCK_NB);
  // The old file's permissions stay; where they cannot be kept (another owner's file system) the umask's
  // serve.
  if (mode != 0 && ::fchmod(descriptor_, mode) != 0) errno = 0;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      buffer_(std::exchange(other.buffer_, {})),
      written_(other.written_),
      durability_(other.durability_),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  temporary_.clear();
}

void AtomicFile::write_out(std::uint64_t offset, const char* data, std::size_t bytes) {
  if (descriptor_ < 0)
    throw ContractError("AtomicFile: written after commit or failure: " + printable(path_));
  while (bytes > 0) {
    const ssize_t n =
        injected() ? -1
                   : ::pwrite(descriptor_, data, std::min(bytes, max_transfer), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int error = n < 0 ? errno : ENOSPC;
      discard();
      fail_write(path_, "write", error);
    }
    data += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
}

void AtomicFile::flush() {
  write_out(written_, buffer_.data(), buffer_.size());
  written_ += buffer_.size();
  buffer_.clear();
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  if (descriptor_ < 0)
    throw ContractError("AtomicFile: written after commit or failure: " + printable(path_));
  if (buffer_.size() + bytes > buffer_bytes) flush();
  if (bytes > buffer_bytes) {
    write_out(written_, static_cast<const char*>(data), bytes);
    written_ += bytes;
  } else {
    buffer_.append(static_cast<const char*>(data), bytes);
  }
}

void AtomicFile::write_at(std::uint64_t offset, const void* data, std::size_t bytes) {
  if (descriptor_ < 0)
    throw ContractError("AtomicFile: written after commit or failure: " + printable(path_));
  flush();
  if (offset > written_ || bytes > written_ - offset)
    throw ContractError("AtomicFile: write_at beyond the end");
  write_out(offset, static_cast<const char*>(data), bytes);
}

void AtomicFile::commit() {
  if (descriptor_ < 0)
    throw ContractError("AtomicFile: committed twice or after failure: " + printable(path_));
  flush();
  const auto check = [&](int result, const char* action) {
    if (result == 0) return;
    const int error = errno;
    discard();
    fail_write(path_, action, error);
  };
  if (durability_ == Durability::durable) check(injected() ? -1 : ::fsync(descriptor_), "write to the disk");
  const int closed = ::close(std::exchange(descriptor_, -1));
  check(injected() ? -1 : closed != 0 && errno != EINTR ? -1 : 0, "close");
  check(injected() ? -1 : ::rename(temporary_.c_str(), target_.c_str()), "rename its temporary");
  temporary_.clear();
  if (durability_ == Durability::durable) sync_directory(directory_of(target_), path_);
}

void write_file(const std::string& path, std::string_view content, Durability durability) {
  AtomicFile file(path, durability);
  file.write(content);
  file.commit();
}

int remove_stale_temporaries(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(directory.c_str()), &::closedir);
  if (!folder) return 0;
  int removed = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with(temporary_prefix)) continue;
    long pid = 0;
    const auto parsed =
        std::from_chars(name.data() + temporary_prefix.size(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || parsed.ptr == name.data() + name.size() || *parsed.ptr != '.') continue;
    if (pid <= 0 || pid > INT_MAX) continue;
    if (::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH) continue;
    const int descriptor =
        ::openat(::dirfd(folder.get()), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
        ::unlinkat(::dirfd(folder.get()), entry->d_name, 0) == 0) {
      ++removed;
    }
    ::close(descriptor);
  }
  return removed;
}

void create_directories(const std::string& path) {
  if (path.empty()) throw InputError("cannot create a folder: empty path");
  if (path.find('\0') != std::string::npos) fail(path, "path holds a NUL byte");
  std::size_t end = 0;
  while (end != std::string::npos) {
    end = path.find('/', end + 1);
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0777) == 0) continue;
    const int error = errno;
    struct stat status {};
    const bool exists = ::stat(part.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) continue;
    if (exists) fail(path, "cannot create the folder: " + printable(part) + " is a file");
    fail_write(path, "create the folder", error);
  }
}

void check_writable(const std::string& path) { const AtomicFile probe(path, Durability::fast); }

RunLock::RunLock(const std::string& directory) : path_(directory + "/.lock") {
  for (;;) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (descriptor_ < 0) fail_write(path_, "lock the folder", errno);
    const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    const int error = errno;
    struct stat held {
    }, named{};
    // The holder before us may have removed the file between our open and our lock: then start over.
    const bool same = ::fstat(descriptor_, &held) == 0 && ::stat(path_.c_str(), &named) == 0 &&
                      held.st_ino == named.st_ino && held.st_dev == named.st_dev;
    if (locked && same) break;
    char text[400] = {};
    const ssize_t n = locked ? 0 : ::pread(descriptor_, text, sizeof text - 1, 0);
    ::close(std::exchange(descriptor_, -1));
    if (locked) continue;
    if (error != EWOULDBLOCK) fail_write(path_, "lock the folder", error);
    std::string holder(text, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    holder.erase(std::min(holder.find('\n'), holder.size()));
    fail(path_,
         "another run uses this folder: " + (holder.empty() ? "one that just started" : printable(holder)));
  }
  const std::string holder = this_process() + "\n";
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    const int error = errno;
    ::close(std::exchange(descriptor_, -1));
    fail_write(path_, "write the lock", error);
  }
}

RunLock::~RunLock() {
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace chorale
