// SPDX-License-Identifier: MIT
// The training loop: data and state on the device, one StepGraph per batch shape, nothing read back inside an
// epoch but the progress read-out. Resume is bit-exact, also in the middle of an epoch.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "autograd/optimizer.h"
#include "autograd/schedules.h"
#include "models/vae.h"
#include "tensor/step_graph.h"

namespace chorale::models {

struct TrainerOptions {
  int epochs = 100;
  std::int64_t batch_size = 32;
  int accumulation = 1;  ///< batches per optimizer update; their mean is the mean over all rows
  int early_stopping_patience =
      15;  ///< epochs without improvement of the monitored loss; 0: never stop early
  std::uint64_t seed = 42;
  autograd::Precision precision;
  OptimizerParams optimizer;
  StepControl control;
  autograd::LearningRateOptions learning_rate;
  autograd::KlOptions kl;
};

/// Sums over an epoch, divided by the number of rows.
struct EpochMetrics {
  double loss = 0, reconstruction = 0, kl = 0;
};

struct EpochRecord {
  int epoch = 0;  ///< from 1
  EpochMetrics train, validation;
  /// What schedules and early stopping look at: reconstruction + final KL weight * KL, on the validation rows
  /// (the training rows where there are none).
  double monitored = 0;
  double learning_rate = 0, kl_weight = 0, loss_scale = 1, gradient_norm = 0;
  std::int64_t skipped_steps = 0;  ///< so far
};

/// How training rows are changed, anew in every step; validation rows never are.
struct Augmentation {
  /// f32 (rows, columns of TrainingData::features): the features of rows order[cursor], order[cursor + 1],
  /// ... computed from changed clips; called within a captured step. Unset: the rows of `features`.
  std::function<Tensor(const Tensor& order, std::int64_t rows, const StepState* state)> features;
  /// Of spectrograms: what the encoder does not see, while the decoder has to give all of it.
  MaskParams masks;
};

/// Where the training rows come from and go to, and what makes this run itself.
struct TrainingData {
  Tensor features;  ///< f32 (n, input_dim) on the device; with crops (n, bands * frames)
  std::int64_t bands =
      0;          ///< of a spectrogram; a model that sees fewer frames gets random crops of them. 0: none
  Tensor labels;  ///< i64 (n): the classes of the condition; undefined without one
  std::vector<std::int64_t> train_rows, validation_rows;
  Augmentation augmentation;
  /// What a checkpoint must agree with to be resumed: effective configuration, hash of the songs.
  std::map<std::string, std::string> identity;
  /// Stored in checkpoints and handed to evaluation: feature means, say.
  std::vector<NamedBuffer> extra;
};

struct TrainerCallbacks {
  std::function<bool()> interrupted = [] { return false; };
  std::function<void(const EpochRecord&)> epoch = [](const EpochRecord&) {};
  /// At the end of an epoch, before it is saved: may change the model's parameters.
  std::function<void(int epoch)> closing = [](int) {};
  /// Rows done and rows in all of the running epoch.
  std::function<void(int epoch, std::int64_t done, std::int64_t total)> progress = [](int, std::int64_t,
                                                                                      std::int64_t) {};
  std::function<void(const std::string&)> notice = [](const std::string&) {};
};

struct TrainingResult {
  int epochs_run = 0;  ///< in all, those before a resume included
  double best_monitored = 0;
  int best_epoch = 0;
  bool interrupted = false;
  bool stopped_early = false;
};

class Trainer {
 public:
  /// `folder` receives best.safetensors, last.safetensors and history.csv; empty: nothing is written.
  Trainer(Vae& model, TrainingData data, TrainerOptions options, std::string folder);

  /// Allocates the model for training. Throws InputError with fewer than two training rows.
  void prepare();
  /// Continues from last.safetensors if it is there; returns false if it is not. InputError when it is
  /// damaged or of another run (the differing keys are listed).
  bool resume();
  TrainingResult run(const TrainerCallbacks& callbacks = {});

  /// Of the epochs so far, those before a resume included.
  const std::vector<EpochRecord>& history() const { return history_; }

  /// One optimizer update on the next rows of the epoch's order; for benchmarks and goldens. prepare() and
  /// begin_epoch() come first.
  void begin_epoch(int epoch);
  std::int64_t step();                                  ///< rows consumed
  std::int64_t rows_done() const { return next_row_; }  ///< of the running epoch
  bool epoch_done() const { return next_row_ >= static_cast<std::int64_t>(data_.train_rows.size()); }
  autograd::TrainState& state() { return *state_; }
  EpochMetrics read_metrics();  ///< since begin_epoch(); synchronises
  int captured_graphs() const { return graph_->captured(); }
  /// Memory that the last step took beyond what stays: activations, their gradients, scratch. Bytes.
  std::size_t step_memory() const { return step_memory_; }

 private:
  std::int64_t steps_per_epoch() const;
  /// The next row of the epoch's order and the number of its steps done, for the model and its discriminator.
  void go_to(std::int64_t row, std::int64_t step);
  std::vector<std::int64_t> next_micro_batches() const;
  void run_step(const std::vector<std::int64_t>& micro_batches);
  EpochMetrics validate();
  EpochRecord end_epoch(const TrainerCallbacks& callbacks);
  /// The next `rows` rows of `order`: of the epoch's order, augmented, with `random`, else from its
  /// beginning, crops in the middle.
  Batch gather(const Tensor& order, std::int64_t rows, bool random) const;
  void discriminator_step();
  void check_health(const StepState& state);
  [[noreturn]] void fail_non_finite(const StepState& state);
  std::string first_non_finite();
  void save(bool best);
  void keep_as_best() const;
  void write_history() const;

  Vae& model_;
  TrainingData data_;
  TrainerOptions options_;
  std::string folder_;
  autograd::LearningRateSchedule schedule_;
  std::unique_ptr<autograd::TrainState> state_;
  std::unique_ptr<autograd::Optimizer> optimizer_;
  std::unique_ptr<autograd::TrainState> discriminator_state_;
  std::unique_ptr<autograd::Optimizer> discriminator_optimizer_;
  std::unique_ptr<StepGraph> graph_;
  Tensor order_, validation_order_, sums_;
  Tensor learning_rates_, kl_weights_, kl_capacities_;
  std::vector<EpochRecord> history_;
  int epoch_ = 0;  ///< the running one, from 0
  bool epoch_open_ = false;
  std::int64_t next_row_ = 0;
  double best_ = 0;
  int best_epoch_ = 0;
  std::size_t step_memory_ = 0;
};

/// The order of `rows` in an epoch: a Fisher-Yates shuffle on Philox numbers of (seed, epoch).
std::vector<std::int64_t> shuffled(std::vector<std::int64_t> rows, std::uint64_t seed, int epoch);

/// mu of every row of `features`, in batches: f32 (n, latent_dim). `labels` i64 (n) for a conditional model.
Tensor encode_all(Vae& model, const Tensor& features, const Tensor& labels = {},
                  std::int64_t batch_size = 64);

}  // namespace chorale::models
