// SPDX-License-Identifier: MIT
// `extract_audio --input`: one feature of one file, with librosa's parameters as flags.
#pragma once
#include <string>

#include "tools/common/program.h"

namespace chorale::tools {

struct FileRequest {
  std::string input, feature = "mel_db", output;
  double offset = 0, duration = 0;
  // As typed; what was not given keeps the feature's default.
  int sr = 0, n_fft = 0, hop_length = 0, win_length = 0, frame_length = 0;
  bool center = true;
  std::string pad_mode;
  int n_mels = 0;
  double fmin = 0, fmax = 0, power = 0;
  bool htk = false;
  std::string mel_norm, norm, ref;
  double amin = 0;
  std::string top_db;
  int n_mfcc = 0, dct_type = 0;
  double lifter = 0;
  int width = 0, order = 0;
  int n_chroma = 0;
  std::string tuning;
  int lag = 0, max_size = 0;
  std::string aggregate = "mean";
  bool detrend = false;
  double start_bpm = 0, std_bpm = 0, ac_size = 0, max_tempo = 0;
};

/// Declares the flags, each with the features that take it.
void add_file_options(Options& options, FileRequest* request);

/// Writes the feature; prints the tempo. UsageError naming the flag on values out of range, and on flags that
/// the feature has no use for.
int run_file_extraction(const Program& program, const FileRequest& request);

/// UsageError if one of the flags that only a corpus takes was given.
void refuse_corpus_flags(const Program& program);
/// UsageError if one of the flags that only files take was given.
void refuse_file_flags(const Program& program);

}  // namespace chorale::tools
