// SPDX-License-Identifier: MIT
#include "audio/stft.h"

#include <cmath>
#include <numbers>
#include <string>

#include "audio/checks.h"
#include "kernels/audio_frames.h"
#include "kernels/launch.h"

namespace chorale::audio {
namespace {

Context& context() { return current_context().kernel_context(); }

/// Value i of a periodic window of `length`.
double window_value(Window window, double i, double length) {
  const double angle = 2 * std::numbers::pi * i / length;
  switch (window) {
    case Window::hann:
      return 0.5 - 0.5 * std::cos(angle);
    case Window::hamming:
      return 0.54 - 0.46 * std::cos(angle);
    case Window::blackman:
      return 0.42 - 0.5 * std::cos(angle) + 0.08 * std::cos(2 * angle);
    case Window::bartlett:
      return 2 * std::min(i, length - i) / length;
    case Window::rectangular:
      return 1;
  }
  throw ContractError("window: no such value");
}

Tensor device_window(const StftParams& params) {
  check(params);
  return Tensor::from_host(window_of(params), {params.n_fft});
}

}  // namespace

void check(const StftParams& p) {
  check_range(transform_size(p.n_fft), "n_fft", std::to_string(p.n_fft),
              "even, 16 to 16384, without prime factors above 5");
  check_range(p.hop_length >= 1 && p.hop_length <= p.n_fft, "hop_length", std::to_string(p.hop_length),
              "1 to n_fft = " + std::to_string(p.n_fft));
  check_range(p.win_length >= 0 && p.win_length <= p.n_fft, "win_length", std::to_string(p.win_length),
              "1 to n_fft = " + std::to_string(p.n_fft) + ", or 0 for n_fft");
}

std::vector<float> window_of(const StftParams& params) {
  const int length = params.win_length ? params.win_length : params.n_fft;
  std::vector<float> window(static_cast<std::size_t>(params.n_fft), 0.0f);
  const int before = (params.n_fft - length) / 2;
  for (int i = 0; i < length; ++i)
    window[static_cast<std::size_t>(before + i)] =
        static_cast<float>(length == 1 ? 1.0 : window_value(params.window, i, length));
  return window;
}

void check_samples(const Tensor& samples, const FrameParams& params, const char* what) {
  if (!samples.defined() || samples.rank() != 2 || samples.dtype() != DType::f32)
    throw ContractError(std::string(what) + ": samples f32 [n, length] wanted: " +
                        (samples.defined() ? to_string(samples.shape()) : "none"));
  if (samples.dim(1) < 1) throw InputError(std::string(what) + ": no samples: 0 (allowed 1 or more)");
  if (frame_count(params, samples.dim(1)) < 1)
    throw InputError(std::string(what) + ": too few samples: " + std::to_string(samples.dim(1)) +
                     " (allowed " + std::to_string(params.n_fft) +
                     " or more, a frame, where frames are not centred)");
}

Tensor stft(const Tensor& samples, const StftParams& params) {
  const Tensor window = device_window(params);
  check_samples(samples, params, "stft");
  Tensor out({samples.dim(0), 1 + params.n_fft / 2, frame_count(params, samples.dim(1)), 2}, DType::f32);
  kernel::stft_forward(context(), samples, window, params, out);
  return out;
}

Tensor istft(const Tensor& spectrum, const StftParams& params, std::int64_t length) {
  const Tensor window = device_window(params);
  if (!spectrum.defined() || spectrum.rank() != 4 || spectrum.dtype() != DType::f32 || spectrum.dim(3) != 2)
    throw ContractError("istft: spectrum f32 [n, bins, frames, 2] wanted: " +
                        (spectrum.defined() ? to_string(spectrum.shape()) : "none"));
  if (spectrum.dim(1) != 1 + params.n_fft / 2)
    throw InputError("istft: wrong number of bins: " + std::to_string(spectrum.dim(1)) +
                     " (allowed 1 + n_fft / 2 = " + std::to_string(1 + params.n_fft / 2) + ")");
  if (spectrum.dim(2) < 1) throw InputError("istft: no frames: 0 (allowed 1 or more)");
  if (length < 0) length = params.hop_length * (spectrum.dim(2) - 1) + params.n_fft - 2 * frame_lead(params);
  Tensor out({spectrum.dim(0), length}, DType::f32);
  kernel::stft_inverse(context(), spectrum, window, params, out);
  return out;
}

}  // namespace chorale::audio
