// SPDX-License-Identifier: MIT
#include "cluster/gmm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "cluster/metrics.h"
#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

const nlohmann::json& golden() {
  static const nlohmann::json values = nlohmann::json::parse(std::ifstream(test::golden_path("gmm.json")));
  return values["sets"];
}

class GmmTest : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

GmmOptions options(std::int64_t n_components, std::int64_t n_init = 10) {
  GmmOptions o;
  o.n_components = n_components;
  o.n_init = n_init;
  o.random_state = 42;
  return o;
}

/// What tests/golden/gmm.py starts from.
Tensor start_of(const std::string& name, std::int64_t k) {
  const std::vector<std::int32_t> labels = test::labels_of(name + "_kmeans.npy");
  std::vector<float> values(labels.size() * static_cast<std::size_t>(k), 0.3f / static_cast<float>(k));
  for (std::size_t i = 0; i < labels.size(); ++i)
    values[i * static_cast<std::size_t>(k) + static_cast<std::size_t>(labels[i])] += 0.7f;
  return Tensor::from_host(values, {static_cast<std::int64_t>(labels.size()), k});
}

/// Largest |a - b| / (1 + |b|).
double worst(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double w = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double difference = std::fabs(a[i] - b[i]) / (1 + std::fabs(b[i]));
    if (!(difference <= w)) w = difference;
  }
  return w;
}

void expect_finite(const Gmm& g) {
  double total = 0;
  for (const double w : g.weights_) total += w;
  EXPECT_NEAR(total, 1, 1e-12);
  for (const double m : g.means_) EXPECT_TRUE(std::isfinite(m));
  for (const double s : g.covariances_) {
    EXPECT_TRUE(std::isfinite(s));
    EXPECT_GT(s, 0.99e-6);
  }
  EXPECT_TRUE(std::isfinite(g.lower_bound_));
  for (const float l : g.log_likelihood_.to_host<float>()) EXPECT_TRUE(std::isfinite(l));
}

TEST_F(GmmTest, FollowsScikitLearnFromGivenResponsibilities) {
  std::printf("%-8s %-5s %7s %7s %10s %10s %10s %12s %14s\n", "data", "run", "n_iter", "theirs", "weights",
              "means", "variances", "likelihoods", "lower bound");
  for (const auto& [name, set] : golden().items()) {
    const Tensor x = test::load(name).x;
    for (const auto& [run, iterations] : {std::pair{"one", 1}, {"four", 4}, {"end", 100}}) {
      const nlohmann::json& theirs = set[run];
      GmmOptions o = options(set["k"]);
      o.init = start_of(name, o.n_components);
      o.max_iter = iterations;
      const Gmm g = gmm(x, o);
      const std::vector<float> scores = g.log_likelihood_.to_host<float>();
      const auto expected = theirs["score_samples"].get<std::vector<double>>();
      std::vector<double> sampled;
      for (std::size_t i = 0; i < scores.size(); i += std::max<std::size_t>(1, scores.size() / 40))
        sampled.push_back(static_cast<double>(scores[i]));
      const double weights = worst(g.weights_, theirs["weights"]), means = worst(g.means_, theirs["means"]),
                   variances = worst(g.covariances_, theirs["covariances"]),
                   likelihoods = worst(sampled, expected);
      std::printf("%-8s %-5s %7ld %7ld %10.1e %10.1e %10.1e %12.1e %14.6f\n", name.c_str(), run,
                  static_cast<long>(g.n_iter_), theirs["n_iter"].get<long>(), weights, means, variances,
                  likelihoods, g.lower_bound_);
      EXPECT_EQ(g.n_iter_, theirs["n_iter"].get<std::int64_t>()) << name << " " << run;
      EXPECT_EQ(g.converged_, theirs["converged"].get<bool>()) << name << " " << run;
      EXPECT_LT(weights, 1e-3) << name << " " << run;
      EXPECT_LT(means, 1e-3) << name << " " << run;
      EXPECT_LT(variances, 1e-3) << name << " " << run;
      EXPECT_LT(likelihoods, 1e-4) << name << " " << run;
      EXPECT_NEAR(g.lower_bound_, theirs["lower_bound"].get<double>(), 1e-4) << name << " " << run;
    }
  }
}

TEST_F(GmmTest, FromKMeansIsAsGoodAsScikitLearn) {
  for (const std::string name : {"iris", "blobs"}) {
    const nlohmann::json& set = golden()[name];
    const test::Data data = test::load(name);
    const Gmm g = gmm(data.x, options(set["k"]));
    EXPECT_TRUE(g.converged_) << name;
    EXPECT_GT(g.lower_bound_, set["best_lower_bound"].get<double>() - 0.01) << name;
    expect_finite(g);
  }
}

TEST_F(GmmTest, ResponsibilitiesSeparateBlobs) {
  const test::Data data = test::blobs(3000, 24, 6, 24);
  const Gmm g = gmm(data.x, options(6, 2));
  const std::vector<float> p = g.predict_proba(data.x).to_host<float>();
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto row = p.begin() + static_cast<std::ptrdiff_t>(6 * i);
    labels.push_back(static_cast<std::int32_t>(std::max_element(row, row + 6) - row));
    EXPECT_NEAR(std::accumulate(row, row + 6, 0.0), 1, 1e-5);
  }
  EXPECT_EQ(*adjusted_rand_index({data.truth, labels}).value, 1.0);
  // Other rows, in other chunks and about another mean, get the same values.
  const Tensor some = data.x.slice(0, 100, 117).clone();
  const auto few = g.score_samples(some).to_host<float>(), all = g.log_likelihood_.to_host<float>();
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_NEAR(few[i] / all[100 + i], 1, 1e-5);
}

TEST_F(GmmTest, OneComponentIsMeanAndVariance) {
  const Gmm g = gmm(Tensor::from_host(std::vector<float>{1, 10, 2, 10, 6, 10}, {3, 2}), options(1));
  EXPECT_NEAR(g.means_[0], 3, 1e-6);
  EXPECT_NEAR(g.means_[1], 10, 1e-6);
  EXPECT_NEAR(g.covariances_[0], 14.0 / 3 + 1e-6, 1e-5);
  EXPECT_NEAR(g.covariances_[1], 1e-6, 1e-9);
  EXPECT_EQ(g.weights_[0], 1);
  expect_finite(g);
}

TEST_F(GmmTest, DegenerateDataStaysFinite) {
  // Every row a component, all rows equal, fewer distinct rows than components, a constant and huge column.
  expect_finite(gmm(test::blobs(12, 5, 12, 24).x, options(12, 2)));
  expect_finite(gmm(Tensor::full({20, 3}, 7.25), options(4, 2)));
  std::vector<float> two, offset;
  for (int i = 0; i < 12; ++i) {
    two.push_back(static_cast<float>(1 + i % 2));
    offset.insert(offset.end(), {1e6f, static_cast<float>(i % 5)});
  }
  const Gmm g = gmm(Tensor::from_host(two, {12, 1}), options(4, 2));
  expect_finite(g);
  double in_place = 0;  // all weight lies on the two values
  for (std::size_t c = 0; c < 4; ++c)
    if (std::fabs(g.means_[c] - 1) < 1e-4 || std::fabs(g.means_[c] - 2) < 1e-4) in_place += g.weights_[c];
  EXPECT_NEAR(in_place, 1, 1e-9);
  expect_finite(gmm(Tensor::from_host(offset, {12, 2}), options(3, 2)));
}

TEST_F(GmmTest, AnEmptyComponentGetsTheFloor) {
  const test::Data data = test::load("iris");
  GmmOptions o = options(3);
  std::vector<float> start(150 * 3);
  for (std::size_t i = 0; i < 150; ++i) start[3 * i + (i < 50 ? 0 : 2)] = 1;
  o.init = Tensor::from_host(start, {150, 3});
  const Gmm g = gmm(data.x, o);
  expect_finite(g);
  EXPECT_LT(g.weights_[1], 1e-12);
  for (std::size_t j = 0; j < 4; ++j) EXPECT_NEAR(g.covariances_[4 + j], 1e-6, 1e-12);
}

TEST_F(GmmTest, TightClustersFarApartDoNotCancel) {
  std::vector<float> values;
  for (int i = 0; i < 400; ++i)
    values.push_back((i % 2 ? 1000.0f : -1000.0f) + static_cast<float>(i / 2 % 5 - 2) * 0.03125f);
  const Gmm g = gmm(Tensor::from_host(values, {400, 1}), options(2, 1));
  for (const double s : g.covariances_) EXPECT_NEAR(s, 2 * 0.03125 * 0.03125 + 1e-6, 1e-8);
  for (const double m : g.means_) EXPECT_NEAR(std::fabs(m), 1000, 1e-4);
}

TEST_F(GmmTest, ThreadsChangeNoBit) {
  const test::Data data = test::blobs(20011, 37, 13, 160);
  GmmOptions o = options(5, 2);
  o.max_iter = 6;
  const Gmm expected = gmm(data.x, o);
  for (const int threads : {1, 3, 7}) {
    context_.api().set_threads(threads);
    const Gmm g = gmm(data.x, o);
    EXPECT_EQ(g.weights_, expected.weights_) << threads;
    EXPECT_EQ(g.means_, expected.means_) << threads;
    EXPECT_EQ(g.covariances_, expected.covariances_) << threads;
    EXPECT_EQ(g.lower_bound_, expected.lower_bound_) << threads;
    EXPECT_EQ(g.log_likelihood_.to_host<float>(), expected.log_likelihood_.to_host<float>()) << threads;
  }
  context_.api().set_threads(2);
}

TEST_F(GmmTest, RefusesWhatItCannotDo) {
  const Tensor x = test::blobs(12, 3, 3, 24).x;
  const auto refused = [&](const std::function<void(GmmOptions&)>& change) {
    GmmOptions o = options(2);
    change(o);
    EXPECT_THROW(gmm(x, o), UsageError);
  };
  refused([](GmmOptions& o) { o.n_components = 13; });
  refused([](GmmOptions& o) { o.n_components = 0; });
  refused([](GmmOptions& o) { o.n_init = 0; });
  refused([](GmmOptions& o) { o.max_iter = 0; });
  refused([](GmmOptions& o) { o.tol = -1; });
  refused([](GmmOptions& o) { o.reg_covar = 0; });
  refused([](GmmOptions& o) { o.init = Tensor::zeros({12, 3}); });
  Tensor bad = x.clone();
  bad[3].fill(NAN);
  EXPECT_THROW(gmm(bad, options(2)), InputError);
  EXPECT_THROW(gmm(x, options(2)).score_samples(Tensor::zeros({2, 4})), InputError);
}

}  // namespace
}  // namespace chorale::cluster
