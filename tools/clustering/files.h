// SPDX-License-Identifier: MIT
// Matrices and labels that clustering programs read, and where their results go.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace chorale::tools {

/// A matrix as algorithms take it.
struct Points {
  Tensor x;  ///< f32 (n, d) on the current device
  std::vector<double>
      origin;  ///< (d): was subtracted from every row before rounding to f32; empty: nothing was
};

/// Reads a matrix of any numeric type. Columns of f64 and integers that lie far from 0 beside their range
/// (times of day since 1970, say) lose their mean before they are rounded, unless `keep_origin`. InputError
/// for another rank; DeviceError if it cannot fit into memory.
Points read_points(const std::string& path, bool keep_origin = false);

/// Centers (k, d) of points where they came from: f64 if an origin was subtracted.
Tensor from_origin(const Tensor& centers, const std::vector<double>& origin);

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
  /// Before any work: every file can be written, and none that an algorithm may write is the same as another
  /// one or an input (option, path). Makes the folders.
  void check(const std::vector<std::string>& algorithms,
             const std::vector<std::pair<std::string, std::string>>& inputs) const;
  /// Removes arrays of earlier runs from the folder of an algorithm: all that a program of this name writes
  /// and `written` does not name.
  void remove_stale(const std::string& algorithm, bool several,
                    const std::vector<std::string>& written) const;
};

}  // namespace chorale::tools
