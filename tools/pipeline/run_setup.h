// SPDX-License-Identifier: MIT
// From command line and configuration to features, model and trainer: what the programs have in common.
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "data/feature_cache.h"
#include "data/split.h"
#include "models/trainer.h"
#include "tools/common/config.h"
#include "tools/common/program.h"

namespace chorale::tools {

/// Flags of the configuration's model and training keys, without those named.
void add_training_flags(Options& options, const std::set<std::string>& without = {});
/// UsageError on a flag that model.name does not use.
void refuse_unused_flags(const Program& program);
/// `config` for another model, by its run name ("cvae_genre").
Config model_config(Config config, const std::string& name);

/// The name under which a model's results are kept: model.name, with the condition for a cvae ("cvae_genre").
std::string run_name(const Config& config);
/// A name as users give it ("basic_vae", "beta"; a bare "cvae" with its condition) as run_name() gives it.
/// UsageError on another one.
std::string canonical_name(const std::string& option, const std::string& name, const std::string& condition);

/// True for the models that take a clip as one vector: basic and vade.
bool fully_connected(const Config& config);

/// `kind` empty: features.kind, which for `auto` follows from model.name.
data::FeatureSettings feature_settings(const Config& config, const std::string& kind = "");

/// The songs' classes under model.condition, for a cvae.
struct Condition {
  std::vector<std::string> classes;  ///< sorted; empty without a condition
  std::vector<std::int64_t> labels;  ///< one a song
};
/// `known`: the classes a model was trained with; empty: those of the songs. InputError when a song has an
/// unknown one, or all have the same.
Condition make_condition(const Config& config, const std::vector<data::Song>& songs,
                         const std::vector<std::string>& known = {});

/// `row_shape` of the features: (d) or (bands, frames).
models::VaeOptions vae_options(const Config& config, const Shape& row_shape, std::int64_t classes);
models::TrainerOptions trainer_options(const Config& config, const ExecutionContext& context);

/// The keys of the configuration that a checkpoint must agree with: all of model.*, features.*, training.*
/// and, if it is on, augmentation.*, but those that say when to stop and those that the model has no use for.
std::map<std::string, std::string> training_identity(const Config& config);

/// A corpus's cached features, split by song, scaled the way the model sees them.
struct TrainingSongs {
  std::vector<data::Song> songs;
  std::vector<std::int64_t> song_of_row;  ///< a row is a clip of that song; ascending
  Tensor raw;                             ///< f32 (clips, d) as cached
  Shape row_shape;                        ///< of a clip's features
  Condition condition;
  data::Split split;  ///< of the songs; all clips of one go with it
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
