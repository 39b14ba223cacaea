// SPDX-License-Identifier: MIT
// Random tensors of any storage type and the sums in f64 that the products are compared with.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/launch.h"
#include "tensor/device.h"
#include "tensor/tensor.h"

namespace chorale::testing {

/// A CPU context whose memory starts as NaN and is guarded at both ends.
class KernelTest : public ::testing::Test {
 protected:
  KernelTest() : context(DeviceKind::cpu, 0, {.poison = true, .guard = true}), scope(context) {}
  ~KernelTest() override { context.api().set_threads(2); }
  void set_threads(int n) { context.api().set_threads(n); }
  ExecutionContext context;
  ContextScope scope;
};

/// Values as they are after rounding to the storage type, and the tensor that holds them.
struct Operand {
  std::vector<double> value;
  Tensor tensor;
  double operator[](std::int64_t i) const { return value[static_cast<std::size_t>(i)]; }
  operator ConstView() const { return tensor; }
};

inline std::vector<double> values_of(const Tensor& t) {
  const auto f = t.to(DType::f32).to_host<float>();
  return {f.begin(), f.end()};
}

inline Operand operand(Shape shape, DType dtype, unsigned seed, double scale = 1) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> x(static_cast<std::size_t>(element_count(shape)));
  for (float& v : x) v = static_cast<float>(scale) * uniform(generator);
  Tensor t = Tensor::from_host(x, shape).to(dtype);
  return {values_of(t), t};
}

/// Rounding of a result kept in `dtype`, relative.
inline double storage_error(DType dtype) {
  return dtype == DType::f32 ? 6e-8 : dtype == DType::f16 ? 4.9e-4 : 3.91e-3;
}

/// Each element within its own storage rounding and the rounding of an f32 sum of `magnitude`, which is what
/// the sum of the terms reaches at random: the square root of their number. NaN never passes.
inline void expect_close(const Tensor& actual, const std::vector<double>& expected, double magnitude) {
  const auto a = values_of(actual);
  ASSERT_EQ(a.size(), expected.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double allowed = storage_error(actual.dtype()) * std::abs(expected[i]) + 2e-6 * magnitude + 1e-6;
    if (!(std::abs(a[i] - expected[i]) <= allowed)) {
      FAIL() << "element " << i << " of " << a.size() << ": " << a[i] << ", expected " << expected[i]
             << " +- " << allowed;
    }
  }
}

/// f(i, j) = sum over k of a(i, k) b(k, j)
template <class A, class B>
std::vector<double> product(std::int64_t rows, std::int64_t columns, std::int64_t depth, const A& a,
                            const B& b) {
  std::vector<double> c(static_cast<std::size_t>(rows * columns));
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t k = 0; k < depth; ++k) {
      const double left = a(i, k);
      for (std::int64_t j = 0; j < columns; ++j)
        c[static_cast<std::size_t>(i * columns + j)] += left * b(k, j);
    }
  return c;
}

inline Tensor garbage(Shape shape, DType dtype = DType::f32) {
  Tensor t(std::move(shape), dtype);
  t.fill(std::nan(""));
  return t;
}

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

}  // namespace chorale::testing
