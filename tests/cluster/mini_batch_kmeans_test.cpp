// SPDX-License-Identifier: MIT
#include "cluster/mini_batch_kmeans.h"

#include <cmath>
#include <limits>

#include "cluster/metrics.h"
#include "tests/cluster/kmeans_setup.h"

namespace chorale::cluster {
namespace {

using test::matrix;
using test::message_of;

class MiniBatchKMeans : public test::OnCpu {};

MiniBatchKMeansOptions options(std::int64_t n_clusters, std::uint64_t seed = 0) {
  MiniBatchKMeansOptions o;
  o.n_clusters = n_clusters;
  o.random_state = seed;
  return o;
}

TEST_F(MiniBatchKMeans, MedianInertiaIsWithinTwoPercentOfScikitLearn) {
  std::printf("%-8s %16s %16s %9s\n", "data", "median inertia", "scikit-learn", "ratio");
  for (const auto& [name, set] : test::variants()["sets"].items()) {
    const test::Data data = test::load(name);
    std::vector<double> inertias;
    for (std::uint64_t seed = 0; seed < 21; ++seed) {
      MiniBatchKMeansOptions o = options(set["k"], seed);
      o.batch_size = 256;
      inertias.push_back(mini_batch_kmeans(data.x, o).inertia_);
    }
    const double expected = set["mini_batch_median_inertia"], found = test::median(inertias);
    std::printf("%-8s %16.2f %16.2f %9.6f\n", name.c_str(), found, expected, found / expected);
    EXPECT_LT(found, 1.02 * expected) << name;
  }
}

TEST_F(MiniBatchKMeans, FindsSeparatedClustersOfBothMetrics) {
  const test::Data data = test::blobs(30000, 16, 12, 12);
  for (const std::string metric : {"euclidean", "cosine"})
    for (const std::string init : {"k-means++", "k-means||"}) {
      MiniBatchKMeansOptions o = options(12);
      o.metric = metric;
      o.init = init;
      const MiniBatchKMeansResult r = mini_batch_kmeans(data.x, o);
      EXPECT_GT(*adjusted_rand_index({data.truth, r.labels_.to_host<std::int32_t>()}).value, 0.99)
          << metric << " " << init;
      EXPECT_EQ(kmeans_predict(data.x, r.cluster_centers_, "x", metric).to_host<std::int32_t>(),
                r.labels_.to_host<std::int32_t>());
      EXPECT_LT(r.n_steps_, 500) << "stops when nothing improves";
      EXPECT_EQ(r.n_iter_, (r.n_steps_ * 1024 + 29999) / 30000);
    }
}

TEST_F(MiniBatchKMeans, ThreadsChangeNoBitAndSeedsDo) {
  const test::Data data = test::blobs(5000, 19, 13, 160);
  const MiniBatchKMeansResult expected = mini_batch_kmeans(data.x, options(11));
  for (const int threads : {1, 3, 2}) {
    context_.api().set_threads(threads);
    const MiniBatchKMeansResult r = mini_batch_kmeans(data.x, options(11));
    EXPECT_EQ(r.labels_.to_host<std::int32_t>(), expected.labels_.to_host<std::int32_t>());
    EXPECT_EQ(r.cluster_centers_.to_host<float>(), expected.cluster_centers_.to_host<float>());
    EXPECT_EQ(r.inertia_, expected.inertia_);
    EXPECT_EQ(r.n_steps_, expected.n_steps_);
  }
  EXPECT_NE(mini_batch_kmeans(data.x, options(11, 1)).inertia_, expected.inertia_);
}

// With one cluster every row drawn counts the same, whatever the step it is drawn in.
TEST_F(MiniBatchKMeans, ACenterIsTheMeanOfTheRowsThatCameToIt) {
  std::vector<float> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 100);
  MiniBatchKMeansOptions o = options(1);
  o.batch_size = 500;
  o.max_iter = 200;
  o.max_no_improvement = 0;
  const MiniBatchKMeansResult r = mini_batch_kmeans(matrix(values, 1), o);
  EXPECT_EQ(r.n_steps_, 400);
  EXPECT_EQ(r.n_iter_, 200);
  EXPECT_NEAR(static_cast<double>(r.cluster_centers_.to_host<float>()[0]), 49.5, 0.4);
}

TEST_F(MiniBatchKMeans, ToleranceStopsIt) {
  const test::Data data = test::blobs(5000, 8, 6, 24);
  MiniBatchKMeansOptions o = options(6);
  o.max_no_improvement = 0;
  o.tol = 1e-3;
  EXPECT_LT(mini_batch_kmeans(data.x, o).n_iter_, 100);
}

TEST_F(MiniBatchKMeans, CentersWithoutRowsMoveToRows) {
  // All centers but one start where there is no row.
  const test::Data data = test::blobs(3000, 8, 5, 8);
  MiniBatchKMeansOptions o = options(5);
  std::vector<float> centers(5 * 8, 1e4f);
  std::fill_n(centers.begin(), 8, 64.0f);
  o.init_centers = matrix(centers, 8);
  EXPECT_EQ(test::distinct(mini_batch_kmeans(data.x, o).labels_), 5u);
  o.reassignment_ratio = 0;
  EXPECT_EQ(test::distinct(mini_batch_kmeans(data.x, o).labels_), 1u);
}

TEST_F(MiniBatchKMeans, DegenerateData) {
  for (const std::string metric : {"euclidean", "cosine"})
    for (const auto& [x, k] :
         {std::pair{matrix({3, 4}, 2), 1}, std::pair{matrix(std::vector<float>(60, 7.25f), 3), 4},
          std::pair{matrix({1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 1}, 2), 2},
          std::pair{test::blobs(40, 5, 40, 24).x, 40}}) {
      MiniBatchKMeansOptions o = options(k);
      o.metric = metric;
      const MiniBatchKMeansResult r = mini_batch_kmeans(x, o);
      EXPECT_TRUE(std::isfinite(r.inertia_));
      for (const float c : r.cluster_centers_.to_host<float>()) EXPECT_TRUE(std::isfinite(c));
      if (k < 40) {
        EXPECT_NEAR(r.inertia_, 0, 1e-5);
      }
    }
}

TEST_F(MiniBatchKMeans, RefusesOptionsOutOfRange) {
  const Tensor x = matrix({1, 2, 3}, 1);
  const auto refused = [&](const auto& change) {
    MiniBatchKMeansOptions o = options(2);
    change(o);
    return message_of([&] { mini_batch_kmeans(x, o); }, 2);
  };
  using O = MiniBatchKMeansOptions;
  EXPECT_NE(refused([](O& o) { o.n_clusters = 4; }).find("4 (allowed 1 to 3)"), std::string::npos);
  refused([](O& o) { o.n_clusters = 0; });
  EXPECT_NE(refused([](O& o) { o.batch_size = 0; }).find("batch_size"), std::string::npos);
  refused([](O& o) { o.max_iter = 0; });
  refused([](O& o) { o.tol = -1; });
  refused([](O& o) { o.max_no_improvement = -1; });
  EXPECT_NE(refused([](O& o) { o.init_size = 1; }).find("init_size"), std::string::npos);
  refused([](O& o) { o.n_init = 0; });
  refused([](O& o) { o.reassignment_ratio = std::numeric_limits<double>::quiet_NaN(); });
  refused([](O& o) { o.init = "best"; });
  message_of(
      [&] {
        mini_batch_kmeans(matrix({1, std::numeric_limits<float>::infinity()}, 1), options(1));
      },
      3);
}

}  // namespace
}  // namespace chorale::cluster
