// SPDX-License-Identifier: MIT
// The audio front end, stage by stage, on 30 s clips at 22,050 Hz.
//
//   bench_audio --benchmark_filter=mel            time per frame, real-time factor, share of this core's peak
//   bench_audio --once features --threads 1       one measured run as a line of JSON, for
//   bench/reference/audio.py
//
// The peak is measured here: fused multiply-adds on registers, one core, two flops each. A real FFT of n
// samples is counted as 2.5 n log2 n flops. `spectra` is the mel kernel with a single narrow band: framing,
// window, FFT, power.
#include <benchmark/benchmark.h>
#include <sndfile.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "audio/augment.h"
#include "audio/decode.h"
#include "audio/features.h"
#include "audio/resample.h"
#include "audio/stft.h"
#include "kernels/launch.h"
#include "tools/common/threads.h"

namespace {

using namespace chorale;
using Clock = std::chrono::steady_clock;

constexpr int rate = 22050;
constexpr double clip_seconds = 30;
constexpr std::int64_t clip_length = static_cast<std::int64_t>(clip_seconds * rate);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Chords with some noise: neither silent nor sparse.
std::vector<float> music(double seconds, int sample_rate) {
  std::vector<float> x(static_cast<std::size_t>(seconds * sample_rate));
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < x.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    const double t = static_cast<double>(i) / sample_rate;
    x[i] = static_cast<float>(0.3 * std::sin(1382.3 * t) + 0.2 * std::sin(1741.9 * t) +
                              0.1 * std::sin(6911.5 * t) + 0.05 * ((state >> 8) / 8388608.0 - 1));
  }
  return x;
}

typedef float Lane __attribute__((vector_size(64)));

/// Inlined into callers that are compiled for different instruction sets.
[[gnu::always_inline]] inline double measure_peak() {
  constexpr int accumulators = 12;
  constexpr std::int64_t turns = 1'000'000;
  Lane acc[accumulators];
  for (int i = 0; i < accumulators; ++i) acc[i] = Lane{} + static_cast<float>(i);
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = Clock::now();
    for (std::int64_t t = 0; t < turns; ++t)
      for (int i = 0; i < accumulators; ++i) acc[i] = acc[i] * 0.999f + 0.001f;
    best = std::max(best, 2.0 * 16 * accumulators * static_cast<double>(turns) / seconds_since(start));
  }
  for (int i = 0; i < accumulators; ++i) benchmark::DoNotOptimize(acc[i]);
  return best;
}

#if defined(__x86_64__)
[[gnu::target("avx512f,avx2,fma")]] double peak_avx512() { return measure_peak(); }
[[gnu::target("avx2,fma")]] double peak_avx2() { return measure_peak(); }
#endif
double peak_plain() { return measure_peak(); }

/// Single-precision flops a second of one core.
double core_peak() {
  static const double peak = [] {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return peak_avx512();
    if (__builtin_cpu_supports("fma")) return peak_avx2();
#endif
    return peak_plain();
  }();
  return peak;
}

struct Fixture {
  ExecutionContext context;
  ContextScope scope;
  audio::FeatureExtractor extractor;
  Tensor samples;

  Fixture(DeviceKind kind, std::int64_t clips, const audio::FeatureParams& params = {})
      : context(kind), scope(context), extractor(params) {
    const std::vector<float> clip = music(clip_seconds, rate);
    std::vector<float> all;
    for (std::int64_t i = 0; i < clips; ++i) all.insert(all.end(), clip.begin(), clip.end());
    samples = Tensor::from_host(all, {clips, clip_length});
  }
};

void report(benchmark::State& state, std::int64_t clips, double flops_per_frame, std::int64_t hop = 512) {
  const double frames = static_cast<double>(state.iterations() * clips * (1 + clip_length / hop));
  state.counters["per_frame"] =
      benchmark::Counter(frames, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["real_time"] = benchmark::Counter(
      static_cast<double>(state.iterations() * clips) * clip_seconds, benchmark::Counter::kIsRate);
  if (flops_per_frame > 0)
    state.counters["share_of_core_peak"] =
        benchmark::Counter(frames * flops_per_frame / core_peak(), benchmark::Counter::kIsRate);
}

double fft_flops(double n) { return 2.5 * n * std::log2(n); }

void spectra(benchmark::State& state, DeviceKind kind) {
  audio::FeatureParams params;
  params.mel.n_fft = static_cast<std::int32_t>(state.range(0));
  params.mel.hop_length = params.mel.n_fft / 4;
  params.mel.n_mels = 1, params.n_mfcc = 1;
  params.mel.fmin = 1000, params.mel.fmax = 1400;
  Fixture f(kind, 4, params);
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.extractor.mel(f.samples));
    f.context.synchronize();
  }
  report(state, 4, fft_flops(static_cast<double>(state.range(0))), state.range(0) / 4);
}

void mel(benchmark::State& state, DeviceKind kind) {
  Fixture f(kind, 4);
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.extractor.mel(f.samples));
    f.context.synchronize();
  }
  report(state, 4, fft_flops(2048) + 2 * 2018);
}

void features(Fixture& f) {
  const Tensor power = f.extractor.mel(f.samples);
  benchmark::DoNotOptimize(f.extractor.mel_db(power));
  benchmark::DoNotOptimize(f.extractor.mfcc(power));
  f.context.synchronize();
}

/// Mel bands, MFCC and their first and second derivative.
void derivatives(Fixture& f) {
  const Tensor power = f.extractor.mel(f.samples);
  benchmark::DoNotOptimize(f.extractor.mfcc_delta(power));
  f.context.synchronize();
}

void mel_and_derivatives(benchmark::State& state, DeviceKind kind) {
  Fixture f(kind, 4);
  for (auto _ : state) derivatives(f);
  report(state, 4, fft_flops(2048) + 2 * 2018 + 2 * 40 * 128 + 2 * 80 * 9);
}

constexpr double stretch_rate = 0.9, pitch_steps = 2;

/// The vocoder alone, from one spectrum to another.
class Vocoder {
 public:
  explicit Vocoder(const Fixture& f)
      : spectrum_(audio::stft(f.samples)),
        rates_(Tensor::full({f.samples.dim(0)}, stretch_rate, DType::f64)),
        out_({spectrum_.dim(0), spectrum_.dim(1),
              static_cast<std::int64_t>(std::ceil(static_cast<double>(spectrum_.dim(2)) / stretch_rate)), 2},
             DType::f32) {}
  void run(Fixture& f) {
    kernel::phase_vocoder(f.context, spectrum_, rates_, std::int64_t{0}, std::int64_t{0}, std::int64_t{0},
                          View(), out_);
    f.context.synchronize();
  }

 private:
  Tensor spectrum_, rates_, out_;
};

void time_stretch(Fixture& f) {
  benchmark::DoNotOptimize(audio::time_stretch(f.samples, stretch_rate));
  f.context.synchronize();
}

void pitch_shift(Fixture& f) {
  benchmark::DoNotOptimize(audio::pitch_shift(f.samples, pitch_steps));
  f.context.synchronize();
}

void phase_vocoder(benchmark::State& state, DeviceKind kind) {
  Fixture f(kind, 4);
  Vocoder vocoder(f);
  for (auto _ : state) vocoder.run(f);
  report(state, 4, 0);
}

void augmentation(benchmark::State& state, DeviceKind kind, void (*run)(Fixture&)) {
  Fixture f(kind, 4);
  for (auto _ : state) run(f);
  report(state, 4, 0);
}

void transforms(benchmark::State& state, DeviceKind kind, bool inverse) {
  Fixture f(kind, 4);
  audio::StftParams params;
  params.n_fft = static_cast<std::int32_t>(state.range(0));
  params.hop_length = params.n_fft / 4;
  const Tensor spectrum = audio::stft(f.samples, params);
  for (auto _ : state) {
    benchmark::DoNotOptimize(inverse ? audio::istft(spectrum, params, clip_length)
                                     : audio::stft(f.samples, params));
    f.context.synchronize();
  }
  report(state, 4, fft_flops(static_cast<double>(state.range(0))), params.hop_length);
}

void mel_db_and_mfcc(benchmark::State& state, DeviceKind kind) {
  Fixture f(kind, 4);
  for (auto _ : state) features(f);
  report(state, 4, fft_flops(2048) + 2 * 2018 + 2 * 40 * 128);
}

void resample(benchmark::State& state) {
  const std::vector<float> x = music(clip_seconds, static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(audio::resample(x, static_cast<int>(state.range(0)), rate));
  report(state, 1, 0);
}

void decode(benchmark::State& state, int format, const std::string& extension) {
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("chorale-bench-" + std::to_string(getpid()) + "." + extension))
                               .string();
  SF_INFO info{};
  info.samplerate = 44100, info.channels = 1, info.format = format;
  const std::vector<float> x = music(clip_seconds, 44100);
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  const bool written = file && sf_writef_float(file, x.data(), static_cast<sf_count_t>(x.size())) > 0;
  if (file) sf_close(file);
  if (!written) {
    state.SkipWithError(("cannot write " + path).c_str());
    return;
  }
  for (auto _ : state) benchmark::DoNotOptimize(audio::decode(path));
  std::filesystem::remove(path);
  report(state, 1, 0);
}

/// Processor time of this process; on one thread, wall time without what other processes took.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// One line of JSON: the median time of `repeats` runs over one clip; on the CPU, processor time.
int run_once(const std::string& what, DeviceKind kind) {
  constexpr int repeats = 15;
  Fixture f(kind, 1);
  Vocoder vocoder(f);
  const std::map<std::string, std::function<void()>> workloads{
      {"mel",
       [&] {
         benchmark::DoNotOptimize(f.extractor.mel(f.samples));
         f.context.synchronize();
       }},
      {"features", [&] { features(f); }},
      {"mfcc_delta", [&] { derivatives(f); }},
      {"phase_vocoder", [&] { vocoder.run(f); }},
      {"time_stretch", [&] { time_stretch(f); }},
      {"pitch_shift", [&] { pitch_shift(f); }}};
  const auto workload = workloads.find(what);
  if (workload == workloads.end()) {
    std::fprintf(stderr,
                 "error: --once: unknown workload: %s (allowed mel, features, mfcc_delta, phase_vocoder, "
                 "time_stretch, pitch_shift)\n",
                 what.c_str());
    return 2;
  }
  std::vector<double> times;
  for (int i = 0; i < repeats + 3; ++i) {
    const auto start = Clock::now();
    const double cpu_start = processor_seconds();
    workload->second();
    if (i >= 3)
      times.push_back(kind == DeviceKind::cpu ? processor_seconds() - cpu_start : seconds_since(start));
  }
  std::sort(times.begin(), times.end());
  std::printf(
      "{\"name\": \"%s\", \"seconds\": %.9g, \"best_seconds\": %.9g, \"frames\": %lld, \"device\": \"%s\"}\n",
      what.c_str(), times[times.size() / 2], times[0],
      static_cast<long long>(f.extractor.frames(clip_length)), std::string(device_kind_name(kind)).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string device = "cpu", once;
  int threads = 0, kept = 1;
  for (int i = 1; i < argc; ++i) {
    const auto value = [&](const char* name, auto&& assign) {
      if (std::strcmp(argv[i], name) != 0 || i + 1 >= argc) return false;
      assign(argv[++i]);
      return true;
    };
    if (value("--device", [&](const char* text) { device = text; }) ||
        value("--once", [&](const char* text) { once = text; }) ||
        value("--threads", [&](const char* text) { threads = std::atoi(text); }))
      continue;
    argv[kept++] = argv[i];
  }
  argc = kept;
  tools::use_threads(threads);
  try {
    const DeviceKind kind = choose_device(device);
    if (!once.empty()) return run_once(once, kind);
    const auto add = [](const std::string& name, auto run) {
      return benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMillisecond)->UseRealTime();
    };
    add("spectra", [=](benchmark::State& s) { spectra(s, kind); })
        ->RangeMultiplier(2)
        ->Range(64, 16384)
        ->Arg(400)
        ->Arg(480)
        ->Arg(1000)
        ->Arg(1200);
    add("mel", [=](benchmark::State& s) { mel(s, kind); });
    add("mel_db+mfcc", [=](benchmark::State& s) { mel_db_and_mfcc(s, kind); });
    add("mel+mfcc_delta", [=](benchmark::State& s) { mel_and_derivatives(s, kind); });
    for (const bool inverse : {false, true})
      add(inverse ? "istft" : "stft", [=](benchmark::State& s) { transforms(s, kind, inverse); })
          ->Arg(400)
          ->Arg(1200)
          ->Arg(2048);
    add("phase_vocoder", [=](benchmark::State& s) { phase_vocoder(s, kind); });
    add("time_stretch", [=](benchmark::State& s) { augmentation(s, kind, time_stretch); });
    add("pitch_shift", [=](benchmark::State& s) { augmentation(s, kind, pitch_shift); });
    add("resample", [](benchmark::State& s) { resample(s); })->Arg(44100)->Arg(48000);
    add("decode/wav", [](benchmark::State& s) { decode(s, SF_FORMAT_WAV | SF_FORMAT_PCM_16, "wav"); });
    add("decode/flac", [](benchmark::State& s) { decode(s, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, "flac"); });
    add("decode/ogg", [](benchmark::State& s) { decode(s, SF_FORMAT_OGG | SF_FORMAT_VORBIS, "ogg"); });
    add("decode/mp3",
        [](benchmark::State& s) { decode(s, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, "mp3"); });
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
  return 0;
}
