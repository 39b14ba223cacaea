// SPDX-License-Identifier: MIT
// Features of all songs of a corpus, kept in large sequential files:
//
//   <root>/features/<kind>-<hash of the settings>/index.json      which song lies where, from which state of
//   its file
//                                                 shard_00000.npy  f32 (clips, row shape...)
//
// A song is one clip or, with a window, several; the clips of a song are consecutive rows.
// A shard appears whole, then the index names it, so an extraction that is stopped anywhere goes on where it
// was. A song whose file has another size or time stamp, and every song of a damaged shard, is extracted
// again.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "audio/features.h"
#include "data/clip_reader.h"
#include "data/corpus.h"
#include "tensor/tensor.h"

namespace chorale::data {

/// What is extracted and how.
struct FeatureSettings {
  std::string kind = "mel_db";  ///< one of feature_kinds()
  audio::FeatureParams params;
  double duration = 30;  ///< seconds from the start of a song; shorter ones are padded with zeros
  /// Above 0: clips of so many seconds from the whole song, whatever `duration` says. They start every `hop`
  /// seconds as long as they end within the song; a song shorter than one gives one, padded with zeros. Each
  /// is extracted as a song of its own would be.
  double window = 0, hop = 20;

  ClipPlan clips() const;
  std::string text() const;  ///< everything the features depend on, one line
};

/// "mel_db": standardised decibels (bands, frames); "mfcc": standardised MFCC, delta, delta-delta (3 n_mfcc,
/// frames); "both": the two stacked; "statistics": the time-shift-invariant descriptor of audio/descriptor.h.
const std::vector<std::string>& feature_kinds();

struct SkippedSong {
  std::string song_id, path, reason;
};

struct ExtractionOptions {
  int workers = 0;      ///< decoding threads; 0: as many as processors
  bool strict = false;  ///< the first bad file is an InputError, also one known to be bad from an earlier run
  std::function<bool()> interrupted = [] { return false; };
  std::function<void(std::int64_t done, std::int64_t total)> progress = [](std::int64_t, std::int64_t) {};
  std::function<void(const std::string&)> warning = [](const std::string&) {};
};

struct ExtractionSummary {
  std::int64_t computed = 0, reused = 0;  ///< usable songs, over all kinds together
  std::vector<SkippedSong> skipped;
  std::int64_t clips = 0;    ///< of all usable songs
  double audio_seconds = 0;  ///< decoded
  bool interrupted = false;
};

/// Brings the caches of all `kinds` up to date on the current context's device; each song is decoded once.
/// InputError if not one song is usable.
ExtractionSummary extract_features(const Corpus& corpus, const std::vector<FeatureSettings>& kinds,
                                   const ExtractionOptions& options);

/// Cached features, a row a clip, song by song in the order of the corpus; songs that were skipped are left
/// out.
struct FeatureSet {
  std::vector<Song> songs;
  std::vector<std::int64_t> song_of_row;  ///< indices into `songs`, ascending
  Shape row_shape;
  Tensor values;  ///< f32 (clips, elements of the row shape), on the current context's device

  std::int64_t count() const { return static_cast<std::int64_t>(songs.size()); }
};

/// InputError when the cache is missing, incomplete or damaged (naming the program that makes it), or holds
/// non-finite values (naming the song).
FeatureSet load_features(const Corpus& corpus, const FeatureSettings& settings);

}  // namespace chorale::data
