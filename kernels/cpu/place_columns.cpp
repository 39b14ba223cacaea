// SPDX-License-Identifier: MIT
// y[:, first : first + columns of x] = x: half of a concatenation, or columns put back where they came from.
//
// x [n, a] and y [n, b] of one dtype, row-major, moved as raw bytes; y's other columns are kept. A task
// copies a row. Bytes moved: 2 x.
#include <cstring>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"

namespace chorale::cpu {

void place_columns(Context&, ConstView x, std::int64_t first_column, View y) {
  const char* kernel = "place_columns";
  require(x.dtype == y.dtype && x.rank == 2 && y.rank == 2 && x.shape[0] == y.shape[0] && present(x) &&
              present(y),
          kernel, "x and y must be matrices of one dtype and number of rows", x, y);
  require(first_column >= 0 && first_column + x.shape[1] <= y.shape[1], kernel,
          "x must lie within y's columns", x, y);
  const std::size_t word = dtype_size(x.dtype), bytes = static_cast<std::size_t>(x.shape[1]) * word,
                    stride = static_cast<std::size_t>(y.shape[1]) * word;
  if (bytes == 0) return;
  const auto* from = x.as<std::byte>();
  auto* to = y.as<std::byte>() + static_cast<std::size_t>(first_column) * word;
  parallel_tasks(x.shape[0], x.size(), [&](std::int64_t task) {
    const auto row = static_cast<std::size_t>(task);
    std::memcpy(to + row * stride, from + row * bytes, bytes);
  });
}

}  // namespace chorale::cpu
