// SPDX-License-Identifier: MIT
#include "cluster/dbscan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "cluster/metrics.h"
#include "tests/cluster/density_data.h"

namespace chorale::cluster {
namespace {

using test::matrix;
using test::message_of;
using Ints = std::vector<std::int32_t>;

class Dbscan : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

Ints labels_of(const Tensor& x, double eps, std::int64_t min_samples) {
  return dbscan(x, {eps, min_samples}).labels_.to_host<std::int32_t>();
}

// Labels in full: the numbers of clusters and the cluster of a point between two are theirs as well.
TEST_F(Dbscan, LabelsAreThoseOfScikitLearn) {
  for (const auto& [name, runs] : test::density_golden()["sets"].items()) {
    const Tensor x = test::density_set(name);
    for (const auto& run : runs["dbscan"]) {
      SCOPED_TRACE(name + " eps " + run["eps"].dump() + " min_samples " + run["min_samples"].dump());
      const DbscanResult r = dbscan(x, {run["eps"].get<double>(), run["min_samples"].get<std::int64_t>()});
      EXPECT_EQ(r.labels_.to_host<std::int32_t>(), run["labels"].get<Ints>());
      EXPECT_EQ(r.core_sample_indices_.to_host<std::int32_t>(), run["core"].get<Ints>());
    }
  }
}

std::vector<double> all_squares(const Tensor& x) {
  const std::vector<float> values = x.to_host<float>();
  const auto n = static_cast<std::size_t>(x.dim(0)), d = static_cast<std::size_t>(x.dim(1));
  std::vector<double> squares(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t c = 0; c < d; ++c) {
        const double difference =
            static_cast<double>(values[i * d + c]) - static_cast<double>(values[j * d + c]);
        squares[i * n + j] += difference * difference;
      }
  return squares;
}

/// From the definition.
Ints reference(const std::vector<double>& squares, std::size_t n, double eps, std::int64_t min_samples) {
  std::vector<Ints> near(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      if (squares[i * n + j] <= eps * eps) near[i].push_back(static_cast<std::int32_t>(j));
  Ints labels(n, -1);
  std::int32_t next = 0;
  const auto is_core = [&](std::size_t i) {
    return static_cast<std::int64_t>(near[i].size()) >= min_samples;
  };
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_core(i) || labels[i] >= 0) continue;
    Ints open{static_cast<std::int32_t>(i)};
    labels[i] = next;
    while (!open.empty()) {
      const auto at = static_cast<std::size_t>(open.back());
      open.pop_back();
      for (const std::int32_t j : near[at]) {
        if (labels[static_cast<std::size_t>(j)] >= 0) continue;
        labels[static_cast<std::size_t>(j)] = next;
        if (is_core(static_cast<std::size_t>(j))) open.push_back(j);
      }
    }
    ++next;
  }
  return labels;
}

// Whole numbers: many pairs are exactly as far apart as eps.
TEST_F(Dbscan, EqualsTheDefinitionFromOneTo512Columns) {
  for (const std::int64_t d : {1, 2, 3, 8, 9, 40, 257, 512}) {
    const Tensor x = test::blobs(d < 100 ? 600 : 260, d, 7, 24).x;
    const std::vector<double> squares = all_squares(x);
    const double typical = std::sqrt(static_cast<double>(d) * 384);
    for (const double eps : {1.0, std::floor(0.6 * typical), std::ceil(0.8 * typical), 1.1 * typical})
      for (const std::int64_t min_samples : {1, 2, 5, 60}) {
        SCOPED_TRACE(std::to_string(d) + " columns, eps " + std::to_string(eps) + ", min_samples " +
                     std::to_string(min_samples));
        EXPECT_EQ(labels_of(x, eps, min_samples),
                  reference(squares, static_cast<std::size_t>(x.dim(0)), eps, min_samples));
      }
  }
}

TEST_F(Dbscan, APointBetweenClustersBelongsToTheFirst) {
  // 0 to 3 and 7 to 10 are dense, 5 is 2 from both and has no core of its own; the second half comes first.
  const Tensor x = matrix({7, 8, 9, 10, 5, 0, 1, 2, 3}, 1);
  EXPECT_EQ(labels_of(x, 2, 4), (Ints{0, 0, 0, 0, 0, 1, 1, 1, 1}));
}

TEST_F(Dbscan, TheBoundaryIsDecidedInFullPrecision) {
  // |a - b|^2 is 1 + 2^-46, or 1 exactly; in f32 there is no difference, far from the origin less than none.
  const float step = 0x1p-23f;
  for (const float offset : {0.0f, 4096.0f}) {
    EXPECT_EQ(labels_of(matrix({offset, step, offset + 1, 0}, 2), 1, 2), (Ints{-1, -1}));
    EXPECT_EQ(labels_of(matrix({offset, step, offset + 1, step}, 2), 1, 2), (Ints{0, 0}));
  }
}

TEST_F(Dbscan, ThreadsChangeNothing) {
  const Tensor x = test::blobs(5003, 6, 9, 60).x;
  const DbscanResult expected = dbscan(x, {32, 6});
  EXPECT_GT(expected.core_sample_indices_.size(), 100);
  for (const int threads : {1, 3, 7})
    for (int repeat = 0; repeat < 3; ++repeat) {
      context_.api().set_threads(threads);
      const DbscanResult found = dbscan(x, {32, 6});
      EXPECT_EQ(found.labels_.to_host<std::int32_t>(), expected.labels_.to_host<std::int32_t>());
      EXPECT_EQ(found.core_sample_indices_.to_host<std::int32_t>(),
                expected.core_sample_indices_.to_host<std::int32_t>());
    }
  context_.api().set_threads(2);
}

TEST_F(Dbscan, OnePointEqualPointsAndMoreSamplesThanPoints) {
  EXPECT_EQ(labels_of(matrix({3, 4}, 2), 0.5, 1), Ints{0});
  EXPECT_EQ(labels_of(matrix({3, 4}, 2), 0.5, 5), Ints{-1});
  EXPECT_EQ(labels_of(Tensor::full({300, 3}, 7.25), 1e-30, 300), Ints(300, 0));
  EXPECT_EQ(dbscan(Tensor::full({300, 3}, 7.25), {0.5, 301}).core_sample_indices_.size(), 0);
  // A constant column far from the origin, and one point almost too far for f32 squares.
  const Tensor x = matrix({1e6f, 0, 1e6f, 1, 1e6f, 2, 1e6f, 9, 1e6f, 10, 6e18f, 10}, 2);
  EXPECT_EQ(labels_of(x, 1, 2), (Ints{0, 0, 0, 1, 1, -1}));
}

TEST_F(Dbscan, RefusesOptionsOutOfRange) {
  const Tensor x = matrix({1, 2, 3}, 1);
  EXPECT_EQ(message_of(
                [&] {
                  dbscan(x, {0, 5});
                },
                2),
            "eps: out of range: 0.000000 (allowed finite numbers above 0)");
  message_of([&] { dbscan(x, {-1, 5}); }, 2);
  message_of([&] { dbscan(x, {std::numeric_limits<double>::quiet_NaN(), 5}); }, 2);
  message_of([&] { dbscan(x, {std::numeric_limits<double>::infinity(), 5}); }, 2);
  message_of([&] { dbscan(x, {1, 0}); }, 2);
  const Tensor broken = matrix({1, std::numeric_limits<float>::infinity(), 3}, 1);
  EXPECT_NE(message_of([&] { dbscan(broken, {}, "codes.npy"); }, 3).find("codes.npy"), std::string::npos);
}

TEST_F(Dbscan, TheSuggestedEpsFindsBlobsMoonsAndCircles) {
  for (const char* name : {"moons", "circles"}) {
    const Tensor x = test::density_set(name);
    const double eps = suggest_eps(x).eps;
    const Ints labels = labels_of(x, eps, 5);
    const Ints expected = test::density_golden()["sets"][name]["dbscan"][0]["labels"].get<Ints>();
    std::printf("%s: eps %.4f\n", name, eps);
    EXPECT_GT(*adjusted_rand_index({expected, labels}).value, 0.97) << name;
  }
  const test::Data blobs = test::blobs(3000, 24, 6, 24);
  const double eps = suggest_eps(blobs.x, 10).eps;
  std::printf("blobs: eps %.4f\n", eps);
  EXPECT_GT(*adjusted_rand_index({blobs.truth, labels_of(blobs.x, eps, 10)}).value, 0.95);
}

// At the knee nearly all of digits, and of the standardised wines, are one cluster.
TEST_F(Dbscan, TheSuggestedEpsIsOfAPlateauWhereTheKneeFindsOneCluster) {
  Ints cultivars(59, 0);
  cultivars.insert(cultivars.end(), 71, 1);
  cultivars.insert(cultivars.end(), 48, 2);
  const test::Data digits = test::load("digits");
  const std::pair<Tensor, Ints> sets[]{{read_npy(test::golden_path("agreement_wine.npy")), cultivars},
                                       {digits.x, digits.truth}};
  for (const auto& [x, truth] : sets) {
    const SuggestedEps suggested = suggest_eps(x);
    std::printf("%lld rows: eps %.4f\n", static_cast<long long>(x.dim(0)), suggested.eps);
    EXPECT_EQ(suggested.rule, EpsRule::plateau);
    const Ints labels = labels_of(x, suggested.eps, 5);
    EXPECT_GT(*adjusted_rand_index({truth, labels}).value, 0.25);
    std::int64_t large = 0;
    for (std::int32_t c = 0; c < static_cast<std::int32_t>(labels.size()); ++c)
      large += 50 * std::count(labels.begin(), labels.end(), c) >= x.dim(0);
    EXPECT_EQ(suggested.n_clusters, large);
  }
}

TEST_F(Dbscan, TheSuggestedEpsLeavesUniformRowsOneCluster) {
  for (const std::int64_t d : {2, 3, 5, 8, 16}) {
    const Tensor x = test::scattered(800, d);
    const SuggestedEps suggested = suggest_eps(x);
    EXPECT_EQ(suggested.rule, EpsRule::knee) << d;
    const Ints labels = labels_of(x, suggested.eps, 5);
    EXPECT_EQ(suggested.n_clusters, 1) << d;
    EXPECT_GT(std::count(labels.begin(), labels.end(), 0), 300) << d;
  }
}

TEST_F(Dbscan, TheSuggestedEpsOfFewOrEqualRows) {
  EXPECT_EQ(suggest_eps(matrix({0, 3}, 1)).eps, 3);
  EXPECT_EQ(suggest_eps(matrix({0, 1, 2, 3, 4, 5}, 1), 2).eps, 2);  // 3-distances 3 2 2 2 2 3
  EXPECT_EQ(suggest_eps(matrix({1, 2}, 1), 1).eps, 1);
  for (const std::int64_t min_samples : {1, 5, 50, 51}) {
    const SuggestedEps equal = suggest_eps(Tensor::full({50, 2}, 1.0), min_samples);
    EXPECT_EQ(equal.rule, EpsRule::copies);
    EXPECT_EQ(equal.eps, 1);
  }
  EXPECT_EQ(suggest_eps(matrix({1}, 1)).eps, 1);
  message_of([&] { suggest_eps(matrix({1, 2}, 1), 0); }, 2);
}

TEST_F(Dbscan, TheSuggestedEpsOfCopiesKeepsThemApart) {
  std::vector<float> values(200);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 4);
  SuggestedEps suggested = suggest_eps(matrix(values, 1));
  EXPECT_EQ(suggested.rule, EpsRule::copies);
  EXPECT_EQ(suggested.eps, 0.5);
  EXPECT_EQ(suggested.n_clusters, 4);
  // One row elsewhere makes a curve, whose knee takes all of them together.
  values[0] = 4;
  suggested = suggest_eps(matrix(values, 1));
  EXPECT_EQ(suggested.rule, EpsRule::plateau);
  EXPECT_EQ(suggested.eps, 0.5);
  EXPECT_EQ(suggested.n_clusters, 4);
}

}  // namespace
}  // namespace chorale::cluster
