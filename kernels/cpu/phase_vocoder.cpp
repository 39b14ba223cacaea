// SPDX-License-Identifier: MIT
// The phase vocoder (Flanagan and Golden 1966; librosa.phase_vocoder): a spectrum at another speed.
//
//   i = floor(t rate), a = t rate - i
//   |Y_t| = (1 - a) |X_i| + a |X_(i+1)|,   arg Y_(t+1) = arg Y_t + arg X_(i+1) - arg X_i,   arg Y_0 = arg X_0
//
// The phase advance that the hop implies, which the textbooks subtract, wrap and add again, is a multiple of
// 2 pi away from this. So phases are kept as unit vectors and turned by a product: a turn errs by 2e-7 rad
// however long the clip is, where librosa adds up to 1600 rad a frame in the spectrum's own precision (in
// f32, over 30 s of noise, 0.4 rad RMS away from its own f64). f32 arithmetic.
//
// Spectra are [bins, frames] of (re, im). A task is `lanes` bins, a bin a lane: squares of bins and frames
// are transposed on the way in and out, places are f64. 8 bytes are read a bin and frame, 8 written.
#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels/cpu/audio_simd.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

using simd::lanes;
using simd::Vector;

Vector root(Vector v) {
  for (int i = 0; i < lanes; ++i) v[i] = __builtin_sqrtf(v[i]);
  return v;
}

Vector absolute(Vector v) { return v < 0.0f ? -v : v; }

/// A complex number as direction and magnitude; the direction of zero is 1.
struct Polar {
  Vector re, im, magnitude;
};

Polar polar(Vector re, Vector im) {
  const Vector largest = simd::maximum(absolute(re), absolute(im));  // scaled by it, squares cannot overflow
  const auto some = largest > FLT_MIN;
  const Vector scale = some ? 1.0f / largest : Vector{};
  const Vector a = re * scale, b = im * scale, norm = root(a * a + b * b);
  return {some ? a / norm : simd::broadcast(1), some ? b / norm : Vector{}, norm * largest};
}

/// Rows of a [rows, frames, 2] spectrum of const float or float, `lanes` of them one a lane.
template <class T>
struct Rows {
  T* data;
  std::int64_t frames, valid;

  /// Frames [first, first + lanes); zero beyond the end.
  void load(std::int64_t first, Vector re[lanes], Vector im[lanes]) const {
    for (int row = 0; row < lanes; ++row) {
      const std::int64_t count = row < valid ? 2 * (frames - first) : 0;
      const float* from = data + 2 * (count > 0 ? row * frames + first : 0);
      const Vector low = simd::load_some(from, count),
                   high = count > lanes ? simd::load_some(from + lanes, count - lanes) : Vector{};
      re[row] = simd::unzip<0>(low, high), im[row] = simd::unzip<1>(low, high);
    }
    simd::interleave<lanes>(re);
    simd::interleave<lanes>(im);
  }
  void store(std::int64_t first, std::int64_t count, Vector re[lanes], Vector im[lanes]) const {
    simd::interleave<lanes>(re);
    simd::interleave<lanes>(im);
    for (int row = 0; row < std::min<std::int64_t>(lanes, valid); ++row) {
      float* to = data + 2 * (row * frames + first);
      simd::store_some(to, simd::zip<false>(re[row], im[row]), 2 * count);
      if (2 * count > lanes)
        simd::store_some(to + lanes, simd::zip<true>(re[row], im[row]), 2 * count - lanes);
    }
  }
};

/// Two squares of the input's frames, moving forward.
class Frames {
 public:
  explicit Frames(const Rows<const float>& in) : in_(in) {
    fill(0);
    fill(1);
  }
  /// Makes frames i and i + 1 available; i never falls.
  void move_to(std::int64_t i) {
    if (i < first_ + lanes) return;
    if (i < first_ + 2 * lanes) {
      std::copy_n(frame_ + lanes, lanes, frame_);
      first_ += lanes;
    } else {
      first_ = i / lanes * lanes;
      fill(0);
    }
    fill(1);
  }
  const Polar& operator[](std::int64_t i) const { return frame_[i - first_]; }

 private:
  void fill(int square) {
    Vector re[lanes], im[lanes];
    in_.load(first_ + square * lanes, re, im);
    for (int j = 0; j < lanes; ++j) frame_[square * lanes + j] = polar(re[j], im[j]);
  }

  Rows<const float> in_;
  std::int64_t first_ = 0;
  Polar frame_[2 * lanes];
};

/// Which frames are first on both sides, and how fast the output goes.
struct Course {
  std::int64_t first_frame, first_out, next_out;
  double rate;
};

/// `phase`: [lanes, 2], null or the unit vectors to go on from and those of frame next_out.
void stretch(const Rows<const float>& in, const Rows<float>& out, const Course& course, float* phase) {
  Frames frames(in);
  Vector re = frames[0].re, im = frames[0].im;
  if (phase && course.first_out > 0)
    for (std::int64_t row = 0; row < in.valid; ++row) re[row] = phase[2 * row], im[row] = phase[2 * row + 1];
  for (std::int64_t first = 0; first < out.frames; first += lanes) {
    const std::int64_t count = std::min<std::int64_t>(lanes, out.frames - first);
    Vector out_re[lanes] = {}, out_im[lanes] = {};
    for (std::int64_t t = 0; t < count; ++t) {
      if (phase && course.first_out + first + t == course.next_out)
        for (std::int64_t row = 0; row < in.valid; ++row)
          phase[2 * row] = re[row], phase[2 * row + 1] = im[row];
      const double place = static_cast<double>(course.first_out + first + t) * course.rate;
      const double last = static_cast<double>(course.first_frame + in.frames);
      if (!(place >= static_cast<double>(course.first_frame) && place < last)) break;
      const auto i = static_cast<std::int64_t>(place);
      const float part = static_cast<float>(place - static_cast<double>(i));
      frames.move_to(i - course.first_frame);
      const Polar &a = frames[i - course.first_frame], &b = frames[i + 1 - course.first_frame];
      const Vector magnitude = a.magnitude * (1.0f - part) + b.magnitude * part;
      out_re[t] = re * magnitude, out_im[t] = im * magnitude;
      const Vector turn_re = b.re * a.re + b.im * a.im, turn_im = b.im * a.re - b.re * a.im;
      const Vector next = re * turn_re - im * turn_im;
      im = re * turn_im + im * turn_re;
      re = next;
    }
    const Vector correction = 1.5f - 0.5f * (re * re + im * im);  // back to length 1: a step of Newton's
    re *= correction, im *= correction;
    out.store(first, count, out_re, out_im);
  }
}

}  // namespace

void phase_vocoder(Context&, ConstView spectrum, ConstView rates, std::int64_t first_frame,
                   std::int64_t first_out, std::int64_t next_out, View phase, View out) {
  constexpr const char* name = "phase_vocoder";
  require(spectrum.dtype == DType::f32 && out.dtype == DType::f32 && present(spectrum) && present(out) &&
              spectrum.rank == 4 && out.rank == 4 && spectrum.shape[3] == 2 && out.shape[3] == 2 &&
              spectrum.shape[0] == out.shape[0] && spectrum.shape[1] == out.shape[1] && spectrum.shape[2] > 0,
          name, "spectrum [n, bins, frames, 2] and out [n, bins, out frames, 2] are f32", spectrum, out);
  require(rates.dtype == DType::f64 && rates.data && rates.size() == out.shape[0], name,
          "rates must be f64 [n]", rates);
  require(!phase || (phase.dtype == DType::f32 && phase.size() == 2 * out.shape[0] * out.shape[1] &&
                     next_out >= first_out && next_out < first_out + out.shape[2]),
          name, "phase must be f32 [n, bins, 2] and next_out a frame of out", phase, out);
  const std::int64_t bins = out.shape[1], from = spectrum.shape[2], to = out.shape[2];
  const std::int64_t groups = block_count(bins, lanes);
  parallel_tasks(out.shape[0] * groups, spectrum.size() + out.size(), [&](std::int64_t task) {
    const std::int64_t clip = task / groups, bin = task % groups * lanes;
    const std::int64_t row = clip * bins + bin, valid = std::min<std::int64_t>(lanes, bins - bin);
    stretch({spectrum.as<float>() + 2 * row * from, from, valid}, {out.as<float>() + 2 * row * to, to, valid},
            {first_frame, first_out, next_out, rates.as<double>()[clip]},
            phase ? phase.as<float>() + 2 * row : nullptr);
  });
}

}  // namespace chorale::cpu
