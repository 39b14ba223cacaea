// SPDX-License-Identifier: MIT
// Adaptive average pooling of images x [n, h, w, c] to y [n, oh, ow, c]: means over the bins of
// kernels/image_axis.h.
//
//   y[n, i, j] = sum of x over bin (i, j) / area(i, j)     dx[n, p, q] = sum of dy / area over the bins that
//   hold (p, q)
//
// Forward: a block for each bin and slab of 32 channels, its threads over the bin's pixels, V channels each
// (f32 in a thread, then f64); bins of at most 32 pixels have a thread for V channels instead. Backward: a
// block for each row of dx, a thread for V channels of a pixel. Bytes: x + y.
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/dispatch_packs.cuh"
#include "kernels/image_axis.h"

namespace chorale::cuda {
namespace {

constexpr std::int64_t few_pixels = 32;

struct Pooling {
  std::int64_t n, height, width, bins_down, bins_across, channels;
};

struct Bin {
  std::int64_t image;
  Interval rows, columns;
};

__device__ inline Bin bin_of(const Pooling& s, std::int64_t number) {
  const std::int64_t row = quotient(number, s.bins_across), image = quotient(row, s.bins_down);
  return {image, pixels_of_bin(row - image * s.bins_down, s.bins_down, s.height),
          pixels_of_bin(number - row * s.bins_across, s.bins_across, s.width)};
}

/// Adds V channels of the bin's pixels first, first + step, ...
template <class T, int V>
__device__ inline void add_pixels(const T* x, const Pooling& s, const Bin& bin, std::int64_t first,
                                  std::int64_t step, std::int64_t channel, float (&sum)[V]) {
  const std::int64_t columns = bin.columns.size(), pixels = bin.rows.size() * columns;
  for (std::int64_t k = first; k < pixels; k += step) {
    const std::int64_t row = quotient(k, columns), column = k - row * columns;
    const std::int64_t pixel =
        (bin.image * s.height + bin.rows.first + row) * s.width + bin.columns.first + column;
    const Pack<T, V> pack = load_pack<V>(x + pixel * s.channels + channel, 0);
    for (int j = 0; j < V; ++j) sum[j] += to_float(pack.value[j]);
  }
}

__device__ inline double area_of(const Bin& bin) {
  return static_cast<double>(bin.rows.size() * bin.columns.size());
}

template <class T, int V>
__global__ void __launch_bounds__(slab_threads) forward_large_bins(const T* x, Pooling s, T* y) {
  const std::int64_t slabs = (s.channels + slab - 1) / slab, number = blockIdx.x / slabs;
  const std::int64_t first = (blockIdx.x - number * slabs) * slab;
  const std::int64_t channel = first + threadIdx.x % (slab / V) * V;
  const Bin bin = bin_of(s, number);
  float sum[V] = {}, unused[V] = {};
  if (channel < s.channels)
    add_pixels<T, V>(x, s, bin, threadIdx.x / (slab / V), Place<V>::stride, channel, sum);
  const Pair* sums = slab_sums<V>(sum, unused);
  if (threadIdx.x < slab && first + threadIdx.x < s.channels)
    y[number * s.channels + first + threadIdx.x] =
        from_float<T>(static_cast<float>(sums[threadIdx.x].a / area_of(bin)));
}

template <class T, int V>
__global__ void __launch_bounds__(slab_threads) forward_small_bins(const T* x, Pooling s, T* y) {
  const std::int64_t packs = s.channels / V, size = s.n * s.bins_down * s.bins_across * packs;
  for (std::int64_t i = global_thread(); i < size; i += global_threads()) {
    const std::int64_t number = quotient(i, packs), channel = (i - number * packs) * V;
    const Bin bin = bin_of(s, number);
    float sum[V] = {};
    add_pixels<T, V>(x, s, bin, 0, 1, channel, sum);
    Pack<T, V> out;
    for (int j = 0; j < V; ++j)
      out.value[j] = from_float<T>(static_cast<float>(static_cast<double>(sum[j]) / area_of(bin)));
    store_pack(y, i, out);
  }
}

template <class T, int V>
__global__ void __launch_bounds__(slab_threads) backward_kernel(const T* dy, Pooling s, T* dx) {
  const std::int64_t image = blockIdx.x / s.height, row = blockIdx.x - image * s.height,
                     packs = s.channels / V;
  const Interval down = bins_of_pixel(row, s.bins_down, s.height);
  for (std::int64_t k = threadIdx.x; k < s.width * packs; k += slab_threads) {
    const std::int64_t column = quotient(k, packs), channel = (k - column * packs) * V;
    const Interval across = bins_of_pixel(column, s.bins_across, s.width);
    float sum[V] = {};
    for (std::int64_t i = down.first; i < down.last; ++i)
      for (std::int64_t j = across.first; j < across.last; ++j) {
        const std::int64_t area =
            pixels_of_bin(i, s.bins_down, s.height).size() * pixels_of_bin(j, s.bins_across, s.width).size();
        const float weight = 1.0f / static_cast<float>(area);
        const std::int64_t bin = (image * s.bins_down + i) * s.bins_across + j;
        const Pack<T, V> pack = load_pack<V>(dy + bin * s.channels + channel, 0);
        for (int v = 0; v < V; ++v) sum[v] += weight * to_float(pack.value[v]);
      }
    Pack<T, V> out;
    for (int v = 0; v < V; ++v) out.value[v] = from_float<T>(sum[v]);
    store_pack(dx + blockIdx.x * s.width * s.channels, k, out);
  }
}

Pooling pooling_of(const char* op, const ConstView& image, const ConstView& pooled) {
  require(image.rank == 4 && pooled.rank == 4 && image.shape[0] == pooled.shape[0] &&
              image.shape[3] == pooled.shape[3],
          op, "shapes must be [n, h, w, c] and [n, oh, ow, c]");
  require_dtype(pooled, image.dtype, op, "y");
  require(pooled.size() == 0 || image.size() > 0, op, "an image without pixels has no mean");
  return {image.shape[0], image.shape[1], image.shape[2], pooled.shape[1], pooled.shape[2], image.shape[3]};
}

}  // namespace

void average_pool_forward(Context& context, ConstView x, View y) {
  const char* op = "average_pool_forward";
  const Pooling s = pooling_of(op, x, y);
  if (y.size() == 0) return;
  const std::int64_t bins = s.n * s.bins_down * s.bins_across;
  dispatch_packs(op, s.channels, x, y, x, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    constexpr int V = decltype(width)::value;
    if (x.size() / s.channels > bins * few_pixels)
      LAUNCH((forward_large_bins<T, V>), static_cast<unsigned>(bins * ceil_div(s.channels, slab)),
             slab_threads, 0, context.stream, x.as<T>(), s, y.as<T>());
    else
      LAUNCH((forward_small_bins<T, V>), stride_grid(context, y.size() / V, slab_threads), slab_threads, 0,
             context.stream, x.as<T>(), s, y.as<T>());
  });
}

void average_pool_backward(Context& context, ConstView dy, View dx) {
  const char* op = "average_pool_backward";
  const Pooling s = pooling_of(op, dx, dy);
  if (dx.size() == 0) return;
  dispatch_packs(op, s.channels, dy, dx, dx, [&](auto type, auto width) {
    using T = typename decltype(type)::type;
    LAUNCH((backward_kernel<T, decltype(width)::value>), static_cast<unsigned>(s.n * s.height), slab_threads,
           0, context.stream, dy.as<T>(), s, dx.as<T>());
  });
}

}  // namespace chorale::cuda
