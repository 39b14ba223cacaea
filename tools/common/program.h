// SPDX-License-Identifier: MIT
// The frame of every program: common options, exit codes, signals, log. A program's main is one call:
//
//   int main(int argc, char** argv) {
//     std::int64_t clusters = 5;
//     const ProgramInfo info{.name = "cluster", .summary = "Clusters a matrix.", .uses_results = true};
//     const auto declare = [&](Options& options) { options.add("--n-clusters", &clusters, "", {1, 1e6}); };
//     return run_program(argc, argv, info, declare, [&](Program& program) { ...; return 0; });
//   }
//
// Errors (kernels/error.h) become one line on stderr and their exit code: 2 usage, 3 input, 4 device or
// memory, 5 numerical, 6 peer, 1 anything else; 130/143 after SIGINT/SIGTERM.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "tools/common/config.h"
#include "tools/common/options.h"

namespace chorale {
enum class DeviceKind : std::uint8_t;
}

namespace chorale::tools {

struct ProgramInfo {
  std::string name;
  std::string summary;        ///< one sentence, the first line of --help
  bool uses_data = false;     ///< takes --data DIR
  bool uses_results = false;  ///< takes --results DIR
  /// The program asks interrupted() between steps and saves its state; otherwise the first signal ends it.
  bool keeps_state = false;
};

/// The options that all programs take.
struct CommonOptions {
  std::string device = "auto";
  std::uint64_t seed = 42;  ///< --seed, else the configuration's training.seed
  /// --threads, else OMP_NUM_THREADS, else the processors this process may use; never 0 after parsing.
  int threads = 0;
  std::string config;
  std::string log_level = "info";
  bool quiet = false;
  std::string data = "data";
  std::string results = "results";
};

class Program {
 public:
  Program(const ProgramInfo& info, const CommonOptions& common, const Options& options, const Config& config)
      : info_(info), common_(common), options_(options), config_(config) {}

  const ProgramInfo& info() const { return info_; }
  const CommonOptions& common() const { return common_; }
  const Options& options() const { return options_; }
  /// --config over the defaults, the flags that stand for keys over both; checked.
  const Config& config() const { return config_; }
  bool given(std::string_view option) const { return options_.given(option); }

  /// What --device means on this machine; with `auto` the reason for the CPU is logged once. DeviceError if a
  /// GPU is asked for and none answers.
  DeviceKind device();

 private:
  const ProgramInfo& info_;
  const CommonOptions& common_;
  const Options& options_;
  const Config& config_;
  int device_ = -1;
};

/// Parses the options that `declare` adds and the common ones, runs `body` and returns the exit code of the
/// process.
int run_program(int argc, char** argv, const ProgramInfo& info, const std::function<void(Options&)>& declare,
                const std::function<int(Program&)>& body);

}  // namespace chorale::tools
