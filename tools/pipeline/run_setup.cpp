// SPDX-License-Identifier: MIT
#include "tools/pipeline/run_setup.h"

#include <cmath>
#include <set>

#include "data/corpus.h"
#include "data/feature_index.h"

namespace chorale::tools {
namespace {

template <class Enum>
Enum pick(const std::string& word, std::initializer_list<std::pair<const char*, Enum>> choices) {
  for (const auto& [name, value] : choices)
    if (word == name) return value;
  throw ContractError("configuration: a choice that no code reads: " + word);
}

}  // namespace

void add_training_flags(Options& options) {
  for (const auto& [flag, key] : {std::pair("--model", "model.name"),
                                  {"--hidden", "model.hidden"},
                                  {"--latent-dim", "model.latent_dim"},
                                  {"--features", "features.kind"},
                                  {"--epochs", "training.epochs"},
                                  {"--batch-size", "training.batch_size"},
                                  {"--learning-rate", "training.learning_rate"},
                                  {"--precision", "training.precision"},
                                  {"--beta", "training.kl_weight"}})
    options.add_config(flag, key);
}

data::FeatureSettings feature_settings(const Config& config) {
  data::FeatureSettings settings;
  settings.kind = config.text("features.kind");
  settings.duration = config.real("features.duration");
  MelParams& mel = settings.params.mel;
  mel.sample_rate = static_cast<std::int32_t>(config.integer("features.sample_rate"));
  mel.n_fft = static_cast<std::int32_t>(config.integer("features.n_fft"));
  mel.hop_length = static_cast<std::int32_t>(config.integer("features.hop_length"));
  mel.n_mels = static_cast<std::int32_t>(config.integer("features.n_mels"));
  mel.fmin = static_cast<float>(config.real("features.fmin"));
  mel.fmax = static_cast<float>(config.real("features.fmax"));
  settings.params.n_mfcc = config.integer("features.n_mfcc");
  return settings;
}

models::VaeOptions vae_options(const Config& config, std::int64_t input_dim) {
  models::VaeOptions options;
  options.input_dim = input_dim;
  options.hidden = config.integers("model.hidden");
  options.latent_dim = config.integer("model.latent_dim");
  options.dropout = static_cast<float>(config.real("model.dropout"));
  options.likelihood.kind =
      pick<Likelihood>(config.text("model.likelihood"), {{"squared_error", Likelihood::squared_error},
                                                         {"gaussian", Likelihood::gaussian},
                                                         {"bernoulli", Likelihood::bernoulli},
                                                         {"laplace", Likelihood::laplace}});
  options.likelihood.scale = static_cast<float>(config.real("model.likelihood_scale"));
  options.reduction = pick<models::Reduction>(
      config.text("model.reduction"), {{"sum", models::Reduction::sum}, {"mean", models::Reduction::mean}});
  options.free_bits = static_cast<float>(config.real("training.free_bits"));
  options.kl_capacity = config.text("training.kl_schedule") == "capacity";
  return options;
}

models::TrainerOptions trainer_options(const Config& config, const ExecutionContext& context) {
  using Rate = autograd::LearningRateOptions;
  using Kl = autograd::KlOptions;
  models::TrainerOptions options;
  options.epochs = static_cast<int>(config.integer("training.epochs"));
  options.batch_size = config.integer("training.batch_size");
  options.accumulation = static_cast<int>(config.integer("training.accumulation"));
  options.early_stopping_patience = static_cast<int>(config.integer("training.early_stopping_patience"));
  options.seed = config.unsigned_integer("training.seed");
  options.precision = autograd::make_precision(config.text("training.precision"), context);
  options.optimizer.kind = pick<OptimizerKind>(
      config.text("training.optimizer"),
      {{"adamw", OptimizerKind::adamw}, {"adam", OptimizerKind::adam}, {"sgd", OptimizerKind::sgd}});
  options.optimizer.weight_decay = static_cast<float>(config.real("training.weight_decay"));
  options.control.max_gradient_norm = static_cast<float>(config.real("training.gradient_clip"));

  options.learning_rate.kind = pick<Rate::Kind>(
      config.text("training.lr_schedule"),
      {{"constant", Rate::Kind::constant}, {"plateau", Rate::Kind::plateau}, {"cosine", Rate::Kind::cosine}});
  options.learning_rate.base = config.real("training.learning_rate");
  options.learning_rate.warmup_epochs = config.real("training.warmup_epochs");
  options.learning_rate.epochs = options.epochs;
  options.learning_rate.factor = config.real("training.lr_factor");
  options.learning_rate.patience = static_cast<int>(config.integer("training.lr_patience"));

  options.kl.kind = pick<Kl::Kind>(config.text("training.kl_schedule"), {{"constant", Kl::Kind::constant},
                                                                         {"linear", Kl::Kind::linear},
                                                                         {"cyclical", Kl::Kind::cyclical},
                                                                         {"capacity", Kl::Kind::capacity}});
  options.kl.weight = config.real("training.kl_weight");
  options.kl.warmup_epochs = config.real("training.kl_warmup_epochs");
  options.kl.cycles = static_cast<int>(config.integer("training.kl_cycles"));
  options.kl.epochs = options.epochs;
  options.kl.capacity = config.real("training.capacity");
  return options;
}

std::map<std::string, std::string> training_identity(const Config& config) {
  // More epochs continue a run; a schedule that is stretched over all epochs is another run.
  std::set<std::string> free = {"training.early_stopping_patience"};
  const bool stretched =
      config.text("training.lr_schedule") == "cosine" || config.text("training.kl_schedule") == "cyclical";
  if (!stretched) free.insert("training.epochs");
  std::map<std::string, std::string> identity;
  for (const ConfigKey& key : config_schema())
    if (!key.name.starts_with("clustering.") && !free.contains(key.name))
      identity[key.name] = config.value_text(key.name);
  return identity;
}

TrainingSongs load_training_songs(const Program& program, const Config& config, const std::string& manifest) {
  const data::Corpus corpus = data::load_corpus(program.common().data, manifest);
  const data::FeatureSettings settings = feature_settings(config);
  data::FeatureSet set = data::load_features(corpus, settings);
  TrainingSongs result;
  result.raw = set.values;
  std::vector<std::string> ids, languages;
  std::string all_ids;
  for (const data::Song& song : set.songs) {
    ids.push_back(song.song_id);
    languages.push_back(song.language);
    all_ids += song.song_id + "\n";
  }
  const data::Split split = data::split_songs(ids, languages, config.real("training.validation_fraction"),
                                              config.unsigned_integer("training.seed"));
  result.songs = std::move(set.songs);
  result.data.train_rows = split.train;
  result.data.validation_rows = split.validation;
  result.data.identity = training_identity(config);
  result.data.identity["data.songs"] = data::text_hash(all_ids);
  result.data.features = set.values;
  if (settings.kind == "statistics") {  // columns of different units
    std::vector<float> values = set.values.to_host<float>();
    const std::int64_t columns = set.values.dim(1);
    const ColumnScale scale = column_scale(values, columns, split.train);
    apply_scale(values, scale);
    result.data.features = Tensor::from_host(values, set.values.shape());
    result.data.extra = {
        {"features.mean", Tensor::from_host(scale.mean, {columns})},
        {"features.standard_deviation", Tensor::from_host(scale.standard_deviation, {columns})}};
  }
  return result;
}

ColumnScale column_scale(const std::vector<float>& features, std::int64_t columns,
                         const std::vector<std::int64_t>& rows) {
  ColumnScale scale;
  const auto n = static_cast<double>(rows.size());
  for (std::int64_t c = 0; c < columns; ++c) {
    double mean = 0, square = 0;
    for (std::int64_t r : rows) mean += features[static_cast<std::size_t>(r * columns + c)];
    mean /= n;
    for (std::int64_t r : rows)
      square += std::pow(features[static_cast<std::size_t>(r * columns + c)] - mean, 2);
    const double deviation = std::sqrt(square / n);
    scale.mean.push_back(static_cast<float>(mean));
    scale.standard_deviation.push_back(deviation > 1e-6 * (1 + std::abs(mean)) ? static_cast<float>(deviation)
                                                                               : 1.0f);
  }
  return scale;
}

void apply_scale(std::vector<float>& features, const ColumnScale& scale) {
  const std::size_t columns = scale.mean.size();
  for (std::size_t i = 0; i < features.size(); ++i)
    features[i] = (features[i] - scale.mean[i % columns]) / scale.standard_deviation[i % columns];
}

}  // namespace chorale::tools
