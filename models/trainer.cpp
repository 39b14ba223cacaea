// SPDX-License-Identifier: MIT
#include "models/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/launch.h"
#include "kernels/philox.h"
#include "models/checkpoint.h"
#include "models/discriminator.h"
#include "models/streams.h"

namespace chorale::models {
namespace {

constexpr int metric_count = 3;  // loss, reconstruction, kl
constexpr std::int64_t steps_between_checks = 100;
constexpr int most_consecutive_skips = 50;
constexpr std::uint32_t shuffle_stream = 0x53484546u;

}  // namespace

std::vector<std::int64_t> shuffled(std::vector<std::int64_t> rows, std::uint64_t seed, int epoch) {
  for (std::size_t i = rows.size(); i > 1; --i) {
    const auto block = philox::block(seed, static_cast<std::uint64_t>(epoch), shuffle_stream, i);
    const std::uint64_t word = (std::uint64_t{block.word[0]} << 32) | block.word[1];
    std::swap(rows[i - 1], rows[word % i]);
  }
  return rows;
}

Trainer::Trainer(Vae& model, TrainingData data, TrainerOptions options, std::string folder)
    : model_(model),
      data_(std::move(data)),
      options_(options),
      folder_(std::move(folder)),
      schedule_(options.learning_rate) {
  options_.control.beta1 = options_.optimizer.beta1;
  options_.control.beta2 = options_.optimizer.beta2;
  options_.control.dynamic_loss_scale = options_.precision.dynamic_loss_scale;
}

void Trainer::prepare() {
  const auto rows = static_cast<std::int64_t>(data_.train_rows.size());
  if (rows < 2)
    throw InputError("training data: too few songs to train on: " + std::to_string(rows) +
                     " (allowed 2 or more)");
  options_.batch_size = std::min(options_.batch_size, rows);
  if (options_.batch_size < 2)
    throw UsageError("--batch-size: batch normalisation needs two songs: " +
                     std::to_string(options_.batch_size) + " (allowed 2 or more)");
  if (const MaskParams& masks = data_.augmentation.masks;
      data_.bands == 0 && masks.time_masks + masks.frequency_masks > 0)
    throw UsageError("augmentation.time_masks, frequency_masks: features without frames cannot be masked: " +
                     std::to_string(masks.time_masks) + ", " + std::to_string(masks.frequency_masks) +
                     " (allowed 0, or spectrograms)");
  const bool one_use = options_.accumulation == 1;
  model_.allocate(
      {.precision = options_.precision, .factor_rows = one_use ? options_.batch_size : 0, .training = true},
      options_.seed);
  state_ = std::make_unique<autograd::TrainState>(
      StepState{.seed = options_.seed, .loss_scale = options_.precision.initial_loss_scale});
  optimizer_ =
      std::make_unique<autograd::Optimizer>(model_.parameters(), options_.optimizer, options_.control);
  if (Discriminator* second = model_.discriminator()) {
    if (options_.accumulation != 1)
      throw UsageError("training.accumulation: the factor objective takes one batch a step: " +
                       std::to_string(options_.accumulation) + " (allowed 1)");
    discriminator_state_ = std::make_unique<autograd::TrainState>(StepState{.seed = options_.seed});
    OptimizerParams adam = options_.optimizer;
    adam.kind = OptimizerKind::adam;
    adam.beta1 = 0.5;  // the paper's settings for the discriminator
    adam.beta2 = 0.9;
    adam.weight_decay = 0;
    StepControl control = options_.control;
    control.beta1 = adam.beta1;
    control.beta2 = adam.beta2;
    control.dynamic_loss_scale = false;
    discriminator_optimizer_ = std::make_unique<autograd::Optimizer>(second->parameters(), adam, control);
  }
  graph_ = std::make_unique<StepGraph>(current_context());
  order_ = Tensor({rows}, DType::i64);
  if (!data_.validation_rows.empty())
    validation_order_ =
        Tensor::from_host(data_.validation_rows, {static_cast<std::int64_t>(data_.validation_rows.size())});
  sums_ = Tensor::zeros({metric_count, 2}, DType::f64);
  for (Tensor* table : {&learning_rates_, &kl_weights_, &kl_capacities_})
    *table = Tensor({steps_per_epoch()}, DType::f32);
}

std::int64_t Trainer::steps_per_epoch() const {
  const auto rows = static_cast<std::int64_t>(data_.train_rows.size());
  const std::int64_t per_step = options_.batch_size * options_.accumulation;
  return (rows + per_step - 1) / per_step;
}

/// Sizes of the micro-batches of the next update. A last batch of one row, which batch normalisation cannot
/// take, is joined to the one before it.
std::vector<std::int64_t> Trainer::next_micro_batches() const {
  std::int64_t left = static_cast<std::int64_t>(data_.train_rows.size()) - next_row_;
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < options_.accumulation && left > 0; ++i) {
    std::int64_t rows = std::min(left, options_.batch_size);
    if (left - rows == 1) ++rows;
    sizes.push_back(rows);
    left -= rows;
  }
  return sizes;
}

void Trainer::begin_epoch(int epoch) {
  epoch_ = epoch;
  epoch_open_ = true;
  next_row_ = 0;
  order_.upload(shuffled(data_.train_rows, options_.seed, epoch).data(), DType::i64);
  const std::int64_t steps = steps_per_epoch();
  learning_rates_.upload(schedule_.epoch_rates(epoch, steps).data(), DType::f32);
  const autograd::KlTables kl = autograd::kl_tables(options_.kl, epoch, steps);
  kl_weights_.upload(kl.weights.data(), DType::f32);
  kl_capacities_.upload(kl.capacities.data(), DType::f32);
  go_to(0, 0);
  sums_.fill(0.0);
}

void Trainer::go_to(std::int64_t row, std::int64_t step) {
  for (autograd::TrainState* const player : {state_.get(), discriminator_state_.get()}) {
    if (!player) continue;
    StepState state = player->read();
    state.cursor = row;
    state.step_in_epoch = step;
    player->write(state);
  }
}

std::int64_t Trainer::step() {
  const std::vector<std::int64_t> sizes = next_micro_batches();
  if (sizes.empty()) throw ContractError("trainer: step() after the end of the epoch");
  std::string key;
  for (std::int64_t rows : sizes) key += std::to_string(rows) + ",";
  graph_->run(key, [&] { run_step(sizes); });
  const std::int64_t rows = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  next_row_ += rows;
  return rows;
}

Batch Trainer::gather(const Tensor& order, std::int64_t rows, bool random) const {
  ExecutionContext& context = current_context();
  const StepState* state = random ? state_->device() : nullptr;
  const std::int64_t columns = data_.features.dim(1), input_dim = model_.options().network.input_dim;
  const bool fresh = random && data_.augmentation.features;
  const Tensor source = fresh ? data_.augmentation.features(order, rows, state) : data_.features;
  Batch batch;
  if (fresh && columns == input_dim) {
    batch.x = source;
  } else {
    batch.x = Tensor({rows, input_dim}, source.dtype());
    if (columns == input_dim) {
      kernel::gather_rows(context, source, order, state, batch.x);
    } else {
      kernel::gather_crops(context, source.reshape({source.dim(0), data_.bands, columns / data_.bands}),
                           fresh ? ConstView() : ConstView(order), state, stream::crop,
                           batch.x.reshape({rows, data_.bands, input_dim / data_.bands}));
    }
  }
  if (const MaskParams& masks = data_.augmentation.masks;
      random && masks.time_masks + masks.frequency_masks > 0) {
    const Shape image{rows, data_.bands, input_dim / data_.bands};
    batch.target = batch.x;
    batch.x = Tensor({rows, input_dim}, DType::f32);
    kernel::mask_features(context, batch.target.reshape(image), masks, state, stream::masks,
                          batch.x.reshape(image));
  }
  if (data_.labels.defined()) {
    batch.labels = Tensor({rows}, DType::i64);
    kernel::gather_rows(context, data_.labels, order, state, batch.labels);
  }
  return batch;
}

void Trainer::run_step(const std::vector<std::int64_t>& micro_batches) {
  ExecutionContext& context = current_context();
  Allocator& memory = *context.allocator();
  memory.reset_peak();
  const std::size_t before = memory.bytes_in_use();
  const std::int64_t total = std::accumulate(micro_batches.begin(), micro_batches.end(), std::int64_t{0});
  kernel::step_begin(context, state_->device(), learning_rates_, kl_weights_, kl_capacities_);
  for (const std::int64_t rows : micro_batches) {
    {
      const Objective objective = model_.objective(gather(order_, rows, true), *state_);
      autograd::Var loss = objective.loss;
      if (rows != total) loss = autograd::scale(loss, static_cast<float>(rows) / static_cast<float>(total));
      if (options_.precision.dynamic_loss_scale) loss = autograd::scale_by(loss, state_->loss_scale());
      loss.backward();
      int i = 0;
      for (const autograd::Var* metric : {&objective.loss, &objective.reconstruction, &objective.kl})
        kernel::accumulate_metrics(context, metric->value(), static_cast<double>(rows), sums_[i++]);
    }
    kernel::micro_batch_end(context, state_->device(), rows);
  }
  optimizer_->step(*state_);
  if (model_.discriminator()) discriminator_step();
  step_memory_ = memory.peak_bytes_in_use() - before;
}

/// FactorVAE's second player, at the model's learning rate, on the codes of the same batch.
void Trainer::discriminator_step() {
  ExecutionContext& context = current_context();
  kernel::step_begin(context, discriminator_state_->device(), learning_rates_, kl_weights_, kl_capacities_);
  model_.discriminator()->objective(discriminator_state_->device()).backward();
  kernel::micro_batch_end(context, discriminator_state_->device(), std::int64_t{0});
  discriminator_optimizer_->step(*discriminator_state_);
}

EpochMetrics Trainer::read_metrics() {
  const auto sums = sums_.to_host<double>();
  const auto average = [&](int i) {
    const double weight = sums[static_cast<std::size_t>(2 * i + 1)];
    return weight > 0 ? sums[static_cast<std::size_t>(2 * i)] / weight : std::nan("");
  };
  return {average(0), average(1), average(2)};
}

EpochMetrics Trainer::validate() {
  ExecutionContext& context = current_context();
  sums_.fill(0.0);
  const auto n = static_cast<std::int64_t>(data_.validation_rows.size());
  for (std::int64_t start = 0; start < n; start += options_.batch_size) {
    const std::int64_t rows = std::min(options_.batch_size, n - start);
    const Objective objective =
        model_.evaluate(gather(validation_order_.slice(0, start, start + rows), rows, false), *state_);
    int i = 0;
    for (const autograd::Var* metric : {&objective.loss, &objective.reconstruction, &objective.kl})
      kernel::accumulate_metrics(context, metric->value(), static_cast<double>(rows), sums_[i++]);
  }
  return read_metrics();
}

EpochRecord Trainer::end_epoch(const TrainerCallbacks& callbacks) {
  EpochRecord record;
  record.epoch = epoch_ + 1;
  record.train = read_metrics();
  const StepState state = state_->read();
  check_health(state);
  record.validation = data_.validation_rows.empty() ? record.train : validate();
  record.monitored = record.validation.reconstruction + options_.kl.weight * record.validation.kl;
  record.learning_rate = state.learning_rate;
  record.kl_weight = state.kl_weight;
  record.loss_scale = state.loss_scale;
  record.gradient_norm = state.gradient_norm;
  record.skipped_steps = state.skipped;
  schedule_.observe(record.monitored);
  history_.push_back(record);
  epoch_open_ = false;
  const bool best = std::isfinite(record.monitored) && (best_epoch_ == 0 || record.monitored < best_);
  if (best) {
    best_ = record.monitored;
    best_epoch_ = record.epoch;
  }
  ++epoch_;
  callbacks.closing(record.epoch);
  save(best);
  write_history();
  return record;
}

TrainingResult Trainer::run(const TrainerCallbacks& callbacks) {
  TrainingResult result;
  const auto rows = static_cast<std::int64_t>(data_.train_rows.size());
  const auto out_of_patience = [&] {
    return options_.early_stopping_patience > 0 && best_epoch_ > 0 &&
           epoch_ - best_epoch_ >= options_.early_stopping_patience;
  };
  while (epoch_ < options_.epochs && !result.interrupted) {
    if (!epoch_open_ && out_of_patience()) {
      result.stopped_early = true;
      break;
    }
    if (!epoch_open_) begin_epoch(epoch_);
    for (std::int64_t steps = 0; !epoch_done();) {
      if (callbacks.interrupted()) {
        result.interrupted = true;
        save(false);
        break;
      }
      step();
      if (++steps % steps_between_checks == 0) {
        check_health(state_->read());
        callbacks.progress(epoch_, next_row_, rows);
      } else if (current_context().kind() == DeviceKind::cpu) {
        callbacks.progress(epoch_, next_row_, rows);
      }
    }
    if (!result.interrupted) callbacks.epoch(end_epoch(callbacks));
  }
  if (const StepState state = state_->read(); !result.interrupted && state.step == 0 && state.skipped > 0)
    fail_non_finite(state);
  result.epochs_run = epoch_;
  result.best_monitored = best_;
  result.best_epoch = best_epoch_;
  return result;
}

void Trainer::check_health(const StepState& state) {
  if (state.consecutive_skips < most_consecutive_skips) return;
  fail_non_finite(state);
}

void Trainer::fail_non_finite(const StepState& state) {
  throw NumericalError("training: non-finite gradients in " + std::to_string(state.consecutive_skips) +
                       " consecutive steps: after step " + std::to_string(state.step) + ", learning rate " +
                       std::to_string(state.learning_rate) + ", first in " + first_non_finite());
}

/// Repeats the objective on the first training rows and names the first tensor that is not finite.
std::string Trainer::first_non_finite() {
  ExecutionContext& context = current_context();
  const auto finite = [&](const Tensor& t) {
    Tensor sum = Tensor::zeros({1}, DType::f64);
    kernel::square_sum(context, t.contiguous(), sum);
    return std::isfinite(sum.item());
  };
  for (const auto& parameter : model_.parameters().named())
    if (!finite(parameter.value)) return "parameter " + parameter.name;
  for (std::int64_t row : data_.train_rows)
    if (!finite(data_.features[row])) return "features of row " + std::to_string(row);
  const Tensor rows =
      Tensor::from_host(data_.train_rows, {static_cast<std::int64_t>(data_.train_rows.size())});
  const Objective objective =
      model_.objective(gather(rows, std::min(options_.batch_size, rows.dim(0)), false), *state_);
  if (!finite(objective.reconstruction.value())) return "the reconstruction loss";
  if (!finite(objective.kl.value())) return "the KL divergence";
  return "the gradient of finite losses (reconstruction " +
         std::to_string(objective.reconstruction.value().item()) + ", KL " +
         std::to_string(objective.kl.value().item()) + ")";
}

Tensor encode_all(Vae& model, const Tensor& features, const Tensor& labels, std::int64_t batch_size) {
  const std::int64_t n = features.dim(0);
  Tensor codes({n, model.options().network.latent_dim}, DType::f32);
  for (std::int64_t start = 0; start < n; start += batch_size) {
    const std::int64_t stop = std::min(start + batch_size, n);
    const Batch batch{features.slice(0, start, stop),
                      labels.defined() ? labels.slice(0, start, stop) : Tensor()};
    codes.slice(0, start, stop).copy_from(model.encode(batch));
  }
  return codes;
}

}  // namespace chorale::models
