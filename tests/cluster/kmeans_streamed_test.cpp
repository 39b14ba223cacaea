// SPDX-License-Identifier: MIT
#include "cluster/kmeans_streamed.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "cluster/metrics.h"
#include "tests/cluster/kmeans_setup.h"

namespace chorale::cluster {
namespace {

using test::matrix;
using test::message_of;

class KMeansStreamed : public test::OnCpu {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "kmeans_streamed_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const Tensor& x) const {
    write_npy(folder_ + "/x.npy", x);
    return folder_ + "/x.npy";
  }
  KMeansStreamedResult run(const std::string& path, const KMeansStreamedOptions& o) {
    const KMeansStreamedResult r = kmeans_streamed(path, folder_ + "/labels.npy", o);
    labels_ = read_npy(folder_ + "/labels.npy");
    return r;
  }
  /// The smallest memory bound that is accepted, read from the refusal: groups of 512 rows.
  std::int64_t least_memory(const std::string& path, KMeansStreamedOptions o) {
    o.max_memory = 1;
    const std::string text = message_of([&] { run(path, o); }, 2);
    return std::stoll(text.substr(text.find("allowed ") + 8));
  }

  std::string folder_;
  Tensor labels_;
};

KMeansStreamedOptions options(std::int64_t n_clusters) {
  KMeansStreamedOptions o;
  o.n_clusters = n_clusters;
  return o;
}

// Many groups and one, f32 and f64, both metrics: from the same centers all is as in memory.
TEST_F(KMeansStreamed, EqualsTheResultInMemory) {
  const test::Data data = test::blobs(5000, 24, 9, 160);
  for (const std::string metric : {"euclidean", "cosine"})
    for (const DType dtype : {DType::f32, DType::f64, DType::i32}) {
      const std::string path = write(data.x.to(dtype));
      KMeansOptions in_memory = test::options(9);
      in_memory.metric = metric;
      in_memory.init_centers = data.x.slice(0, 0, 9).clone();
      const KMeansResult expected = kmeans(data.x, in_memory);
      EXPECT_GT(expected.n_iter_, 5);
      KMeansStreamedOptions o = options(9);
      o.metric = metric;
      o.init_centers = in_memory.init_centers;
      for (const bool small : {true, false}) {
        o.max_memory = small ? least_memory(path, o) : std::int64_t{1} << 30;
        const KMeansStreamedResult r = run(path, o);
        EXPECT_EQ(r.n_groups_, small ? 10 : 1);
        EXPECT_EQ(labels_.to_host<std::int32_t>(), expected.labels_.to_host<std::int32_t>());
        EXPECT_EQ(r.n_iter_, expected.n_iter_);
        EXPECT_NEAR(r.inertia_ / expected.inertia_, 1, 1e-9);
        const auto centers = r.cluster_centers_.to_host<float>();
        const auto theirs = expected.cluster_centers_.to_host<float>();
        for (std::size_t i = 0; i < centers.size(); ++i)
          EXPECT_NEAR(static_cast<double>(centers[i]), static_cast<double>(theirs[i]), 1e-5);
      }
    }
}

TEST_F(KMeansStreamed, StopsAndFillsEmptyClustersAsInMemory) {
  const test::Data data = test::load("digits");
  const std::string path = write(data.x);
  for (const std::int64_t max_iter : {1, 3, 300}) {
    KMeansOptions in_memory = test::options(10);
    in_memory.max_iter = max_iter;
    in_memory.init_centers = data.x.slice(0, 0, 10).clone();
    for (const std::int64_t far : {1, 4}) in_memory.init_centers[far].fill(1000);
    const KMeansResult expected = kmeans(data.x, in_memory);
    KMeansStreamedOptions o = options(10);
    o.max_iter = max_iter;
    o.init_centers = in_memory.init_centers;
    o.max_memory = least_memory(path, o);
    const KMeansStreamedResult r = run(path, o);
    EXPECT_EQ(r.n_groups_, 4);
    EXPECT_EQ(labels_.to_host<std::int32_t>(), expected.labels_.to_host<std::int32_t>()) << max_iter;
    EXPECT_EQ(r.n_iter_, expected.n_iter_);
    EXPECT_NEAR(r.inertia_ / expected.inertia_, 1, 1e-9);
  }
}

TEST_F(KMeansStreamed, StartsAsInMemory) {
  const test::Data data = test::blobs(4000, 12, 30, 24);
  const std::string path = write(data.x);
  for (const std::string init : {"k-means||", "random"}) {
    KMeansOptions in_memory = test::options(30, 1);
    in_memory.init = init;
    KMeansStreamedOptions o = options(30);
    o.init = init;
    o.random_state = in_memory.random_state;
    o.max_memory = least_memory(path, o) + (300 << 10);
    const KMeansStreamedResult r = run(path, o);
    EXPECT_GT(r.n_groups_, 2);
    const KMeansResult expected = kmeans(data.x, in_memory);
    EXPECT_EQ(labels_.to_host<std::int32_t>(), expected.labels_.to_host<std::int32_t>()) << init;
    EXPECT_NEAR(r.inertia_ / expected.inertia_, 1, 1e-9) << init;
  }
}

TEST_F(KMeansStreamed, ThreadsChangeNoBit) {
  const std::string path = write(test::blobs(3000, 19, 13, 160).x);
  KMeansStreamedOptions o = options(11);
  o.max_memory = least_memory(path, o);
  const KMeansStreamedResult expected = run(path, o);
  const std::vector<std::int32_t> labels = labels_.to_host<std::int32_t>();
  for (const int threads : {1, 3, 2}) {
    context_.api().set_threads(threads);
    const KMeansStreamedResult r = run(path, o);
    EXPECT_EQ(labels_.to_host<std::int32_t>(), labels);
    EXPECT_EQ(r.cluster_centers_.to_host<float>(), expected.cluster_centers_.to_host<float>());
    EXPECT_EQ(r.inertia_, expected.inertia_);
  }
}

TEST_F(KMeansStreamed, DegenerateData) {
  for (const std::string metric : {"euclidean", "cosine"})
    for (const auto& [x, k, clusters] :
         {std::tuple{matrix({3, 4}, 2), 1, 1u}, std::tuple{matrix(std::vector<float>(3000, 7.25f), 3), 4, 1u},
          std::tuple{matrix({1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 1}, 2), 4, 2u},
          std::tuple{test::blobs(40, 5, 40, 24).x, 40, 40u}}) {
      KMeansStreamedOptions o = options(k);
      o.metric = metric;
      EXPECT_NEAR(run(write(x), o).inertia_, 0, 1e-5);
      EXPECT_EQ(test::distinct(labels_), clusters);
    }
}

TEST_F(KMeansStreamed, RefusesWhatItCannotDo) {
  const Tensor x = test::blobs(2000, 3, 4, 24).x;
  KMeansStreamedOptions o = options(4);
  std::vector<float> values = x.to_host<float>();
  values[3 * 1801 + 2] = std::numeric_limits<float>::quiet_NaN();
  std::string path = write(matrix(values, 3));
  o.max_memory = least_memory(path, o);
  std::string text = message_of([&] { run(path, o); }, 3);
  EXPECT_NE(text.find("x.npy"), std::string::npos) << text;
  EXPECT_NE(text.find("row 1801, column 2"), std::string::npos) << text;
  values = x.to_host<float>();
  for (float& value : values) value *= 1e19f;
  text = message_of([&] { run(write(matrix(values, 3)), o); }, 3);
  EXPECT_NE(text.find("squared distances overflow f32"), std::string::npos) << text;
  values = x.to_host<float>();
  std::fill_n(values.begin() + 3 * 1700, 3, 0.0f);
  path = write(matrix(values, 3));
  o.metric = "cosine";
  text = message_of([&] { run(path, o); }, 3);
  EXPECT_NE(text.find("row 1700 "), std::string::npos) << text;
  o = options(4);
  o.metric = "manhattan";
  message_of([&] { run(path, o); }, 2);
  EXPECT_NE(message_of([&] { run(path, options(2001)); }, 2).find("allowed 1 to 2000"), std::string::npos);
  message_of([&] { run(path, options(0)); }, 2);
  o = options(4);
  o.init = "k-means++";
  EXPECT_NE(message_of([&] { run(path, o); }, 2).find("allowed k-means||, random"), std::string::npos);
  message_of([&] { run(write(Tensor::zeros({4})), options(1)); }, 3);
  message_of([&] { run(folder_ + "/nothing.npy", options(1)); }, 3);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/labels.npy"));
}

}  // namespace
}  // namespace chorale::cluster
