// SPDX-License-Identifier: MIT
// What the tests of every form of k-means share.
#pragma once
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "cluster/kmeans.h"
#include "tests/cluster/data.h"

namespace chorale::cluster::test {

class OnCpu : public testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

inline KMeansOptions options(std::int64_t n_clusters, std::int64_t n_init = 10) {
  KMeansOptions o;
  o.n_clusters = n_clusters;
  o.n_init = n_init;
  o.random_state = 42;
  return o;
}

/// What kmeans_variants.py wrote.
inline const nlohmann::json& variants() {
  static const nlohmann::json values =
      nlohmann::json::parse(std::ifstream(golden_path("kmeans_variants.json")));
  return values;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

inline std::size_t distinct(const Tensor& labels) {
  const auto values = labels.to_host<std::int32_t>();
  return std::set<std::int32_t>(values.begin(), values.end()).size();
}

/// The first k rows that are not all 0.
inline Tensor first_rows(const Tensor& x, std::int64_t k) {
  const std::vector<float> values = x.to_host<float>();
  const auto d = static_cast<std::size_t>(x.dim(1));
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; static_cast<std::int64_t>(rows.size()) < k; ++i)
    if (std::any_of(values.begin() + static_cast<std::ptrdiff_t>(i * d),
                    values.begin() + static_cast<std::ptrdiff_t>((i + 1) * d),
                    [](float value) { return value != 0; }))
      rows.push_back(static_cast<std::int64_t>(i));
  return x.gather_rows(rows);
}

}  // namespace chorale::cluster::test
