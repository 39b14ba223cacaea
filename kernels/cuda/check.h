// SPDX-License-Identifier: MIT
// One checking macro per library; a failure is a DeviceError with the call and the library's own words.
#pragma once
#include <cublasLt.h>
#include <cuda_runtime.h>

#include <string>

#include "kernels/error.h"

namespace chorale::cuda {

[[noreturn]] inline void runtime_failed(cudaError_t status, const char* call) {
  throw DeviceError(std::string("cuda: ") + call + ": " + cudaGetErrorString(status) + ": " +
                    cudaGetErrorName(status));
}

[[noreturn]] inline void cublas_failed(cublasStatus_t status, const char* call) {
  throw DeviceError(std::string("cublas: ") + call + ": " + cublasLtGetStatusString(status) + ": " +
                    cublasLtGetStatusName(status));
}

}  // namespace chorale::cuda

#define CHORALE_CUDA_CHECK(call)                                                               \
  do {                                                                                         \
    const cudaError_t chorale_status = (call);                                                 \
    if (chorale_status != cudaSuccess) ::chorale::cuda::runtime_failed(chorale_status, #call); \
  } while (false)

#define CHORALE_CUBLAS_CHECK(call)                                                                      \
  do {                                                                                                  \
    const cublasStatus_t chorale_status = (call);                                                       \
    if (chorale_status != CUBLAS_STATUS_SUCCESS) ::chorale::cuda::cublas_failed(chorale_status, #call); \
  } while (false)
