// SPDX-License-Identifier: MIT
// Bilinear resizing of images x [n, h, w, c] to y [n, oh, ow, c], and its gradient. Along each axis a result
// reads a few neighbouring sources with weights (kernels/image_axis.h):
//
//   y[i, j]  = sum of row weight(i, a) column weight(j, p) x[a, p]      a, p: the taps, two each
//   dx[a, p] = sum of the same weights times dy over the outputs that read (a, p)
//
// A block for each row of the result, a thread for V channels of a pixel (16 bytes where channels allow).
// f32, gathered, in the order of the sources. Bytes: x + y; neighbours find each other's sources in the
// cache.
#include "kernels/cuda/dispatch_packs.cuh"
#include "kernels/image_axis.h"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

/// The extents of the result; those of the source follow from the axes.
struct Extents {
  std::int64_t height, width, channels;
};

template <class Axis, class T, int V>
__global__ void __launch_bounds__(block_threads)
    resample(const T* x, Axis down, Axis across, Extents e, T* y) {
  const std::int64_t image = blockIdx.x / e.height, row = blockIdx.x - image * e.height,
                     packs = e.channels / V;
  const Interval rows = down.reads(row);
  for (std::int64_t k = threadIdx.x; k < e.width * packs; k += block_threads) {
    const std::int64_t column = quotient(k, packs), channel = (k - column * packs) * V;
    const Interval columns = across.reads(column);
    float sum[V] = {};
    for (std::int64_t q = columns.first; q < columns.last; ++q) {
      const float along = across.weight(column, q);
      float joined[V] = {};
      for (std::int64_t p = rows.first; p < rows.last; ++p) {
        const float weight = down.weight(row, p);
        const std::int64_t pixel = (image * down.sources() + p) * across.sources() + q;
        const Pack<T, V> pack = load_pack<V>(x + pixel * e.channels + channel, 0);
        for (int j = 0; j < V; ++j) joined[j] += weight * to_float(pack.value[j]);
      }
      for (int j = 0; j < V; ++j) sum[j] += along * joined[j];
    }
    Pack<T, V> out;
    for (int j = 0; j < V; ++j) out.value[j] = from_float<T>(sum[j]);
    store_pack(y + blockIdx.x * e.width * e.channels, k, out);
  }
}

template <class Axis>
void resize(Context& context, const char* op, const ConstView& x, const Axis& down, const Axis& across,
            const View& y) {
  require(x.rank == 4 && y.rank == 4 && x.shape[0] == y.shape[0] && x.shape[3] == y.shape[3], op,
          "shapes must be [n, h, w, c] and [n, oh, ow, c]");
  require_dtype(y, x.dtype, op, "the result");
  require(x.size() > 0 || y.size() == 0, op, "there are no pixels to read");
  if (y.size() == 0) return;
  const Extents e{y.shape[1], y.shape[2], y.shape[3]};
  const unsigned rows = static_cast<unsigned>(y.shape[0] * e.height);
  dispatch_packs(op, e.channels, x, y, x, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    LAUNCH((resample<Axis, T, decltype(width)::value>), rows, block_threads, 0, context.stream, x.as<T>(),
           down, across, e, y.as<T>());
  });
}

}  // namespace

void resize_bilinear_forward(Context& context, ConstView x, View y) {
  resize(context, "resize_bilinear_forward", x, ResizedAxis{x.shape[1], y.shape[1]},
         ResizedAxis{x.shape[2], y.shape[2]}, y);
}

void resize_bilinear_backward(Context& context, ConstView dy, View dx) {
  resize(context, "resize_bilinear_backward", dy, ResizedAxisGradient{dx.shape[1], dy.shape[1]},
         ResizedAxisGradient{dx.shape[2], dy.shape[2]}, dx);
}

}  // namespace chorale::cuda
