// SPDX-License-Identifier: MIT
#include "cluster/gmm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "cluster/metrics.h"
#include "kernels/launch.h"
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

constexpr std::pair<const char*, CovarianceType> types[] = {{"full", CovarianceType::full},
                                                            {"tied", CovarianceType::tied},
                                                            {"diag", CovarianceType::diag},
                                                            {"spherical", CovarianceType::spherical}};

GmmOptions options(std::int64_t n_components, CovarianceType type = CovarianceType::full) {
  GmmOptions o;
  o.n_components = n_components;
  o.covariance_type = type;
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

std::vector<double> sample(const std::vector<double>& values) {
  std::vector<double> kept;
  for (std::size_t i = 0; i < values.size(); i += std::max<std::size_t>(1, values.size() / 100))
    kept.push_back(values[i]);
  return kept;
}

std::vector<double> sample(const Tensor& values) {
  const std::vector<float> all = values.to_host<float>();
  return sample(std::vector<double>(all.begin(), all.end()));
}

/// Largest |a - b| / (1 + |b|).
double worst(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double w = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
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
  for (const double s : g.covariances_) EXPECT_TRUE(std::isfinite(s));
  EXPECT_TRUE(std::isfinite(g.lower_bound_));
  for (const float l : g.log_likelihood_.to_host<float>()) EXPECT_TRUE(std::isfinite(l));
}

TEST_F(GmmTest, FollowsScikitLearnFromGivenResponsibilities) {
  std::printf("%-8s %-9s %-5s %6s %6s %9s %9s %11s %11s %14s\n", "data", "type", "run", "n_iter", "theirs",
              "weights", "means", "covariances", "likelihoods", "lower bound");
  for (const auto& [name, set] : golden().items()) {
    const Tensor x = test::load(name).x;
    for (const auto& [type_name, type] : types)
      for (const auto& [run, iterations] : {std::pair{"one", 1}, {"four", 4}, {"end", 100}}) {
        const nlohmann::json& theirs = set["types"][type_name][run];
        const std::string which = name + " " + type_name + " " + run;
        GmmOptions o = options(set["k"], type);
        o.reg_covar = set["reg_covar"];
        o.init = start_of(name, o.n_components);
        o.max_iter = iterations;
        const Gmm g = gmm(x, o);
        const double weights = worst(sample(g.weights_), theirs["weights"]),
                     means = worst(sample(g.means_), theirs["means"]),
                     covariances = worst(sample(g.covariances_), theirs["covariances"]),
                     likelihoods = worst(sample(g.log_likelihood_), theirs["score_samples"]);
        std::printf("%-8s %-9s %-5s %6ld %6ld %9.1e %9.1e %11.1e %11.1e %14.6f\n", name.c_str(), type_name,
                    run, static_cast<long>(g.n_iter_), theirs["n_iter"].get<long>(), weights, means,
                    covariances, likelihoods, g.lower_bound_);
        EXPECT_EQ(g.n_iter_, theirs["n_iter"].get<std::int64_t>()) << which;
        EXPECT_EQ(g.converged_, theirs["converged"].get<bool>()) << which;
        EXPECT_LT(weights, 1e-4) << which;
        EXPECT_LT(means, 1e-4) << which;
        EXPECT_LT(covariances, 1e-4) << which;
        EXPECT_LT(likelihoods, 1e-4) << which;
        EXPECT_LT(worst({g.lower_bound_}, {theirs["lower_bound"].get<double>()}), 1e-5) << which;
        EXPECT_EQ(g.n_parameters(), theirs["n_parameters"].get<double>()) << which;
        EXPECT_LT(worst({g.bic(x), g.aic(x)}, {theirs["bic"].get<double>(), theirs["aic"].get<double>()}),
                  1e-5)
            << which;
      }
  }
}

TEST_F(GmmTest, FromKMeansIsAsGoodAsScikitLearn) {
  for (const std::string name : {"iris", "blobs"})
    for (const auto& [type_name, type] : types) {
      const nlohmann::json& set = golden()[name];
      GmmOptions o = options(set["k"], type);
      o.n_init = 5;
      const Gmm g = gmm(test::load(name).x, o);
      const double theirs = set["types"][type_name]["best_lower_bound"];
      EXPECT_TRUE(g.converged_) << name << " " << type_name;
      EXPECT_GT(g.lower_bound_, theirs - 0.005 * std::fabs(theirs)) << name << " " << type_name;
      expect_finite(g);
    }
}

TEST_F(GmmTest, ShapesAreThoseOfScikitLearn) {
  const Tensor x = test::load("iris").x;
  for (const auto& [type, size] : {std::pair{CovarianceType::full, 48},
                                   {CovarianceType::tied, 16},
                                   {CovarianceType::diag, 12},
                                   {CovarianceType::spherical, 3}}) {
    const Gmm g = gmm(x, options(3, type));
    EXPECT_EQ(g.covariances_.size(), static_cast<std::size_t>(size));
    EXPECT_EQ(g.weights_.size(), 3u);
    EXPECT_EQ(g.means_.size(), 12u);
    EXPECT_EQ(g.labels_.shape(), (Shape{150}));
  }
}

TEST_F(GmmTest, LabelsAndResponsibilitiesAgree) {
  const test::Data data = test::blobs(3000, 24, 6, 24);
  for (const auto& [type_name, type] : types) {
    const Gmm g = gmm(data.x, options(6, type));
    const std::vector<float> p = g.predict_proba(data.x).to_host<float>();
    std::vector<std::int32_t> labels;
    for (std::size_t i = 0; i < 3000; ++i) {
      const auto row = p.begin() + static_cast<std::ptrdiff_t>(6 * i);
      labels.push_back(static_cast<std::int32_t>(std::max_element(row, row + 6) - row));
      EXPECT_NEAR(std::accumulate(row, row + 6, 0.0), 1, 1e-5);
    }
    EXPECT_EQ(*adjusted_rand_index({data.truth, labels}).value, 1.0) << type_name;
    EXPECT_EQ(g.labels_.to_host<std::int32_t>(), labels) << type_name;
    EXPECT_EQ(g.predict(data.x).to_host<std::int32_t>(), labels) << type_name;
    // Other rows, in other tiles, get the same values.
    const Tensor some = data.x.slice(0, 100, 117).clone();
    const auto few = g.score_samples(some).to_host<float>(), all = g.log_likelihood_.to_host<float>();
    double mean = 0;
    for (std::size_t i = 0; i < few.size(); ++i) {
      EXPECT_EQ(few[i], all[100 + i]) << type_name;
      mean += static_cast<double>(few[i]) / 17;
    }
    EXPECT_NEAR(g.score(some), mean, 1e-9 * std::fabs(mean));
  }
}

TEST_F(GmmTest, OneComponentIsMeanAndCovariance) {
  for (const auto& [type_name, type] : types) {
    const Gmm g = gmm(Tensor::from_host(std::vector<float>{1, 10, 2, 10, 6, 10}, {3, 2}), options(1, type));
    EXPECT_NEAR(g.means_[0], 3, 1e-6) << type_name;
    EXPECT_NEAR(g.means_[1], 10, 1e-6) << type_name;
    const bool matrix = type == CovarianceType::full || type == CovarianceType::tied;
    EXPECT_NEAR(g.covariances_[0], 14.0 / (type == CovarianceType::spherical ? 6 : 3) + 1e-6, 1e-6)
        << type_name;
    if (type != CovarianceType::spherical) {
      EXPECT_NEAR(g.covariances_.back(), 1e-6, 1e-9) << type_name;
    }
    if (matrix) {
      EXPECT_NEAR(g.covariances_[1], 0, 1e-9) << type_name;
    }
    EXPECT_EQ(g.weights_[0], 1) << type_name;
    expect_finite(g);
  }
}

TEST_F(GmmTest, DegenerateDataStaysFinite) {
  std::vector<float> two, offset;
  for (int i = 0; i < 12; ++i) {
    two.push_back(static_cast<float>(1 + i % 2));
    offset.insert(offset.end(), {1e6f, static_cast<float>(i % 5)});
  }
  for (const auto& [type_name, type] : types) {
    SCOPED_TRACE(type_name);
    // Every row a component, fewer rows than columns, all rows equal, a constant and huge column.
    expect_finite(gmm(test::blobs(12, 5, 12, 24).x, options(12, type)));
    expect_finite(gmm(test::blobs(40, 200, 3, 24).x, options(3, type)));
    expect_finite(gmm(Tensor::full({20, 3}, 7.25), options(4, type)));
    expect_finite(gmm(Tensor::from_host(offset, {12, 2}), options(3, type)));
    // Fewer distinct rows than components: all weight lies on the two values.
    const Gmm g = gmm(Tensor::from_host(two, {12, 1}), options(4, type));
    expect_finite(g);
    double in_place = 0;
    for (std::size_t c = 0; c < 4; ++c)
      if (std::fabs(g.means_[c] - 1) < 1e-4 || std::fabs(g.means_[c] - 2) < 1e-4) in_place += g.weights_[c];
    EXPECT_NEAR(in_place, 1, 1e-9);
  }
}

TEST_F(GmmTest, AnEmptyComponentGetsTheFloor) {
  std::vector<std::int32_t> start(150);
  for (std::size_t i = 50; i < 150; ++i) start[i] = 2;
  GmmOptions o = options(3);
  o.init = Tensor::from_host(start, {150});
  const Gmm g = gmm(test::load("iris").x, o);
  expect_finite(g);
  EXPECT_LT(g.weights_[1], 1e-12);
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(g.covariances_[16 + i], i % 5 ? 0 : 1e-6, 1e-12);
}

TEST_F(GmmTest, TightClustersFarApartDoNotCancel) {
  std::vector<float> values;
  for (int i = 0; i < 400; ++i)
    values.push_back((i % 2 ? 1000.0f : -1000.0f) + static_cast<float>(i / 2 % 5 - 2) * 0.03125f);
  const Tensor x = Tensor::from_host(values, {400, 1});
  for (const auto& [type_name, type] : types) {
    const Gmm g = gmm(x, options(2, type));
    for (const double s : g.covariances_) EXPECT_NEAR(s, 2 * 0.03125 * 0.03125 + 1e-6, 1e-8) << type_name;
    for (const double m : g.means_) EXPECT_NEAR(std::fabs(m), 1000, 1e-4) << type_name;
  }
}

TEST_F(GmmTest, FarFromTheOriginIsTheSameMixture) {
  const Tensor x = test::blobs(2000, 6, 3, 24).x;  // whole numbers: exact after the shift
  const Tensor far = x.clone();
  kernel::accumulate(current_context(), Tensor::full(x.shape(), 10000), far);
  for (const auto& [type_name, type] : types) {
    const Gmm near = gmm(x, options(3, type)), moved = gmm(far, options(3, type));
    EXPECT_LT(worst(moved.covariances_, near.covariances_), 1e-4) << type_name;
    EXPECT_LT(worst(moved.weights_, near.weights_), 1e-5) << type_name;
    for (std::size_t i = 0; i < near.means_.size(); ++i)
      EXPECT_NEAR(moved.means_[i] - 10000, near.means_[i], 1e-3) << type_name;
  }
}

TEST_F(GmmTest, ThreadsChangeNoBit) {
  const test::Data data = test::blobs(20011, 37, 13, 160);
  for (const auto& [type_name, type] : types) {
    GmmOptions o = options(5, type);
    o.max_iter = 3;
    context_.api().set_threads(2);
    const Gmm expected = gmm(data.x, o);
    for (const int threads : {1, 3}) {
      context_.api().set_threads(threads);
      const Gmm g = gmm(data.x, o);
      EXPECT_EQ(g.weights_, expected.weights_) << type_name << " " << threads;
      EXPECT_EQ(g.means_, expected.means_) << type_name << " " << threads;
      EXPECT_EQ(g.covariances_, expected.covariances_) << type_name << " " << threads;
      EXPECT_EQ(g.lower_bound_, expected.lower_bound_) << type_name << " " << threads;
      EXPECT_EQ(g.log_likelihood_.to_host<float>(), expected.log_likelihood_.to_host<float>())
          << type_name << " " << threads;
    }
  }
  context_.api().set_threads(2);
}

TEST_F(GmmTest, AnIllConditionedCovarianceIsANumericalError) {
  const Tensor x = Tensor::full({20, 3}, 7.25);
  for (const auto& [type_name, type] : types) {
    GmmOptions o = options(2, type);
    o.reg_covar = 0;
    try {
      gmm(x, o, "codes.npy");
      FAIL() << type_name;
    } catch (const NumericalError& e) {
      EXPECT_EQ(e.exit_code(), 5);
      EXPECT_NE(std::string(e.what()).find("codes.npy: covariance of component 0 is not positive definite"),
                std::string::npos)
          << e.what();
      EXPECT_NE(std::string(e.what()).find("reg_covar"), std::string::npos) << e.what();
    }
  }
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
  refused([](GmmOptions& o) { o.reg_covar = -1; });
  refused([](GmmOptions& o) { o.init = Tensor::zeros({12, 3}); });
  refused([](GmmOptions& o) { o.init = Tensor::full({12, 2}, NAN); });
  refused([](GmmOptions& o) { o.init = Tensor::full({12}, 2, DType::i32); });
  Tensor bad = x.clone();
  bad[3].fill(NAN);
  EXPECT_THROW(gmm(bad, options(2)), InputError);
  EXPECT_THROW(gmm(x, options(2)).score_samples(Tensor::zeros({2, 4})), InputError);
  EXPECT_THROW(gmm(x, options(2)).predict(bad), InputError);
}

}  // namespace
}  // namespace chorale::cluster
