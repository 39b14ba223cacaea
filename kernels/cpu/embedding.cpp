// SPDX-License-Identifier: MIT
// The gradient of rows taken from a table:  dw[v] = beta dw[v] + sum of the rows dy[r] with index[r] = v.
//
// dy [n, d], index i64 [n], dw [v, d]. Rows are sorted by index first (by counting, so equal ones keep their
// order), then each row of dw is made by one task: f64 sums, one rounding. Bytes moved: dy + dw, and dw once
// more where beta is not 0.
#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/storage.h"

namespace chorale::cpu {
namespace {

/// Rows by table row: those of v are order[start(v) .. start(v + 1)).
class SortedRows {
 public:
  SortedRows(Context& context, const std::int64_t* index, std::int64_t rows, std::int64_t table_rows)
      : starts_(context, static_cast<std::size_t>(table_rows + 2) * sizeof(std::int64_t)),
        order_(context, static_cast<std::size_t>(rows) * sizeof(std::int64_t)) {
    // Counts stand two places late, so that filling leaves every start in its place.
    auto *starts = starts_.as<std::int64_t>(), *order = order_.as<std::int64_t>();
    const auto inside = [&](std::int64_t r) { return index[r] >= 0 && index[r] < table_rows; };
    std::fill_n(starts, table_rows + 2, 0);
    for (std::int64_t r = 0; r < rows; ++r)
      if (inside(r)) ++starts[index[r] + 2];
    for (std::int64_t v = 2; v < table_rows + 2; ++v) starts[v] += starts[v - 1];
    for (std::int64_t r = 0; r < rows; ++r)
      if (inside(r)) order[starts[index[r] + 1]++] = r;
  }
  const std::int64_t* begin(std::int64_t v) const {
    return order_.as<std::int64_t>() + starts_.as<std::int64_t>()[v];
  }
  const std::int64_t* end(std::int64_t v) const { return begin(v + 1); }

 private:
  Scratch starts_, order_;
};

}  // namespace

void embedding_backward(Context& context, ConstView dy, ConstView index, View dw, float beta) {
  const char* kernel = "embedding_backward";
  require_storage(kernel, dy, dw);
  require(dy.rank == 2 && dw.rank == 2 && dy.shape[1] == dw.shape[1], kernel,
          "dy must be [n, d] and dw [v, d]", dy, dw);
  require(index.dtype == DType::i64 && index.size() == dy.shape[0] && present(index), kernel,
          "index must be i64 [n]", dy, index);
  const std::int64_t d = dw.shape[1];
  const SortedRows rows(context, index.as<std::int64_t>(), dy.shape[0], dw.shape[0]);
  parallel_tasks(dw.shape[0], dy.size() + dw.size(), [&](std::int64_t v) {
    alignas(64) float buffer[chunk], made[chunk];
    double sum[chunk];
    for (std::int64_t c = 0; c < d; c += chunk) {
      const std::int64_t count = std::min(chunk, d - c);
      std::fill_n(sum, count, 0.0);
      for (const std::int64_t* r = rows.begin(v); r < rows.end(v); ++r) {
        const float* dys = load(dy, *r * d + c, count, buffer);
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(dys[i]);
      }
      if (beta != 0.0f) {
        const float* old = load(dw, v * d + c, count, buffer);
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i)
          sum[i] += static_cast<double>(beta) * static_cast<double>(old[i]);
      }
      float* dws = target(dw, v * d + c, made);
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) dws[i] = static_cast<float>(sum[i]);
      store(dws, dw, v * d + c, count);
    }
  });
}

}  // namespace chorale::cpu
