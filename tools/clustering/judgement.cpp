// SPDX-License-Identifier: MIT
#include "tools/clustering/judgement.h"

#include "tools/common/table.h"
#include "tools/common/text.h"

namespace chorale::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string cell(const std::optional<double>& value, int decimals = 6) {
  return value ? format_fixed(*value, decimals) : "";
}

/// Of a larger table the summary has none.
constexpr std::size_t most_cells = 10'000;

/// A row of counts for each class.
Json to_json(const cluster::Contingency& table) {
  Json counts = Json::array();
  const std::size_t columns = table.clusters.size();
  for (std::size_t r = 0; r < table.classes.size(); ++r)
    counts.push_back(
        std::vector<std::int64_t>(table.counts.begin() + static_cast<std::ptrdiff_t>(r * columns),
                                  table.counts.begin() + static_cast<std::ptrdiff_t>((r + 1) * columns)));
  return {{"classes", table.classes}, {"clusters", table.clusters}, {"counts", counts}};
}

Json value_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

}  // namespace

cluster::DataMetrics data_metrics_of(const std::string& choice) {
  return choice == "none"   ? cluster::DataMetrics::none
         : choice == "fast" ? cluster::DataMetrics::fast
                            : cluster::DataMetrics::all;
}

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
  if (judged.table && judged.table->counts.size() <= most_cells) json["contingency"] = to_json(*judged.table);
  json["seconds"] = {{"read", read_s}, {"cluster", judged.cluster_s}, {"metrics", judged.metrics_s}};
  return json;
}

}  // namespace chorale::tools
