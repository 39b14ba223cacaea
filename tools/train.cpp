// SPDX-License-Identifier: MIT
// Trains one model on cached features.
#include "tools/common/signals.h"
#include "tools/pipeline/pipeline.h"

int main(int argc, char** argv) {
  using namespace chorale;
  using namespace chorale::tools;
  std::string modality = "audio";
  bool resume = false;
  return run_program(
      argc, argv,
      {.name = "train",
       .summary = "Trains a model on the features that extract_audio made.",
       .uses_data = true,
       .uses_results = true,
       .keeps_state = true},
      [&](Options& options) {
        options.group("Model");
        add_training_flags(options);
        options.add("--modality", &modality, "what the model sees", {"audio"});
        options.group("Run");
        options.add("--resume", &resume,
                    "go on from <results>/checkpoints/<NAME>/last.safetensors if it is there");
      },
      [&](Program& program) {
        ExecutionContext context(program.device());
        const ContextScope scope(context);
        refuse_unused_flags(program);
        const auto trained = run_training(program, program.config(), resume);
        if (!trained) return interrupt_exit_code();
        print_trained({*trained});
        return 0;
      });
}
