// SPDX-License-Identifier: MIT
// Decodes and resamples files on several threads, ahead of whoever takes their clips in order.
#pragma once
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "data/clip_reader.h"

namespace chorale::data {

struct DecodedClip {
  std::size_t file = 0;
  Clip clip;
  std::string
      error;  ///< why the file cannot be used, in its last clip, which has no samples then; else empty
  double seconds = 0;                 ///< of the whole file; in its last clip
  std::vector<std::string> warnings;  ///< of the whole file; in its last clip
};

class DecodePool {
 public:
  /// Starts `workers` threads (0: one per processor) that run at most a few clips ahead of next().
  DecodePool(std::vector<std::string> files, ClipPlan plan, int workers);
  /// Waits for the clips under way.
  ~DecodePool();
  DecodePool(const DecodePool&) = delete;
  DecodePool& operator=(const DecodePool&) = delete;

  /// The next clip of the file whose turn it is, in the order given, whatever the number of threads. Not
  /// after the last clip of the last file.
  DecodedClip next();

 private:
  void work();
  void decode(std::size_t file);
  bool push(DecodedClip clip);

  std::vector<std::string> files_;
  ClipPlan plan_;
  std::mutex mutex_;
  std::condition_variable ready_, room_;
  std::map<std::size_t, std::deque<DecodedClip>> done_;  ///< by file
  std::size_t claimed_ = 0, taken_ = 0;                  ///< files
  std::size_t waiting_ = 0, ahead_;                      ///< clips
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chorale::data
