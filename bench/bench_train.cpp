// SPDX-License-Identifier: MIT
// Training steps of whole models in the original's configuration (configs/reference.yaml): data on the
// device, batches gathered by index, forward, backward, clipping, AdamW.
//
//   bench_train --benchmark_filter=train_step/conv/fp32
//
// The time is that of one step; items are songs. Counters: parameters; step_memory_MiB, what a step takes
// beyond parameters, moments and data; peak_rss_MiB, the process's peak resident memory; device_MiB, on a
// device with memory of its own, what was taken of it. bench/reference/train.py is the twin of each case in
// PyTorch.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "kernels/launch.h"
#include "models/trainer.h"
#include "tools/common/threads.h"

namespace {

using namespace chorale;

constexpr std::int64_t bands = 128, frames = 1292;
constexpr std::int64_t batches_per_epoch = 100;
constexpr double mebibyte = 1024.0 * 1024.0;

struct Workload {
  const char* name;
  models::VaeOptions model;
  double kl_weight = 1;
};

models::VaeOptions reference_options() {
  models::VaeOptions options;
  options.network.latent_dim = 128;
  options.network.likelihood.kind = Likelihood::squared_error;
  options.reduction = models::Reduction::mean;
  return options;
}

models::VaeOptions fully_connected(std::vector<std::int64_t> hidden, std::int64_t components = 0) {
  models::VaeOptions options = reference_options();
  options.network.input_dim = bands * frames;
  options.network.hidden = std::move(hidden);
  options.components = components;
  return options;
}

models::VaeOptions convolutional(std::int64_t width, std::int64_t classes = 0) {
  models::VaeOptions options = reference_options();
  options.network.backbone = models::Backbone::flat;
  options.network.image = {bands, width};
  options.network.condition.classes = classes;
  return options;
}

std::vector<Workload> workloads() {
  return {{"basic", fully_connected({16, 32, 64})},
          {"basic_wide", fully_connected({512, 256, 128})},
          {"conv", convolutional(frames)},
          {"conv_small", convolutional(128)},
          {"beta", convolutional(frames), 4},
          {"cvae_genre", convolutional(frames, 45)},
          {"cvae_language", convolutional(frames, 5)},
          {"vade", fully_connected({16, 32, 64}, 50)}};
}

/// VmHWM and not getrusage's ru_maxrss, which begins with the peak of the process that started this one.
double peak_resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024.0;
  return 0;
}

double free_mib(const ExecutionContext& context) {
  std::size_t free_bytes = 0, total_bytes = 0;
  context.api().memory_info(0, &free_bytes, &total_bytes);
  return static_cast<double>(free_bytes) / mebibyte;
}

/// A few batches of noise, with classes in turn for a conditional model; an epoch goes through them many
/// times.
models::TrainingData make_data(ExecutionContext& context, const models::VaeOptions& options,
                               std::int64_t batch) {
  const models::NetworkOptions& network = options.network;
  const bool images = network.backbone != models::Backbone::fully_connected;
  const std::int64_t columns = images ? network.image.height * network.image.width : network.input_dim;
  const std::int64_t rows = (images ? 2 : 4) * batch;
  models::TrainingData data;
  data.features = Tensor({rows, columns}, DType::f32);
  const autograd::TrainState noise(StepState{.seed = 1});
  kernel::normal_fill(context, noise.device(), 0u, data.features);
  for (std::int64_t r = 0; r < batches_per_epoch * batch; ++r) data.train_rows.push_back(r % rows);
  if (const std::int64_t classes = network.condition.classes; classes > 0) {
    std::vector<std::int64_t> labels;
    for (std::int64_t r = 0; r < rows; ++r) labels.push_back(r % classes);
    data.labels = Tensor::from_host(labels, {rows});
  }
  return data;
}

void train_step(benchmark::State& state, const Workload& workload, const std::string& precision,
                std::int64_t batch, DeviceKind kind) {
  ExecutionContext context(kind);
  const ContextScope scope(context);
  const double free_before = free_mib(context);
  models::TrainerOptions training;
  training.batch_size = batch;
  training.precision = autograd::make_precision(precision, context);
  training.optimizer.weight_decay = 1e-4f;
  training.control.max_gradient_norm = 0.5f;
  training.kl = {.kind = autograd::KlOptions::Kind::constant, .weight = workload.kl_weight};

  models::Vae model(workload.model);
  models::Trainer trainer(model, make_data(context, workload.model, batch), training, "");
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
  state.counters["step_memory_MiB"] = static_cast<double>(trainer.step_memory()) / mebibyte;
  state.counters["peak_rss_MiB"] = peak_resident_mib();
  if (!context.api().host_memory) state.counters["device_MiB"] = free_before - free_mib(context);
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
  for (const Workload& workload : workloads())
    for (const char* precision : {"fp32", "bf16", "fp16"}) {
      const std::string name = std::string("train_step/") + workload.name + "/" + precision + "/batch:32";
      benchmark::RegisterBenchmark(
          name.c_str(), [=](benchmark::State& state) { train_step(state, workload, precision, 32, kind); })
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
