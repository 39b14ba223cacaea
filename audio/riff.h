// SPDX-License-Identifier: MIT
// The chunks of a WAV file (RIFF, RIFX and RF64), checked before a decoder sees them. Decoders are lenient in
// different ways; a damaged header must lead to the same answer everywhere.
#pragma once
#include <string>
#include <vector>

#include "tensor/file.h"

namespace chorale::audio {

struct RiffReport {
  bool is_wave = false;               ///< false: another format, nothing was checked
  bool truncated = false;             ///< the data chunk claims more than the file holds
  std::vector<std::string> warnings;  ///< what is wrong but can be read
};

/// Reads chunk headers only. InputError when `fmt ` is missing, stands after `data` or twice, or holds
/// channels, sample rate, bits or block size that cannot be; or when there is no `data` chunk.
RiffReport check_riff(const InputFile& file);

}  // namespace chorale::audio
