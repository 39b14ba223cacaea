// SPDX-License-Identifier: MIT
// The cases of tests/golden/audio (made by audio.py) and how results are compared with them.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "audio/features.h"
#include "tensor/npy.h"
#include "tests/audio/signals.h"

namespace chorale::testing {

class Goldens {
 public:
  Goldens() : values_(read_npy_host(folder() + "values.npy")) {
    std::ifstream file(folder() + "cases.json");
    cases_ = nlohmann::json::parse(file).at("cases");
  }
  std::vector<nlohmann::json> of_kind(const std::string& kind) const {
    std::vector<nlohmann::json> some;
    for (const nlohmann::json& c : cases_)
      if (c.at("kind") == kind) some.push_back(c);
    return some;
  }
  std::vector<float> get(const nlohmann::json& place) const {
    std::size_t size = 1;
    for (const std::size_t d : place.at("shape")) size *= d;
    const auto part = values_.as<float>().subspan(place.at("start").get<std::size_t>(), size);
    return {part.begin(), part.end()};
  }

 private:
  static std::string folder() { return std::string(CHORALE_SOURCE_DIR) + "/tests/golden/audio/"; }
  NpyArray values_;
  nlohmann::json cases_;
};

inline const Goldens& goldens() {
  static const Goldens all;
  return all;
}

/// A test for every case of one kind, on the CPU.
class GoldenTest : public ::testing::TestWithParam<nlohmann::json> {
 protected:
  nlohmann::json c = GetParam();
  ExecutionContext context{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  ContextScope scope{context};

  std::vector<float> samples() const { return signal(c.at("signal"), c.at("rate"), c.at("length")); }

  /// Two clips, the second one the case's and the first that reversed, so that a mix-up of clips shows.
  Tensor two_clips() const {
    const std::vector<float> x = samples();
    std::vector<float> both(x.rbegin(), x.rend());
    both.insert(both.end(), x.begin(), x.end());
    return Tensor::from_host(both, {2, static_cast<std::int64_t>(x.size())});
  }

  audio::StftParams frame_params() const {
    audio::StftParams p;
    p.n_fft = c.at("n_fft");
    p.hop_length = c.at("hop_length");
    p.win_length = c.at("win_length").is_null() ? 0 : c.at("win_length").get<int>();
    p.center = c.at("center");
    const std::string pad = c.at("pad_mode"), window = c.at("window");
    p.pad_mode = pad == "constant" ? PadMode::constant : pad == "reflect" ? PadMode::reflect : PadMode::edge;
    using enum audio::Window;
    p.window = window == "hann"       ? hann
               : window == "hamming"  ? hamming
               : window == "blackman" ? blackman
               : window == "bartlett" ? bartlett
                                      : rectangular;
    return p;
  }

  /// Rows [rows, columns] of clip 1 of x [2, rows, frames, ...], every step-th frame of them.
  std::vector<float> second_clip(const Tensor& x) const {
    const std::size_t step = c.at("step"), frames = static_cast<std::size_t>(x.dim(2)),
                      width = x.rank() == 4 ? static_cast<std::size_t>(x.dim(3)) : 1;
    const std::vector<float> all = x[1].to_host<float>();
    std::vector<float> some;
    for (std::size_t row = 0; row < static_cast<std::size_t>(x.dim(1)); ++row)
      for (std::size_t t = 0; t < frames; t += step)
        for (std::size_t i = 0; i < width; ++i) some.push_back(all[(row * frames + t) * width + i]);
    return some;
  }

  /// allowed(expected, columns, i): how far element i may be off.
  template <class Allowed>
  void compare(const std::string& what, const std::vector<float>& actual, const nlohmann::json& place,
               const Allowed& allowed) {
    const std::vector<float> expected = goldens().get(place);
    ASSERT_EQ(actual.size(), expected.size()) << what;
    const std::size_t columns = place.at("shape").back();
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double ratio = std::fabs(static_cast<double>(actual[i]) - static_cast<double>(expected[i])) /
                           allowed(expected, columns, i);
      if (!(ratio <= worst)) worst = ratio, at = i;
    }
    EXPECT_LE(worst, 1.0) << what << " at " << at << ": " << actual[at] << " instead of " << expected[at];
    RecordProperty(what + "_worst", std::to_string(worst));
    if (std::getenv("CHORALE_SHOW_ERRORS"))
      std::printf("%-24s %-20s %.3g of the tolerance\n", c.at("name").get<std::string>().c_str(),
                  what.c_str(), worst);
  }
  /// An absolute tolerance for all elements.
  void compare(const std::string& what, const std::vector<float>& actual, const nlohmann::json& place,
               double tolerance) {
    compare(what, actual, place, [=](const auto&, std::size_t, std::size_t) { return tolerance; });
  }
};

inline std::string case_name(const ::testing::TestParamInfo<nlohmann::json>& info) {
  return info.param.at("name").get<std::string>();
}

}  // namespace chorale::testing
