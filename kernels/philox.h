// SPDX-License-Identifier: MIT
// Philox4x32-10 (Salmon et al., SC 2011): random numbers as a function of (seed, offset, stream, index), the
// same on every backend. Element i takes word i % 4 of the block with counter
// {i / 4 (low), i / 4 (high), stream, offset} under the key `seed`; `stream` names the op within a step,
// `offset` counts micro-batches.
#pragma once
#include <cmath>
#include <cstdint>

#include "kernels/macros.h"

namespace chorale::philox {

struct Block {
  std::uint32_t word[4];
};

CHORALE_HD inline Block block(std::uint64_t seed, std::uint64_t offset, std::uint32_t stream,
                              std::uint64_t index) {
  std::uint32_t c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32);
  std::uint32_t c2 = stream, c3 = static_cast<std::uint32_t>(offset);
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return Block{{c0, c1, c2, c3}};
}

/// In [0, 1), 24 bits.
CHORALE_HD inline float uniform(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Word of element `index`.
CHORALE_HD inline std::uint32_t word(std::uint64_t seed, std::uint64_t offset, std::uint32_t stream,
                                     std::uint64_t index) {
  return block(seed, offset, stream, index / 4).word[index % 4];
}

/// floor(uniform(word) n) without rounding, for n < 2^39.
CHORALE_HD inline std::int64_t below(std::uint32_t word, std::int64_t n) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(word >> 8) * static_cast<std::uint64_t>(n) >>
                                   24);
}

/// The four standard normals of a block, by Box-Muller: (0, 1) from words 0 and 1, (2, 3) from words 2 and 3.
CHORALE_HD inline void normals(const Block& b, float out[4]) {
  for (int pair = 0; pair < 2; ++pair) {
    const float u = static_cast<float>((b.word[2 * pair] >> 8) + 1) * 0x1p-24f;  // (0, 1]
    const float angle = 6.28318530718f * uniform(b.word[2 * pair + 1]);
    const float radius = ::sqrtf(-2.0f * ::logf(u));
    out[2 * pair] = radius * ::cosf(angle);
    out[2 * pair + 1] = radius * ::sinf(angle);
  }
}

}  // namespace chorale::philox
