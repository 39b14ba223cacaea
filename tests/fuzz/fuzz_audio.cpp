// SPDX-License-Identifier: MIT
#include <cmath>

#include "audio/decode.h"
#include "kernels/error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chorale;
  const fuzz::MemoryFile file(data, size);
  audio::DecodeOptions options;
  options.duration = 5;
  options.check_name = false;
  constexpr int resampled_rate = 8000;
  try {
    const audio::AudioClip clip = audio::decode(file.path(), options);
    fuzz::check(!clip.samples.empty(), "a clip has samples");
    fuzz::check(static_cast<double>(clip.samples.size()) <= options.duration * clip.sample_rate + 1,
                "no longer than asked");
    for (const float sample : clip.samples) fuzz::check(std::isfinite(sample), "finite samples");
    for (const std::string& warning : clip.warnings) fuzz::check_message(warning);
    const audio::AudioClip resampled = audio::load(file.path(), resampled_rate, options);
    const double length = static_cast<double>(clip.samples.size()) * resampled_rate / clip.sample_rate;
    fuzz::check(std::fabs(static_cast<double>(resampled.samples.size()) - length) <= 1,
                "as long at another rate");
    for (const float sample : resampled.samples) fuzz::check(std::isfinite(sample), "finite when resampled");
    options.offset = 0.4;  // beyond the end, or over frames that are only counted
    const audio::AudioClip later = audio::decode(file.path(), options);
    fuzz::check(later.samples.size() <= options.duration * later.sample_rate + 1, "no longer than asked");
  } catch (const InputError& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
