// SPDX-License-Identifier: MIT
#include "cluster/linkage.h"

#include <gtest/gtest.h>

#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

const nlohmann::json& golden() {
  static const nlohmann::json values =
      nlohmann::json::parse(std::ifstream(test::golden_path("linkage.json")));
  return values;
}

class LinkageTree : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

Tensor tree_of(const nlohmann::json& rows) {
  std::vector<double> values;
  for (const auto& row : rows)
    for (const double value : row) values.push_back(value);
  return Tensor::from_host(values, {static_cast<std::int64_t>(rows.size()), 4});
}

using Labels = std::vector<std::int32_t>;

TEST_F(LinkageTree, ClustersAreNumberedAsScikitLearnDoes) {
  for (const auto& [name, cuts] : golden()["cuts"].items()) {
    const Tensor tree = tree_of(cuts["linkage"]);
    for (const auto& cut : cuts["n_clusters"])
      EXPECT_EQ(cut_tree(tree, cut[0]).to_host<std::int32_t>(), cut[1].get<Labels>())
          << name << " " << cut[0];
  }
}

TEST_F(LinkageTree, MergesAreSortedAndNamedAsInSciPy) {
  // 2 and 3 first, then 0 and 4, then both; merges given out of order, clusters by any of their points.
  const Tensor tree = linkage_matrix({{3, 4, 5.0}, {2, 3, 1.0}, {4, 0, 2.0}, {1, 2, 7.0}}, 5);
  EXPECT_EQ(tree.to_host<double>(), (std::vector<double>{2, 3, 1, 2, 0, 4, 2, 2, 5, 6, 5, 4, 1, 7, 7, 5}));
  EXPECT_EQ(count_clusters(tree, 2.0), 4);
  EXPECT_EQ(count_clusters(tree, 2.5), 3);
  EXPECT_EQ(count_clusters(tree, 8.0), 1);
  EXPECT_THROW(linkage_matrix({{0, 1, 1.0}, {1, 0, 2.0}}, 3), ContractError);
  EXPECT_THROW(linkage_matrix({{0, 1, 1.0}}, 3), ContractError);
}

TEST_F(LinkageTree, OnePointIsOneCluster) {
  const Tensor tree = linkage_matrix({}, 1);
  EXPECT_EQ(cut_tree(tree, 1).to_host<std::int32_t>(), Labels{0});
  EXPECT_EQ(count_clusters(tree, 0.5), 1);
}

TEST_F(LinkageTree, RefusesWhatItCannotCut) {
  const Tensor tree = linkage_matrix({{0, 1, 1.0}, {1, 2, 2.0}}, 3);
  EXPECT_THROW(cut_tree(tree, 0), UsageError);
  EXPECT_THROW(cut_tree(tree, 4), UsageError);
  EXPECT_THROW(cut_tree(Tensor::zeros({3, 4}), 1), InputError);
  EXPECT_THROW(cut_tree(Tensor(), 1), InputError);
}

}  // namespace
}  // namespace chorale::cluster
