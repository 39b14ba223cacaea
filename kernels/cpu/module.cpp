// SPDX-License-Identifier: MIT
// The CPU backend's entry point and device calls. This file alone is compiled for the oldest processor of the
// architecture: it decides whether the rest of the module may run here. Streams are the calling thread;
// events carry the time at which they were recorded.
#include <omp.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/cpu/kernels.h"
#include "kernels/device_api.h"

#ifndef CHORALE_ISA
#error "CHORALE_ISA must name the instruction set that this module is built for"
#endif

namespace chorale::cpu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t alignment = 256;
constexpr std::size_t huge_page = std::size_t{2} << 20;

int device_count() { return 1; }

/// The value of the first line `key : value` of a /proc file; empty if there is none.
void first_value(const char* path, const char* key, char* value, std::size_t size) {
  value[0] = 0;
  std::FILE* file = std::fopen(path, "r");
  if (!file) return;
  char line[512];
  while (std::fgets(line, sizeof line, file)) {
    if (std::strncmp(line, key, std::strlen(key)) != 0) continue;
    const char* start = std::strchr(line, ':');
    if (!start) continue;
    start += 1 + std::strspn(start + 1, " \t");
    std::snprintf(value, size, "%.*s", static_cast<int>(std::strcspn(start, "\n")), start);
    break;
  }
  std::fclose(file);
}

std::size_t memory_kilobytes(const char* key) {
  char value[64];
  first_value("/proc/meminfo", key, value, sizeof value);
  return static_cast<std::size_t>(std::strtoull(value, nullptr, 10));
}

void memory_info(int, std::size_t* free_bytes, std::size_t* total_bytes) {
  *free_bytes = memory_kilobytes("MemAvailable") * 1024;
  *total_bytes = memory_kilobytes("MemTotal") * 1024;
}

void describe(int, DeviceDescription* description) {
  first_value("/proc/cpuinfo", "model name", description->name, sizeof description->name);
  if (!description->name[0]) std::snprintf(description->name, sizeof description->name, "CPU");
  std::size_t free_bytes = 0;
  memory_info(0, &free_bytes, &description->total_memory);
  description->compute_units = omp_get_num_procs();
#if defined(__x86_64__)
  description->bf16 = __builtin_cpu_supports("avx512bf16");
#else
  description->bf16 = false;
#endif
  std::snprintf(description->instruction_set, sizeof description->instruction_set, "%s", CHORALE_ISA);
}

void* allocate(int, std::size_t bytes) {
  // Whole huge pages for large blocks: the weights of a step are read once, so TLB misses would show.
  const std::size_t unit = bytes >= huge_page ? huge_page : alignment;
  if (bytes > SIZE_MAX - unit) return nullptr;
  const std::size_t rounded = bytes ? (bytes + unit - 1) / unit * unit : alignment;
  void* block = std::aligned_alloc(unit, rounded);
  if (block && unit == huge_page) madvise(block, rounded, MADV_HUGEPAGE);
  return block;
}

void release(int, void* block) { std::free(block); }
void* host_allocate(std::size_t bytes) { return allocate(0, bytes); }
void host_free(void* block) { std::free(block); }

void* stream_create(int) { return nullptr; }
void stream_destroy(int, void*) {}
void stream_synchronize(int, void*) {}
void copy(int, void*, void* target, const void* source, std::size_t bytes, CopyKind) {
  if (bytes) std::memmove(target, source, bytes);
}
void set_bytes(int, void*, void* target, int value, std::size_t bytes) {
  if (bytes) std::memset(target, value, bytes);
}

void* event_create(int) {
  Clock::time_point* event = static_cast<Clock::time_point*>(std::malloc(sizeof(Clock::time_point)));
  if (!event) throw DeviceError("event: out of memory");
  *event = Clock::now();
  return event;
}
void event_destroy(int, void* event) { std::free(event); }
void event_record(int, void* event, void*) { *static_cast<Clock::time_point*>(event) = Clock::now(); }
void event_synchronize(int, void*) {}
void stream_wait_event(int, void*, void*) {}
float event_elapsed_ms(int, void* start, void* stop) {
  const auto elapsed = *static_cast<Clock::time_point*>(stop) - *static_cast<Clock::time_point*>(start);
  return std::chrono::duration<float, std::milli>(elapsed).count();
}

void* backend_create(int, void*) { return nullptr; }
void backend_destroy(int, void*) {}

void set_threads(int threads) { omp_set_num_threads(threads > 0 ? threads : omp_get_num_procs()); }

/// Null if this processor runs the module's instructions, else the first missing feature.
const char* missing_feature() {
#if defined(__x86_64__)
  __builtin_cpu_init();
#define CHORALE_NEEDS(feature) \
  if (!__builtin_cpu_supports(feature)) return feature
  if (std::strcmp(CHORALE_ISA, "avx2") == 0 || std::strcmp(CHORALE_ISA, "avx512") == 0) {
    CHORALE_NEEDS("avx");
    CHORALE_NEEDS("avx2");
    CHORALE_NEEDS("bmi");
    CHORALE_NEEDS("bmi2");
    CHORALE_NEEDS("fma");
    CHORALE_NEEDS("popcnt");
#if !defined(__clang__)  // knows neither name before version 16
    CHORALE_NEEDS("f16c");
    CHORALE_NEEDS("lzcnt");
#endif
  }
  if (std::strcmp(CHORALE_ISA, "avx512") == 0) {
    CHORALE_NEEDS("avx512f");
    CHORALE_NEEDS("avx512bw");
    CHORALE_NEEDS("avx512cd");
    CHORALE_NEEDS("avx512dq");
    CHORALE_NEEDS("avx512vl");
  }
#undef CHORALE_NEEDS
#endif
  return nullptr;
}

constexpr DeviceApi make_api() {
  DeviceApi api;
  api.name = "cpu";
  api.host_memory = true;
#define KERNEL(kernel_name, parameters, precision, cuda) api.table.kernel_name = &cpu::kernel_name;
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
  api.backend_create = backend_create;
  api.backend_destroy = backend_destroy;
  api.set_threads = set_threads;
  return api;
}

constinit const DeviceApi api = make_api();

}  // namespace
}  // namespace chorale::cpu

extern "C" __attribute__((visibility("default"))) const chorale::DeviceApi* chorale_device_api(
    char* message, std::size_t message_bytes) {
  if (const char* feature = chorale::cpu::missing_feature()) {
    if (message && message_bytes)
      std::snprintf(message, message_bytes, "the %s backend needs a processor with %s", CHORALE_ISA, feature);
    return nullptr;
  }
  return &chorale::cpu::api;
}
