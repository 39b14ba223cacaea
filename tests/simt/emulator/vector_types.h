// SPDX-License-Identifier: MIT
// The built-in types of CUDA C++ that kernels name, so that the emulator needs no toolkit.
#pragma once

struct uint3 {
  unsigned x, y, z;
};

/// A launch's extent; dimensions left out are 1.
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};
