// SPDX-License-Identifier: MIT
#include "tools/pipeline/run_setup.h"

#include <algorithm>
#include <cmath>

#include "data/corpus.h"
#include "data/feature_index.h"
#include "tools/common/text.h"
#include "tools/pipeline/augmentation.h"
#include "tools/pipeline/song_clips.h"

namespace chorale::tools {
namespace {

template <class Enum>
Enum pick(const std::string& word, std::initializer_list<std::pair<const char*, Enum>> choices) {
  for (const auto& [name, value] : choices)
    if (word == name) return value;
  throw ContractError("configuration: a choice that no code reads: " + word);
}

/// Keys that some models have no use for.
struct KeyUse {
  const char* key;
  const char* flag;  ///< null: none
  std::set<std::string> models;
};
const std::vector<KeyUse>& key_uses() {
  static const std::set<std::string> plain{"basic", "vade"}, convolutions{"conv", "beta", "cvae"};
  static const std::vector<KeyUse> uses{{"model.hidden", "--hidden", plain},
                                        {"model.arch", "--arch", convolutions},
                                        {"model.channels", "--channels", convolutions},
                                        {"training.crop_frames", "--crop-frames", convolutions},
                                        {"augmentation.time_masks", "--time-masks", convolutions},
                                        {"augmentation.time_width", nullptr, convolutions},
                                        {"augmentation.frequency_masks", "--frequency-masks", convolutions},
                                        {"augmentation.frequency_width", nullptr, convolutions},
                                        {"model.beta", "--beta", {"beta"}},
                                        {"model.objective", "--objective", {"beta"}},
                                        {"model.condition", "--condition", {"cvae"}},
                                        {"model.condition_dim", nullptr, {"cvae"}},
                                        {"model.condition_mode", nullptr, {"cvae"}},
                                        {"model.n_clusters", "--n-clusters", {"vade"}},
                                        {"training.pretrain_epochs", nullptr, {"vade"}},
                                        {"training.mixture_rate", nullptr, {"vade"}}};
  return uses;
}

}  // namespace

bool fully_connected(const Config& config) {
  const std::string& name = config.text("model.name");
  return name == "basic" || name == "vade";
}

void add_training_flags(Options& options, const std::set<std::string>& without) {
  for (const auto& [flag, key] : {std::pair("--model", "model.name"),
                                  {"--arch", "model.arch"},
                                  {"--hidden", "model.hidden"},
                                  {"--channels", "model.channels"},
                                  {"--latent-dim", "model.latent_dim"},
                                  {"--beta", "model.beta"},
                                  {"--objective", "model.objective"},
                                  {"--condition", "model.condition"},
                                  {"--n-clusters", "model.n_clusters"},
                                  {"--features", "features.kind"},
                                  {"--window", "features.window"},
                                  {"--hop", "features.hop"},
                                  {"--crop-frames", "training.crop_frames"},
                                  {"--epochs", "training.epochs"},
                                  {"--batch-size", "training.batch_size"},
                                  {"--learning-rate", "training.learning_rate"},
                                  {"--precision", "training.precision"},
                                  {"--augment-rate", "augmentation.rate"},
                                  {"--augment-pitch-steps", "augmentation.pitch_steps"},
                                  {"--augment-noise-snr-db", "augmentation.noise_snr_db"},
                                  {"--augment-gain-db", "augmentation.gain_db"},
                                  {"--time-masks", "augmentation.time_masks"},
                                  {"--frequency-masks", "augmentation.frequency_masks"}})
    if (!without.contains(flag)) options.add_config(flag, key);
}

void refuse_unused_flags(const Program& program) {
  const std::string& name = program.config().text("model.name");
  for (const KeyUse& use : key_uses())
    if (use.flag && program.given(use.flag) && !use.models.contains(name))
      throw UsageError(concat(use.flag, ": --model ", name, " has no use for it (allowed with ",
                              join({use.models.begin(), use.models.end()}), ")"));
}

Config model_config(Config config, const std::string& name) {
  const std::string prefix = "cvae_";
  if (name.starts_with(prefix)) {
    config.set_from_flag({"model.name", "cvae", "--models"});
    config.set_from_flag({"model.condition", name.substr(prefix.size()), "--models"});
  } else {
    config.set_from_flag({"model.name", name, "--models"});
  }
  return config;
}

std::string run_name(const Config& config) {
  const std::string& name = config.text("model.name");
  return name == "cvae" ? name + "_" + config.text("model.condition") : name;
}

std::string canonical_name(const std::string& option, const std::string& name, const std::string& condition) {
  static const std::map<std::string, std::string> aliases{
      {"basic_vae", "basic"}, {"conv_vae", "conv"}, {"beta_vae", "beta"}, {"cvae", "cvae_" + condition}};
  const auto found = aliases.find(name);
  const std::string canonical = found == aliases.end() ? name : found->second;
  static const std::set<std::string> names{"basic", "conv", "beta", "cvae_genre", "cvae_language", "vade"};
  if (!names.contains(canonical))
    throw UsageError(concat(option, ": no such model: ", name,
                            " (allowed basic, conv, beta, cvae_genre, cvae_language, vade)"));
  return canonical;
}

namespace {

audio::FeatureParams feature_params(const Config& config) {
  const auto whole = [&](const char* key) { return static_cast<std::int32_t>(config.integer(key)); };
  const auto single = [&](const char* key) { return static_cast<float>(config.real(key)); };
  audio::FeatureParams params;
  audio::MelParams& mel = params.mel;
  mel.sample_rate = whole("features.sample_rate");
  mel.n_fft = whole("features.n_fft");
  mel.hop_length = whole("features.hop_length");
  mel.win_length = whole("features.win_length");
  mel.window =
      pick<audio::Window>(config.text("features.window_function"), {{"hann", audio::Window::hann},
                                                                    {"hamming", audio::Window::hamming},
                                                                    {"blackman", audio::Window::blackman},
                                                                    {"bartlett", audio::Window::bartlett},
                                                                    {"boxcar", audio::Window::rectangular}});
  mel.center = config.boolean("features.center");
  mel.pad_mode = pick<PadMode>(
      config.text("features.pad_mode"),
      {{"constant", PadMode::constant}, {"reflect", PadMode::reflect}, {"edge", PadMode::edge}});
  mel.power = single("features.power");
  mel.n_mels = whole("features.n_mels");
  mel.fmin = single("features.fmin");
  mel.fmax = single("features.fmax");
  mel.htk = config.boolean("features.htk");
  if (config.text("features.mel_norm") == "none") mel.norm.kind = audio::BandNorm::Kind::none;
  params.amin = single("features.amin");
  params.top_db = config.real("features.top_db") > 0 ? single("features.top_db") : -1.0f;
  params.n_mfcc = config.integer("features.n_mfcc");
  params.dct_type = whole("features.dct_type");
  params.ortho = config.text("features.dct_norm") == "ortho";
  params.lifter = config.real("features.lifter");
  params.delta_width = whole("features.delta_width");
  params.delta_order = whole("features.delta_order");
  return params;
}

}  // namespace

data::FeatureSettings feature_settings(const Config& config, const std::string& kind) {
  data::FeatureSettings settings;
  settings.kind = kind.empty() ? config.text("features.kind") : kind;
  if (settings.kind == "auto") settings.kind = fully_connected(config) ? "statistics" : "mel_db";
  settings.duration = config.real("features.duration");
  settings.window = config.real("features.window");
  settings.hop = config.real("features.hop");
  settings.params = feature_params(config);
  return settings;
}

Condition make_condition(const Config& config, const std::vector<data::Song>& songs,
                         const std::vector<std::string>& known) {
  Condition condition;
  if (config.text("model.name") != "cvae") return condition;
  const std::string& column = config.text("model.condition");
  const auto label = [&](const data::Song& song) { return column == "genre" ? song.genre : song.language; };
  std::set<std::string> classes(known.begin(), known.end());
  if (known.empty())
    for (const data::Song& song : songs) classes.insert(label(song));
  if (classes.size() < 2)
    throw InputError(concat("--condition: every song has the same ", column, ": ", *classes.begin(),
                            " (allowed two or more classes)"));
  condition.classes.assign(classes.begin(), classes.end());
  for (const data::Song& song : songs) {
    const auto found = std::lower_bound(condition.classes.begin(), condition.classes.end(), label(song));
    if (found == condition.classes.end() || *found != label(song))
      throw InputError(concat("--condition: ", song.song_id, " has a ", column,
                              " the model was not trained with: ", label(song)));
    condition.labels.push_back(found - condition.classes.begin());
  }
  return condition;
}

models::VaeOptions vae_options(const Config& config, const Shape& row_shape, std::int64_t classes) {
  models::VaeOptions options;
  models::NetworkOptions& network = options.network;
  const std::string& name = config.text("model.name");
  network.input_dim = element_count(row_shape);
  network.hidden = config.integers("model.hidden");
  network.latent_dim = config.integer("model.latent_dim");
  network.dropout = static_cast<float>(config.real("model.dropout"));
  network.likelihood.kind =
      pick<Likelihood>(config.text("model.likelihood"), {{"squared_error", Likelihood::squared_error},
                                                         {"gaussian", Likelihood::gaussian},
                                                         {"bernoulli", Likelihood::bernoulli},
                                                         {"laplace", Likelihood::laplace}});
  network.likelihood.scale = static_cast<float>(config.real("model.likelihood_scale"));
  if (!fully_connected(config)) {
    if (row_shape.size() != 2)
      throw UsageError(concat("--model: ", name,
                              " needs spectrograms: features.kind statistics (allowed mel_db, mfcc, both)"));
    network.backbone =
        pick<models::Backbone>(config.text("model.arch"), {{"pooled", models::Backbone::pooled},
                                                           {"deep", models::Backbone::deep},
                                                           {"flat", models::Backbone::flat}});
    network.channels = config.integers("model.channels");
    const std::int64_t crop = config.integer("training.crop_frames");
    const bool whole = crop == 0 || crop > row_shape[1] || network.backbone == models::Backbone::flat;
    network.image = {row_shape[0], whole ? row_shape[1] : crop};
    network.condition = {classes, config.integer("model.condition_dim"),
                         config.text("model.condition_mode") == "film"};
  }
  options.reduction = pick<models::Reduction>(
      config.text("model.reduction"), {{"sum", models::Reduction::sum}, {"mean", models::Reduction::mean}});
  options.free_bits = static_cast<float>(config.real("training.free_bits"));
  options.kl_capacity = config.text("training.kl_schedule") == "capacity";
  if (name == "vade") {
    options.components = config.integer("model.n_clusters");
    options.mixture_rate = static_cast<float>(config.real("training.mixture_rate"));
  }
  if (name == "beta") {
    using models::Disentanglement;
    options.disentanglement =
        pick<Disentanglement>(config.text("model.objective"), {{"elbo", Disentanglement::none},
                                                               {"tc", Disentanglement::total_correlation},
                                                               {"factor", Disentanglement::factor}});
    options.tc_weight = static_cast<float>(config.real("model.beta")) - 1.0f;  // the KL holds it once
  }
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
  if (config.text("model.name") == "beta" && config.text("model.objective") == "elbo")
    options.kl.weight *= config.real("model.beta");
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
  for (const KeyUse& use : key_uses())
    if (!use.models.contains(config.text("model.name"))) free.insert(use.key);
  if (!augments(config))
    for (const ConfigKey& key : config_schema())
      if (key.name.starts_with("augmentation.")) free.insert(key.name);
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
  result.row_shape = set.row_shape;
  std::vector<std::string> ids, languages;
  std::string all_ids;
  for (const data::Song& song : set.songs) {
    ids.push_back(song.song_id);
    languages.push_back(song.language);
    all_ids += song.song_id + "\n";
  }
  result.split = data::split_songs(ids, languages, config.real("training.validation_fraction"),
                                   config.unsigned_integer("training.seed"));
  result.songs = std::move(set.songs);
  result.song_of_row = std::move(set.song_of_row);
  result.condition = make_condition(config, result.songs);
  if (!result.condition.labels.empty())
    result.data.labels =
        Tensor::from_host(by_clip(result.condition.labels, result.song_of_row), {set.values.dim(0)});
  if (set.row_shape.size() == 2) result.data.bands = set.row_shape[0];
  result.data.train_rows = clips_of(result.split.train, result.song_of_row);
  result.data.validation_rows = clips_of(result.split.validation, result.song_of_row);
  result.data.identity = training_identity(config);
  result.data.identity["data.songs"] = data::text_hash(all_ids);
  for (const std::string& name : result.condition.classes)
    result.data.identity["data.classes"] += name + "\n";
  result.data.features = set.values;
  if (settings.kind == "statistics") {  // columns of different units
    std::vector<float> values = set.values.to_host<float>();
    const std::int64_t columns = set.values.dim(1);
    const ColumnScale scale = column_scale(values, columns, result.data.train_rows);
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
