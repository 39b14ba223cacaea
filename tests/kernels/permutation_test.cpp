// SPDX-License-Identifier: MIT
// The statistics of permute_columns: every column a permutation, every place as likely as any other, columns
// apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kernels/launch.h"
#include "tests/harness/run_case.h"

namespace chorale::harness {
namespace {

constexpr std::int64_t rows = 16, columns = 6;

class Permutation : public testing::TestWithParam<DeviceKind> {
 protected:
  /// places[column * rows + row] = where the element of that row went, in draw `offset`.
  std::vector<std::int64_t> places(std::uint64_t offset) {
    ContextScope scope(test_context(GetParam()));
    std::vector<float> x(rows * columns);
    for (std::int64_t i = 0; i < rows * columns; ++i)
      x[static_cast<std::size_t>(i)] = static_cast<float>(i / columns);
    StepState start = case_state();
    start.rng_offset = offset;
    const autograd::TrainState state(start);
    const std::vector<float> y =
        autograd::permute_columns(Tensor::from_host(x, {rows, columns}), state.device(), 4).to_host<float>();
    std::vector<std::int64_t> result(rows * columns, -1);
    for (std::int64_t i = 0; i < rows * columns; ++i)
      result[static_cast<std::size_t>(i % columns * rows) +
             static_cast<std::size_t>(y[static_cast<std::size_t>(i)])] = i / columns;
    return result;
  }
};

TEST_P(Permutation, EveryColumnIsOne) {
  for (std::uint64_t offset = 0; offset < 20; ++offset) {
    const std::vector<std::int64_t> found = places(offset);
    for (std::int64_t column = 0; column < columns; ++column) {
      std::vector<std::int64_t> sorted(found.begin() + column * rows, found.begin() + (column + 1) * rows),
          all(rows);
      std::sort(sorted.begin(), sorted.end());
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(sorted, all) << "draw " << offset << ", column " << column;
    }
  }
}

TEST_P(Permutation, PlacesAreUniformAndColumnsIndependent) {
  constexpr int draws = 600;
  std::vector<int> count(rows * rows);  // [row, place], over all columns
  int together = 0;                     // how often a row goes to one place in two neighbouring columns
  for (std::uint64_t offset = 0; offset < draws; ++offset) {
    const std::vector<std::int64_t> found = places(offset);
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      ++count[static_cast<std::size_t>(i % rows * rows + found[static_cast<std::size_t>(i)])];
      if (i >= rows)
        together += found[static_cast<std::size_t>(i)] == found[static_cast<std::size_t>(i - rows)];
    }
  }
  // (rows - 1)^2 = 225 degrees of freedom: mean 225, standard deviation 21.
  const double expected = static_cast<double>(draws * columns) / rows;
  double chi_square = 0;
  for (const int c : count) chi_square += (c - expected) * (c - expected) / expected;
  EXPECT_LT(chi_square, 225 + 5 * 21.3);
  EXPECT_GT(chi_square, 225 - 5 * 21.3);
  // Poisson with mean draws (columns - 1) = 3000.
  EXPECT_NEAR(together, draws * (columns - 1), 5 * 55);
}

INSTANTIATE_TEST_SUITE_P(Devices, Permutation, testing::ValuesIn(test_devices()),
                         [](const auto& device) { return std::string(device_kind_name(device.param)); });

}  // namespace
}  // namespace chorale::harness
