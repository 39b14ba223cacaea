// SPDX-License-Identifier: MIT
// Twenty training steps equal PyTorch's, from the same weights, batches, masks and noise
// (tests/golden/training.py).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "models/checkpoint.h"
#include "tensor/npy.h"
#include "tensor/safetensors.h"
#include "tests/models/training_setup.h"

namespace chorale::models::testing {
namespace {

const std::string golden = std::string(CHORALE_SOURCE_DIR) + "/tests/golden/";

/// Biases in front of a batch normalisation, and its running means, which carry them.
bool shifted_by_noise(const std::string& name) {
  static const std::set<std::string> biases = {"encoder.0.bias", "encoder.4.bias", "decoder.0.bias",
                                               "decoder.4.bias"};
  return biases.contains(name) || name.ends_with("running_mean");
}

class GoldenTraining : public ::testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(GoldenTraining, LossesOfTwentySteps) {
  const auto& [precision_name, run_index] = GetParam();
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  const auto settings = nlohmann::json::parse(slurp(golden + "training_basic.json"));
  const auto& expected = settings.at("runs").at(static_cast<std::size_t>(run_index));

  Problem problem;
  const NpyArray x = read_npy_host(golden + "training_basic_x.npy");
  problem.rows = x.shape.at(0);
  problem.model.network.input_dim = x.shape.at(1);
  problem.model.network.hidden = settings.at("hidden").get<std::vector<std::int64_t>>();
  problem.model.network.latent_dim = settings.at("latent_dim");
  problem.model.network.dropout = settings.at("dropout");
  const bool gaussian = expected.at("likelihood") == "gaussian";
  problem.model.network.likelihood = {gaussian ? Likelihood::gaussian : Likelihood::squared_error, 0.5f};
  problem.model.reduction = expected.at("reduction") == "sum" ? Reduction::sum : Reduction::mean;
  problem.options.seed = settings.at("seed");
  problem.options.batch_size = settings.at("batch_size");
  problem.options.precision = autograd::make_precision(precision_name, context);
  if (problem.options.precision.dynamic_loss_scale) problem.options.precision.initial_loss_scale = 64.0f;
  problem.options.optimizer.weight_decay = settings.at("weight_decay");
  problem.options.control.max_gradient_norm = settings.at("gradient_clip");
  problem.options.learning_rate.base = settings.at("learning_rate");
  problem.options.learning_rate.kind = autograd::LearningRateOptions::Kind::constant;
  problem.options.kl.kind = autograd::KlOptions::Kind::constant;
  problem.options.kl.weight = expected.at("kl_weight");

  TrainingData data;
  data.features = read_npy(golden + "training_basic_x.npy");
  for (std::int64_t r = 0; r < problem.rows; ++r) data.train_rows.push_back(r);
  TrainingRun run(problem, "", std::move(data));
  load_weights(*run.model, golden + "training_basic.safetensors");

  const double tolerance = precision_name == "fp32" ? 1e-4 : 2e-2;
  int epoch = 0;
  run.trainer->begin_epoch(epoch);
  for (std::size_t step = 0; step < expected.at("losses").size(); ++step) {
    if (run.trainer->epoch_done()) run.trainer->begin_epoch(++epoch);
    const EpochMetrics before = run.trainer->read_metrics();
    const std::int64_t rows_before = run.trainer->rows_done();
    const std::int64_t rows = run.trainer->step();
    const EpochMetrics after = run.trainer->read_metrics();
    const auto of_step = [&](double EpochMetrics::*member) {
      const double old_sum = rows_before ? before.*member * static_cast<double>(rows_before) : 0.0;
      return (after.*member * static_cast<double>(rows_before + rows) - old_sum) / static_cast<double>(rows);
    };
    const auto& losses = expected.at("losses").at(step);
    const auto near = [&](double actual, double reference, const char* what) {
      EXPECT_LE(std::abs(actual - reference), tolerance * std::max(1.0, std::abs(reference)))
          << what << ", step " << step;
    };
    near(of_step(&EpochMetrics::loss), losses.at(0), "loss");
    near(of_step(&EpochMetrics::reconstruction), losses.at(1), "reconstruction");
    // In 16 bits the KL term, a small part of the sum, is held to the precision of the sum.
    const double total = losses.at(0), kl = losses.at(2);
    const double share = precision_name == "fp32" ? kl : std::max(std::abs(total), std::abs(kl));
    EXPECT_LE(std::abs(of_step(&EpochMetrics::kl) - kl), tolerance * std::max(1.0, std::abs(share)))
        << "KL, step " << step;
    if (precision_name != "fp32") continue;
    const double norm = expected.at("gradient_norms").at(step);
    EXPECT_NEAR(run.trainer->state().read().gradient_norm, norm, 1e-3 * norm) << "step " << step;
  }
  if (precision_name != "fp32") return;
  for (const NamedBuffer& t : model_tensors(*run.model)) {
    // Batch normalisation takes the biases before it away again: their gradient is rounding noise, which Adam
    // blows up.
    if (shifted_by_noise(t.name)) continue;
    double sum = 0;
    for (float v : t.value.to_host<float>()) sum += v;
    const double reference = expected.at("final_sums").at(t.name);
    EXPECT_NEAR(sum, reference, 2e-4 * std::max(1.0, std::abs(reference))) << t.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTraining,
                         ::testing::Combine(::testing::Values("fp32", "bf16", "fp16"),
                                            ::testing::Values(0, 1)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + (std::get<1>(info.param) ? "_mean" : "_elbo");
                         });

}  // namespace
}  // namespace chorale::models::testing
