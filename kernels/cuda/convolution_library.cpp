// SPDX-License-Identifier: MIT
// library_convolution() by cuDNN on NHWC tensors. Algorithms that are not deterministic, and in f32 those
// that round to TF32, are left out. Which one is fastest is measured once per shape on memory of cuDNN's own,
// and kept in $XDG_CACHE_HOME/chorale (or ~/.cache/chorale), a file for each device and version of cuDNN; no
// file, or one that cannot be written, means measuring again.
#include <cudnn.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

#include <unistd.h>

#include "kernels/cuda/backend.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/convolution.h"

// The calls for single convolutions are marked as superseded by cuDNN's graphs, whose measured choice they
// are built on.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#define CHORALE_CUDNN_CHECK(call)                                                                 \
  do {                                                                                            \
    const cudnnStatus_t chorale_status = (call);                                                  \
    if (chorale_status != CUDNN_STATUS_SUCCESS)                                                   \
      throw DeviceError(std::string("cudnn: " #call ": ") + cudnnGetErrorString(chorale_status)); \
  } while (false)

namespace chorale::cuda {
namespace {

namespace fs = std::filesystem;

using Key = std::array<std::int64_t, 15>;

Key key_of(ConvolutionPass pass, const ConvolutionShape& s) {
  return {static_cast<std::int64_t>(pass),
          static_cast<std::int64_t>(s.dtype),
          s.n,
          s.h,
          s.w,
          s.c,
          s.oh,
          s.ow,
          s.o,
          s.kh,
          s.kw,
          s.params.stride_height,
          s.params.stride_width,
          s.params.padding_height,
          s.params.padding_width};
}

/// An algorithm of one pass; `algorithm` -1: there is none.
struct Choice {
  int algorithm = -1;
  int math = CUDNN_DEFAULT_MATH;
  std::size_t workspace = 0;
};

cudnnDataType_t type_of(DType dtype) {
  return dtype == DType::f16    ? CUDNN_DATA_HALF
         : dtype == DType::bf16 ? CUDNN_DATA_BFLOAT16
                                : CUDNN_DATA_FLOAT;
}

/// Descriptors of one shape.
struct Descriptors {
  cudnnTensorDescriptor_t image = nullptr, y = nullptr;
  cudnnFilterDescriptor_t weight = nullptr;
  cudnnConvolutionDescriptor_t convolution = nullptr;

  explicit Descriptors(const ConvolutionShape& s) {
    const auto whole = [](std::int64_t v) { return static_cast<int>(v); };
    const cudnnDataType_t type = type_of(s.dtype);
    CHORALE_CUDNN_CHECK(cudnnCreateTensorDescriptor(&image));
    CHORALE_CUDNN_CHECK(cudnnCreateTensorDescriptor(&y));
    CHORALE_CUDNN_CHECK(cudnnCreateFilterDescriptor(&weight));
    CHORALE_CUDNN_CHECK(cudnnCreateConvolutionDescriptor(&convolution));
    CHORALE_CUDNN_CHECK(cudnnSetTensor4dDescriptor(image, CUDNN_TENSOR_NHWC, type, whole(s.n), whole(s.c),
                                                   whole(s.h), whole(s.w)));
    CHORALE_CUDNN_CHECK(cudnnSetTensor4dDescriptor(y, CUDNN_TENSOR_NHWC, type, whole(s.n), whole(s.o),
                                                   whole(s.oh), whole(s.ow)));
    CHORALE_CUDNN_CHECK(cudnnSetFilter4dDescriptor(weight, type, CUDNN_TENSOR_NHWC, whole(s.o), whole(s.c),
                                                   whole(s.kh), whole(s.kw)));
    CHORALE_CUDNN_CHECK(cudnnSetConvolution2dDescriptor(
        convolution, s.params.padding_height, s.params.padding_width, s.params.stride_height,
        s.params.stride_width, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
    CHORALE_CUDNN_CHECK(cudnnSetConvolutionMathType(
        convolution, s.dtype == DType::f32 ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH));
  }
  ~Descriptors() {
    cudnnDestroyConvolutionDescriptor(convolution);
    cudnnDestroyFilterDescriptor(weight);
    cudnnDestroyTensorDescriptor(y);
    cudnnDestroyTensorDescriptor(image);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;
};

struct Plan {
  std::unique_ptr<Descriptors> descriptors;
  Choice choice;
};

/// One line a shape: the key, then algorithm, math type and workspace.
class ChoiceFile {
 public:
  explicit ChoiceFile(int device) {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    if (!cache && !home) return;
    cudaDeviceProp properties{};
    CHORALE_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
    std::string name = properties.name;
    for (char& c : name)
      if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    path_ = fs::path(cache ? cache : std::string(home) + "/.cache") / "chorale" /
            ("convolutions-" + name + "-cudnn" + std::to_string(cudnnGetVersion()) + ".txt");
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      Key key{};
      Choice choice;
      for (std::int64_t& number : key) words >> number;
      if (words >> choice.algorithm >> choice.math >> choice.workspace) choices_[key] = choice;
    }
  }

  std::optional<Choice> find(const Key& key) const {
    const auto found = choices_.find(key);
    return found == choices_.end() ? std::nullopt : std::optional(found->second);
  }

  void add(const Key& key, const Choice& choice) {
    choices_[key] = choice;
    if (path_.empty()) return;
    std::error_code error;
    fs::create_directories(path_.parent_path(), error);
    const fs::path temporary = path_.string() + "." + std::to_string(::getpid());
    {
      std::ofstream out(temporary);
      for (const auto& [k, c] : choices_) {
        for (std::int64_t number : k) out << number << ' ';
        out << c.algorithm << ' ' << c.math << ' ' << c.workspace << '\n';
      }
      if (!out.flush()) return static_cast<void>(fs::remove(temporary, error));
    }
    fs::rename(temporary, path_, error);
  }

 private:
  fs::path path_;
  std::map<Key, Choice> choices_;
};

struct Plans {
  cudnnHandle_t handle = nullptr;
  ChoiceFile file;
  std::map<Key, Plan> by_key;

  Plans(int device, void* stream) : file(device) {
    CHORALE_CUDNN_CHECK(cudnnCreate(&handle));
    CHORALE_CUDNN_CHECK(cudnnSetStream(handle, static_cast<cudaStream_t>(stream)));
  }
  ~Plans() {
    by_key.clear();
    cudnnDestroy(handle);
  }
  Plans(const Plans&) = delete;
  Plans& operator=(const Plans&) = delete;
};

/// The first allowed one of cuDNN's list, which is sorted by time.
template <class Result>
Choice first_allowed(const std::vector<Result>& results, int count, DType dtype) {
  for (int i = 0; i < count; ++i) {
    const Result& r = results[static_cast<std::size_t>(i)];
    if (r.status != CUDNN_STATUS_SUCCESS || r.determinism != CUDNN_DETERMINISTIC) continue;
    if (dtype == DType::f32 && r.mathType != CUDNN_FMA_MATH) continue;
    return {static_cast<int>(r.algo), static_cast<int>(r.mathType), r.memory};
  }
  return {};
}

Choice measure(const Plans& plans, ConvolutionPass pass, const Descriptors& d, DType dtype) {
  constexpr int most = 16;
  int count = 0;
  const auto chosen = [&](auto results, auto find) {
    const cudnnStatus_t status = find(results.data());
    return status == CUDNN_STATUS_SUCCESS ? first_allowed(results, count, dtype) : Choice{};
  };
  switch (pass) {
    case ConvolutionPass::forward:
      return chosen(std::vector<cudnnConvolutionFwdAlgoPerf_t>(most), [&](auto* r) {
        return cudnnFindConvolutionForwardAlgorithm(plans.handle, d.image, d.weight, d.convolution, d.y, most,
                                                    &count, r);
      });
    case ConvolutionPass::input:
      return chosen(std::vector<cudnnConvolutionBwdDataAlgoPerf_t>(most), [&](auto* r) {
        return cudnnFindConvolutionBackwardDataAlgorithm(plans.handle, d.weight, d.y, d.convolution, d.image,
                                                         most, &count, r);
      });
    case ConvolutionPass::weight:
      return chosen(std::vector<cudnnConvolutionBwdFilterAlgoPerf_t>(most), [&](auto* r) {
        return cudnnFindConvolutionBackwardFilterAlgorithm(plans.handle, d.image, d.y, d.convolution,
                                                           d.weight, most, &count, r);
      });
  }
  return {};
}

}  // namespace

bool library_convolution(Context& context, ConvolutionPass pass, const ConvolutionShape& s, const void* image,
                         const void* weight, const void* y, void* result) {
  Plans& plans = Backend::of(context).state<Plans>();
  const Key key = key_of(pass, s);
  auto found = plans.by_key.find(key);
  if (found == plans.by_key.end()) {
    Plan plan{std::make_unique<Descriptors>(s), {}};
    if (const auto known = plans.file.find(key)) {
      plan.choice = *known;
    } else {
      plan.choice = measure(plans, pass, *plan.descriptors, s.dtype);
      plans.file.add(key, plan.choice);
    }
    if (plan.choice.algorithm >= 0)
      CHORALE_CUDNN_CHECK(cudnnSetConvolutionMathType(plan.descriptors->convolution,
                                                      static_cast<cudnnMathType_t>(plan.choice.math)));
    found = plans.by_key.emplace(key, std::move(plan)).first;
  }
  const Choice& choice = found->second.choice;
  if (choice.algorithm < 0) return false;
  const Descriptors& d = *found->second.descriptors;
  const Scratch workspace(context, choice.workspace);
  const float one = 1, zero = 0;
  switch (pass) {
    case ConvolutionPass::forward:
      CHORALE_CUDNN_CHECK(
          cudnnConvolutionForward(plans.handle, &one, d.image, image, d.weight, weight, d.convolution,
                                  static_cast<cudnnConvolutionFwdAlgo_t>(choice.algorithm),
                                  workspace.as<void>(), choice.workspace, &zero, d.y, result));
      return true;
    case ConvolutionPass::input:
      CHORALE_CUDNN_CHECK(
          cudnnConvolutionBackwardData(plans.handle, &one, d.weight, weight, d.y, y, d.convolution,
                                       static_cast<cudnnConvolutionBwdDataAlgo_t>(choice.algorithm),
                                       workspace.as<void>(), choice.workspace, &zero, d.image, result));
      return true;
    case ConvolutionPass::weight:
      CHORALE_CUDNN_CHECK(
          cudnnConvolutionBackwardFilter(plans.handle, &one, d.image, image, d.y, y, d.convolution,
                                         static_cast<cudnnConvolutionBwdFilterAlgo_t>(choice.algorithm),
                                         workspace.as<void>(), choice.workspace, &zero, d.weight, result));
      return true;
  }
  return false;
}

}  // namespace chorale::cuda
