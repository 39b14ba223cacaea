// SPDX-License-Identifier: MIT
// mixture_latent_backward without its optional arguments, as fitting a mixture to given codes calls it.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/launch.h"
#include "tests/harness/run_case.h"

namespace chorale::harness {
namespace {

constexpr std::int64_t n = 9, d = 35, k = 4;

Tensor waves(Shape shape, double step) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(std::sin(step * static_cast<double>(i)));
  return Tensor::from_host(values, std::move(shape));
}

class MixtureGradient : public testing::TestWithParam<DeviceKind> {
 protected:
  ContextScope scope_{test_context(GetParam())};
  const autograd::TrainState state_{case_state()};
  const Tensor statistics_ = waves({n, 2 * d}, 0.7), logits_ = waves({k}, 1.1), means_ = waves({k, d}, 1.3),
               log_variances_ = waves({k, d}, 1.7);
  const Tensor z_{{n, d}, DType::f32}, kl_{{n}, DType::f32}, gamma_{{n, k}, DType::f32};

  void SetUp() override {
    kernel::mixture_latent_forward(current_context(), statistics_, logits_, means_, log_variances_,
                                   state_.device(), 3u, GaussianLatentParams{}, z_, kl_, gamma_);
  }
  /// dlogits, dmeans and dlog_variances, one after another.
  std::vector<float> gradients(const ConstView& dz, const ConstView& dkl, const View& dstatistics) {
    const Tensor dlogits({k}, DType::f32), dmeans({k, d}, DType::f32), dlog_variances({k, d}, DType::f32);
    kernel::mixture_latent_backward(current_context(), dz, dkl, statistics_, logits_, means_, log_variances_,
                                    gamma_, state_.device(), 3u, GaussianLatentParams{}, dstatistics, dlogits,
                                    dmeans, dlog_variances);
    std::vector<float> all;
    for (const Tensor& t : {dlogits, dmeans, dlog_variances}) {
      const std::vector<float> values = t.to_host<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
};

TEST_P(MixtureGradient, OfTheComponentsNeedsNoGradientOfTheSamples) {
  const Tensor dz = waves({n, d}, 0.3), dkl = waves({n}, 0.9), dstatistics({n, 2 * d}, DType::f32);
  const std::vector<float> whole = gradients(dz, dkl, dstatistics);
  for (const float value : whole) EXPECT_TRUE(std::isfinite(value));
  EXPECT_EQ(gradients(ConstView(), dkl, View()), whole);
}

TEST_P(MixtureGradient, OfTheComponentsIsZeroFromTheCodesAlone) {
  const Tensor dz = waves({n, d}, 0.3), dstatistics({n, 2 * d}, DType::f32);
  for (const float value : gradients(dz, ConstView(), dstatistics)) EXPECT_EQ(value, 0);
}

INSTANTIATE_TEST_SUITE_P(Devices, MixtureGradient, testing::ValuesIn(test_devices()),
                         [](const auto& device) { return std::string(device_kind_name(device.param)); });

}  // namespace
}  // namespace chorale::harness
