// SPDX-License-Identifier: MIT
#include "cluster/kmeans.h"

#include <cmath>
#include <limits>
#include <set>

#include "cluster/metrics.h"
#include "tests/cluster/kmeans_setup.h"

namespace chorale::cluster {
namespace {

using test::golden;
using test::matrix;
using test::message_of;
using test::options;

class KMeans : public test::OnCpu {};

TEST_F(KMeans, InertiaIsWithinOnePercentOfScikitLearn) {
  std::printf("%-8s %4s %16s %16s %9s %10s\n", "data", "k", "inertia", "scikit-learn", "ratio", "agreement");
  for (const auto& [name, set] : golden()["sets"].items()) {
    const test::Data data = test::load(name);
    const KMeansResult r = kmeans(data.x, options(set["k"]));
    const double expected = set["kmeans_inertia"];
    const auto theirs = test::labels_of(name + "_kmeans.npy");
    const auto ours = r.labels_.to_host<std::int32_t>();
    std::printf("%-8s %4d %16.2f %16.2f %9.6f %10.4f\n", name.c_str(), set["k"].get<int>(), r.inertia_,
                expected, r.inertia_ / expected, *adjusted_rand_index({theirs, ours}).value);
    EXPECT_LT(r.inertia_, 1.01 * expected) << name;
    EXPECT_GT(r.inertia_, 0.9 * expected) << name;
  }
}

TEST_F(KMeans, InertiaOnALargeMatrixIsWithinOnePercentOfScikitLearn) {
  const test::Data data = test::blobs(50000, 64, 20, 96);
  const double expected = golden()["large_inertia"];
  const KMeansResult r = kmeans(data.x, options(20));
  std::printf("50000 x 64, k 20: inertia %.0f, scikit-learn %.0f, ratio %.6f\n", r.inertia_, expected,
              r.inertia_ / expected);
  EXPECT_LT(r.inertia_, 1.01 * expected);
  EXPECT_GT(r.inertia_, 0.98 * expected);
}

// From the same centers Lloyd's algorithm is deterministic, so labels, iterations and centers must be theirs.
TEST_F(KMeans, FollowsScikitLearnFromGivenCenters) {
  std::printf("%-8s %-12s %8s %8s %14s %14s %10s\n", "data", "case", "n_iter", "theirs", "inertia", "theirs",
              "differing");
  for (const auto& [name, set] : golden()["sets"].items()) {
    const test::Data data = test::load(name);
    const std::int64_t k = set["k"];
    for (const char* run : {"lloyd", "lloyd_tol_0", "lloyd_3", "lloyd_empty"}) {
      KMeansOptions o = options(k);
      o.init_centers = data.x.slice(0, 0, k).clone();
      if (run == std::string("lloyd_tol_0")) o.tol = 0;
      if (run == std::string("lloyd_3")) o.max_iter = 3;
      if (run == std::string("lloyd_empty")) o.init_centers[1].fill(1000);
      const KMeansResult r = kmeans(data.x, o);
      const auto labels = r.labels_.to_host<std::int32_t>();
      const auto expected = set[run]["labels"].get<std::vector<std::int32_t>>();
      std::size_t differing = 0;
      for (std::size_t i = 0; i < labels.size(); ++i) differing += labels[i] != expected[i];
      std::printf("%-8s %-12s %8ld %8ld %14.3f %14.3f %10zu\n", name.c_str(), run,
                  static_cast<long>(r.n_iter_), static_cast<long>(set[run]["n_iter"]), r.inertia_,
                  set[run]["inertia"].get<double>(), differing);
      EXPECT_EQ(differing, 0u) << name << " " << run;
      EXPECT_NEAR(r.inertia_ / set[run]["inertia"].get<double>(), 1.0, 1e-5) << name << " " << run;
      if (run != std::string("lloyd_empty")) {
        EXPECT_EQ(r.n_iter_, set[run]["n_iter"].get<std::int64_t>()) << name << " " << run;
      }
      const auto centers = r.cluster_centers_.to_host<float>();
      const std::size_t d = static_cast<std::size_t>(data.x.dim(1));
      for (std::size_t c = 0; c < static_cast<std::size_t>(k); ++c)
        for (std::size_t j = 0; j < set[run]["centers"][c].size(); ++j)
          EXPECT_NEAR(static_cast<double>(centers[c * d + j]), set[run]["centers"][c][j].get<double>(), 2e-4)
              << name << " " << run;
    }
  }
}

TEST_F(KMeans, BoundsAndThreadsChangeNoBit) {
  const test::Data data = test::blobs(20011, 37, 13, 160);
  KMeansOptions o = options(11, 4);
  const KMeansResult expected = kmeans(data.x, o);
  const auto same = [&](const KMeansResult& r, const char* what) {
    EXPECT_EQ(r.labels_.to_host<std::int32_t>(), expected.labels_.to_host<std::int32_t>()) << what;
    EXPECT_EQ(r.cluster_centers_.to_host<float>(), expected.cluster_centers_.to_host<float>()) << what;
    EXPECT_EQ(r.inertia_, expected.inertia_) << what;
    EXPECT_EQ(r.n_iter_, expected.n_iter_) << what;
  };
  EXPECT_GT(expected.n_iter_, 5);
  for (const int threads : {1, 3, 7}) {
    context_.api().set_threads(threads);
    same(kmeans(data.x, o), "threads");
  }
  context_.api().set_threads(2);
  o.bounds = false;
  same(kmeans(data.x, o), "no bounds");
}

TEST_F(KMeans, SeedsGiveDifferentStarts) {
  const test::Data data = test::blobs(2000, 8, 30, 160);
  KMeansOptions o = options(20, 1);
  std::set<double> inertias;
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, ~std::uint64_t{0}}) {
    o.random_state = seed;
    inertias.insert(kmeans(data.x, o).inertia_);
  }
  EXPECT_GT(inertias.size(), 1u);
}

TEST_F(KMeans, MoreRestartsAreNeverWorse) {
  const test::Data data = test::blobs(2000, 8, 30, 160);
  double previous = std::numeric_limits<double>::infinity();
  for (const std::int64_t n_init : {1, 4, 16}) {
    const double inertia = kmeans(data.x, options(25, n_init)).inertia_;
    EXPECT_LE(inertia, previous * (1 + 1e-9));
    previous = inertia;
  }
}

TEST_F(KMeans, TiesGoToTheLowestIndex) {
  // Both centers are equally far from the points at 0; the third is a copy of the first.
  KMeansOptions o = options(3);
  o.max_iter = 1;
  o.init_centers = matrix({-1, 1, -1}, 1);
  const Tensor x = matrix({-2, 0, 0, 2, -2, 0, 2}, 1);
  const auto labels = kmeans_predict(x, o.init_centers).to_host<std::int32_t>();
  EXPECT_EQ(labels, (std::vector<std::int32_t>{0, 0, 0, 1, 0, 0, 1}));
}

TEST_F(KMeans, EveryPointACluster) {
  const test::Data data = test::blobs(40, 5, 40, 24);
  const KMeansResult r = kmeans(data.x, options(40));
  const auto labels = r.labels_.to_host<std::int32_t>();
  EXPECT_EQ(std::set<std::int32_t>(labels.begin(), labels.end()).size(), 40u);
  EXPECT_NEAR(r.inertia_, 0, 1e-6);
}

TEST_F(KMeans, OneSampleAndOneCluster) {
  const KMeansResult one = kmeans(matrix({3, 4, 5}, 3), options(1));
  EXPECT_EQ(one.labels_.to_host<std::int32_t>(), std::vector<std::int32_t>{0});
  EXPECT_EQ(one.cluster_centers_.to_host<float>(), (std::vector<float>{3, 4, 5}));
  EXPECT_EQ(one.inertia_, 0);
  const KMeansResult mean = kmeans(matrix({0, 1, 5}, 1), options(1));
  EXPECT_EQ(mean.cluster_centers_.to_host<float>(), std::vector<float>{2});
  EXPECT_NEAR(mean.inertia_, 14, 1e-6);
}

TEST_F(KMeans, DuplicatesAndConstantColumnsStayFinite) {
  // All points equal, fewer distinct points than clusters, one column constant and huge.
  for (const auto& x :
       {matrix(std::vector<float>(60, 7.25f), 3), matrix({1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}, 1),
        matrix({1e6f, 0, 1e6f, 1, 1e6f, 5, 1e6f, 6, 1e6f, 0, 1e6f, 1}, 2)}) {
    const KMeansResult r = kmeans(x, options(4));
    EXPECT_TRUE(std::isfinite(r.inertia_));
    for (const float c : r.cluster_centers_.to_host<float>()) EXPECT_TRUE(std::isfinite(c));
    for (const std::int32_t l : r.labels_.to_host<std::int32_t>()) {
      EXPECT_GE(l, 0);
      EXPECT_LT(l, 4);
    }
    EXPECT_LT(r.inertia_, 1e-6);
  }
  EXPECT_EQ(kmeans(matrix(std::vector<float>(60, 7.25f), 3), options(4)).labels_.to_host<std::int32_t>(),
            std::vector<std::int32_t>(20, 0));
}

TEST_F(KMeans, AFarOffsetDoesNotCancel) {
  // Clusters 2 apart, 4096 from the origin.
  std::vector<float> values;
  for (int i = 0; i < 200; ++i)
    values.push_back(4096.0f + static_cast<float>(i % 2) * 2.0f + static_cast<float>(i % 5) * 0.03125f);
  const auto labels = kmeans(matrix(values, 1), options(2)).labels_.to_host<std::int32_t>();
  for (std::size_t i = 2; i < labels.size(); ++i) EXPECT_EQ(labels[i], labels[i - 2]);
  EXPECT_NE(labels[0], labels[1]);
}

TEST_F(KMeans, AnEmptyClusterTakesTheFarthestPoint) {
  // Nothing is near 1000, so cluster 1 starts empty and must get the point at 50.
  KMeansOptions o = options(2);
  o.init_centers = matrix({0, 1000}, 1);
  const Tensor x = matrix({0, 1, 2, 50}, 1);
  const KMeansResult r = kmeans(x, o);
  EXPECT_EQ(r.labels_.to_host<std::int32_t>(), (std::vector<std::int32_t>{0, 0, 0, 1}));
  EXPECT_EQ(kmeans(x, o).labels_.to_host<std::int32_t>(), r.labels_.to_host<std::int32_t>());
}

TEST_F(KMeans, WideRowsAndManyClusters) {
  // More columns than one pass over a tile's depth holds, more clusters than one chunk of vectors.
  const test::Data wide = test::blobs(120, 700, 6, 24);
  EXPECT_EQ(
      *adjusted_rand_index({wide.truth, kmeans(wide.x, options(6)).labels_.to_host<std::int32_t>()}).value,
      1.0);
  const test::Data many = test::blobs(3000, 6, 300, 8);
  const KMeansResult r = kmeans(many.x, options(300, 2));
  EXPECT_GT(*adjusted_rand_index({many.truth, r.labels_.to_host<std::int32_t>()}).value, 0.95);
  const auto again = kmeans_predict(many.x, r.cluster_centers_).to_host<std::int32_t>();
  EXPECT_EQ(again, r.labels_.to_host<std::int32_t>());
}

TEST_F(KMeans, RefusesOptionsOutOfRange) {
  const Tensor x = matrix({1, 2, 3}, 1);
  EXPECT_NE(message_of([&] { kmeans(x, options(4)); }, 2).find("4 (allowed 1 to 3)"), std::string::npos);
  message_of([&] { kmeans(x, options(0)); }, 2);
  message_of([&] { kmeans(x, options(2, 0)); }, 2);
  KMeansOptions o = options(2);
  o.max_iter = 0;
  message_of([&] { kmeans(x, o); }, 2);
  o = options(2);
  o.tol = std::numeric_limits<double>::quiet_NaN();
  message_of([&] { kmeans(x, o); }, 2);
  o = options(2);
  o.init_centers = matrix({1, 2, 3}, 1);
  message_of([&] { kmeans(x, o); }, 2);
}

TEST_F(KMeans, RefusesDataThatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(3 * 1500, 1.0f);
    values[3 * 1201 + 2] = bad;
    values[3 * 1300 + 1] = bad;
    const std::string text = message_of([&] { kmeans(matrix(values, 3), options(2), "latents.npy"); }, 3);
    EXPECT_NE(text.find("latents.npy"), std::string::npos) << text;
    EXPECT_NE(text.find("row 1201, column 2"), std::string::npos) << text;
  }
  message_of([&] { kmeans(Tensor({0, 3}, DType::f32), options(1)); }, 3);
  message_of([&] { kmeans(Tensor::zeros({3, 3}, DType::i32), options(1)); }, 3);
}

}  // namespace
}  // namespace chorale::cluster
