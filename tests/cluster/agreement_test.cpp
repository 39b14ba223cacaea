// SPDX-License-Identifier: MIT
// Every algorithm beside scikit-learn on its bundled sets and data makers (tests/golden/agreement.py):
// a table in the output of the test.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "cluster/agglomerative.h"
#include "cluster/dbscan.h"
#include "cluster/gmm.h"
#include "cluster/hdbscan.h"
#include "cluster/kmeans.h"
#include "cluster/metrics.h"
#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

using Json = nlohmann::json;
using LabelVector = std::vector<std::int32_t>;

struct Set {
  std::string name;
  Tensor x;
  std::int64_t k;
  double eps, ties;
  const Json* found;

  const Json& theirs(const std::string& algorithm) const { return found->at(algorithm); }
  LabelVector labels(const std::string& algorithm) const { return theirs(algorithm).at("labels"); }
};

Tensor matrix(const std::string& name) {
  if (name == "digits") return test::load("digits").x;
  if (name == "hash_128_columns") return test::blobs(300, 128, 5, 96).x;
  if (name == "hash_512_columns") return test::blobs(120, 512, 4, 96).x;
  return read_npy(test::golden_path("agreement_" + name + ".npy"));
}

class Agreement : public testing::Test {
 protected:
  /// Calls body for every set, with what scikit-learn found.
  void for_sets(const std::function<void(const Set&)>& body) {
    static const Json golden = Json::parse(std::ifstream(test::golden_path("agreement.json")));
    for (const auto& [name, set] : golden.at("sets").items()) {
      const Set s{name, matrix(name), set.at("k"), set.at("eps"), set.at("ties"), &set.at("found")};
      body(s);
    }
  }

  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

double rand_index(const LabelVector& theirs, const LabelVector& ours) {
  return adjusted_rand_index({theirs, ours}).value.value_or(theirs == ours ? 1 : 0);  // all noise
}

void print(const Set& set, const char* algorithm, const char* measure, double ours, double theirs,
           double ari) {
  std::printf("%-18s %-14s %-12s %18.9g %18.9g %9.1e   ARI %.6f\n", set.name.c_str(), algorithm, measure,
              ours, theirs, std::fabs(ours - theirs) / std::max(1e-300, std::fabs(theirs)), ari);
}

/// The rows that agreement.py starts k-means from.
Tensor first_centers(const Set& set) {
  std::vector<std::int64_t> rows;
  const std::int64_t n = set.x.dim(0), step = std::max<std::int64_t>(1, n / set.k);
  for (std::int64_t i = 0; i < set.k; ++i) rows.push_back(i * step);
  return set.x.gather_rows(rows);
}

TEST_F(Agreement, KMeansFromOneStart) {
  for_sets([](const Set& set) {
    KMeansOptions options;
    options.n_clusters = set.k;
    options.init_centers = first_centers(set);
    const KMeansResult ours = kmeans(set.x, options);
    const double theirs = set.theirs("kmeans").at("inertia");
    const double ari = rand_index(set.labels("kmeans"), ours.labels_.to_host<std::int32_t>());
    print(set, "kmeans", "inertia", ours.inertia_, theirs, ari);
    EXPECT_EQ(ari, 1.0) << set.name;
    EXPECT_NEAR(ours.inertia_, theirs, 1e-5 * theirs) << set.name;
  });
}

TEST_F(Agreement, MixturesFromOneStart) {
  const std::pair<const char*, CovarianceType> types[] = {{"full", CovarianceType::full},
                                                          {"tied", CovarianceType::tied},
                                                          {"diag", CovarianceType::diag},
                                                          {"spherical", CovarianceType::spherical}};
  for_sets([&](const Set& set) {
    for (const auto& [name, type] : types) {
      const std::string algorithm = std::string("gmm_") + name;
      const Json& theirs = set.theirs(algorithm);
      GmmOptions options;
      options.n_components = set.k;
      options.covariance_type = type;
      options.reg_covar = 1e-3;
      options.init = Tensor::from_host(set.labels("kmeans"), {set.x.dim(0)});
      const Gmm ours = gmm(set.x, options);
      const double ari = rand_index(set.labels(algorithm), ours.labels_.to_host<std::int32_t>());
      const double score = ours.score(set.x), their_score = theirs.at("score");
      print(set, algorithm.c_str(), "log p(x)", score, their_score, ari);
      EXPECT_GT(score, their_score - 0.005 * std::fabs(their_score)) << set.name << " " << algorithm;
      // What the criteria add to the likelihood is exact.
      const double bic = theirs.at("bic"), aic = theirs.at("aic"), n = static_cast<double>(set.x.dim(0));
      EXPECT_NEAR(ours.bic(set.x) + 2 * n * score, bic + 2 * n * their_score, 1e-6 * std::fabs(bic))
          << set.name;
      EXPECT_NEAR(ours.aic(set.x) + 2 * n * score, aic + 2 * n * their_score, 1e-6 * std::fabs(aic))
          << set.name;
    }
  });
}

TEST_F(Agreement, Agglomerative) {
  const std::pair<const char*, Linkage> linkages[] = {{"ward", Linkage::ward},
                                                      {"complete", Linkage::complete},
                                                      {"average", Linkage::average},
                                                      {"single", Linkage::single}};
  for_sets([&](const Set& set) {
    for (const auto& [name, linkage] : linkages) {
      AgglomerativeOptions options;
      options.n_clusters = set.k;
      options.linkage = linkage;
      const AgglomerativeResult ours = agglomerative(set.x, options);
      const double ari = rand_index(set.labels(name), ours.labels_.to_host<std::int32_t>());
      const std::vector<double> heights = ours.distances_.to_host<double>(),
                                theirs = set.theirs(name).at("heights");
      print(set, name, "last height", heights.back(), theirs.back(), ari);
      if (set.ties < 0.01) {
        EXPECT_EQ(ari, 1.0) << set.name << " " << name;
      }
      // Single linkage has one set of heights; the others may merge equal pairs in another order.
      if (set.ties >= 0.01 && linkage != Linkage::single) continue;
      for (std::size_t i = 1; i <= std::min(theirs.size(), heights.size()); ++i)
        EXPECT_NEAR(heights[heights.size() - i], theirs[theirs.size() - i], 2e-5 * theirs[theirs.size() - i])
            << set.name << " " << name << " " << i;
    }
  });
}

TEST_F(Agreement, Dbscan) {
  for_sets([](const Set& set) {
    const DbscanResult ours = dbscan(set.x, {.eps = set.eps, .min_samples = 5});
    const LabelVector labels = ours.labels_.to_host<std::int32_t>(), theirs = set.labels("dbscan"),
                      core = ours.core_sample_indices_.to_host<std::int32_t>(),
                      their_core = set.theirs("dbscan").at("core");
    print(set, "dbscan", "core points", static_cast<double>(core.size()),
          static_cast<double>(their_core.size()), rand_index(theirs, labels));
    EXPECT_EQ(core, their_core) << set.name;
    EXPECT_EQ(labels, theirs) << set.name;
  });
}

TEST_F(Agreement, Hdbscan) {
  for_sets([](const Set& set) {
    HdbscanOptions options;
    options.min_cluster_size = 10;
    const HdbscanResult ours = hdbscan(set.x, options);
    const LabelVector theirs = set.labels("hdbscan");
    const double ari = rand_index(theirs, ours.labels_.to_host<std::int32_t>());
    const std::vector<float> probabilities = ours.probabilities_.to_host<float>(),
                             their_probabilities = set.theirs("hdbscan").at("probabilities");
    double sum = 0, their_sum = 0;
    for (const float p : probabilities) sum += static_cast<double>(p);
    for (const float p : their_probabilities) their_sum += static_cast<double>(p);
    print(set, "hdbscan", "probability", sum, their_sum, ari);
    if (set.ties >= 0.01) return;
    EXPECT_EQ(ari, 1.0) << set.name;
    for (std::size_t i = 0; i < probabilities.size(); ++i)
      EXPECT_NEAR(probabilities[i], their_probabilities[i], 1e-4f) << set.name << " " << i;
  });
}

}  // namespace
}  // namespace chorale::cluster
