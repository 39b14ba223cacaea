// SPDX-License-Identifier: MIT
#include "tests/simt/emulator/device.h"

#include <cstdio>
#include <cstring>

#include "kernels/cuda/kernels.h"
#include "tests/simt/emulator/stand_in.h"

namespace chorale::simt {
namespace {

const DeviceApi& cpu() { return open_backend(DeviceKind::cpu); }

int device_count() { return 1; }

void describe(int, DeviceDescription* description) {
  cpu().describe(0, description);
  std::snprintf(description->name, sizeof description->name, "emulator of CUDA threads");
  std::snprintf(description->instruction_set, sizeof description->instruction_set, "simt");
}

void* backend_create(int, void*) {
  const DeviceApi& api = cpu();
  return api.backend_create ? api.backend_create(0, nullptr) : nullptr;
}
void backend_destroy(int, void* backend) {
  const DeviceApi& api = cpu();
  if (api.backend_destroy) api.backend_destroy(0, backend);
}

DeviceApi make_api() {
  DeviceApi api = cpu();  // memory, streams and events are the CPU's
  api.name = "simt";
  api.host_memory = true;
  api.device_count = device_count;
  api.describe = describe;
  api.backend_create = backend_create;
  api.backend_destroy = backend_destroy;
#define CHORALE_ROW_own(row) &cuda::row
#define CHORALE_ROW_either(row) &cuda::row
#define CHORALE_ROW_library(row) &StandIn<decltype(&KernelTable::row)>::call<&KernelTable::row>
#define KERNEL(row, parameters, precision, implementation) api.table.row = CHORALE_ROW_##implementation(row);
#include "kernels/kernels.def"
#undef KERNEL
  // Our own code around a library's call, which itself is the stand-in.
  api.table.matmul = &cuda::matmul;
  api.table.linear_forward = &cuda::linear_forward;
  api.table.linear_backward_input = &cuda::linear_backward_input;
  api.table.linear_backward_weight = &cuda::linear_backward_weight;
  api.table.linear_reconstruction = &cuda::linear_reconstruction;
  return api;
}

}  // namespace

const DeviceApi* device_api() {
  static const DeviceApi api = make_api();
  return &api;
}

std::vector<std::string_view> stand_ins() {
  std::vector<std::string_view> names;
  for (const KernelInfo& row : kernel_info)
    if (row.cuda == CudaImplementation::library) names.push_back(row.name);
  return names;
}

}  // namespace chorale::simt
