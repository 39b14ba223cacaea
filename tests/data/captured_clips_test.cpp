// SPDX-License-Identifier: MIT
// What changes clips and computes their features fits into a captured step: no copy from or to the host, no
// new memory. On a device that watches: the CPU, whose copies fail while a step is captured.
#include <gtest/gtest.h>

#include <cmath>

#include "audio/descriptor.h"
#include "data/augmented_clips.h"
#include "kernels/error.h"
#include "tensor/step_graph.h"

namespace chorale::data {
namespace {

bool capturing = false;
int launches = 0;

const DeviceApi& watching_api() {
  static const DeviceApi api = [] {
    DeviceApi copy = open_backend(DeviceKind::cpu);
    copy.capture_begin = [](int, void*) { capturing = true; };
    copy.capture_end = [](int, void*) -> void* {
      capturing = false;
      return &capturing;
    };
    copy.graph_launch = [](int, void*, void*) { ++launches; };
    copy.graph_destroy = [](int, void*) {};
    copy.copy = [](int device, void* stream, void* to, const void* from, std::size_t bytes, CopyKind kind) {
      if (capturing && kind != CopyKind::device_to_device)
        throw ContractError("a copy between host and device while a step is captured");
      open_backend(DeviceKind::cpu).copy(device, stream, to, from, bytes, kind);
    };
    return copy;
  }();
  return api;
}

TEST(CapturedClips, NeedNothingOfTheHost) {
  register_backend(DeviceKind::cuda, watching_api());  // which no other test of this program asks for
  ExecutionContext context(DeviceKind::cuda);
  const ContextScope scope(context);
  constexpr std::int64_t n = 5, length = 9000, rows = 3;
  std::vector<float> x;
  for (std::int64_t i = 0; i < n * length; ++i) x.push_back(std::sin(0.1f * static_cast<float>(i % length)));
  const Tensor order = Tensor::from_host(std::vector<std::int64_t>{4, 1, 0, 2, 3}, {n});
  const StepState state{.seed = 3};
  Tensor block({sizeof state}, DType::u8);
  block.upload(&state, DType::u8);
  AugmentationRanges ranges;
  ranges.rate = {0.9f, 1.2f};
  ranges.pitch_steps = {-2, 2};
  ranges.noise_snr_db = {10, 20};

  // A step that does read is noticed.
  StepGraph reading(context);
  for (int i = 0; i < 2; ++i) reading.run("reads", [&] { order.to_host<std::int64_t>(); });
  EXPECT_THROW(reading.run("reads", [&] { order.to_host<std::int64_t>(); }), ContractError);

  for (const std::string& kind : feature_kinds()) {
    SCOPED_TRACE(kind);
    FeatureSettings settings;
    settings.kind = kind;
    settings.params.mel.n_fft = 512;
    settings.params.mel.hop_length = 128;
    settings.params.mel.n_mels = 20;
    settings.params.n_mfcc = 8;
    const std::int64_t columns = audio::descriptor_size(settings.params);
    std::optional<Columns> scale;
    if (kind == "statistics") scale = {Tensor::zeros({columns}), Tensor::full({columns}, 2)};
    const AugmentedClips augmented(
        {Tensor::from_host(x, {n, length}), Tensor::full({n}, static_cast<double>(length), DType::i64)},
        settings, ranges, scale);
    StepGraph graph(context);
    launches = 0;
    for (int i = 0; i < 5; ++i)
      EXPECT_NO_THROW(graph.run(
          "step", [&] { augmented(order, rows, reinterpret_cast<const StepState*>(block.raw()), 1); }));
    EXPECT_EQ(graph.captured(), 1);
    EXPECT_EQ(launches, 3);
  }
}

}  // namespace
}  // namespace chorale::data
