// SPDX-License-Identifier: MIT
// One shard of a feature cache on its way to disk: rows are hashed and written beside the caller.
#pragma once
#include <cstdint>
#include <future>
#include <span>
#include <string>
#include <vector>

#include "data/feature_index.h"
#include "tensor/file.h"
#include "tensor/tensor.h"

namespace chorale::data {

/// Errors of a write (InputError, "disk full") come with the call after it.
class ShardWriter {
 public:
  /// The file appears on commit(). `capacity`: the rows of a whole shard; its hash needs no second look then.
  ShardWriter(std::string path, Shape row_shape, std::int64_t capacity);

  std::int64_t rows() const { return rows_; }
  std::int64_t room() const { return capacity_ - rows_; }

  /// Appends rows `begin` to `end` of the parts, f32 (n, ...) on the current context's device, which one
  /// after the other make a row. Waits for the rows before; returns while these are being written. They are
  /// not to be changed until then.
  void append(const std::vector<Tensor>& parts, std::int64_t begin, std::int64_t end);
  /// Completes the file, of one row at least.
  IndexedShard commit();

 private:
  std::string header_of(std::int64_t rows) const;
  void wait();

  std::string path_;
  Shape row_shape_;
  std::int64_t capacity_, rows_ = 0;
  AtomicFile file_;
  ContentHash hash_;
  std::vector<Tensor> parts_;                   ///< that are being written from
  std::vector<float> staged_;                   ///< the same from another device's memory
  std::vector<std::span<const float>> pieces_;  ///< of rows, in order
  std::future<void> write_;                     ///< ends before the members above
};

}  // namespace chorale::data
