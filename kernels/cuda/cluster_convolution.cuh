// SPDX-License-Identifier: MIT
// Complex transforms by the threads of a block, for the convolution of a grid (cluster_tsne_grid.cu).
//
// Stockham's algorithm in shared memory, m a product of 2 and 3: each pass reads one array and writes
// another, results in order, butterflies and twiddles of audio_fft.cuh. `count` transforms lie one after the
// other, so short ones together give every thread work. f32; arrays take 16 m bytes a transform, at most the
// 48 KB that every launch may have.
#pragma once
#include "kernels/cuda/audio_fft.cuh"

namespace chorale::cuda {

constexpr int transform_threads = 256;
constexpr int most_transform_points = 3072;

struct BlockTransform {
  static constexpr int most_passes = 12;
  int m, pass_count = 0;
  const float* twiddles;  ///< w_m^j for j < m, as (re, im)
  std::uint8_t radix[most_passes] = {};

  BlockTransform(int points, const float* table) : m(points), twiddles(table) {
    int left = points;
    for (const int r : {8, 4, 2, 3})
      for (; left % r == 0; left /= r) radix[pass_count++] = static_cast<std::uint8_t>(r);
  }

  std::size_t bytes(int count) const { return sizeof(float) * 4 * static_cast<std::size_t>(m * count); }

  /// The first of both arrays: point j of transform c at 2 (c m + j).
  __device__ float* memory() const {
    DYN_SHARED(float, arrays);
    return arrays;
  }

  /// Transforms what lies at `in`, one of both arrays; returns the one that holds the results. All threads of
  /// the block must call; starts and ends with a barrier.
  __device__ float* run(float* in, int count) const {
    float* const first = memory();
    float* out = in == first ? first + 2 * m * count : first;
    for (int i = 0, s = 1; i < pass_count; s *= radix[i++]) {
      __syncthreads();
      switch (radix[i]) {
        case 2:
          pass<2>(in, out, count, s);
          break;
        case 3:
          pass<3>(in, out, count, s);
          break;
        case 4:
          pass<4>(in, out, count, s);
          break;
        default:
          pass<8>(in, out, count, s);
      }
      float* last = in;
      in = out;
      out = last;
    }
    __syncthreads();
    return in;
  }

 private:
  template <int R>
  __device__ void pass(const float* in, float* out, int count, int s) const {
    const int each = m / R, part = each / s;
    for (int item = static_cast<int>(threadIdx.x); item < count * each;
         item += static_cast<int>(blockDim.x)) {
      const int base = item / each * m, j = item % each, p = j / s, q = j % s;
      float re[R], im[R];
      for (int r = 0; r < R; ++r) {
        const int from = base + q + s * (p + part * r);
        re[r] = in[2 * from];
        im[r] = in[2 * from + 1];
      }
      butterfly<R, 1>(re, im);
      for (int k = 0; k < R; ++k) {
        const int to = base + q + s * (R * p + k), index = p * k * s;
        const float wr = twiddles[2 * index], wi = twiddles[2 * index + 1];
        out[2 * to] = re[k] * wr - im[k] * wi;
        out[2 * to + 1] = re[k] * wi + im[k] * wr;
      }
    }
  }
};

}  // namespace chorale::cuda
