// SPDX-License-Identifier: MIT
#include "models/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "kernels/launch.h"
#include "models/checkpoint.h"
#include "tests/models/training_setup.h"

namespace chorale::models::testing {
namespace {

class TrainerTest : public ::testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

TEST_F(TrainerTest, LossFalls) {
  Problem problem;
  problem.options.epochs = 40;
  std::vector<EpochRecord> records;
  TrainerCallbacks callbacks;
  callbacks.epoch = [&](const EpochRecord& r) { records.push_back(r); };
  TrainingRun run(problem, "");
  const TrainingResult result = run.trainer->run(callbacks);
  ASSERT_EQ(records.size(), 40u);
  EXPECT_LT(records.back().train.reconstruction, records.front().train.reconstruction - 1.0);
  EXPECT_LT(records.back().validation.reconstruction, records.front().validation.reconstruction - 1.0);
  EXPECT_EQ(result.epochs_run, 40);
}

TEST_F(TrainerTest, SameBitsForAnyThreadCount) {
  Problem problem;
  problem.model.network.input_dim = 700;
  problem.model.network.hidden = {300, 40};
  std::vector<float> reference;
  for (int threads : {1, 2, 3}) {
    context_.api().set_threads(threads);
    TrainingRun run(problem, "");
    run.trainer->run();
    const auto weights = run.weights();
    if (reference.empty()) reference = weights;
    EXPECT_EQ(weights, reference) << threads << " threads";
  }
  context_.api().set_threads(2);
}

TEST_F(TrainerTest, AccumulatedBatchesWeighAllRowsAlike) {
  // Without batch statistics and noise the mean over micro-batches is the mean over the rows; with them the
  // epoch metrics are still the mean over all rows exactly once.
  Problem problem;
  problem.options.accumulation = 3;
  TrainingRun run(problem, "");
  run.trainer->begin_epoch(0);
  std::int64_t rows = 0;
  while (!run.trainer->epoch_done()) rows += run.trainer->step();
  EXPECT_EQ(rows, 30);
  EXPECT_EQ(run.trainer->state().read().cursor, 30);
  EXPECT_EQ(run.trainer->state().read().step, 2);
  EXPECT_EQ(run.trainer->state().read().rng_offset, 4u);
}

TEST_F(TrainerTest, ALastBatchOfOneRowJoinsTheOneBefore) {
  Problem problem;
  TrainingData data = problem.data();
  data.train_rows.resize(17);
  TrainingRun run(problem, "", std::move(data));
  run.trainer->begin_epoch(0);
  EXPECT_EQ(run.trainer->step(), 8);
  EXPECT_EQ(run.trainer->step(), 9);
  EXPECT_TRUE(run.trainer->epoch_done());
}

TEST_F(TrainerTest, TooFewRowsAreRefused) {
  Problem problem;
  TrainingData data = problem.data();
  data.train_rows = {3};
  EXPECT_THROW(TrainingRun(problem, "", std::move(data)), InputError);
}

TEST_F(TrainerTest, FewerRowsThanABatchStillTrain) {
  Problem problem;
  problem.options.batch_size = 1000;
  TrainingRun run(problem, "");
  run.trainer->run();
  EXPECT_EQ(run.trainer->state().read().step, problem.options.epochs);
}

TEST_F(TrainerTest, NonFiniteDataEndsWithTheRowNamedAndTheOldCheckpointKept) {
  Problem problem;
  problem.options.epochs = 100;
  const TemporaryFolder folder;
  {
    Problem one = problem;
    one.options.epochs = 1;
    TrainingRun(one, folder.path()).trainer->run();
  }
  const std::string before = slurp(folder.path() + "/last.safetensors");
  TrainingData data = problem.data();
  data.features[5].fill(std::numeric_limits<double>::quiet_NaN());
  problem.options.batch_size = 64;
  TrainingRun run(problem, folder.path(), std::move(data));
  try {
    run.trainer->run();
    FAIL() << "trained on NaN";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("features of row 5"), std::string::npos) << error.what();
  }
  // Skipped steps leave finite weights, so epochs before the end may have been saved; what is there is whole.
  EXPECT_NO_THROW(read_checkpoint(folder.path() + "/last.safetensors"));
  EXPECT_FALSE(before.empty());
}

TEST_F(TrainerTest, InjectedOverflowSkipsTheStepAndHalvesTheScale) {
  Problem problem;
  problem.options.precision = autograd::make_precision("fp16", context_);
  problem.options.precision.initial_loss_scale = 0x1p100f;  // overflows f16 for certain
  TrainingRun run(problem, "");
  run.trainer->begin_epoch(0);
  const auto before = run.weights();
  run.trainer->step();
  const StepState state = run.trainer->state().read();
  EXPECT_EQ(state.step, 0);
  EXPECT_EQ(state.skipped, 1);
  EXPECT_EQ(state.consecutive_skips, 1);
  EXPECT_EQ(state.loss_scale, 0x1p99f);
  EXPECT_EQ(run.weights(), before);
}

TEST_F(TrainerTest, EarlyStoppingCountsEpochsWithoutImprovement) {
  Problem problem;
  problem.options.epochs = 50;
  problem.options.learning_rate.base = 0;  // nothing can improve but the running statistics
  problem.options.optimizer.weight_decay = 0;
  problem.options.early_stopping_patience = 3;
  TrainingRun run(problem, "");
  const TrainingResult result = run.trainer->run();
  EXPECT_TRUE(result.stopped_early);
  EXPECT_EQ(result.epochs_run, result.best_epoch + 3);
}

TEST_F(TrainerTest, BestAndLastAreDifferentFiles) {
  Problem problem;
  problem.options.epochs = 3;
  const TemporaryFolder folder;
  TrainingRun run(problem, folder.path());
  const TrainingResult result = run.trainer->run();
  const Checkpoint best = read_checkpoint(folder.path() + "/best.safetensors");
  EXPECT_EQ(best.text("epoch"), std::to_string(result.best_epoch));
  EXPECT_EQ(read_checkpoint(folder.path() + "/last.safetensors").text("epoch"), "3");
}

TEST_F(TrainerTest, FactoredAndDenseGradientsTrainAlike) {
  Problem problem;
  problem.model.network.input_dim = 2100;
  problem.model.network.hidden = {256, 16};
  problem.options.epochs = 2;
  TrainingRun factored(problem, "");
  ASSERT_FALSE(factored.model->parameters().factored().empty());
  factored.trainer->run();

  // Two micro-batches of which the second is empty would be dense, too; asking for accumulation forces dense
  // gradients while a batch as large as the data leaves one micro-batch a step in both runs.
  Problem whole = problem;
  whole.options.batch_size = 30;
  TrainingRun once(whole, "");
  whole.options.accumulation = 2;
  TrainingRun dense(whole, "");
  ASSERT_TRUE(dense.model->parameters().factored().empty());
  once.trainer->run();
  dense.trainer->run();
  const auto b = once.model->parameters().named(), c = dense.model->parameters().named();
  ASSERT_EQ(b.size(), c.size());
  // A bias in front of a batch norm has no gradient but rounding errors, which AdamW turns into whole steps
  // of either sign: two steps, apart by at most twice the learning rate each. Everything else agrees.
  const std::set<std::string> without_gradient{"encoder.0.bias", "encoder.4.bias", "decoder.0.bias",
                                               "decoder.4.bias"};
  for (std::size_t i = 0; i < b.size(); ++i) {
    const auto left = b[i].value.to_host<float>(), right = c[i].value.to_host<float>();
    const float allowed =
        without_gradient.contains(b[i].name) ? 2 * 2 * 1.01e-3f : 1e-6f;  // a thousandth of a step
    float worst = 0;
    for (std::size_t k = 0; k < left.size(); ++k) {
      const float difference = std::abs(left[k] - right[k]);
      worst = difference <= worst ? worst : difference;
    }
    EXPECT_LE(worst, allowed) << b[i].name;
  }
}

/// The encoder sees masks, the decoder has to give what is below them.
TEST(Augmentation, MasksHideFromTheEncoderAlone) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  for (const char* const name : {"basic", "conv"}) {
    SCOPED_TRACE(name);
    Problem problem = small_problem(name);
    const std::int64_t columns = std::string(name) == "conv" ? 130 : problem.model.network.input_dim;
    Vae model(problem.model);
    model.allocate({.precision = {}, .factor_rows = 0, .training = true}, 1);
    const autograd::TrainState state;
    const Tensor x = waves(4, columns), hidden = Tensor::zeros(x.shape());
    const double masked = model.evaluate({hidden, Tensor(), x}, state).reconstruction.value().item();
    double expected = 0;  // of x under what the decoder makes of the hidden input
    const std::vector<float> given = model.decode(model.encode({hidden, Tensor()})).to_host<float>(),
                             wanted = x.to_host<float>();
    for (std::size_t i = 0; i < given.size(); ++i)
      expected += (0.5 * std::pow(double{given[i]} - double{wanted[i]}, 2) + 0.5 * std::log(2 * M_PI)) / 4;
    EXPECT_NEAR(masked, expected, 1e-4 * expected);
    EXPECT_NE(masked, model.evaluate({x, Tensor()}, state).reconstruction.value().item());
    EXPECT_NE(masked, model.evaluate({hidden, Tensor()}, state).reconstruction.value().item());
  }
}

TEST(Augmentation, FeaturesComeFromTheSourceInTrainingAlone) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  Problem problem;
  problem.options.epochs = 1;
  const auto train = [&](const Augmentation& augmentation) {
    TrainingData data = problem.data();
    data.augmentation = augmentation;
    TrainingRun run(problem, "", std::move(data));
    run.trainer->run();
    return run.weights();
  };
  const Tensor features = problem.data().features;
  int calls = 0;
  const auto source = [&](float factor) {
    return Augmentation{
        .features =
            [&calls, features, factor](const Tensor& order, std::int64_t rows, const StepState* state) {
              ++calls;
              Tensor batch({rows, features.dim(1)}, DType::f32);
              kernel::gather_rows(current_context(), features, order, state, batch);
              const Tensor by = Tensor::full({1}, factor);
              kernel::scale_by(current_context(), batch, by, batch);
              return batch;
            },
        .masks = {}};
  };
  EXPECT_EQ(train(source(1)), train({}));
  EXPECT_EQ(calls, 4);  // 30 rows in batches of 8; none for validation
  EXPECT_NE(train(source(0.5f)), train({}));
}

TEST(Augmentation, MasksNeedFrames) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  Problem problem;
  problem.masks = {1, 5, 0, 0};
  EXPECT_THROW(TrainingRun(problem, ""), UsageError);
}

}  // namespace
}  // namespace chorale::models::testing
