// SPDX-License-Identifier: MIT
#include "data/feature_cache.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "audio/descriptor.h"
#include "data/feature_index.h"
#include "kernels/audio_frames.h"

namespace chorale::data {
namespace {

std::string exact(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

/// What differs from the defaults among the settings that came after the first caches: those stay valid.
std::string other_settings(const audio::FeatureParams& params) {
  const audio::FeatureParams usual;
  const audio::MelParams &mel = params.mel, &usual_mel = usual.mel;
  std::string text;
  const auto add = [&](const char* name, auto value, auto default_value) {
    if (value != default_value) text += std::string(" ") + name + "=" + exact(static_cast<double>(value));
  };
  add("win_length", mel.win_length == mel.n_fft ? 0 : mel.win_length, usual_mel.win_length);
  add("window_function", static_cast<int>(mel.window), static_cast<int>(usual_mel.window));
  add("center", mel.center, usual_mel.center);
  add("pad_mode", static_cast<int>(mel.pad_mode), static_cast<int>(usual_mel.pad_mode));
  add("htk", mel.htk, usual_mel.htk);
  add("mel_norm", static_cast<int>(mel.norm.kind), static_cast<int>(usual_mel.norm.kind));
  if (mel.norm.kind == audio::BandNorm::Kind::p_norm) add("mel_norm_p", mel.norm.p, 0.0);
  add("reference", params.reference.value_or(-1), -1.0f);
  add("dct_type", params.dct_type, usual.dct_type);
  add("ortho", params.ortho, usual.ortho);
  add("lifter", params.lifter, usual.lifter);
  add("delta_width", params.delta_width, usual.delta_width);
  add("delta_order", params.delta_order, usual.delta_order);
  return text;
}

}  // namespace

ClipPlan FeatureSettings::clips() const {
  const int rate = params.mel.sample_rate;
  ClipPlan plan;
  plan.sample_rate = rate;
  plan.length = std::llround((window > 0 ? window : duration) * rate);
  plan.hop = window > 0 ? std::llround(hop * rate) : ClipPlan::one_clip;
  plan.decode.duration = window > 0 ? audio::whole_file : duration;
  return plan;
}

std::string FeatureSettings::text() const {
  const audio::MelParams& mel = params.mel;
  std::string text = "version=1 kind=" + kind + " sample_rate=" + std::to_string(mel.sample_rate) +
                     " n_fft=" + std::to_string(mel.n_fft) + " hop_length=" + std::to_string(mel.hop_length) +
                     " n_mels=" + std::to_string(mel.n_mels) + " n_mfcc=" + std::to_string(params.n_mfcc);
  for (const auto& [name, value] : {std::pair("fmin", double{mel.fmin}),
                                    {"fmax", double{mel.fmax}},
                                    {"power", double{mel.power}},
                                    {"amin", double{params.amin}},
                                    {"top_db", double{params.top_db}}})
    text += std::string(" ") + name + "=" + exact(value);
  text += window > 0 ? " window=" + exact(window) + " hop=" + exact(hop) : " duration=" + exact(duration);
  return text + other_settings(params);
}

std::string cache_folder(const Corpus& corpus, const FeatureSettings& settings) {
  return (corpus.root / "features" / (settings.kind + "-" + text_hash(settings.text()).substr(0, 8)))
      .string();
}

const std::vector<std::string>& feature_kinds() {
  static const std::vector<std::string> kinds = {"mel_db", "mfcc", "both", "statistics"};
  return kinds;
}

Shape feature_shape(const FeatureSettings& settings) {
  const audio::FeatureParams& params = settings.params;
  if (settings.kind == "statistics") return {audio::descriptor_size(params)};
  const std::int64_t cepstra = (1 + params.delta_order) * params.n_mfcc;
  const std::int64_t rows = settings.kind == "mel_db" ? params.mel.n_mels
                            : settings.kind == "mfcc" ? cepstra
                                                      : params.mel.n_mels + cepstra;
  return {rows, frame_count(params.mel, settings.clips().length)};
}

}  // namespace chorale::data
