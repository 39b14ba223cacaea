// SPDX-License-Identifier: MIT
#include "audio/decode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <string_view>

#include "audio/decoder.h"
#include "audio/resample.h"
#include "audio/riff.h"

namespace chorale::audio {
namespace {

constexpr std::int64_t block_frames = 4096;

struct Container {
  std::string_view name, magic;
  std::string_view form;  ///< what stands at byte 8, if that matters
  std::array<std::string_view, 3> extensions;
};
constexpr Container containers[] = {
    {"WAV", "RIFF", "WAVE", {"wav", "wave"}},    {"WAV", "RIFX", "WAVE", {"wav", "wave"}},
    {"WAV", "RF64", "WAVE", {"wav", "rf64"}},    {"WAVE64", "riff", "", {"w64", "wav"}},
    {"AIFF", "FORM", "AIFF", {"aiff", "aif"}},   {"AIFF", "FORM", "AIFC", {"aiff", "aif", "aifc"}},
    {"AU", ".snd", "", {"au", "snd"}},           {"AU", "dns.", "", {"au", "snd"}},
    {"OGG", "OggS", "", {"ogg", "oga", "opus"}}, {"FLAC", "fLaC", "", {"flac"}},
    {"MP3", "", "", {"mp3", "mp2", "mpga"}},  // has no mark of its own
};

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw InputError(printable(path) + ": " + what);
}

const Container& container_of(const InputFile& file, std::uint64_t begin) {
  std::array<char, 12> head{};
  const std::size_t got = file.read_some(begin, std::as_writable_bytes(std::span(head)));
  const std::string_view text(head.data(), got);
  return *std::find_if(std::begin(containers), std::end(containers) - 1, [&](const Container& c) {
    return text.starts_with(c.magic) && (c.form.empty() || (got == 12 && text.substr(8) == c.form));
  });
}

std::string extension_of(const std::string& path) {
  const std::size_t slash = path.rfind('/'), dot = path.rfind('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return {};
  std::string text = path.substr(dot + 1);
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

/// Where the name says a format, the content must be of that.
void check_name(const std::string& path, const Container& container) {
  const std::string extension = extension_of(path);
  if (extension.empty()) return;
  const auto has = [&](const Container& c) {
    return std::ranges::find(c.extensions, extension) != c.extensions.end();
  };
  if (!has(container) && std::any_of(std::begin(containers), std::end(containers), has))
    fail(path, "the name does not fit the content: ." + extension + " (allowed for " +
                   std::string(container.name) + ": ." + std::string(container.extensions[0]) + ")");
}

}  // namespace

void check_layout(const std::string& path, std::int64_t sample_rate, std::int64_t channels) {
  if (channels < 1 || channels > max_channels)
    fail(path, "wrong number of channels: " + std::to_string(channels) + " (allowed 1 to " +
                   std::to_string(max_channels) + ")");
  if (sample_rate < min_sample_rate || sample_rate > max_sample_rate)
    fail(path, "wrong sample rate: " + std::to_string(sample_rate) + " Hz (allowed " +
                   std::to_string(min_sample_rate) + " to " + std::to_string(max_sample_rate) + ")");
}

struct AudioReader::State {
  InputFile file;
  std::unique_ptr<Decoder> decoder;
  int sample_rate = 0, channels = 0;
  bool strict = false, done = false;
  std::int64_t position = 0;       ///< sample frames consumed from the start of the file
  std::int64_t limit = 0;          ///< sample frames left to deliver
  std::vector<float> interleaved;  ///< one block
  std::vector<std::string> warnings;

  explicit State(const std::string& path) : file(path) {}
  const std::string& path() const { return file.path(); }

  void warn(const std::string& what) {
    if (strict) fail(path(), what);
    warnings.push_back(what);
  }

  void open(bool name_counts) {
    if (file.size() == 0) fail(path(), "empty file");
    const std::uint64_t begin = end_of_id3v2(file);
    const Container& container = container_of(file, begin);
    if (container.magic.empty()) {
      decoder = open_mpeg(file);
      if (!decoder)
        fail(path(), "not an audio file that can be read (allowed WAV, AIFF, AU, FLAC, OGG, Opus, MP3)");
    } else {
      if (begin == 0)
        for (const std::string& warning : check_riff(file).warnings) warn(warning);
      decoder = open_sndfile(file, begin);
    }
    check_layout(path(), decoder->sample_rate(), decoder->channels());
    if (name_counts) check_name(path(), container);
    sample_rate = static_cast<int>(decoder->sample_rate());
    channels = static_cast<int>(decoder->channels());
    interleaved.resize(static_cast<std::size_t>(block_frames * channels));
  }

  void skip(std::int64_t frames) {
    if (frames > 0) position = decoder->seek(frames);
    while (position < frames) {
      const std::int64_t got = read_block(frames - position);
      if (got == 0) break;
    }
  }

  /// Up to a block of sample frames into the front of `interleaved`.
  std::int64_t read_block(std::int64_t frames) {
    const auto want = static_cast<std::size_t>(std::min(block_frames, frames) * channels);
    const std::int64_t got = decoder->read(std::span(interleaved).first(want));
    position += got;
    return got;
  }

  /// InputError unless the block of `frames` from frame `first` of the file on holds numbers that can be
  /// sound.
  void check_samples(std::int64_t frames, std::int64_t first) const {
    // All of them in vectors; only where one is bad, they are looked at one by one.
    int bad = 0;
    const std::int64_t n = frames * channels;
    for (std::int64_t i = 0; i < n; ++i)
      bad |= !(std::fabs(interleaved[static_cast<std::size_t>(i)]) <= max_sample);
    if (!bad) return;
    for (std::int64_t i = 0; i < n; ++i) {
      const float x = std::fabs(interleaved[static_cast<std::size_t>(i)]);
      if (x <= max_sample) continue;
      fail(path(), (std::isfinite(x) ? "absurd sample at " : "non-finite sample at ") +
                       std::to_string(first + i / channels) + ": " +
                       (std::isnan(x) ? "nan" : std::to_string(x)) +
                       " (allowed up to 1e10; full scale is 1)");
    }
  }

  /// Calls sink(frames delivered before, frames) for blocks in `interleaved` of up to `wanted` sample frames
  /// in all; returns how many there were.
  template <class Sink>
  std::size_t deliver(std::size_t wanted, const Sink& sink) {
    std::size_t delivered = 0;
    while (delivered < wanted && limit > 0 && !done) {
      const std::int64_t first = position;
      const std::int64_t got = read_block(std::min(static_cast<std::int64_t>(wanted - delivered), limit));
      check_samples(got, first);
      sink(delivered, got);
      limit -= got;
      delivered += static_cast<std::size_t>(got);
      if (got == 0 || limit == 0) finish();
    }
    return delivered;
  }

  /// Called once, when nothing more is wanted or there.
  void finish() {
    done = true;
    for (const std::string& fault : decoder->faults()) warn(fault);
  }
};

namespace {

/// The mean of the channels, summed from the first on (librosa.to_mono).
void mix(const float* interleaved, std::int64_t frames, int channels, float* mono) {
  if (channels == 1) {
    std::copy_n(interleaved, frames, mono);
  } else if (channels == 2) {
    for (std::int64_t i = 0; i < frames; ++i) mono[i] = (interleaved[2 * i] + interleaved[2 * i + 1]) / 2;
  } else {
    for (std::int64_t i = 0; i < frames; ++i) {
      float sum = 0;
      for (int c = 0; c < channels; ++c) sum += interleaved[i * channels + c];
      mono[i] = sum / static_cast<float>(channels);
    }
  }
}

}  // namespace

AudioReader::AudioReader(const std::string& path, const DecodeOptions& options)
    : state_(std::make_unique<State>(path)) {
  if (!(options.offset >= 0) || !std::isfinite(options.offset))
    throw UsageError("offset: out of range: " + std::to_string(options.offset) + " s (allowed 0 or more)");
  if (!(options.duration > 0))
    throw UsageError("duration: out of range: " + std::to_string(options.duration) + " s (allowed above 0)");
  State& s = *state_;
  s.strict = options.strict;
  s.open(options.check_name);
  const double most = 9e15;  // exact as a double and far beyond any file
  s.limit = static_cast<std::int64_t>(std::min(most, options.duration * s.sample_rate));
  s.skip(static_cast<std::int64_t>(std::min(most, options.offset * s.sample_rate)));
}

AudioReader::~AudioReader() = default;
AudioReader::AudioReader(AudioReader&&) noexcept = default;
AudioReader& AudioReader::operator=(AudioReader&&) noexcept = default;

int AudioReader::sample_rate() const { return state_->sample_rate; }
int AudioReader::channels() const { return state_->channels; }
bool AudioReader::is_16_bit() const { return state_->decoder->is_16_bit(); }
const std::vector<std::string>& AudioReader::warnings() const { return state_->warnings; }

std::size_t AudioReader::read(std::span<float> mono) {
  const State& s = *state_;
  return state_->deliver(mono.size(), [&](std::size_t done, std::int64_t frames) {
    mix(s.interleaved.data(), frames, s.channels, mono.data() + done);
  });
}

std::size_t AudioReader::read_interleaved(std::span<float> samples) {
  const State& s = *state_;
  const auto channels = static_cast<std::size_t>(s.channels);
  return state_->deliver(samples.size() / channels, [&](std::size_t done, std::int64_t frames) {
    std::copy_n(s.interleaved.data(), frames * s.channels, samples.data() + done * channels);
  });
}

namespace {

/// `read` fills a block with mono samples or whole sample frames and says how many; `sink` gets all of them.
template <class Read, class Sink>
void read_all(const AudioReader& reader, const std::string& path, const Read& read, const Sink& sink) {
  const std::int64_t most = static_cast<std::int64_t>(max_clip_seconds * reader.sample_rate());
  std::vector<float> block(1 << 15);
  std::int64_t total = 0;
  while (const std::size_t got = read(block)) {
    total += static_cast<std::int64_t>(got);
    if (total > most)
      fail(path, "too long to hold in memory: more than " +
                     std::to_string(static_cast<int>(max_clip_seconds)) + " s (allowed with a duration)");
    sink(block, got);
  }
  if (total == 0)
    fail(path, "no samples" + (reader.warnings().empty() ? "" : ": " + reader.warnings().back()));
}

}  // namespace

MultichannelClip load_channels(const std::string& path, int sample_rate, const DecodeOptions& options,
                               bool mono) {
  AudioReader reader(path, options);
  MultichannelClip clip;
  clip.sample_rate = sample_rate > 0 ? sample_rate : reader.sample_rate();
  const auto channels = static_cast<std::size_t>(mono ? 1 : reader.channels());
  clip.channels.resize(channels);
  std::deque<Resampler> resamplers;
  for (std::size_t c = 0; c < channels; ++c) resamplers.emplace_back(reader.sample_rate(), clip.sample_rate);
  std::vector<float> samples;  // of one channel
  read_all(
      reader, path,
      [&](std::vector<float>& block) { return mono ? reader.read(block) : reader.read_interleaved(block); },
      [&](const std::vector<float>& block, std::size_t frames) {
        samples.resize(frames);
        for (std::size_t c = 0; c < channels; ++c) {
          for (std::size_t i = 0; i < frames; ++i) samples[i] = block[i * channels + c];
          resamplers[c].process(samples, clip.channels[c]);
        }
      });
  for (std::size_t c = 0; c < channels; ++c) resamplers[c].finish(clip.channels[c]);
  clip.warnings = reader.warnings();
  return clip;
}

AudioClip load(const std::string& path, int sample_rate, const DecodeOptions& options) {
  MultichannelClip all = load_channels(path, sample_rate, options, true);
  AudioClip clip{std::move(all.channels[0]), all.sample_rate, 0, std::move(all.warnings)};
  clip.seconds = static_cast<double>(clip.samples.size()) / clip.sample_rate;
  return clip;
}

AudioClip decode(const std::string& path, const DecodeOptions& options) { return load(path, 0, options); }

}  // namespace chorale::audio
