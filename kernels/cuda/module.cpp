// SPDX-License-Identifier: MIT
// The CUDA backend's entry point and device calls. Memory comes straight from cudaMalloc (tensor/ caches it),
// streams are non-blocking, and capture is thread-local, so that another thread's allocation does not spoil
// it.
#include <cuda_runtime.h>
#include <nvtx3/nvToolsExt.h>

#include <cstdio>
#include <cstring>

#include "kernels/cuda/backend.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/image.h"
#include "kernels/cuda/kernels.h"
#include "kernels/device_api.h"

namespace chorale::cuda {

Backend::Backend(int device, void* stream) : device_(device), stream_(stream) {
  CHORALE_CUDA_CHECK(cudaSetDevice(device));
  CHORALE_CUDA_CHECK(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device));
  CHORALE_CUDA_CHECK(cudaMalloc(&workspace_, workspace_bytes));
}

Backend::~Backend() {
  cudaSetDevice(device_);
  states_.clear();
  cudaFree(workspace_);
}

int multiprocessors(const Context& context) { return Backend::of(context).multiprocessors(); }

namespace {

void use(int device) { CHORALE_CUDA_CHECK(cudaSetDevice(device)); }
cudaStream_t as_stream(void* stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t as_event(void* event) { return static_cast<cudaEvent_t>(event); }

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();  // no driver is no error here
  return 0;
}

void describe(int device, DeviceDescription* description) {
  cudaDeviceProp properties;
  CHORALE_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  std::snprintf(description->name, sizeof description->name, "%.127s", properties.name);
  description->total_memory = properties.totalGlobalMem;
  description->compute_units = properties.multiProcessorCount;
  description->bf16 = properties.major >= 8;
  std::snprintf(description->instruction_set, sizeof description->instruction_set, "sm_%d%d",
                properties.major, properties.minor);
}

void* allocate(int device, std::size_t bytes) {
  use(device);
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, bytes ? bytes : 1);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  CHORALE_CUDA_CHECK(status);
  return block;
}

void release(int device, void* block) {
  cudaSetDevice(device);
  cudaFree(block);
}

void memory_info(int device, std::size_t* free_bytes, std::size_t* total_bytes) {
  use(device);
  CHORALE_CUDA_CHECK(cudaMemGetInfo(free_bytes, total_bytes));
}

void* host_allocate(std::size_t bytes) {
  void* block = nullptr;
  const cudaError_t status = cudaMallocHost(&block, bytes ? bytes : 1);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  CHORALE_CUDA_CHECK(status);
  return block;
}

void host_free(void* block) { cudaFreeHost(block); }

void* stream_create(int device) {
  use(device);
  cudaStream_t stream = nullptr;
  CHORALE_CUDA_CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  return stream;
}

void stream_destroy(int device, void* stream) {
  cudaSetDevice(device);
  cudaStreamDestroy(as_stream(stream));
}

void stream_synchronize(int device, void* stream) {
  use(device);
  CHORALE_CUDA_CHECK(cudaStreamSynchronize(as_stream(stream)));
}

void copy(int device, void* stream, void* target, const void* source, std::size_t bytes, CopyKind kind) {
  if (!bytes) return;
  use(device);
  const cudaMemcpyKind direction = kind == CopyKind::host_to_device   ? cudaMemcpyHostToDevice
                                   : kind == CopyKind::device_to_host ? cudaMemcpyDeviceToHost
                                                                      : cudaMemcpyDeviceToDevice;
  CHORALE_CUDA_CHECK(cudaMemcpyAsync(target, source, bytes, direction, as_stream(stream)));
}

void set_bytes(int device, void* stream, void* target, int value, std::size_t bytes) {
  if (!bytes) return;
  use(device);
  CHORALE_CUDA_CHECK(cudaMemsetAsync(target, value, bytes, as_stream(stream)));
}

void* event_create(int device) {
  use(device);
  cudaEvent_t event = nullptr;
  CHORALE_CUDA_CHECK(cudaEventCreate(&event));
  return event;
}

void event_destroy(int device, void* event) {
  cudaSetDevice(device);
  cudaEventDestroy(as_event(event));
}

void event_record(int device, void* event, void* stream) {
  use(device);
  CHORALE_CUDA_CHECK(cudaEventRecord(as_event(event), as_stream(stream)));
}

void event_synchronize(int device, void* event) {
  use(device);
  CHORALE_CUDA_CHECK(cudaEventSynchronize(as_event(event)));
}

void stream_wait_event(int device, void* stream, void* event) {
  use(device);
  CHORALE_CUDA_CHECK(cudaStreamWaitEvent(as_stream(stream), as_event(event), 0));
}

float event_elapsed_ms(int device, void* start, void* stop) {
  use(device);
  float milliseconds = 0;
  CHORALE_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, as_event(start), as_event(stop)));
  return milliseconds;
}

void capture_begin(int device, void* stream) {
  use(device);
  CHORALE_CUDA_CHECK(cudaStreamBeginCapture(as_stream(stream), cudaStreamCaptureModeThreadLocal));
}

void* capture_end(int device, void* stream) {
  use(device);
  cudaGraph_t graph = nullptr;
  CHORALE_CUDA_CHECK(cudaStreamEndCapture(as_stream(stream), &graph));
  cudaGraphExec_t executable = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  CHORALE_CUDA_CHECK(status);
  return executable;
}

void graph_launch(int device, void* graph, void* stream) {
  use(device);
  CHORALE_CUDA_CHECK(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), as_stream(stream)));
}

void graph_destroy(int device, void* graph) {
  cudaSetDevice(device);
  cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
}

void* backend_create(int device, void* stream) { return new Backend(device, stream); }
void backend_destroy(int, void* backend) { delete static_cast<Backend*>(backend); }

void range_push(const char* name) { nvtxRangePushA(name); }
void range_pop() { nvtxRangePop(); }

// A fault of an earlier kernel stays with the device and is met here again by every later launch.
void check_launch(const char* kernel) {
  const cudaError_t status = cudaPeekAtLastError();
  if (status == cudaSuccess) return;
  cudaGetLastError();
  throw DeviceError(std::string("cuda: kernel ") + kernel + ": " + cudaGetErrorString(status) + ": " +
                    cudaGetErrorName(status));
}

constexpr DeviceApi make_api() {
  DeviceApi api;
  api.name = "cuda";
  api.host_memory = false;
#define KERNEL(kernel_name, parameters, precision, implementation) api.table.kernel_name = &cuda::kernel_name;
#include "kernels/kernels.def"
#undef KERNEL
  api.device_count = device_count;
  api.describe = describe;
  api.allocate = allocate;
  api.free = release;
  api.memory_info = memory_info;
  api.host_allocate = host_allocate;
  api.host_free = host_free;
  api.stream_create = stream_create;
  api.stream_destroy = stream_destroy;
  api.stream_synchronize = stream_synchronize;
  api.copy = copy;
  api.set_bytes = set_bytes;
  api.event_create = event_create;
  api.event_destroy = event_destroy;
  api.event_record = event_record;
  api.event_synchronize = event_synchronize;
  api.stream_wait_event = stream_wait_event;
  api.event_elapsed_ms = event_elapsed_ms;
  api.capture_begin = capture_begin;
  api.capture_end = capture_end;
  api.graph_launch = graph_launch;
  api.graph_destroy = graph_destroy;
  api.backend_create = backend_create;
  api.backend_destroy = backend_destroy;
  api.range_push = range_push;
  api.range_pop = range_pop;
  api.check_launch = check_launch;
  return api;
}

constinit const DeviceApi api = make_api();

}  // namespace
}  // namespace chorale::cuda

extern "C" __attribute__((visibility("default"))) const chorale::DeviceApi* chorale_device_api(
    char* message, std::size_t message_bytes) {
  int count = 0;
  cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count == 0) status = cudaErrorNoDevice;
  if (status == cudaSuccess) status = chorale::cuda::check_image();
  if (status == cudaSuccess) return &chorale::cuda::api;
  cudaGetLastError();
  if (message && message_bytes) std::snprintf(message, message_bytes, "%s", cudaGetErrorString(status));
  return nullptr;
}
