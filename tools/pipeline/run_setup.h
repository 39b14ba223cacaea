// SPDX-License-Identifier: MIT
// From command line and configuration to features, model and trainer: what the programs have in common.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "data/feature_cache.h"
#include "data/split.h"
#include "models/trainer.h"
#include "tools/common/config.h"
#include "tools/common/program.h"

namespace chorale::tools {

/// Flags of the configuration's model and training keys.
void add_training_flags(Options& options);

data::FeatureSettings feature_settings(const Config& config);
models::VaeOptions vae_options(const Config& config, std::int64_t input_dim);
models::TrainerOptions trainer_options(const Config& config, const ExecutionContext& context);

/// The keys of the configuration that a checkpoint must agree with: all of model.*, features.* and training.*
/// but those that say when to stop.
std::map<std::string, std::string> training_identity(const Config& config);

/// A corpus's cached features, split by song, scaled the way the model sees them.
struct TrainingSongs {
  std::vector<data::Song> songs;  ///< a row each
  Tensor raw;                     ///< f32 (n, d) as cached
  models::TrainingData data;
};
TrainingSongs load_training_songs(const Program& program, const Config& config,
                                  const std::string& manifest = "");

/// Column means and standard deviations over some rows of f32 (n, d), in f64 on the host; constant columns
/// get 1.
struct ColumnScale {
  std::vector<float> mean, standard_deviation;
};
ColumnScale column_scale(const std::vector<float>& features, std::int64_t columns,
                         const std::vector<std::int64_t>& rows);
/// (x - mean) / standard deviation, in place.
void apply_scale(std::vector<float>& features, const ColumnScale& scale);

}  // namespace chorale::tools
