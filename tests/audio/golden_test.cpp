// SPDX-License-Identifier: MIT
// The mel front end and the resampler against librosa (tests/golden/audio.py). Allowed differences:
//   mel             1e-5 of the value + 1e-7 of its frame's largest band (librosa transforms in f64, this
//   project in f32) log_mel         what follows from that, + 1e-5 mel_db          1e-3 dB down to 60 dB
//   below the frame's largest band, 2e-2 dB beyond mfcc            1e-5 of the largest coefficient of the
//   clip, also for the derivatives resampled       1e-4
// The cases drawn at random: mel 1e-4 of the value, decibels 1e-3, MFCC 1e-3 in the units of the orthonormal
// transform.
#include "tests/audio/golden.h"

#include "audio/resample.h"

namespace chorale::testing {
namespace {

double frame_maximum(const std::vector<float>& x, std::size_t columns, std::size_t i) {
  float best = -INFINITY;
  for (std::size_t j = i % columns; j < x.size(); j += columns) best = std::max(best, x[j]);
  return static_cast<double>(best);
}

class MelGolden : public GoldenTest {
 protected:
  audio::FeatureParams params() const {
    audio::FeatureParams p;
    static_cast<audio::StftParams&>(p.mel) = frame_params();
    p.mel.sample_rate = c.at("rate");
    p.mel.n_mels = c.at("n_mels");
    p.mel.fmin = c.at("fmin");
    p.mel.fmax = c.at("fmax").is_null() ? 0.0f : c.at("fmax").get<float>();
    p.mel.htk = c.at("htk");
    p.mel.power = c.at("power");
    if (c.at("norm").is_null()) p.mel.norm.kind = audio::BandNorm::Kind::none;
    if (c.at("norm").is_number()) p.mel.norm = {audio::BandNorm::Kind::p_norm, c.at("norm").get<double>()};
    p.n_mfcc = c.at("n_mfcc");
    p.dct_type = c.at("dct_type");
    p.ortho = !c.at("dct_norm").is_null();
    p.lifter = c.at("lifter");
    p.delta_width = c.at("width");
    p.delta_order = c.at("order");
    if (!c.at("ref").is_null()) p.reference = c.at("ref") == "max" ? 0.0f : c.at("ref").get<float>();
    p.amin = c.at("amin");
    p.top_db = c.at("top_db").is_null() ? -1.0f : c.at("top_db").get<float>();
    return p;
  }
};

TEST_P(MelGolden, Librosa) {
  const audio::FeatureExtractor extractor(params());
  const Tensor mel = extractor.mel(two_clips());
  const bool random = c.at("name").get<std::string>().starts_with("random");
  const double relative = random ? 1e-4 : 1e-5;
  compare("mel", second_clip(mel), c.at("mel"), [&](const auto& e, std::size_t columns, std::size_t i) {
    return relative * std::fabs(static_cast<double>(e[i])) + 1e-7 * frame_maximum(e, columns, i) + 1e-30;
  });
  compare("mel_db", second_clip(extractor.mel_db(mel)), c.at("mel_db"),
          [&](const auto& e, std::size_t columns, std::size_t i) {
            return static_cast<double>(e[i]) > frame_maximum(e, columns, i) - 60 ? 1e-3 : 2e-2;
          });
  compare("log_mel", second_clip(extractor.log_mel(mel)), c.at("log_mel"),
          [&](const auto& e, std::size_t columns, std::size_t i) {
            return relative + 1e-5 +
                   1e-7 * std::exp(frame_maximum(e, columns, i) - static_cast<double>(e[i]));
          });
  const double unit = c.at("dct_norm").is_null() ? std::sqrt(2.0 * c.at("n_mels").get<double>()) : 1;
  const auto cepstral = [&](const auto& e, std::size_t, std::size_t) {
    float largest = 0;
    for (const float x : e) largest = std::max(largest, std::fabs(x));
    return random ? 1e-3 * unit : std::min(1e-3, 1e-5 * std::max(1.0, static_cast<double>(largest)));
  };
  compare("mfcc", second_clip(extractor.mfcc(mel)), c.at("mfcc"), cepstral);
  if (mel.dim(2) >= c.at("width")) {
    compare("mfcc_delta", second_clip(extractor.mfcc_delta(mel)), c.at("mfcc_delta"), cepstral);
  } else {
    EXPECT_THROW(extractor.mfcc_delta(mel), InputError);
  }
}

INSTANTIATE_TEST_SUITE_P(Audio, MelGolden, ::testing::ValuesIn(goldens().of_kind("features")), case_name);

class ResampleGolden : public GoldenTest {};

TEST_P(ResampleGolden, Librosa) {
  compare("resampled", audio::resample(samples(), c.at("rate"), c.at("target")), c.at("resampled"), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Audio, ResampleGolden, ::testing::ValuesIn(goldens().of_kind("resample")),
                         case_name);

}  // namespace
}  // namespace chorale::testing
