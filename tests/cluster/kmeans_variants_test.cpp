// SPDX-License-Identifier: MIT
// k-means from other starts, in other metrics and at other places than kmeans_test.cpp has it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/kmeans_seeding.h"
#include "cluster/metrics.h"
#include "tests/cluster/kmeans_setup.h"

namespace chorale::cluster {
namespace {

using test::matrix;
using test::message_of;
using test::options;
using test::variants;

class KMeansVariants : public test::OnCpu {};

const char* const starts[] = {"k-means++", "k-means||", "random"};

void expect_same(const KMeansResult& a, const KMeansResult& b) {
  EXPECT_EQ(a.labels_.to_host<std::int32_t>(), b.labels_.to_host<std::int32_t>());
  EXPECT_EQ(a.cluster_centers_.to_host<float>(), b.cluster_centers_.to_host<float>());
  EXPECT_EQ(a.inertia_, b.inertia_);
  EXPECT_EQ(a.n_iter_, b.n_iter_);
}

TEST_F(KMeansVariants, StartsAreAsGoodAsScikitLearns) {
  std::printf("%-8s %-12s %16s %16s %9s\n", "data", "init", "median inertia", "scikit-learn", "ratio");
  for (const auto& [name, set] : variants()["sets"].items()) {
    const test::Data data = test::load(name);
    for (const std::string init : starts) {
      std::vector<double> inertias;
      for (std::uint64_t seed = 0; seed < 21; ++seed) {
        KMeansOptions o = options(set["k"], 1);
        o.init = init;
        o.random_state = seed;
        inertias.push_back(kmeans(data.x, o).inertia_);
      }
      const double expected = set["median_inertia"][init == "random" ? "random" : "k-means++"];
      const double found = test::median(inertias);
      std::printf("%-8s %-12s %16.2f %16.2f %9.6f\n", name.c_str(), init.c_str(), found, expected,
                  found / expected);
      EXPECT_LT(found, (init == "random" ? 1.1 : 1.01) * expected) << name << " " << init;
    }
  }
}

TEST_F(KMeansVariants, ParallelSeedingFindsManyClusters) {
  const test::Data data = test::blobs(6000, 12, 200, 12);
  double inertia[2];
  for (const int parallel : {0, 1}) {
    std::vector<double> inertias;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      KMeansOptions o = options(200, 1);
      o.init = parallel ? "k-means||" : "k-means++";
      o.random_state = seed;
      inertias.push_back(kmeans(data.x, o).inertia_);
    }
    inertia[parallel] = test::median(inertias);
  }
  EXPECT_LT(inertia[1], 1.01 * inertia[0]);
}

TEST_F(KMeansVariants, ThreadsAndRunsChangeNoBit) {
  const test::Data data = test::blobs(9001, 19, 13, 160);
  for (const std::string init : starts)
    for (const std::string metric : {"euclidean", "cosine"}) {
      KMeansOptions o = options(11, 2);
      o.init = init;
      o.metric = metric;
      const KMeansResult expected = kmeans(data.x, o);
      for (const int threads : {1, 3, 2}) {
        context_.api().set_threads(threads);
        expect_same(kmeans(data.x, o), expected);
      }
      o.bounds = false;
      expect_same(kmeans(data.x, o), expected);
    }
}

TEST_F(KMeansVariants, RandomStartsAreDistinctRows) {
  const Tensor x = test::blobs(50, 3, 50, 24).x;
  KMeansMatrix source(x, false, "x");
  for (const std::int64_t k : {1, 7, 49, 50}) {
    const std::vector<float> values = seed_random(source, k, 5, 0).to_host<float>();
    std::set<std::vector<float>> rows;
    for (std::size_t i = 0; i < values.size(); i += 3) rows.insert({&values[i], &values[i] + 3});
    EXPECT_EQ(rows.size(), static_cast<std::size_t>(k));
  }
}

TEST_F(KMeansVariants, FollowsScikitLearnFarFromTheOrigin) {
  for (const auto& [name, set] : variants()["sets"].items()) {
    std::vector<float> values = test::load(name).x.to_host<float>();
    for (float& value : values) value += 2048.0f;
    const Tensor x = Tensor::from_host(values, test::load(name).x.shape());
    KMeansOptions o = options(set["k"]);
    o.init_centers = x.slice(0, 0, o.n_clusters).clone();
    o.tol = 0;
    const KMeansResult r = kmeans(x, o);
    EXPECT_EQ(r.labels_.to_host<std::int32_t>(), set["far"]["labels"].get<std::vector<std::int32_t>>());
    EXPECT_NEAR(r.inertia_ / set["far"]["inertia"].get<double>(), 1.0, 1e-5) << name;
    EXPECT_EQ(r.n_iter_, set["far"]["n_iter"].get<std::int64_t>()) << name;
  }
}

TEST_F(KMeansVariants, SphericalFollowsItsDefinition) {
  for (const auto& [name, set] : variants()["sets"].items()) {
    const test::Data data = test::load(name);
    KMeansOptions o = options(set["k"]);
    o.metric = "cosine";
    o.tol = 0;
    o.init_centers = test::first_rows(data.x, o.n_clusters);
    const KMeansResult r = kmeans(data.x, o);
    const auto& expected = set["spherical"];
    EXPECT_EQ(r.labels_.to_host<std::int32_t>(), expected["labels"].get<std::vector<std::int32_t>>()) << name;
    EXPECT_NEAR(r.inertia_ / expected["inertia"].get<double>(), 1.0, 1e-5) << name;
    EXPECT_EQ(r.n_iter_, expected["n_iter"].get<std::int64_t>()) << name;
    const std::vector<float> centers = r.cluster_centers_.to_host<float>();
    const auto d = static_cast<std::size_t>(data.x.dim(1));
    for (std::size_t c = 0; c < static_cast<std::size_t>(o.n_clusters); ++c) {
      double square = 0;
      for (std::size_t j = 0; j < d; ++j) square += std::pow(static_cast<double>(centers[c * d + j]), 2);
      EXPECT_NEAR(square, 1, 1e-6);
      for (std::size_t j = 0; j < expected["centers"][c].size(); ++j)
        EXPECT_NEAR(static_cast<double>(centers[c * d + j]), expected["centers"][c][j].get<double>(), 1e-5);
    }
    EXPECT_EQ(kmeans_predict(data.x, r.cluster_centers_, "x", "cosine").to_host<std::int32_t>(),
              r.labels_.to_host<std::int32_t>());
  }
}

TEST_F(KMeansVariants, LengthsDoNotMatterToCosine) {
  std::vector<float> values = test::blobs(600, 7, 5, 24).x.to_host<float>();
  KMeansOptions o = options(5, 2);
  o.metric = "cosine";
  const KMeansResult expected = kmeans(matrix(values, 7), o);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = std::ldexp(values[i], static_cast<int>(i / 7 % 40) - 20);
  expect_same(kmeans(matrix(values, 7), o), expected);
}

TEST_F(KMeansVariants, OppositeDirectionsKeepACenter) {
  // The rows of the only cluster cancel, so its center has no direction to go to.
  KMeansOptions o = options(1);
  o.metric = "cosine";
  o.init_centers = matrix({2, 0}, 2);
  const KMeansResult r = kmeans(matrix({0, 3, 0, -5}, 2), o);
  EXPECT_EQ(r.cluster_centers_.to_host<float>(), (std::vector<float>{1, 0}));
  EXPECT_NEAR(r.inertia_, 2, 1e-6);
}

TEST_F(KMeansVariants, DegenerateData) {
  const Tensor one = matrix({3, 4}, 2), equal = matrix(std::vector<float>(60, 7.25f), 3);
  const Tensor duplicates = matrix({1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 1}, 2);
  const Tensor distinct = test::blobs(40, 5, 40, 24).x;
  for (const std::string init : starts)
    for (const std::string metric : {"euclidean", "cosine"}) {
      const auto run = [&](const Tensor& x, std::int64_t k) {
        KMeansOptions o = options(k, 3);
        o.init = init;
        o.metric = metric;
        const KMeansResult r = kmeans(x, o);
        for (const float c : r.cluster_centers_.to_host<float>()) EXPECT_TRUE(std::isfinite(c));
        EXPECT_NEAR(r.inertia_, 0, 1e-5) << init << " " << metric;
        return test::distinct(r.labels_);
      };
      EXPECT_EQ(run(one, 1), 1u);
      EXPECT_EQ(run(equal, 4), 1u);
      EXPECT_EQ(run(duplicates, 2), 2u);
      EXPECT_EQ(run(duplicates, 4), 2u);
      EXPECT_EQ(run(distinct, 40), 40u);
    }
}

TEST_F(KMeansVariants, AnEmptyClusterTakesTheFarthestDirection) {
  KMeansOptions o = options(2);
  o.metric = "cosine";
  o.init_centers = matrix({1, 0, -1, 0}, 2);
  const KMeansResult r = kmeans(matrix({1, 0, 5, 0.1f, 2, -0.1f, 0.5f, 3}, 2), o);
  EXPECT_EQ(r.labels_.to_host<std::int32_t>(), (std::vector<std::int32_t>{0, 0, 0, 1}));
}

TEST_F(KMeansVariants, RefusesWhatItCannotDo) {
  const Tensor x = matrix({1, 2, 0, 0, 3, 4}, 2);
  KMeansOptions o = options(2);
  o.init = "kmeans";
  EXPECT_NE(message_of([&] { kmeans(x, o); }, 2).find("kmeans (allowed k-means++, k-means||, random)"),
            std::string::npos);
  o = options(2);
  o.metric = "manhattan";
  EXPECT_NE(message_of([&] { kmeans(x, o); }, 2).find("manhattan (allowed euclidean, cosine)"),
            std::string::npos);
  o.metric = "cosine";
  const std::string zeros = message_of([&] { kmeans(x, o, "latents.npy"); }, 3);
  EXPECT_NE(zeros.find("latents.npy"), std::string::npos) << zeros;
  EXPECT_NE(zeros.find("row 1 "), std::string::npos) << zeros;
  o.init_centers = matrix({1, 2, 0, 0}, 2);
  EXPECT_NE(message_of([&] { kmeans(matrix({1, 2, 3, 4}, 2), o); }, 3).find("center 1"), std::string::npos);
  o = options(2);
  o.init_centers = matrix({1, 2, 3, std::numeric_limits<float>::quiet_NaN()}, 2);
  EXPECT_NE(message_of([&] { kmeans(x, o); }, 3).find("init_centers"), std::string::npos);
  message_of([&] { kmeans_predict(x, x, "x", "dot"); }, 2);
}

}  // namespace
}  // namespace chorale::cluster
