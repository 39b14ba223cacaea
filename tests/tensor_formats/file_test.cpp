// SPDX-License-Identifier: MIT
// Faults of files and folders: full disks, wrong kinds of file, killed writers, concurrent runs.
#include "tensor/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "tests/harness/temporary_folder.h"

namespace chorale {
namespace {

using testing::message_of;
using testing::slurp;
using testing::TemporaryFolder;

// Runs `body` in a child process and returns its exit status as waitpid gives it.
template <class Body>
int in_child(Body&& body) {
  const pid_t child = fork();
  if (child == 0) {
    int code = 99;
    try {
      code = body();
    } catch (const Error& error) {
      code = error.exit_code();
    } catch (...) {
    }
    _exit(code);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

pid_t dead_process() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return child;
}

TEST(Printable, EscapesControlAndInvalidBytes) {
  EXPECT_EQ(printable("a/b.wav"), "a/b.wav");
  EXPECT_EQ(printable("a\nb\x1b[0m\x7f"), "a\\x0ab\\x1b[0m\\x7f");
  EXPECT_EQ(printable("গান"), "গান");
  EXPECT_EQ(printable("\xff\xc0\xaf\xed\xa0\x80"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xe0\xa6"), "\\xe0\\xa6");
  EXPECT_EQ(printable("\xc2\x85"), "\\xc2\\x85");
  EXPECT_EQ(printable(std::string(1000, 'x'), 10), std::string(10, 'x') + "...");
}

TEST(ValidUtf8, AcceptsOnlyShortestFormsOfScalarValues) {
  for (const char* text : {"", "plain", "é গান 𝄞", "\xf4\x8f\xbf\xbf", "\xee\x80\x80"})
    EXPECT_TRUE(valid_utf8(text)) << text;
  for (const char* text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe0\xa6", "\xe0\xa6 "}) {
    EXPECT_FALSE(valid_utf8(text)) << printable(text);
  }
}

TEST(InputFile, RefusesWhatIsNoRegularFile) {
  const TemporaryFolder folder;
  EXPECT_MENTIONS(message_of<InputError>([&] { InputFile f(folder / "none"); }), "No such file");
  EXPECT_MENTIONS(message_of<InputError>([&] { InputFile f(folder.path()); }), "is a directory");
  EXPECT_MENTIONS(message_of<InputError>([] { InputFile f("/dev/zero"); }), "device, pipe or socket");
  ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_MENTIONS(message_of<InputError>([&] { InputFile f(folder / "fifo"); }), "device, pipe or socket");
  std::filesystem::create_symlink(folder / "b", folder / "a");
  std::filesystem::create_symlink(folder / "a", folder / "b");
  EXPECT_MENTIONS(message_of<InputError>([&] { InputFile f(folder / "a"); }), "symbolic links");
  EXPECT_MENTIONS(message_of<InputError>([&] { InputFile f(folder / std::string(300, 'x')); }), "too long");
  EXPECT_MENTIONS(message_of<InputError>([&] { InputFile f(std::string("a\0b", 3)); }), "NUL");
  EXPECT_MENTIONS(message_of<InputError>([] { InputFile f(""); }), "empty path");
}

TEST(InputFile, UnreadableFileIsNamed) {
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  const std::string path = folder.file("secret", "x");
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  const int status = in_child([&] {
    if (geteuid() == 0 && seteuid(65534) != 0) return 98;
    InputFile file(path);
    return 0;
  });
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(InputFile, FileThatShrinksIsAnErrorNotASignal) {
  const TemporaryFolder folder;
  const std::string path = folder.file("data", std::string(100000, 'x'));
  const InputFile file(path);
  std::filesystem::resize_file(path, 10);
  std::vector<std::byte> buffer(100000);
  const std::string message = message_of<InputError>([&] { file.read_at(0, buffer); });
  EXPECT_MENTIONS(message, "truncated: ends at byte 10 (needed 100000)");
  EXPECT_MENTIONS(message, path);
}

TEST(ReadFileBounded, RefusesMoreThanAllowed) {
  const TemporaryFolder folder;
  const std::string path = folder.file("data", "12345");
  EXPECT_EQ(read_file_bounded(path, 5), "12345");
  EXPECT_MENTIONS(message_of<InputError>([&] { read_file_bounded(path, 4); }),
                  "too large: 5 bytes (allowed at most 4)");
  EXPECT_EQ(read_file_bounded(folder.file("empty", ""), 4), "");
  // A file that says 0 bytes and holds more.
  EXPECT_FALSE(read_file_bounded("/proc/self/status", 1 << 20).empty());
  EXPECT_MENTIONS(message_of<InputError>([] { read_file_bounded("/proc/self/status", 10); }), "too large");
}

TEST(AtomicFile, ReplacesOnCommitOnly) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out", "old");
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  {
    AtomicFile file(path);
    file.write("new");
    EXPECT_EQ(file.size(), 3u);
    EXPECT_EQ(slurp(path), "old");
  }
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(folder.entries(), 1);
  AtomicFile file(path);
  const std::string large(1 << 20, 'y');
  file.write("head");
  file.write(large);
  file.write_at(0, "HEAD", 4);
  file.commit();
  EXPECT_EQ(slurp(path), "HEAD" + large);
  EXPECT_EQ(folder.entries(), 1);
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
  EXPECT_THROW(file.write("x"), ContractError);
  EXPECT_THROW(file.commit(), ContractError);
}

TEST(AtomicFile, MovedFromFileLeavesTheTemporaryAlone) {
  const TemporaryFolder folder;
  AtomicFile first(folder / "out");
  first.write("kept");
  AtomicFile second(std::move(first));
  second.commit();
  EXPECT_EQ(slurp(folder / "out"), "kept");
}

TEST(AtomicFile, FollowsSymbolicLinks) {
  const TemporaryFolder folder, other;
  other.file("real", "old");
  std::filesystem::create_symlink(other / "real", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(slurp(other / "real"), "new");
}

TEST(AtomicFile, RefusesTargetsThatCannotBeReplaced) {
  const TemporaryFolder folder;
  const auto refusal = [](const std::string& path) {
    return message_of<InputError>([&] { check_writable(path); });
  };
  EXPECT_MENTIONS(refusal(folder / "none/out"), "folder does not exist");
  EXPECT_MENTIONS(refusal(folder.path()), "is a directory");
  EXPECT_MENTIONS(refusal(folder / "x/"), "is a directory");
  EXPECT_MENTIONS(refusal("/dev/null"), "device, pipe or socket");
  EXPECT_MENTIONS(refusal(folder.file("file", "") + "/out"), "not a folder");
  EXPECT_MENTIONS(refusal(folder / std::string(300, 'x')), "too long");
  EXPECT_MENTIONS(refusal(""), "empty path");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  check_writable(folder / "fine");
  EXPECT_FALSE(std::filesystem::exists(folder / "fine"));
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFile, ReadOnlyFolderIsNamed) {
  const TemporaryFolder folder;
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  const int status = in_child([&] {
    if (geteuid() == 0 && seteuid(65534) != 0) return 98;
    check_writable(folder / "out");
    return 0;
  });
  EXPECT_EQ(WEXITSTATUS(status), 3);
  chmod(folder.path().c_str(), 0755);
}

// A full disk at every single system call of a write: the old file stays, no temporary is left, the error
// says why.
TEST(AtomicFile, DiskFullAtEveryStepKeepsTheOldFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out", "old");
  const std::string large(600000, 'y');
  int failures = 0;
  for (int n = 1;; ++n) {
    inject_write_failure(n, ENOSPC);
    std::string message;
    try {
      AtomicFile file(path);
      file.write("small");
      file.write(large);
      file.write("tail");
      file.commit();
    } catch (const InputError& error) {
      message = error.what();
    }
    inject_write_failure(0, 0);
    EXPECT_EQ(folder.entries(), 1) << "step " << n;
    if (message.empty()) break;
    ++failures;
    EXPECT_MENTIONS(message, "disk full");
    EXPECT_MENTIONS(message, path);
    const std::string now = slurp(path);
    // Once the rename is done the new file is complete; only the folder's sync may still fail.
    EXPECT_TRUE(now == "old" || now == "small" + large + "tail")
        << "step " << n << ": " << now.size() << " bytes";
    if (now != "old") {
      EXPECT_MENTIONS(message, "folder");
    }
  }
  // open, three writes, fsync, close, rename, open and fsync of the folder
  EXPECT_EQ(failures, 9);
}

TEST(AtomicFile, FileSizeLimitArrivesAsAnError) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out", "old");
  const int status = in_child([&] {
    ignore_file_signals();
    const rlimit limit{1 << 16, 1 << 16};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 98;
    write_file(path, std::string(1 << 20, 'y'));
    return 0;
  });
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFile, RealFullDisk) {
  const TemporaryFolder folder;
  if (mount("none", folder.path().c_str(), "tmpfs", 0, "size=128k") != 0) {
    GTEST_SKIP() << "mounting a small file system is not allowed here: " << std::strerror(errno);
  }
  folder.file("out", "old");
  const std::string message =
      message_of<InputError>([&] { write_file(folder / "out", std::string(1 << 20, 'y')); });
  EXPECT_MENTIONS(message, "disk full");
  EXPECT_EQ(slurp(folder / "out"), "old");
  EXPECT_EQ(folder.entries(), 1);
  umount(folder.path().c_str());
}

TEST(AtomicFile, KilledWriterLeavesTheOldFileAndIsCleanedUp) {
  const TemporaryFolder folder;
  const std::string path = folder.file("out", "old");
  const int status = in_child([&]() -> int {
    AtomicFile file(path);
    file.write(std::string(1 << 20, 'y'));
    raise(SIGKILL);
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(slurp(path), "old");
  EXPECT_EQ(folder.entries(), 2);
  AtomicFile living(path);
  EXPECT_EQ(folder.entries(), 2) << "the dead process's temporary went, the living one's is there";
  EXPECT_EQ(remove_stale_temporaries(folder.path()), 0);
  living.write("new");
  living.commit();
  EXPECT_EQ(slurp(path), "new");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(AtomicFile, OnlyOwnTemporariesAreCleaned) {
  const TemporaryFolder folder;
  const std::string pid = std::to_string(dead_process());
  folder.file(".chorale-tmp." + pid + ".0", "x");
  for (const char* name :
       {".chorale-tmp.", ".chorale-tmp.x.0", ".chorale-tmp.99999999999999999999.0", "song.tmp"}) {
    folder.file(name, "x");
  }
  folder.file(".chorale-tmp." + std::to_string(getppid()) + ".0", "x");
  EXPECT_EQ(remove_stale_temporaries(folder.path()), 1);
  EXPECT_EQ(folder.entries(), 5);
  EXPECT_EQ(remove_stale_temporaries(folder / "none"), 0);
}

TEST(AtomicFile, ManyThreadsOneFolder) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        write_file(folder / ("f" + std::to_string(t)), std::to_string(i), Durability::fast);
        write_file(folder / "shared", std::string(1000, static_cast<char>('a' + t)), Durability::fast);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 4; ++t) EXPECT_EQ(slurp(folder / ("f" + std::to_string(t))), "19");
  const std::string shared = slurp(folder / "shared");
  EXPECT_EQ(shared, std::string(1000, shared[0]));
  EXPECT_EQ(folder.entries(), 5);
}

TEST(CreateDirectories, MakesParentsAndNamesObstacles) {
  const TemporaryFolder folder;
  create_directories(folder / "a/b//c/");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  create_directories(folder / "a/b");
  folder.file("file", "");
  EXPECT_MENTIONS(message_of<InputError>([&] { create_directories(folder / "file/x"); }), "is a file");
  EXPECT_THROW(create_directories(""), InputError);
  EXPECT_THROW(create_directories("/proc/none/x"), InputError);
}

TEST(RunLock, SecondRunIsRefusedNamingTheFirst) {
  const TemporaryFolder folder;
  int ready[2], done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t child = fork();
  if (child == 0) {
    const RunLock lock(folder.path());
    char c = 'x';
    if (write(ready[1], &c, 1) != 1 || read(done[0], &c, 1) != 1) _exit(97);
    raise(SIGKILL);
  }
  char c = 0;
  ASSERT_EQ(read(ready[0], &c, 1), 1);
  const std::string message = message_of<InputError>([&] { RunLock lock(folder.path()); });
  EXPECT_MENTIONS(message, "process " + std::to_string(child));
  EXPECT_MENTIONS(message, folder.path());
  char host[256] = {};
  ASSERT_EQ(gethostname(host, sizeof host - 1), 0);
  EXPECT_MENTIONS(message, std::string(" on ") + host + " since 20");
  ASSERT_EQ(write(done[1], &c, 1), 1);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  for (const int descriptor : {ready[0], ready[1], done[0], done[1]}) close(descriptor);
  // The dead process's file is still there and is taken over.
  EXPECT_MENTIONS(slurp(folder / ".lock"), "process " + std::to_string(child) + " on ");
  {
    const RunLock lock(folder.path());
    EXPECT_MENTIONS(slurp(folder / ".lock"), "process " + std::to_string(getpid()) + " on ");
    EXPECT_MENTIONS(message_of<InputError>([&] { RunLock again(folder.path()); }), std::to_string(getpid()));
  }
  EXPECT_EQ(folder.entries(), 0);
  EXPECT_THROW(RunLock lock(folder / "none"), InputError);
}

}  // namespace
}  // namespace chorale
