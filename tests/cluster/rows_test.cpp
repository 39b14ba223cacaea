// SPDX-License-Identifier: MIT
#include "cluster/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cluster/agglomerative.h"
#include "cluster/dbscan.h"
#include "cluster/gmm.h"
#include "cluster/hdbscan.h"
#include "cluster/kmeans.h"
#include "cluster/metrics.h"
#include "tests/cluster/data.h"

namespace chorale::cluster {
namespace {

using test::matrix;
using test::message_of;

class Rows : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

/// 24 rows in two groups, in units of `scale`.
Tensor two_groups(float scale) {
  std::vector<float> values;
  for (int i = 0; i < 24; ++i) {
    values.push_back(scale * static_cast<float>(i % 12));
    values.push_back(scale * (i < 12 ? 0.0f : 100.0f));
  }
  return matrix(values, 2);
}

TEST_F(Rows, SquaresThatOverflowAreRefused) {
  EXPECT_EQ(
      message_of(
          [] {
            center_rows(matrix({-3e20f, 1e20f}, 1), "codes.npy");
          },
          3),
      "codes.npy: squared distances overflow f32: largest magnitude 3e+20, sum of squares about the mean "
      "8e+40 (allowed below 4.25353e+37; scale the data)");
  center_rows(matrix({-4e18f, 4e18f}, 1), "x");
  message_of([] { center_rows(matrix({-5e18f, 5e18f}, 1), "x"); }, 3);
  const float largest = std::numeric_limits<float>::max();
  message_of([&] { center_rows(matrix({-largest, largest}, 1), "x"); }, 3);
  // What is equally far from the origin has no distances.
  EXPECT_EQ(center_rows(matrix({1e20f, 1e20f}, 1), "x").total_square, 0);
  const Tensor origin = Tensor::zeros({1}, DType::f64);
  message_of([&] { center_rows(matrix({1e20f, 1e20f}, 1), "x", origin); }, 3);
}

TEST_F(Rows, DifferencesThatUnderflowAreRefused) {
  EXPECT_EQ(message_of(
                [] {
                  center_rows(matrix({-2e-20f, 2e-20f}, 1), "codes.npy");
                },
                3),
            "codes.npy: differences too small for squares in f32: largest difference from the mean 2e-20 "
            "(allowed 1e-15 or more, or rows that are all equal; scale the data)");
  const float least = std::numeric_limits<float>::denorm_min();
  message_of([&] { center_rows(matrix({0, 2 * least, 0, 4 * least}, 1), "x"); }, 3);
  center_rows(matrix({-2e-15f, 2e-15f}, 1), "x");
  // One that is large enough among many that are not.
  std::vector<float> values(1000, 1e-20f);
  values[7] = 2e-15f;
  center_rows(matrix(values, 1), "x");
  for (const float value : {0.0f, 0.1f, 1e-30f, least, 1e6f}) {
    const CenteredRows equal = center_rows(Tensor::full({1000, 3}, value), "x");
    EXPECT_EQ(equal.total_square, 0) << value;
  }
  const Tensor origin = Tensor::zeros({1}, DType::f64);
  center_rows(matrix({1e-20f, -1e-20f}, 1), "x", origin);
}

TEST_F(Rows, AllThatMeasureDistancesRefuseThem) {
  const std::vector<std::int32_t> labels{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
                                         0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  KMeansOptions means;
  means.n_clusters = 2;
  GmmOptions mixture;
  mixture.n_components = 2;
  const std::vector<std::function<void(const Tensor&)>> all{
      [&](const Tensor& x) { kmeans(x, means); },
      [&](const Tensor& x) { gmm(x, mixture); },
      [](const Tensor& x) { dbscan(x); },
      [](const Tensor& x) { suggest_eps(x); },
      [](const Tensor& x) { hdbscan(x); },
      [](const Tensor& x) { agglomerative(x); },
      [&](const Tensor& x) { silhouette(x, labels); },
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(i);
    all[i](two_groups(1));
    for (const float scale : {1e17f, 1e20f, 1e30f, 1e-20f, 1e-40f})
      message_of([&] { all[i](two_groups(scale)); }, 3);
  }
}

TEST_F(Rows, DirectionsHaveNoRange) {
  for (const float scale : {1e-40f, 1e-20f, 1e20f, 1e36f}) {
    const UnitRows rows = unit_rows(matrix({3 * scale, 4 * scale, 0, -2 * scale}, 2), "x");
    const std::vector<float> values = rows.x.to_host<float>();
    const std::vector<float> expected{0.6f, 0.8f, 0, -1};
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-4) << scale;
  }
}

}  // namespace
}  // namespace chorale::cluster
