// SPDX-License-Identifier: MIT
#include "tools/clustering/files.h"

#include <filesystem>

#include "tensor/npy.h"
#include "tools/common/text.h"

namespace chorale::tools {
namespace {

namespace fs = std::filesystem;

/// Before it is read: the matrix in f32 and the centred copy that every algorithm makes.
void check_fits(const std::string& path) {
  const Shape shape = read_npy_shape(path);
  const double needed = 2.0 * sizeof(float) * static_cast<double>(element_count(shape));
  const std::size_t available = current_context().available_memory();
  if (needed > static_cast<double>(available))
    throw DeviceError(concat(path, ": ", to_string(shape), " needs ", format_bytes(needed), " of memory, ",
                             format_bytes(static_cast<double>(available)),
                             " are available (allowed what fits, or --max-memory with k-means)"));
}

}  // namespace

Tensor read_matrix(const std::string& path) {
  check_fits(path);
  const Tensor x = read_npy(path);
  if (x.rank() != 2)
    throw InputError(concat(path, ": not a matrix: ", to_string(x.shape()), " (allowed shape (n, d))"));
  return x.to(DType::f32);
}

std::vector<std::int32_t> read_labels(const std::string& path, std::int64_t rows) {
  const NpyArray array = read_npy_host(path);
  if (array.shape != Shape{rows})
    throw InputError(concat(path, ": labels of another shape than the rows: ", to_string(array.shape),
                            " (allowed (", rows, ",))"));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(rows));
  const auto convert = [&](const auto& values) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto value = static_cast<std::int64_t>(values[i]);
      if (value < INT32_MIN || value > INT32_MAX)
        throw InputError(
            concat(path, ": label out of range: ", value, " at row ", i, " (allowed 32-bit integers)"));
      labels[i] = static_cast<std::int32_t>(value);
    }
  };
  switch (array.dtype) {
    case DType::i32:
      convert(array.as<std::int32_t>());
      break;
    case DType::i64:
      convert(array.as<std::int64_t>());
      break;
    case DType::u8:
      convert(array.as<std::uint8_t>());
      break;
    default:
      throw InputError(concat(path, ": labels are no integers: ", std::string(dtype_name(array.dtype)),
                              " (allowed integer types)"));
  }
  return labels;
}

std::string ClusterOutputs::labels_of(const std::string& algorithm, bool several) const {
  if (labels.empty() || !several) return labels;
  const fs::path path(labels);
  return (path.parent_path() / (path.stem().string() + "_" + algorithm + path.extension().string())).string();
}

std::string ClusterOutputs::folder_of(const std::string& algorithm, bool several) const {
  return folder.empty() || !several ? folder : folder + "/" + algorithm;
}

void ClusterOutputs::check(const std::vector<std::string>& algorithms,
                           const std::vector<std::pair<std::string, std::string>>& inputs) const {
  std::vector<std::pair<std::string, std::string>> seen = inputs, files;
  const bool several = algorithms.size() > 1;
  for (const std::string& algorithm : algorithms) {
    if (!labels.empty()) files.emplace_back("--output", labels_of(algorithm, several));
    if (!folder.empty()) {
      create_directories(folder_of(algorithm, several));
      files.emplace_back("--output-dir", folder_of(algorithm, several) + "/labels.npy");
    }
  }
  if (!folder.empty()) files.emplace_back("--output-dir", folder + "/summary.json");
  if (!summary.empty()) files.emplace_back("--summary", summary);
  for (const auto& [option, path] : files) {
    for (const auto& [other, other_path] : seen) {
      std::error_code ignored;
      if (path == other_path || fs::equivalent(path, other_path, ignored))
        throw UsageError(
            concat(option, ": the same file as ", other, ": ", path, " (allowed a file of its own)"));
    }
    check_writable(path);
    seen.emplace_back(option, path);
  }
}

}  // namespace chorale::tools
