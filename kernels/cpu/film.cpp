// SPDX-License-Identifier: MIT
// Feature-wise linear modulation (Perez et al., AAAI 2018) of x [n, ..., c] by film [n, 2 c] = [scale |
// shift]:
//
//   y = x (1 + scale) + shift
//   dx = dy (1 + scale)     dscale = sum dy x, dshift = sum dy over the pixels of a sample
//
// A sample is a matrix [pixels, c], walked in lines (kernels/cpu/lines.h). f32; sums f32 over 64 lines, then
// f64. Bytes moved: forward x + y, backward dy + x + dx in one pass.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/lines.h"

namespace chorale::cpu {
namespace {

Lines samples_of(const char* kernel, const ConstView& x, const ConstView& film) {
  require_storage(kernel, x, film);
  require(x.rank >= 2 && film.rank == 2 && film.shape[0] == x.shape[0] && film.shape[1] == 2 * x.columns(),
          kernel, "film must be [n, 2 c] for x [n, ..., c]", x, film);
  return Lines(x.shape[0], x.shape[0] ? x.rows() / x.shape[0] : 0, x.columns());
}

const float* fill_scale(const Lines& l, const Block& b, const ConstView& film, float* line) {
  return fill_line(l, b, line,
                   [&](std::int64_t c) { return 1.0f + load_one(film, b.group * 2 * l.columns + c); });
}

}  // namespace

void film_forward(Context&, ConstView x, ConstView film, View y) {
  const char* kernel = "film_forward";
  const Lines l = samples_of(kernel, x, film);
  require_storage(kernel, y);
  require(same_shape(x, y), kernel, "x and y must have one shape", x, y);
  for_blocks(l, [&](const Block& b) {
    alignas(64) Line scale, shift, x_buffer, y_buffer;
    fill_scale(l, b, film, scale);
    fill_line(l, b, shift, [&](std::int64_t c) { return load_one(film, (b.group * 2 + 1) * l.columns + c); });
    for_lines(l, b, [&](std::int64_t offset, std::int64_t count) {
      const float* xs = load(x, offset, count, x_buffer);
      float* ys = target(y, offset, y_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) ys[i] = xs[i] * scale[i] + shift[i];
      store(ys, y, offset, count);
    });
  });
}

void film_backward(Context& context, ConstView dy, ConstView x, ConstView film, View dx, View dfilm) {
  const char* kernel = "film_backward";
  const Lines l = samples_of(kernel, x, film);
  require_storage(kernel, dy);
  require(same_shape(x, dy), kernel, "dy and x must have one shape", dy, x);
  require(!dx || (is_storage(dx.dtype) && same_shape(x, dx)), kernel, "dx must have the shape of x", x, dx);
  require(!dfilm || (is_storage(dfilm.dtype) && same_shape(film, dfilm)), kernel,
          "dfilm must have the shape of film", film, dfilm);
  const Scratch scratch(context, static_cast<std::size_t>(l.groups * 2 * l.columns) * sizeof(double));
  auto* sums = scratch.as<double>();
  line_sums<2>(context, l, sums, [&](const Block& b, LineSums<2>& total) {
    alignas(64) Line scale, dy_buffer, x_buffer, dx_buffer;
    fill_scale(l, b, film, scale);
    for_lines(l, b, [&](std::int64_t offset, std::int64_t count) {
      const float *dys = load(dy, offset, count, dy_buffer), *xs = load(x, offset, count, x_buffer);
      if (dfilm) {
        Line* sum = total.next();
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) {
          sum[0][i] += dys[i] * xs[i];
          sum[1][i] += dys[i];
        }
      }
      if (!dx) return;
      float* dxs = target(dx, offset, dx_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) dxs[i] = dys[i] * scale[i];
      store(dxs, dx, offset, count);
    });
  });
  if (!dfilm) return;
  for (std::int64_t i = 0; i < dfilm.size(); ++i) store_one(dfilm, i, static_cast<float>(sums[i]));
}

}  // namespace chorale::cpu
