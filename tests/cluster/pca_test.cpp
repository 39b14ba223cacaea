// SPDX-License-Identifier: MIT
#include "cluster/pca.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

using test::golden;

class PcaTest : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

Tensor data_of(const std::string& name) {
  return name == "wide" ? test::blobs(40, 300, 4, 24).x : test::load(name).x;
}

void expect_equal(const Pca& ours, const Tensor& x, const nlohmann::json& theirs, const std::string& what,
                  double tolerance) {
  const auto components = ours.components_.to_host<float>();
  const auto transformed = ours.transform(x.slice(0, 0, 5)).to_host<float>();
  const std::size_t k = ours.explained_variance_.size(), d = static_cast<std::size_t>(x.dim(1));
  double worst_component = 0, worst_ratio = 0, worst_transformed = 0;
  const double scale = theirs["singular_values"][0].get<double>() / std::sqrt(static_cast<double>(x.dim(0)));
  ASSERT_LE(k, theirs["components"].size());
  for (std::size_t c = 0; c < k; ++c) {
    worst_ratio = std::max(worst_ratio, std::fabs(ours.explained_variance_ratio_[c] -
                                                  theirs["explained_variance_ratio"][c].get<double>()));
    EXPECT_NEAR(ours.explained_variance_[c] / theirs["explained_variance"][c].get<double>(), 1, tolerance)
        << what;
    EXPECT_NEAR(ours.singular_values_[c] / theirs["singular_values"][c].get<double>(), 1, tolerance) << what;
    for (std::size_t j = 0; j < theirs["components"][c].size(); ++j)
      worst_component = std::max(worst_component, std::fabs(static_cast<double>(components[c * d + j]) -
                                                            theirs["components"][c][j].get<double>()));
    for (std::size_t i = 0; i < 5; ++i)
      worst_transformed = std::max(worst_transformed, std::fabs(static_cast<double>(transformed[i * k + c]) -
                                                                theirs["transformed"][i][c].get<double>()) /
                                                          scale);
  }
  std::printf("%-18s worst difference: components %.1e, variance ratio %.1e, transformed %.1e\n",
              what.c_str(), worst_component, worst_ratio, worst_transformed);
  EXPECT_LT(worst_component, 50 * tolerance) << what;
  EXPECT_LT(worst_ratio, tolerance) << what;
  EXPECT_LT(worst_transformed, 50 * tolerance) << what;
  if (k < theirs["components"].size()) return;
  EXPECT_NEAR(ours.noise_variance_, theirs["noise_variance"].get<double>(),
              tolerance * theirs["explained_variance"][0].get<double>())
      << what;
}

TEST_F(PcaTest, EqualsScikitLearnSignsIncluded) {
  for (const auto& [name, theirs] : golden()["pca"].items()) {
    const Tensor x = data_of(name);
    PcaOptions o;
    o.n_components = static_cast<std::int64_t>(theirs["components"].size());
    expect_equal(pca(x, o), x, theirs, name + " exact", 2e-6);
  }
}

TEST_F(PcaTest, RandomizedEqualsExact) {
  for (const auto& [name, theirs] : golden()["pca"].items()) {
    const Tensor x = data_of(name);
    PcaOptions o;
    // The four blobs of "wide" span three dimensions; beyond them no gap separates one component from the
    // next.
    o.n_components = name == "wide" ? 3 : static_cast<std::int64_t>(theirs["components"].size());
    o.solver = PcaSolver::randomized;
    expect_equal(pca(x, o), x, theirs, name + " randomized", 1e-4);
    EXPECT_EQ(pca(x, o).components_.to_host<float>(), pca(x, o).components_.to_host<float>());
  }
}

TEST_F(PcaTest, KeepsSmallComponentsOfUnlikeColumns) {
  // The variances of the components lie a factor 10^7 (wine) and 10^11 (breast cancer) apart.
  const nlohmann::json theirs = nlohmann::json::parse(std::ifstream(test::golden_path("pca.json")));
  for (const char* name : {"wine", "breast_cancer"}) {
    const Tensor x = read_npy(test::golden_path("pca_" + std::string(name) + ".npy"));
    const Pca ours = pca(x);
    const auto components = ours.components_.to_host<float>();
    const auto d = static_cast<std::size_t>(x.dim(1));
    double worst_variance = 0, worst_component = 0;
    for (std::size_t c = 0; c < d; ++c) {
      const double variance = theirs[name]["explained_variance"][c];
      worst_variance = std::max(worst_variance, std::fabs(ours.explained_variance_[c] / variance - 1));
      for (std::size_t j = 0; j < d; ++j)
        worst_component =
            std::max(worst_component, std::fabs(static_cast<double>(components[c * d + j]) -
                                                theirs[name]["components"][c][j].get<double>()));
    }
    std::printf("%-18s worst difference: components %.1e, variances %.1e\n", name, worst_component,
                worst_variance);
    EXPECT_LT(worst_variance, 1e-3) << name;
    EXPECT_LT(worst_component, 1e-3) << name;
  }
}

TEST_F(PcaTest, TakesOneColumnAndConstantOnes) {
  const Pca one = pca(Tensor::from_host(std::vector<float>{1, 2, 3, 6}, {4, 1}));
  EXPECT_EQ(one.components_.to_host<float>(), std::vector<float>{1});
  EXPECT_DOUBLE_EQ(one.explained_variance_[0], 14.0 / 3);
  EXPECT_DOUBLE_EQ(one.explained_variance_ratio_[0], 1);
  const Pca constant = pca(Tensor::from_host(std::vector<float>{1, 7, 2, 7, 4, 7}, {3, 2}));
  EXPECT_EQ(constant.components_.to_host<float>(), (std::vector<float>{1, 0, 0, 1}));
  EXPECT_DOUBLE_EQ(constant.explained_variance_ratio_[1], 0);
}

TEST_F(PcaTest, ComponentsAreOrthonormalEvenWithoutVariance) {
  // Rank 1 data, constant columns, and all rows equal.
  std::vector<float> line;
  for (int i = 0; i < 20; ++i)
    for (int j = 0; j < 6; ++j) line.push_back(j < 3 ? static_cast<float>(i * (j + 1)) : 5.0f);
  for (const Tensor& x :
       {Tensor::from_host(line, {20, 6}), Tensor::full({20, 6}, 2.5), Tensor::full({4, 9}, 2.5)}) {
    const Pca p = pca(x);
    const auto c = p.components_.to_host<float>();
    const std::size_t k = static_cast<std::size_t>(p.components_.dim(0)),
                      d = static_cast<std::size_t>(x.dim(1));
    for (std::size_t a = 0; a < k; ++a)
      for (std::size_t b = 0; b < k; ++b) {
        double dot = 0;
        for (std::size_t j = 0; j < d; ++j)
          dot += static_cast<double>(c[a * d + j]) * static_cast<double>(c[b * d + j]);
        EXPECT_NEAR(dot, a == b ? 1 : 0, 1e-5);
      }
    for (const double ratio : p.explained_variance_ratio_) EXPECT_TRUE(std::isfinite(ratio));
  }
}

TEST_F(PcaTest, RefusesWhatItCannotDo) {
  const Tensor x = test::blobs(12, 3, 3, 24).x;
  PcaOptions o;
  o.n_components = 4;
  EXPECT_THROW(pca(x, o), UsageError);
  o.n_components = -1;
  EXPECT_THROW(pca(x, o), UsageError);
  EXPECT_THROW(pca(x.slice(0, 0, 1).clone()), InputError);
  EXPECT_THROW(pca(x).transform(Tensor::zeros({2, 4})), InputError);
}

}  // namespace
}  // namespace chorale::cluster
