// SPDX-License-Identifier: MIT
// What a variational autoencoder has to beat: k-means on raw features, principal components, autoencoder
// codes.
#include "tools/pipeline/pipeline.h"

int main(int argc, char** argv) {
  using namespace chorale;
  using namespace chorale::tools;
  return run_program(
      argc, argv,
      {.name = "baseline",
       .summary = "k-means on raw features, on principal components and on the codes of an autoencoder.",
       .uses_data = true,
       .uses_results = true},
      [&](Options& options) { add_training_flags(options); },
      [&](Program& program) {
        ExecutionContext context(program.device());
        const ContextScope scope(context);
        return run_baselines(program);
      });
}
