// SPDX-License-Identifier: MIT
// The phase vocoder: a spectrum at another speed (the formulas stand in kernels/cpu/phase_vocoder.cpp).
//
// The phase of a frame is the product of the turns, unit vectors, before it: a scan over time. A warp takes a
// row, 32 output frames at a time: each lane computes its frame's turn, five shuffled products give those of
// the lanes before it, and what stood at the end is carried on, brought back to length 1. So neighbouring
// lanes read and write neighbouring frames, and the kernel is bound by its bytes: 8 a bin and input frame, 8
// a bin and output frame (the second read of a frame comes from the cache). f32, places f64.
#include <cfloat>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/launch.cuh"

namespace chorale::cuda {
namespace {

constexpr int threads = 256;

struct Phasor {
  float re, im;
};

__device__ inline Phasor product(Phasor a, Phasor b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/// A complex number as direction and magnitude; the direction of zero is 1.
struct Polar {
  Phasor direction;
  float magnitude;
};

__device__ inline Polar polar(float re, float im) {
  const float a = fabsf(re), b = fabsf(im), largest = a > b ? a : b;
  const bool some = largest > FLT_MIN;
  const float scale = some ? 1.0f / largest : 0.0f;
  const float x = re * scale, y = im * scale, norm = sqrtf(x * x + y * y);
  return {some ? Phasor{x / norm, y / norm} : Phasor{1.0f, 0.0f}, norm * largest};
}

__global__ void __launch_bounds__(threads)
    vocoder_kernel(const float* spectrum, const double* rates, std::int64_t bins, std::int64_t frames,
                   std::int64_t first_frame, std::int64_t first_out, std::int64_t next_out,
                   std::int64_t out_frames, std::int64_t rows, float* phases, float* out) {
  const int lane = static_cast<int>(threadIdx.x) % warp_size;
  const std::int64_t step = global_threads() / warp_size;
  for (std::int64_t row = global_thread() / warp_size; row < rows; row += step) {
    const float* in = spectrum + 2 * row * frames;
    const double rate = rates[row / bins];
    const auto frame = [&](std::int64_t i) {
      return i < frames ? polar(in[2 * i], in[2 * i + 1]) : polar(0.0f, 0.0f);
    };
    Phasor carry = frame(0).direction;
    if (phases && first_out > 0) carry = {phases[2 * row], phases[2 * row + 1]};
    __syncwarp();  // all lanes have read what one of them is going to replace
    for (std::int64_t first = 0; first < out_frames; first += warp_size) {
      const double place = static_cast<double>(first_out + first + lane) * rate;
      const bool inside = first + lane < out_frames && place >= static_cast<double>(first_frame) &&
                          place < static_cast<double>(first_frame + frames);
      const std::int64_t whole = inside ? static_cast<std::int64_t>(place) : 0;
      const std::int64_t i = inside ? whole - first_frame : frames;
      const float part = inside ? static_cast<float>(place - static_cast<double>(whole)) : 0.0f;
      const Polar a = frame(i), b = frame(i + 1);
      Phasor turns = product(b.direction, {a.direction.re, -a.direction.im});  // up to this frame's own
      for (int distance = 1; distance < warp_size; distance *= 2) {
        const Phasor before{__shfl_up_sync(all_lanes, turns.re, static_cast<unsigned>(distance)),
                            __shfl_up_sync(all_lanes, turns.im, static_cast<unsigned>(distance))};
        if (lane >= distance) turns = product(before, turns);
      }
      const Phasor before{__shfl_up_sync(all_lanes, turns.re, 1u), __shfl_up_sync(all_lanes, turns.im, 1u)};
      const Phasor phase = lane > 0 ? product(carry, before) : carry;
      if (phases && first_out + first + lane == next_out) {
        phases[2 * row] = phase.re;
        phases[2 * row + 1] = phase.im;
      }
      const float magnitude = a.magnitude * (1.0f - part) + b.magnitude * part;
      if (first + lane < out_frames) {
        out[2 * (row * out_frames + first + lane)] = inside ? phase.re * magnitude : 0.0f;
        out[2 * (row * out_frames + first + lane) + 1] = inside ? phase.im * magnitude : 0.0f;
      }
      const Phasor all{__shfl_sync(all_lanes, turns.re, warp_size - 1),
                       __shfl_sync(all_lanes, turns.im, warp_size - 1)};
      carry = product(carry, all);
      const float correction = 1.5f - 0.5f * (carry.re * carry.re + carry.im * carry.im);
      carry = {carry.re * correction, carry.im * correction};
    }
  }
}

}  // namespace

void phase_vocoder(Context& context, ConstView spectrum, ConstView rates, std::int64_t first_frame,
                   std::int64_t first_out, std::int64_t next_out, View phase, View out) {
  constexpr const char* op = "phase_vocoder";
  require_dtype(spectrum, DType::f32, op, "spectrum");
  require_dtype(rates, DType::f64, op, "rates");
  require_dtype(out, DType::f32, op, "out");
  require(spectrum.rank == 4 && out.rank == 4 && spectrum.shape[3] == 2 && out.shape[3] == 2 &&
              spectrum.shape[0] == out.shape[0] && spectrum.shape[1] == out.shape[1] && spectrum.shape[2] > 0,
          op, "spectrum [n, bins, frames, 2] and out [n, bins, out frames, 2] are wanted");
  require_size(rates, out.shape[0], op, "rates");
  if (phase) require_dtype(phase, DType::f32, op, "phase");
  require(!phase || (next_out >= first_out && next_out < first_out + out.shape[2]), op,
          "next_out must be a frame of out");
  if (phase) require_size(phase, 2 * out.shape[0] * out.shape[1], op, "phase");
  if (out.size() == 0) return;
  const std::int64_t rows = out.shape[0] * out.shape[1];
  LAUNCH((vocoder_kernel), stride_grid(context, rows, threads / warp_size), threads, 0, context.stream,
         spectrum.as<float>(), rates.as<double>(), out.shape[1], spectrum.shape[2], first_frame, first_out,
         next_out, out.shape[2], rows, phase.as<float>(), out.as<float>());
}

}  // namespace chorale::cuda
