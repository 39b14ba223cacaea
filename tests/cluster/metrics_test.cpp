// SPDX-License-Identifier: MIT
#include "cluster/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

using test::golden;

class Metrics : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

double value(const Metric& m) {
  EXPECT_TRUE(m.value.has_value()) << m.reason;
  return m.value.value_or(-1e9);
}

void expect_data_metrics(const std::string& name, const test::Data& data, Labels labels,
                         const nlohmann::json& expected) {
  const Silhouette s = silhouette(data.x, labels);
  const std::pair<const char*, double> ours[] = {
      {"silhouette_score", value(s.mean)},
      {"calinski_harabasz_index", value(calinski_harabasz(data.x, labels))},
      {"davies_bouldin_index", value(davies_bouldin(data.x, labels))}};
  for (const auto& [metric, result] : ours) {
    const double theirs = expected[metric];
    std::printf("%-8s %-32s %18.10f %18.10f %9.1e\n", name.c_str(), metric, result, theirs,
                std::fabs(result - theirs) / std::fabs(theirs));
    EXPECT_NEAR(result, theirs, 1e-6 * std::max(1.0, std::fabs(theirs))) << name << " " << metric;
  }
  const auto& samples = expected["silhouette_samples"];
  const std::size_t step = std::max<std::size_t>(1, labels.size() / 40);
  for (std::size_t i = 0; i < samples.size(); ++i)
    EXPECT_NEAR(static_cast<double>(s.samples[i * step]), samples[i].get<double>(), 1e-5)
        << name << " row " << i * step;
}

void expect_agreement(const std::string& name, const Contingency& table, const nlohmann::json& expected) {
  std::vector<std::pair<std::string, double>> ours{
      {"adjusted_mutual_info_max", value(adjusted_mutual_info(table, Average::maximum))},
      {"v_measure_beta_half", value(v_measure(table, 0.5))},
      {"mutual_info", value(mutual_info(table))}};
  const auto all = agreement(table);
  for (std::size_t m = 0; m < all.size(); ++m)
    ours.emplace_back(metric_names[data_metrics + m], value(all[m]));
  for (const auto& [metric, result] : ours) {
    const double theirs = expected[metric];
    std::printf("%-8s %-32s %18.10f %18.10f %9.1e\n", name.c_str(), metric.c_str(), result, theirs,
                std::fabs(result - theirs) / std::max(std::fabs(theirs), 1e-300));
    EXPECT_NEAR(result, theirs, 1e-9) << name << " " << metric;
  }
}

TEST_F(Metrics, EqualScikitLearn) {
  std::printf("%-8s %-32s %18s %18s %9s\n", "data", "metric", "ours", "scikit-learn", "relative");
  for (const auto& [name, set] : golden()["sets"].items()) {
    const test::Data data = test::load(name);
    const auto predicted = test::labels_of(name + "_kmeans.npy");
    expect_data_metrics(name, data, data.truth, set["truth_metrics"]);
    const nlohmann::json& expected = set["kmeans_metrics"];
    expect_data_metrics(name, data, predicted, expected);
    expect_agreement(name, {data.truth, predicted}, expected);
  }
}

TEST_F(Metrics, AgreementEqualsScikitLearnAtTheEdges) {
  int number = 0;
  for (const auto& pair : golden()["small_labels"]) {
    const auto truth = pair["truth"].get<std::vector<std::int32_t>>(),
               predicted = pair["predicted"].get<std::vector<std::int32_t>>();
    expect_agreement("pair " + std::to_string(number++), {truth, predicted}, pair["metrics"]);
  }
}

/// Silhouettes of the rows of x by their definition, in f64.
std::vector<double> defined_silhouettes(const std::vector<float>& x, std::size_t d, Labels labels) {
  std::vector<double> samples;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::map<std::int32_t, std::pair<double, double>> clusters;  // sum of distances, points
    for (std::size_t j = 0; j < labels.size(); ++j) {
      double square = 0;
      for (std::size_t k = 0; k < d; ++k)
        square += std::pow(static_cast<double>(x[i * d + k]) - static_cast<double>(x[j * d + k]), 2);
      clusters[labels[j]].first += std::sqrt(square);
      clusters[labels[j]].second += 1;
    }
    double own = 0, nearest = 1e300;
    for (const auto& [cluster, sum] : clusters)
      if (cluster == labels[i])
        own = sum.second > 1 ? sum.first / (sum.second - 1) : -1;
      else
        nearest = std::min(nearest, sum.first / sum.second);
    samples.push_back(own < 0 ? 0 : (nearest - own) / std::max(own, nearest));
  }
  return samples;
}

void expect_silhouettes(const std::vector<float>& x, std::size_t d, Labels labels, double tolerance) {
  const Silhouette s = silhouette(test::matrix(x, static_cast<std::int64_t>(d)), labels);
  const std::vector<double> expected = defined_silhouettes(x, d, labels);
  double largest = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(s.samples[i]) - expected[i]));
    ASSERT_NEAR(static_cast<double>(s.samples[i]), expected[i], tolerance) << "row " << i;
  }
  EXPECT_NEAR(value(s.mean),
              std::accumulate(expected.begin(), expected.end(), 0.0) / static_cast<double>(expected.size()),
              tolerance);
  std::printf("%zu columns: off by %.1e\n", d, largest);
}

TEST_F(Metrics, SilhouetteEqualsTheDefinition) {
  // Uneven clusters, one of a single point, one of two equal points; sizes that no tile divides.
  for (const std::size_t d : {7, 23, 300}) {
    std::vector<float> x = test::blob_values(331, static_cast<std::int64_t>(d), 5, 96);
    std::vector<std::int32_t> labels(331);
    for (std::size_t i = 0; i < labels.size(); ++i)
      labels[i] = i < 40 ? 9 : i < 41 ? 3 : i < 43 ? -7 : i < 200 ? 0 : 1;
    std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(41 * d), d,
                x.begin() + static_cast<std::ptrdiff_t>(42 * d));
    expect_silhouettes(x, d, labels, 2e-6);
  }
}

TEST_F(Metrics, SilhouetteHoldsWhereProductsCancel) {
  // Clusters of three, two to a place; they are small where places are 1 and the origin is 50 apart.
  const auto uniform = [](std::uint64_t number) {
    return static_cast<double>(test::splitmix(number) >> 11) * 0x1p-53;
  };
  for (const std::size_t d : {2, 20, 300})
    for (const double extent : {1e-3, 0.03})
      for (const double scale : {1e-10, 1e10}) {
        std::vector<float> x;
        std::vector<std::int32_t> labels;
        for (std::size_t i = 0; i < 300; ++i) {
          labels.push_back(static_cast<std::int32_t>(i / 3));
          for (std::size_t k = 0; k < d; ++k)
            x.push_back(static_cast<float>(
                scale * (50 + uniform(i / 6 * d + k) + extent * uniform(1000000 + i * d + k))));
        }
        expect_silhouettes(x, d, labels, 2e-6);
      }
}

TEST_F(Metrics, AreUndefinedRatherThanNaN) {
  const test::Data data = test::blobs(12, 3, 3, 24);
  std::vector<std::int32_t> each(12);
  std::iota(each.begin(), each.end(), 0);
  const std::pair<std::vector<std::int32_t>, const char*> cases[] = {
      {std::vector<std::int32_t>(12, 4), "one cluster"},
      {std::vector<std::int32_t>(12, -1), "noise"},
      {{-1, -1, 5, 5, 5, 5, -1, -1, -1, -1, -1, -1}, "one cluster"},
      {each, "own"}};
  for (const auto& [labels, reason] : cases) {
    const Evaluation e = evaluate(data.x, labels, data.truth);
    for (int m = 0; m < 3; ++m) {
      const Metric& metric = e.metrics[static_cast<std::size_t>(m)];
      EXPECT_FALSE(metric.value.has_value()) << metric_names[static_cast<std::size_t>(m)] << " " << reason;
      EXPECT_NE(metric.reason.find(reason), std::string::npos) << metric.reason;
    }
    for (std::size_t m = data_metrics; m < metric_names.size(); ++m)
      if (e.metrics[m].value) {
        EXPECT_TRUE(std::isfinite(*e.metrics[m].value));
      } else {
        EXPECT_EQ(labels, std::vector<std::int32_t>(12, -1));
      }
  }
  const Evaluation unlabelled = evaluate(data.x, data.truth);
  EXPECT_TRUE(unlabelled.metrics[0].value.has_value());
  EXPECT_FALSE(unlabelled.metrics[3].value.has_value());
}

TEST_F(Metrics, PointsOnOneSpotStayFinite) {
  const Tensor x = Tensor::full({30, 4}, 3.25);
  std::vector<std::int32_t> labels(30);
  for (std::size_t i = 0; i < 30; ++i) labels[i] = static_cast<std::int32_t>(i % 3);
  EXPECT_EQ(value(silhouette(x, labels).mean), 0);
  EXPECT_EQ(value(calinski_harabasz(x, labels)), 1);
  EXPECT_EQ(value(davies_bouldin(x, labels)), 0);
}

TEST_F(Metrics, LeaveNoiseOut) {
  const test::Data data = test::blobs(60, 3, 3, 24);
  std::vector<std::int32_t> labels = data.truth, kept;
  std::vector<float> rows, x = data.x.to_host<float>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i % 7 == 0) {
      labels[i] = -1;
    } else {
      kept.push_back(labels[i]);
      rows.insert(rows.end(), x.begin() + static_cast<std::ptrdiff_t>(3 * i),
                  x.begin() + static_cast<std::ptrdiff_t>(3 * i + 3));
    }
  }
  const Tensor without = Tensor::from_host(rows, {static_cast<std::int64_t>(kept.size()), 3});
  const Evaluation a = evaluate(data.x, labels, data.truth), b = evaluate(without, kept);
  for (std::size_t m = 0; m < 3; ++m)
    EXPECT_NEAR(value(a.metrics[m]), value(b.metrics[m]), 1e-5 * value(b.metrics[m]));
  EXPECT_EQ(a.n_clusters, 3);
  EXPECT_EQ(a.n_noise, 9);
}

TEST_F(Metrics, AgreementDoesNotDependOnTheNamesOfClusters) {
  const std::vector<std::int32_t> truth = {0, 0, 0, 1, 1, 2, 2, 2}, named = {7, 7, 7, -3, -3, 5, 5, 5};
  for (const Metric& m : {adjusted_rand_index({truth, named}), normalized_mutual_info({truth, named}),
                          cluster_purity({truth, named}), cluster_accuracy({truth, named})})
    EXPECT_NEAR(value(m), 1.0, 1e-12);
  const Contingency t(truth, named);
  EXPECT_EQ(t.clusters, (std::vector<std::int32_t>{-3, 5, 7}));
  EXPECT_EQ(t.counts, (std::vector<std::int64_t>{0, 0, 3, 2, 0, 0, 0, 3, 0}));
  EXPECT_THROW(Contingency(truth, Labels(named).first(3)), ContractError);
}

TEST_F(Metrics, AccuracyMapsClustersOneToOne) {
  // Purity may give both clusters to class 0, accuracy may not; and there may be more clusters than classes.
  const std::vector<std::int32_t> truth = {0, 0, 0, 0, 0, 1}, predicted = {0, 0, 0, 1, 1, 1};
  EXPECT_NEAR(value(cluster_purity({truth, predicted})), 5.0 / 6, 1e-12);
  EXPECT_NEAR(value(cluster_accuracy({truth, predicted})), 4.0 / 6, 1e-12);
  const std::vector<std::int32_t> same(4, 0), different = {0, 1, 2, 3};
  EXPECT_NEAR(value(cluster_accuracy({same, different})), 0.25, 1e-12);
  EXPECT_NEAR(value(cluster_accuracy({different, same})), 0.25, 1e-12);
}

TEST_F(Metrics, AssignmentIsTheBestOfAllPermutations) {
  std::uint64_t state = 1;
  for (int round = 0; round < 60; ++round) {
    const std::size_t rows = 1 + static_cast<std::size_t>(round) % 6,
                      columns = 1 + static_cast<std::size_t>(round / 6) % 6;
    std::vector<std::int64_t> w(rows * columns);
    for (auto& e : w) e = static_cast<std::int64_t>((state = test::splitmix(state)) % 20);
    const auto match = maximum_assignment(w, rows, columns);
    std::int64_t total = 0;
    std::vector<int> used(columns, 0);
    for (std::size_t r = 0; r < rows; ++r)
      if (match[r] >= 0) {
        total += w[r * columns + static_cast<std::size_t>(match[r])];
        EXPECT_EQ(used[static_cast<std::size_t>(match[r])]++, 0);
      }
    std::vector<std::size_t> order(std::max(rows, columns));
    std::iota(order.begin(), order.end(), 0);
    std::int64_t best = 0;
    do {
      std::int64_t sum = 0;
      for (std::size_t r = 0; r < rows; ++r)
        if (order[r] < columns) sum += w[r * columns + order[r]];
      best = std::max(best, sum);
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(total, best) << "round " << round;
  }
}

TEST_F(Metrics, RefuseLabelsOfAnotherLength) {
  const test::Data data = test::blobs(12, 3, 3, 24);
  EXPECT_THROW(silhouette(data.x, Labels(data.truth).first(11)), InputError);
}

}  // namespace
}  // namespace chorale::cluster
