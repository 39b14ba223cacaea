// SPDX-License-Identifier: MIT
// A kernel to ask whether this module holds code for the current device at all.
#include <cuda_runtime.h>

#include "kernels/cuda/image.h"

namespace chorale::cuda {
namespace {

__global__ void probe() {}

}  // namespace

cudaError_t check_image() {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, probe);
}

}  // namespace chorale::cuda
