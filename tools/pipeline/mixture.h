// SPDX-License-Identifier: MIT
// VaDE's training around the gradient steps (Jiang et al., IJCAI 2017).
#pragma once
#include <string>

#include "models/trainer.h"

namespace chorale::tools {

/// The start of an allocated model with a mixture prior: the same network is trained as a deterministic
/// autoencoder under `options`, in `folder` (resumed if it was interrupted there; empty: nothing is kept),
/// then a Gaussian mixture is fitted to its codes of the training rows; network and mixture go to `model`.
/// Returns false when interrupted.
bool start_mixture(models::Vae& model, const models::TrainingData& data, models::TrainerOptions options,
                   const std::string& folder, const models::TrainerCallbacks& callbacks);

/// Logs how the components are used by `features`, and starts empty ones anew.
void watch_mixture(models::Vae& model, const Tensor& features, int epoch);

}  // namespace chorale::tools
