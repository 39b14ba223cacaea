// SPDX-License-Identifier: MIT
// The whole experiment in short: demo corpus (unless there are songs), features, every model, clusters,
// baselines.
#include <algorithm>
#include <filesystem>

#include "data/corpus.h"
#include "data/synth/corpus_writer.h"
#include "tools/common/log.h"
#include "tools/common/progress.h"
#include "tools/common/signals.h"
#include "tools/pipeline/pipeline.h"

namespace {

using namespace chorale;
using namespace chorale::tools;
namespace fs = std::filesystem;

struct QuickStart {
  int tracks = 200;
  double seconds = 30;
  std::vector<std::string> models{"basic", "conv", "beta", "cvae_genre", "cvae_language", "vade"};
};

constexpr const char* convolution_epochs = "20";  // unless the user says otherwise

/// Songs of the user's own stay as they are.
void render_corpus_if_missing(Program& program, const QuickStart& settings) {
  const fs::path root = program.common().data;
  const bool own = fs::exists(root / "audio") && !fs::exists(root / "audio/.demo_corpus.json");
  if (own ||
      (fs::exists(root / "manifest.csv") && !program.given("--n-tracks") && !program.given("--seconds"))) {
    log_info("songs: those in ", root.string());
    return;
  }
  data::synth::CorpusSettings corpus;
  corpus.n_tracks = settings.tracks;
  corpus.n_lyrics = static_cast<int>((std::int64_t{settings.tracks} * 677 + 560) / 1120);
  corpus.seconds = settings.seconds;
  corpus.seed = program.common().seed;
  Progress bar("rendering", corpus.n_tracks, "songs");
  const auto summary = data::synth::write_corpus(root, corpus, false, [&](int done, int) { bar.set(done); });
  log_info("songs: ", summary.rendered, " rendered, ", summary.kept, " kept in ", root.string());
}

int quick_start(Program& program, const QuickStart& settings) {
  render_corpus_if_missing(program, settings);
  ExecutionContext context(program.device());
  const ContextScope scope(context);
  ExtractionRequest everything;
  everything.skip_bad = true;
  if (const int code = run_extraction(program, everything)) return code;
  const std::size_t songs = data::load_corpus(program.common().data).songs.size();
  std::vector<TrainedModel> trained;
  for (const std::string& model : settings.models) {
    Config config = model_config(program.config(), model);
    const bool convolutions = model != "basic" && model != "vade";
    if (convolutions && !config.given("training.epochs"))
      config.set_from_flag({"training.epochs", convolution_epochs, "--epochs"});
    if (model == "vade" && !config.given("model.n_clusters"))
      config.set_from_flag(
          {"model.n_clusters", std::to_string(std::clamp<std::size_t>(songs / 4, 2, 50)), "--n-clusters"});
    const bool begun =
        fs::exists(fs::path(program.common().results) / "checkpoints" / model / "last.safetensors");
    const auto done = run_training(program, config, begun);
    if (!done) return interrupt_exit_code();
    trained.push_back(*done);
    if (const int code = run_evaluation(program, model, "")) return code;
  }
  print_trained(trained);
  return run_baselines(program);
}

}  // namespace

int main(int argc, char** argv) {
  QuickStart settings;
  return run_program(
      argc, argv,
      {.name = "quick_start",
       .summary = "From songs (rendered if there are none) to clusters, metrics and results/report.html.",
       .uses_data = true,
       .uses_results = true,
       .keeps_state = true},
      [&](Options& options) {
        options.group("Demo corpus");
        options.add("--n-tracks", &settings.tracks, "songs to render", {10, 49995});
        options.add("--seconds", &settings.seconds, "length of a song", {0.5, 3600});
        options.group("Model");
        options.add("--models", &settings.models, "which, separated by commas", settings.models);
        add_training_flags(options, {"--model", "--condition"});
      },
      [&](Program& program) { return quick_start(program, settings); });
}
