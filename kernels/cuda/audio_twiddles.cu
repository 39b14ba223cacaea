// SPDX-License-Identifier: MIT
// The twiddles of a transform of n samples, table[j] = exp(-2 pi i j / n), computed in f64 and rounded once:
// 8 n bytes written, before the kernel that takes them from the cache.
#include <cmath>

#include "kernels/cuda/audio_fft.cuh"

namespace chorale::cuda {
namespace {

__global__ void twiddle_kernel(float* table, int n) {
  const int j = static_cast<int>(global_thread());
  if (j >= n) return;
  const double angle = -2.0 * 3.14159265358979323846 * j / n;
  table[2 * j] = static_cast<float>(cos(angle));
  table[2 * j + 1] = static_cast<float>(sin(angle));
}

}  // namespace

void make_twiddles(Context& context, int n, float* table) {
  LAUNCH((twiddle_kernel), static_cast<unsigned>(ceil_div(n, 256)), 256, 0, context.stream, table, n);
}

}  // namespace chorale::cuda
