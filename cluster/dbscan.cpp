// SPDX-License-Identifier: MIT
#include "cluster/dbscan.h"

#include <cmath>
#include <vector>

#include "cluster/point_order.h"
#include "kernels/launch.h"

namespace chorale::cluster {
namespace {

[[noreturn]] void refuse(const char* option, const std::string& value, const char* allowed) {
  throw UsageError(std::string(option) + ": out of range: " + value + " (allowed " + allowed + ")");
}

/// Components, named by their lowest core point, become consecutive numbers in that order.
std::vector<std::int32_t> number(const std::vector<std::int32_t>& components) {
  std::vector<std::int32_t> numbers(components.size(), -1), labels;
  std::int32_t next = 0;
  for (std::size_t i = 0; i < components.size(); ++i)
    if (components[i] == static_cast<std::int32_t>(i)) numbers[i] = next++;
  labels.reserve(components.size());
  for (const std::int32_t component : components)
    labels.push_back(component < 0 ? -1 : numbers[static_cast<std::size_t>(component)]);
  return labels;
}

}  // namespace

DbscanResult dbscan(const Tensor& x, const DbscanOptions& options, const std::string& name) {
  check_matrix(x, name);
  if (!(options.eps > 0) || std::isinf(options.eps))
    refuse("eps", std::to_string(options.eps), "finite numbers above 0");
  if (options.min_samples < 1) refuse("min_samples", std::to_string(options.min_samples), "1 or more");
  const PointSet points(x, name);
  const std::int64_t n = points.size();
  if (options.min_samples > n) return {Tensor::full({n}, -1, DType::i32), Tensor::zeros({0}, DType::i32)};
  const OrderedPoints p = points.arrange(points.bisection_order());
  const Tensor components({n}, DType::i32), core({n}, DType::u8);
  kernel::density_components(current_context(), p.x, p.centered, p.norms, p.ids, p.low, p.high, options.eps,
                             options.min_samples, components, core);
  const std::vector<std::uint8_t> is_core = core.to_host<std::uint8_t>();
  std::vector<std::int32_t> indices;
  for (std::size_t i = 0; i < is_core.size(); ++i)
    if (is_core[i]) indices.push_back(static_cast<std::int32_t>(i));
  return {Tensor::from_host(number(components.to_host<std::int32_t>()), {n}),
          Tensor::from_host(indices, {static_cast<std::int64_t>(indices.size())})};
}

}  // namespace chorale::cluster
