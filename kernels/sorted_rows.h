// SPDX-License-Identifier: MIT
// Rows sorted by cluster, cut into the pieces that leave partial sums: at every dispersion_block rows and
// where a cluster ends. What block b and cluster c have in common is piece b + c: from one piece to the next
// at least one of both grows and none falls, so no two pieces share a number, and a cluster's own are those
// of consecutive blocks. Read by both compilers.
#pragma once
#include <cstdint>

#include "kernels/macros.h"
#include "kernels/params.h"

namespace chorale {

/// Rows first to last, all of one cluster and one block; none once the block is done.
struct Piece {
  std::int64_t first, last, cluster, number, block_end;
};

struct SortedRows {
  const std::int64_t* offsets;  ///< [k + 1]: cluster c owns rows offsets[c] to offsets[c + 1]
  std::int64_t n, k;

  CHORALE_HD std::int64_t blocks() const { return (n + dispersion_block - 1) / dispersion_block; }
  /// Numbers that pieces may have.
  CHORALE_HD std::int64_t pieces() const { return blocks() + k; }

  CHORALE_HD Piece first_piece(std::int64_t block) const {
    const std::int64_t begin = block * dispersion_block, end = begin + dispersion_block;
    std::int64_t low = 0, high = k;  // the last cluster that begins at or before the block
    while (high - low > 1) {
      const std::int64_t middle = (low + high) / 2;
      if (offsets[middle] <= begin) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return piece_at(begin, low, block, end < n ? end : n);
  }

  CHORALE_HD Piece after(const Piece& p) const {
    if (p.last == p.block_end) return {p.last, p.last, p.cluster, p.number, p.block_end};
    std::int64_t cluster = p.cluster + 1;
    while (offsets[cluster + 1] == p.last) ++cluster;
    return piece_at(p.last, cluster, p.number - p.cluster, p.block_end);
  }

  /// Numbers of a cluster's first piece and of the one behind its last.
  CHORALE_HD std::int64_t first_number(std::int64_t cluster) const {
    return offsets[cluster] / dispersion_block + cluster;
  }
  CHORALE_HD std::int64_t end_number(std::int64_t cluster) const {
    const bool empty = offsets[cluster] == offsets[cluster + 1];
    return empty ? first_number(cluster) : (offsets[cluster + 1] - 1) / dispersion_block + cluster + 1;
  }

 private:
  CHORALE_HD Piece piece_at(std::int64_t row, std::int64_t cluster, std::int64_t block,
                            std::int64_t block_end) const {
    const std::int64_t end = offsets[cluster + 1];
    return {row, end < block_end ? end : block_end, cluster, block + cluster, block_end};
  }
};

}  // namespace chorale
