// SPDX-License-Identifier: MIT
// Filling, converting, gathering and adding memory.
//
//   fill              y = value                            any dtype
//   cast              y = x in y's dtype                   any pair; to integers: toward zero, saturating,
//   NaN -> 0 copy_strided      y[i, j, k, l] = x[i s0 + j s1 + k s2 + l s3]   any dtype, moved as raw words
//   accumulate        y += x                               f32 arithmetic
//   scale_by          y = x factor[0]                      f32 arithmetic
//   gather_rows       out[r, :] = source[index[start + r], :]       raw bytes; out of range: zeros
//   gather_crops      out[r, b, :] = source[index[start + r], b, first_r : first_r + crop]   raw bytes,
//   likewise
//
// Each view is read or written once: accumulate moves size (x + 2 y), the others size (x + y).
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"
#include "kernels/philox.h"

namespace chorale::cpu {
namespace {

template <class Body>
void with_dtype(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32:
      return body(float{});
    case DType::f16:
      return body(half{});
    case DType::bf16:
      return body(bf16{});
    case DType::f64:
      return body(double{});
    case DType::i32:
      return body(std::int32_t{});
    case DType::i64:
      return body(std::int64_t{});
    case DType::u8:
      return body(std::uint8_t{});
    case DType::i16:
      return body(std::int16_t{});
  }
}

template <class T>
constexpr bool is_16_bit = std::is_same_v<T, half> || std::is_same_v<T, bf16>;

/// `x` is an arithmetic type.
template <class To, class From>
To convert_one(From x) {
  if constexpr (is_16_bit<To>) {
    return from_float<To>(static_cast<float>(x));
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(x);
  } else if constexpr (std::is_floating_point_v<From>) {
    // 2^63 is not an i64, so the upper limit is compared for >=.
    if (!(x == x)) return 0;
    if (x <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (x >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(x);
  } else {
    const auto wide = static_cast<std::int64_t>(x);
    return static_cast<To>(std::clamp(wide, static_cast<std::int64_t>(std::numeric_limits<To>::min()),
                                      static_cast<std::int64_t>(std::numeric_limits<To>::max())));
  }
}

void cast_storage(const ConstView& x, const View& y, std::int64_t begin, std::int64_t end) {
  for (std::int64_t offset = begin; offset < end; offset += chunk) {
    const std::int64_t count = std::min(chunk, end - offset);
    alignas(64) float buffer[chunk];
    const float* values = load(x, offset, count, y.dtype == DType::f32 ? y.as<float>() + offset : buffer);
    if (y.dtype != DType::f32)
      store(values, y, offset, count);
    else if (x.dtype == DType::f32)
      std::memmove(y.as<float>() + offset, values, static_cast<std::size_t>(count) * sizeof(float));
  }
}

template <class Word>
void copy_words(const Word* x, const Strides& strides, Word* y, const std::array<std::int64_t, 4>& shape) {
  const std::int64_t rows = shape[0] * shape[1] * shape[2], columns = shape[3], step = strides.value[3];
  const std::int64_t row_block = std::max<std::int64_t>(1, block_size / std::max<std::int64_t>(1, columns));
  parallel_tasks(block_count(rows, row_block), rows * columns, [&](std::int64_t block) {
    for (std::int64_t row = block * row_block; row < std::min(rows, (block + 1) * row_block); ++row) {
      const std::int64_t k = row % shape[2], j = row / shape[2] % shape[1], i = row / shape[2] / shape[1];
      const Word* from = x + i * strides.value[0] + j * strides.value[1] + k * strides.value[2];
      Word* to = y + row * columns;
      if (step == 1)
        std::memcpy(to, from, static_cast<std::size_t>(columns) * sizeof(Word));
      else
        for (std::int64_t c = 0; c < columns; ++c) to[c] = from[c * step];
    }
  });
}

}  // namespace

void fill(Context&, View y, double value) {
  require(present(y), "fill", "y has no data", y);
  with_dtype(y.dtype, [&]<class T>(T) {
    const T word = convert_one<T>(value);
    T* data = y.as<T>();
    parallel_blocks(y.size(),
                    [&](std::int64_t begin, std::int64_t end) { std::fill(data + begin, data + end, word); });
  });
}

void cast(Context&, ConstView x, View y) {
  require(present(x) && present(y), "cast", "a view has no data", x, y);
  require(x.size() == y.size(), "cast", "x and y must have one size", x, y);
  if (is_storage(x.dtype) && is_storage(y.dtype))
    return parallel_blocks(x.size(),
                           [&](std::int64_t begin, std::int64_t end) { cast_storage(x, y, begin, end); });
  with_dtype(x.dtype, [&]<class From>(From) {
    with_dtype(y.dtype, [&]<class To>(To) {
      const From* from = x.as<From>();
      To* to = y.as<To>();
      parallel_blocks(x.size(), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          if constexpr (is_16_bit<From>)
            to[i] = convert_one<To>(to_float(from[i]));
          else
            to[i] = convert_one<To>(from[i]);
        }
      });
    });
  });
}

void copy_strided(Context&, ConstView x, Strides strides, View y) {
  require(x.dtype == y.dtype, "copy_strided", "x and y must have one dtype", x, y);
  require(present(y) && (x.data || y.size() == 0), "copy_strided", "a view has no data", x, y);
  if (y.size() == 0) return;
  std::array<std::int64_t, 4> shape{1, 1, 1, 1};
  Strides aligned;  // dimensions of size 1 in front
  for (int i = 0; i < y.rank; ++i) {
    shape[static_cast<std::size_t>(4 - y.rank + i)] = y.shape[static_cast<std::size_t>(i)];
    aligned.value[4 - y.rank + i] = strides.value[i];
  }
  switch (dtype_size(y.dtype)) {
    case 1:
      return copy_words(x.as<std::uint8_t>(), aligned, y.as<std::uint8_t>(), shape);
    case 2:
      return copy_words(x.as<std::uint16_t>(), aligned, y.as<std::uint16_t>(), shape);
    case 4:
      return copy_words(x.as<std::uint32_t>(), aligned, y.as<std::uint32_t>(), shape);
    default:
      return copy_words(x.as<std::uint64_t>(), aligned, y.as<std::uint64_t>(), shape);
  }
}

void accumulate(Context&, ConstView x, View y) {
  require_storage("accumulate", x, y);
  require(x.size() == y.size(), "accumulate", "x and y must have one size", x, y);
  parallel_blocks(x.size(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t offset = begin; offset < end; offset += chunk) {
      const std::int64_t count = std::min(chunk, end - offset);
      alignas(64) float x_buffer[chunk], y_buffer[chunk];
      const float* xs = load(x, offset, count, x_buffer);
      load(y, offset, count, y_buffer);
      float* ys = target(y, offset, y_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) ys[i] += xs[i];
      store(ys, y, offset, count);
    }
  });
}

void scale_by(Context&, ConstView x, ConstView factor, View y) {
  require_storage("scale_by", x, y);
  require(x.size() == y.size(), "scale_by", "x and y must have one size", x, y);
  require(factor.data && factor.dtype == DType::f32 && factor.size() == 1, "scale_by",
          "factor must be one f32", factor);
  const float by = *factor.as<float>();
  parallel_blocks(x.size(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t offset = begin; offset < end; offset += chunk) {
      const std::int64_t count = std::min(chunk, end - offset);
      alignas(64) float x_buffer[chunk], y_buffer[chunk];
      const float* xs = load(x, offset, count, x_buffer);
      float* ys = target(y, offset, y_buffer);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) ys[i] = xs[i] * by;
      store(ys, y, offset, count);
    }
  });
}

void gather_rows(Context&, ConstView source, ConstView index, const StepState* state, View out) {
  require(source.dtype == out.dtype, "gather_rows", "source and out must have one dtype", source, out);
  require(source.rank >= 1 && out.rank >= 1 && present(source) && present(out), "gather_rows",
          "source and out must have rows", source, out);
  require(index.dtype == DType::i64 && index.rank == 1 && present(index), "gather_rows",
          "index must be i64 of rank 1", index);
  const std::int64_t rows = out.shape[0], source_rows = source.shape[0];
  if (out.size() == 0) return;
  const std::size_t bytes = out.bytes() / static_cast<std::size_t>(rows);
  require(source_rows == 0 || source.bytes() == bytes * static_cast<std::size_t>(source_rows), "gather_rows",
          "rows of source and out must have one size", source, out);
  const std::int64_t start = state ? state->cursor : 0, indices = index.size();
  const auto* from = source.as<std::byte>();
  auto* to = out.as<std::byte>();
  // A long row is copied by several threads.
  const std::size_t part = std::size_t{1} << 18;
  const std::int64_t parts = static_cast<std::int64_t>((bytes + part - 1) / part);
  parallel_tasks(rows * parts, out.size(), [&](std::int64_t task) {
    const std::int64_t row = task / parts;
    const std::size_t begin = static_cast<std::size_t>(task % parts) * part,
                      size = std::min(part, bytes - begin);
    const std::int64_t position = start + row;
    const std::int64_t at = position >= 0 && position < indices ? index.as<std::int64_t>()[position] : -1;
    std::byte* row_to = to + static_cast<std::size_t>(row) * bytes + begin;
    if (at >= 0 && at < source_rows)
      std::memcpy(row_to, from + static_cast<std::size_t>(at) * bytes + begin, size);
    else
      std::memset(row_to, 0, size);
  });
}

void gather_crops(Context&, ConstView source, ConstView index, const StepState* state, std::uint32_t stream,
                  View out) {
  const char* kernel = "gather_crops";
  require(source.dtype == out.dtype && present(source) && present(out), kernel,
          "source and out must have one dtype", source, out);
  require(source.rank == 3 && out.rank == 3 && source.shape[1] == out.shape[1], kernel,
          "source must be [m, bands, frames] and out [n, bands, crop]", source, out);
  require(!index || (index.dtype == DType::i64 && index.rank == 1), kernel, "index must be i64 of rank 1",
          index);
  const std::int64_t rows = out.shape[0], bands = out.shape[1], crop = out.shape[2], frames = source.shape[2];
  require(crop <= frames, kernel, "a crop must not be longer than the rows of source", source, out);
  const std::int64_t start = state ? state->cursor : 0, places = frames - crop + 1;
  const std::size_t element = dtype_size(out.dtype), bytes = static_cast<std::size_t>(crop) * element;
  parallel_tasks(rows, out.size(), [&](std::int64_t row) {
    const std::int64_t position = start + row;
    const std::int64_t at = !index                                     ? row
                            : position >= 0 && position < index.size() ? index.as<std::int64_t>()[position]
                                                                       : -1;
    auto* to = out.as<std::byte>() + static_cast<std::size_t>(row * bands) * bytes;
    if (at < 0 || at >= source.shape[0]) {
      std::memset(to, 0, static_cast<std::size_t>(bands) * bytes);
      return;
    }
    const std::int64_t first = state ? philox::below(philox::word(state->seed, state->rng_offset, stream,
                                                                  static_cast<std::uint64_t>(row)),
                                                     places)
                                     : (frames - crop) / 2;
    const auto* from =
        source.as<std::byte>() + static_cast<std::size_t>(at * bands * frames + first) * element;
    for (std::int64_t band = 0; band < bands; ++band)
      std::memcpy(to + static_cast<std::size_t>(band) * bytes,
                  from + static_cast<std::size_t>(band * frames) * element, bytes);
  });
}

}  // namespace chorale::cpu
