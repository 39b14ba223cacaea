// SPDX-License-Identifier: MIT
// Latents of a trained model, their clusterings and metrics.
#include "tools/pipeline/pipeline.h"

int main(int argc, char** argv) {
  using namespace chorale;
  using namespace chorale::tools;
  std::string model, checkpoint, condition = "genre";
  return run_program(
      argc, argv,
      {.name = "evaluate",
       .summary = "Clusters the latents of a trained model and measures the clusters.",
       .uses_data = true,
       .uses_results = true},
      [&](Options& options) {
        options
            .add("--model", &model,
                 "a model that `train` made: basic, conv, beta, cvae_genre, cvae_language, vade")
            .required();
        options.add("--condition", &condition, "which one a bare cvae means", {"genre", "language"});
        options.add("--checkpoint", &checkpoint, "another checkpoint than the model's best.safetensors")
            .placeholder("FILE");
        options.add_config("--n-clusters", "clustering.n_clusters");
      },
      [&](Program& program) {
        ExecutionContext context(program.device());
        const ContextScope scope(context);
        return run_evaluation(program, canonical_name("--model", model, condition), checkpoint);
      });
}
