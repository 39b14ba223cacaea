// SPDX-License-Identifier: MIT
// Decodes and resamples files on several threads, ahead of whoever takes them in order.
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audio/decode.h"

namespace chorale::data {

struct DecodedFile {
  audio::AudioClip clip;
  std::string error;  ///< why the file cannot be used; empty if it can
};

class DecodePool {
 public:
  /// Starts `workers` threads (0: one per processor) that run at most a few files ahead of next().
  DecodePool(std::vector<std::string> files, int sample_rate, audio::DecodeOptions options, int workers);
  /// Waits for the files under way.
  ~DecodePool();
  DecodePool(const DecodePool&) = delete;
  DecodePool& operator=(const DecodePool&) = delete;

  /// The next file in the order given; whatever the number of threads. Not after the last.
  DecodedFile next();

 private:
  void work();

  std::vector<std::string> files_;
  int sample_rate_;
  audio::DecodeOptions options_;
  std::mutex mutex_;
  std::condition_variable ready_, room_;
  std::map<std::size_t, DecodedFile> done_;
  std::size_t claimed_ = 0, taken_ = 0, ahead_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chorale::data
