// SPDX-License-Identifier: MIT
#include "audio/resample.h"

#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.h"

namespace chorale::audio {

std::int64_t resampled_length(std::int64_t length, int from, int to) {
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(length) * (static_cast<double>(to) / from)));
}

Resampler::Resampler(int from, int to) : from_(from), to_(to) {
  if (from <= 0 || to <= 0)
    throw UsageError("sample rate: out of range: " + std::to_string(from <= 0 ? from : to) +
                     " Hz (allowed above 0)");
  if (from == to) return;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  soxr_error_t error = nullptr;
  handle_ = soxr_create(from, to, 1, &error, &io, &quality, &runtime);
  if (error || !handle_) throw Error(std::string("resampler: ") + (error ? error : "out of memory"));
}

Resampler::~Resampler() {
  if (handle_) soxr_delete(handle_);
}

void Resampler::push(const float* input, std::size_t count, std::vector<float>& output) {
  constexpr std::size_t room = 1 << 14;
  std::size_t used = 0;
  bool more = true;
  while (more) {
    const std::size_t old = output.size();
    output.resize(old + room);
    std::size_t taken = 0, made = 0;
    const soxr_error_t error = soxr_process(handle_, input ? input + used : nullptr, count - used, &taken,
                                            output.data() + old, room, &made);
    output.resize(old + made);
    if (error) throw Error(std::string("resampler: ") + error);
    used += taken;
    produced_ += static_cast<std::int64_t>(made);
    more = made == room || (input && used < count);
  }
}

void Resampler::process(std::span<const float> input, std::vector<float>& output) {
  consumed_ += static_cast<std::int64_t>(input.size());
  if (!handle_) {
    produced_ += static_cast<std::int64_t>(input.size());
    output.insert(output.end(), input.begin(), input.end());
  } else if (!input.empty()) {
    push(input.data(), input.size(), output);
  }
}

void Resampler::finish(std::vector<float>& output) {
  if (!handle_) return;
  push(nullptr, 0, output);
  const std::int64_t wanted = resampled_length(consumed_, from_, to_);
  const std::int64_t change = std::max(wanted - produced_, -static_cast<std::int64_t>(output.size()));
  output.resize(static_cast<std::size_t>(static_cast<std::int64_t>(output.size()) + change));
  produced_ += change;
}

std::vector<float> resample(std::span<const float> x, int from, int to) {
  Resampler resampler(from, to);
  std::vector<float> y;
  y.reserve(static_cast<std::size_t>(static_cast<double>(x.size()) * to / from) + 16);
  resampler.process(x, y);
  resampler.finish(y);
  return y;
}

}  // namespace chorale::audio
