// SPDX-License-Identifier: MIT
#include "cluster/agglomerative.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "cluster/metrics.h"
#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

using test::matrix;
using test::message_of;

using Labels = std::vector<std::int32_t>;
using Algorithm = AgglomerativeAlgorithm;

const nlohmann::json& golden() {
  static const nlohmann::json values =
      nlohmann::json::parse(std::ifstream(test::golden_path("linkage.json")));
  return values;
}

const std::map<std::string, Linkage> linkages = {{"ward", Linkage::ward},
                                                 {"complete", Linkage::complete},
                                                 {"average", Linkage::average},
                                                 {"single", Linkage::single}};

/// Every way to compute a linkage.
std::vector<Algorithm> algorithms(Linkage linkage) {
  if (linkage == Linkage::complete || linkage == Linkage::average) return {Algorithm::distance_matrix};
  return {Algorithm::distance_matrix, Algorithm::vectors};
}

class Agglomerative : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

AgglomerativeOptions options(std::int64_t n_clusters, Linkage linkage = Linkage::ward,
                             Algorithm algorithm = Algorithm::automatic) {
  AgglomerativeOptions o;
  o.n_clusters = n_clusters;
  o.linkage = linkage;
  o.algorithm = algorithm;
  return o;
}

/// Numbers between 0 and 1 without equal distances.
Tensor scattered(std::int64_t n, std::int64_t d, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(n * d));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(static_cast<double>(test::splitmix(seed * 1000003 + i) >> 40) * 0x1p-24);
  return matrix(values, d);
}

/// As tests/golden/linkage.py has them: digits and blobs are moved apart by less than 1/64, for complete
/// linkage of integers depends on the order of the rows.
Tensor data(const std::string& name) {
  if (name == "wine" || name == "moons") return read_npy(test::golden_path(name + ".npy"));
  const Tensor x = test::load(name).x;
  if (name == "iris") return x;
  std::vector<float> values = x.to_host<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] += static_cast<float>(test::splitmix(i) >> 40) * 0x1p-30f;
  return Tensor::from_host(values, x.shape());
}

Labels labels_of(const std::string& letters) {
  Labels labels;
  for (const char letter : letters) labels.push_back(letter - 'a');
  return labels;
}

/// The definition: the nearest pair of all clusters is merged again and again, in f64.
std::vector<double> naive_linkage(const Tensor& x, Linkage linkage) {
  const auto n = static_cast<std::size_t>(x.dim(0)), d = static_cast<std::size_t>(x.dim(1));
  const std::vector<float> values = x.to_host<float>();
  const bool squared = linkage == Linkage::ward;
  std::vector<std::vector<double>> distance(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < d; ++k)
        sum += std::pow(static_cast<double>(values[i * d + k]) - static_cast<double>(values[j * d + k]), 2);
      distance[i][j] = squared ? sum : std::sqrt(sum);
    }
  std::vector<double> size(n, 1), id(n), rows;
  std::vector<std::size_t> alive(n);
  for (std::size_t i = 0; i < n; ++i) id[i] = static_cast<double>(alive[i] = i);
  for (std::size_t step = 0; step + 1 < n; ++step) {
    std::size_t a = alive[0], b = alive[1];
    for (std::size_t i = 0; i < alive.size(); ++i)
      for (std::size_t j = i + 1; j < alive.size(); ++j)
        if (distance[alive[i]][alive[j]] < distance[a][b]) {
          a = alive[i];
          b = alive[j];
        }
    const double between = distance[a][b];
    for (const std::size_t k : alive) {
      const double to_a = distance[a][k], to_b = distance[b][k];
      double joined = std::min(to_a, to_b);
      if (linkage == Linkage::complete) joined = std::max(to_a, to_b);
      if (linkage == Linkage::average) joined = (size[a] * to_a + size[b] * to_b) / (size[a] + size[b]);
      if (linkage == Linkage::ward)
        joined = ((size[a] + size[k]) * to_a + (size[b] + size[k]) * to_b - size[k] * between) /
                 (size[a] + size[b] + size[k]);
      distance[a][k] = distance[k][a] = joined;
    }
    size[a] += size[b];
    rows.insert(rows.end(), {std::min(id[a], id[b]), std::max(id[a], id[b]),
                             squared ? std::sqrt(between) : between, size[a]});
    id[a] = static_cast<double>(n + step);
    std::erase(alive, b);
  }
  return rows;
}

void expect_same_tree(const std::vector<double>& ours, const std::vector<double>& theirs, std::size_t columns,
                      const std::string& what) {
  ASSERT_EQ(ours.size() / 4, theirs.size() / columns) << what;
  for (std::size_t r = 0; r < ours.size() / 4; ++r) {
    ASSERT_EQ(ours[4 * r], theirs[columns * r]) << what << ", merge " << r;
    ASSERT_EQ(ours[4 * r + 1], theirs[columns * r + 1]) << what << ", merge " << r;
    ASSERT_NEAR(ours[4 * r + 2], theirs[columns * r + 2], 1e-5 * theirs[columns * r + 2])
        << what << ", merge " << r;
    if (columns > 3) {
      ASSERT_EQ(ours[4 * r + 3], theirs[columns * r + 3]) << what << ", merge " << r;
    }
  }
}

TEST_F(Agglomerative, TreesAreThoseOfTheDefinition) {
  for (const auto& [name, linkage] : linkages)
    for (const auto& [n, d] : {std::pair{2, 3}, {3, 1}, {17, 1}, {33, 2}, {150, 7}, {90, 300}}) {
      const Tensor x = scattered(n, d, static_cast<std::uint64_t>(n + d));
      const std::vector<double> expected = naive_linkage(x, linkage);
      for (const Algorithm algorithm : algorithms(linkage))
        expect_same_tree(agglomerative(x, options(2, linkage, algorithm)).linkage_.to_host<double>(),
                         expected, 4,
                         name + " " + std::to_string(n) + " x " + std::to_string(d) + " " +
                             std::to_string(static_cast<int>(algorithm)));
    }
}

TEST_F(Agglomerative, WardDecidesNearTiesInF64) {
  // The corners of a cube, moved by 1e-6: squared distances are whole numbers but for that.
  std::vector<float> cube, far;
  for (std::uint64_t i = 0; i < 256; ++i)
    for (std::uint64_t j = 0; j < 8; ++j)
      cube.push_back(static_cast<float>(static_cast<double>(i >> j & 1) +
                                        static_cast<double>(test::splitmix(8 * i + j) >> 40) * 0x1p-44));
  // Differences of centers of these need more digits than f32 has.
  for (const float value : scattered(300, 16, 7).to_host<float>()) far.push_back(4096.0f + value);
  for (const Tensor& x : {matrix(cube, 8), matrix(far, 16)})
    for (const Algorithm algorithm : algorithms(Linkage::ward)) {
      const AgglomerativeResult r = agglomerative(x, options(2, Linkage::ward, algorithm));
      expect_same_tree(r.linkage_.to_host<double>(), naive_linkage(x, Linkage::ward), 4,
                       std::to_string(x.dim(0)) + " points, " + std::to_string(static_cast<int>(algorithm)));
    }
}

TEST_F(Agglomerative, TreesAreSciPysWhereNoDistancesAreEqual) {
  for (const char* set : {"wine", "moons"})
    for (const auto& [name, linkage] : linkages) {
      std::vector<double> theirs;
      for (const auto& row : golden()["sets"][set][name]["linkage"])
        for (const double value : row) theirs.push_back(value);
      for (const Algorithm algorithm : algorithms(linkage)) {
        const AgglomerativeResult r = agglomerative(data(set), options(2, linkage, algorithm));
        expect_same_tree(r.linkage_.to_host<double>(), theirs, 3, std::string(set) + " " + name);
      }
    }
}

TEST_F(Agglomerative, LabelsAndHeightsAreScikitLearns) {
  std::printf("%-8s %-10s %10s %12s %14s\n", "data", "linkage", "labels", "threshold", "heights (rel)");
  for (const auto& [set, values] : golden()["sets"].items())
    for (const auto& [name, linkage] : linkages) {
      const auto& expected = values[name];
      const Labels theirs = labels_of(expected["labels"]), cut = labels_of(expected["threshold_labels"]);
      const Tensor x = data(set);
      for (const Algorithm algorithm : algorithms(linkage)) {
        AgglomerativeOptions o =
            options(1 + *std::max_element(theirs.begin(), theirs.end()), linkage, algorithm);
        const AgglomerativeResult r = agglomerative(x, o);
        o.distance_threshold = expected["threshold"].get<double>();
        const AgglomerativeResult below = agglomerative(x, o);
        const double agreement = *adjusted_rand_index({theirs, r.labels_.to_host<std::int32_t>()}).value;
        const double at_threshold = *adjusted_rand_index({cut, below.labels_.to_host<std::int32_t>()}).value;
        const std::vector<double> heights = r.distances_.to_host<double>();
        double worst = 0;
        const std::size_t step = std::max<std::size_t>(1, heights.size() / 200);
        for (std::size_t i = 0; i < expected["heights"].size(); ++i) {
          const double height = expected["heights"][i];
          if (height > 0) worst = std::max(worst, std::fabs(heights[i * step] / height - 1));
        }
        for (std::size_t i = 0; i < 20; ++i)
          worst = std::max(
              worst,
              std::fabs(heights[heights.size() - 20 + i] / expected["last_heights"][i].get<double>() - 1));
        std::printf("%-8s %-10s %10.6f %12.6f %14.2g\n", set.c_str(), name.c_str(), agreement, at_threshold,
                    worst);
        EXPECT_EQ(agreement, 1.0) << set << " " << name;
        EXPECT_EQ(at_threshold, 1.0) << set << " " << name;
        EXPECT_LT(worst, 1e-5) << set << " " << name;
      }
    }
}

TEST_F(Agglomerative, ThreadsChangeNoBit) {
  const Tensor x = test::blobs(700, 19, 7, 96).x;
  for (const auto& [name, linkage] : linkages)
    for (const Algorithm algorithm : algorithms(linkage)) {
      context_.api().set_threads(2);
      const std::vector<double> expected =
          agglomerative(x, options(7, linkage, algorithm)).linkage_.to_host<double>();
      for (const int threads : {1, 3, 7}) {
        context_.api().set_threads(threads);
        EXPECT_EQ(agglomerative(x, options(7, linkage, algorithm)).linkage_.to_host<double>(), expected)
            << name << " " << threads;
      }
    }
  context_.api().set_threads(2);
}

TEST_F(Agglomerative, HeightsNeverDecrease) {
  for (const auto& [name, linkage] : linkages)
    for (const Algorithm algorithm : algorithms(linkage)) {
      const AgglomerativeResult r =
          agglomerative(test::blobs(500, 3, 30, 300).x, options(5, linkage, algorithm));
      const std::vector<double> heights = r.distances_.to_host<double>();
      EXPECT_TRUE(std::is_sorted(heights.begin(), heights.end())) << name;
      const Labels labels = r.labels_.to_host<std::int32_t>(), children = r.children_.to_host<std::int32_t>();
      EXPECT_EQ(std::set<std::int32_t>(labels.begin(), labels.end()).size(), 5u) << name;
      // Each cluster is merged once, after it was made.
      std::set<std::int32_t> seen(children.begin(), children.end());
      EXPECT_EQ(seen.size(), children.size()) << name;
      for (std::size_t i = 0; i < children.size(); ++i)
        EXPECT_LT(children[i], 500 + static_cast<std::int32_t>(i / 2)) << name;
    }
}

TEST_F(Agglomerative, EqualPointsAreMergedAtHeightZero) {
  for (const auto& [name, linkage] : linkages)
    for (const Algorithm algorithm : algorithms(linkage)) {
      const AgglomerativeResult all =
          agglomerative(matrix(std::vector<float>(300, 7.25f), 3), options(3, linkage, algorithm));
      EXPECT_EQ(all.distances_.to_host<double>(), std::vector<double>(99, 0.0)) << name;
      const Labels labels = all.labels_.to_host<std::int32_t>();
      EXPECT_EQ(std::set<std::int32_t>(labels.begin(), labels.end()).size(), 3u) << name;
      // Every point three times: the first two thirds of all merges are of copies.
      std::vector<float> values = scattered(50, 2, 3).to_host<float>();
      const std::vector<float> once = values;
      for (int copy = 0; copy < 2; ++copy) values.insert(values.end(), once.begin(), once.end());
      const AgglomerativeResult r = agglomerative(matrix(values, 2), options(50, linkage, algorithm));
      const std::vector<double> heights = r.distances_.to_host<double>();
      EXPECT_EQ(std::count(heights.begin(), heights.end(), 0.0), 100) << name;
      const Labels copies = r.labels_.to_host<std::int32_t>();
      for (std::size_t i = 50; i < copies.size(); ++i) EXPECT_EQ(copies[i], copies[i - 50]) << name;
    }
}

TEST_F(Agglomerative, TiesGoToTheLowestIndex) {
  // All neighbours on a line are 1 apart.
  for (const auto& [name, linkage] : linkages)
    for (const Algorithm algorithm : algorithms(linkage)) {
      const AgglomerativeResult r = agglomerative(matrix({0, 1, 2, 3, 4}, 1), options(2, linkage, algorithm));
      const Labels children = r.children_.to_host<std::int32_t>();
      EXPECT_EQ(children[0], 0) << name;
      EXPECT_EQ(children[1], 1) << name;
      EXPECT_EQ(r.distances_.to_host<double>()[0], 1.0) << name;
    }
}

TEST_F(Agglomerative, OnePointAndTwo) {
  for (const auto& [name, linkage] : linkages)
    for (const Algorithm algorithm : algorithms(linkage)) {
      const AgglomerativeResult one = agglomerative(matrix({3, 4}, 2), options(1, linkage, algorithm));
      EXPECT_EQ(one.labels_.to_host<std::int32_t>(), Labels{0}) << name;
      EXPECT_EQ(one.linkage_.shape(), (Shape{0, 4})) << name;
      EXPECT_EQ(one.n_clusters_, 1) << name;
      const AgglomerativeResult two = agglomerative(matrix({0, 0, 3, 4}, 2), options(1, linkage, algorithm));
      EXPECT_EQ(two.linkage_.to_host<double>(), (std::vector<double>{0, 1, 5, 2})) << name;
      EXPECT_EQ(agglomerative(matrix({0, 0, 3, 4}, 2), options(2, linkage, algorithm)).n_clusters_, 2)
          << name;
    }
}

TEST_F(Agglomerative, AThresholdReplacesTheNumberOfClusters) {
  AgglomerativeOptions o = options(-5, Linkage::single);
  const auto clusters = [&](double threshold) {
    o.distance_threshold = threshold;
    const AgglomerativeResult r = agglomerative(matrix({0, 1, 2, 10, 11, 30}, 1), o);
    const Labels labels = r.labels_.to_host<std::int32_t>();
    EXPECT_EQ(std::set<std::int32_t>(labels.begin(), labels.end()).size(),
              static_cast<std::size_t>(r.n_clusters_));
    return r.n_clusters_;
  };
  EXPECT_EQ(clusters(0), 6);
  EXPECT_EQ(clusters(1), 6);  // merges at the threshold itself are not made
  EXPECT_EQ(clusters(1.5), 3);
  EXPECT_EQ(clusters(9), 2);
  EXPECT_EQ(clusters(std::numeric_limits<double>::infinity()), 1);
}

TEST_F(Agglomerative, NearlyEqualPointsFarFromTheOriginDoNotCancel) {
  // Pairs 2^-10 apart, the pairs 64 apart, everything 4096 away from the origin.
  std::vector<float> values;
  for (int i = 0; i < 40; ++i) {
    values.push_back(4096.0f + 64.0f * static_cast<float>(i / 2) + (i % 2 ? 0x1p-10f : 0.0f));
    values.push_back(-4096.0f);
  }
  for (const auto& [name, linkage] : linkages)
    for (const Algorithm algorithm : algorithms(linkage)) {
      const std::vector<double> tree =
          agglomerative(matrix(values, 2), options(20, linkage, algorithm)).linkage_.to_host<double>();
      for (std::size_t r = 0; r < 20; ++r) {
        EXPECT_EQ(tree[4 * r] + 1, tree[4 * r + 1]) << name;
        EXPECT_NEAR(tree[4 * r + 2], 0x1p-10, 1e-5 * 0x1p-10) << name;
      }
    }
}

TEST_F(Agglomerative, OneClusterMayAbsorbAllOthersOneByOne) {
  // Gaps grow, so every merge is of the first cluster and the next point: one merge a round.
  std::vector<float> values{0};
  for (int i = 0; i < 50; ++i) values.push_back(values.back() * 1.25f + 1.0f);
  for (const auto& [name, linkage] : linkages)
    for (const Algorithm algorithm : algorithms(linkage)) {
      const AgglomerativeResult r = agglomerative(matrix(values, 1), options(2, linkage, algorithm));
      const std::vector<double> expected = naive_linkage(matrix(values, 1), linkage);
      expect_same_tree(r.linkage_.to_host<double>(), expected, 4, name);
    }
}

TEST_F(Agglomerative, RefusesOptionsOutOfRange) {
  const Tensor x = matrix({1, 2, 4}, 1);
  EXPECT_NE(message_of([&] { agglomerative(x, options(4)); }, 2).find("4 (allowed 1 to 3)"),
            std::string::npos);
  message_of([&] { agglomerative(x, options(0)); }, 2);
  AgglomerativeOptions o = options(2);
  o.distance_threshold = -1;
  message_of([&] { agglomerative(x, o); }, 2);
  o.distance_threshold = std::numeric_limits<double>::quiet_NaN();
  message_of([&] { agglomerative(x, o); }, 2);
  message_of([&] { agglomerative(x, options(2, Linkage::complete, Algorithm::vectors)); }, 2);
  message_of([&] { agglomerative(x, options(2, Linkage::average, Algorithm::vectors)); }, 2);
}

TEST_F(Agglomerative, RefusesDataThatItCannotCluster) {
  std::vector<float> values(30, 1.0f);
  values[17] = std::numeric_limits<float>::quiet_NaN();
  const std::string text =
      message_of([&] { agglomerative(matrix(values, 3), options(2), "latents.npy"); }, 3);
  EXPECT_NE(text.find("latents.npy"), std::string::npos) << text;
  EXPECT_NE(text.find("row 5, column 2"), std::string::npos) << text;
  message_of([&] { agglomerative(matrix({1e20f, -1e20f, 3, 4}, 1)); }, 3);
  message_of([&] { agglomerative(Tensor({0, 3}, DType::f32)); }, 3);
  message_of([&] { agglomerative(Tensor::zeros({3, 3}, DType::i32)); }, 3);
}

TEST_F(Agglomerative, RefusesADistanceMatrixThatDoesNotFit) {
  const Tensor x = Tensor::zeros({4000000, 1});
  for (const Linkage linkage : {Linkage::complete, Linkage::average}) {
    const std::string text = message_of([&] { agglomerative(x, options(2, linkage), "big.npy"); }, 4);
    EXPECT_NE(text.find("big.npy: distance matrix of 4000000 rows does not fit into memory: 61035156 MiB"),
              std::string::npos)
        << text;
  }
  message_of([&] { agglomerative(x, options(2, Linkage::ward, Algorithm::distance_matrix)); }, 4);
}

}  // namespace
}  // namespace chorale::cluster
