// SPDX-License-Identifier: MIT
#include "cluster/neighbours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/cluster/density_data.h"

namespace chorale::cluster {
namespace {

using test::message_of;

class NearestNeighbours : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

/// Every pair, in f64.
void expect_exact(const Tensor& x, std::int64_t k) {
  const Neighbours found = nearest_neighbours(x, k);
  const std::vector<float> values = x.to_host<float>(), distances = found.distances.to_host<float>();
  const std::vector<std::int32_t> indices = found.indices.to_host<std::int32_t>();
  const std::int64_t n = x.dim(0), d = x.dim(1);
  ASSERT_EQ(found.distances.shape(), (Shape{n, k}));
  ASSERT_EQ(found.indices.shape(), (Shape{n, k}));
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<std::pair<double, std::int32_t>> others;
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t c = 0; c < d; ++c) {
        const double difference = static_cast<double>(values[static_cast<std::size_t>(i * d + c)]) -
                                  static_cast<double>(values[static_cast<std::size_t>(j * d + c)]);
        sum += difference * difference;
      }
      if (j != i) others.emplace_back(sum, static_cast<std::int32_t>(j));
    }
    std::partial_sort(others.begin(), others.begin() + k, others.end());
    for (std::int64_t j = 0; j < k; ++j) {
      const auto& [square, index] = others[static_cast<std::size_t>(j)];
      const auto at = static_cast<std::size_t>(i * k + j);
      ASSERT_EQ(indices[at], index) << "row " << i << ", neighbour " << j;
      ASSERT_EQ(distances[at], static_cast<float>(std::sqrt(square))) << "row " << i << ", neighbour " << j;
    }
  }
}

// Integers: sums are exact, and many distances are equal.
TEST_F(NearestNeighbours, EqualsAllPairsFromOneTo512Columns) {
  for (const std::int64_t d : {1, 2, 3, 7, 8, 9, 33, 128, 257, 512}) {
    SCOPED_TRACE(d);
    expect_exact(test::blobs(d < 100 ? 1100 : 400, d, 7, 60).x, 12);
  }
  expect_exact(test::blobs(700, 20, 5, 100).x, 699);
  expect_exact(test::blobs(2, 3, 1, 100).x, 1);
}

TEST_F(NearestNeighbours, OffsetsDuplicatesAndConstantColumns) {
  std::vector<float> values = test::blob_values(900, 4, 3, 20);
  for (std::size_t i = 0; i < values.size(); i += 4) {
    values[i] += 4096;      // far from the origin
    values[i + 1] = 1e6f;   // constant
    values[i + 2] /= 1024;  // small beside the others
  }
  std::copy_n(values.begin(), 1200, values.begin() + 2000);  // every third row twice
  expect_exact(Tensor::from_host(values, {900, 4}), 9);
  expect_exact(Tensor::full({500, 12}, 3.25), 20);
  std::vector<float> outlier = test::blob_values(600, 10, 3, 20);
  outlier[77] = 1e18f;
  expect_exact(Tensor::from_host(outlier, {600, 10}), 5);
}

TEST_F(NearestNeighbours, ThreadsChangeNoBit) {
  const Tensor x = test::blobs(3001, 40, 9, 160).x;
  const Neighbours expected = nearest_neighbours(x, 30);
  for (const int threads : {1, 3, 7}) {
    context_.api().set_threads(threads);
    const Neighbours found = nearest_neighbours(x, 30);
    EXPECT_EQ(found.indices.to_host<std::int32_t>(), expected.indices.to_host<std::int32_t>());
    EXPECT_EQ(found.distances.to_host<float>(), expected.distances.to_host<float>());
  }
  context_.api().set_threads(2);
}

TEST_F(NearestNeighbours, RefusesWhatHasNoAnswer) {
  const Tensor x = test::blobs(10, 3, 2, 20).x;
  EXPECT_EQ(message_of([&] { nearest_neighbours(x, 10); }, 2),
            "k: not between 1 and the number of other rows: 10 (allowed 1 to 9)");
  message_of([&] { nearest_neighbours(x, 0); }, 2);
  message_of([&] { nearest_neighbours(x.slice(0, 0, 1), 1, "codes.npy"); }, 3);
  std::vector<float> broken = x.to_host<float>();
  broken[7] = std::numeric_limits<float>::quiet_NaN();
  const std::string text = message_of(
      [&] {
        nearest_neighbours(Tensor::from_host(broken, {10, 3}), 2, "codes.npy");
      },
      3);
  EXPECT_NE(text.find("codes.npy"), std::string::npos) << text;
  EXPECT_NE(text.find("row 2, column 1"), std::string::npos) << text;
}

}  // namespace
}  // namespace chorale::cluster
