// SPDX-License-Identifier: MIT
// Clustering of whole matrices: every algorithm of the program `cluster`, silhouette, PCA, t-SNE, UMAP.
//
//   bench_cluster --benchmark_filter=kmeans
//   bench_cluster --matrix X.npy --work gmm --n-clusters 15 --repeats 3      a line of JSON for each repeat
//
// The second form (clustering/matrix.h) is what bench/reference/cluster.py compares with scikit-learn.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/clustering/matrix.h"
#include "cluster/agglomerative.h"
#include "cluster/dbscan.h"
#include "cluster/gmm.h"
#include "cluster/hdbscan.h"
#include "cluster/kmeans.h"
#include "cluster/metrics.h"
#include "cluster/neighbours.h"
#include "cluster/pca.h"
#include "cluster/tsne.h"
#include "cluster/umap.h"
#include "kernels/philox.h"
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
void gmm(benchmark::State& state, std::int64_t n, std::int64_t d, std::int64_t k,
         cluster::CovarianceType type, DeviceKind kind) {
  ExecutionContext context(kind);
  const ContextScope scope(context);
  const Tensor x = blobs(n, d, k, 10);
  cluster::GmmOptions options;
  options.n_components = k;
  options.covariance_type = type;
  options.max_iter = 20;
  options.tol = 0;
  cluster::Gmm result;
  for (auto _ : state) result = cluster::gmm(x, options);
  state.counters["n_iter"] = static_cast<double>(result.n_iter_);
  state.counters["lower_bound"] = result.lower_bound_;
}

/// Calls work(x) on blobs.
template <class Work>
void measure(benchmark::State& state, std::int64_t n, std::int64_t d, std::int64_t k, float spread,
             DeviceKind kind, const Work& work) {
  ExecutionContext context(kind);
  const ContextScope scope(context);
  const Tensor x = blobs(n, d, k, spread);
  for (auto _ : state) {
    work(x);
    context.synchronize();
  }
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
  using cluster::CovarianceType;
  add("gmm/20000x128/k15/full",
      [=](benchmark::State& s) { gmm(s, 20000, 128, 15, CovarianceType::full, kind); });
  add("gmm/20000x128/k15/tied",
      [=](benchmark::State& s) { gmm(s, 20000, 128, 15, CovarianceType::tied, kind); });
  add("gmm/200000x64/k50/diag",
      [=](benchmark::State& s) { gmm(s, 200000, 64, 50, CovarianceType::diag, kind); });
  const auto add_work = [&](const std::string& name, std::int64_t n, std::int64_t d, auto work) {
    add(name, [=](benchmark::State& s) { measure(s, n, d, 15, 6, kind, work); });
  };
  add_work("agglomerative/20000x128/ward", 20000, 128,
           [](const Tensor& x) { cluster::agglomerative(x, {.n_clusters = 15}); });
  add_work("agglomerative/20000x128/average", 20000, 128, [](const Tensor& x) {
    cluster::agglomerative(x, {.n_clusters = 15, .linkage = Linkage::average});
  });
  add_work("dbscan/20000x128", 20000, 128, [](const Tensor& x) { cluster::dbscan(x, {.eps = 90}); });
  add_work("hdbscan/20000x16", 20000, 16, [](const Tensor& x) { cluster::hdbscan(x); });
  add_work("nearest_neighbours/10000x50/k90", 10000, 50,
           [](const Tensor& x) { cluster::nearest_neighbours(x, 90); });
  add_work("tsne/10000x50", 10000, 50, [](const Tensor& x) { cluster::tsne(x); });
  add_work("umap/10000x50", 10000, 50, [](const Tensor& x) { cluster::umap(x); });
  add("silhouette/20000x128/k15", [=](benchmark::State& s) { silhouette(s, 20000, 128, 15, kind); });
  add("pca/20000x128/exact", [=](benchmark::State& s) { pca(s, 20000, 128, 32, kind); });
}

}  // namespace

int main(int argc, char** argv) {
  if (bench::wants_matrix(argc, argv)) return bench::measure_matrix(argc, argv);
  chorale::tools::use_threads(0);
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
