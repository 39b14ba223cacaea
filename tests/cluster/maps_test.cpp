// SPDX-License-Identifier: MIT
// t-SNE and UMAP against scikit-learn and umap-learn (tests/golden/maps.py), and on data without structure.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cluster/tsne.h"
#include "cluster/umap.h"
#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

using test::scattered;

class Maps : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

const nlohmann::json& golden() {
  static const nlohmann::json values = nlohmann::json::parse(std::ifstream(test::golden_path("maps.json")));
  return values;
}

/// Worst difference of the graph from a dense matrix, as a share of the matrix' largest element.
double difference(const Graph& graph, const std::string& file) {
  const std::vector<float> expected = read_npy(test::golden_path(file)).to_host<float>();
  const auto offsets = graph.offsets.to_host<std::int64_t>();
  const auto columns = graph.columns.to_host<std::int32_t>();
  const auto values = graph.values.to_host<float>();
  const auto n = static_cast<std::size_t>(graph.rows());
  std::vector<double> dense(n * n);
  for (std::size_t i = 0; i < n; ++i)
    for (auto e = static_cast<std::size_t>(offsets[i]); e < static_cast<std::size_t>(offsets[i + 1]); ++e)
      dense[i * n + static_cast<std::size_t>(columns[e])] += static_cast<double>(values[e]);
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    worst = std::max(worst, std::fabs(dense[i] - static_cast<double>(expected[i])));
    largest = std::max(largest, static_cast<double>(expected[i]));
  }
  std::printf("%-24s worst difference %.1e of %.3g\n", file.c_str(), worst, largest);
  return worst / largest;
}

/// The other rows of x, nearest first.
std::vector<std::size_t> ranked(const std::vector<float>& x, std::size_t n, std::size_t i) {
  const std::size_t d = x.size() / n;
  std::vector<std::pair<double, std::size_t>> others;
  for (std::size_t j = 0; j < n; ++j) {
    double square = 0;
    for (std::size_t c = 0; c < d; ++c)
      square += std::pow(static_cast<double>(x[i * d + c]) - static_cast<double>(x[j * d + c]), 2);
    if (j != i) others.emplace_back(square, j);
  }
  std::sort(others.begin(), others.end());
  std::vector<std::size_t> result;
  for (const auto& [square, j] : others) result.push_back(j);
  return result;
}

struct Quality {
  double trustworthiness, neighbour_accuracy;
};

/// sklearn.manifold.trustworthiness with 5 neighbours, and the share of points whose 10 nearest neighbours in
/// the map have their label most often.
Quality quality(const test::Data& data, const Tensor& embedding) {
  const std::vector<float> x = data.x.to_host<float>(), y = embedding.to_host<float>();
  const std::size_t n = data.truth.size(), k = 5;
  double penalty = 0;
  std::size_t right = 0;
  std::vector<std::size_t> rank(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto there = ranked(x, n, i), here = ranked(y, n, i);
    for (std::size_t r = 0; r < there.size(); ++r) rank[there[r]] = r + 1;
    for (std::size_t t = 0; t < k; ++t)
      if (rank[here[t]] > k) penalty += static_cast<double>(rank[here[t]] - k);
    std::vector<int> votes(32);
    for (std::size_t t = 0; t < std::min<std::size_t>(10, here.size()); ++t)
      ++votes[static_cast<std::size_t>(data.truth[here[t]])];
    right += std::max_element(votes.begin(), votes.end()) - votes.begin() == data.truth[i];
  }
  const auto rows = static_cast<double>(n), near = static_cast<double>(k);
  return {1 - penalty * 2 / (rows * near * (2 * rows - 3 * near - 1)), static_cast<double>(right) / rows};
}

void expect_as_good(const Quality& ours, const nlohmann::json& theirs, const char* what) {
  std::printf("%-5s trustworthiness %.4f (%.4f), 10 nearest agree %.4f (%.4f)\n", what, ours.trustworthiness,
              theirs["trustworthiness"].get<double>(), ours.neighbour_accuracy,
              theirs["neighbour_accuracy"].get<double>());
  EXPECT_GT(ours.trustworthiness, theirs["trustworthiness"].get<double>() - 0.01) << what;
  EXPECT_GT(ours.neighbour_accuracy, theirs["neighbour_accuracy"].get<double>() - 0.01) << what;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

bool finite(const Tensor& t) {
  const std::vector<float> values = t.to_host<float>();
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

TEST_F(Maps, SimilaritiesAreThoseOfScikitLearn) {
  EXPECT_LT(difference(tsne_similarities(scattered(80, 6), 10), "tsne_affinities.npy"), 1e-4);
}

TEST_F(Maps, FuzzySetIsThatOfUmapLearn) {
  UmapOptions o;
  o.n_neighbors = 10;
  EXPECT_LT(difference(umap_graph(scattered(80, 6), o), "fuzzy_union.npy"), 1e-4);
  o.set_op_mix_ratio = 0.3;
  o.local_connectivity = 2.5;
  EXPECT_LT(difference(umap_graph(scattered(80, 6), o), "fuzzy_mixed.npy"), 1e-4);
}

TEST_F(Maps, CurveIsThatOfUmapLearn) {
  for (const auto& curve : golden()["curves"]) {
    const auto [a, b] = find_umap_curve(curve["spread"], curve["min_dist"]);
    EXPECT_NEAR(a / curve["ab"][0].get<double>(), 1, 1e-4) << curve;
    EXPECT_NEAR(b / curve["ab"][1].get<double>(), 1, 1e-4) << curve;
  }
}

TEST_F(Maps, DigitsAreMappedAsWellAsByTheReferences) {
  const test::Data digits = test::load("digits");
  const TsneResult t = tsne(digits.x);
  const double theirs = golden()["digits"]["tsne"]["kl_divergence"];
  std::printf("t-SNE divergence %.4f (scikit-learn %.4f), %ld iterations\n", t.kl_divergence_, theirs,
              static_cast<long>(t.n_iter_ + 1));
  EXPECT_LT(t.kl_divergence_, 1.01 * theirs);
  EXPECT_EQ(t.n_iter_, 999);
  expect_as_good(quality(digits, t.embedding_), golden()["digits"]["tsne"], "t-SNE");
  expect_as_good(quality(digits, umap(digits.x).embedding_), golden()["digits"]["umap"], "UMAP");
}

TEST_F(Maps, BlobsStayApartFromEveryStart) {
  const test::Data blobs = test::blobs(600, 12, 5, 24);
  for (const MapInit init : {MapInit::spectral, MapInit::pca, MapInit::random}) {
    UmapOptions u;
    u.init = init;
    EXPECT_EQ(quality(blobs, umap(blobs.x, u).embedding_).neighbour_accuracy, 1) << static_cast<int>(init);
    if (init == MapInit::spectral) continue;
    TsneOptions t;
    t.init = init;
    EXPECT_EQ(quality(blobs, tsne(blobs.x, t).embedding_).neighbour_accuracy, 1) << static_cast<int>(init);
  }
}

TEST_F(Maps, ThreadsChangeNoBit) {
  // Enough points for the grid.
  const Tensor large = test::blobs(2500, 8, 7, 60).x, small = test::blobs(900, 8, 7, 60).x;
  TsneOptions t;
  t.max_iter = 300;
  UmapOptions u;
  u.n_epochs = 50;
  std::vector<std::vector<float>> expected;
  for (const int threads : {1, 3, 2}) {
    context_.api().set_threads(threads);
    const std::vector<std::vector<float>> found = {
        tsne(large, t).embedding_.to_host<float>(), tsne(small, t).embedding_.to_host<float>(),
        umap(large, u).embedding_.to_host<float>(), umap(small, u).embedding_.to_host<float>()};
    if (expected.empty()) expected = found;
    EXPECT_TRUE(found == expected) << threads;
  }
}

TEST_F(Maps, GridAndPairsReachTheSameDivergence) {
  // The map of 2,010 points, on the grid, is as good as one of 1,990 of them without it.
  const test::Data blobs = test::blobs(2010, 10, 6, 60);
  const TsneResult grid = tsne(blobs.x), pairs = tsne(blobs.x.slice(0, 0, 1990).contiguous());
  std::printf("divergence on the grid %.4f, of pairs %.4f\n", grid.kl_divergence_, pairs.kl_divergence_);
  EXPECT_NEAR(grid.kl_divergence_ / pairs.kl_divergence_, 1, 0.02);
}

TEST_F(Maps, TakesWhatHasLittleOrNoStructure) {
  TsneOptions t;
  t.max_iter = 260;
  UmapOptions u;
  u.n_epochs = 30;
  for (const Tensor& x : {scattered(2, 3), scattered(3, 1), scattered(5, 4), Tensor::full({40, 3}, 2.5),
                          Tensor::full({9, 1}, -1.0)}) {
    t.perplexity = std::min(30.0, 0.5 * static_cast<double>(x.dim(0)));
    for (const MapInit init : {MapInit::pca, MapInit::random}) {
      t.init = u.init = init;
      EXPECT_TRUE(finite(tsne(x, t).embedding_)) << to_string(x.shape());
      EXPECT_TRUE(finite(umap(x, u).embedding_)) << to_string(x.shape());
    }
    u.init = MapInit::spectral;
    EXPECT_TRUE(finite(umap(x, u).embedding_)) << to_string(x.shape());
  }
  EXPECT_EQ(umap(scattered(1, 3)).embedding_.to_host<float>(), (std::vector<float>{0, 0}));
}

TEST_F(Maps, DuplicatesLieTogetherAndPartsApart) {
  // Each of 60 points three times over; then three groups without an edge between them.
  const std::vector<float> once = scattered(60, 5).to_host<float>();
  std::vector<float> thrice;
  test::Data parts;
  for (int copy = 0; copy < 3; ++copy) thrice.insert(thrice.end(), once.begin(), once.end());
  UmapOptions u;
  u.n_epochs = 100;
  EXPECT_TRUE(finite(umap(Tensor::from_host(thrice, {180, 5}), u).embedding_));
  TsneOptions t;
  t.perplexity = 20;
  EXPECT_TRUE(finite(tsne(Tensor::from_host(thrice, {180, 5}), t).embedding_));
  for (std::size_t i = 0; i < 180; ++i) {
    parts.truth.push_back(static_cast<std::int32_t>(i / 60));
    for (std::size_t c = 0; c < 5; ++c)
      thrice[5 * i + c] = once[5 * (i % 60) + c] + 100.0f * static_cast<float>(i / 60);
  }
  parts.x = Tensor::from_host(thrice, {180, 5});
  EXPECT_EQ(quality(parts, umap(parts.x, u).embedding_).neighbour_accuracy, 1);
}

TEST_F(Maps, ReportsProgressAndStopsWhenAsked) {
  const Tensor x = scattered(90, 4);
  TsneOptions t;
  t.perplexity = 10;
  std::vector<std::int64_t> seen;
  t.callbacks.progress = [&](std::int64_t iteration, double value) {
    EXPECT_TRUE(std::isfinite(value));
    seen.push_back(iteration);
  };
  t.callbacks.interrupted = [&] { return seen.size() == 3; };
  const TsneResult stopped = tsne(x, t);
  EXPECT_EQ(seen, (std::vector<std::int64_t>{50, 100, 150}));
  EXPECT_EQ(stopped.n_iter_, 149);
  seen.clear();
  UmapOptions u;
  u.callbacks = t.callbacks;
  EXPECT_TRUE(finite(umap(x, u).embedding_));
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_F(Maps, RefusesByName) {
  const Tensor x = scattered(5, 3);
  const auto tsne_message = [&](const auto& change) {
    TsneOptions o;
    o.perplexity = 2;
    change(o);
    return message_of([&] { tsne(x, o); });
  };
  EXPECT_EQ(message_of([&] { tsne(x); }),
            "perplexity: not between 0 and the number of rows: 30.000000 (allowed above 0 and below 5)");
  EXPECT_EQ(tsne_message([](TsneOptions& o) { o.n_components = 3; }),
            "n_components: out of range: 3 (allowed 2)");
  EXPECT_EQ(tsne_message([](TsneOptions& o) { o.max_iter = 100; }),
            "max_iter: out of range: 100 (allowed 250 or more)");
  EXPECT_EQ(tsne_message([](TsneOptions& o) { o.init = MapInit::spectral; }),
            "init: not for t-SNE: spectral (allowed pca, random)");
  EXPECT_EQ(message_of([&] { tsne(scattered(1, 3)); }),
            "x: t-SNE needs at least two rows: 1 (allowed 2 or more)");
  const auto umap_message = [&](const auto& change) {
    UmapOptions o;
    change(o);
    return message_of([&] { umap(x, o); });
  };
  EXPECT_EQ(umap_message([](UmapOptions& o) { o.n_neighbors = 1; }),
            "n_neighbors: out of range: 1 (allowed 2 or more)");
  EXPECT_EQ(umap_message([](UmapOptions& o) { o.min_dist = 1.5; }),
            "min_dist: out of range: 1.500000 (allowed 0 to spread)");
  EXPECT_EQ(umap_message([](UmapOptions& o) { o.set_op_mix_ratio = -1; }),
            "set_op_mix_ratio: out of range: -1.000000 (allowed 0 to 1)");
  const Tensor broken = Tensor::from_host(std::vector<float>{0, 1, NAN, 3, 4, 5}, {3, 2});
  TsneOptions o;
  o.perplexity = 1;
  EXPECT_THROW(tsne(broken, o), InputError);
  EXPECT_THROW(umap(broken), InputError);
}

}  // namespace
}  // namespace chorale::cluster
