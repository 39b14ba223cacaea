// SPDX-License-Identifier: MIT
// What the networks promise beyond their arithmetic: sizes, parameter counts, invariance to shifts in time.
#include <gtest/gtest.h>

#include "tests/models/training_setup.h"

namespace chorale::models::testing {
namespace {

class Networks : public ::testing::Test {
 protected:
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
};

std::int64_t parameter_count(const VaeOptions& options) {
  return Vae(options).parameters().parameter_count();
}

VaeOptions reference_conv(std::int64_t classes = 0) {
  VaeOptions options;
  options.network.backbone = Backbone::flat;
  options.network.image = {128, 1292};
  options.network.condition.classes = classes;
  return options;
}

TEST_F(Networks, ParameterCountsOfTheOriginal) {
  VaeOptions basic;
  basic.network.input_dim = 128 * 1292;
  basic.network.hidden = {16, 32, 64};
  EXPECT_EQ(parameter_count(basic), 5'488'032);
  EXPECT_EQ(parameter_count(reference_conv()), 64'458'049);
  EXPECT_EQ(parameter_count(reference_conv(5)), 69'709'281);
  EXPECT_EQ(parameter_count(reference_conv(45)), 69'710'561);
}

VaeOptions small_conv(Backbone backbone, ImageShape image) {
  VaeOptions options;
  options.network.backbone = backbone;
  options.network.image = image;
  options.network.channels = {4, 8, 8};
  options.network.latent_dim = 5;
  options.network.dropout = 0;
  return options;
}

/// `rows` noisy pictures whose frames from `begin` to `begin + frames` are not zero.
Tensor pictures(std::int64_t rows, ImageShape image, std::int64_t begin, std::int64_t frames) {
  std::vector<float> x(static_cast<std::size_t>(rows * image.height * image.width));
  for (std::int64_t r = 0; r < rows * image.height; ++r)
    for (std::int64_t t = 0; t < frames; ++t)
      x[static_cast<std::size_t>(r * image.width + begin + t)] = std::sin(static_cast<float>(7 * r + 3 * t));
  return Tensor::from_host(x, {rows, image.height * image.width});
}

TEST_F(Networks, PooledCodesDoNotDependOnWhereASongBegins) {
  for (const Backbone backbone : {Backbone::pooled, Backbone::deep}) {
    const ImageShape image{16, 160};
    Vae model(small_conv(backbone, {16, 40}));  // trained on crops of 40 frames, used on whole clips
    model.allocate({}, 3);
    const auto first = model.encode({pictures(3, image, 48, 30), Tensor()}).to_host<float>();
    const auto later = model.encode({pictures(3, image, 48 + 5 * 8, 30), Tensor()}).to_host<float>();
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
      worst = std::max(worst, static_cast<double>(std::abs(first[i] - later[i])));
      largest = std::max(largest, static_cast<double>(std::abs(first[i])));
    }
    // GroupNorm sees the borders of the picture; convolutions do not.
    EXPECT_LE(worst, (backbone == Backbone::deep ? 1e-2 : 1e-5) * largest);
    EXPECT_GT(largest, 0.01);
  }
}

TEST_F(Networks, SizesThatDoNotDivideComeBackWhole) {
  for (const ImageShape image : {ImageShape{17, 37}, ImageShape{8, 8}, ImageShape{15, 9}})
    for (const Backbone backbone : {Backbone::flat, Backbone::pooled, Backbone::deep}) {
      Vae model(small_conv(backbone, image));
      model.allocate({}, 1);
      const Tensor codes = model.encode({pictures(2, image, 0, image.width), Tensor()});
      EXPECT_EQ(codes.shape(), (Shape{2, 5}));
      EXPECT_EQ(model.decode(codes).shape(), (Shape{2, image.height * image.width}));
    }
}

TEST_F(Networks, RefuseMoreHalvingsThanThereArePixels) {
  EXPECT_THROW(Vae(small_conv(Backbone::pooled, {7, 100})), UsageError);
  VaeOptions none = small_conv(Backbone::pooled, {16, 16});
  none.network.channels.clear();
  EXPECT_THROW(Vae{none}, UsageError);
}

TEST_F(Networks, AConditionChangesTheCode) {
  for (const bool film : {false, true}) {
    VaeOptions options = small_conv(Backbone::pooled, {16, 24});
    options.network.condition = {3, 6, film};
    Vae model(options);
    model.allocate({}, 2);
    const Tensor x = pictures(1, {16, 24}, 0, 24);
    const auto of_class = [&](std::int64_t label) {
      return model.encode({x, Tensor::from_host(std::vector<std::int64_t>{label}, {1})}).to_host<float>();
    };
    EXPECT_NE(of_class(0), of_class(2));
    EXPECT_THROW(model.encode({x, Tensor()}), ContractError);
  }
}

}  // namespace
}  // namespace chorale::models::testing
