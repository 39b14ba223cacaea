// SPDX-License-Identifier: MIT
// What tests/golden/density.py wrote, and what the tests of neighbours, DBSCAN and HDBSCAN share.
#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cluster/data.h"

namespace chorale::cluster::test {

inline const nlohmann::json& density_golden() {
  static const nlohmann::json values = nlohmann::json::parse(std::ifstream(golden_path("density.json")));
  return values;
}

/// "iris", "digits", "whole" (blobs of whole numbers), "moons", "circles", "blobs" or "copies" (of f32).
inline Tensor density_set(const std::string& name) {
  if (name == "whole") return blobs(1000, 24, 6, 24).x;
  if (name == "iris" || name == "digits") return load(name).x;
  return read_npy(golden_path("density_" + name + ".npy"));
}

}  // namespace chorale::cluster::test
