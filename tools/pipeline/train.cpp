// SPDX-License-Identifier: MIT
#include <chrono>
#include <cmath>
#include <filesystem>

#include "kernels/launch.h"
#include "models/checkpoint.h"
#include "report/event_file.h"
#include "report/gnuplot.h"
#include "tensor/file.h"
#include "tools/common/log.h"
#include "tools/common/progress.h"
#include "tools/common/signals.h"
#include "tools/common/table.h"
#include "tools/pipeline/augmentation.h"
#include "tools/pipeline/mixture.h"
#include "tools/pipeline/pipeline.h"
#include "tools/pipeline/song_clips.h"

namespace chorale::tools {
namespace {

namespace fs = std::filesystem;

constexpr double active_variance = 0.01;  // of a unit's mean over the songs (Burda et al., ICLR 2016)

std::vector<report::Scalar> scalars(const models::EpochRecord& r) {
  return {{"loss/train", r.train.loss},
          {"loss/validation", r.monitored},
          {"reconstruction/train", r.train.reconstruction},
          {"reconstruction/validation", r.validation.reconstruction},
          {"kl/train", r.train.kl},
          {"kl/validation", r.validation.kl},
          {"schedule/learning_rate", r.learning_rate},
          {"schedule/kl_weight", r.kl_weight},
          {"step/gradient_norm", r.gradient_norm},
          {"step/loss_scale", r.loss_scale}};
}

/// <results>/visualizations/<NAME>_training.png.
void draw_learning_curves(const std::string& results, const std::string& name,
                          const std::vector<models::EpochRecord>& history) {
  if (history.empty() || !report::gnuplot_available()) return;
  std::vector<report::Curve> curves{
      {"training", {}, {}}, {"validation", {}, {}}, {"validation, reconstruction", {}, {}}};
  for (const models::EpochRecord& r : history) {
    for (report::Curve& curve : curves) curve.x.push_back(r.epoch);
    curves[0].y.push_back(r.train.loss);
    curves[1].y.push_back(r.monitored);
    curves[2].y.push_back(r.validation.reconstruction);
  }
  create_directories(results + "/visualizations");
  report::write_curves(results + "/visualizations/" + name + "_training.png", "Training of " + name, "epoch",
                       "loss", curves);
}

/// Progress bar and log lines of a run.
class Reporter {
 public:
  Reporter(std::string what, int epochs) : what_(std::move(what)), epochs_(epochs) {}
  models::TrainerCallbacks callbacks() {
    models::TrainerCallbacks callbacks;
    callbacks.interrupted = [] { return interrupted(); };
    callbacks.progress = [this](int epoch, std::int64_t done, std::int64_t total) {
      if (!bar_)
        bar_ = std::make_unique<Progress>(concat(what_, " ", epoch + 1, "/", epochs_), total, "clips");
      bar_->set(done);
    };
    callbacks.epoch = [this](const models::EpochRecord& r) {
      bar_.reset();
      log_info(what_, " ", r.epoch, "/", epochs_, "  train ", format_number(r.train.loss), "  validation ",
               format_number(r.monitored), "  reconstruction ", format_number(r.validation.reconstruction),
               "  KL ", format_number(r.validation.kl), "  rate ", format_number(r.learning_rate),
               r.skipped_steps ? concat("  skipped ", r.skipped_steps) : std::string());
    };
    return callbacks;
  }
  void close() { bar_.reset(); }

 private:
  std::string what_;
  int epochs_;
  std::unique_ptr<Progress> bar_;
};

/// Latent dimensions whose mean varies over the songs.
std::int64_t active_units(const Tensor& codes) {
  const auto values = codes.to_host<float>();
  const auto n = static_cast<std::size_t>(codes.dim(0)), d = static_cast<std::size_t>(codes.dim(1));
  std::int64_t active = 0;
  for (std::size_t j = 0; j < d; ++j) {
    double mean = 0, square = 0;
    for (std::size_t i = 0; i < n; ++i) mean += double{values[i * d + j]} / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i)
      square += std::pow(double{values[i * d + j]} - mean, 2) / static_cast<double>(n);
    active += square > active_variance;
  }
  return active;
}

}  // namespace

void print_trained(const std::vector<TrainedModel>& models) {
  Table table({"model", "parameters", "precision", "epochs", "best epoch", "validation loss", "active units",
               "step memory", "seconds"});
  for (const TrainedModel& m : models)
    table.add_row({m.name, format_count(m.parameters), m.precision,
                   concat(m.epochs, m.stopped_early ? " (early stop)" : ""), concat(m.best_epoch),
                   format_number(m.best_loss), concat(m.active_units, "/", m.latent_dim),
                   format_bytes(m.step_memory), format_fixed(m.seconds, 1)});
  table.print();
}

std::optional<TrainedModel> run_training(Program& program, const Config& config, bool resume) {
  ExecutionContext& context = current_context();
  const std::string& results = program.common().results;
  const std::string name = run_name(config), folder = results + "/checkpoints/" + name;
  create_directories(folder);
  const RunLock lock(folder);

  TrainingSongs songs = load_training_songs(program, config);
  add_augmentation(program, config, songs);
  const auto train_clips = static_cast<std::int64_t>(songs.data.train_rows.size());
  log_info(name, ": device ", context.describe().name, ", ", songs.split.train.size(), " songs to train on, ",
           songs.split.validation.size(), " to validate",
           config.real("features.window") > 0
               ? concat("; clips: ", train_clips, " and ", songs.data.validation_rows.size())
               : std::string());
  models::VaeOptions model_options =
      vae_options(config, songs.row_shape, static_cast<std::int64_t>(songs.condition.classes.size()));
  model_options.samples = static_cast<double>(train_clips);
  if (model_options.components > train_clips)
    throw UsageError(concat("--n-clusters: more components than clips to train on: ",
                            model_options.components, " (allowed up to ", train_clips, ")"));
  models::Vae model(model_options);
  const models::TrainerOptions options = trainer_options(config, context);
  models::Trainer trainer(model, songs.data, options, folder);
  trainer.prepare();
  const bool resumed = resume && trainer.resume();
  if (resume && !resumed) log_warning("nothing to resume in ", folder, ", starting anew");
  write_file(folder + "/config.yaml", config.dump());
  const auto interrupted_in = [](const std::string& where) -> std::optional<TrainedModel> {
    log_warning("interrupted; state saved in ", where, "/last.safetensors, go on with --resume");
    return std::nullopt;
  };

  const auto start = std::chrono::steady_clock::now();
  const bool mixture = model_options.components > 0;
  const std::string pretraining = folder + "/pretraining";
  if (mixture && !resumed) {
    std::error_code ignored;
    if (!resume) fs::remove_all(pretraining, ignored);
    models::TrainerOptions pretraining_options = options;
    pretraining_options.epochs = static_cast<int>(config.integer("training.pretrain_epochs"));
    Reporter pretraining_reporter("pretraining", pretraining_options.epochs);
    create_directories(pretraining);
    if (!start_mixture(model, songs.data, pretraining_options, pretraining, pretraining_reporter.callbacks()))
      return interrupted_in(pretraining);
  }
  report::EventFile events(folder);
  for (const models::EpochRecord& r : trainer.history()) events.write(r.epoch, scalars(r));
  Reporter reporter("epoch", options.epochs);
  models::TrainerCallbacks callbacks = reporter.callbacks();
  callbacks.epoch = [&, log = callbacks.epoch](const models::EpochRecord& r) {
    log(r);
    events.write(r.epoch, scalars(r));
  };
  const Tensor train_features = songs.data.features.gather_rows(songs.data.train_rows);
  if (mixture) callbacks.closing = [&](int epoch) { watch_mixture(model, train_features, epoch); };
  const models::TrainingResult result = trainer.run(callbacks);
  reporter.close();
  if (result.interrupted) return interrupted_in(folder);

  draw_learning_curves(results, name, trainer.history());
  const Tensor codes =
      song_means(models::encode_all(model, songs.data.features, songs.data.labels), songs.song_of_row);
  return TrainedModel{
      .name = name,
      .precision = std::string(options.precision.name()),
      .parameters = model.parameters().parameter_count(),
      .epochs = result.epochs_run,
      .best_epoch = result.best_epoch,
      .active_units = active_units(codes),
      .latent_dim = codes.dim(1),
      .stopped_early = result.stopped_early,
      .best_loss = result.best_monitored,
      .step_memory = static_cast<double>(trainer.step_memory()),
      .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

}  // namespace chorale::tools
