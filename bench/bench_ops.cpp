// SPDX-License-Identifier: MIT
// Every operation of tests/cases/ at its real size, forward and backward, in every storage type.
//
//   bench_ops [--device cpu|cuda|auto] [--samples N] --benchmark_filter=softmax/f32
//
// The time is the median of N samples (default 15); before each one a buffer larger than any cache is
// written, so operands come from memory. Counters: GB/s over the bytes that must be moved at least once,
// GFLOP/s, and `ceiling`, the share of what this machine can do: the time its own copy bandwidth or matrix
// rate would need, whichever is longer, over the time taken. Both ceilings are measured at the start through
// the same interfaces.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/launch.h"
#include "tests/harness/op_case.h"
#include "tools/common/threads.h"

namespace {

using namespace chorale;
using harness::Cost;
using harness::OpCase;

/// Seconds between two events around `work`, on the device's own clock.
class Stopwatch {
 public:
  explicit Stopwatch(ExecutionContext& context) : context_(context) {
    const Context& c = context.kernel_context();
    start_ = context.api().event_create(c.device);
    stop_ = context.api().event_create(c.device);
  }
  ~Stopwatch() {
    context_.api().event_destroy(context_.kernel_context().device, start_);
    context_.api().event_destroy(context_.kernel_context().device, stop_);
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  template <class Work>
  double seconds(const Work& work) {
    const Context& c = context_.kernel_context();
    context_.synchronize();
    context_.api().event_record(c.device, start_, c.stream);
    work();
    context_.api().event_record(c.device, stop_, c.stream);
    context_.api().event_synchronize(c.device, stop_);
    return static_cast<double>(context_.api().event_elapsed_ms(c.device, start_, stop_)) * 1e-3;
  }

 private:
  ExecutionContext& context_;
  void *start_, *stop_;
};

/// What every benchmark shares.
struct Bench {
  explicit Bench(DeviceKind kind) : context(kind), scope(context), watch(context) {}

  ExecutionContext context;
  ContextScope scope;
  Stopwatch watch;
  int samples = 15;
  double copy_bandwidth = 0;  ///< bytes read and written per second
  std::map<DType, double> matrix_rate;
  Tensor flush;

  /// Writes more than the caches hold.
  void flush_cache() { kernel::fill(context, flush, 0.0); }

  void measure_ceilings() {
    constexpr std::int64_t bytes = std::int64_t{1} << 28;
    flush = Tensor({bytes / 4}, DType::f32);
    flush.fill(1);
    double best = 1e9;
    {
      Tensor copy({bytes / 4}, DType::f32);
      for (int i = 0; i < 10; ++i)
        best = std::min(best, watch.seconds([&] { kernel::cast(context, flush, copy); }));
    }
    copy_bandwidth = 2.0 * bytes / best;
    const std::int64_t n = context.kind() == DeviceKind::cpu ? 1024 : 8192;
    const autograd::TrainState noise;
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
      Tensor a({n, n}, dtype), c({n, n}, dtype);
      kernel::uniform_fill(context, noise.device(), 0u, a);  // zeros would use less power, and so run faster
      best = 1e9;
      for (int i = 0; i < 10; ++i)
        best = std::min(best,
                        watch.seconds([&] { kernel::matmul(context, a, a, c, false, false, 1.0f, 0.0f); }));
      matrix_rate[dtype] = 2.0 * static_cast<double>(n * n * n) / best;
    }
    const DeviceDescription device = context.describe();
    std::fprintf(stderr, "%s (%s): copy %.1f GB/s, matrix products %.0f f32, %.0f f16, %.0f bf16 GFLOP/s\n",
                 device.name, device.instruction_set, copy_bandwidth * 1e-9, matrix_rate[DType::f32] * 1e-9,
                 matrix_rate[DType::f16] * 1e-9, matrix_rate[DType::bf16] * 1e-9);
  }
};

/// Inputs read and their gradients written, the outputs' gradients read; two products where forward has one.
Cost backward_cost(const OpCase& op, const Cost& forward, const harness::Run& run, const Tensor& output) {
  Cost cost{2 * forward.flops, static_cast<double>(output.bytes())};
  for (std::size_t i = 0; i < run.x.size(); ++i)
    cost.bytes += static_cast<double>(run.tensor(i).bytes()) * (op.bench.inputs[i].gradient ? 2 : 1);
  return cost;
}

void report(benchmark::State& state, Bench& bench, DType dtype, const Cost& cost, std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  const double seconds = times[times.size() / 2];
  for (auto _ : state) state.SetIterationTime(seconds);
  const double floor = std::max(cost.bytes / bench.copy_bandwidth, cost.flops / bench.matrix_rate[dtype]);
  state.counters["GB/s"] = cost.bytes / seconds * 1e-9;
  state.counters["GFLOP/s"] = cost.flops / seconds * 1e-9;
  state.counters["ceiling"] = floor / seconds;
}

void run_op(benchmark::State& state, Bench& bench, const OpCase& op, DType dtype, bool backward) {
  const harness::Arrays inputs = harness::make_inputs(op, op.bench, dtype);
  const autograd::TrainState train_state(harness::case_state());
  harness::Run run{{}, train_state.device(), dtype};
  for (std::size_t i = 0; i < inputs.size(); ++i)
    run.x.emplace_back(
        harness::to_device(inputs[i], harness::storage_type(op.bench.inputs[i].storage, dtype)));
  const Cost forward = op.cost(op.bench.inputs, static_cast<double>(dtype_size(dtype)));

  std::vector<double> times;
  if (!backward) {
    op.run(run);
    for (int i = 0; i < bench.samples; ++i) {
      bench.flush_cache();
      std::vector<harness::Var> keep;  // freeing is not part of the operation
      times.push_back(bench.watch.seconds([&] { keep = op.run(run); }));
    }
    return report(state, bench, dtype, forward, std::move(times));
  }
  Tensor seed;
  Cost cost;
  for (int i = 0; i <= bench.samples; ++i) {
    harness::Run fresh{{}, run.state, dtype};
    for (std::size_t k = 0; k < run.x.size(); ++k)
      fresh.x.emplace_back(run.tensor(k), op.bench.inputs[k].gradient);
    const harness::Var output = op.run(fresh).front();
    if (!seed.defined()) {
      seed = Tensor::full(output.shape(), 0.5, output.value().dtype());
      cost = backward_cost(op, forward, fresh, output.value());
    }
    bench.flush_cache();
    const double seconds = bench.watch.seconds([&] { output.backward(seed); });
    if (i > 0) times.push_back(seconds);
  }
  report(state, bench, dtype, cost, std::move(times));
}

/// Takes `--name value` or `--name=value` out of the command line.
std::string take_option(int& argc, char** argv, const std::string& name, std::string value) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    int used = 0;
    if (argument == name && i + 1 < argc) {
      value = argv[i + 1];
      used = 2;
    } else if (argument.rfind(name + "=", 0) == 0) {
      value = argument.substr(name.size() + 1);
      used = 1;
    }
    if (used == 0) continue;
    std::copy(argv + i + used, argv + argc, argv + i);
    argc -= used;
    break;
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string device = take_option(argc, argv, "--device", "auto");
  const std::string samples = take_option(argc, argv, "--samples", "15");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  char* end = nullptr;
  const long count = std::strtol(samples.c_str(), &end, 10);
  if (*end || count < 1 || count > 100000)
    throw UsageError("--samples: not a number of samples: " + samples + " (allowed 1 to 100000)");
  tools::use_threads(0);
  std::string notice;
  Bench bench(choose_device(device, &notice));
  if (!notice.empty()) std::fprintf(stderr, "%s\n", notice.c_str());
  bench.samples = static_cast<int>(count);
  bench.measure_ceilings();
  for (const OpCase& op : harness::all_cases()) {
    if (op.bench.inputs.empty()) continue;
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
      if (dtype != DType::f32 && !op.sixteen_bit) continue;
      for (const bool backward : {false, true}) {
        // A case with several differentiable results has no single gradient to start from.
        if (backward && (!op.differentiable || op.name == "gaussian_latent" ||
                         op.name == "gaussian_latent_mean" || op.name == "gaussian_latent_clamped"))
          continue;
        const std::string name = op.name + "/" + std::string(dtype_name(dtype)) +
                                 (backward ? "/backward/" : "/forward/") + op.bench.label;
        benchmark::RegisterBenchmark(name.c_str(),
                                     [&bench, &op, dtype, backward](benchmark::State& state) {
                                       run_op(state, bench, op, dtype, backward);
                                     })
            ->Unit(benchmark::kMicrosecond)
            ->Iterations(1)
            ->UseManualTime();
      }
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
} catch (const chorale::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return error.exit_code();
}
