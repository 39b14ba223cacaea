// SPDX-License-Identifier: MIT
// Tells the compiler that glibc's libmvec has vector forms of the functions that loops here call, so that it
// may vectorise such loops without -ffast-math (which would also turn NaN checks off). They are within 4 ulp
// and handle NaN, infinities and zeros as the scalar ones do. Include before kernels/functors.h; elsewhere it
// does nothing.
#pragma once
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 35)
extern "C" {
__attribute__((simd("notinbranch"))) float expf(float) noexcept;
__attribute__((simd("notinbranch"))) float logf(float) noexcept;
__attribute__((simd("notinbranch"))) float sinf(float) noexcept;
__attribute__((simd("notinbranch"))) float cosf(float) noexcept;
__attribute__((simd("notinbranch"))) float tanhf(float) noexcept;
__attribute__((simd("notinbranch"))) float erff(float) noexcept;
__attribute__((simd("notinbranch"))) float log1pf(float) noexcept;
}
#endif
#endif
