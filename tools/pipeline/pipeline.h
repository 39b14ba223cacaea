// SPDX-License-Identifier: MIT
// The steps of an experiment on the current context, each the body of a program and together that of
// `quick_start`.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tools/pipeline/run_setup.h"

namespace chorale::tools {

struct ExtractionRequest {
  std::vector<std::string> kinds;  ///< empty: features.kind of the configuration
  std::string manifest;            ///< empty: <data>/manifest.csv or a walk
  std::string window;              ///< features.window as typed; empty: the configuration's
  std::string json;                ///< the summary as JSON goes here, unless empty
  int workers = 0;                 ///< 0: as many as --threads
  bool strict = false, allow_outside = false;
  bool verify = false;    ///< hash every shard that is there
  bool skip_bad = false;  ///< songs that cannot be used are no failure
};
/// Brings the feature cache up to date and prints a summary. Returns the exit code (130/143 if interrupted).
/// InputError at the end if songs had to be skipped, unless that is allowed.
int run_extraction(Program& program, const ExtractionRequest& request);

/// One line of the table that training ends with.
struct TrainedModel {
  std::string name, precision;
  std::int64_t parameters = 0, epochs = 0, best_epoch = 0, active_units = 0, latent_dim = 0;
  bool stopped_early = false;
  double best_loss = 0, step_memory = 0, seconds = 0;
};
void print_trained(const std::vector<TrainedModel>& models);

/// Trains the model of `config` into <results>/checkpoints/<NAME>: checkpoints, history.csv, TensorBoard
/// events, learning curves. Returns nothing when it was interrupted; the state is saved.
std::optional<TrainedModel> run_training(Program& program, const Config& config, bool resume);

/// Latents of <results>/checkpoints/<NAME>, their clusterings and metrics, the latent map, the report.
/// `checkpoint` empty: best.safetensors of the model's folder. Which configuration the model was trained with
/// is read from its checkpoint's folder.
int run_evaluation(Program& program, const std::string& name, const std::string& checkpoint);

/// k-means on raw features, on their principal components and on the codes of a deterministic autoencoder,
/// each averaged over a song's clips.
int run_baselines(Program& program);

/// The latents of a trained model, f32 (songs, latent_dim), averaged over a song's clips, with the songs they
/// belong to.
struct Latents {
  std::vector<data::Song> songs;
  Tensor codes;
  std::vector<bool> validation;  ///< songs the model was not trained on
};
Latents compute_latents(Program& program, const std::string& name, const std::string& checkpoint);

/// Collects metrics and figures under <results> into report.html.
void write_results_report(const std::string& results);

}  // namespace chorale::tools
