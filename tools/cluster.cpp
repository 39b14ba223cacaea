// SPDX-License-Identifier: MIT
// Clusters the rows of any matrix, or the latents of a trained model, and says how good the clusters are.
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cluster/bootstrap.h"
#include "cluster/kmeans_streamed.h"
#include "cluster/metrics.h"
#include "cluster/pca.h"
#include "cluster/projection.h"
#include "tensor/npy.h"
#include "tools/clustering/algorithms.h"
#include "tools/clustering/files.h"
#include "tools/common/log.h"
#include "tools/common/program.h"
#include "tools/common/table.h"
#include "tools/pipeline/pipeline.h"

namespace chorale::tools {
namespace {

using Json = nlohmann::ordered_json;
using Intervals = std::array<cluster::Interval, cluster::metric_names.size()>;

struct Arguments {
  std::string input, model, condition = "genre", checkpoint, labels;
  std::string algorithm = "kmeans";
  std::int64_t resamples = 0, max_memory = 0;
  std::string projection = "none";
  ClusterOutputs outputs;
  AlgorithmOptions options;
};

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// One algorithm's clusters and what they are worth.
struct Judged {
  Clustering clustering;
  cluster::Evaluation evaluation;
  std::optional<Intervals> intervals;
  double cluster_s = 0, metrics_s = 0;
};

std::string cell(const std::optional<double>& value, int decimals = 6) {
  return value ? format_fixed(*value, decimals) : "";
}

/// One clustering: every metric, with its interval if there is one.
void print_metrics(const Judged& judged) {
  std::vector<std::string> header{"metric", "value"};
  if (judged.intervals) header.insert(header.end(), {"low", "high"});
  Table table(header);
  for (std::size_t m = 0; m < cluster::metric_names.size(); ++m) {
    std::vector<std::string> row{std::string(cluster::metric_names[m]),
                                 cell(judged.evaluation.metrics[m].value)};
    if (judged.intervals)
      row.insert(row.end(), {cell((*judged.intervals)[m].low), cell((*judged.intervals)[m].high)});
    table.add_row(row);
  }
  table.print();
}

/// Several clusterings: a line each, with the metrics that the result files have.
void print_comparison(const std::vector<Judged>& all, bool with_truth) {
  const std::size_t metrics = with_truth ? 7 : cluster::data_metrics;
  std::vector<std::string> header{"algorithm", "n_clusters", "noise"};
  for (std::size_t m = 0; m < metrics; ++m) header.emplace_back(cluster::metric_names[m]);
  header.emplace_back("seconds");
  Table table(header);
  for (const Judged& judged : all) {
    std::vector<std::string> row{judged.clustering.algorithm, format_count(judged.evaluation.n_clusters),
                                 format_count(judged.evaluation.n_noise)};
    for (std::size_t m = 0; m < metrics; ++m) row.push_back(cell(judged.evaluation.metrics[m].value, 4));
    row.push_back(format_fixed(judged.cluster_s, 3));
    table.add_row(row);
  }
  table.print();
}

Json value_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json to_json(const Judged& judged, double read_s) {
  Json metrics, intervals;
  for (std::size_t m = 0; m < cluster::metric_names.size(); ++m) {
    const std::string name(cluster::metric_names[m]);
    metrics[name] = value_or_null(judged.evaluation.metrics[m].value);
    if (judged.intervals)
      intervals[name] = {value_or_null((*judged.intervals)[m].low),
                         value_or_null((*judged.intervals)[m].high)};
  }
  Json json{{"algorithm", judged.clustering.algorithm}, {"parameters", judged.clustering.parameters}};
  json["n_clusters"] = judged.evaluation.n_clusters;
  json["n_noise"] = judged.evaluation.n_noise;
  json.update(judged.clustering.results);
  json["metrics"] = metrics;
  if (judged.intervals) json["intervals"] = intervals;
  json["seconds"] = {{"read", read_s}, {"cluster", judged.cluster_s}, {"metrics", judged.metrics_s}};
  return json;
}

/// One source of points, and a place for the labels of a model's latents if none is given.
Arguments complete(const Program& program, Arguments a) {
  if (a.input.empty() == a.model.empty())
    throw UsageError(concat("--input: one source of points is needed: ", a.input.empty() ? "none" : "two",
                            " given (allowed --input X.npy or --model NAME)"));
  if (a.projection != "none" && a.outputs.folder.empty())
    throw UsageError("--projection: needs --output-dir: none given (allowed with --output-dir DIR)");
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
  Judged judged{std::move(clustering), {}, {}, seconds, 0};
  const Stopwatch measuring;
  const std::vector<std::int32_t> labels = judged.clustering.labels.to_host<std::int32_t>();
  judged.evaluation = cluster::evaluate(x, labels, truth, name);
  if (a.resamples > 0)
    judged.intervals =
        cluster::bootstrap(judged.evaluation, x, labels, truth,
                           {.n_resamples = a.resamples, .random_state = a.options.random_state}, name);
  judged.metrics_s = measuring.seconds();
  return judged;
}

void write_arrays(const Judged& judged, const ClusterOutputs& outputs, bool several) {
  const Clustering& c = judged.clustering;
  if (const std::string path = outputs.labels_of(c.algorithm, several); !path.empty())
    write_npy(path, c.labels);
  const std::string folder = outputs.folder_of(c.algorithm, several);
  if (folder.empty()) return;
  write_npy(folder + "/labels.npy", c.labels);
  for (const auto& [array, values] : c.arrays) write_npy(folder + "/" + array + ".npy", values);
  const std::vector<float>& samples = judged.evaluation.silhouette_samples;
  if (!samples.empty())
    write_npy(folder + "/silhouette_samples.npy", samples, {static_cast<std::int64_t>(samples.size())});
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
  for (const char* option : {"--n-init", "--batch-size", "--bootstrap", "--projection"})
    if (program.given(option)) log_warning(option, ": not used with --max-memory");
  ExecutionContext context(program.device());
  const ContextScope scope(context);
  const Shape shape = read_npy_shape(a.input);
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
  const Tensor x =
      a.input.empty() ? compute_latents(program, a.model, a.checkpoint).codes : read_matrix(a.input);
  const std::vector<std::int32_t> truth =
      a.labels.empty() ? std::vector<std::int32_t>() : read_labels(a.labels, x.dim(0));
  const double read_s = reading.seconds();

  Json summary = common_summary(program, context, name, x.shape());
  std::vector<Judged> all;
  for (const std::string& algorithm : algorithms) {
    const Stopwatch clustering;
    Clustering found = run_algorithm(algorithm, x, a.options, name);
    all.push_back(judge(std::move(found), clustering.seconds(), x, truth, a, name));
    const Judged& judged = all.back();
    write_arrays(judged, a.outputs, several);
    summary["clusterings"].push_back(to_json(judged, read_s));
    for (std::size_t m = 0; m < cluster::metric_names.size(); ++m)
      if (!judged.evaluation.metrics[m].value && (m < cluster::data_metrics || !truth.empty()))
        log_warning(algorithm, ": ", cluster::metric_names[m],
                    ": undefined: ", judged.evaluation.metrics[m].reason);
    log_info(name, ": ", x.dim(0), " x ", x.dim(1), ", ", algorithm, ": ", judged.evaluation.n_clusters,
             " clusters in ", format_duration(judged.cluster_s));
  }
  if (a.projection != "none") {
    const Stopwatch projecting;
    write_npy(a.outputs.folder + "/projection.npy",
              cluster::project_to_plane(x, a.projection, program.common().seed, name));
    summary["projection"] = {{"method", a.projection}, {"seconds", projecting.seconds()}};
  }
  write_summary(a, summary);
  if (several) {
    print_comparison(all, !truth.empty());
  } else {
    print_metrics(all.front());
  }
  return 0;
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
