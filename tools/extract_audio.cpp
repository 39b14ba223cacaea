// SPDX-License-Identifier: MIT
// Features of every song of a corpus into the feature cache, or of one file into an .npy.
#include "tools/pipeline/extract_file.h"
#include "tools/pipeline/pipeline.h"

using namespace chorale;
using namespace chorale::tools;

int main(int argc, char** argv) {
  FileRequest file;
  ExtractionRequest corpus;
  return run_program(
      argc, argv,
      {.name = "extract_audio",
       .summary = "Extracts features of all songs of a corpus into its cache, or of one file into an .npy.",
       .uses_data = true,
       .keeps_state = true},
      [&](Options& options) {
        options.group("Corpus");
        options
            .add("--features", &corpus.kinds, "kinds to extract, separated by commas", data::feature_kinds())
            .shown_default("features.kind of the configuration");
        options.add("--window", &corpus.window, "seconds of each of a song's clips; 0: one clip")
            .placeholder("N")
            .shown_default("features.window");
        options.add_config("--hop", "features.hop");
        options.add("--n-workers", &corpus.workers, "decoding threads; 0: as many as --threads", {0, 1024});
        options.add("--manifest", &corpus.manifest, "CSV of songs instead of <data>/manifest.csv")
            .placeholder("FILE");
        options.add("--allow-outside", &corpus.allow_outside, "accept songs outside the data folder");
        options.add("--strict", &corpus.strict, "end at the first bad file instead of skipping it");
        options.add("--skip-bad", &corpus.skip_bad, "exit 0 although songs had to be skipped");
        options.add("--verify", &corpus.verify,
                    "read every shard of the cache again; otherwise those whose size or time has changed");
        options.add("--json", &corpus.json, "also write the summary here, with every song that was skipped")
            .placeholder("FILE");
        add_file_options(options, &file);
      },
      [&](Program& program) {
        ExecutionContext context(program.device());
        const ContextScope scope(context);
        if (!file.input.empty()) {
          refuse_corpus_flags(program);
          return run_file_extraction(program, file);
        }
        refuse_file_flags(program);
        return run_extraction(program, corpus);
      });
}
