// SPDX-License-Identifier: MIT
#include "audio/augment.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "audio/checks.h"
#include "audio/stft.h"
#include "kernels/audio_frames.h"
#include "kernels/launch.h"
#include "kernels/windowed_sinc.h"

namespace chorale::audio {
namespace {

constexpr std::int64_t piece_frames = 1024;  ///< of the vocoder's output
/// Bytes of the spectra of the clips that go through the vocoder at a time: enough to fill the device.
std::int64_t slice_bytes() {
  return std::int64_t{current_context().kind() == DeviceKind::cpu ? 64 : 512} << 20;
}

Context& context() { return current_context().kernel_context(); }

void check_clips(const Tensor& samples, const char* what) {
  FrameParams centred;
  check_samples(samples, centred, what);
}

/// A state whose generators start from `seed`, on the device.
Tensor seeded(std::uint64_t seed) {
  const StepState state{.seed = seed};
  Tensor block({sizeof(StepState)}, DType::u8);
  block.upload(&state, DType::u8);
  return block;
}

const StepState* device_state(const Tensor& block) { return reinterpret_cast<const StepState*>(block.raw()); }

Tensor noise_and_gain(const Tensor& samples, double snr_db, double gain, std::uint64_t seed) {
  const Tensor state = seeded(seed);
  Tensor out(samples.shape(), DType::f32);
  kernel::add_noise(context(), samples, Tensor::full({samples.dim(0)}, snr_db),
                    Tensor::full({samples.dim(0)}, gain), device_state(state), std::uint32_t{0}, out);
  return out;
}

/// samples [n, length] from `begin` to `end`, zeros where there are none.
Tensor padded_piece(const Tensor& samples, std::int64_t begin, std::int64_t end) {
  Tensor piece = Tensor::zeros({samples.dim(0), end - begin});
  const std::int64_t first = std::max<std::int64_t>(begin, 0), last = std::min(end, samples.dim(1));
  for (std::int64_t clip = 0; clip < samples.dim(0) && first < last; ++clip)
    piece[clip].slice(0, first - begin, last - begin).copy_from(samples[clip].slice(0, first, last));
  return piece;
}

/// The phase vocoder over whole clips, all at one rate: [n, length] -> [n, wanted]. A piece is the output
/// frames from `first` on; the samples that they alone reach are complete, and the next piece begins with the
/// last of them again that reach further.
Tensor vocoded(const Tensor& samples, double rate, const StftParams& params, std::int64_t wanted) {
  FrameParams frames = params;  // of a piece: what lies around it was padded by hand
  frames.center = false;
  const std::int64_t n = samples.dim(0), hop = params.hop_length, n_fft = params.n_fft, lead = n_fft / 2;
  const std::int64_t in_frames = 1 + samples.dim(1) / hop, bins = lead + 1, overlap = (n_fft - 1) / hop;
  const auto out_frames = static_cast<std::int64_t>(std::ceil(static_cast<double>(in_frames) / rate));
  const Tensor window = Tensor::from_host(window_of(params), {n_fft}),
               rates = Tensor::full({n}, rate, DType::f64);
  Tensor phase({n, bins, 2}, DType::f32), out = Tensor::zeros({n, wanted});
  for (std::int64_t first = 0, done = 0; done < wanted;) {
    const std::int64_t last = std::min(out_frames, first + piece_frames + overlap);
    const auto from = static_cast<std::int64_t>(static_cast<double>(first) * rate);
    const auto to = std::min(in_frames, static_cast<std::int64_t>(static_cast<double>(last - 1) * rate) + 2);
    const Tensor piece = padded_piece(samples, from * hop - lead, (to - 1) * hop - lead + n_fft);
    Tensor spectrum({n, bins, to - from, 2}, DType::f32), stretched({n, bins, last - first, 2}, DType::f32);
    kernel::stft_forward(context(), piece, window, frames, spectrum);
    const bool end = last == out_frames;
    const std::int64_t next = end ? last - 1 : last - overlap;
    kernel::phase_vocoder(context(), spectrum, rates, from, first, next, phase, stretched);
    Tensor sound({n, (last - first - 1) * hop + n_fft}, DType::f32);
    kernel::stft_inverse(context(), stretched, window, frames, sound);
    const std::int64_t origin = first * hop - lead;  // where the piece begins in the output
    const std::int64_t stop =
        end ? std::min(wanted, origin + sound.dim(1)) : std::min(wanted, last * hop - lead);
    for (std::int64_t clip = 0; clip < n && done < stop; ++clip)
      out[clip].slice(0, done, stop).copy_from(sound[clip].slice(0, done - origin, stop - origin));
    if (end) break;
    done = std::max(done, stop);
    first = next;
  }
  return out;
}

double pitch_factor(double n_steps, int bins_per_octave) {
  check_range(bins_per_octave >= 1 && bins_per_octave <= 1200, "bins_per_octave",
              std::to_string(bins_per_octave), "1 to 1200");
  check_range(
      std::fabs(n_steps) <= most_octaves * bins_per_octave, "n_steps", number_text(n_steps),
      number_text(-most_octaves * bins_per_octave) + " to " + number_text(most_octaves * bins_per_octave));
  return std::exp2(n_steps / bins_per_octave);
}

/// Rounded as Python does.
std::int64_t stretched_length(std::int64_t length, double rate) {
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(length) / rate));
}

void check_range_of(const DrawRange& range, const char* field, double low, double high) {
  check_range(range.low <= range.high && static_cast<double>(range.low) >= low &&
                  static_cast<double>(range.high) <= high,
              field, number_text(range.low) + " to " + number_text(range.high),
              "within " + number_text(low) + " to " + number_text(high));
}

}  // namespace

Tensor change_tempo_and_pitch(const Tensor& samples, double rate, double n_steps, int bins_per_octave,
                              const StftParams& params) {
  check(params);
  check_clips(samples, "time stretch");
  check_range(rate >= slowest_rate && rate <= fastest_rate, "rate", number_text(rate), "0.1 to 10");
  const double pitch = pitch_factor(n_steps, bins_per_octave);
  const std::int64_t length = samples.dim(1),
                     wanted = std::max<std::int64_t>(1, stretched_length(length, rate));
  const double speed = rate / pitch;
  Tensor sound = samples;
  if (speed != 1)
    sound = vocoded(samples, speed, params, pitch == 1 ? wanted : stretched_length(length, speed));
  if (pitch == 1) return sound;
  Tensor out({samples.dim(0), wanted}, DType::f32);
  kernel::resample_ratio(context(), sound, Tensor::full({samples.dim(0)}, pitch, DType::f64), pitch, out);
  return out;
}

Tensor time_stretch(const Tensor& samples, double rate, const StftParams& params) {
  return change_tempo_and_pitch(samples, rate, 0, 12, params);
}

Tensor pitch_shift(const Tensor& samples, double n_steps, int bins_per_octave, const StftParams& params) {
  return change_tempo_and_pitch(samples, 1, n_steps, bins_per_octave, params);
}

Tensor add_noise(const Tensor& samples, double snr_db, std::uint64_t seed) {
  check_clips(samples, "noise");
  check_range(std::isfinite(snr_db), "snr_db", number_text(snr_db), "a number");
  return noise_and_gain(samples, snr_db, 1, seed);
}

Tensor apply_gain(const Tensor& samples, double gain_db) {
  check_clips(samples, "gain");
  check_range(std::isfinite(gain_db), "gain_db", number_text(gain_db), "a number");
  return noise_and_gain(samples, std::numeric_limits<double>::infinity(), std::pow(10.0, gain_db / 20), 0);
}

Tensor mask(const Tensor& features, const MaskParams& params, std::uint64_t seed) {
  check(params);
  if (!features.defined() || features.rank() != 3 || features.dtype() != DType::f32)
    throw ContractError("mask: features f32 [n, bands, frames] wanted");
  const Tensor state = seeded(seed);
  Tensor out(features.shape(), DType::f32);
  kernel::mask_features(context(), features, params, device_state(state), std::uint32_t{0}, out);
  return out;
}

void check(const AugmentationRanges& ranges) {
  check_range_of(ranges.rate, "rate", slowest_rate, fastest_rate);
  check_range_of(ranges.pitch_steps, "pitch_steps", -12 * most_octaves, 12 * most_octaves);
  check_range_of(ranges.noise_snr_db, "noise_snr_db", -100, std::numeric_limits<double>::infinity());
  check_range(std::isfinite(ranges.noise_snr_db.high) || ranges.noise_snr_db.low == ranges.noise_snr_db.high,
              "noise_snr_db", number_text(ranges.noise_snr_db.high), "finite, or infinity for both ends");
  check_range_of(ranges.gain_db, "gain_db", -100, 100);
  check_range(ranges.probability >= 0 && ranges.probability <= 1, "probability",
              number_text(ranges.probability), "0 to 1");
}

void check(const MaskParams& params) {
  check_range(params.time_masks >= 0 && params.frequency_masks >= 0 &&
                  params.time_masks + params.frequency_masks <= 64,
              "time_masks, frequency_masks",
              std::to_string(params.time_masks) + ", " + std::to_string(params.frequency_masks),
              "0 to 64 in all");
  check_range(params.time_width >= 0 && params.frequency_width >= 0, "time_width, frequency_width",
              std::to_string(params.time_width) + ", " + std::to_string(params.frequency_width), "0 or more");
}

bool stretches(const AugmentationRanges& ranges) {
  const auto fixed = [](const DrawRange& range, float value) {
    return range.low == value && range.high == value;
  };
  return ranges.probability > 0 && !(fixed(ranges.rate, 1) && fixed(ranges.pitch_steps, 0));
}

bool changes(const AugmentationRanges& ranges) {
  return stretches(ranges) ||
         (ranges.probability > 0 &&
          (std::isfinite(ranges.noise_snr_db.low) || ranges.gain_db.low != 0 || ranges.gain_db.high != 0));
}

ClipAugmenter::ClipAugmenter(const AugmentationRanges& ranges, std::int64_t clip_length,
                             const StftParams& params)
    : ranges_(ranges),
      clip_length_(clip_length),
      params_(params),
      max_step_(std::max(1.0, std::exp2(static_cast<double>(ranges.pitch_steps.high) / 12))) {
  check(ranges);
  check(params);
  check_range(clip_length >= 1, "clip length", std::to_string(clip_length), "1 or more");
  window_ = Tensor::from_host(window_of(params), {params.n_fft});
}

/// Tempo and pitch of clips [n, clip_length], with what was drawn for them.
void ClipAugmenter::stretch(const Tensor& samples, const Tensor& rates, const Tensor& steps,
                            Tensor out) const {
  FrameParams frames = params_;
  frames.center = true;
  frames.pad_mode = PadMode::constant;
  // As many samples as the highest pitch draws on, and all frames that reach them.
  const std::int64_t length =
      static_cast<std::int64_t>(std::ceil(static_cast<double>(clip_length_) * max_step_)) +
      windowed_sinc::reach(max_step_);
  const std::int64_t n = samples.dim(0), bins = params_.n_fft / 2 + 1,
                     out_frames = (length + params_.n_fft / 2) / params_.hop_length + 1;
  Tensor spectrum({n, bins, frame_count(frames, clip_length_), 2}, DType::f32);
  kernel::stft_forward(context(), samples, window_, frames, spectrum);
  Tensor stretched({n, bins, out_frames, 2}, DType::f32);
  kernel::phase_vocoder(context(), spectrum, rates, std::int64_t{0}, std::int64_t{0}, std::int64_t{0}, View(),
                        stretched);
  Tensor sound({n, length}, DType::f32);
  kernel::stft_inverse(context(), stretched, window_, frames, sound);
  kernel::resample_ratio(context(), sound, steps, max_step_, out);
}

ClipAugmenter::Clips ClipAugmenter::operator()(const Clips& clips, const StepState* state,
                                               std::uint32_t stream) const {
  check_clips(clips.samples, "augmentation");
  const std::int64_t n = clips.samples.dim(0);
  if (clips.samples.dim(1) != clip_length_ || clips.lengths.size() != n)
    throw ContractError("augmentation: clips of " + std::to_string(clip_length_) +
                        " samples and a length each wanted: " + to_string(clips.samples.shape()));
  Tensor rates({n}, DType::f64), steps({n}, DType::f64), snr({n}, DType::f32), gains({n}, DType::f32);
  Clips result{Tensor({n, clip_length_}, DType::f32), Tensor({n}, DType::i64)};
  kernel::draw_augmentation(context(), state, stream, ranges_, clips.lengths, clip_length_, rates, steps, snr,
                            gains, result.lengths);
  Tensor source = clips.samples;
  if (stretches(ranges_)) {
    const auto bytes = static_cast<std::int64_t>(static_cast<double>(clip_length_) * (1 + max_step_) * 8 *
                                                 params_.n_fft / 2 / params_.hop_length);
    const std::int64_t slice = std::max<std::int64_t>(1, slice_bytes() / std::max<std::int64_t>(bytes, 1));
    for (std::int64_t first = 0; first < n; first += slice) {
      const std::int64_t last = std::min(n, first + slice);
      const auto part = [&](const Tensor& x) { return x.slice(0, first, last); };
      stretch(part(clips.samples), part(rates), part(steps), part(result.samples));
    }
    source = result.samples;
  }
  kernel::add_noise(context(), source, snr, gains, state, stream + 1, result.samples);
  return result;
}

}  // namespace chorale::audio
