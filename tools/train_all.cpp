// SPDX-License-Identifier: MIT
// Trains every model, one after the other; what is finished is not trained again.
#include "tools/common/log.h"
#include "tools/common/signals.h"
#include "tools/pipeline/pipeline.h"

int main(int argc, char** argv) {
  using namespace chorale;
  using namespace chorale::tools;
  std::vector<std::string> names{"basic", "conv", "beta", "cvae_genre", "cvae_language", "vade"};
  bool anew = false;
  return run_program(
      argc, argv,
      {.name = "train_all",
       .summary = "Trains all models on the features that extract_audio made, and goes on where it stopped.",
       .uses_data = true,
       .uses_results = true,
       .keeps_state = true},
      [&](Options& options) {
        options.add("--models", &names, "which, separated by commas", names);
        options.add("--anew", &anew, "train models that are there already from the start");
        options.group("Model");
        add_training_flags(options, {"--model", "--condition"});
      },
      [&](Program& program) {
        ExecutionContext context(program.device());
        const ContextScope scope(context);
        std::vector<TrainedModel> trained;
        for (const std::string& name : names) {
          const auto model = run_training(program, model_config(program.config(), name), !anew);
          if (!model) return interrupt_exit_code();
          trained.push_back(*model);
        }
        print_trained(trained);
        log_info("conv_multimodal needs lyrics' vectors, which this version does not make");
        return 0;
      });
}
