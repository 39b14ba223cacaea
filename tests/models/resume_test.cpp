// SPDX-License-Identifier: MIT
// N + M steps in one go equal N steps, an interruption, and M steps: the same checkpoint and log, byte for
// byte.
#include <gtest/gtest.h>

#include "models/checkpoint.h"
#include "tests/models/training_setup.h"

namespace chorale::models::testing {
namespace {

TrainerCallbacks stop_after(int steps) {
  TrainerCallbacks callbacks;
  auto left = std::make_shared<int>(steps);
  callbacks.interrupted = [left] { return (*left)-- <= 0; };
  return callbacks;
}

/// The whole run of `problem`, and one that is interrupted after `stop` steps and resumed.
void expect_bit_exact_resume(const Problem& problem, int stop) {
  const TemporaryFolder whole, parts;
  TrainingRun run(problem, whole.path());
  EXPECT_FALSE(run.trainer->run().interrupted);

  TrainingRun first(problem, parts.path());
  EXPECT_TRUE(first.trainer->run(stop_after(stop)).interrupted);
  TrainingRun second(problem, parts.path());
  ASSERT_TRUE(second.trainer->resume());
  const TrainingResult result = second.trainer->run();
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(result.epochs_run, problem.options.epochs);

  EXPECT_EQ(run.weights(), second.weights());
  for (const char* file : {"/history.csv", "/last.safetensors", "/best.safetensors"})
    EXPECT_EQ(slurp(whole.path() + file), slurp(parts.path() + file)) << file;
}

class Resume : public ::testing::TestWithParam<std::tuple<std::string, int, int>> {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

TEST_P(Resume, IsBitExact) {
  const auto& [precision, accumulation, stop] = GetParam();
  Problem problem;
  problem.options.precision = autograd::make_precision(precision, context_);
  // Large enough that the first steps overflow and are skipped.
  if (problem.options.precision.dynamic_loss_scale) problem.options.precision.initial_loss_scale = 0x1p20f;
  problem.options.control.growth_interval = 5;
  problem.options.accumulation = accumulation;

  expect_bit_exact_resume(problem, stop);
}

// 0: before the first step; 2: inside an epoch; 4: at the end of one (37 rows, 30 of them for training).
INSTANTIATE_TEST_SUITE_P(All, Resume,
                         ::testing::Combine(::testing::Values("fp32", "bf16", "fp16"),
                                            ::testing::Values(1, 2), ::testing::Values(0, 1, 2, 4, 7)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_accumulation" +
                                  std::to_string(std::get<1>(info.param)) + "_stop" +
                                  std::to_string(std::get<2>(info.param));
                         });

class ResumeModels : public ::testing::TestWithParam<std::tuple<std::string, std::string, int>> {};

TEST_P(ResumeModels, IsBitExact) {
  const auto& [model, precision, stop] = GetParam();
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  Problem problem = small_problem(model);
  problem.options.precision = autograd::make_precision(precision, context);
  expect_bit_exact_resume(problem, stop);
}

INSTANTIATE_TEST_SUITE_P(All, ResumeModels,
                         ::testing::Combine(::testing::Values("conv", "deep", "masked", "cvae", "film",
                                                              "vade", "tc", "factor"),
                                            ::testing::Values("fp32", "bf16"), ::testing::Values(2, 4, 7)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param) + "_stop" +
                                  std::to_string(std::get<2>(info.param));
                         });

TEST(ResumeFaults, RefusesAnotherConfigurationAndListsIt) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  Problem problem;
  problem.options.epochs = 1;
  const TemporaryFolder folder;
  TrainingRun(problem, folder.path()).trainer->run();
  TrainingData data = problem.data();
  data.identity["model.latent_dim"] = "6";
  TrainingRun other(problem, folder.path(), std::move(data));
  try {
    other.trainer->resume();
    FAIL() << "resumed a different run";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("model.latent_dim is 5 there and 6 here"), std::string::npos)
        << error.what();
  }
}

TEST(ResumeFaults, RefusesARunWithMoreSettings) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  Problem problem;
  problem.options.epochs = 1;
  const TemporaryFolder folder;
  TrainingData data = problem.data();
  data.identity["augmentation.rate"] = "1.1";
  TrainingRun(problem, folder.path(), std::move(data)).trainer->run();
  TrainingRun other(problem, folder.path());
  try {
    other.trainer->resume();
    FAIL() << "resumed a different run";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("augmentation.rate is 1.1 there and (absent) here"),
              std::string::npos)
        << error.what();
  }
}

TEST(ResumeFaults, NothingToResume) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  const TemporaryFolder folder;
  EXPECT_FALSE(TrainingRun(Problem(), folder.path()).trainer->resume());
}

TEST(ResumeFaults, EveryAlteredByteIsRefused) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  Problem problem;
  problem.options.epochs = 1;
  const TemporaryFolder folder;
  TrainingRun(problem, folder.path()).trainer->run();
  const std::string path = folder.path() + "/last.safetensors", good = slurp(path);
  ASSERT_GT(good.size(), 1000u);
  for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 97) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    std::ofstream(path, std::ios::binary) << bad;
    EXPECT_THROW(read_checkpoint(path), InputError) << "byte " << at << " of " << good.size();
  }
  for (std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, good.size() / 2, good.size() - 1}) {
    std::ofstream(path, std::ios::binary) << good.substr(0, size);
    EXPECT_THROW(read_checkpoint(path), InputError) << "cut to " << size;
  }
}

}  // namespace
}  // namespace chorale::models::testing
