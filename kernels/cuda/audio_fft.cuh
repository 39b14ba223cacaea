// SPDX-License-Identifier: MIT
// Transforms of real frames by the threads of a block, for the kernels that take spectra of audio.
//
// A frame of n samples is M = n / 2 complex points z[j] = x[2j] + i x[2j + 1]; its spectrum follows from
//   X[k] = Z[k] + conj Z[M - k] - i w_n^k (Z[k] - conj Z[M - k])   (twice the spectrum)
// and the inverse makes Z from X, with real and imaginary parts exchanged runs the same transform, and takes
// the points z from it. Both transforms below are Stockham's, f32 throughout, and have one interface:
//
//   FixedTransform<M>   M a power of two: eight points a thread in registers, M / 8 threads a frame; passes
//   of radix 8
//                       (the last 2, 4 or 8) exchange through one array in shared memory, real parts first.
//   MixedTransform<T>   M a product of 2, 3 and 5: T threads a frame; every pass reads one array and writes
//   another,
//                       in shared memory, or for long frames in global memory that stays in the second-level
//                       cache.
//
//   const float* twiddles;                      w_n^j for j < n, as (re, im)
//   static constexpr int threads, groups;       of a frame; frames of a block
//   float* workspace(group);                    one frame's memory
//   float* spare(workspace);                    memory for slot(0) .. slot(M), free from the first call of
//   `pair` on void run(load, workspace, t, pair);         load(j, re, im) sets point j, called once for each;
//   pair(k, zr, zi, mr,
//                                               mi) gets Z[k] and Z[M - k], for each 0 <= k <= M / 2 by one
//                                               thread (twice the same for k = 0 and 2 k = M)
// All threads of a block call workspace and run together; `run` starts with a barrier.
#pragma once
#include <initializer_list>
#include <type_traits>

#include "kernels/audio_frames.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {

constexpr int points = 8;  // complex points a thread of FixedTransform

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
  } else if constexpr (R == 3) {
    static_assert(step == 1);
    constexpr float s = 0.86602540378443865f;
    const float sum_re = re[1] + re[2], sum_im = im[1] + im[2];
    const float diff_re = s * (re[1] - re[2]), diff_im = s * (im[1] - im[2]);
    const float middle_re = re[0] - 0.5f * sum_re, middle_im = im[0] - 0.5f * sum_im;
    re[0] += sum_re;
    im[0] += sum_im;
    re[1] = middle_re + diff_im;
    im[1] = middle_im - diff_re;
    re[2] = middle_re - diff_im;
    im[2] = middle_im + diff_re;
  } else if constexpr (R == 5) {
    static_assert(step == 1);
    constexpr float c1 = 0.30901699437494742f, c2 = -0.80901699437494742f;  // cos of 2 pi / 5 and 4 pi / 5
    constexpr float s1 = 0.95105651629515357f, s2 = 0.58778525229247313f;   // their sines
    const float ar = re[1] + re[4], ai = im[1] + im[4], br = re[2] + re[3], bi = im[2] + im[3];
    const float cr = re[1] - re[4], ci = im[1] - im[4], dr = re[2] - re[3], di = im[2] - im[3];
    const float near_re = re[0] + c1 * ar + c2 * br, near_im = im[0] + c1 * ai + c2 * bi;
    const float far_re = re[0] + c2 * ar + c1 * br, far_im = im[0] + c2 * ai + c1 * bi;
    const float pr = s1 * cr + s2 * dr, pi = s1 * ci + s2 * di, qr = s2 * cr - s1 * dr,
                qi = s2 * ci - s1 * di;
    re[0] += ar + br;
    im[0] += ai + bi;
    re[1] = near_re + pi;
    im[1] = near_im - pr;
    re[4] = near_re - pi;
    im[4] = near_im + pr;
    re[2] = far_re + qi;
    im[2] = far_im - qr;
    re[3] = far_re - qi;
    im[3] = far_im + qr;
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

/// See the top of the file.
template <int M>
struct FixedTransform {
  static constexpr int threads = M / points, groups = threads < 128 ? 128 / threads : 1;
  const float* twiddles;

  __device__ static constexpr int size() { return M; }
  __device__ static float* workspace(int group) {
    constexpr int stride = M + M / 32 + 1;
    SHARED(float, memory, [groups * stride]);
    return memory + group * stride;
  }
  __device__ static float* spare(float* workspace) { return workspace; }

  template <class Load, class Pair>
  __device__ void run(const Load& load, float* workspace, int t, const Pair& pair) const {
    // Says that t may change from frame to frame: addresses that follow from it are to be computed, not kept
    // in registers by the dozen for the next frame.
    asm volatile("" : "+r"(t));
    float re[points], im[points];
    for (int i = 0; i < points; ++i) load(t + i * threads, re[i], im[i]);
    passes<M, 1>(re, im, t, twiddles, workspace);
    __syncthreads();  // `pair` may write where others still read
    // Unrolled with constant indices, or the points would leave the registers.
    pair(t, re[0], im[0], t ? re[4] : re[0], t ? im[4] : im[0]);
    if (t == 0) pair(M / 2, re[4], im[4], re[4], im[4]);
    UNROLL for (int i = 1; i < points / 2; ++i) pair(t + i * threads, re[i], im[i], re[i + 4], im[i + 4]);
  }
};

/// See the top of the file.
template <int T>
struct MixedTransform {
  static constexpr int threads = T, groups = 128 / T;
  static constexpr int most_passes = 12;  ///< 8, for 3^8 points, is the most that occurs
  /// Points for which a block's arrays fit into the 48 KB of shared memory that every launch may have.
  static constexpr int most_shared = 3072 / groups;

  const float* twiddles;
  float* global;  ///< 4 M floats for each frame of the grid's blocks, or null: they lie in shared memory
  int M, pass_count;
  std::uint8_t radix[most_passes];

  __device__ int size() const { return M; }
  __device__ float* workspace(int group) const {
    DYN_SHARED(float, memory);
    const std::int64_t frame = global ? static_cast<std::int64_t>(blockIdx.x) * groups + group : group;
    return (global ? global : memory) + frame * 4 * M;
  }
  __device__ float* spare(float* workspace) const { return workspace + (pass_count % 2 ? 0 : 2 * M); }

  template <class Load, class Pair>
  __device__ void run(const Load& load, float* workspace, int t, const Pair& pair) const {
    float *in = workspace, *out = workspace + 2 * M;
    __syncthreads();
    for (int j = t; j < M; j += T) load(j, in[2 * j], in[2 * j + 1]);
    for (int i = 0, s = 1; i < pass_count; s *= radix[i++]) {
      __syncthreads();
      switch (radix[i]) {
        case 2:
          pass<2>(in, out, t, s);
          break;
        case 3:
          pass<3>(in, out, t, s);
          break;
        case 4:
          pass<4>(in, out, t, s);
          break;
        case 5:
          pass<5>(in, out, t, s);
          break;
        default:
          pass<8>(in, out, t, s);
      }
      float* last = in;
      in = out;
      out = last;
    }
    __syncthreads();
    for (int k = t; 2 * k <= M; k += T) {
      const int mirrored = k ? M - k : 0;
      pair(k, in[2 * k], in[2 * k + 1], in[2 * mirrored], in[2 * mirrored + 1]);
    }
  }

 private:
  template <int R>
  __device__ void pass(const float* in, float* out, int t, int s) const {
    const int m = M / s / R;
    for (int j = t; j < M / R; j += T) {
      const int p = j / s, q = j % s;
      float re[R], im[R];
      for (int r = 0; r < R; ++r) {
        const int from = q + s * (p + m * r);
        re[r] = in[2 * from];
        im[r] = in[2 * from + 1];
      }
      butterfly<R, 1>(re, im);
      for (int k = 0; k < R; ++k) {
        const int to = q + s * (R * p + k), index = p * k * 2 * s;  // w_L^{p k} as a power of w_n
        const float wr = twiddles[2 * index], wi = twiddles[2 * index + 1];
        out[2 * to] = re[k] * wr - im[k] * wi;
        out[2 * to + 1] = re[k] * wi + im[k] * wr;
      }
    }
  }
};

/// Threads of a block, and the blocks that a multiprocessor is to hold: 640 threads, so that the registers of
/// a thread, which the points and their addresses would fill, leave others to hide the waits at the barriers.
template <class Transform>
constexpr int block_threads = (Transform::threads) * (Transform::groups);
template <class Transform>
constexpr int blocks_wanted = block_threads<Transform> < 640 ? 640 / block_threads<Transform> : 1;

/// X[k] and X[M - k] (twice the spectrum) from Z[k] and Z[M - k]; (wr, wi) = w_n^k.
__device__ inline void join_spectrum(float zr, float zi, float mr, float mi, float wr, float wi, float* x,
                                     float* mirrored) {
  const float even_re = zr + mr, even_im = zi - mi, odd_re = zr - mr, odd_im = zi + mi;
  const float turned_re = odd_re * wi + odd_im * wr, turned_im = odd_im * wi - odd_re * wr;  // times -i w
  x[0] = even_re + turned_re;
  x[1] = even_im + turned_im;
  mirrored[0] = even_re - turned_re;
  mirrored[1] = turned_im - even_im;
}

/// A thread's place in a kernel of transforms, and the frames that come its way: with a grid stride,
/// Transform::groups a block at a time. All threads of a block make the same turns, for they meet at
/// barriers.
///
///   for (FrameTurn<Transform> turn(frames, all_frames); turn.any(); turn.next())
template <class Transform>
struct FrameTurn {
  static constexpr int threads = Transform::threads, groups = Transform::groups;
  int t, group;  ///< thread of the frame, frame of the block
  std::int64_t frames, all_frames, first;

  /// `frames` of each clip, `all_frames` of all clips.
  __device__ FrameTurn(std::int64_t frames, std::int64_t all_frames)
      : t(static_cast<int>(threadIdx.x) % threads),
        group(static_cast<int>(threadIdx.x) / threads),
        frames(frames),
        all_frames(all_frames),
        first(static_cast<std::int64_t>(blockIdx.x) * groups) {}
  __device__ bool any() const { return first < all_frames; }
  __device__ void next() { first += static_cast<std::int64_t>(gridDim.x) * groups; }

  __device__ std::int64_t number() const { return first + group; }
  /// False in the last turn for a thread without a frame: it works on the first one and writes nothing.
  __device__ bool active() const { return number() < all_frames; }
  __device__ std::int64_t clip() const { return active() ? number() / frames : 0; }
  __device__ std::int64_t frame() const { return active() ? number() % frames : 0; }
};

/// Half the windowed points of a frame, as `run` loads them.
struct FrameSource {
  const float *x, *window;
  std::int64_t length, begin;
  PadMode mode;

  __device__ float sample(int m) const {
    const std::int64_t at = padded_index(begin + m, length, mode);
    return at < 0 ? 0.0f : 0.5f * window[m] * x[at];
  }
  __device__ void operator()(int j, float& re, float& im) const {
    re = sample(2 * j);
    im = sample(2 * j + 1);
  }
};

/// Clips and how they are cut into frames.
struct ClipFrames {
  const float* samples;  ///< [n, length]
  std::int64_t length;
  FrameParams params;
  const float* window;
  std::int64_t frames, all_frames;  ///< of a clip, of all clips

  __device__ FrameSource source(std::int64_t clip, std::int64_t frame) const {
    return {samples + clip * length, window, length, frame * params.hop_length - frame_lead(params),
            params.pad_mode};
  }
};

/// ContractError unless samples [n, length] can be cut into frames and transformed under window [n_fft].
inline void require_frames(const ConstView& samples, const ConstView& window, const FrameParams& params,
                           const char* op) {
  require_dtype(samples, DType::f32, op, "samples");
  require_dtype(window, DType::f32, op, "window");
  require(samples.rank == 2, op, "samples [n, length] are wanted");
  require(transform_size(params.n_fft) && params.hop_length > 0, op,
          "n_fft must be even, 16 to 16384, of factors 2, 3 and 5, and hop_length positive");
  require_size(window, params.n_fft, op, "window");
}

/// table [n, 2] <- w_n^j, made in f64 on the context's stream (audio_twiddles.cu).
void make_twiddles(Context& context, int n, float* table);

/// Makes the twiddles of n_fft on the context's stream and calls launch(transform, blocks, threads, shared
/// bytes) for the transform of that length and a grid-stride loop over `frames` frames.
template <class Launch>
void with_transform(Context& context, int n_fft, std::int64_t frames, const Launch& launch) {
  const Scratch table(context, static_cast<std::size_t>(n_fft) * 2 * sizeof(float));
  make_twiddles(context, n_fft, table.as<float>());
  const auto fixed = [&](auto constant) {
    constexpr int M = decltype(constant)::value / 2;
    const FixedTransform<M> transform{table.as<float>()};
    launch(transform, stride_grid(context, frames, transform.groups, 16),
           transform.threads * transform.groups, 0);
  };
  const auto mixed = [&](auto constant) {
    constexpr int T = decltype(constant)::value;
    MixedTransform<T> transform{table.as<float>(), nullptr, n_fft / 2, 0, {}};
    int rest = transform.M;
    for (const int radix : {8, 4, 2, 3, 5})
      for (; rest % radix == 0 && transform.pass_count < transform.most_passes; rest /= radix)
        transform.radix[transform.pass_count++] = static_cast<std::uint8_t>(radix);
    const std::size_t bytes = static_cast<std::size_t>(transform.M) * 4 * sizeof(float) * transform.groups;
    const bool fits = transform.M <= transform.most_shared;
    const unsigned blocks = stride_grid(context, frames, transform.groups, fits ? 16 : 2);
    const Scratch global(context, fits ? 0 : bytes * blocks);
    transform.global = global.as<float>();
    launch(transform, blocks, transform.threads * transform.groups, fits ? bytes : 0);
  };
  switch (n_fft) {
    case 64:
      return fixed(std::integral_constant<int, 64>{});
    case 128:
      return fixed(std::integral_constant<int, 128>{});
    case 256:
      return fixed(std::integral_constant<int, 256>{});
    case 512:
      return fixed(std::integral_constant<int, 512>{});
    case 1024:
      return fixed(std::integral_constant<int, 1024>{});
    case 2048:
      return fixed(std::integral_constant<int, 2048>{});
    case 4096:
      return fixed(std::integral_constant<int, 4096>{});
    case 8192:
      return fixed(std::integral_constant<int, 8192>{});
    case 16384:
      return fixed(std::integral_constant<int, 16384>{});
    default:
      if (n_fft <= 1024)
        mixed(std::integral_constant<int, 32>{});
      else
        mixed(std::integral_constant<int, 128>{});
  }
}

}  // namespace chorale::cuda
