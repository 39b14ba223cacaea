// SPDX-License-Identifier: MIT
// Where k-means starts: centers chosen among the rows.
#pragma once
#include "cluster/kmeans_space.h"

namespace chorale::cluster {

/// Uniform in [0, 1), 53 bits of Philox.
double seeding_uniform(std::uint64_t seed, std::uint64_t offset, std::uint32_t stream, std::uint64_t index);

/// Greedy k-means++ with 2 + floor(log k) trials a center (Arthur & Vassilvitskii, SODA 2007) of r restarts
/// at once: centers f32 (r, k, d) <- rows of x. Philox stream of a restart: its index.
void seed_plus_plus(const KMeansRows& rows, std::uint64_t seed, const Tensor& centers);

/// Centers f32 (k, d) of one restart by k-means|| (Bahmani et al., VLDB 2012): in each of a few passes 2 k
/// rows become candidates, with probability proportional to their squared distance to the nearest candidate
/// so far; candidates weighted by the rows nearest to them then go through k-means++. Unlike there, the
/// draws of a pass are stratified over the sum of the distances, so that their number is known; a row drawn
/// twice counts once. 8 bytes of host memory a row.
Tensor seed_parallel(KMeansSource& source, std::int64_t k, std::uint64_t seed, std::uint32_t restart);

/// Centers f32 (k, d) of one restart: distinct rows, all sets equally likely.
Tensor seed_random(KMeansSource& source, std::int64_t k, std::uint64_t seed, std::uint32_t restart);

/// All restarts of centers f32 (r, k, d) by "k-means++", "k-means||" or "random".
void seed_centers(KMeansMatrix& matrix, const std::string& init, std::uint64_t seed, const Tensor& centers);

}  // namespace chorale::cluster
