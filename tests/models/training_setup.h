// SPDX-License-Identifier: MIT
// A small training problem for tests of the trainer.
#pragma once
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "models/checkpoint.h"
#include "models/trainer.h"
#include "tensor/safetensors.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::models::testing {

using chorale::testing::slurp;
using chorale::testing::TemporaryFolder;

/// `rows` noisy sinusoids of `columns` points.
inline Tensor waves(std::int64_t rows, std::int64_t columns) {
  std::vector<float> x(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      x[static_cast<std::size_t>(r * columns + c)] = std::sin(0.1f * static_cast<float>(c * (1 + r % 3))) +
                                                     0.1f * std::cos(static_cast<float>(7 * r + 3 * c));
  return Tensor::from_host(x, {rows, columns});
}

struct Problem {
  VaeOptions model;
  TrainerOptions options;
  std::int64_t rows = 37;
  std::int64_t song_frames = 0;  ///< of spectrograms that are longer than what the model sees
  MaskParams masks;
  Problem() {
    model.network.input_dim = 40;
    model.network.hidden = {24, 12};
    model.network.latent_dim = 5;
    options.epochs = 4;
    options.batch_size = 8;
    options.early_stopping_patience = 0;
    options.optimizer.weight_decay = 1e-4f;
    options.control.max_gradient_norm = 0.5f;
    options.learning_rate.base = 1e-3;
    options.kl.warmup_epochs = 2;
  }
  TrainingData data() const {
    const NetworkOptions& network = model.network;
    const bool images = network.backbone != Backbone::fully_connected;
    const std::int64_t frames = std::max(song_frames, network.image.width);
    TrainingData data;
    data.features = waves(rows, images ? network.image.height * frames : network.input_dim);
    if (images) data.bands = network.image.height;
    data.augmentation.masks = masks;
    if (network.condition.classes > 0) {
      std::vector<std::int64_t> labels;
      for (std::int64_t r = 0; r < rows; ++r) labels.push_back(r % network.condition.classes);
      data.labels = Tensor::from_host(labels, {rows});
    }
    for (std::int64_t r = 0; r < rows; ++r)
      (r % 5 == 4 ? data.validation_rows : data.train_rows).push_back(r);
    data.identity = {{"model.latent_dim", std::to_string(network.latent_dim)}};
    return data;
  }
};

/// A small one of each kind of model: basic, conv, deep (on crops), masked (the same under masks), cvae,
/// film, vade, tc, factor.
inline Problem small_problem(const std::string& name) {
  Problem problem;
  NetworkOptions& network = problem.model.network;
  if (name == "vade") problem.model.components = 4;
  if (name == "tc" || name == "factor") {
    problem.model.disentanglement =
        name == "tc" ? Disentanglement::total_correlation : Disentanglement::factor;
    problem.options.kl.kind = autograd::KlOptions::Kind::constant;  // the penalty counts from the first step
    problem.model.tc_weight = 3;
    problem.model.samples = 30;
  }
  const bool crops = name == "deep" || name == "masked";
  if (name == "conv" || crops || name == "cvae" || name == "film") {
    network.backbone = crops ? Backbone::deep : name == "film" ? Backbone::pooled : Backbone::flat;
    network.image = {10, 13};
    network.channels = {4, 8};
    network.latent_dim = 3;
    problem.options.epochs = 3;
  }
  if (crops) problem.song_frames = 19;
  if (name == "masked") problem.masks = {1, 5, 2, 3};
  if (name == "cvae" || name == "film") network.condition = {3, 4, name == "film"};
  return problem;
}

/// A trainer with its model, prepared.
struct TrainingRun {
  std::unique_ptr<Vae> model;
  std::unique_ptr<Trainer> trainer;
  TrainingRun(const Problem& problem, const std::string& folder, TrainingData data)
      : model(std::make_unique<Vae>(problem.model)),
        trainer(std::make_unique<Trainer>(*model, std::move(data), problem.options, folder)) {
    trainer->prepare();
  }
  TrainingRun(const Problem& problem, const std::string& folder)
      : TrainingRun(problem, folder, problem.data()) {}
  /// The loss of the epoch so far, after each step of `epochs` epochs from the first on.
  std::vector<double> train(int epochs) {
    std::vector<double> losses;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      trainer->begin_epoch(epoch);
      while (!trainer->epoch_done()) {
        trainer->step();
        losses.push_back(trainer->read_metrics().loss);
      }
    }
    return losses;
  }
  std::vector<float> weights() {
    std::vector<float> all;
    for (const auto& p : model->parameters().named()) {
      const auto values = p.value.to_host<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
};

}  // namespace chorale::models::testing
