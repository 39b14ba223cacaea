// SPDX-License-Identifier: MIT
// Features of a training set's clips that are changed anew for every batch: the clips' samples stay in device
// memory, 4 bytes each (2.6 MB a clip of 30 s at 22,050 Hz), and tempo, pitch, noise and gain come before the
// features.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "audio/augment.h"
#include "data/extractor.h"

namespace chorale::data {

/// Reads the clips behind the rows of a feature set (FeatureSet::songs, song_of_row): f32 [rows, clip length]
/// at peak 1, and the samples of each that are the song's own. InputError when a file has changed so that it
/// can no longer be read or gives another number of clips; DeviceError when they do not fit into the device's
/// memory.
audio::ClipAugmenter::Clips load_clips(const Corpus& corpus, const std::vector<Song>& songs,
                                       const std::vector<std::int64_t>& song_of_row,
                                       const FeatureSettings& settings);

/// Subtracted from and divided out of each column of statistics, f32 [columns] each.
struct Columns {
  Tensor mean, standard_deviation;
};

class AugmentedClips {
 public:
  /// UsageError when a range is out of its limits.
  AugmentedClips(audio::ClipAugmenter::Clips clips, const FeatureSettings& settings,
                 const AugmentationRanges& ranges, std::optional<Columns> scale = {});

  /// Clips order[start + r] (i64), r < rows, start the state's cursor, each changed as `stream` and the next
  /// one say, and their features f32 [rows, elements of the row shape] as the cache would hold them. Nothing
  /// is read back or uploaded, so a captured step may call it.
  Tensor operator()(const Tensor& order, std::int64_t rows, const StepState* state,
                    std::uint32_t stream) const;
  /// The changed clips alone.
  audio::ClipAugmenter::Clips changed(const Tensor& order, std::int64_t rows, const StepState* state,
                                      std::uint32_t stream) const;

 private:
  audio::ClipAugmenter::Clips clips_;
  audio::ClipAugmenter augment_;
  Extractor extract_;
  std::optional<Columns> scale_;
};

}  // namespace chorale::data
