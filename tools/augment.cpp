// SPDX-License-Identifier: MIT
// Changes the tempo, pitch, noise and level of one audio file.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "audio/augment.h"
#include "audio/decode.h"
#include "data/audio_writer.h"
#include "kernels/error.h"
#include "tensor/file.h"
#include "tools/common/log.h"
#include "tools/common/program.h"
#include "tools/common/text.h"

namespace {

using namespace chorale;
using namespace chorale::tools;

struct Request {
  std::string input, output;
  double pitch_steps = 0, rate = 1, noise_snr_db = 0, gain_db = 0, offset = 0, duration = 0;
  std::int64_t bins_per_octave = 12, sr = 0;
  bool mono = false;
};

void declare(Options& options, Request* r) {
  options.group("File");
  options.add("--input", &r->input, "an audio file").placeholder("SONG").required();
  options
      .add("--output", &r->output,
           "the changed song, 16 bits; its extension is the format: " + join(data::audio_formats()))
      .placeholder("FILE")
      .required();
  options.add("--offset", &r->offset, "seconds to skip", {0, 1e9});
  options.add("--duration", &r->duration, "seconds to read; 0: to the end", {0, 1e9});
  options
      .add("--sr", &r->sr, "Hz, resampled to before all else",
           {audio::min_sample_rate, audio::max_sample_rate})
      .shown_default("the file's");
  options.add("--mono", &r->mono, "one channel, the mean of the file's");
  options.group("Changes, in this order");
  options.add("--pitch-steps", &r->pitch_steps, "steps of the octave, up or down, within two octaves");
  options.add("--bins-per-octave", &r->bins_per_octave, "how many steps make an octave", {1, 1200});
  options.add("--rate", &r->rate, "factor of the speed at the same pitch",
              {audio::slowest_rate, audio::fastest_rate});
  options
      .add("--noise-snr-db", &r->noise_snr_db,
           "white noise so far below each channel's mean power; --seed draws it", {-100, 200})
      .shown_default("no noise");
  options.add("--gain-db", &r->gain_db, "change of the level; what then exceeds full scale is clipped",
              {-200, 200});
}

/// The format that the name of `path` ends with.
std::string format_of(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const std::vector<std::string> formats = data::audio_formats();
  if (extension.empty() || std::find(formats.begin(), formats.end(), extension.substr(1)) == formats.end())
    throw UsageError(concat("--output: no format that can be written: ", printable(path), " (allowed *.",
                            join(formats, ", *."), ")"));
  return extension.substr(1);
}

/// UsageError if the format does not take the layout.
void check_format(const std::string& format, int sample_rate, int channels) {
  try {
    data::encode_audio({}, sample_rate, format, channels);
  } catch (const UsageError&) {
    throw UsageError(concat("--output: ", format, " does not take the layout: ", sample_rate, " Hz, ",
                            channels, channels == 1 ? " channel" : " channels",
                            " (allowed with another format, --sr or --mono)"));
  }
}

void check_request(const Request& r) {
  const double octaves = r.pitch_steps / static_cast<double>(r.bins_per_octave);
  if (!(std::fabs(octaves) <= audio::most_octaves))
    throw UsageError(concat("--pitch-steps: out of range: ", r.pitch_steps, " (allowed ",
                            -audio::most_octaves * static_cast<double>(r.bins_per_octave), " to ",
                            audio::most_octaves * static_cast<double>(r.bins_per_octave), ", two octaves)"));
  std::error_code ignored;
  if (std::filesystem::equivalent(r.input, r.output, ignored))
    throw UsageError("--output: is the input itself: " + printable(r.output) + " (allowed any other file)");
}

struct Song {
  Tensor samples;  ///< f32 [channels, length] on the current device
  int sample_rate = 0;
};

Song read_song(const Request& r, const std::string& format) {
  audio::DecodeOptions decode;
  decode.offset = r.offset;
  decode.duration = r.duration > 0 ? r.duration : audio::whole_file;
  {
    const audio::AudioReader reader(r.input, decode);
    check_format(format, r.sr > 0 ? static_cast<int>(r.sr) : reader.sample_rate(),
                 r.mono ? 1 : reader.channels());
  }
  audio::MultichannelClip clip = audio::load_channels(r.input, static_cast<int>(r.sr), decode, r.mono);
  for (const std::string& warning : clip.warnings) log_warning(printable(r.input), ": ", warning);
  const auto channels = static_cast<std::int64_t>(clip.channels.size()),
             length = static_cast<std::int64_t>(clip.channels[0].size());
  Song song{Tensor({channels, length}, DType::f32), clip.sample_rate};
  for (std::int64_t c = 0; c < channels; ++c)
    song.samples[c].upload(clip.channels[static_cast<std::size_t>(c)].data(), DType::f32);
  return song;
}

/// [channels, length] as a file has them.
std::vector<float> interleave(const Tensor& samples) {
  std::vector<float> planar = samples.to_host<float>();
  const auto channels = static_cast<std::size_t>(samples.dim(0)), length = planar.size() / channels;
  if (channels == 1) return planar;
  std::vector<float> out(planar.size());
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = 0; i < length; ++i) out[i * channels + c] = planar[c * length + i];
  return out;
}

void warn_of_clipping(const std::vector<float>& samples) {
  float peak = 0;
  std::int64_t beyond = 0;
  for (const float x : samples) {
    peak = std::max(peak, std::fabs(x));
    beyond += std::fabs(x) > 1.0f;
  }
  if (beyond > 0)
    log_warning(beyond, " of ", samples.size(), " samples exceed full scale and are clipped: peak ",
                format_number(peak), ", ", format_fixed(20 * std::log10(peak), 1), " dB");
}

int run(Program& program, const Request& r) {
  check_request(r);
  const std::string format = format_of(r.output);
  check_writable(r.output);
  ExecutionContext context(program.device());
  const ContextScope scope(context);
  Song song = read_song(r, format);
  if (r.rate != 1 || r.pitch_steps != 0)
    song.samples = audio::change_tempo_and_pitch(song.samples, r.rate, r.pitch_steps,
                                                 static_cast<int>(r.bins_per_octave));
  if (program.given("--noise-snr-db"))
    song.samples = audio::add_noise(song.samples, r.noise_snr_db, program.common().seed);
  if (r.gain_db != 0) song.samples = audio::apply_gain(song.samples, r.gain_db);
  const int channels = static_cast<int>(song.samples.dim(0));
  const std::vector<float> samples = interleave(std::exchange(song.samples, Tensor()));
  warn_of_clipping(samples);
  data::write_audio(r.output, samples, song.sample_rate, format, channels);
  log_info(printable(r.output), ": ",
           format_fixed(static_cast<double>(samples.size()) / channels / song.sample_rate, 2), " s at ",
           song.sample_rate, " Hz, ", channels, channels == 1 ? " channel" : " channels");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  return run_program(
      argc, argv,
      {.name = "augment",
       .summary = "Changes the tempo, pitch, noise and level of one song, channel by channel. The song is "
                  "held in memory: some 20 bytes a sample of the longer of input and result."},
      [&](Options& options) { declare(options, &request); },
      [&](Program& program) { return run(program, request); });
}
