// SPDX-License-Identifier: MIT
#include "cluster/hdbscan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cluster/equal_rows.h"
#include "cluster/metrics.h"
#include "cluster/reachability_tree.h"
#include "tests/cluster/density_data.h"

namespace chorale::cluster {
namespace {

using test::matrix;
using test::message_of;
using Ints = std::vector<std::int32_t>;

class Hdbscan : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

HdbscanOptions options_of(const nlohmann::json& given) {
  HdbscanOptions o;
  for (const auto& [option, value] : given.items()) {
    if (option == "min_cluster_size") o.min_cluster_size = value;
    if (option == "min_samples") o.min_samples = value;
    if (option == "cluster_selection_epsilon") o.cluster_selection_epsilon = value;
    if (option == "max_cluster_size") o.max_cluster_size = value;
    if (option == "alpha") o.alpha = value;
    if (option == "allow_single_cluster") o.allow_single_cluster = value;
    if (option == "cluster_selection_method" && value == "leaf")
      o.cluster_selection_method = ClusterSelection::leaf;
  }
  return o;
}

// Where distances are equal the tree is not unique, and neither are the clusters; noise counts as a cluster
// here.
TEST_F(Hdbscan, AgreesWithScikitLearn) {
  for (const auto& [name, runs] : test::density_golden()["sets"].items()) {
    const bool distinct = name == "moons" || name == "circles" || name == "blobs" || name == "copies";
    const Tensor x = test::density_set(name);
    for (const auto& run : runs["hdbscan"]) {
      SCOPED_TRACE(name + " " + run["options"].dump());
      const HdbscanResult r = hdbscan(x, options_of(run["options"]));
      const Ints labels = r.labels_.to_host<std::int32_t>(), expected = run["labels"].get<Ints>();
      const std::vector<float> probabilities = r.probabilities_.to_host<float>();
      const double agreement = *adjusted_rand_index({expected, labels}).value;
      if (!distinct) {
        EXPECT_GT(agreement, 0.95);
        continue;
      }
      EXPECT_EQ(labels, expected);
      for (std::size_t i = 0; i < probabilities.size(); ++i)
        EXPECT_NEAR(static_cast<double>(probabilities[i]), run["probabilities"][i].get<double>(), 1e-4) << i;
    }
  }
}

/// Prim's algorithm on all pairs in f64, from row 0, of equals to the lowest row.
std::vector<ReachabilityEdge> reference_tree(const Tensor& x, std::int64_t min_samples, double alpha) {
  const std::vector<float> values = x.to_host<float>();
  const auto n = static_cast<std::size_t>(x.dim(0)), d = static_cast<std::size_t>(x.dim(1));
  const auto square = [&](std::size_t i, std::size_t j) {
    double sum = 0;
    for (std::size_t c = 0; c < d; ++c)
      sum += std::pow(static_cast<double>(values[i * d + c]) - static_cast<double>(values[j * d + c]), 2);
    return sum;
  };
  std::vector<double> core(n), row(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) row[j] = square(i, j);
    std::nth_element(row.begin(), row.begin() + min_samples - 1, row.end());
    core[i] = row[static_cast<std::size_t>(min_samples - 1)];
  }
  std::vector<double> nearest(n, std::numeric_limits<double>::infinity());
  std::vector<std::size_t> from(n, 0);
  std::vector<ReachabilityEdge> tree;
  std::vector<bool> in_tree(n, false);
  std::size_t current = 0;
  for (std::size_t step = 1; step < n; ++step) {
    in_tree[current] = true;
    std::size_t next = n;
    for (std::size_t j = 0; j < n; ++j) {
      if (in_tree[j]) continue;
      const double weight = std::max({core[current], core[j], square(current, j) / (alpha * alpha)});
      if (weight < nearest[j]) {
        nearest[j] = weight;
        from[j] = current;
      }
      if (next == n || nearest[j] < nearest[next]) next = j;
    }
    tree.push_back({nearest[next], static_cast<std::int32_t>(from[next]), static_cast<std::int32_t>(next)});
    current = next;
  }
  std::stable_sort(tree.begin(), tree.end(),
                   [](const ReachabilityEdge& a, const ReachabilityEdge& b) { return a.square < b.square; });
  return tree;
}

/// Whatever distances are equal, the weights of the tree are unique.
void expect_minimum(const Tensor& x, std::int64_t min_samples, double alpha = 1) {
  const std::vector<ReachabilityEdge> edges = reachability_tree(PointSet(x, "x"), min_samples, alpha);
  const std::vector<ReachabilityEdge> expected = reference_tree(x, min_samples, alpha);
  ASSERT_EQ(edges.size(), expected.size());
  Ints parents(static_cast<std::size_t>(x.dim(0)));
  std::iota(parents.begin(), parents.end(), 0);
  const auto root = [&](std::int32_t i) {
    while (parents[static_cast<std::size_t>(i)] != i) i = parents[static_cast<std::size_t>(i)];
    return i;
  };
  for (std::size_t e = 0; e < edges.size(); ++e) {
    EXPECT_NEAR(edges[e].square, expected[e].square, 1e-12 * expected[e].square) << e;
    EXPECT_NE(root(edges[e].a), root(edges[e].b)) << "a cycle";
    parents[static_cast<std::size_t>(root(edges[e].a))] = root(edges[e].b);
  }
}

TEST_F(Hdbscan, TheTreeIsMinimalFromOneTo512Columns) {
  for (const std::int64_t d : {1, 2, 3, 9, 40, 300, 512}) {
    SCOPED_TRACE(d);
    for (const std::int64_t min_samples : {1, 5, 20})
      expect_minimum(test::blobs(d < 100 ? 1000 : 300, d, 7, 40).x, min_samples);
  }
  expect_minimum(test::density_set("moons"), 5, 1.4);
  expect_minimum(test::density_set("blobs"), 600);
  expect_minimum(matrix({0, 1}, 1), 2);
}

// Groups far apart, each with more points than have neighbours in it that the first forest sees; and rings
// around them.
TEST_F(Hdbscan, TheTreeIsMinimalWhereGroupsAreFarApart) {
  std::vector<float> values = test::blob_values(1200, 2, 40, 1);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += 1000.0f * static_cast<float>(i / 2 % 40);
  expect_minimum(Tensor::from_host(values, {1200, 2}), 4);
  for (std::size_t i = 0; i < 1200; ++i) {
    const auto ring = static_cast<float>(1 + i % 3), angle = 0.0123f * static_cast<float>(i);
    values[2 * i] = ring * std::cos(angle);
    values[2 * i + 1] = ring * std::sin(angle);
  }
  expect_minimum(Tensor::from_host(values, {1200, 2}), 3);
  expect_minimum(Tensor::full({200, 3}, 2.5), 5);
}

// The same edges in the same order, in each the same end first: with copies as without them, more of them
// than neighbours that the first forest sees, and fewer than make a core distance of 0.
TEST_F(Hdbscan, TheTreeOfCopiesIsThatOfAllPairs) {
  for (const std::int64_t distinct : {1, 2, 9, 300}) {
    const std::vector<float> points = test::scattered(distinct, 3).to_host<float>();
    std::vector<float> values;
    for (std::uint64_t i = 0; i < 400; ++i) {
      // Low rows are copied more often than high ones.
      const double share = static_cast<double>(test::splitmix(i) >> 40) * 0x1p-24;
      const auto from = 3 * static_cast<std::ptrdiff_t>(share * share * static_cast<double>(distinct));
      values.insert(values.end(), points.begin() + from, points.begin() + from + 3);
    }
    const Tensor x = matrix(values, 3);
    for (const std::int64_t min_samples : {1, 2, 5, 30, 400}) {
      SCOPED_TRACE(std::to_string(distinct) + " distinct rows, min_samples " + std::to_string(min_samples));
      const std::vector<ReachabilityEdge> found = reachability_tree(PointSet(x, "x"), min_samples, 1);
      const std::vector<ReachabilityEdge> expected = reference_tree(x, min_samples, 1);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t e = 0; e < found.size(); ++e) {
        EXPECT_NEAR(found[e].square, expected[e].square, 1e-12 * expected[e].square) << e;
        EXPECT_EQ(found[e].a, expected[e].a) << e;
        EXPECT_EQ(found[e].b, expected[e].b) << e;
      }
    }
  }
}

TEST_F(Hdbscan, RowsWithTheSameLengthAreNotCopies) {
  // A square about the mean: four equal lengths; 0 and -0 are the same value.
  const Tensor x = matrix({1, 0, -1, 0, 0, 1, 0, -1, 1, -0.0f, 0, -1, -1, 0, 0, 1}, 2);
  const EqualRows groups = group_equal_rows(PointSet(x, "x").arrange({7, 6, 5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(groups.members, (Ints{0, 4, 1, 6, 2, 7, 3, 5}));
  EXPECT_EQ(groups.offsets, (std::vector<std::size_t>{0, 2, 4, 6, 8}));
  EXPECT_EQ(groups.firsts(), (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST_F(Hdbscan, ThreadsChangeNoBit) {
  const Tensor x = test::blobs(3001, 10, 9, 60).x;
  const HdbscanResult expected = hdbscan(x);
  for (const int threads : {1, 3, 7}) {
    context_.api().set_threads(threads);
    const HdbscanResult found = hdbscan(x);
    EXPECT_EQ(found.labels_.to_host<std::int32_t>(), expected.labels_.to_host<std::int32_t>());
    EXPECT_EQ(found.probabilities_.to_host<float>(), expected.probabilities_.to_host<float>());
  }
  context_.api().set_threads(2);
}

TEST_F(Hdbscan, FewEqualAndConstantRows) {
  HdbscanOptions o;
  o.min_samples = 1;
  EXPECT_EQ(hdbscan(matrix({3, 4}, 2), o).labels_.to_host<std::int32_t>(), Ints{-1});
  EXPECT_EQ(hdbscan(matrix({3, 4}, 1), o).labels_.to_host<std::int32_t>(), (Ints{-1, -1}));
  for (const bool single : {false, true}) {
    o.allow_single_cluster = single;
    const HdbscanResult r = hdbscan(Tensor::full({40, 3}, 7.25), o);
    for (const float p : r.probabilities_.to_host<float>()) EXPECT_TRUE(p >= 0 && p <= 1);
  }
  // Two groups of copies beside a constant column.
  std::vector<float> values;
  for (int i = 0; i < 24; ++i) values.insert(values.end(), {1e6f, i < 12 ? 0.0f : 5.0f});
  const HdbscanResult r = hdbscan(matrix(values, 2));
  const Ints labels = r.labels_.to_host<std::int32_t>();
  for (std::size_t i = 1; i < labels.size(); ++i) EXPECT_EQ(labels[i] == labels[0], i < 12) << i;
  EXPECT_EQ(r.probabilities_.to_host<float>(), std::vector<float>(24, 1.0f));
}

TEST_F(Hdbscan, RefusesOptionsOutOfRange) {
  const Tensor x = test::blobs(10, 2, 2, 20).x;
  const auto refuses = [&](const std::function<void(HdbscanOptions&)>& set) {
    HdbscanOptions o;
    set(o);
    return message_of([&] { hdbscan(x, o); }, 2);
  };
  EXPECT_EQ(refuses([](HdbscanOptions& o) { o.min_samples = 11; }),
            "min_samples: out of range: 11 (allowed 1 to the number of rows, 10)");
  refuses([](HdbscanOptions& o) { o.min_cluster_size = 11; });
  refuses([](HdbscanOptions& o) { o.min_cluster_size = 1; });
  refuses([](HdbscanOptions& o) { o.min_samples = -1; });
  refuses([](HdbscanOptions& o) { o.cluster_selection_epsilon = -1; });
  refuses([](HdbscanOptions& o) { o.cluster_selection_epsilon = std::numeric_limits<double>::quiet_NaN(); });
  refuses([](HdbscanOptions& o) { o.max_cluster_size = -1; });
  refuses([](HdbscanOptions& o) { o.alpha = 0; });
  const Tensor broken = matrix({1, std::numeric_limits<float>::quiet_NaN(), 3, 4, 5, 6, 7}, 1);
  EXPECT_NE(message_of([&] { hdbscan(broken, {}, "codes.npy"); }, 3).find("codes.npy"), std::string::npos);
}

}  // namespace
}  // namespace chorale::cluster
