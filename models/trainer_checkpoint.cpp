// SPDX-License-Identifier: MIT
// Saving and resuming a training run.
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "models/checkpoint.h"
#include "models/discriminator.h"
#include "models/trainer.h"
#include "tensor/file.h"

namespace chorale::models {
namespace {

constexpr const char* identity_prefix = "identity.";
constexpr const char* history_header =
    "epoch,train_loss,train_reconstruction,train_kl,validation_loss,validation_reconstruction,validation_kl,"
    "monitored,"
    "learning_rate,kl_weight,loss_scale,gradient_norm,skipped_steps\n";

/// Shortest text that reads back as the same double; independent of the locale.
std::string exact(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return {text, end.ptr};
}

double parse(const std::string& text, const std::string& what) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw InputError("checkpoint: " + what + ": no number: " + printable(text));
  return value;
}

std::string history_text(const std::vector<EpochRecord>& history) {
  std::string text = history_header;
  for (const EpochRecord& r : history) {
    text += std::to_string(r.epoch);
    for (double value :
         {r.train.loss, r.train.reconstruction, r.train.kl, r.validation.loss, r.validation.reconstruction,
          r.validation.kl, r.monitored, r.learning_rate, r.kl_weight, r.loss_scale, r.gradient_norm})
      text += "," + exact(value);
    text += "," + std::to_string(r.skipped_steps) + "\n";
  }
  return text;
}

std::vector<EpochRecord> parse_history(const std::string& text) {
  std::vector<EpochRecord> history;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  if (line + "\n" != history_header)
    throw InputError("checkpoint: history: unknown columns: " + printable(line));
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::vector<double> v;
    for (std::string cell; std::getline(cells, cell, ',');) v.push_back(parse(cell, "history"));
    if (v.size() != 13) throw InputError("checkpoint: history: ragged line: " + printable(line));
    history.push_back({static_cast<int>(v[0]),
                       {v[1], v[2], v[3]},
                       {v[4], v[5], v[6]},
                       v[7],
                       v[8],
                       v[9],
                       v[10],
                       v[11],
                       static_cast<std::int64_t>(v[12])});
  }
  return history;
}

void add_moments(Checkpoint& checkpoint, const autograd::ParameterStore& parameters) {
  for (const auto& p : parameters.named()) {
    checkpoint.tensors.push_back(
        {"optimizer.exp_avg." + p.name, autograd::to_file_layout(p.first_moment, p.file)});
    checkpoint.tensors.push_back(
        {"optimizer.exp_avg_sq." + p.name, autograd::to_file_layout(p.second_moment, p.file)});
  }
}

void load_moments(const Checkpoint& checkpoint, const autograd::ParameterStore& parameters) {
  for (auto& p : parameters.named()) {
    autograd::copy_from_file_layout(p.first_moment, p.file, checkpoint.tensor("optimizer.exp_avg." + p.name));
    autograd::copy_from_file_layout(p.second_moment, p.file,
                                    checkpoint.tensor("optimizer.exp_avg_sq." + p.name));
  }
}

}  // namespace

void Trainer::save(bool best) {
  if (folder_.empty()) return;
  Checkpoint checkpoint;
  checkpoint.tensors = model_tensors(model_);
  add_moments(checkpoint, model_.parameters());
  if (Discriminator* second = model_.discriminator()) {
    for (const auto& p : second->parameters().named()) checkpoint.tensors.push_back({p.name, p.value});
    add_moments(checkpoint, second->parameters());
    const StepState other = discriminator_state_->read();
    checkpoint.metadata["discriminator.step"] = std::to_string(other.step);
    checkpoint.metadata["discriminator.rng_offset"] = std::to_string(other.rng_offset);
  }
  for (const NamedBuffer& buffer : data_.extra) checkpoint.tensors.push_back(buffer);
  checkpoint.tensors.push_back({"training.metric_sums", sums_});

  Metadata& texts = checkpoint.metadata;
  for (const auto& [key, value] : data_.identity) texts[identity_prefix + key] = value;
  const StepState state = state_->read();
  texts["state.seed"] = std::to_string(state.seed);
  texts["state.rng_offset"] = std::to_string(state.rng_offset);
  texts["state.step"] = std::to_string(state.step);
  texts["state.cursor"] = std::to_string(state.cursor);
  texts["state.step_in_epoch"] = std::to_string(state.step_in_epoch);
  texts["state.skipped"] = std::to_string(state.skipped);
  texts["state.loss_scale"] = exact(state.loss_scale);
  texts["state.growth_counter"] = std::to_string(state.growth_counter);
  texts["state.consecutive_skips"] = std::to_string(state.consecutive_skips);
  texts["epoch"] = std::to_string(epoch_);
  texts["epoch_open"] = std::to_string(epoch_open_ ? 1 : 0);
  texts["next_row"] = std::to_string(next_row_);
  texts["best_monitored"] = exact(best_);
  texts["best_epoch"] = std::to_string(best_epoch_);
  texts["schedule.rate"] = exact(schedule_.state().rate);
  texts["schedule.best"] = exact(schedule_.state().best);
  texts["schedule.bad_epochs"] = std::to_string(schedule_.state().bad_epochs);
  texts["history"] = history_text(history_);

  const std::string last = folder_ + "/last.safetensors";
  try {
    write_checkpoint(last, checkpoint);
  } catch (const NumericalError& error) {
    throw NumericalError(std::string(error.what()) + ", first in " + first_non_finite());
  }
  if (best) keep_as_best();
}

/// The same file under two names: `last` is replaced by a new file next time, `best` keeps this one.
void Trainer::keep_as_best() const {
  const std::string last = folder_ + "/last.safetensors", best = folder_ + "/best.safetensors";
  const std::string temporary = best + ".new";
  std::error_code error;
  std::filesystem::remove(temporary, error);
  std::filesystem::create_hard_link(last, temporary, error);
  if (error) std::filesystem::copy_file(last, temporary, error);
  if (!error) std::filesystem::rename(temporary, best, error);
  // rename() leaves both names where they already are one file.
  std::error_code ignored;
  std::filesystem::remove(temporary, ignored);
  if (error) throw InputError(best + ": cannot be written: " + error.message());
}

void Trainer::write_history() const {
  if (!folder_.empty()) write_file(folder_ + "/history.csv", history_text(history_));
}

bool Trainer::resume() {
  const std::string path = folder_ + "/last.safetensors";
  if (!std::filesystem::exists(path)) return false;
  const Checkpoint checkpoint = read_checkpoint(path);

  std::string differing;
  for (const auto& [key, value] : data_.identity) {
    const auto found = checkpoint.metadata.find(identity_prefix + key);
    const std::string stored = found == checkpoint.metadata.end() ? "(absent)" : found->second;
    if (stored != value)
      differing += (differing.empty() ? "" : ", ") + key + " is " + printable(stored) + " there and " +
                   printable(value) + " here";
  }
  const std::size_t prefix = std::string(identity_prefix).size();
  for (const auto& [key, value] : checkpoint.metadata)
    if (key.starts_with(identity_prefix) && !data_.identity.contains(key.substr(prefix)))
      differing += (differing.empty() ? "" : ", ") + key.substr(prefix) + " is " + printable(value) +
                   " there and (absent) here";
  if (!differing.empty()) throw InputError(path + ": cannot resume a different run: " + differing);

  load_model(model_, checkpoint);
  load_moments(checkpoint, model_.parameters());
  const auto number = [&](const char* key) { return parse(checkpoint.text(key), key); };
  const auto integer = [&](const char* key) { return static_cast<std::int64_t>(number(key)); };
  schedule_.restore(
      {number("schedule.rate"), number("schedule.best"), static_cast<int>(integer("schedule.bad_epochs"))});
  history_ = parse_history(checkpoint.text("history"));
  best_ = number("best_monitored");
  best_epoch_ = static_cast<int>(integer("best_epoch"));
  const int epoch = static_cast<int>(integer("epoch"));
  const bool open = integer("epoch_open") != 0;

  StepState state = state_->read();
  state.rng_offset = static_cast<std::uint64_t>(integer("state.rng_offset"));
  state.step = integer("state.step");
  state.skipped = integer("state.skipped");
  state.loss_scale = static_cast<float>(number("state.loss_scale"));
  state.growth_counter = static_cast<std::int32_t>(integer("state.growth_counter"));
  state.consecutive_skips = static_cast<std::int32_t>(integer("state.consecutive_skips"));
  state_->write(state);
  if (Discriminator* second = model_.discriminator()) {
    for (auto& p : second->parameters().named()) p.value.copy_from(checkpoint.tensor(p.name));
    load_moments(checkpoint, second->parameters());
    StepState other = discriminator_state_->read();
    other.step = integer("discriminator.step");
    other.rng_offset = static_cast<std::uint64_t>(integer("discriminator.rng_offset"));
    discriminator_state_->write(other);
  }
  epoch_ = epoch;
  epoch_open_ = false;
  if (!open && best_epoch_ == epoch) keep_as_best();  // the run may have died between its two names
  if (open) {  // stopped inside an epoch: the same order, from the same place, with the sums so far
    begin_epoch(epoch);
    go_to(integer("state.cursor"), integer("state.step_in_epoch"));
    next_row_ = integer("next_row");
    sums_.copy_from(checkpoint.tensor("training.metric_sums"));
  }
  return true;
}

}  // namespace chorale::models
