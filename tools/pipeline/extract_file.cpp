// SPDX-License-Identifier: MIT
#include "tools/pipeline/extract_file.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <set>

#include "audio/single_file.h"
#include "kernels/error.h"
#include "tools/common/log.h"
#include "tools/common/text.h"
#include "tools/pipeline/run_setup.h"

namespace chorale::tools {
namespace {

using audio::Feature;

/// The features that each flag is for.
struct FlagUse {
  const char* flag;
  std::set<Feature> features;
};

const std::vector<FlagUse>& flag_uses() {
  using enum Feature;
  static const std::set<Feature> spectra{
      mel, mel_db, log_mel, mfcc, mfcc_delta, stft, spectral_centroid, chroma, onset_strength, tempo};
  static const std::set<Feature> framed = [] {
    std::set<Feature> all = spectra;
    all.insert(rms);
    return all;
  }();
  static const std::set<Feature> bands{mel, mel_db, log_mel, mfcc, mfcc_delta, onset_strength, tempo};
  static const std::set<Feature> decibels{mel_db, mfcc, mfcc_delta, onset_strength, tempo};
  static const std::set<Feature> logarithms{mel_db, log_mel, mfcc, mfcc_delta, onset_strength, tempo};
  static const std::set<Feature> cepstra{mfcc, mfcc_delta}, rhythm{onset_strength, tempo};
  static const std::vector<FlagUse> uses{{"--sr", framed},
                                         {"--n-fft", spectra},
                                         {"--frame-length", {rms}},
                                         {"--hop-length", framed},
                                         {"--win-length", spectra},
                                         {"--window-function", spectra},
                                         {"--center", framed},
                                         {"--pad-mode", framed},
                                         {"--n-mels", bands},
                                         {"--fmin", bands},
                                         {"--fmax", bands},
                                         {"--htk", bands},
                                         {"--mel-norm", bands},
                                         {"--power", bands},
                                         {"--norm", {mel, mel_db, log_mel, mfcc, mfcc_delta, chroma}},
                                         {"--ref", {mel_db, mfcc, mfcc_delta}},
                                         {"--amin", logarithms},
                                         {"--top-db", decibels},
                                         {"--n-mfcc", cepstra},
                                         {"--dct-type", cepstra},
                                         {"--lifter", cepstra},
                                         {"--width", {mfcc_delta}},
                                         {"--order", {mfcc_delta}},
                                         {"--n-chroma", {chroma}},
                                         {"--tuning", {chroma}},
                                         {"--lag", rhythm},
                                         {"--aggregate", {onset_strength}},
                                         {"--detrend", {onset_strength}},
                                         {"--max-size", rhythm},
                                         {"--start-bpm", {tempo}},
                                         {"--std-bpm", {tempo}},
                                         {"--ac-size", {tempo}},
                                         {"--max-tempo", {tempo}}};
  return uses;
}

const std::string& name_of(Feature feature) {
  return audio::feature_names()[static_cast<std::size_t>(feature)];
}

/// A number, or UsageError naming the flag and what is allowed.
double number(const std::string& flag, const std::string& text, const std::string& allowed) {
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (const std::optional<double> value = parse_real(text)) return *value;
  throw UsageError(concat(flag, ": not understood: ", one_line(text), " (allowed ", allowed, ")"));
}

audio::BandNorm band_norm(const std::string& flag, const std::string& text) {
  if (text == "slaney") return {audio::BandNorm::Kind::slaney};
  if (text == "none") return {audio::BandNorm::Kind::none};
  const char* allowed = "slaney, none or a number above 0";
  const double p = number(flag, text, allowed);
  if (!(p > 0))
    throw UsageError(concat(flag, ": out of range: ", one_line(text), " (allowed ", allowed, ")"));
  return {audio::BandNorm::Kind::p_norm, p};
}

/// --norm is the parameter of the librosa function that the feature is named after.
void set_norm(Feature feature, const std::string& text, audio::FileParams& params) {
  if (feature == Feature::mfcc || feature == Feature::mfcc_delta) {
    if (text != "ortho" && text != "none")
      throw UsageError(
          concat("--norm: unknown: ", one_line(text), " (allowed ortho, none for ", name_of(feature), ")"));
    params.features.ortho = text == "ortho";
  } else if (feature == Feature::chroma) {
    params.chroma.norm = text == "none" ? -1 : number("--norm", text, "1, 2, inf, none for chroma");
    if (text != "none" && params.chroma.norm <= 0)
      throw UsageError(concat("--norm: out of range: ", text, " (allowed 1, 2, inf, none for chroma)"));
  } else {
    params.features.mel.norm = band_norm("--norm", text);
  }
}

audio::FileParams file_params(const Program& program, const FileRequest& request, Feature feature) {
  audio::FileParams params;
  params.features = feature_settings(program.config()).params;
  audio::FeatureParams& features = params.features;
  audio::MelParams& mel = features.mel;
  const auto given = [&](const char* flag) { return program.given(flag); };
  const auto set = [&](const char* flag, auto& to, auto value) {
    if (given(flag)) to = static_cast<std::remove_reference_t<decltype(to)>>(value);
  };
  set("--sr", mel.sample_rate, request.sr);
  set("--n-fft", mel.n_fft, request.n_fft);
  set("--frame-length", mel.n_fft, request.frame_length);
  set("--hop-length", mel.hop_length, request.hop_length);
  set("--win-length", mel.win_length, request.win_length);
  set("--center", mel.center, request.center);
  if (given("--pad-mode"))
    mel.pad_mode = request.pad_mode == "constant"  ? PadMode::constant
                   : request.pad_mode == "reflect" ? PadMode::reflect
                                                   : PadMode::edge;
  set("--n-mels", mel.n_mels, request.n_mels);
  set("--fmin", mel.fmin, request.fmin);
  set("--fmax", mel.fmax, request.fmax);
  set("--htk", mel.htk, request.htk);
  set("--power", mel.power, request.power);
  if (given("--mel-norm")) mel.norm = band_norm("--mel-norm", request.mel_norm);
  if (given("--norm")) set_norm(feature, request.norm, params);
  if (given("--ref")) {
    features.reference = 0.0f;
    if (request.ref != "max") {
      features.reference = static_cast<float>(number("--ref", request.ref, "max or a number above 0"));
      if (!(*features.reference > 0))
        throw UsageError(concat("--ref: out of range: ", request.ref, " (allowed max or a number above 0)"));
    }
  }
  set("--amin", features.amin, request.amin);
  if (given("--top-db")) {
    const double range =
        request.top_db == "none" ? -1 : number("--top-db", request.top_db, "0 or above, or none");
    if (request.top_db != "none" && !(range >= 0))
      throw UsageError(concat("--top-db: out of range: ", request.top_db, " (allowed 0 or above, or none)"));
    features.top_db = static_cast<float>(range);
  }
  if (given("--n-mfcc")) {
    features.n_mfcc = request.n_mfcc;
  } else {
    features.n_mfcc = std::min<std::int64_t>(features.n_mfcc, std::max(mel.n_mels, 1));
  }
  set("--dct-type", features.dct_type, request.dct_type);
  set("--lifter", features.lifter, request.lifter);
  set("--width", features.delta_width, request.width);
  set("--order", features.delta_order, request.order);
  set("--n-chroma", params.chroma.n_chroma, request.n_chroma);
  if (given("--tuning") && request.tuning != "auto")
    params.chroma.tuning = number("--tuning", request.tuning, "auto or a fraction of a pitch class");
  set("--lag", params.onset.lag, request.lag);
  set("--aggregate", params.onset.median, request.aggregate == "median");
  set("--detrend", params.onset.detrend, request.detrend);
  set("--max-size", params.onset.max_size, request.max_size);
  set("--start-bpm", params.tempo.start_bpm, request.start_bpm);
  set("--std-bpm", params.tempo.std_bpm, request.std_bpm);
  set("--ac-size", params.tempo.ac_size, request.ac_size);
  set("--max-tempo", params.tempo.max_tempo, request.max_tempo);
  return params;
}

/// "n_fft: out of range ..." -> "--n-fft: out of range ...", where a flag bears the field's name.
std::string with_flag(const std::string& message) {
  std::string field = message.substr(0, message.find(':'));
  if (field == "fmin, fmax") return "--fmin, --fmax" + message.substr(field.size());
  if (field == "sample_rate") field = "sr";
  std::string flag = "--" + field;
  for (char& c : flag)
    if (c == '_') c = '-';
  for (const FlagUse& use : flag_uses())
    if (flag == use.flag) return flag + message.substr(message.find(':'));
  return message;
}

}  // namespace

void add_file_options(Options& options, FileRequest* r) {
  options.group("One file");
  options.add("--input", &r->input, "an audio file").placeholder("SONG");
  options.add("--feature", &r->feature, "what to write, with librosa's values", audio::feature_names());
  options
      .add("--output", &r->output,
           "f32 (rows, frames); stft: complex64; onset_strength: (frames,); tempo: (1,)")
      .placeholder("X.npy");
  options.add("--offset", &r->offset, "seconds to skip", {0, 1e9});
  options.add("--duration", &r->duration, "seconds to read; 0: to the end", {0, 1e9});
  options.group("One file: frames (all features)");
  options.add("--sr", &r->sr, "Hz, resampled to").shown_default("features.sample_rate");
  options.add("--n-fft", &r->n_fft, "samples of a frame: even, 16 to 16384, no prime factor above 5")
      .shown_default("features.n_fft");
  options.add("--frame-length", &r->frame_length, "rms: samples of a frame, any number")
      .shown_default("features.n_fft");
  options.add("--hop-length", &r->hop_length, "samples between frames, 1 to n_fft")
      .shown_default("features.hop_length");
  options.add("--win-length", &r->win_length, "samples of the window, 1 to n_fft")
      .shown_default("features.win_length");
  options.add_config("--window-function", "features.window_function");
  options.add("--center", &r->center,
              "frames centred on their place in the padded clip; --center=false: they begin there");
  options.add("--pad-mode", &r->pad_mode, "what the clip is padded with", {"constant", "reflect", "edge"})
      .shown_default("features.pad_mode");
  options.group("One file: mel bands (mel, mel_db, log_mel, mfcc, mfcc_delta, onset_strength, tempo)");
  options.add("--n-mels", &r->n_mels, "bands, 1 to 1 + n_fft / 2").shown_default("features.n_mels");
  options.add("--fmin", &r->fmin, "Hz, lowest edge").shown_default("features.fmin");
  options.add("--fmax", &r->fmax, "Hz, highest edge; 0: sr / 2").shown_default("features.fmax");
  options.add("--htk", &r->htk, "HTK's mel scale instead of Slaney's");
  options
      .add("--mel-norm", &r->mel_norm,
           "bands scaled to equal area (slaney), not at all (none) or to a p-norm of 1")
      .placeholder("slaney|none|P")
      .shown_default("features.mel_norm");
  options.add("--power", &r->power, "exponent of the magnitude, above 0, up to 4")
      .shown_default("features.power");
  options
      .add("--norm", &r->norm,
           "mel, mel_db, log_mel: as --mel-norm; mfcc, mfcc_delta: the DCT's, ortho or none; chroma: of a "
           "frame, 1, 2, inf "
           "or none")
      .placeholder("NORM")
      .shown_default("features.mel_norm, features.dct_norm, inf");
  options.group("One file: decibels (mel_db, mfcc, mfcc_delta, onset_strength, tempo) and logarithms");
  options.add("--ref", &r->ref, "the power of 0 dB: a number above 0, or max for the clip's largest")
      .placeholder("max|X")
      .shown_default("max for mel_db, 1 for mfcc");
  options.add("--amin", &r->amin, "smallest power, above 0").shown_default("features.amin");
  options.add("--top-db", &r->top_db, "range below the clip's maximum, or none")
      .placeholder("DB|none")
      .shown_default("features.top_db");
  options.group("One file: mfcc, mfcc_delta");
  options.add("--n-mfcc", &r->n_mfcc, "coefficients, 1 to n_mels").shown_default("features.n_mfcc");
  options.add("--dct-type", &r->dct_type, "1, 2 or 3").shown_default("features.dct_type");
  options.add("--lifter", &r->lifter, "sinusoidal liftering; 0: none").shown_default("features.lifter");
  options.add("--width", &r->width, "mfcc_delta: frames of the derivatives, odd, 3 to 101")
      .shown_default("features.delta_width");
  options.add("--order", &r->order, "mfcc_delta: derivatives appended, of order 1 to this, at most 8")
      .shown_default("features.delta_order");
  options.group("One file: chroma, onset_strength, tempo");
  options.add("--n-chroma", &r->n_chroma, "chroma: pitch classes, 2 to 96").shown_default("12");
  options
      .add("--tuning", &r->tuning, "chroma: deviation from A = 440 Hz in pitch classes; auto: the clip's own")
      .placeholder("auto|X")
      .shown_default("auto");
  options.add("--lag", &r->lag, "onset_strength, tempo: frames between what is compared").shown_default("1");
  options.add("--max-size", &r->max_size, "onset_strength, tempo: bands whose maximum is compared with")
      .shown_default("1");
  options.add("--aggregate", &r->aggregate, "onset_strength: of the bands' rises", {"mean", "median"})
      .shown_default("mean");
  options.add("--detrend", &r->detrend, "onset_strength: without its constant part");
  options.add("--start-bpm", &r->start_bpm, "tempo: centre of the prior").shown_default("120");
  options.add("--std-bpm", &r->std_bpm, "tempo: width of the prior in octaves").shown_default("1");
  options.add("--ac-size", &r->ac_size, "tempo: seconds of the autocorrelation").shown_default("8");
  options.add("--max-tempo", &r->max_tempo, "tempo: beats a minute; 0: no limit").shown_default("320");
}

int run_file_extraction(const Program& program, const FileRequest& request) {
  if (request.output.empty())
    throw UsageError("--output: missing: --input needs it (allowed a path ending in .npy)");
  const Feature feature = audio::feature_from(request.feature);
  for (const FlagUse& use : flag_uses())
    if (program.given(use.flag) && !use.features.contains(feature)) {
      std::vector<std::string> names;
      for (const Feature each : use.features) names.push_back(name_of(each));
      throw UsageError(concat(use.flag, ": --feature ", request.feature, " has no use for it (allowed with ",
                              join(names, ", "), ")"));
    }
  audio::DecodeOptions decode;
  decode.offset = request.offset;
  decode.duration = request.duration > 0 ? request.duration : audio::whole_file;
  try {
    const audio::ExtractedFeature result = audio::extract_single(
        request.input, feature, request.output, file_params(program, request, feature), decode);
    for (const std::string& warning : result.warnings) log_warning(request.input, ": ", warning);
    if (feature == Feature::tempo)
      std::printf("%.10g\n", static_cast<double>(result.values.to_host<float>()[0]));
  } catch (const UsageError& error) {
    throw UsageError(with_flag(error.what()));
  }
  return 0;
}

void refuse_corpus_flags(const Program& program) {
  if (program.given("--window"))
    throw UsageError(
        "--window: seconds of a corpus's clips: not with --input (allowed: --window-function hann, hamming, "
        "blackman, bartlett, boxcar)");
  for (const char* flag : {"--features", "--hop", "--n-workers", "--manifest", "--allow-outside", "--strict",
                           "--skip-bad", "--verify", "--json"})
    if (program.given(flag))
      throw UsageError(std::string(flag) + ": is for a corpus (allowed without --input)");
}

void refuse_file_flags(const Program& program) {
  const auto refuse = [&](const std::string& flag) {
    if (program.given(flag))
      throw UsageError(flag +
                       ": is for one file: no --input (allowed with --input SONG; a corpus takes it from "
                       "--config FILE, where its features have such a key)");
  };
  for (const char* flag : {"--feature", "--output", "--offset", "--duration"}) refuse(flag);
  for (const FlagUse& use : flag_uses()) refuse(use.flag);
}

}  // namespace chorale::tools
