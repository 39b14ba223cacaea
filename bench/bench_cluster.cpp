// SPDX-License-Identifier: MIT
// Clustering of whole matrices: k-means with ten restarts, Gaussian mixtures, silhouette, PCA.
//
//   bench_cluster --benchmark_filter=kmeans
//   bench_cluster --matrix X.npy --n-clusters 15 --repeats 3      times of one matrix, a line of JSON each
//
// The second form is what bench/reference/cluster.py compares with scikit-learn.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "cluster/gmm.h"
#include "cluster/kmeans.h"
#include "cluster/metrics.h"
#include "cluster/pca.h"
#include "kernels/philox.h"
#include "tensor/npy.h"
#include "tools/common/threads.h"

namespace {

using namespace chorale;

/// Gaussian blobs: centers uniform in [-10, 10]^d, unit steps of `spread`.
Tensor blobs(std::int64_t n, std::int64_t d, std::int64_t k, float spread) {
  std::vector<float> x(static_cast<std::size_t>(n * d));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < d; j += 4) {
      float noise[4];
      philox::normals(philox::block(1, 0, 0, static_cast<std::uint64_t>((i * d + j) / 4)), noise);
      const philox::Block center = philox::block(1, 0, 1, static_cast<std::uint64_t>((i % k * d + j) / 4));
      for (std::int64_t l = 0; l < 4 && j + l < d; ++l)
        x[static_cast<std::size_t>(i * d + j + l)] =
            20.0f * philox::uniform(center.word[l]) - 10.0f + spread * noise[l];
    }
  return Tensor::from_host(x, {n, d});
}

void kmeans(benchmark::State& state, std::int64_t n, std::int64_t d, std::int64_t k, float spread,
            bool bounds, DeviceKind kind) {
  ExecutionContext context(kind);
  const ContextScope scope(context);
  const Tensor x = blobs(n, d, k, spread);
  cluster::KMeansOptions options;
  options.n_clusters = k;
  options.bounds = bounds;
  cluster::KMeansResult result;
  for (auto _ : state) result = cluster::kmeans(x, options);
  state.counters["n_iter"] = static_cast<double>(result.n_iter_);
  state.counters["inertia"] = result.inertia_;
}

/// One restart of twenty iterations, its k-means included.
void gmm(benchmark::State& state, std::int64_t n, std::int64_t d, std::int64_t k, DeviceKind kind) {
  ExecutionContext context(kind);
  const ContextScope scope(context);
  const Tensor x = blobs(n, d, k, 10);
  cluster::GmmOptions options;
  options.n_components = k;
  options.covariance_type = cluster::CovarianceType::diag;
  options.max_iter = 20;
  options.tol = 0;
  cluster::Gmm result;
  for (auto _ : state) result = cluster::gmm(x, options);
  state.counters["n_iter"] = static_cast<double>(result.n_iter_);
  state.counters["lower_bound"] = result.lower_bound_;
}

void silhouette(benchmark::State& state, std::int64_t n, std::int64_t d, std::int64_t k, DeviceKind kind) {
  ExecutionContext context(kind);
  const ContextScope scope(context);
  const Tensor x = blobs(n, d, k, 10);
  std::vector<std::int32_t> labels(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::int32_t>(static_cast<std::int64_t>(i) % k);
  for (auto _ : state) benchmark::DoNotOptimize(cluster::silhouette(x, labels).mean.value);
  state.counters["flop/s"] =
      benchmark::Counter(2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(d) *
                             static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

void pca(benchmark::State& state, std::int64_t n, std::int64_t d, std::int64_t components, DeviceKind kind) {
  ExecutionContext context(kind);
  const ContextScope scope(context);
  const Tensor x = blobs(n, d, 15, 4);
  cluster::PcaOptions options;
  options.n_components = components;
  for (auto _ : state) benchmark::DoNotOptimize(cluster::pca(x, options).explained_variance_.data());
}

/// One line of JSON for each repeat of k-means and silhouette on a matrix from a file.
int measure_matrix(const std::string& path, std::int64_t k, int repeats) {
  ExecutionContext context(DeviceKind::cpu);
  const ContextScope scope(context);
  const Tensor x = read_npy(path).to(DType::f32);
  struct Times {
    double wall, processor;
  };
  const auto time_of = [](const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t processor = std::clock();
    work();
    return Times{std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
                 static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC};
  };
  for (int i = 0; i < repeats; ++i) {
    cluster::KMeansOptions options;
    options.n_clusters = k;
    options.random_state = static_cast<std::uint64_t>(i);
    cluster::KMeansResult result;
    const Times kmeans = time_of([&] { result = cluster::kmeans(x, options); });
    const std::vector<std::int32_t> labels = result.labels_.to_host<std::int32_t>();
    double score = 0;
    const Times silhouette = time_of([&] { score = cluster::silhouette(x, labels).mean.value.value_or(0); });
    std::printf(
        "{\"kmeans_s\": %.6f, \"kmeans_cpu_s\": %.6f, \"inertia\": %.9g, \"n_iter\": %lld, "
        "\"silhouette_s\": %.6f, \"silhouette_cpu_s\": %.6f, \"silhouette\": %.9f}\n",
        kmeans.wall, kmeans.processor, result.inertia_, static_cast<long long>(result.n_iter_),
        silhouette.wall, silhouette.processor, score);
  }
  return 0;
}

void register_all(DeviceKind kind) {
  const std::string device = std::string("/") + std::string(device_kind_name(kind));
  const auto add = [&](const std::string& name, auto function) {
    benchmark::RegisterBenchmark((name + device).c_str(), function)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  };
  add("kmeans/20000x128/k15/separated",
      [=](benchmark::State& s) { kmeans(s, 20000, 128, 15, 6, true, kind); });
  add("kmeans/20000x128/k15/overlapping",
      [=](benchmark::State& s) { kmeans(s, 20000, 128, 15, 40, true, kind); });
  add("kmeans/20000x128/k15/overlapping/no_bounds",
      [=](benchmark::State& s) { kmeans(s, 20000, 128, 15, 40, false, kind); });
  add("kmeans/50000x64/k20/separated", [=](benchmark::State& s) { kmeans(s, 50000, 64, 20, 1, true, kind); });
  add("gmm/20000x64/k20", [=](benchmark::State& s) { gmm(s, 20000, 64, 20, kind); });
  add("silhouette/20000x128/k15", [=](benchmark::State& s) { silhouette(s, 20000, 128, 15, kind); });
  add("pca/20000x128/exact", [=](benchmark::State& s) { pca(s, 20000, 128, 32, kind); });
}

}  // namespace

int main(int argc, char** argv) {
  chorale::tools::use_threads(0);
  std::string matrix;
  std::int64_t k = 15;
  int repeats = 3;
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--matrix") matrix = argv[i + 1];
    if (option == "--n-clusters") k = std::atoll(argv[i + 1]);
    if (option == "--repeats") repeats = std::atoi(argv[i + 1]);
  }
  if (!matrix.empty()) return measure_matrix(matrix, k, repeats);
  register_all(DeviceKind::cpu);
  try {
    open_backend(DeviceKind::cuda);
    register_all(DeviceKind::cuda);
  } catch (const chorale::DeviceError&) {  // no such device here
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
