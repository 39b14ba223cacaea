// SPDX-License-Identifier: MIT
// Squared distances summed from differences in f64.
#pragma once
#include <cstdint>
#include <cstring>

namespace chorale::cpu {

/// sum (a - b)^2 over d elements of f32 or f64, in eight lanes.
template <class A, class B>
inline double square_distance(const A* a, const B* b, std::int64_t d) {
  typedef A Left __attribute__((vector_size(8 * sizeof(A))));
  typedef B Right __attribute__((vector_size(8 * sizeof(B))));
  typedef double Lanes __attribute__((vector_size(64)));
  Lanes sum{};
  std::int64_t j = 0;
  for (; j + 8 <= d; j += 8) {
    Left u;
    Right v;
    std::memcpy(&u, a + j, sizeof u);
    std::memcpy(&v, b + j, sizeof v);
    const Lanes difference = __builtin_convertvector(u, Lanes) - __builtin_convertvector(v, Lanes);
    sum += difference * difference;
  }
  double rest = 0;
  for (; j < d; ++j) {
    const double difference = static_cast<double>(a[j]) - static_cast<double>(b[j]);
    rest += difference * difference;
  }
  return (((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]))) + rest;
}

}  // namespace chorale::cpu
