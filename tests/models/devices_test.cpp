// SPDX-License-Identifier: MIT
// The same training run on every device of this machine: losses, weights and codes agree with the CPU's, and
// replayed graphs with eager steps.
#include <gtest/gtest.h>

#include "tests/harness/run_case.h"
#include "tests/models/training_setup.h"

namespace chorale::models::testing {
namespace {

struct Outcome {
  std::vector<double> losses;
  std::vector<float> weights, codes;
  int captured = 0;
};

Outcome train(ExecutionContext& context, const std::string& model, const std::string& precision) {
  const ContextScope scope(context);
  Problem problem = small_problem(model);
  problem.options.precision = autograd::make_precision(precision, context);
  TrainingRun run(problem, "");
  Outcome outcome;
  // Four batches an epoch, the last one smaller. One epoch for FactorVAE: where rounding puts a unit of the
  // discriminator on the other side of LeakyReLU's kink, its gradient jumps, and the two players drift apart.
  const int epochs = model == "factor" ? 1 : 3;
  outcome.losses = run.train(epochs);
  outcome.weights = run.weights();
  const TrainingData data = problem.data();
  outcome.codes = encode_all(*run.model, data.features, data.labels).to_host<float>();
  outcome.captured = run.trainer->captured_graphs();
  return outcome;
}

class Devices : public ::testing::TestWithParam<std::string> {};

TEST_P(Devices, TrainAlike) {
  for (const DeviceKind kind : harness::test_devices()) {
    if (kind == DeviceKind::cpu) continue;
    for (const std::string precision : {"fp32", "bf16"}) {
      SCOPED_TRACE(std::string(device_kind_name(kind)) + " " + precision);
      const Outcome expected = train(harness::test_context(DeviceKind::cpu), GetParam(), precision);
      const Outcome actual = train(harness::test_context(kind), GetParam(), precision);
      const double tolerance = precision == "fp32" ? 1e-4 : 2e-2;
      ASSERT_EQ(actual.losses.size(), expected.losses.size());
      for (std::size_t i = 0; i < expected.losses.size(); ++i)
        EXPECT_NEAR(actual.losses[i], expected.losses[i], tolerance * std::abs(expected.losses[i]))
            << "step " << i;
      ASSERT_EQ(actual.codes.size(), expected.codes.size());
      double worst = 0;
      for (std::size_t i = 0; i < expected.codes.size(); ++i) {
        const double difference = std::abs(double{actual.codes[i]} - double{expected.codes[i]});
        worst = difference <= worst ? worst : difference;
      }
      EXPECT_LE(worst, precision == "fp32" ? 2e-3 : 5e-2);
      // Full batches repeat often enough to be captured; only a device that captures has graphs.
      EXPECT_EQ(actual.captured > 0, kind == DeviceKind::cuda);
    }
  }
}

TEST_P(Devices, RunAgainGivesTheSameBits) {
  for (const DeviceKind kind : harness::test_devices()) {
    SCOPED_TRACE(device_kind_name(kind));
    const Outcome first = train(harness::test_context(kind), GetParam(), "fp32"),
                  second = train(harness::test_context(kind), GetParam(), "fp32");
    EXPECT_EQ(first.weights, second.weights);
    EXPECT_EQ(first.losses, second.losses);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Devices,
                         ::testing::Values("basic", "conv", "deep", "masked", "cvae", "film", "vade", "tc",
                                           "factor"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace chorale::models::testing
