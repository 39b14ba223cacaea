// SPDX-License-Identifier: MIT
#include "audio/decode.h"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <mutex>
#include <string_view>

#include "audio/resample.h"
#include "audio/riff.h"
#include "tensor/file.h"

namespace chorale::audio {
namespace {

constexpr sf_count_t block_frames = 4096;

/// libsndfile's view of an InputFile: positioned reads, so the file may change or shrink meanwhile.
struct Source {
  InputFile file;
  std::uint64_t position = 0;
};

Source& source(void* user) { return *static_cast<Source*>(user); }

SF_VIRTUAL_IO callbacks() {
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* user) { return static_cast<sf_count_t>(source(user).file.size()); };
  io.seek = [](sf_count_t offset, int whence, void* user) {
    Source& s = source(user);
    const sf_count_t size = static_cast<sf_count_t>(s.file.size());
    const sf_count_t base = whence == SEEK_SET   ? 0
                            : whence == SEEK_CUR ? static_cast<sf_count_t>(s.position)
                                                 : size;
    if (offset < -base || offset > std::numeric_limits<sf_count_t>::max() - base) return sf_count_t{-1};
    s.position = static_cast<std::uint64_t>(base + offset);
    return base + offset;
  };
  io.read = [](void* target, sf_count_t count, void* user) {
    Source& s = source(user);
    if (count <= 0) return sf_count_t{0};
    try {
      const std::size_t got =
          s.file.read_some(s.position, {static_cast<std::byte*>(target), static_cast<std::size_t>(count)});
      s.position += got;
      return static_cast<sf_count_t>(got);
    } catch (const Error&) {  // an I/O error ends the file here; no exception may cross the C library
      return sf_count_t{0};
    }
  };
  io.write = [](const void*, sf_count_t, void*) { return sf_count_t{0}; };
  io.tell = [](void* user) { return static_cast<sf_count_t>(source(user).position); };
  return io;
}

struct Format {
  int major;
  std::string_view name;
  std::array<std::string_view, 3> extensions;
};
constexpr Format formats[] = {
    {SF_FORMAT_WAV, "WAV", {"wav", "wave"}},
    {SF_FORMAT_WAVEX, "WAV", {"wav", "wave"}},
    {SF_FORMAT_RF64, "WAV", {"wav", "rf64"}},
    {SF_FORMAT_AIFF, "AIFF", {"aiff", "aif", "aifc"}},
    {SF_FORMAT_AU, "AU", {"au", "snd"}},
    {SF_FORMAT_FLAC, "FLAC", {"flac"}},
    {SF_FORMAT_OGG, "OGG", {"ogg", "oga", "opus"}},
    {SF_FORMAT_MPEG, "MP3", {"mp3"}},
};

std::string extension_of(const std::string& path) {
  const std::size_t slash = path.rfind('/'), dot = path.rfind('.');
  if (dot == std::string::npos || (slash != std::string::npos && dot < slash)) return {};
  std::string text = path.substr(dot + 1);
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw InputError(printable(path) + ": " + what);
}

/// The content must be of a format read here and, where the name says one, of that.
void check_format(const std::string& path, int format, bool check_name) {
  const int major = format & SF_FORMAT_TYPEMASK;
  const auto found =
      std::find_if(std::begin(formats), std::end(formats), [&](const Format& f) { return f.major == major; });
  if (found == std::end(formats))
    fail(path, "unsupported audio format: " + std::to_string(major >> 16) +
                   " (allowed WAV, AIFF, AU, FLAC, OGG, MP3)");
  const std::string extension = extension_of(path);
  if (!check_name || extension.empty()) return;
  const auto has = [&](const Format& f) {
    return std::ranges::find(f.extensions, extension) != f.extensions.end();
  };
  if (!has(*found) && std::any_of(std::begin(formats), std::end(formats), has))
    fail(path, "the name does not fit the content: ." + extension + " (allowed for " +
                   std::string(found->name) + ": ." + std::string(found->extensions[0]) + ")");
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
  Source source;
  SF_VIRTUAL_IO io = callbacks();
  SF_INFO info{};
  SNDFILE* handle = nullptr;
  bool strict = false, done = false;
  bool to_the_end = true;          ///< no limit on the duration
  std::int64_t position = 0;       ///< frames consumed from the start of the file
  std::int64_t limit = 0;          ///< frames left to deliver
  std::vector<float> interleaved;  ///< one block
  std::vector<std::string> warnings;

  explicit State(const std::string& path) : source{InputFile(path)} {}
  ~State() {
    if (handle) sf_close(handle);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  const std::string& path() const { return source.file.path(); }

  void warn(const std::string& what) {
    if (strict) fail(path(), what);
    warnings.push_back(what);
  }

  void skip(std::int64_t frames) {
    if (frames == 0) return;
    if (info.seekable && sf_seek(handle, frames, SEEK_SET) == frames) {
      position = frames;
      return;
    }
    sf_seek(handle, 0, SEEK_SET);
    while (position < frames) {
      const sf_count_t got =
          sf_readf_float(handle, interleaved.data(), std::min<sf_count_t>(block_frames, frames - position));
      if (got <= 0) break;
      position += got;
    }
  }

  /// Called once, when the decoder delivers nothing more.
  void finish() {
    done = true;
    if (const int code = sf_error(handle); code != SF_ERR_NO_ERROR)
      warn("damaged after " + std::to_string(position) + " samples: " + sf_error_number(code));
    // MP3 headers estimate; elsewhere fewer samples than the header says mean a file cut short.
    const int major = info.format & SF_FORMAT_TYPEMASK;
    if (major != SF_FORMAT_MPEG && info.frames != SF_COUNT_MAX && position < info.frames)
      warn("cut short: " + std::to_string(position) + " of " + std::to_string(info.frames) + " samples");
  }
};

AudioReader::AudioReader(const std::string& path, const DecodeOptions& options)
    : state_(std::make_unique<State>(path)) {
  if (!(options.offset >= 0) || !std::isfinite(options.offset))
    throw UsageError("offset: out of range: " + std::to_string(options.offset) + " s (allowed 0 or more)");
  if (!(options.duration > 0))
    throw UsageError("duration: out of range: " + std::to_string(options.duration) + " s (allowed above 0)");
  State& s = *state_;
  s.strict = options.strict;
  if (s.source.file.size() == 0) fail(path, "empty file");
  const RiffReport riff = check_riff(s.source.file);
  for (const std::string& warning : riff.warnings) s.warn(warning);
  int code = SF_ERR_NO_ERROR;
  {
    // Why a file could not be opened stands in a variable that the library has once for all threads.
    static std::mutex opening;
    const std::lock_guard lock(opening);
    s.handle = sf_open_virtual(&s.io, SFM_READ, &s.info, &s.source);
    if (!s.handle) code = sf_error(nullptr);
  }
  if (!s.handle) {
    // For anything that might be MPEG the library reports whatever its last parser tripped over.
    const bool unknown = code == SF_ERR_UNRECOGNISED_FORMAT || extension_of(path) == "mp3" ||
                         code > SF_ERR_UNSUPPORTED_ENCODING;
    fail(path,
         unknown
             ? std::string("not an audio file that can be read (allowed WAV, AIFF, AU, FLAC, OGG, Opus, MP3)")
             : std::string("cannot be decoded: ") + sf_error_number(code));
  }
  check_layout(path, s.info.samplerate, s.info.channels);
  check_format(path, s.info.format, options.check_name);
  s.interleaved.resize(static_cast<std::size_t>(block_frames * s.info.channels));
  const double rate = s.info.samplerate;
  const double most = 9e15;  // exact as a double and far beyond any file
  s.to_the_end = !std::isfinite(options.duration);
  s.limit = static_cast<std::int64_t>(std::min(most, options.duration * rate));
  s.skip(static_cast<std::int64_t>(std::min(most, options.offset * rate)));
}

AudioReader::~AudioReader() = default;
AudioReader::AudioReader(AudioReader&&) noexcept = default;
AudioReader& AudioReader::operator=(AudioReader&&) noexcept = default;

int AudioReader::sample_rate() const { return state_->info.samplerate; }
int AudioReader::channels() const { return state_->info.channels; }
const std::vector<std::string>& AudioReader::warnings() const { return state_->warnings; }

std::size_t AudioReader::read(std::span<float> mono) {
  State& s = *state_;
  const int channels = s.info.channels;
  std::size_t filled = 0;
  while (filled < mono.size() && s.limit > 0 && !s.done) {
    const sf_count_t want =
        std::min<sf_count_t>({block_frames, static_cast<sf_count_t>(mono.size() - filled), s.limit});
    const sf_count_t got = sf_readf_float(s.handle, s.interleaved.data(), want);
    if (got <= 0) {
      s.finish();
      break;
    }
    for (sf_count_t i = 0; i < got; ++i) {
      const float* frame = s.interleaved.data() + i * channels;
      float sum = 0, largest = 0;
      bool ordered = true;
      for (int c = 0; c < channels; ++c) {
        sum += frame[c];
        largest = std::max(largest, std::fabs(frame[c]));
        ordered = ordered && frame[c] == frame[c];
      }
      if (!ordered || largest > max_sample) [[unlikely]]
        fail(s.path(), (!ordered || std::isinf(largest) ? "non-finite sample at " : "absurd sample at ") +
                           std::to_string(s.position + i) +
                           (ordered ? ": " + std::to_string(largest) : ": nan") +
                           " (allowed up to 1e10; full scale is 1)");
      mono[filled + static_cast<std::size_t>(i)] = channels == 1 ? sum : sum / static_cast<float>(channels);
    }
    s.position += got;
    s.limit -= got;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

namespace {

template <class Sink>
void read_all(AudioReader& reader, const std::string& path, const Sink& sink) {
  const std::int64_t most = static_cast<std::int64_t>(max_clip_seconds * reader.sample_rate());
  std::vector<float> block(1 << 15);
  std::int64_t total = 0;
  while (const std::size_t got = reader.read(block)) {
    total += static_cast<std::int64_t>(got);
    if (total > most)
      fail(path, "too long to hold in memory: more than " +
                     std::to_string(static_cast<int>(max_clip_seconds)) + " s (allowed with a duration)");
    sink(std::span<const float>(block).first(got));
  }
  if (total == 0)
    fail(path, "no samples" + (reader.warnings().empty() ? "" : ": " + reader.warnings().back()));
}

}  // namespace

AudioClip decode(const std::string& path, const DecodeOptions& options) {
  AudioReader reader(path, options);
  AudioClip clip;
  clip.sample_rate = reader.sample_rate();
  read_all(reader, path, [&](std::span<const float> samples) {
    clip.samples.insert(clip.samples.end(), samples.begin(), samples.end());
  });
  clip.seconds = static_cast<double>(clip.samples.size()) / clip.sample_rate;
  clip.warnings = reader.warnings();
  return clip;
}

AudioClip load(const std::string& path, int sample_rate, const DecodeOptions& options) {
  AudioReader reader(path, options);
  AudioClip clip;
  clip.sample_rate = sample_rate;
  Resampler resampler(reader.sample_rate(), sample_rate);
  read_all(reader, path, [&](std::span<const float> samples) { resampler.process(samples, clip.samples); });
  resampler.finish(clip.samples);
  clip.seconds = static_cast<double>(clip.samples.size()) / clip.sample_rate;
  clip.warnings = reader.warnings();
  return clip;
}

}  // namespace chorale::audio
