// SPDX-License-Identifier: MIT
// What follows the mel spectrogram: decibels, the DCT of every frame, derivatives along them,
// standardised clips. Frames are the last dimension, so every vector holds consecutive frames and nothing is
// shuffled.
//
// f32 arithmetic; means and variances of whole clips are summed in f64 in a fixed order. Each kernel reads
// its input once from memory (twice where a maximum or a mean comes first) and writes its output once.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/audio_simd.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {
namespace {

using simd::lanes;
using simd::Vector;

constexpr float decibels_per_neper = 4.342944819032518f;  // 10 / ln 10

/// unit ln(max(amin, x)); NaN stays NaN.
Vector logarithm(Vector x, float amin, float unit) {
  const Vector y = simd::log(simd::maximum(x, simd::broadcast(amin))) * unit;
  return x == x ? y : x;
}

float decibels(float x, float amin) { return logarithm(simd::broadcast(x), amin, decibels_per_neper)[0]; }

/// The largest element; NaN if there is one (as numpy.max).
float largest(const float* x, std::int64_t n) {
  Vector best = simd::broadcast(-std::numeric_limits<float>::infinity()), check = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const Vector v = simd::load(x + i);
    best = simd::maximum(best, v);
    check += v - v;  // NaN from NaN and from infinities
  }
  float result = -std::numeric_limits<float>::infinity();
  bool odd = false;
  for (int j = 0; j < lanes; ++j) result = std::max(result, best[j]), odd = odd || check[j] != check[j];
  for (std::int64_t k = odd ? 0 : i; k < n; ++k) {
    if (x[k] != x[k]) return x[k];
    result = std::max(result, x[k]);
  }
  return result;
}

bool f32(const ConstView& v) { return v.dtype == DType::f32 && present(v); }

/// Sum of term(x[i]) over a clip, in f64: eight interleaved partial sums, blocks of fixed size.
template <class Term>
double clip_sum(const float* x, std::int64_t n, const Term& term) {
  double part[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; ++j) part[j] += term(static_cast<double>(x[i + j]));
  for (; i < n; ++i) part[0] += term(static_cast<double>(x[i]));
  return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
}

/// Bands of one partial sum: one long f32 sum of decibels is off by 1e-3 where they are all large, as in
/// silence.
constexpr std::int64_t partial_sum = 32;

/// y [coefficients of this tile, columns] at `column` for R coefficients and C vectors of frames.
template <int R, int C>
void transform_tile(const float* x, const float* basis, std::int64_t bands, std::int64_t frames,
                    std::int64_t valid, float* y) {
  Vector total[R][C] = {};
  for (std::int64_t first = 0; first < bands; first += partial_sum) {
    Vector sum[R][C] = {};
    for (std::int64_t b = first; b < std::min(bands, first + partial_sum); ++b) {
      Vector in[C];
      for (int c = 0; c < C; ++c) in[c] = simd::load_some(x + b * frames + c * lanes, valid - c * lanes);
      for (int r = 0; r < R; ++r)
        for (int c = 0; c < C; ++c) sum[r][c] += in[c] * basis[r * bands + b];
    }
    for (int r = 0; r < R; ++r)
      for (int c = 0; c < C; ++c) total[r][c] += sum[r][c];
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) simd::store_some(y + r * frames + c * lanes, total[r][c], valid - c * lanes);
}

}  // namespace

void power_to_db(Context&, ConstView power, DecibelParams params, View db) {
  require(f32(power) && f32(db) && power.rank >= 1 && same_shape(power, db), "power_to_db",
          "power and db must be f32 of one shape", power, db);
  require(params.amin > 0, "power_to_db", "amin must be positive", power);
  const std::int64_t n = power.shape[0], size = n ? power.size() / n : 0;
  parallel_tasks(n, power.size(), [&](std::int64_t clip) {
    const float* x = power.as<float>() + clip * size;
    float* y = db.as<float>() + clip * size;
    float reference = 0, floor = -std::numeric_limits<float>::infinity();
    if (!params.natural) {
      const float loudest = params.reference > 0 && params.top_db < 0 ? 0 : largest(x, size);
      reference = decibels(params.reference > 0 ? params.reference : loudest, params.amin);
      if (params.top_db >= 0) floor = decibels(loudest, params.amin) - reference - params.top_db;
    }
    const float unit = params.natural ? 1 : decibels_per_neper;
    for (std::int64_t i = 0; i < size; i += lanes) {
      const std::int64_t count = size - i;
      const Vector value = logarithm(simd::load_some(x + i, count), params.amin, unit) - reference;
      simd::store_some(y + i, value < floor ? simd::broadcast(floor) : value, count);
    }
  });
}

void frame_transform(Context&, ConstView x, ConstView basis, std::int64_t first_row, View y) {
  const std::int64_t n = x.shape[0], bands = x.shape[1], frames = x.shape[2], coefficients = basis.shape[0];
  require(f32(x) && f32(basis) && f32(y) && x.rank == 3 && y.rank == 3 && basis.rank == 2 &&
              y.shape[0] == n && y.shape[2] == frames && basis.shape[1] == bands && first_row >= 0 &&
              y.shape[1] >= first_row + coefficients,
          "frame_transform",
          "x [n, bands, frames], basis [coefficients, bands] and y [n, rows, frames] must be f32", x, basis,
          y);
  constexpr int C = 2;
  constexpr int R = lanes == 16 ? 10 : 5;  // accumulators that the register file holds beside the inputs
  const std::int64_t tiles = block_count(frames, C * lanes);
  parallel_tasks(n * tiles, x.size() * 16, [&](std::int64_t task) {
    const std::int64_t clip = task / tiles, frame = task % tiles * (C * lanes), valid = frames - frame;
    const float* in = x.as<float>() + clip * bands * frames + frame;
    float* out = y.as<float>() + (clip * y.shape[1] + first_row) * frames + frame;
    std::int64_t row = 0;
    for (; row + R <= coefficients; row += R)
      transform_tile<R, C>(in, basis.as<float>() + row * bands, bands, frames, valid, out + row * frames);
    for (; row < coefficients; ++row)
      transform_tile<1, C>(in, basis.as<float>() + row * bands, bands, frames, valid, out + row * frames);
  });
}

void frame_filter(Context&, ConstView x, ConstView filter, std::int64_t source_row, std::int64_t target_row,
                  std::int64_t rows, View y) {
  const std::int64_t width = filter.size(), half = width / 2, n = x.shape[0], frames = x.shape[2];
  require(f32(x) && f32(y) && x.rank == 3 && y.rank == 3 && y.shape[0] == n && y.shape[2] == frames &&
              source_row >= 0 && target_row >= 0 && rows >= 0 && source_row + rows <= x.shape[1] &&
              target_row + rows <= y.shape[1],
          "frame_filter", "x and y [n, rows, frames] must be f32 and hold the rows asked for", x, y);
  require(f32(filter) && width % 2 == 1 && frames >= width, "frame_filter",
          "filter must be f32, its width odd and at most the number of frames", x, filter);
  parallel_tasks(n * rows, n * rows * frames, [&](std::int64_t task) {
    const float* w = filter.as<float>();
    const float* in = x.as<float>() + (task / rows * x.shape[1] + source_row + task % rows) * frames;
    float* out = y.as<float>() + (task / rows * y.shape[1] + target_row + task % rows) * frames;
    const std::int64_t inner = frames - width + 1;  // whole windows
    for (std::int64_t i = 0; i < inner; i += lanes) {
      Vector sum = {};
      for (std::int64_t j = 0; j < width; ++j) sum += simd::load_some(in + i + j, inner - i) * w[j];
      simd::store_some(out + half + i, sum, inner - i);
    }
    for (std::int64_t i = 0; i < half; ++i) out[i] = out[half], out[frames - 1 - i] = out[frames - 1 - half];
  });
}

void standardize_clips(Context&, ConstView x, float epsilon, View y) {
  require(f32(x) && f32(y) && x.rank >= 1 && same_shape(x, y) && epsilon > 0, "standardize_clips",
          "x and y must be f32 of one shape, epsilon positive", x, y);
  const std::int64_t n = x.shape[0], size = n ? x.size() / n : 0;
  parallel_tasks(n, x.size(), [&](std::int64_t clip) {
    const float* in = x.as<float>() + clip * size;
    float* out = y.as<float>() + clip * size;
    const double mean = clip_sum(in, size, [](double v) { return v; }) / static_cast<double>(size);
    const double variance =
        clip_sum(in, size, [&](double v) { return (v - mean) * (v - mean); }) / static_cast<double>(size);
    const float scale = static_cast<float>(1.0 / std::max(std::sqrt(variance), static_cast<double>(epsilon)));
    const float centre = static_cast<float>(mean);
    for (std::int64_t i = 0; i < size; ++i) out[i] = (in[i] - centre) * scale;
  });
}

}  // namespace chorale::cpu
