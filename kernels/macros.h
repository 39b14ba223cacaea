// SPDX-License-Identifier: MIT
// What both compilers need to agree on.
#pragma once

#if defined(__CUDACC__)
#define CHORALE_HD __host__ __device__
#else
#define CHORALE_HD
#endif
