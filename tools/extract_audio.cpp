// SPDX-License-Identifier: MIT
// Features of every song of a corpus into the feature cache, or of one file into an .npy.
#include "audio/single_file.h"
#include "tools/common/log.h"
#include "tools/pipeline/pipeline.h"

namespace {

using namespace chorale;
using namespace chorale::tools;

struct SingleFile {
  std::string input, feature = "mel_db", output;
  double offset = 0, duration = 0;
};

int extract_one(const SingleFile& file, const Config& config) {
  if (file.output.empty())
    throw UsageError("--output: missing: --input needs it (allowed a path ending in .npy)");
  const data::FeatureSettings settings = feature_settings(config);
  audio::DecodeOptions decode;
  decode.offset = file.offset;
  decode.duration = file.duration > 0 ? file.duration : audio::whole_file;
  for (const std::string& warning :
       audio::extract_single(file.input, file.feature, file.output, settings.params, decode))
    log_warning(file.input, ": ", warning);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  SingleFile file;
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
        options.add_config("--window", "features.window");
        options.add_config("--hop", "features.hop");
        options.add("--n-workers", &corpus.workers, "decoding threads; 0: as many as --threads", {0, 1024});
        options.add("--manifest", &corpus.manifest, "CSV of songs instead of <data>/manifest.csv")
            .placeholder("FILE");
        options.add("--allow-outside", &corpus.allow_outside, "accept songs outside the data folder");
        options.add("--strict", &corpus.strict, "end at the first bad file instead of skipping it");
        options.add("--skip-bad", &corpus.skip_bad, "exit 0 although songs had to be skipped");
        options.group("One file");
        options.add("--input", &file.input, "an audio file").placeholder("SONG");
        options.add("--feature", &file.feature, "what to write, with librosa's values",
                    {"mel", "mel_db", "mfcc", "mfcc_delta"});
        options.add("--output", &file.output, "f32 (bands, frames)").placeholder("X.npy");
        options.add("--offset", &file.offset, "seconds to skip", {0, 1e9});
        options.add("--duration", &file.duration, "seconds to read; 0: to the end", {0, 1e9});
      },
      [&](Program& program) {
        ExecutionContext context(program.device());
        const ContextScope scope(context);
        return file.input.empty() ? run_extraction(program, corpus) : extract_one(file, program.config());
      });
}
