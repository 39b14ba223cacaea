// SPDX-License-Identifier: MIT
// What AudioReader reads from: one audio file as a stream of interleaved samples, whichever library decodes
// it. decode_sndfile.cpp and decode_mpg123.cpp implement it; limits on layout, length and values are
// AudioReader's.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio/byte_window.h"
#include "tensor/file.h"

namespace chorale::audio {

class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  virtual std::int64_t sample_rate() const = 0;
  virtual std::int64_t channels() const = 0;
  /// Every sample is a whole number of 2^-15, as of integers of no more than 16 bits.
  virtual bool is_16_bit() const = 0;
  /// Fills the front of `interleaved`, a whole number of sample frames, full scale 1, and returns how many
  /// sample frames there were; 0 at the end and from then on.
  virtual std::int64_t read(std::span<float> interleaved) = 0;
  /// Before the first read: goes to a sample frame, or to one before it from which it can be reached by
  /// reading; returns where it went. What is read at `frame` then is what it is without seeking.
  virtual std::int64_t seek(std::int64_t frame) = 0;
  /// What was lost so far, a line each; complete when read() has returned 0.
  virtual std::vector<std::string> faults() const = 0;
};

/// WAV, WAVE64, AIFF, AU, FLAC and OGG, from byte `begin` of the file on. InputError naming the file.
std::unique_ptr<Decoder> open_sndfile(const InputFile& file, std::uint64_t begin);

/// MPEG audio, layers 1 to 3. Nothing where the file holds none.
std::unique_ptr<Decoder> open_mpeg(const InputFile& file);

/// The first byte after the ID3v2 tags that stand at the start of a file.
std::uint64_t end_of_id3v2(const InputFile& file);

}  // namespace chorale::audio
