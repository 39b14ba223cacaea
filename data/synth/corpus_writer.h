// SPDX-License-Identifier: MIT
// Writes the demo corpus to disk.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace chorale::data::synth {

/// Raised whenever the same settings give other samples or words: an older corpus is then rendered anew.
inline constexpr int renderer_version = 2;

struct CorpusSettings {
  int n_tracks = 1120;
  int n_lyrics = 677;
  double seconds = 30.0;
  int sample_rate = 22050;
  std::string format = "wav";  ///< see audio_formats()
  std::uint64_t seed = 42;
};

struct LanguageSummary {
  std::string language;
  int genres = 0, tracks = 0, lyrics = 0;
  double seconds = 0.0;
};

struct CorpusSummary {
  std::vector<LanguageSummary> languages;
  int rendered = 0;  ///< songs written now
  int kept = 0;      ///< songs that lay there complete
  int removed = 0;   ///< files of an earlier demo corpus with other settings
};

/// Renders on the current number of OpenMP threads; which thread renders a song makes no difference. A
/// marker, <root>/audio/.demo_corpus.json, records the settings: a second call with the same ones only adds
/// what is missing, one with others replaces the songs of the first. `progress(done, total)` is called after
/// each song, from one thread at a time. UsageError on bad settings; InputError if `root` holds songs, lyrics
/// or a manifest that this function did not make and `force` is not set.
CorpusSummary write_corpus(const std::filesystem::path& root, const CorpusSettings& settings,
                           bool force = false, const std::function<void(int, int)>& progress = {});

}  // namespace chorale::data::synth
