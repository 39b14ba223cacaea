// SPDX-License-Identifier: MIT
// Resampling by any real ratio, another one for each clip:
//
//   y[j] = sum over k of x[k] h(k - j step)
//
// h is the windowed sinc of kernels/windowed_sinc.h. Its values at 513 places between two samples are
// tabulated for each clip (263 KB up to step 1, 525 KB at 2: the second-level cache); an output is two dot
// products with neighbouring rows of 128 max(1, step) taps, weighted by where it lies between them. f32 in a
// fixed order, places f64. 4 bytes are read an input sample, 4 written an output sample.
#include <algorithm>

#include "kernels/cpu/audio_simd.h"
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/windowed_sinc.h"

namespace chorale::cpu {
namespace {

using simd::lanes;
using simd::Vector;

constexpr std::int64_t block = 4096;  // outputs of a task

/// Row r: the filter r / phases of a sample after an input sample; tap m belongs to the input sample
/// reach - 1 - m before that one. Rows are filled up with zeros to `stride`.
void tabulate(double step, std::int64_t reach, std::int64_t stride, float* table) {
  parallel_tasks(windowed_sinc::phases + 1, (windowed_sinc::phases + 1) * stride, [&](std::int64_t row) {
    const double first = static_cast<double>(1 - reach) -
                         static_cast<double>(row) / static_cast<double>(windowed_sinc::phases);
    float* to = table + row * stride;
#pragma omp simd
    for (std::int64_t m = 0; m < stride; ++m)
      to[m] = windowed_sinc::value(first + static_cast<double>(m), step);
  });
}

/// The sum of all elements, halves first.
float total(Vector v) {
  alignas(Vector) float part[lanes];
  simd::store(part, v);
  for (int width = lanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) part[i] += part[i + width];
  return part[0];
}

/// Weighted dot products of x with two rows; `count` is a multiple of a vector.
float interpolate(const float* x, const float* row, const float* next, std::int64_t count, float part) {
  Vector a[2] = {}, b[2] = {};
  const auto add = [&](std::int64_t m, int j) {
    const Vector value = simd::load(x + m);
    a[j] += value * simd::load(row + m);
    b[j] += value * simd::load(next + m);
  };
  std::int64_t m = 0;
  for (; m + 2 * lanes <= count; m += 2 * lanes) add(m, 0), add(m + lanes, 1);
  if (m < count) add(m, 0);
  const Vector low = a[0] + a[1], high = b[0] + b[1];
  return total(low + (high - low) * part);
}

}  // namespace

void resample_ratio(Context& context, ConstView samples, ConstView steps, double max_step, View out) {
  constexpr const char* name = "resample_ratio";
  require(samples.dtype == DType::f32 && out.dtype == DType::f32 && present(samples) && present(out) &&
              samples.rank == 2 && out.rank == 2 && samples.shape[0] == out.shape[0],
          name, "samples [n, length] and out [n, out length] are f32", samples, out);
  require(steps.dtype == DType::f64 && steps.data && steps.size() == out.shape[0], name,
          "steps must be f64 [n]", steps);
  require(max_step > 0 && max_step <= 64, name, "max_step must be above 0, up to 64", out);
  const std::int64_t length = samples.shape[1], wanted = out.shape[1];
  const auto stride_for = [](std::int64_t reach) { return block_count(2 * reach, lanes) * lanes; };
  const std::int64_t most = stride_for(windowed_sinc::reach(max_step));
  const Scratch scratch(context,
                        static_cast<std::size_t>((windowed_sinc::phases + 1) * most) * sizeof(float));
  for (std::int64_t clip = 0; clip < out.shape[0]; ++clip) {
    const float* x = samples.as<float>() + clip * length;
    float* y = out.as<float>() + clip * wanted;
    const double given = steps.as<double>()[clip], step = given > 0 && given <= max_step ? given : max_step;
    if (step == 1) {
      const std::int64_t copied = std::min(length, wanted);
      std::copy_n(x, copied, y);
      std::fill(y + copied, y + wanted, 0.0f);
      continue;
    }
    const std::int64_t reach = windowed_sinc::reach(step), stride = stride_for(reach);
    float* table = scratch.as<float>();
    tabulate(step, reach, stride, table);
    parallel_tasks(block_count(wanted, block), wanted * stride, [&](std::int64_t task) {
      alignas(64) float edge[2 * 64 * 64 + lanes];
      for (std::int64_t j = task * block; j < std::min(wanted, (task + 1) * block); ++j) {
        const windowed_sinc::Place place = windowed_sinc::place(j, step);
        const std::int64_t first = place.sample - (reach - 1);
        const float* from = x + first;
        if (first < 0 || first + stride > length) {
          for (std::int64_t m = 0; m < stride; ++m)
            edge[m] = first + m >= 0 && first + m < length ? x[first + m] : 0.0f;
          from = edge;
        }
        const float* row = table + place.phase * stride;
        y[j] = interpolate(from, row, row + stride, stride, place.part);
      }
    });
  }
}

}  // namespace chorale::cpu
