// SPDX-License-Identifier: MIT
// k-means on Thrust's OpenMP backend; the algorithms stand in kernels/thrust. Small steps run on
// the calling thread, where waking the others would cost more; neither choice changes a bit of the result.
#define THRUST_DEVICE_SYSTEM THRUST_DEVICE_SYSTEM_OMP
#include "kernels/thrust/kmeans.inl"
#include "kernels/thrust/kmeans_seeding.inl"

#include <thrust/system/cpp/execution_policy.h>
#include <thrust/system/omp/execution_policy.h>

#include "kernels/cpu/checks.h"
#include "kernels/cpu/kernels.h"

namespace chorale::cpu {
namespace {

struct System {
  ScratchSource* scratch;
  static constexpr std::int64_t points_per_item = 1024;
  static constexpr std::int64_t parallel_work = 65536;
  static std::int64_t columns_per_item(std::int64_t d) { return d; }
  template <class F>
  void run(std::int64_t work, const F& f) const {
    thrust_kmeans::ScratchAllocator allocator{scratch};
    if (work < parallel_work) {
      f(thrust::cpp::par(allocator));
    } else {
      f(thrust::omp::par(allocator));
    }
  }
  template <class T>
  static T read(const T* value) {
    return *value;
  }
};

}  // namespace

void kmeans_update(Context& context, ConstView x, ConstView restarts, ConstView labels, View accounted,
                   View sums, View counts, View status) {
  require(x.dtype == DType::f32 && x.rank == 2 && sums.dtype == DType::f64 && sums.rank == 3 &&
              sums.shape[2] == x.shape[1] && labels.columns() == x.shape[0] &&
              accounted.size() == labels.size() && counts.dtype == DType::i64 && status.dtype == DType::f64,
          "kmeans_update",
          "x f32 [n, d], labels, accounted i32 [r, n], sums f64 [r, k, d], counts i64 [r, k]", x, labels,
          accounted, sums, counts);
  System system{context.scratch};
  thrust_kmeans::update(system, context, x, restarts, labels, accounted, sums, counts, status);
}

void kmeans_centers(Context& context, ConstView restarts, ConstView sums, ConstView counts,
                    CenterParams params, View centers, View half_norms, View status) {
  require(sums.dtype == DType::f64 && sums.rank == 3 && centers.dtype == DType::f32 &&
              centers.size() == sums.size() && half_norms.size() == counts.size(),
          "kmeans_centers", "sums f64, centers f32 [r, k, d], counts, half_norms [r, k]", sums, centers,
          counts, half_norms);
  System system{context.scratch};
  thrust_kmeans::centers_from_sums(system, context, restarts, sums, counts, params, centers, half_norms,
                                   status);
}

void kmeans_seed_choose(Context& context, ConstView x, ConstView candidates, ConstView distances,
                        ConstView block_sums, std::uint64_t seed, std::int64_t step, View centers,
                        View closest, View next) {
  require(x.dtype == DType::f32 && x.rank == 2 && centers.rank == 3 && centers.shape[2] == x.shape[1] &&
              distances.columns() == x.shape[0] && closest.size() == centers.shape[0] * x.shape[0],
          "kmeans_seed_choose", "x f32 [n, d], centers f32 [r, k, d], distances [c, n], closest [r, n]", x,
          centers, distances, closest);
  System system{context.scratch};
  thrust_kmeans::seed_choose(system, context, x, candidates, distances, block_sums, seed, step, centers,
                             closest, next);
}

}  // namespace chorale::cpu
