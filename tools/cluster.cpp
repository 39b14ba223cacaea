// SPDX-License-Identifier: MIT
// Clusters the rows of any matrix, or the latents of a trained model, and says how good the clusters are.
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cluster/kmeans.h"
#include "cluster/metrics.h"
#include "tensor/npy.h"
#include "tools/common/log.h"
#include "tools/common/program.h"
#include "tools/common/table.h"
#include "tools/pipeline/pipeline.h"

namespace chorale::tools {
namespace {

struct Arguments {
  std::string input, model, condition = "genre", checkpoint, output, labels, centers, summary;
  std::string algorithm = "kmeans";
  std::int64_t n_clusters = 8, n_init = 10, max_iter = 300;
  double tol = 1e-4;
};

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Before any work: every output can be written, and none of them is the same file as another one or an
/// input.
void check_files(const Arguments& a) {
  std::vector<std::pair<const char*, const std::string*>> seen;
  if (!a.input.empty()) seen.emplace_back("--input", &a.input);
  if (!a.labels.empty()) seen.emplace_back("--labels", &a.labels);
  for (const auto& [option, path] : {std::pair<const char*, const std::string*>{"--output", &a.output},
                                     {"--centers", &a.centers},
                                     {"--summary", &a.summary}}) {
    if (path->empty()) continue;
    for (const auto& [other, other_path] : seen) {
      std::error_code ignored;
      if (*path == *other_path || std::filesystem::equivalent(*path, *other_path, ignored))
        throw UsageError(
            concat(option, ": the same file as ", other, ": ", *path, " (allowed a file of its own)"));
    }
    check_writable(*path);
    seen.emplace_back(option, path);
  }
}

std::vector<std::int32_t> read_labels(const std::string& path, std::int64_t rows) {
  const NpyArray array = read_npy_host(path);
  if (array.shape != Shape{rows})
    throw InputError(concat(path, ": labels of another shape than the rows: ", to_string(array.shape),
                            " (allowed (", rows, ",))"));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(rows));
  const auto convert = [&](const auto& values) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto value = static_cast<std::int64_t>(values[i]);
      if (value < INT32_MIN || value > INT32_MAX)
        throw InputError(
            concat(path, ": label out of range: ", value, " at row ", i, " (allowed 32-bit integers)"));
      labels[i] = static_cast<std::int32_t>(value);
    }
  };
  switch (array.dtype) {
    case DType::i32:
      convert(array.as<std::int32_t>());
      break;
    case DType::i64:
      convert(array.as<std::int64_t>());
      break;
    case DType::u8:
      convert(array.as<std::uint8_t>());
      break;
    default:
      throw InputError(concat(path, ": labels are no integers: ", std::string(dtype_name(array.dtype)),
                              " (allowed integer types)"));
  }
  return labels;
}

Tensor read_matrix(const std::string& path) {
  const Tensor x = read_npy(path);
  if (x.rank() != 2)
    throw InputError(concat(path, ": not a matrix: ", to_string(x.shape()), " (allowed shape (n, d))"));
  return x.to(DType::f32);
}

void print_metrics(const cluster::Evaluation& evaluation) {
  Table table({"metric", "value"});
  for (std::size_t m = 0; m < evaluation.metrics.size(); ++m) {
    const cluster::Metric& metric = evaluation.metrics[m];
    table.add_row(
        {std::string(cluster::metric_names[m]), metric.value ? format_fixed(*metric.value, 6) : ""});
  }
  table.print();
}

nlohmann::ordered_json metrics_json(const cluster::Evaluation& evaluation) {
  nlohmann::ordered_json json;
  for (std::size_t m = 0; m < evaluation.metrics.size(); ++m) {
    const auto& value = evaluation.metrics[m].value;
    json[std::string(cluster::metric_names[m])] =
        value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  }
  return json;
}

/// One source of points, and a place for the labels of a model's latents if none is given.
Arguments complete(const Program& program, Arguments a) {
  if (a.input.empty() == a.model.empty())
    throw UsageError(concat("--input: one source of points is needed: ", a.input.empty() ? "none" : "two",
                            " given (allowed --input X.npy or --model NAME)"));
  if (!a.model.empty()) a.model = canonical_name("--model", a.model, a.condition);
  if (!a.model.empty() && a.output.empty()) {
    create_directories(program.common().results + "/embeddings");
    a.output = program.common().results + "/embeddings/" + a.model + "_labels.npy";
  }
  if (a.output.empty())
    throw UsageError("--output: missing: --input needs it (allowed a path ending in .npy)");
  return a;
}

int cluster_points(Program& program, const Arguments& given) {
  const Arguments a = complete(program, given);
  check_files(a);
  ExecutionContext context(program.device());
  const ContextScope scope(context);

  const Stopwatch reading;
  const std::string name = a.input.empty() ? a.model : a.input;
  const Tensor x =
      a.input.empty() ? compute_latents(program, a.model, a.checkpoint).codes : read_matrix(a.input);
  const std::vector<std::int32_t> truth =
      a.labels.empty() ? std::vector<std::int32_t>() : read_labels(a.labels, x.dim(0));
  const double read_s = reading.seconds();

  cluster::KMeansOptions options;
  options.n_clusters = a.n_clusters;
  options.n_init = a.n_init;
  options.max_iter = a.max_iter;
  options.tol = a.tol;
  options.random_state = program.common().seed;
  const Stopwatch clustering;
  const cluster::KMeansResult result = cluster::kmeans(x, options, name);
  const std::vector<std::int32_t> labels = result.labels_.to_host<std::int32_t>();
  const double cluster_s = clustering.seconds();

  const Stopwatch measuring;
  const cluster::Evaluation evaluation = cluster::evaluate(x, labels, truth, name);
  const double metrics_s = measuring.seconds();

  write_npy(a.output, result.labels_);
  if (!a.centers.empty()) write_npy(a.centers, result.cluster_centers_);
  if (!a.summary.empty()) {
    const nlohmann::ordered_json summary = {
        {"input", name},
        {"algorithm", a.algorithm},
        {"n", x.dim(0)},
        {"d", x.dim(1)},
        {"n_clusters", a.n_clusters},
        {"n_init", a.n_init},
        {"max_iter", a.max_iter},
        {"tol", a.tol},
        {"seed", program.common().seed},
        {"device", std::string(device_kind_name(context.kind()))},
        {"threads", program.common().threads},
        {"inertia", result.inertia_},
        {"n_iter", result.n_iter_},
        {"clusters_found", evaluation.n_clusters},
        {"metrics", metrics_json(evaluation)},
        {"seconds", {{"read", read_s}, {"cluster", cluster_s}, {"metrics", metrics_s}}}};
    write_file(a.summary,
               summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }

  for (std::size_t m = 0; m < evaluation.metrics.size(); ++m)
    if (!evaluation.metrics[m].value && (m < 3 || !truth.empty()))
      log_warning(std::string(cluster::metric_names[m]), ": undefined: ", evaluation.metrics[m].reason);
  log_info(name, ": ", x.dim(0), " x ", x.dim(1), ", ", evaluation.n_clusters, " clusters, inertia ",
           result.inertia_, " after ", result.n_iter_, " iterations, ", format_duration(cluster_s));
  print_metrics(evaluation);
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
    options.add("--input", &a.input, "matrix (n, d), one row a point, .npy").placeholder("X.npy");
    options.add("--model", &a.model, "cluster the latents of this trained model instead", {});
    options.add("--condition", &a.condition, "which one a bare cvae means", {"genre", "language"});
    options.add("--checkpoint", &a.checkpoint, "another checkpoint than the model's best.safetensors")
        .placeholder("FILE");
    options.add("--output", &a.output, "cluster of each row, i32 (n)")
        .placeholder("LABELS.npy")
        .shown_default("with --model: <results>/embeddings/<NAME>_labels.npy");
    options.add("--algorithm", &a.algorithm, "how to cluster", {"kmeans"});
    options.add("--n-clusters", &a.n_clusters, "number of clusters, at most n", {1, 2147483647});
    options.add("--n-init", &a.n_init, "k-means: starts, of which the best counts", {1, 10000});
    options.add("--max-iter", &a.max_iter, "k-means: most iterations of a start", {1, 1e9});
    options.add("--tol", &a.tol, "k-means: move of the centers, relative to the variance, that ends a start",
                {0, 1e30});
    options.add("--labels", &a.labels, "known classes, integers (n), to compare with").placeholder("Y.npy");
    options.add("--centers", &a.centers, "also write the centers, f32 (k, d)").placeholder("FILE");
    options.add("--summary", &a.summary, "also write parameters, metrics and times as JSON")
        .placeholder("FILE");
  };
  return run_program(argc, argv, info, declare, [&](Program& program) { return cluster_points(program, a); });
}
