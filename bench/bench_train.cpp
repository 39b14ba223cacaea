// SPDX-License-Identifier: MIT
// Training steps of whole models: data on the device, batches gathered by index, forward, backward, clipping,
// AdamW.
//
//   bench_train --benchmark_filter=reference/fp32
//
// The time is that of one step; items are songs; counters give parameters and peak resident memory.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/launch.h"
#include "models/trainer.h"
#include "tools/common/threads.h"

namespace {

using namespace chorale;

struct Architecture {
  const char* name;
  std::vector<std::int64_t> hidden;
};
// 128 mel bands x 1,292 frames; the original's configuration and its class default.
constexpr std::int64_t input_dim = 128 * 1292;
const Architecture architectures[] = {{"reference", {16, 32, 64}}, {"wide", {512, 256, 128}}};

double peak_resident_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void train_step(benchmark::State& state, const Architecture& architecture, const std::string& precision,
                std::int64_t batch, DeviceKind kind) {
  ExecutionContext context(kind);
  const ContextScope scope(context);
  models::VaeOptions options;
  options.network.input_dim = input_dim;
  options.network.hidden = architecture.hidden;
  options.network.latent_dim = 128;
  options.network.likelihood.kind = Likelihood::squared_error;
  options.reduction = models::Reduction::mean;

  models::TrainerOptions training;
  training.batch_size = batch;
  training.precision = autograd::make_precision(precision, context);
  training.optimizer.weight_decay = 1e-4f;
  training.control.max_gradient_norm = 0.5f;

  models::TrainingData data;
  const std::int64_t rows = 4 * batch;
  data.features = Tensor({rows, input_dim}, DType::f32);
  const autograd::TrainState noise(StepState{.seed = 1});
  kernel::normal_fill(context, noise.device(), 0u, data.features);
  for (std::int64_t r = 0; r < rows; ++r) data.train_rows.push_back(r);

  models::Vae model(options);
  models::Trainer trainer(model, std::move(data), training, "");
  trainer.prepare();
  int epoch = 0;
  trainer.begin_epoch(epoch);
  const auto step = [&] {
    if (trainer.epoch_done()) trainer.begin_epoch(++epoch);
    trainer.step();
  };
  for (int i = 0; i < 4; ++i) step();
  context.synchronize();
  for (auto _ : state) {
    step();
    context.synchronize();
  }
  state.SetItemsProcessed(state.iterations() * batch);
  state.counters["parameters"] = static_cast<double>(model.parameters().parameter_count());
  state.counters["peak_rss_MiB"] = peak_resident_mib();
}

}  // namespace

int main(int argc, char** argv) {
  tools::restart_with_short_spinning(argv);
  std::string device = "cpu";
  for (int i = 1; i < argc; ++i)
    if (std::strncmp(argv[i], "--device=", 9) == 0) {
      device = argv[i] + 9;
      std::copy(argv + i + 1, argv + argc, argv + i);
      --argc;
      break;
    }
  tools::use_threads(0);
  const DeviceKind kind = choose_device(device);
  for (const Architecture& architecture : architectures)
    for (const char* precision : {"fp32", "bf16", "fp16"}) {
      const std::string name = std::string("train_step/") + architecture.name + "/" + precision + "/batch:32";
      benchmark::RegisterBenchmark(
          name.c_str(),
          [=](benchmark::State& state) { train_step(state, architecture, precision, 32, kind); })
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
