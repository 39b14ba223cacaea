// SPDX-License-Identifier: MIT
// Checkpoints: one safetensors file with the model's tensors under PyTorch's names, the optimizer's moments,
// the device's step state and everything else that resume needs. A hash over all of it is checked on reading.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "models/vae.h"

namespace chorale::models {

using Metadata = std::map<std::string, std::string>;

/// Tensors and texts of one checkpoint.
struct Checkpoint {
  std::vector<NamedBuffer> tensors;
  Metadata metadata;

  const Tensor& tensor(const std::string& name) const;     ///< InputError if absent
  const std::string& text(const std::string& name) const;  ///< InputError if absent
  bool has(const std::string& name) const;
};

/// Adds the format version and the hash, and writes atomically. Refuses (NumericalError, the old file stays)
/// when a tensor of the model holds a non-finite value.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// InputError when the file is missing, truncated, altered, of a newer version, or no checkpoint.
Checkpoint read_checkpoint(const std::string& path);

/// Copies weights and buffers of `checkpoint` into an allocated model; InputError listing names and both
/// shapes when they do not fit.
void load_model(Vae& model, const Checkpoint& checkpoint);

/// Model tensors (parameters and buffers) as a checkpoint holds them.
std::vector<NamedBuffer> model_tensors(Vae& model);

}  // namespace chorale::models
