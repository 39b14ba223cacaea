// SPDX-License-Identifier: MIT
// The front end against librosa (tests/golden/audio.py). Allowed differences:
//   mel    1e-5 of the value + 1e-7 of its frame's largest band (librosa transforms in f64, this project in
//   f32) mel_db 1e-3 dB down to 60 dB below the frame's largest band, 2e-2 dB beyond mfcc   1e-3 of the
//   largest coefficient of the clip, also for the derivatives resampled samples 1e-4
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/features.h"
#include "audio/resample.h"
#include "tensor/npy.h"
#include "tests/audio/signals.h"

namespace chorale::testing {
namespace {

using nlohmann::json;

const std::string folder = std::string(CHORALE_SOURCE_DIR) + "/tests/golden/audio/";

struct Goldens {
  json cases;
  NpyArray values;
  Goldens() : values(read_npy_host(folder + "values.npy")) {
    std::ifstream file(folder + "cases.json");
    cases = json::parse(file).at("cases");
  }
  std::vector<float> get(const json& place) const {
    std::size_t size = 1;
    for (const std::size_t d : place.at("shape")) size *= d;
    const auto part = values.as<float>().subspan(place.at("start").get<std::size_t>(), size);
    return {part.begin(), part.end()};
  }
};

const Goldens& goldens() {
  static const Goldens all;
  return all;
}

audio::FeatureParams params_of(const json& c) {
  audio::FeatureParams p;
  p.mel.sample_rate = c.at("rate");
  p.mel.n_fft = c.at("n_fft");
  p.mel.hop_length = c.at("hop_length");
  p.mel.win_length = c.at("win_length");
  p.mel.n_mels = c.at("n_mels");
  p.mel.fmin = c.at("fmin");
  p.mel.fmax = c.at("fmax");
  p.mel.htk = c.at("htk");
  p.mel.slaney_norm = c.at("norm");
  p.mel.power = c.at("power");
  p.n_mfcc = c.at("n_mfcc");
  return p;
}

/// Every `step`-th frame of clip `i` of x [n, rows, frames].
std::vector<float> frames_of(const Tensor& x, std::int64_t i, std::int64_t step) {
  const std::vector<float> all = x[i].to_host<float>();
  std::vector<float> some;
  const auto frames = static_cast<std::size_t>(x.dim(2));
  for (std::size_t row = 0; row < static_cast<std::size_t>(x.dim(1)); ++row)
    for (std::size_t t = 0; t < frames; t += static_cast<std::size_t>(step))
      some.push_back(all[row * frames + t]);
  return some;
}

class Golden : public ::testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override { c = goldens().cases.at(GetParam()); }

  template <class Allowed>
  void compare(const char* what, const std::vector<float>& actual, const Allowed& allowed) {
    const std::vector<float> expected = goldens().get(c.at(what));
    ASSERT_EQ(actual.size(), expected.size()) << what;
    const std::size_t columns = c.at(what).at("shape").back();
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double ratio = std::fabs(static_cast<double>(actual[i]) - static_cast<double>(expected[i])) /
                           allowed(expected, columns, i);
      if (!(ratio <= worst)) worst = ratio, at = i;
    }
    EXPECT_LE(worst, 1.0) << what << " at " << at << ": " << actual[at] << " instead of " << expected[at];
    RecordProperty(std::string(what) + "_worst", std::to_string(worst));
    if (std::getenv("CHORALE_SHOW_ERRORS"))
      std::printf("%-20s %-12s %.3g of the tolerance\n", c.at("name").get<std::string>().c_str(), what,
                  worst);
  }
  json c;
};

double frame_maximum(const std::vector<float>& x, std::size_t columns, std::size_t i) {
  float best = -INFINITY;
  for (std::size_t j = i % columns; j < x.size(); j += columns) best = std::max(best, x[j]);
  return static_cast<double>(best);
}

TEST_P(Golden, Librosa) {
  const int rate = c.at("rate");
  const std::vector<float> samples = signal(c.at("signal"), rate, c.at("length"));
  if (c.contains("target")) {
    compare("resampled", audio::resample(samples, rate, c.at("target")),
            [](const auto&, std::size_t, std::size_t) { return 1e-4; });
    return;
  }
  ExecutionContext context(DeviceKind::cpu, 0, {.poison = true, .guard = true});
  const ContextScope scope(context);
  const audio::FeatureExtractor extractor(params_of(c));
  // Two clips, the second reversed, so that a mix-up of clips shows.
  std::vector<float> both(samples.rbegin(), samples.rend());
  both.insert(both.end(), samples.begin(), samples.end());
  const Tensor mel = extractor.mel(Tensor::from_host(both, {2, static_cast<std::int64_t>(samples.size())}));
  const std::int64_t step = c.at("step");
  compare("mel", frames_of(mel, 1, step), [](const auto& e, std::size_t columns, std::size_t i) {
    return 1e-5 * std::fabs(static_cast<double>(e[i])) + 1e-7 * frame_maximum(e, columns, i) + 1e-30;
  });
  compare("mel_db", frames_of(extractor.mel_db(mel), 1, step),
          [](const auto& e, std::size_t columns, std::size_t i) {
            return static_cast<double>(e[i]) > frame_maximum(e, columns, i) - 60 ? 1e-3 : 2e-2;
          });
  const auto cepstral = [](const auto& e, std::size_t, std::size_t) {
    float largest = 0;
    for (const float x : e) largest = std::max(largest, std::fabs(x));
    return 1e-5 * std::max(1.0, static_cast<double>(largest));
  };
  compare("mfcc", frames_of(extractor.mfcc(mel), 1, step), cepstral);
  if (mel.dim(2) >= 9) {
    compare("mfcc_delta", frames_of(extractor.mfcc_delta(mel), 1, step), cepstral);
  } else {
    EXPECT_THROW(extractor.mfcc_delta(mel), InputError);
  }
}

INSTANTIATE_TEST_SUITE_P(Audio, Golden, ::testing::Range<std::size_t>(0, goldens().cases.size()),
                         [](const auto& info) {
                           return goldens().cases.at(info.param).at("name").template get<std::string>();
                         });

}  // namespace
}  // namespace chorale::testing
