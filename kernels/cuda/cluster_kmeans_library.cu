// SPDX-License-Identifier: MIT
// k-means on Thrust's CUDA backend; the algorithms stand in kernels/thrust. Everything runs on the
// context's stream, with the context's scratch memory; only the number of moves is read by the host.
#include "kernels/thrust/kmeans.inl"
#include "kernels/thrust/kmeans_seeding.inl"

#include <thrust/system/cuda/execution_policy.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/cuda/kernels.h"

namespace chorale::cuda {
namespace {

struct System {
  Context& context;
  static constexpr std::int64_t points_per_item = 16;
  static std::int64_t columns_per_item(std::int64_t) { return 1; }
  template <class F>
  void run(std::int64_t, const F& f) const {
    thrust_kmeans::ScratchAllocator allocator{context.scratch};
    f(thrust::cuda::par_nosync(allocator).on(static_cast<cudaStream_t>(context.stream)));
  }
  template <class T>
  T read(const T* value) const {
    T host;
    const auto stream = static_cast<cudaStream_t>(context.stream);
    CHORALE_CUDA_CHECK(cudaMemcpyAsync(&host, value, sizeof host, cudaMemcpyDeviceToHost, stream));
    CHORALE_CUDA_CHECK(cudaStreamSynchronize(stream));
    return host;
  }
};

/// Thrust reports a failed launch as an exception of its own.
template <class F>
void checked(const char* op, const F& f) {
  try {
    f();
  } catch (const thrust::system_error& error) {
    throw DeviceError(std::string(op) + ": " + error.what());
  }
}

}  // namespace

void kmeans_update(Context& context, ConstView x, ConstView restarts, ConstView labels, View accounted,
                   View sums, View counts, View status) {
  require(x.rank == 2 && sums.rank == 3 && sums.shape[2] == x.shape[1], "kmeans_update",
          "x must be [n, d] and sums [r, k, d]");
  require_dtype(x, DType::f32, "kmeans_update", "x");
  require_dtype(sums, DType::f64, "kmeans_update", "sums");
  require_dtype(counts, DType::i64, "kmeans_update", "counts");
  require_size(accounted, labels.size(), "kmeans_update", "accounted");
  System system{context};
  checked("kmeans_update", [&] {
    thrust_kmeans::update(system, context, x, restarts, labels, accounted, sums, counts, status);
  });
}

void kmeans_centers(Context& context, ConstView restarts, ConstView sums, ConstView counts,
                    CenterParams params, View centers, View half_norms, View status) {
  require(sums.rank == 3, "kmeans_centers", "sums must be [r, k, d]");
  require_dtype(sums, DType::f64, "kmeans_centers", "sums");
  require_dtype(centers, DType::f32, "kmeans_centers", "centers");
  require_size(centers, sums.size(), "kmeans_centers", "centers");
  System system{context};
  checked("kmeans_centers", [&] {
    thrust_kmeans::centers_from_sums(system, context, restarts, sums, counts, params, centers, half_norms,
                                     status);
  });
}

void kmeans_seed_choose(Context& context, ConstView x, ConstView candidates, ConstView distances,
                        ConstView block_sums, std::uint64_t seed, std::int64_t step, View centers,
                        View closest, View next) {
  require(x.rank == 2 && centers.rank == 3 && centers.shape[2] == x.shape[1], "kmeans_seed_choose",
          "x must be [n, d] and centers [r, k, d]");
  require_dtype(x, DType::f32, "kmeans_seed_choose", "x");
  require_size(closest, centers.shape[0] * x.shape[0], "kmeans_seed_choose", "closest");
  System system{context};
  checked("kmeans_seed_choose", [&] {
    thrust_kmeans::seed_choose(system, context, x, candidates, distances, block_sums, seed, step, centers,
                               closest, next);
  });
}

}  // namespace chorale::cuda
