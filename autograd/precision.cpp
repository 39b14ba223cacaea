// SPDX-License-Identifier: MIT
#include "autograd/precision.h"

#include <string>

namespace chorale::autograd {

std::string_view Precision::name() const {
  return compute == DType::f16 ? "fp16" : compute == DType::bf16 ? "bf16" : "fp32";
}

Precision make_precision(std::string_view option, const ExecutionContext& context) {
  if (option == "auto") {
    if (context.kind() == DeviceKind::cuda) return make_precision("fp16", context);
    return make_precision(context.describe().bf16 ? "bf16" : "fp32", context);
  }
  if (option == "fp32") return {};
  if (option == "bf16") return {DType::bf16, false, 1.0f};
  if (option == "fp16") return {DType::f16, true, 65536.0f};
  throw UsageError("--precision: unknown precision: " + std::string(option) +
                   " (allowed auto, fp32, fp16, bf16)");
}

}  // namespace chorale::autograd
