// SPDX-License-Identifier: MIT
// Data of the clustering tests: what tests/golden/cluster.py wrote, and the same blobs made from the same
// hash.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tensor/npy.h"
#include "tensor/tensor.h"

namespace chorale::cluster::test {

struct Data {
  Tensor x;
  std::vector<std::int32_t> truth;
};

inline std::string golden_path(const std::string& file) {
  return std::string(CHORALE_SOURCE_DIR) + "/tests/golden/cluster/" + file;
}

inline const nlohmann::json& golden() {
  static const nlohmann::json values = nlohmann::json::parse(std::ifstream(golden_path("golden.json")));
  return values;
}

inline std::uint64_t splitmix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// Integer-valued points around k integer centers; row i belongs to blob i % k.
inline std::vector<float> blob_values(std::int64_t n, std::int64_t d, std::int64_t k, std::int64_t spread) {
  std::vector<float> values(static_cast<std::size_t>(n * d));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < d; ++j) {
      const auto center =
          static_cast<std::int64_t>(splitmix(static_cast<std::uint64_t>(i % k * 1000003 + j)) >> 57);
      const std::uint64_t bits = splitmix(static_cast<std::uint64_t>(i * d + j) ^ 0xABCDEFu);
      std::int64_t noise = -131070;
      for (int s = 0; s < 4; ++s) noise += static_cast<std::int64_t>(bits >> (16 * s) & 0xFFFFu);
      values[static_cast<std::size_t>(i * d + j)] = static_cast<float>(center + ((noise * spread) >> 16));
    }
  return values;
}

inline Data blobs(std::int64_t n, std::int64_t d, std::int64_t k, std::int64_t spread) {
  Data data{Tensor::from_host(blob_values(n, d, k, spread), {n, d}), {}};
  for (std::int64_t i = 0; i < n; ++i) data.truth.push_back(static_cast<std::int32_t>(i % k));
  return data;
}

inline std::vector<std::int32_t> labels_of(const std::string& file) {
  const NpyArray array = read_npy_host(golden_path(file));
  const auto bytes = array.as<std::uint8_t>();
  return {bytes.begin(), bytes.end()};
}

/// "digits" (1797 x 64), "iris" (150 x 4) or "blobs" (3000 x 24).
inline Data load(const std::string& name) {
  if (name == "blobs") return blobs(3000, 24, 6, 24);
  if (name == "digits")
    return {read_npy(golden_path("digits.npy")).to(DType::f32), labels_of("digits_labels.npy")};
  const NpyArray tenths = read_npy_host(golden_path("iris_tenths.npy"));
  std::vector<float> values;
  for (const std::uint8_t t : tenths.as<std::uint8_t>()) values.push_back(static_cast<float>(t) / 10.0f);
  Data iris{Tensor::from_host(values, tenths.shape), {}};
  for (int i = 0; i < 150; ++i) iris.truth.push_back(i / 50);
  return iris;
}

inline Tensor matrix(const std::vector<float>& values, std::int64_t columns) {
  const auto rows = static_cast<std::int64_t>(values.size()) / columns;
  return Tensor::from_host(values, {rows, columns});
}

/// Points without equal distances; tests/golden/maps.py makes the same.
inline Tensor scattered(std::int64_t n, std::int64_t d) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < n * d; ++i)
    values.push_back(static_cast<float>(splitmix(static_cast<std::uint64_t>(i)) >> 40) * 0x1p-24f);
  return Tensor::from_host(values, {n, d});
}

/// The message of the error that `call` must throw, which must end a program with `exit_code`.
inline std::string message_of(const std::function<void()>& call, int exit_code) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), exit_code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace chorale::cluster::test
