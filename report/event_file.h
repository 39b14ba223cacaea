// SPDX-License-Identifier: MIT
// TensorBoard's event files: TFRecords (length and CRC-32C around each) of `Event` protocol buffers with
// scalar summaries, and the files of its embedding projector.
#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::report {

/// One point of one curve.
struct Scalar {
  std::string tag;  ///< "loss/train": what stands before the slash groups the curves
  double value = 0;
};

class EventFile {
 public:
  /// Opens `<folder>/events.out.tfevents.<seconds>.<host>.<pid>` and removes the event files that were there:
  /// the run's history is written anew, so that no step appears twice. InputError when it cannot be written.
  explicit EventFile(const std::string& folder);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::string& path() const { return path_; }
  /// Appends the curves' values at `step`; readers see them at once. Non-finite values are left out.
  void write(std::int64_t step, const std::vector<Scalar>& scalars);

 private:
  void append(const std::string& event);

  std::string path_;
  std::FILE* file_ = nullptr;
};

/// CRC-32C (Castagnoli), as TFRecords mask it.
std::uint32_t masked_crc32c(const std::string& bytes);

/// Writes <folder>/latents.tsv, latents_metadata.tsv and projector_config.pbtxt: `codes` f32 (n, d) with a
/// row of `columns` cells each.
void write_projector(const std::string& folder, const Tensor& codes,
                     const std::vector<std::string>& column_names,
                     const std::vector<std::vector<std::string>>& columns);

}  // namespace chorale::report
