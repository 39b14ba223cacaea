// SPDX-License-Identifier: MIT
// Features of all songs of a corpus, kept in large sequential files:
//
//   <root>/features/<kind>-<hash of the settings>/
//     index.json       which song lies where, from which state of its file
//     shard_00000.npy  f32 (clips, row shape...)
//     skipped.csv      song_id,audio_path,reason of the songs that could not be used, if there are any
//     .lock            while an extraction is under way: who does it
//
// A song is one clip or, with a window, several; the clips of a song are consecutive rows.
// A shard appears whole, then the index names it, so an extraction that is stopped anywhere goes on where it
// was, and a reader beside it sees a whole cache. A song whose file has another size or time stamp, and every
// song of a damaged shard, is extracted again. A cache of another version of the index, of other settings or
// of rows of another shape is made anew, never mixed.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
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

/// <root>/features/<kind>-<hash of the settings>.
std::string cache_folder(const Corpus& corpus, const FeatureSettings& settings);

/// Of a clip's features, without the dimension of the clips. On any machine, without computing.
Shape feature_shape(const FeatureSettings& settings);

struct SkippedSong {
  std::string song_id, path, reason;
};

/// Where an extraction stands, after each song.
struct ExtractionProgress {
  std::int64_t done = 0, total = 0;  ///< songs of this run; those that an earlier one did are no part of it
  std::int64_t skipped = 0;          ///< of `done`
  double audio_seconds = 0;          ///< decoded
};

struct ExtractionOptions {
  int workers = 0;      ///< decoding threads; 0: as many as processors
  bool strict = false;  ///< the first bad file is an InputError, also one known to be bad from an earlier run
  /// Every shard that is there is read and compared with its hash, not only those whose size or time stamp
  /// is another than when they were written.
  bool verify = false;
  /// Single clips are resampled and scaled where the features are computed, instead of by libsoxr on the
  /// decoding threads (clip_resampler.h). Unset: on any device but the CPU.
  std::optional<bool> resample_on_device;
  std::function<bool()> interrupted = [] { return false; };
  /// Called once before the first song and after each.
  std::function<void(const ExtractionProgress&)> progress = [](const ExtractionProgress&) {};
  std::function<void(const std::string&)> warning = [](const std::string&) {};
};

struct ExtractionSummary {
  std::int64_t computed = 0, reused = 0;  ///< usable songs, over all kinds together
  std::vector<SkippedSong> skipped;
  std::string skipped_file;  ///< the skipped.csv that lists them; empty if none was
  std::int64_t clips = 0;    ///< of all usable songs
  double audio_seconds = 0;  ///< decoded
  double seconds = 0;        ///< that the extraction took
  bool interrupted = false;
};

/// {"extracted", "unchanged", "skipped": [{"song_id", "audio_path", "reason"}], "clips", "audio_seconds",
/// "seconds"}
std::string to_json(const ExtractionSummary& summary);

/// Brings the caches of all `kinds` up to date on the current context's device; each song is decoded once.
/// InputError if not one song is usable, if another process extracts into one of them, naming it, or if a
/// file cannot be written (disk full); what was whole before stays and the next run goes on from there.
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
/// non-finite values (naming the song). Safe beside an extraction: every shard is compared with its hash, and
/// one that was replaced meanwhile is looked up again.
FeatureSet load_features(const Corpus& corpus, const FeatureSettings& settings);

}  // namespace chorale::data
