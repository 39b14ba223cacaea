// SPDX-License-Identifier: MIT
// Weights travel from PyTorch's files through a model and a checkpoint unchanged.
#include <gtest/gtest.h>

#include <map>

#include "tests/models/golden_runs.h"

namespace chorale::models::testing {
namespace {

using Values = std::map<std::string, std::pair<Shape, std::vector<float>>>;

Values values_of(const std::vector<NamedBuffer>& tensors) {
  Values values;
  for (const NamedBuffer& t : tensors) values[t.name] = {t.value.shape(), t.value.to_host<float>()};
  return values;
}

class CheckpointRoundTrip : public ::testing::TestWithParam<std::string> {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

TEST_P(CheckpointRoundTrip, KeepsValuesInPyTorchsNamesAndLayouts) {
  const Json& run = goldens().at("runs").at(GetParam());
  const Checkpoint initial =
      golden_tensors(SafetensorsFile(golden_folder + GetParam() + ".safetensors"), "initial");
  const Values expected = values_of(initial.tensors);
  const Tensor x = read_npy(golden_folder + run.at("data").get<std::string>() + ".npy");
  Vae first(model_options(run, x)), second(model_options(run, x));
  first.allocate({.precision = {}, .factor_rows = 0, .training = false}, 1);
  second.allocate({.precision = {}, .factor_rows = 0, .training = false}, 2);

  load_model(first, initial);
  EXPECT_EQ(values_of(model_tensors(first)), expected);
  const TemporaryFolder folder;
  Checkpoint checkpoint;
  checkpoint.tensors = model_tensors(first);
  write_checkpoint(folder.path() + "/model.safetensors", checkpoint);
  load_model(second, read_checkpoint(folder.path() + "/model.safetensors"));
  EXPECT_EQ(values_of(model_tensors(second)), expected);
}

INSTANTIATE_TEST_SUITE_P(All, CheckpointRoundTrip, ::testing::ValuesIn(golden_names()),
                         [](const auto& info) { return info.param; });

TEST(CheckpointLayout, ImagesAreNhwcInMemory) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  Problem problem = small_problem("cvae");
  Vae model(problem.model);
  model.allocate({.precision = {}, .factor_rows = 0, .training = false}, 1);
  for (const auto& p : model.parameters().named()) {
    if (p.name != "fc_mu.weight") continue;
    const std::int64_t h = 2, w = 3, c = 8, row = h * w * c + problem.model.network.condition.dim;
    ASSERT_EQ(p.value.shape(), (Shape{3, row}));
    const auto memory = p.value.to_host<float>();
    const auto file = autograd::to_file_layout(p.value, p.file).to_host<float>();
    const auto at = [&](std::int64_t r, std::int64_t column) {
      return static_cast<std::size_t>(r * row + column);
    };
    for (std::int64_t r = 0; r < 3; ++r) {
      for (std::int64_t i = 0; i < h * w * c; ++i) {
        const std::int64_t y = i / (w * c), x = i / c % w, channel = i % c;
        EXPECT_EQ(memory[at(r, i)], file[at(r, (channel * h + y) * w + x)]);
      }
      for (std::int64_t i = h * w * c; i < row; ++i) EXPECT_EQ(memory[at(r, i)], file[at(r, i)]);
    }
    return;
  }
  FAIL() << "no fc_mu.weight";
}

}  // namespace
}  // namespace chorale::models::testing
