// SPDX-License-Identifier: MIT
// Matrices and labels that clustering programs read, and where their results go.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::tools {

/// A matrix of any numeric type as f32 (n, d) on the current device. InputError for another rank; DeviceError
/// if it cannot fit into memory.
Tensor read_matrix(const std::string& path);

/// Integers (rows), one a row. InputError for another length or type.
std::vector<std::int32_t> read_labels(const std::string& path, std::int64_t rows);

/// The outputs of one program run.
struct ClusterOutputs {
  std::string labels;  ///< file; with several algorithms one each, <stem>_<algorithm>.npy; may be empty
  std::string
      folder;  ///< all arrays and summary.json; with several algorithms in folders of theirs; may be empty
  std::string summary;  ///< JSON file; may be empty

  /// Where the labels of an algorithm go besides the folder; "" if nowhere.
  std::string labels_of(const std::string& algorithm, bool several) const;
  /// Folder of an algorithm's arrays; "" if there is none.
  std::string folder_of(const std::string& algorithm, bool several) const;
  /// Before any work: every file can be written, and none is the same as another one or an input (option,
  /// path). Makes the folders.
  void check(const std::vector<std::string>& algorithms,
             const std::vector<std::pair<std::string, std::string>>& inputs) const;
};

}  // namespace chorale::tools
