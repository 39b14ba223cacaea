// SPDX-License-Identifier: MIT
#include <chrono>

#include "models/checkpoint.h"
#include "tensor/file.h"
#include "tools/common/log.h"
#include "tools/common/progress.h"
#include "tools/common/signals.h"
#include "tools/common/table.h"
#include "tools/pipeline/pipeline.h"

namespace chorale::tools {

int run_training(Program& program, bool resume) {
  const Config& config = program.config();
  ExecutionContext& context = current_context();

  const std::string name = config.text("model.name");
  const std::string folder = program.common().results + "/checkpoints/" + name;
  create_directories(folder);
  const RunLock lock(folder);

  TrainingSongs songs = load_training_songs(program, config);
  log_info("device ", context.describe().name, ", ", songs.data.train_rows.size(), " songs to train on, ",
           songs.data.validation_rows.size(), " to validate");
  const auto model = models::make_vae(name, vae_options(config, songs.data.features.dim(1)));
  const models::TrainerOptions options = trainer_options(config, context);
  models::Trainer trainer(*model, std::move(songs.data), options, folder);
  trainer.prepare();
  if (resume && !trainer.resume()) log_warning("nothing to resume in ", folder, ", starting anew");
  write_file(folder + "/config.yaml", config.dump());

  std::unique_ptr<Progress> bar;
  const auto start = std::chrono::steady_clock::now();
  models::TrainerCallbacks callbacks;
  callbacks.interrupted = [] { return interrupted(); };
  callbacks.progress = [&](int epoch, std::int64_t done, std::int64_t total) {
    if (!bar)
      bar = std::make_unique<Progress>(concat("epoch ", epoch + 1, "/", options.epochs), total, "songs");
    bar->set(done);
  };
  callbacks.epoch = [&](const models::EpochRecord& r) {
    bar.reset();
    log_info("epoch ", r.epoch, "/", options.epochs, "  train ", format_number(r.train.loss), "  validation ",
             format_number(r.monitored), "  reconstruction ", format_number(r.validation.reconstruction),
             "  KL ", format_number(r.validation.kl), "  rate ", format_number(r.learning_rate),
             r.skipped_steps ? concat("  skipped ", r.skipped_steps) : std::string());
  };
  const models::TrainingResult result = trainer.run(callbacks);
  bar.reset();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  if (result.interrupted) {
    log_warning("interrupted; state saved in ", folder, "/last.safetensors, go on with --resume");
    return interrupt_exit_code();
  }
  Table table({"model", "parameters", "precision", "epochs", "best epoch", "validation loss", "seconds"});
  table.add_row({name, format_count(model->parameters().parameter_count()),
                 std::string(options.precision.name()),
                 concat(result.epochs_run, result.stopped_early ? " (early stop)" : ""),
                 concat(result.best_epoch), format_number(result.best_monitored), format_fixed(seconds, 1)});
  table.print();
  return 0;
}

}  // namespace chorale::tools
