// SPDX-License-Identifier: MIT
// What the safetensors reader and writer share.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "kernels/dtype.h"

namespace chorale::safetensors {

constexpr std::uint64_t max_header = 100'000'000;  ///< bytes, as the reference implementation

struct NamedType {
  std::string_view name;
  DType dtype;
};
// In the order in which the reference implementation lays tensors out, widest alignment first.
inline constexpr std::array<NamedType, 8> types{{{"I64", DType::i64},
                                                 {"F64", DType::f64},
                                                 {"F32", DType::f32},
                                                 {"I32", DType::i32},
                                                 {"BF16", DType::bf16},
                                                 {"F16", DType::f16},
                                                 {"I16", DType::i16},
                                                 {"U8", DType::u8}}};

inline std::size_t layout_rank(DType dtype) {
  const auto is = [&](const NamedType& type) { return type.dtype == dtype; };
  return static_cast<std::size_t>(std::find_if(types.begin(), types.end(), is) - types.begin());
}

}  // namespace chorale::safetensors
