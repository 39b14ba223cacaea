// SPDX-License-Identifier: MIT
// Songs and their parts measured as signals: levels, tuning, formants, tempo, centroid, and the same bits
// everywhere.
#include "data/synth/renderer.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/synth/corpus_writer.h"
#include "data/synth/lines.h"
#include "data/synth/mastering.h"
#include "data/synth/scales.h"
#include "data/synth/singer.h"
#include "data/synth/styles.h"
#include "kernels/error.h"

namespace chorale::data::synth {
namespace {

constexpr double rate = 22050.0, turn = 6.28318530717958647692;

/// FNV-1a over the samples' bits.
std::uint64_t hash_of(const std::vector<float>& samples) {
  std::uint64_t hash = 14695981039346656037u;
  for (const float sample : samples) {
    std::uint32_t bits;
    std::memcpy(&bits, &sample, sizeof bits);
    hash = (hash ^ bits) * 1099511628211u;
  }
  return hash;
}

double decibels(std::span<const float> samples) {
  double sum = 0.0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return 10.0 * std::log10(sum / static_cast<double>(samples.size()) + 1e-12);
}

/// Magnitude at one frequency, under a Hann window (Goertzel 1958, spelt out).
double magnitude(std::span<const float> x, double hz) {
  double re = 0.0, im = 0.0;
  const auto n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double t = static_cast<double>(i), window = 0.5 - 0.5 * std::cos(turn * t / n);
    re += window * x[i] * std::cos(turn * hz * t / rate);
    im += window * x[i] * std::sin(turn * hz * t / rate);
  }
  return std::sqrt(re * re + im * im) / n;
}

/// Cents by which the strongest of the first harmonics, near where it should be, is off.
double mistuning(std::span<const float> x, double hz) {
  double best = 0.0, at = 0.0;
  for (double cents = -60.0; cents <= 60.0; cents += 2.0) {
    const double now = magnitude(x, 2.0 * hz * std::exp2(cents / 1200.0));
    if (now > best) {
      best = now;
      at = cents;
    }
  }
  return at;
}

TEST(Tuning, QuarterTonesSoundWhereTheMaqamHasThem) {
  for (const std::string_view name : {"oud", "violin", "clarinet", "nylon_guitar"}) {
    for (const auto& [maqam, degree, semitones] :
         {std::tuple{"bayati", 1, 1.5}, std::tuple{"rast", 2, 3.5}, std::tuple{"hijaz", 2, 4.0}}) {
      const float cents = 6000.0f + 100.0f * find_scale(maqam).semitones(degree);
      NoteBank bank(rate, {.brightness = 0.5f, .vibrato = 0.0f, .ornament_cents = 0.0f});
      std::vector<float> out(26000, 0.0f);
      const std::vector<LineNote> notes = {{.start = 0, .length = 24000, .cents = cents}};
      const int index = find_instrument(name);
      if (instrument(index).sustained())
        add_line(out, notes, index, bank, 1.0f, 0);
      else
        out.assign(bank.note({index, static_cast<int>(cents), 24000, Ornament::none}).begin(),
                   bank.note({index, static_cast<int>(cents), 24000, Ornament::none}).end());
      const double hz = 440.0 * std::exp2((60.0 + semitones - 69.0) / 12.0);
      EXPECT_NEAR(mistuning(std::span(out).subspan(3000, 14000), hz), 0.0, 8.0) << name << " " << maqam;
    }
  }
}

/// Amplitudes of the harmonics of a sung vowel, the glottal slope taken away.
std::vector<double> envelope(int vowel, double hz, const Voice& voice) {
  Singer singer(voice, rate, 5);
  std::vector<float> out(20000, 0.0f);
  Syllable syllable;
  syllable.vowel = vowel;
  const float cents = static_cast<float>(6900.0 + 1200.0 * std::log2(hz / 440.0));
  const std::vector<LineNote> notes = {{.start = 0, .length = 19000, .cents = cents, .syllable = 0}};
  singer.sing(out, notes, std::vector<Syllable>{syllable}, 1.0f);
  std::vector<double> harmonics = {0.0};
  for (int h = 1; h * hz < 3500.0; ++h)
    harmonics.push_back(magnitude(std::span(out).subspan(4000, 12000), h * hz) * std::pow(h, voice.rolloff));
  return harmonics;
}

TEST(Singer, VowelsHaveTheirFormants) {
  Voice voice;
  voice.breath = voice.vibrato_cents = 0.0f;
  constexpr double hz = 70.0;
  for (const LanguageStyle& language : languages()) {
    const std::vector<std::string_view> vowels = vowels_of(language.language);
    EXPECT_GE(vowels.size(), 5u);
    for (const std::string_view name : vowels) {
      const Phone& it = phone(find_phone(name));
      const std::vector<double> harmonics = envelope(find_phone(name), hz, voice);
      for (int k = 0; k < 2; ++k) {  // a local maximum stands near each of the first two formants
        double nearest = 1e9;
        for (std::size_t h = 2; h + 1 < harmonics.size(); ++h) {
          if (harmonics[h] >= harmonics[h - 1] && harmonics[h] >= harmonics[h + 1])
            nearest = std::min(nearest, std::abs(static_cast<double>(h) * hz - it.formant[k]));
        }
        EXPECT_LT(nearest, 0.5 * hz + 0.06 * it.formant[k]) << name << " F" << k + 1;
      }
    }
  }
}

TEST(Singer, ConsonantsComeAheadOfTheBeatAndWordsPartLines) {
  Singer singer(Voice{}, rate, 9);
  std::vector<float> out(30000, 0.0f);
  const std::vector<Syllable> words = syllables_of("spanish", "sa");
  const std::vector<LineNote> notes = {{.start = 12000, .length = 8000, .cents = 5500, .syllable = 0}};
  singer.sing(out, notes, words, 1.0f);
  const std::span<const float> x(out);
  EXPECT_LT(decibels(x.subspan(0, 8000)), -100.0);
  EXPECT_GT(decibels(x.subspan(10500, 1400)), -60.0);                             // the s
  EXPECT_GT(decibels(x.subspan(13000, 5000)), decibels(x.subspan(10500, 1400)));  // the a
  EXPECT_LT(decibels(x.subspan(25000, 5000)), -80.0);
}

TEST(Renderer, EveryGenreSoundsWithinLevels) {
  Renderer renderer;
  for (const LanguageStyle& language : languages()) {
    for (const GenreStyle& style : styles_of(language.language)) {
      const SongFactors factors = draw_factors(style.genre, 5);
      const std::vector<float>& samples = renderer.render(factors, 16000, 12.0);
      ASSERT_EQ(samples.size(), 192000u);
      float peak = 0.0f;
      for (const float x : samples) {
        ASSERT_TRUE(std::isfinite(x)) << style.genre;
        peak = std::max(peak, std::abs(x));
      }
      EXPECT_LE(peak, 0.9501f) << style.genre;
      const double level = decibels(samples);
      EXPECT_NEAR(level, -25.0 + 13.0 * factors.energy, 5.5) << style.genre;
      for (std::size_t start = 0; start + 32000 <= samples.size();
           start += 32000)  // no two seconds of silence
        EXPECT_GT(decibels(std::span(samples).subspan(start, 32000)), level - 40.0)
            << style.genre << " at " << start / 16000;
    }
  }
}

TEST(Renderer, BrightnessIsTheCentroidAndEnergyTheLevel) {
  Renderer renderer;
  for (const std::string_view genre : {"latin_pop", "bolero", "nazrul_geeti", "arabic_dabke"}) {
    SongFactors factors = draw_factors(genre, 3);
    double before = 0.0;
    for (const float brightness : {0.2f, 0.5f, 0.8f}) {
      factors.brightness = brightness;
      const double centroid = mean_centroid(renderer.render(factors, 22050, 10.0), rate);
      EXPECT_NEAR(centroid / centroid_of(brightness), 1.0, 0.35) << genre << " " << brightness;
      EXPECT_GT(centroid, 1.2 * before) << genre;
      before = centroid;
    }
    factors.energy = 0.1f;
    const double quiet = decibels(renderer.render(factors, 22050, 10.0));
    factors.energy = 0.9f;
    EXPECT_GT(decibels(renderer.render(factors, 22050, 10.0)), quiet + 6.0) << genre;
  }
}

/// Rise of the level from one frame of 256 samples to the next.
std::vector<double> onsets(const std::vector<float>& samples) {
  std::vector<double> out;
  double before = 0.0;
  for (std::size_t start = 0; start + 256 <= samples.size(); start += 256) {
    double change = 0.0;  // of the first difference, which hears strokes better than tones
    for (std::size_t i = start + 1; i < start + 256; ++i)
      change += std::pow(static_cast<double>(samples[i]) - samples[i - 1], 2);
    const double level = std::log(change + 1e-6);
    out.push_back(std::max(0.0, level - before));
    before = level;
  }
  return out;
}

double autocorrelation(const std::vector<double>& x, double lag) {
  const auto whole = static_cast<std::size_t>(lag);
  const double part = lag - static_cast<double>(whole);
  double sum = 0.0;
  for (std::size_t i = whole + 1; i < x.size(); ++i)
    sum += x[i] * ((1.0 - part) * x[i - whole] + part * x[i - whole - 1]);
  return sum / static_cast<double>(x.size() - whole);
}

TEST(Renderer, BeatsComeAtTheTempo) {
  Renderer renderer;
  for (const std::string_view genre :
       {"pop", "rock", "reggaeton", "arabic_pop", "folk_baul", "bollywood_modern", "norteno", "salsa"}) {
    for (const std::uint64_t seed : {1u, 2u}) {
      const SongFactors factors = draw_factors(genre, seed);
      const std::vector<double> strokes = onsets(renderer.render(factors, 22050, 24.0));
      const double beat = 60.0 / factors.tempo_bpm * rate / 256.0;
      // Over four beats a repetition stands out from what lies between: 4 % apart is another tempo.
      double at = 0.0, apart = 0.0;
      for (const double shift : {-0.01, 0.0, 0.01})
        at = std::max(at, autocorrelation(strokes, 4.0 * beat * (1.0 + shift)));
      for (const double shift : {-0.05, -0.04, 0.04, 0.05})
        apart = std::max(apart, autocorrelation(strokes, 4.0 * beat * (1.0 + shift)));
      EXPECT_GT(at, 1.05 * apart) << genre << " " << seed << " " << factors.tempo_bpm;
    }
  }
}

TEST(Renderer, SameSeedSameSamplesOnAnyThread) {
  const std::vector<std::string> genres = {"jazz",         "salsa",      "flamenco",
                                           "nazrul_geeti", "mahraganat", "bollywood_pop"};
  std::vector<std::uint64_t> first(genres.size());
  for (std::size_t i = 0; i < genres.size(); ++i) {
    first[i] = hash_of(Renderer().render(draw_factors(genres[i], i), 22050, 8.0));
  }
  for (const int threads : {1, 2, 3}) {
#pragma omp parallel num_threads(threads)
    {
      Renderer renderer;  // whatever it rendered before
#pragma omp for schedule(dynamic)
      for (std::size_t i = 0; i < genres.size(); ++i) {
        EXPECT_EQ(hash_of(renderer.render(draw_factors(genres[i], i), 22050, 8.0)), first[i]) << genres[i];
      }
    }
  }
  EXPECT_NE(hash_of(Renderer().render(draw_factors("jazz", 99), 22050, 8.0)), first[0]);
}

// The corpus is part of what users compare results on: the same on every compiler and machine. A change of
// sound on purpose raises renderer_version and these numbers.
TEST(Renderer, SamplesAreTheOnesOfThisVersion) {
  EXPECT_EQ(renderer_version, 2);
  EXPECT_EQ(hash_of(Renderer().render(draw_factors("khaleeji", 42), 22050, 10.0)), 4458950981722649510u);
  EXPECT_EQ(hash_of(Renderer().render(draw_sung_factors("rock", 7), 22050, 10.0)), 3553689667587228600u);
}

TEST(Renderer, SongsOfOneGenreDiffer) {
  const SongFactors one = draw_factors("salsa", 1), two = draw_factors("salsa", 2);
  EXPECT_TRUE(one.tempo_bpm != two.tempo_bpm && one.energy != two.energy);
  EXPECT_NE(hash_of(Renderer().render(one, 22050, 2.0)), hash_of(Renderer().render(two, 22050, 2.0)));
}

TEST(Renderer, RefusesWhatItCannotRender) {
  SongFactors factors = draw_factors("pop", 1);
  EXPECT_THROW(Renderer().render(factors, 100, 5.0), UsageError);
  EXPECT_THROW(Renderer().render(factors, 22050, std::nan("")), UsageError);
  factors.mode = "none";
  EXPECT_THROW(Renderer().render(factors, 22050, 5.0), UsageError);
}

TEST(Renderer, ShortSongsAndOtherRates) {
  for (const int sample_rate : {8000, 44100, 96000}) {
    for (const double seconds : {0.5, 3.0}) {
      const std::vector<float> samples = Renderer().render(draw_factors("banda", 4), sample_rate, seconds);
      EXPECT_EQ(samples.size(), static_cast<std::size_t>(seconds * sample_rate + 0.5));
    }
  }
}

}  // namespace
}  // namespace chorale::data::synth
