// SPDX-License-Identifier: MIT
// What a backend gives to the rest of the project: its kernel table and the device's own calls. The CPU
// modules, libchorale_cuda.so and the emulator each fill one such struct. Calls throw chorale::Error on
// failure; those named `destroy`, `free` and `release` never throw.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/table.h"

namespace chorale {

enum class CopyKind : std::uint8_t { host_to_device, device_to_host, device_to_device };

struct DeviceDescription {
  char name[128];
  std::size_t total_memory;
  int compute_units;         ///< processor cores or streaming multiprocessors
  bool bf16;                 ///< matrix products in bf16 are supported natively
  char instruction_set[32];  ///< "avx512", "sm_90", ...
};

/// Version of the calls of DeviceApi; raise it when one of them changes.
constexpr std::uint32_t device_api_version = 2;

namespace detail {
constexpr std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}
constexpr std::uint64_t mix(std::uint64_t hash, std::size_t number) {
  return (hash ^ number) * 0x100000001b3ull;
}
}  // namespace detail

/// Fingerprint of everything that both sides of the table must agree on: the rows of kernels.def with their
/// parameters, and the sizes of what those hold (FNV-1a).
constexpr std::uint64_t interface_fingerprint() {
  std::uint64_t hash = detail::mix(0xcbf29ce484222325ull, std::size_t{device_api_version});
#define KERNEL(name, parameters, precision, cuda) hash = detail::mix(hash, #name #parameters);
#include "kernels/kernels.def"
#undef KERNEL
  for (std::size_t size : {sizeof(Context), sizeof(View), sizeof(Strides), sizeof(StepState),
                           sizeof(StepControl), sizeof(OptimizerParams), sizeof(LikelihoodParams),
                           sizeof(GaussianLatentParams), sizeof(ConvolutionParams), sizeof(ChannelDropout),
                           sizeof(FrameParams), sizeof(DecibelParams), sizeof(DeviceDescription)})
    hash = detail::mix(hash, size);
  return hash;
}

struct DeviceApi {
  std::uint64_t fingerprint = interface_fingerprint();  ///< first, so that it can be read whatever follows
  const char* name = nullptr;                           ///< "cpu", "cuda" or "simt"
  bool host_memory = true;                              ///< the host may read and write device memory
  KernelTable table{};

  int (*device_count)() = nullptr;  ///< 0 when no device answers; never throws
  void (*describe)(int device, DeviceDescription* description) = nullptr;
  void* (*allocate)(int device,
                    std::size_t bytes) = nullptr;  ///< 256-byte aligned; null when memory is exhausted
  void (*free)(int device, void* block) = nullptr;
  void (*memory_info)(int device, std::size_t* free_bytes, std::size_t* total_bytes) = nullptr;
  void* (*host_allocate)(std::size_t bytes) =
      nullptr;  ///< page-locked where that matters; null when exhausted
  void (*host_free)(void* block) = nullptr;

  void* (*stream_create)(int device) = nullptr;
  void (*stream_destroy)(int device, void* stream) = nullptr;
  void (*stream_synchronize)(int device, void* stream) = nullptr;
  void (*copy)(int device, void* stream, void* target, const void* source, std::size_t bytes,
               CopyKind kind) = nullptr;
  void (*set_bytes)(int device, void* stream, void* target, int value, std::size_t bytes) = nullptr;

  void* (*event_create)(int device) = nullptr;
  void (*event_destroy)(int device, void* event) = nullptr;
  void (*event_record)(int device, void* event, void* stream) = nullptr;
  void (*event_synchronize)(int device, void* event) = nullptr;
  void (*stream_wait_event)(int device, void* stream, void* event) = nullptr;
  float (*event_elapsed_ms)(int device, void* start, void* stop) = nullptr;

  /// Stream capture; null on backends that run eagerly only.
  void (*capture_begin)(int device, void* stream) = nullptr;
  void* (*capture_end)(int device, void* stream) = nullptr;  ///< an executable graph
  void (*graph_launch)(int device, void* graph, void* stream) = nullptr;
  void (*graph_destroy)(int device, void* graph) = nullptr;

  void* (*backend_create)(int device,
                          void* stream) = nullptr;  ///< handles, plans, fixed workspaces of one Context
  void (*backend_destroy)(int device, void* backend) = nullptr;

  void (*range_push)(const char* name) = nullptr;  ///< profiler ranges; null where there are none
  void (*range_pop)() = nullptr;
  void (*check_launch)(const char* kernel) =
      nullptr;  ///< throws DeviceError naming the launch site; null if synchronous
  void (*set_threads)(int threads) = nullptr;  ///< CPU worker threads; null elsewhere
};

/// Every backend module exports this function under the name `chorale_device_api`. Returns null and fills
/// `message` when the backend cannot be used on this machine.
using DeviceApiEntry = const DeviceApi* (*)(char* message, std::size_t message_bytes);

}  // namespace chorale
