// SPDX-License-Identifier: MIT
// Which points k-means may leave out of an assignment: those whose margin between the nearest and the second
// nearest center is wider than what the centers have moved since it was measured (kernels kmeans_drift and
// kmeans_assign). Labels are the same bit for bit as when every distance is computed.
#pragma once
#include <cstdint>

#include "tensor/tensor.h"

namespace chorale::cluster {

class KMeansDrift {
 public:
  /// For n points and `restarts` times k centers of d columns; nothing is known of any point yet.
  KMeansDrift(std::int64_t restarts, std::int64_t n, std::int64_t k, std::int64_t d);

  /// Before each assignment: measures how far the centers f32 (restarts, k, d) of the listed restarts, i32
  /// (a), have moved since each of the last assignments.
  void measure(const Tensor& list, const Tensor& centers, const Tensor& half_norms);

  const Tensor& drift() const { return drift_; }      ///< f32 (restarts, places, k)
  std::int64_t place() const { return place_; }       ///< of the coming assignment
  const Tensor& margins() const { return margins_; }  ///< f32 (restarts, n)
  const Tensor& stamps() const { return stamps_; }    ///< u8 (restarts, n)

  /// Of a point whose label was given by hand.
  void forget(std::int64_t restart, std::int64_t point);

 private:
  std::int64_t place_;
  Tensor history_, largest_, drift_, margins_, stamps_;
};

}  // namespace chorale::cluster
