// SPDX-License-Identifier: MIT
// Bilinear resizing of images x [n, h, w, c] to y [n, oh, ow, c], and its gradient. Along each axis a result
// reads a few neighbouring sources with weights (kernels/image_axis.h):
//
//   y[i, j]  = sum of row weight(i, a) column weight(j, p) x[a, p]      a, p: the taps, two each
//   dx[a, p] = sum of the same weights times dy over the outputs that read (a, p)
//
// A task makes one row: a piece of the source rows is joined to one by weight (contiguous, whatever c), then
// resized across, in vectors along c. Pixels that do not fill a vector are resized in vectors along the rows
// of the result instead: as many rows as it has lanes, joined, are turned around to lie side by side, and the
// results back. f32, gathered, in the order of the sources. Bytes moved: x + y; rows read twice come from the
// cache.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/image_axis.h"

namespace chorale::cpu {
namespace {

constexpr std::int64_t channel_tile = 128;

/// What the results along an axis read: sources `first` to `first` + `count`, by weights[result * widest +
/// k].
class AxisTable {
 public:
  template <class Axis>
  AxisTable(Context& context, const Axis& axis, std::int64_t results)
      : widest_(most_reads(axis, results)),
        reads_(context, static_cast<std::size_t>(results) * sizeof(Interval)),
        weights_(context, static_cast<std::size_t>(results * widest_) * sizeof(float)) {
    for (std::int64_t made = 0; made < results; ++made) {
      const Interval reads = axis.reads(made);
      reads_.as<Interval>()[made] = reads;
      for (std::int64_t s = reads.first; s < reads.last; ++s)
        weights_.as<float>()[made * widest_ + s - reads.first] = axis.weight(made, s);
    }
  }
  const Interval& reads(std::int64_t made) const { return reads_.as<Interval>()[made]; }
  std::int64_t widest() const { return widest_; }  ///< the most sources of a result, at least 1
  const float* weights(std::int64_t made) const { return weights_.as<float>() + made * widest_; }
  /// How many results from `made` on read at most `room` sources together; at least one.
  std::int64_t together(std::int64_t made, std::int64_t results, std::int64_t room) const {
    std::int64_t last = made + 1;
    while (last < results && last - made < room && reads(last).last - reads(made).first <= room) ++last;
    return last - made;
  }

 private:
  template <class Axis>
  static std::int64_t most_reads(const Axis& axis, std::int64_t results) {
    std::int64_t most = 1;
    for (std::int64_t made = 0; made < results; ++made) most = std::max(most, axis.reads(made).size());
    return most;
  }
  std::int64_t widest_;
  Scratch reads_, weights_;
};

/// to += weight x, `count` elements of x from `offset` on.
void add(const ConstView& x, std::int64_t offset, std::int64_t count, float weight, float* to) {
  alignas(64) float buffer[chunk];
  const float* xs = load(x, offset, count, buffer);
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) to[i] += weight * xs[i];
}

/// Channels [c, c + count) of `columns` pixels of a row of the result: sources are rows [n, height, width,
/// channels].
struct Source {
  const ConstView& x;
  std::int64_t image, height, width, channels;

  /// The weighted sum of the rows that the result's row reads, pixels [first, first + pixels) of them.
  void join(const AxisTable& down, std::int64_t row, std::int64_t first, std::int64_t pixels, std::int64_t c,
            std::int64_t count, float* to) const {
    std::fill_n(to, pixels * count, 0.0f);
    for (std::int64_t s = down.reads(row).first; s < down.reads(row).last; ++s) {
      const float weight = down.weights(row)[s - down.reads(row).first];
      const std::int64_t offset = ((image * height + s) * width + first) * channels + c;
      if (count == channels)
        add(x, offset, pixels * count, weight, to);
      else
        for (std::int64_t p = 0; p < pixels; ++p)
          add(x, offset + p * channels, count, weight, to + p * count);
    }
  }
};

/// made[k] = weighted sum of the joined pixels that result first + k reads; joined[0] is source `origin`.
void across_row(const AxisTable& across, std::int64_t first, std::int64_t results, const float* joined,
                std::int64_t origin, std::int64_t count, float* made) {
  for (std::int64_t k = 0; k < results; ++k) {
    const Interval& reads = across.reads(first + k);
    const float* weights = across.weights(first + k);
    const float* from = joined + (reads.first - origin) * count;
    float* to = made + k * count;
    std::fill_n(to, count, 0.0f);
    for (std::int64_t s = 0; s < reads.size(); ++s)
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) to[i] += weights[s] * from[s * count + i];
  }
}

void store_result(const float* made, std::int64_t count, const View& y, std::int64_t offset) {
  if (y.dtype == DType::f32) std::copy_n(made, count, y.as<float>() + offset);
  store(made, y, offset, count);
}

/// One row.
void resample_row(const ConstView& x, const AxisTable& down, const AxisTable& across, std::int64_t row,
                  std::int64_t tile, const View& y) {
  const std::int64_t height = y.shape[1], width = y.shape[2], channels = y.shape[3], room = chunk / tile;
  const Source source{x, row / height, x.shape[1], x.shape[2], channels};
  alignas(64) float joined[chunk], made[chunk];
  for (std::int64_t c = 0; c < channels; c += tile) {
    const std::int64_t count = std::min(tile, channels - c);
    for (std::int64_t column = 0; column < width;) {
      const std::int64_t results = across.together(column, width, room);
      const std::int64_t first = across.reads(column).first, last = across.reads(column + results - 1).last;
      source.join(down, row % height, first, last - first, c, count, joined);
      across_row(across, column, results, joined, first, count, made);
      for (std::int64_t k = 0; k < (count == channels ? 1 : results); ++k)
        store_result(made + k * count, count == channels ? results * count : count, y,
                     (row * width + column + k) * channels + c);
      column += results;
    }
  }
}

/// Elements of a row that resample_rows holds at once; turned around they are as many vectors.
constexpr std::int64_t piece = 256;
using Turned = float[piece][gemm::lanes];

/// Up to `lanes` rows from `first_row` on.
void resample_rows(const ConstView& x, const AxisTable& down, const AxisTable& across, std::int64_t first_row,
                   std::int64_t rows, const View& y) {
  using gemm::lanes, gemm::Vector;
  const std::int64_t height = y.shape[1], width = y.shape[2], channels = y.shape[3];
  alignas(64) float flat[lanes][piece];
  alignas(64) Turned joined, made;
  Vector square[lanes];
  for (std::int64_t column = 0; column < width;) {
    const std::int64_t results = across.together(column, width, piece / channels);
    const std::int64_t first = across.reads(column).first, last = across.reads(column + results - 1).last;
    for (std::int64_t r = 0; r < rows; ++r) {
      const Source source{x, (first_row + r) / height, x.shape[1], x.shape[2], channels};
      source.join(down, (first_row + r) % height, first, last - first, 0, channels, flat[r]);
    }
    for (std::int64_t e = 0, elements = (last - first) * channels; e < elements; e += lanes) {
      gemm::load_square(flat[0] + e, piece, rows, std::min<std::int64_t>(lanes, elements - e), square);
      std::memcpy(joined[e], square, sizeof square);
    }
    for (std::int64_t k = 0; k < results; ++k) {
      const Interval& reads = across.reads(column + k);
      const float* weights = across.weights(column + k);
      for (std::int64_t c = 0; c < channels; ++c) {
        Vector sum{};
        for (std::int64_t s = 0; s < reads.size(); ++s)
          sum += weights[s] * gemm::load(joined[(reads.first - first + s) * channels + c]);
        gemm::store(made[k * channels + c], sum);
      }
    }
    for (std::int64_t e = 0; e < results * channels; e += lanes) {
      std::memcpy(square, made[e], sizeof square);
      gemm::transpose(square);
      for (std::int64_t r = 0; r < rows; ++r) gemm::store(flat[r] + e, square[r]);
    }
    for (std::int64_t r = 0; r < rows; ++r)
      store_result(flat[r], results * channels, y, ((first_row + r) * width + column) * channels);
    column += results;
  }
}

/// Results [n, height, width, c] from x.
template <class Axis>
void resample(Context& context, const char* kernel, const ConstView& x, const Axis& rows, const Axis& columns,
              const View& y) {
  require_storage(kernel, x, y);
  require(x.rank == 4 && y.rank == 4 && x.shape[0] == y.shape[0] && x.shape[3] == y.shape[3], kernel,
          "shapes must be [n, h, w, c] and [n, oh, ow, c]", x, y);
  require(x.size() > 0 || y.size() == 0, kernel, "there are no pixels to read", x, y);
  if (y.size() == 0) return;
  const std::int64_t height = y.shape[1], width = y.shape[2], channels = y.shape[3];
  const AxisTable down(context, rows, height), across(context, columns, width);
  require(across.widest() <= chunk, kernel, "a pixel must be spread over at most 1,024 others across", x, y);
  const std::int64_t results = y.shape[0] * height, work = std::max(x.size(), y.size());
  if (channels < gemm::lanes && across.widest() * channels <= piece) {
    parallel_tasks(block_count(results, gemm::lanes), work, [&](std::int64_t task) {
      const std::int64_t first = task * gemm::lanes;
      resample_rows(x, down, across, first, std::min<std::int64_t>(gemm::lanes, results - first), y);
    });
  } else {
    const std::int64_t tile = std::min({channels, channel_tile, chunk / across.widest()});
    parallel_tasks(results, work, [&](std::int64_t row) { resample_row(x, down, across, row, tile, y); });
  }
}

}  // namespace

void resize_bilinear_forward(Context& context, ConstView x, View y) {
  resample(context, "resize_bilinear_forward", x, ResizedAxis{x.shape[1], y.shape[1]},
           ResizedAxis{x.shape[2], y.shape[2]}, y);
}

void resize_bilinear_backward(Context& context, ConstView dy, View dx) {
  resample(context, "resize_bilinear_backward", dy, ResizedAxisGradient{dx.shape[1], dy.shape[1]},
           ResizedAxisGradient{dx.shape[2], dy.shape[2]}, dx);
}

}  // namespace chorale::cpu
