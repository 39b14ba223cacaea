// SPDX-License-Identifier: MIT
// product() by cuBLASLt. Row-major matrices are column-major ones transposed, so c^T = op(b)^T op(a)^T is
// asked for: our b is the library's A, our a its B, and a bias along our rows' elements is its bias along
// columns' elements. f32 products are exact f32 (no TF32). A plan, the descriptors and the heuristic's first
// algorithm, is made once per shape, types, epilogue and alignment; without an algorithm for the epilogue the
// plan is one without it.
#include "kernels/cuda/product.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "kernels/cuda/backend.h"
#include "kernels/cuda/check.h"

namespace chorale::cuda {
namespace {

struct Release {
  void operator()(cublasLtMatmulDesc_t d) const { cublasLtMatmulDescDestroy(d); }
  void operator()(cublasLtMatrixLayout_t l) const { cublasLtMatrixLayoutDestroy(l); }
  void operator()(cublasLtMatmulPreference_t p) const { cublasLtMatmulPreferenceDestroy(p); }
};
template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Release>;

struct Plan {
  Owned<cublasLtMatmulDesc_t> operation;
  Owned<cublasLtMatrixLayout_t> a, b, c;
  cublasLtMatmulAlgo_t algorithm{};
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
};

using Key = std::array<std::int64_t, 14>;

struct Plans {
  cublasLtHandle_t handle = nullptr;
  std::map<Key, Plan> by_key;

  Plans(int, void*) { CHORALE_CUBLAS_CHECK(cublasLtCreate(&handle)); }
  ~Plans() {
    by_key.clear();
    cublasLtDestroy(handle);
  }
  Plans(const Plans&) = delete;
  Plans& operator=(const Plans&) = delete;
};

cudaDataType_t type_of(DType dtype) {
  switch (dtype) {
    case DType::f16:
      return CUDA_R_16F;
    case DType::bf16:
      return CUDA_R_16BF;
    case DType::f32:
      return CUDA_R_32F;
    default:
      throw ContractError("matrix product: unsupported dtype: " + std::string(dtype_name(dtype)) +
                          " (allowed f32, f16, bf16)");
  }
}

/// The largest power of two up to 256 that divides the address.
std::uint32_t alignment(const void* data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data) | 256;
  return static_cast<std::uint32_t>(address & (~address + 1));
}

cublasLtEpilogue_t wanted_epilogue(const Product& p) {
  if (p.row_sums && p.row_sums.dtype == p.c.dtype) return CUBLASLT_EPILOGUE_BGRADB;
  if (p.bias && (p.bias.dtype == p.c.dtype || p.bias.dtype == DType::f32))
    return p.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  if (p.relu && !p.bias) return CUBLASLT_EPILOGUE_RELU;
  return CUBLASLT_EPILOGUE_DEFAULT;
}

Owned<cublasLtMatrixLayout_t> layout(DType dtype, std::int64_t rows, std::int64_t columns) {
  cublasLtMatrixLayout_t handle = nullptr;
  CHORALE_CUBLAS_CHECK(cublasLtMatrixLayoutCreate(&handle, type_of(dtype), static_cast<std::uint64_t>(rows),
                                                  static_cast<std::uint64_t>(columns), rows));
  return Owned<cublasLtMatrixLayout_t>(handle);
}

template <class T>
void set(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  CHORALE_CUBLAS_CHECK(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value));
}
template <class T>
void set(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute,
         const T& value) {
  CHORALE_CUBLAS_CHECK(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value));
}

void set_epilogue(const Plan& plan, const Product& p) {
  set(plan.operation.get(), CUBLASLT_MATMUL_DESC_EPILOGUE, plan.epilogue);
  if (plan.epilogue == CUBLASLT_EPILOGUE_DEFAULT || plan.epilogue == CUBLASLT_EPILOGUE_RELU) return;
  const bool gradient = plan.epilogue == CUBLASLT_EPILOGUE_BGRADB;
  const void* vector = gradient ? p.row_sums.data : p.bias.data;
  set(plan.operation.get(), CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE,
      type_of(gradient ? p.row_sums.dtype : p.bias.dtype));
  set(plan.operation.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, vector);
}

/// False if the library has no algorithm for the plan's epilogue.
bool choose_algorithm(Plans& plans, Plan& plan, const Product& p) {
  cublasLtMatmulPreference_t handle = nullptr;
  CHORALE_CUBLAS_CHECK(cublasLtMatmulPreferenceCreate(&handle));
  const Owned<cublasLtMatmulPreference_t> preference(handle);
  set(handle, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, Backend::workspace_bytes);
  set(handle, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(p.b.data));
  set(handle, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(p.a.data));
  set(handle, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(p.c.data));
  set(handle, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(p.c.data));
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(plans.handle, plan.operation.get(), plan.a.get(), plan.b.get(),
                                     plan.c.get(), plan.c.get(), handle, 1, &result, &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || (status == CUBLAS_STATUS_SUCCESS && found == 0)) return false;
  CHORALE_CUBLAS_CHECK(status);
  plan.algorithm = result.algo;
  return true;
}

Plan make_plan(Plans& plans, const Product& p, const ProductShape& s) {
  Plan plan;
  cublasLtMatmulDesc_t operation = nullptr;
  CHORALE_CUBLAS_CHECK(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  plan.operation.reset(operation);
  set(operation, CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(operation, CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  plan.a = p.transpose_b ? layout(p.b.dtype, s.k, s.n) : layout(p.b.dtype, s.n, s.k);
  plan.b = p.transpose_a ? layout(p.a.dtype, s.m, s.k) : layout(p.a.dtype, s.k, s.m);
  plan.c = layout(p.c.dtype, s.n, s.m);
  plan.epilogue = wanted_epilogue(p);
  set_epilogue(plan, p);
  if (choose_algorithm(plans, plan, p)) return plan;
  plan.epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  set_epilogue(plan, p);
  if (choose_algorithm(plans, plan, p)) return plan;
  throw DeviceError("cublas: no algorithm for a matrix product: " + std::to_string(s.m) + " x " +
                    std::to_string(s.n) + " x " + std::to_string(s.k) + " in " +
                    std::string(dtype_name(p.a.dtype)));
}

}  // namespace

Fused product(Context& context, const Product& p) {
  const ProductShape s = product_shape(p);
  if (s.k == 0) throw ContractError("matrix product: nothing to sum over: 0 (allowed 1 or more)");
  Backend& backend = Backend::of(context);
  Plans& plans = backend.state<Plans>();
  const Key key{s.m,
                s.n,
                s.k,
                p.transpose_a,
                p.transpose_b,
                static_cast<std::int64_t>(p.a.dtype),
                static_cast<std::int64_t>(p.c.dtype),
                wanted_epilogue(p),
                p.bias ? static_cast<std::int64_t>(p.bias.dtype) : -1,
                p.row_sums ? static_cast<std::int64_t>(p.row_sums.dtype) : -1,
                alignment(p.a.data),
                alignment(p.b.data),
                alignment(p.c.data),
                p.beta != 0.0f};
  auto found = plans.by_key.find(key);
  if (found == plans.by_key.end()) found = plans.by_key.emplace(key, make_plan(plans, p, s)).first;
  const Plan& plan = found->second;
  set_epilogue(plan, p);
  CHORALE_CUBLAS_CHECK(cublasLtMatmul(plans.handle, plan.operation.get(), &p.alpha, p.b.data, plan.a.get(),
                                      p.a.data, plan.b.get(), &p.beta, p.c.data, plan.c.get(), p.c.data,
                                      plan.c.get(), &plan.algorithm, backend.workspace(),
                                      Backend::workspace_bytes, static_cast<cudaStream_t>(context.stream)));
  Fused fused;
  fused.bias = plan.epilogue == CUBLASLT_EPILOGUE_BIAS || plan.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  fused.relu = plan.epilogue == CUBLASLT_EPILOGUE_RELU || plan.epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
  fused.row_sums = plan.epilogue == CUBLASLT_EPILOGUE_BGRADB;
  return fused;
}

}  // namespace chorale::cuda
