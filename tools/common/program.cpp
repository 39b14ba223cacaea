// SPDX-License-Identifier: MIT
#include "tools/common/program.h"

#include <fcntl.h>
#include <omp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <system_error>

#include "kernels/error.h"
#include "tools/common/log.h"
#include "tools/common/progress.h"
#include "tools/common/signals.h"
#include "tools/common/text.h"
#include "tools/common/threads.h"

namespace chorale::tools {
namespace {

// Also used when memory is gone: nothing here allocates.
int fail(int code, const char* what) {
  char line[2000];
  int length = std::snprintf(line, sizeof line, "error: %s", what);
  length = std::min<int>(length, sizeof line - 2);
  for (int i = 0; i < length; ++i) {
    if (static_cast<unsigned char>(line[i]) < 0x20) line[i] = ' ';
  }
  line[length++] = '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line, static_cast<std::size_t>(length));
  return code;
}

/// Prints the exception being handled and returns the exit code it stands for.
int report_current_exception() {
  try {
    throw;
  } catch (const Error& error) {
    return fail(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(4, "memory: out of memory (fewer --threads or a smaller --batch-size need less)");
  } catch (const std::filesystem::filesystem_error& error) {
    const auto& code = error.code();
    return fail(3, concat(error.path1().string(), ": ", code.message()).c_str());
  } catch (const std::system_error& error) {
    const bool exhausted = error.code() == std::errc::resource_unavailable_try_again ||
                           error.code() == std::errc::not_enough_memory ||
                           error.code() == std::errc::too_many_files_open;
    return fail(exhausted ? 4 : 1, error.what());
  } catch (const std::exception& error) {
    return fail(1, error.what());
  } catch (...) {
    return fail(1, "unknown failure");
  }
}

// An exception that no one can catch any more (another thread, a parallel region, a destructor).
[[noreturn]] void terminate_with_message() {
  int code = 1;
  if (std::current_exception()) {
    code = report_current_exception();
  } else {
    fail(1, "stopped: an internal check failed");
  }
  ::_exit(code);
}

// A descriptor that was closed before the start would be given to the next file opened, and printed into.
void open_missing_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    const int opened = ::open("/dev/null", O_RDWR);
    if (opened >= 0 && opened != descriptor) {
      ::dup2(opened, descriptor);
      ::close(opened);
    }
  }
}

// A reader that left (`| head`) is no failure; a full disk is.
int finish_stdout(int code) {
  errno = 0;
  std::cout.flush();
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) || std::cout.fail();
  if (!failed || code != 0) return code;
  const int reason = errno;
  struct stat status {};
  const bool pipe =
      ::fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
  if (pipe || reason == EPIPE || reason == EIO) return code;
  return fail(3, concat("standard output: cannot write: ", std::strerror(reason ? reason : ENOSPC)).c_str());
}

int run(int argc, char** argv, const ProgramInfo& info, const std::function<void(Options&)>& declare,
        const std::function<int(Program&)>& body) {
  CommonOptions common;
  bool help = false, version = false;
  Options options(info.name, info.summary);
  declare(options);
  options.group("Common options");
  if (info.uses_data) options.add("--data", &common.data, "folder of the corpus").placeholder("DIR");
  if (info.uses_results)
    options.add("--results", &common.results, "folder of the results").placeholder("DIR");
  options.add("--device", &common.device, "where to compute", {"auto", "cuda", "cpu"}).placeholder("D");
  options.add("--seed", &common.seed, "of all random numbers").config("training.seed");
  options.add("--threads", &common.threads, "CPU threads", {1, max_threads}).shown_default("all processors");
  options.add("--config", &common.config, "YAML configuration; options win over it").placeholder("FILE");
  options.add("--log-level", &common.log_level, "what to log", {"debug", "info", "warning", "error", "off"})
      .placeholder("L");
  options.add("--quiet", &common.quiet, "only warnings and errors, no progress bar");
  options.add("--help", &help, "this text");
  options.add("--version", &version, "the version");
  options.parse(argc, argv);

  if (help) {
    std::cout << options.help();
    return 0;
  }
  if (version) {
    std::cout << info.name << " (chorale) " << CHORALE_VERSION << '\n';
    return 0;
  }
  restart_with_short_spinning(argv);
  set_log_level(
      parse_log_level(common.quiet && !options.given("--log-level") ? "warning" : common.log_level));
  if (common.quiet) Progress::disable();
  common.threads = use_threads(common.threads);

  Config config;
  if (options.given("--config")) config.read(common.config);
  for (const ConfigFlag& flag : options.config_flags()) config.set_from_flag(flag);
  config.check();
  common.seed = config.unsigned_integer("training.seed");

  Program program(info, common, options, config);
  if (common.device == "cuda") program.device();  // fails before any work is done
  return body(program);
}

}  // namespace

int run_program(int argc, char** argv, const ProgramInfo& info, const std::function<void(Options&)>& declare,
                const std::function<int(Program&)>& body) {
  open_missing_descriptors();
  install_signal_handlers(info.keeps_state);
  std::set_terminate(terminate_with_message);
  int code = 1;
  try {
    code = run(argc, argv, info, declare, body);
  } catch (...) {
    code = report_current_exception();
  }
  code = finish_stdout(code);
  return interrupted() ? interrupt_exit_code() : code;
}

}  // namespace chorale::tools
