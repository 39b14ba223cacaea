// SPDX-License-Identifier: MIT
// Argument checks shared by the CPU kernels. A failed check throws ContractError naming the kernel, what it
// wants and the views it was given.
#pragma once
#include <string>

#include "kernels/view.h"

namespace chorale::cpu {

/// "f32 (32, 128)"; "none" for a view without data.
inline std::string describe(const ConstView& v) {
  std::string text(v.data || v.size() == 0 ? "" : "none ");
  text += std::string(dtype_name(v.dtype)) + " (";
  for (int i = 0; i < v.rank; ++i)
    text += (i ? ", " : "") + std::to_string(v.shape[static_cast<std::size_t>(i)]);
  return text + ")";
}

template <class... Views>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const char* kernel, const char* what,
                                                 const Views&... views) {
  std::string text = std::string(kernel) + ": " + what + ":";
  ((text += " " + describe(ConstView(views)) + ","), ...);
  text.pop_back();
  throw ContractError(text);
}

template <class... Views>
void require(bool ok, const char* kernel, const char* what, const Views&... views) {
  if (!ok) [[unlikely]]
    fail(kernel, what, views...);
}

/// f32, f16 or bf16: what the storage helpers read and write.
inline bool is_storage(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16; }

/// Data is there unless there is nothing to hold.
inline bool present(const ConstView& v) { return v.data != nullptr || v.size() == 0; }

template <class... Views>
void require_storage(const char* kernel, const Views&... views) {
  require(((is_storage(views.dtype) && present(ConstView(views))) && ...), kernel,
          "every view must hold f32, f16 or bf16", views...);
}

inline bool same_shape(const ConstView& a, const ConstView& b) {
  if (a.rank != b.rank) return false;
  for (int i = 0; i < a.rank; ++i)
    if (a.shape[static_cast<std::size_t>(i)] != b.shape[static_cast<std::size_t>(i)]) return false;
  return true;
}

}  // namespace chorale::cpu
