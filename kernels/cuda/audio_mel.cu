// SPDX-License-Identifier: MIT
// Mel spectrogram in one kernel: frame, window, real FFT, power, sparse bands.
//
//   X_f[k] = sum over m < n_fft of window[m] x[f hop - n_fft / 2 + m] exp(-2 pi i m k / n_fft)
//   mel[b, f] = sum over k of weight[b, k] |X_f[k]|^power
//
// A frame is M = n_fft / 2 complex points z[j] = x[2j] + i x[2j + 1], eight a thread: M / 8 threads a frame,
// several frames a block for short frames. Stockham passes of radix 8 (the last 2, 4 or 8) in registers
// exchange through one array in shared memory, real parts first; then each thread joins four pairs Z[k], Z[M
// - k] into |X[k]|^2, and sums bands over ascending bins. f32 throughout. From memory a frame reads 4 hop
// bytes (frames overlap in the cache) and writes 4 bands bytes: 2.5 KB at the defaults. Twiddles w_n^j come
// from a table that a small kernel makes in f64.
#include <cmath>
#include <type_traits>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {
namespace {

constexpr int points = 8;  // complex points a thread

__global__ void twiddle_kernel(float* table, int n) {
  const int j = static_cast<int>(global_thread());
  if (j >= n) return;
  const double angle = -2.0 * 3.14159265358979323846 * j / n;
  table[2 * j] = static_cast<float>(cos(angle));
  table[2 * j + 1] = static_cast<float>(sin(angle));
}

/// Shared-memory slot of value i: one slot in 33 is skipped, so that strides of 8 do not meet in a bank.
__device__ inline int slot(int i) { return i + i / 32; }

/// a, b <- a + b, a - b
__device__ inline void add_subtract(float& ar, float& ai, float& br, float& bi) {
  const float sr = ar + br, si = ai + bi;
  br = ar - br;
  bi = ai - bi;
  ar = sr;
  ai = si;
}

/// In place, results in the order of k: x[k] <- sum over n of x[n] exp(-2 pi i n k / R); element n at n *
/// step.
template <int R, int step>
__device__ inline void butterfly(float* re, float* im) {
  if constexpr (R == 2) {
    add_subtract(re[0], im[0], re[step], im[step]);
  } else if constexpr (R == 4) {
    add_subtract(re[0], im[0], re[2 * step], im[2 * step]);
    add_subtract(re[step], im[step], re[3 * step], im[3 * step]);
    const float turned = -re[3 * step];  // times -i
    re[3 * step] = im[3 * step];
    im[3 * step] = turned;
    add_subtract(re[0], im[0], re[step], im[step]);
    add_subtract(re[2 * step], im[2 * step], re[3 * step], im[3 * step]);
    const float sr = re[step], si = im[step];  // X0 X2 X1 X3 into order
    re[step] = re[2 * step];
    im[step] = im[2 * step];
    re[2 * step] = sr;
    im[2 * step] = si;
  } else {
    static_assert(R == 8 && step == 1);
    constexpr float h = 0.70710678118654752f;
    float even_re[4], even_im[4], odd_re[4], odd_im[4];
    for (int k = 0; k < 4; ++k) {
      even_re[k] = re[k] + re[k + 4];
      even_im[k] = im[k] + im[k + 4];
      odd_re[k] = re[k] - re[k + 4];
      odd_im[k] = im[k] - im[k + 4];
    }
    const float r1 = odd_re[1], r2 = odd_re[2], r3 = odd_re[3];  // times exp(-2 pi i k / 8)
    odd_re[1] = (r1 + odd_im[1]) * h;
    odd_im[1] = (odd_im[1] - r1) * h;
    odd_re[2] = odd_im[2];
    odd_im[2] = -r2;
    odd_re[3] = (odd_im[3] - r3) * h;
    odd_im[3] = (odd_im[3] + r3) * -h;
    butterfly<4, 1>(even_re, even_im);
    butterfly<4, 1>(odd_re, odd_im);
    for (int k = 0; k < 4; ++k) {
      re[2 * k] = even_re[k];
      im[2 * k] = even_im[k];
      re[2 * k + 1] = odd_re[k];
      im[2 * k + 1] = odd_im[k];
    }
  }
}

/// Hands the values of this thread to their slots and takes others.
__device__ inline void exchange(float* shared, const int* to_slot, const int* from_slot, float* values) {
  __syncthreads();
  for (int i = 0; i < points; ++i) shared[to_slot[i]] = values[i];
  __syncthreads();
  for (int i = 0; i < points; ++i) values[i] = shared[from_slot[i]];
}

/// The passes from stride s on. Before each, value i of thread t is point t + i T (T threads a frame); after
/// the last, value i < 4 is Z[k], k = t + i T, and value i + 4 its mirror Z[M - k] (Z[M / 2] for k = 0).
template <int M, int s>
__device__ inline void passes(float* re, float* im, int t, const float* twiddles, float* shared) {
  constexpr int T = M / points, L = M / s, R = L >= 8 ? 8 : L, m = L / R, each = points / R;
  int to[points], from[points];
  for (int b = 0; b < each; ++b) {
    butterfly<R, each>(re + b, im + b);
    const int j = t + b * T, p = j / s, q = j % s;
    for (int k = 0; k < R; ++k) {
      const int i = b + k * each;
      to[i] = slot(q + s * (R * p + k));
      if (m > 1 && k > 0) {
        const int index = p * k * (2 * s);  // w_L^{p k} as a power of w_n, n = 2 M
        const float wr = twiddles[2 * index], wi = twiddles[2 * index + 1];
        const float r = re[i] * wr - im[i] * wi;
        im[i] = re[i] * wi + im[i] * wr;
        re[i] = r;
      }
    }
  }
  for (int i = 0; i < points; ++i) {
    const int mirrored = t + (i - 4) * T;
    from[i] = slot(m > 1 || i < 4 ? t + i * T : (mirrored == 0 ? M / 2 : M - mirrored));
  }
  exchange(shared, to, from, re);
  exchange(shared, to, from, im);
  if constexpr (m > 1) passes<M, s * R>(re, im, t, twiddles, shared);
}

__device__ inline float raised(float square, float power) {
  return power == 2.0f ? square : power == 1.0f ? sqrtf(square) : powf(square, power / 2);
}

template <int M, int groups>
__global__ void __launch_bounds__(M / points * groups)
    mel_kernel(const float* samples, std::int64_t length, std::int64_t hop, const float* window,
               const float* twiddles, const std::int32_t* first_bin, const std::int32_t* offset,
               const float* weight, int bands, float power, std::int64_t frames, std::int64_t all_frames,
               float* mel) {
  constexpr int T = M / points, stride = M + M / 32 + 1;
  SHARED(float, memory, [groups * stride]);
  const int t = static_cast<int>(threadIdx.x) % T, group = static_cast<int>(threadIdx.x) / T;
  float* shared = memory + group * stride;
  for (std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * groups; first < all_frames;
       first += static_cast<std::int64_t>(gridDim.x) * groups) {
    const std::int64_t number = first + group;
    const bool active = number < all_frames;
    const std::int64_t clip = active ? number / frames : 0, frame = active ? number % frames : 0;
    const float* x = samples + clip * length;
    const std::int64_t begin = frame * hop - M;
    float re[points], im[points];
    for (int i = 0; i < points; ++i) {
      const int at = 2 * (t + i * T);
      const std::int64_t even = begin + at, odd = even + 1;
      re[i] = even >= 0 && even < length ? 0.5f * window[at] * x[even] : 0.0f;
      im[i] = odd >= 0 && odd < length ? 0.5f * window[at + 1] * x[odd] : 0.0f;
    }
    passes<M, 1>(re, im, t, twiddles, shared);
    // X[k] = E - i w_n^k O with E = Z[k] + conj Z[M - k], O = Z[k] - conj Z[M - k]; the window held the 1/2.
    float low[points / 2], high[points / 2], centre = 0;
    for (int i = 0; i < points / 2; ++i) {
      const int k = t + i * T;
      const float even_re = re[i] + re[i + 4], even_im = im[i] - im[i + 4];
      const float odd_re = re[i] - re[i + 4], odd_im = im[i] + im[i + 4];
      const float wr = twiddles[2 * k + 1], wi = -twiddles[2 * k];  // -i w_n^k
      const float turned_re = odd_re * wr - odd_im * wi, turned_im = odd_re * wi + odd_im * wr;
      const float ar = even_re + turned_re, ai = even_im + turned_im;
      const float br = even_re - turned_re, bi = even_im - turned_im;
      low[i] = ar * ar + ai * ai;
      high[i] = br * br + bi * bi;
    }
    if (t == 0) {  // k = 0 holds Z[0] and Z[M / 2]
      const float a = 2 * (re[0] + im[0]), b = 2 * (re[0] - im[0]);
      low[0] = a * a;
      high[0] = b * b;
      centre = 4 * (re[4] * re[4] + im[4] * im[4]);
    }
    __syncthreads();
    for (int i = 0; i < points / 2; ++i) {
      const int k = t + i * T;
      shared[slot(k)] = raised(low[i], power);
      shared[slot(M - k)] = raised(high[i], power);
    }
    if (t == 0) shared[slot(M / 2)] = raised(centre, power);
    __syncthreads();
    float* out = mel + clip * bands * frames + frame;
    for (int b = t; active && b < bands; b += T) {
      const int bin = first_bin[b], start = offset[b], count = offset[b + 1] - start;
      float sum = 0;
      for (int i = 0; i < count; ++i) sum += weight[start + i] * shared[slot(bin + i)];
      out[b * frames] = sum;
    }
  }
}

}  // namespace

void mel_spectrogram_forward(Context& context, ConstView samples, ConstView window, ConstView first_bin,
                             ConstView offset, ConstView weight, MelParams params, View mel) {
  constexpr const char* op = "mel_spectrogram_forward";
  require(samples.rank == 2 && mel.rank == 3 && params.hop_length > 0, op,
          "samples [n, length], mel [n, bands, frames]");
  require_dtype(samples, DType::f32, op, "samples");
  require_dtype(window, DType::f32, op, "window");
  require_dtype(first_bin, DType::i32, op, "first_bin");
  require_dtype(offset, DType::i32, op, "offset");
  require_dtype(weight, DType::f32, op, "weight");
  require_dtype(mel, DType::f32, op, "mel");
  const std::int64_t n = samples.shape[0], length = samples.shape[1], bands = first_bin.size();
  const std::int64_t frames = 1 + length / params.hop_length;
  require_size(window, params.n_fft, op, "window");
  require_size(offset, bands + 1, op, "offset");
  require(mel.shape[0] == n && mel.shape[1] == bands && mel.shape[2] == frames, op,
          "mel must be [n, bands, 1 + length / hop]");
  if (n == 0 || bands == 0) return;
  const Scratch table(context, static_cast<std::size_t>(params.n_fft) * 2 * sizeof(float));
  const auto run = [&](auto constant) {
    constexpr int n_fft = decltype(constant)::value, M = n_fft / 2, T = M / points,
                  groups = T < 128 ? 128 / T : 1;
    LAUNCH((twiddle_kernel), static_cast<unsigned>(ceil_div(n_fft, 256)), 256, 0, context.stream,
           table.as<float>(), n_fft);
    LAUNCH((mel_kernel<M, groups>), stride_grid(context, n * frames, groups, 16), T * groups, 0,
           context.stream, samples.as<float>(), length, static_cast<std::int64_t>(params.hop_length),
           window.as<float>(), table.as<float>(), first_bin.as<std::int32_t>(), offset.as<std::int32_t>(),
           weight.as<float>(), static_cast<int>(bands), params.power, frames, n * frames, mel.as<float>());
  };
  switch (params.n_fft) {
    case 64:
      return run(std::integral_constant<int, 64>{});
    case 128:
      return run(std::integral_constant<int, 128>{});
    case 256:
      return run(std::integral_constant<int, 256>{});
    case 512:
      return run(std::integral_constant<int, 512>{});
    case 1024:
      return run(std::integral_constant<int, 1024>{});
    case 2048:
      return run(std::integral_constant<int, 2048>{});
    case 4096:
      return run(std::integral_constant<int, 4096>{});
    case 8192:
      return run(std::integral_constant<int, 8192>{});
    case 16384:
      return run(std::integral_constant<int, 16384>{});
    default:
      require(false, op, "n_fft must be a power of two from 64 to 16384");
  }
}

}  // namespace chorale::cuda
