// SPDX-License-Identifier: MIT
// Filling, converting and adding memory.
//
//   fill         y = value                  any dtype; bytes: y
//   cast         y = x in y's dtype         any pair; to integers: toward zero, saturating, NaN -> 0; bytes:
//   x + y accumulate   y += x                     f32 arithmetic; bytes: x + 2 y scale_by     y = x factor[0]
//   f32 arithmetic; bytes: x + y
//
// Contiguous rows of n elements. Threads move 16 bytes of the wider array per step where both are aligned.
#include <limits>
#include <type_traits>

#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/vector.cuh"

namespace chorale::cuda {
namespace {

constexpr int block_threads = 256;

template <class T>
constexpr bool is_16_bit = std::is_same_v<T, half> || std::is_same_v<T, bf16>;

template <class T>
struct Limits {  // members, since device code may not call numeric_limits
  static constexpr T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
};

template <class To, class From>
CHORALE_HD inline To convert(From x) {
  if constexpr (is_16_bit<From>) {
    return convert<To>(to_float(x));
  } else if constexpr (is_16_bit<To>) {
    return from_float<To>(static_cast<float>(x));
  } else if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(x);
  } else {
    constexpr To low = Limits<To>::low, high = Limits<To>::high;
    if constexpr (std::is_floating_point_v<From>) {
      // 2^63 is no i64, so both limits are compared with equality.
      if (!(x == x)) return 0;
      if (x <= static_cast<From>(low)) return low;
      if (x >= static_cast<From>(high)) return high;
      return static_cast<To>(x);
    } else {
      const std::int64_t wide = static_cast<std::int64_t>(x);
      if (wide < static_cast<std::int64_t>(low)) return low;
      if (wide > static_cast<std::int64_t>(high)) return high;
      return static_cast<To>(wide);
    }
  }
}

template <class T, int N>
__global__ void __launch_bounds__(block_threads)
    fill_kernel(T* y, T value, std::int64_t size, std::int64_t packs) {
  Pack<T, N> all;
  for (int j = 0; j < N; ++j) all.value[j] = value;
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) store_pack(y, i, all);
  for (std::int64_t i = packs * N + global_thread(); i < size; i += global_threads()) y[i] = value;
}

struct Cast {
  template <class X, class Y>
  __device__ static Y apply(X x, Y, float) {
    return convert<Y>(x);
  }
};
struct Accumulate {
  template <class X, class Y>
  __device__ static Y apply(X x, Y y, float) {
    return from_float<Y>(to_float(y) + to_float(x));
  }
};
struct ScaleBy {
  template <class X, class Y>
  __device__ static Y apply(X x, Y, float factor) {
    return from_float<Y>(to_float(x) * factor);
  }
};

// y is read only where the operation uses it: a load without a use is removed.
template <class Op, class X, class Y, int N>
__global__ void __launch_bounds__(block_threads)
    map_kernel(const X* x, const float* factor, Y* y, std::int64_t size, std::int64_t packs) {
  const float by = factor ? *factor : 0.0f;
  for (std::int64_t i = global_thread(); i < packs; i += global_threads()) {
    const Pack<X, N> in = load_pack<N>(x, i);
    Pack<Y, N> out;
    if constexpr (std::is_same_v<Op, Accumulate>) out = load_pack<N>(y, i);
    for (int j = 0; j < N; ++j) out.value[j] = Op::apply(in.value[j], out.value[j], by);
    store_pack(y, i, out);
  }
  for (std::int64_t i = packs * N + global_thread(); i < size; i += global_threads()) {
    Y out{};
    if constexpr (std::is_same_v<Op, Accumulate>) out = y[i];
    y[i] = Op::apply(x[i], out, by);
  }
}

template <class Op, class X, class Y>
void map(Context& context, const ConstView& x, const float* factor, const View& y) {
  constexpr int N = pack_width<X, Y>();
  const std::int64_t size = x.size();
  const std::int64_t packs = pack_count<N>(size, x.as<X>(), y.as<Y>());
  LAUNCH((map_kernel<Op, X, Y, N>), stride_grid(context, size, block_threads * N), block_threads, 0,
         context.stream, x.as<X>(), factor, y.as<Y>(), size, packs);
}

}  // namespace

void fill(Context& context, View y, double value) {
  const std::int64_t size = y.size();
  if (size == 0) return;
  dispatch_any(y.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    constexpr int N = pack_width<T>();
    LAUNCH((fill_kernel<T, N>), stride_grid(context, size, block_threads * N), block_threads, 0,
           context.stream, y.as<T>(), convert<T>(value), size, pack_count<N>(size, y.as<T>()));
  });
}

void cast(Context& context, ConstView x, View y) {
  require_size(y, x.size(), "cast", "y");
  if (x.size() == 0) return;
  dispatch_any(x.dtype, [&](auto from) {
    dispatch_any(y.dtype, [&](auto to) {
      map<Cast, typename decltype(from)::type, typename decltype(to)::type>(context, x, nullptr, y);
    });
  });
}

void accumulate(Context& context, ConstView x, View y) {
  require_size(y, x.size(), "accumulate", "y");
  if (x.size() == 0) return;
  dispatch_floating("accumulate", x.dtype, [&](auto from) {
    dispatch_floating("accumulate", y.dtype, [&](auto to) {
      map<Accumulate, typename decltype(from)::type, typename decltype(to)::type>(context, x, nullptr, y);
    });
  });
}

void scale_by(Context& context, ConstView x, ConstView factor, View y) {
  require_size(y, x.size(), "scale_by", "y");
  require_dtype(factor, DType::f32, "scale_by", "factor");
  require_size(factor, 1, "scale_by", "factor");
  if (x.size() == 0) return;
  dispatch_floating("scale_by", x.dtype, [&](auto from) {
    dispatch_floating("scale_by", y.dtype, [&](auto to) {
      map<ScaleBy, typename decltype(from)::type, typename decltype(to)::type>(context, x, factor.as<float>(),
                                                                               y);
    });
  });
}

}  // namespace chorale::cuda
