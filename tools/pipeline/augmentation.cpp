// SPDX-License-Identifier: MIT
#include "tools/pipeline/augmentation.h"

#include <memory>

#include "data/augmented_clips.h"
#include "data/corpus.h"
#include "models/streams.h"
#include "tools/common/log.h"
#include "tools/common/text.h"

namespace chorale::tools {
namespace {

constexpr float snr_range_db = 20;  // noise is between the least ratio and so much more

}  // namespace

AugmentationRanges augmentation_ranges(const Config& config) {
  const auto real = [&](const char* key) { return static_cast<float>(config.real(key)); };
  const float rate = real("augmentation.rate"), steps = real("augmentation.pitch_steps"),
              snr = real("augmentation.noise_snr_db"), gain = real("augmentation.gain_db");
  AugmentationRanges ranges;
  ranges.rate = {1 / rate, rate};
  ranges.pitch_steps = {-steps, steps};
  if (snr > 0) ranges.noise_snr_db = {snr, snr + snr_range_db};
  ranges.gain_db = {-gain, gain};
  ranges.probability = real("augmentation.probability");
  return ranges;
}

MaskParams augmentation_masks(const Config& config) {
  if (fully_connected(config)) return {};
  const auto whole = [&](const char* key) { return static_cast<std::int32_t>(config.integer(key)); };
  return {whole("augmentation.time_masks"), whole("augmentation.time_width"),
          whole("augmentation.frequency_masks"), whole("augmentation.frequency_width")};
}

bool augments(const Config& config) {
  const MaskParams masks = augmentation_masks(config);
  return masks.time_masks + masks.frequency_masks > 0 || audio::changes(augmentation_ranges(config));
}

void add_augmentation(const Program& program, const Config& config, TrainingSongs& songs) {
  const data::FeatureSettings settings = feature_settings(config);
  songs.data.augmentation.masks = augmentation_masks(config);
  const AugmentationRanges ranges = augmentation_ranges(config);
  if (!audio::changes(ranges)) return;
  if (config.real("augmentation.gain_db") > 0 && settings.kind == "mel_db")
    throw UsageError(
        concat("augmentation.gain_db: mel_db is relative to each clip's maximum, so the level makes no "
               "difference: ",
               config.real("augmentation.gain_db"), " (allowed 0, or --features mfcc, both, statistics)"));
  const data::Corpus corpus = data::load_corpus(program.common().data);
  audio::ClipAugmenter::Clips clips = data::load_clips(corpus, songs.songs, songs.song_of_row, settings);
  log_info("augmentation: the samples of ", clips.samples.dim(0), " clips are in memory, ",
           format_bytes(static_cast<double>(clips.samples.bytes())));
  std::optional<data::Columns> scale;
  if (!songs.data.extra.empty()) scale = {songs.data.extra[0].value, songs.data.extra[1].value};
  const auto augmented = std::make_shared<data::AugmentedClips>(std::move(clips), settings, ranges, scale);
  songs.data.augmentation.features = [augmented](const Tensor& order, std::int64_t rows,
                                                 const StepState* state) {
    return (*augmented)(order, rows, state, models::stream::augmentation);
  };
}

}  // namespace chorale::tools
