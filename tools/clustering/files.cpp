// SPDX-License-Identifier: MIT
#include "tools/clustering/files.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>

#include "tensor/npy.h"
#include "tools/clustering/algorithms.h"
#include "tools/common/log.h"
#include "tools/common/text.h"

namespace chorale::tools {
namespace {

namespace fs = std::filesystem;

/// Before it is read: the matrix as it is, in f32, and the centred copy that every algorithm makes.
void check_fits(const std::string& path) {
  const Shape shape = read_npy_header(path).shape;
  const double needed = std::max(
      2.0 * sizeof(float) * static_cast<double>(element_count(shape)),
      static_cast<double>(fs::file_size(path)) + sizeof(float) * static_cast<double>(element_count(shape)));
  const std::size_t available = current_context().available_memory();
  if (needed > static_cast<double>(available))
    throw DeviceError(concat(path, ": ", to_string(shape), " needs ", format_bytes(needed), " of memory, ",
                             format_bytes(static_cast<double>(available)),
                             " are available (allowed what fits, or --max-memory with k-means)"));
}

/// Farther from 0 than this many times their range, f32 values keep fewer than 20 bits of what tells them
/// apart.
constexpr double far_from_zero = 16;

/// Column means, where a column lies far from 0, else 0; empty if none does.
template <class T>
std::vector<double> far_origin(std::span<const T> values, std::size_t d) {
  std::vector<double> low(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(d)), high = low,
                                                                                            sum(d);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    const std::size_t j = i % d;
    low[j] = std::min(low[j], value);
    high[j] = std::max(high[j], value);
    sum[j] += value;
  }
  std::vector<double> origin(d, 0.0);
  bool any = false;
  for (std::size_t j = 0; j < d; ++j) {
    const double mean = sum[j] / static_cast<double>(values.size() / d);
    if (!(std::fabs(mean) > far_from_zero * (high[j] - low[j])) || !std::isfinite(mean)) continue;
    origin[j] = mean;
    any = true;
  }
  return any ? origin : std::vector<double>();
}

template <class T>
Points subtract_origin(const NpyArray& array, const std::string& path) {
  const std::span<const T> values = array.as<T>();
  const auto d = static_cast<std::size_t>(array.shape[1]);
  Points points{Tensor(), far_origin(values, d)};
  std::vector<float> x(values.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    x[i] = static_cast<float>(points.origin.empty() ? value : value - points.origin[i % d]);
    if (std::isinf(x[i]) && std::isfinite(value))
      throw InputError(concat(path, ": element beyond f32: ", value, " at row ", i / d, ", column ", i % d,
                              " (allowed magnitudes up to 3.4e38)"));
  }
  points.x = Tensor::from_host(x, array.shape);
  return points;
}

}  // namespace

Points read_points(const std::string& path, bool keep_origin) {
  check_fits(path);
  const auto [shape, dtype] = read_npy_header(path);
  if (shape.size() != 2)
    throw InputError(concat(path, ": not a matrix: ", to_string(shape), " (allowed shape (n, d))"));
  const bool exact = dtype != DType::f64 && dtype != DType::i32 && dtype != DType::i64;
  if (exact || keep_origin || element_count(shape) == 0) return {read_npy(path).to(DType::f32), {}};
  const NpyArray array = read_npy_host(path);
  Points points = dtype == DType::f64   ? subtract_origin<double>(array, path)
                  : dtype == DType::i32 ? subtract_origin<std::int32_t>(array, path)
                                        : subtract_origin<std::int64_t>(array, path);
  if (!points.origin.empty())
    log_info(path, ": means of columns far from 0 are subtracted before rounding to f32");
  return points;
}

Tensor from_origin(const Tensor& centers, const std::vector<double>& origin) {
  if (origin.empty()) return centers;
  std::vector<double> values = centers.to(DType::f64).to_host<double>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += origin[i % origin.size()];
  return Tensor::from_host(values, centers.shape());
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
  if (!labels.empty() && fs::path(labels).extension() != ".npy")
    throw UsageError(concat("--output: not a NumPy file: ", labels, " (allowed a path ending in .npy)"));
  std::vector<std::pair<std::string, std::string>> seen = inputs, files;
  const bool several = algorithms.size() > 1;
  for (const std::string& algorithm : algorithms) {
    if (!labels.empty()) files.emplace_back("--output", labels_of(algorithm, several));
    if (folder.empty()) continue;
    create_directories(folder_of(algorithm, several));
    for (const std::string& array : array_names())
      files.emplace_back("--output-dir", folder_of(algorithm, several) + "/" + array + ".npy");
  }
  if (!folder.empty())
    for (const char* name : {"summary.json", "projection.npy"})
      files.emplace_back("--output-dir", folder + "/" + name);
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

void ClusterOutputs::remove_stale(const std::string& algorithm, bool several,
                                  const std::vector<std::string>& written) const {
  const std::string path = folder_of(algorithm, several);
  if (path.empty()) return;
  for (const std::string& array : array_names())
    if (std::find(written.begin(), written.end(), array) == written.end()) {
      std::error_code ignored;
      fs::remove(path + "/" + array + ".npy", ignored);
    }
}

}  // namespace chorale::tools
