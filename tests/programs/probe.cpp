// SPDX-License-Identifier: MIT
// A program made of nothing but the frame, to try the frame's promises end to end.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>

#include "kernels/error.h"
#include "tools/common/log.h"
#include "tools/common/program.h"
#include "tools/common/progress.h"
#include "tools/common/signals.h"
#include "tools/common/table.h"

using namespace chorale;
using namespace chorale::tools;

int main(int argc, char** argv) {
  std::string action = "print";
  std::int64_t n_clusters = 5;
  double learning_rate = 1e-4;
  std::vector<std::int64_t> ks{5, 10};
  std::string resume = "no", text;
  bool wait_for_signal = false;
  const ProgramInfo info{.name = "probe",
                         .summary = "Tries what every program shares.",
                         .uses_data = true,
                         .uses_results = true,
                         .keeps_state = argc > 1 && std::string_view(argv[1]) == "--keeps-state"};
  const auto declare = [&](Options& options) {
    options.add("--keeps-state", &wait_for_signal, "save when a signal arrives");
    options.add("--action", &action, "what to do",
                {"print", "wait", "linger", "usage", "input", "device", "numerical", "peer", "memory",
                 "standard", "thread", "parallel", "flood"});
    options.add("--n-clusters", &n_clusters, "clusters", {1, 1000}).config("clustering.n_clusters");
    options.add("--learning-rate", &learning_rate, "step size", {0, 1, true})
        .config("training.learning_rate");
    options.add("--ks", &ks, "numbers of clusters", {1, 100});
    options.add("--text", &text, "any text");
    options.add("--resume", &resume, "go on from the last checkpoint", {"no", "auto", "last"})
        .value_if_bare("auto");
    options.add_config("--epochs", "training.epochs");
  };
  return run_program(argc, argv, info, declare, [&](Program& program) {
    if (action == "wait") {
      Progress progress("waiting", 600, "ticks");
      for (int i = 0; i < 600 && !interrupted(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        progress.advance();
      }
      std::puts("state saved");
      return 0;
    }
    if (action == "linger") std::this_thread::sleep_for(std::chrono::seconds(60));
    if (action == "usage") throw UsageError("--x: wrong: 1 (allowed 2)");
    if (action == "input") throw InputError("song.wav: empty:\n0 bytes");
    if (action == "device") program.device();
    if (action == "numerical") throw NumericalError("loss: not finite: nan (step 3)");
    if (action == "peer") throw PeerError("rank 1: lost");
    if (action == "memory") std::vector<char>(std::size_t{1} << 62).front() = 1;
    if (action == "standard") throw std::runtime_error("broken");
    if (action == "thread") std::thread([] { throw InputError("song.wav: lost in a thread"); }).join();
    if (action == "parallel") {
#pragma omp parallel
      throw std::bad_alloc();
    }
    if (action == "flood") {
      for (int i = 0; i < 1000000; ++i) std::puts("line");
      return 0;
    }
    Table table({"key", "value"});
    table.add_row({"n_clusters", std::to_string(n_clusters)});
    table.add_row({"learning_rate", format_number(learning_rate)});
    table.add_row({"ks", concat(ks.size(), " from ", ks.front())});
    table.add_row({"resume", resume});
    table.add_row({"text", text});
    table.add_row({"seed", std::to_string(program.common().seed)});
    table.add_row({"threads", std::to_string(program.common().threads)});
    table.add_row({"data", program.common().data});
    for (const auto& flag : program.options().config_flags()) table.add_row({flag.key, flag.value});
    table.add_row({"config.epochs", std::to_string(program.config().integer("training.epochs"))});
    table.print();
    log_debug("a debug line");
    return 0;
  });
}
