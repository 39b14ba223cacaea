// SPDX-License-Identifier: MIT
#include "bench/clustering/matrix.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "cluster/metrics.h"
#include "cluster/pca.h"
#include "cluster/tsne.h"
#include "cluster/umap.h"
#include "tensor/npy.h"
#include "tools/clustering/algorithms.h"
#include "tools/clustering/files.h"
#include "tools/common/options.h"
#include "tools/common/text.h"
#include "tools/common/threads.h"

namespace chorale::bench {
namespace {

using Json = nlohmann::ordered_json;

struct Request {
  std::string matrix, work, labels, output, device = "cpu";
  std::int64_t repeats = 2;
  std::uint64_t seed = 0;
  tools::AlgorithmOptions options;
};

/// What was found, beside the numbers that measure it.
struct Outcome {
  Json numbers;
  Tensor array;  ///< labels or a map
};

Outcome run(const Request& r, const Tensor& x, std::uint64_t seed) {
  if (r.work == "silhouette") {
    const std::vector<std::int32_t> labels = tools::read_labels(r.labels, x.dim(0));
    return {{{"silhouette", cluster::silhouette(x, labels).mean.value.value_or(0)}}, {}};
  }
  if (r.work == "pca") {
    const cluster::Pca fit = cluster::pca(x, {.n_components = r.options.n_clusters, .random_state = seed});
    double explained = 0;
    for (const double ratio : fit.explained_variance_ratio_) explained += ratio;
    return {{{"explained", explained}}, {}};
  }
  if (r.work == "tsne") {
    const cluster::TsneResult map = cluster::tsne(x, {.random_state = seed});
    return {{{"kl_divergence", map.kl_divergence_}, {"n_iter", map.n_iter_}}, map.embedding_};
  }
  if (r.work == "umap") return {Json::object(), cluster::umap(x, {.random_state = seed}).embedding_};
  tools::AlgorithmOptions options = r.options;
  options.random_state = seed;
  options.responsibilities = false;
  const tools::Clustering found = tools::run_algorithm(r.work, x, options, r.matrix);
  return {found.results, found.labels};
}

/// The most memory that this process has had.
double peak_memory_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) / 1024;
  return 0;
}

}  // namespace

bool wants_matrix(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](const std::string& a) { return a.starts_with("--matrix"); });
}

int measure_matrix(int argc, char** argv) try {
  Request r;
  tools::Options options("bench_cluster", "Times clustering work on a matrix.");
  std::vector<std::string> works = tools::algorithm_names();
  works.insert(works.end(), {"silhouette", "pca", "tsne", "umap"});
  options.add("--matrix", &r.matrix, "matrix (n, d)").required();
  options.add("--work", &r.work, "what to time", works).required();
  options.add("--labels", &r.labels, "for silhouette: clusters (n)");
  options.add("--write", &r.output, "where the last repeat's labels or map go");
  options.add("--repeats", &r.repeats, "times to run", {1, 1000000});
  options.add("--seed", &r.seed, "of the first repeat; the others have the next ones");
  options.add("--device", &r.device, "where", {"cpu", "cuda"});
  tools::add_algorithm_options(options, r.options);
  bool help = false;
  options.add("--help", &help, "this text");
  options.parse(argc, argv);
  if (help) {
    std::printf("%s", options.help().c_str());
    return 0;
  }
  tools::use_threads(0);
  ExecutionContext context(r.device == "cuda" ? DeviceKind::cuda : DeviceKind::cpu);
  const ContextScope scope(context);
  const Tensor x = tools::read_points(r.matrix).x;
  for (std::int64_t i = 0; i < r.repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t processor = std::clock();
    const Outcome outcome = run(r, x, r.seed + static_cast<std::uint64_t>(i));
    context.synchronize();
    Json line{{"s", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()},
              {"cpu_s", static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC}};
    line.update(outcome.numbers);
    line["peak_memory_mib"] = peak_memory_mib();
    std::printf("%s\n", line.dump().c_str());
    if (!r.output.empty() && outcome.array.defined() && i + 1 == r.repeats)
      write_npy(r.output, outcome.array);
  }
  return 0;
} catch (const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 2;
}

}  // namespace chorale::bench
