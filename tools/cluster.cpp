// SPDX-License-Identifier: MIT
// Clusters the rows of any matrix, or the latents of a trained model, and says how good the clusters are.
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "cluster/kmeans_streamed.h"
#include "cluster/projection.h"
#include "tensor/npy.h"
#include "tools/clustering/algorithms.h"
#include "tools/clustering/files.h"
#include "tools/clustering/judgement.h"
#include "tools/common/log.h"
#include "tools/common/program.h"
#include "tools/pipeline/pipeline.h"

namespace chorale::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string input, model, condition = "genre", checkpoint, labels;
  std::string algorithm = "kmeans";
  std::int64_t resamples = 0, max_memory = 0;
  std::string projection = "none", metrics = "all";
  ClusterOutputs outputs;
  AlgorithmOptions options;
};

/// Rows whose silhouette takes a while.
constexpr std::int64_t many_rows = 100'000;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// One source of points, and a place for the labels of a model's latents if none is given.
Arguments complete(const Program& program, Arguments a) {
  if (a.input.empty() == a.model.empty())
    throw UsageError(concat("--input: one source of points is needed: ", a.input.empty() ? "none" : "two",
                            " given (allowed --input X.npy or --model NAME)"));
  if (a.projection != "none" && a.outputs.folder.empty())
    throw UsageError("--projection: needs --output-dir: none given (allowed with --output-dir DIR)");
  if (program.given("--n-clusters") && program.given("--distance-threshold"))
    throw UsageError(
        "--distance-threshold: together with --n-clusters: two ways to cut the tree (allowed one of them)");
  if (a.resamples > 0 && a.metrics == "none")
    throw UsageError("--bootstrap: with --metrics none: nothing to resample (allowed with fast or all)");
  if (!a.model.empty()) a.model = canonical_name("--model", a.model, a.condition);
  ClusterOutputs& o = a.outputs;
  if (!a.model.empty() && o.labels.empty() && o.folder.empty()) {
    create_directories(program.common().results + "/embeddings");
    o.labels = program.common().results + "/embeddings/" + a.model + "_labels.npy";
  }
  if (o.labels.empty() && o.folder.empty())
    throw UsageError(
        "--output: missing: --input needs it (allowed a path ending in .npy, or --output-dir DIR)");
  a.options.random_state = program.common().seed;
  a.options.responsibilities = !o.folder.empty();
  return a;
}

Judged judge(Clustering clustering, double seconds, const Tensor& x, const std::vector<std::int32_t>& truth,
             const Arguments& a, const std::string& name) {
  Judged judged;
  judged.clustering = std::move(clustering);
  judged.cluster_s = seconds;
  const Stopwatch measuring;
  const std::vector<std::int32_t> labels = judged.clustering.labels.to_host<std::int32_t>();
  judged.evaluation = cluster::evaluate(x, labels, truth, name, data_metrics_of(a.metrics));
  if (!truth.empty()) judged.table.emplace(truth, labels);
  if (a.resamples > 0)
    judged.intervals =
        cluster::bootstrap(judged.evaluation, x, labels, truth,
                           {.n_resamples = a.resamples, .random_state = a.options.random_state}, name);
  judged.metrics_s = measuring.seconds();
  return judged;
}

/// What an algorithm found; returns the names of the arrays in its folder.
std::vector<std::string> write_arrays(const Clustering& c, const ClusterOutputs& outputs, bool several,
                                      const std::vector<double>& origin) {
  if (const std::string path = outputs.labels_of(c.algorithm, several); !path.empty())
    write_npy(path, c.labels);
  const std::string folder = outputs.folder_of(c.algorithm, several);
  if (folder.empty()) return {};
  write_npy(folder + "/labels.npy", c.labels);
  std::vector<std::string> written{"labels"};
  for (const auto& [array, values] : c.arrays) {
    const bool places = array == "centers" || array == "means";
    write_npy(folder + "/" + array + ".npy", places ? from_origin(values, origin) : values);
    written.push_back(array);
  }
  return written;
}

void write_summary(const Arguments& a, const Json& summary) {
  const std::string text = summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (!a.outputs.summary.empty()) write_file(a.outputs.summary, text);
  if (!a.outputs.folder.empty()) write_file(a.outputs.folder + "/summary.json", text);
}

Json common_summary(const Program& program, const ExecutionContext& context, const std::string& name,
                    const Shape& shape) {
  return {{"input", name},
          {"n", shape[0]},
          {"d", shape[1]},
          {"seed", program.common().seed},
          {"device", std::string(device_kind_name(context.kind()))},
          {"threads", program.common().threads},
          {"clusterings", Json::array()}};
}

/// Of what is known without the points in memory.
cluster::Evaluation evaluate_labels(const std::vector<std::int32_t>& labels,
                                    const std::vector<std::int32_t>& truth) {
  cluster::Evaluation e;
  e.n_clusters = static_cast<std::int64_t>(std::set<std::int32_t>(labels.begin(), labels.end()).size());
  for (cluster::Metric& metric : e.metrics) metric.reason = "the points are not in memory";
  if (truth.empty()) return e;
  const auto against = cluster::agreement({truth, labels});
  std::copy(against.begin(), against.end(), e.metrics.begin() + cluster::data_metrics);
  return e;
}

/// k-means of a matrix that stays in its file.
int cluster_file(Program& program, const Arguments& a) {
  if (a.algorithm != "kmeans" || a.input.empty())
    throw UsageError(concat("--max-memory: only for k-means of a file: ", a.algorithm,
                            a.input.empty() ? " of a model" : "",
                            " (allowed with --input X.npy --algorithm kmeans)"));
  for (const char* option : {"--n-init", "--batch-size", "--bootstrap", "--projection", "--metrics"})
    if (program.given(option)) log_warning(option, ": not used with --max-memory");
  ExecutionContext context(program.device());
  const ContextScope scope(context);
  const Shape shape = read_npy_header(a.input).shape;
  const std::vector<std::int32_t> truth =
      a.labels.empty() ? std::vector<std::int32_t>() : read_labels(a.labels, shape.empty() ? 0 : shape[0]);
  cluster::KMeansStreamedOptions options;
  options.n_clusters = a.options.n_clusters;
  if (program.given("--init")) options.init = a.options.init;
  if (a.options.max_iter > 0) options.max_iter = a.options.max_iter;
  if (a.options.tol >= 0) options.tol = a.options.tol;
  options.metric = a.options.metric;
  options.random_state = a.options.random_state;
  options.max_memory = a.max_memory << 20;
  const std::string labels = a.outputs.labels.empty() ? a.outputs.folder + "/labels.npy" : a.outputs.labels;
  const Stopwatch clustering;
  const cluster::KMeansStreamedResult r = cluster::kmeans_streamed(a.input, labels, options);
  Judged judged;
  judged.cluster_s = clustering.seconds();
  const NpyArray written = read_npy_host(labels);
  const auto values = written.as<std::int32_t>();
  judged.evaluation = evaluate_labels({values.begin(), values.end()}, truth);
  if (!truth.empty()) judged.table.emplace(truth, values);
  judged.clustering = {"kmeans",
                       Tensor(),
                       {},
                       {{"n_clusters", options.n_clusters},
                        {"init", options.init},
                        {"max_iter", options.max_iter},
                        {"tol", options.tol},
                        {"metric", options.metric},
                        {"max_memory", options.max_memory}},
                       {{"inertia", r.inertia_}, {"n_iter", r.n_iter_}, {"n_groups", r.n_groups_}}};
  if (!a.outputs.folder.empty()) {
    a.outputs.remove_stale("kmeans", false, {"labels", "centers"});
    write_npy(a.outputs.folder + "/centers.npy", r.cluster_centers_);
    if (!a.outputs.labels.empty())
      write_npy(a.outputs.folder + "/labels.npy", written.as<std::int32_t>(), written.shape);
  }
  Json summary = common_summary(program, context, a.input, shape);
  summary["clusterings"].push_back(to_json(judged, 0));
  write_summary(a, summary);
  log_info(a.input, ": ", shape[0], " x ", shape[1], ", kmeans: ", judged.evaluation.n_clusters,
           " clusters in ", format_duration(judged.cluster_s), ", ", r.n_groups_, " groups of rows");
  print_metrics(judged);
  return 0;
}

/// Runs one algorithm, writes what it found, judges and describes it.
Judged cluster_by(const std::string& algorithm, const Points& points, const std::vector<std::int32_t>& truth,
                  const Arguments& a, const std::string& name, bool several) {
  const Tensor& x = points.x;
  const Stopwatch clustering;
  Clustering found = run_algorithm(algorithm, x, a.options, name);
  const double seconds = clustering.seconds();
  std::vector<std::string> written = write_arrays(found, a.outputs, several, points.origin);
  for (const std::string& warning : found.warnings) log_warning(algorithm, ": ", warning);
  if (a.metrics == "all" && x.dim(0) > many_rows)
    log_info(algorithm, ": clustered in ", format_duration(seconds),
             "; the silhouette looks at all pairs of rows (--metrics fast leaves it out)");
  Judged judged = judge(std::move(found), seconds, x, truth, a, name);
  if (const std::vector<float>& samples = judged.evaluation.silhouette_samples;
      !samples.empty() && !a.outputs.folder.empty()) {
    write_npy(a.outputs.folder_of(algorithm, several) + "/silhouette_samples.npy", samples,
              {static_cast<std::int64_t>(samples.size())});
    written.emplace_back("silhouette_samples");
  }
  a.outputs.remove_stale(algorithm, several, written);
  for (std::size_t m = 0; m < cluster::metric_names.size(); ++m) {
    const cluster::Metric& metric = judged.evaluation.metrics[m];
    const bool asked = m < cluster::data_metrics ? metric.reason != cluster::not_asked_for : !truth.empty();
    if (!metric.value && asked)
      log_warning(algorithm, ": ", cluster::metric_names[m], ": undefined: ", metric.reason);
  }
  if (algorithm == "kmeans" && judged.evaluation.n_clusters < a.options.n_clusters)
    log_warning(algorithm, ": ", judged.evaluation.n_clusters, " of ", a.options.n_clusters,
                " clusters have points: fewer distinct rows");
  log_info(name, ": ", x.dim(0), " x ", x.dim(1), ", ", algorithm, ": ", judged.evaluation.n_clusters,
           " clusters in ", format_duration(judged.cluster_s));
  return judged;
}

int cluster_points(Program& program, const Arguments& given) {
  const Arguments a = complete(program, given);
  const std::vector<std::string> algorithms =
      a.algorithm == "all" ? algorithm_names() : std::vector<std::string>{a.algorithm};
  const bool several = algorithms.size() > 1;
  a.outputs.check(algorithms, {{"--input", a.input}, {"--labels", a.labels}});
  for (const std::string& option : unused_options(program.options(), algorithms))
    log_warning(option, ": not used by ", a.algorithm);
  if (a.max_memory > 0) return cluster_file(program, a);
  ExecutionContext context(program.device());
  const ContextScope scope(context);

  const Stopwatch reading;
  const std::string name = a.input.empty() ? a.model : a.input;
  const Points points = a.input.empty() ? Points{compute_latents(program, a.model, a.checkpoint).codes, {}}
                                        : read_points(a.input, a.options.metric == "cosine");
  const std::vector<std::int32_t> truth =
      a.labels.empty() ? std::vector<std::int32_t>() : read_labels(a.labels, points.x.dim(0));
  const double read_s = reading.seconds();

  Json summary = common_summary(program, context, name, points.x.shape());
  std::vector<Judged> all;
  int failed = 0;  // exit code of the first of several algorithms that cannot do it
  for (const std::string& algorithm : algorithms) {
    try {
      all.push_back(cluster_by(algorithm, points, truth, a, name, several));
      summary["clusterings"].push_back(to_json(all.back(), read_s));
    } catch (const Error& error) {
      if (!several) throw;
      log_error(algorithm, ": ", error.what());
      summary["clusterings"].push_back({{"algorithm", algorithm}, {"error", error.what()}});
      a.outputs.remove_stale(algorithm, several, {});
      if (!failed) failed = error.exit_code();
    }
  }
  if (a.projection != "none") {
    const Stopwatch projecting;
    write_npy(a.outputs.folder + "/projection.npy",
              cluster::project_to_plane(points.x, a.projection, program.common().seed, name));
    summary["projection"] = {{"method", a.projection}, {"seconds", projecting.seconds()}};
  }
  write_summary(a, summary);
  if (several) {
    print_comparison(all, !truth.empty());
  } else {
    print_metrics(all.front());
  }
  return failed;
}

}  // namespace
}  // namespace chorale::tools

int main(int argc, char** argv) {
  using namespace chorale::tools;
  Arguments a;
  const ProgramInfo info{.name = "cluster",
                         .summary =
                             "Clusters the rows of a matrix, or a model's latents, and prints how good the "
                             "clusters are.",
                         .uses_data = true,
                         .uses_results = true};
  const auto declare = [&](Options& options) {
    options.group("Points");
    options.add("--input", &a.input, "matrix (n, d), one row a point, .npy").placeholder("X.npy");
    options.add("--labels", &a.labels, "known classes, integers (n), to compare with").placeholder("Y.npy");
    options.add("--model", &a.model, "cluster the latents of this trained model instead", {});
    options.add("--condition", &a.condition, "which one a bare cvae means", {"genre", "language"});
    options.add("--checkpoint", &a.checkpoint, "another checkpoint than the model's best.safetensors")
        .placeholder("FILE");
    options.group("Results");
    options
        .add("--output", &a.outputs.labels,
             "cluster of each row, i32 (n), -1 for noise; with `all` one file each")
        .placeholder("LABELS.npy")
        .shown_default("with --model: <results>/embeddings/<NAME>_labels.npy");
    options
        .add("--output-dir", &a.outputs.folder,
             "labels.npy, centers.npy, responsibilities.npy, linkage.npy ... as the algorithm has them, and "
             "summary.json")
        .placeholder("DIR");
    options.add("--summary", &a.outputs.summary, "parameters, metrics and times as JSON").placeholder("FILE");
    options.add("--projection", &a.projection,
                "also map the points to the plane, into projection.npy of --output-dir",
                {"none", "pca", "tsne", "umap"});
    options.add("--metrics", &a.metrics,
                "of the data alone; fast: without the silhouette, which looks at all pairs of rows",
                {"all", "fast", "none"});
    options.add("--bootstrap", &a.resamples, "resamples for 95 % intervals of the metrics; 0: none",
                {0, 1000000});
    std::vector<std::string> choices = algorithm_names();
    choices.emplace_back("all");
    options.group("Algorithms");
    options.add("--algorithm", &a.algorithm, "how to cluster", choices);
    add_algorithm_options(options, a.options);
    options.add(
        "--max-memory", &a.max_memory,
        "kmeans: MiB to take for a matrix that stays in its file, however large; 0: it is read into memory",
        {0, 1e9});
  };
  return run_program(argc, argv, info, declare, [&](Program& program) { return cluster_points(program, a); });
}
