// SPDX-License-Identifier: MIT
// How a mixture prior is used by the data: what VaDE's training watches and repairs between epochs.
#pragma once
#include <vector>

#include "models/vae.h"

namespace chorale::models {

struct Occupancy {
  std::vector<double> share;  ///< of each component: mean responsibility over the rows
  std::int64_t occupied = 0;  ///< components that are the most likely one of some row
  double entropy = 0;         ///< mean over rows of -sum gamma log gamma, nats
  double confidence = 0;      ///< mean over rows of the largest responsibility
};

/// From responsibilities f32 (n, k).
Occupancy occupancy(const Tensor& responsibilities);

/// Components with less than `least` of the rows start anew: mean at the row that the mixture explains worst
/// (the next one for the next component), the average variance, logit that of an equal share. Returns how
/// many. `codes` f32 (n, d).
int reseed_empty(Vae& model, const Tensor& codes, const Occupancy& use, double least);

}  // namespace chorale::models
