// SPDX-License-Identifier: MIT
// Frames of a stream of samples, piece by piece: the same values as in one go, in memory for one piece.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/params.h"
#include "tensor/tensor.h"

namespace chorale::audio {

/// Samples that frames see beyond the piece they belong to are computed with it: a piece has whole hops of
/// context around it, and only the frames that see no edge of the piece are kept, but for those at the edges
/// of the stream itself.
class FrameStream {
 public:
  /// compute: samples f32 [1, length] -> [1, rows, frames] or [1, rows, frames, width], cut into frames by
  /// `params`. sink gets the frames of each piece, contiguous and in order.
  FrameStream(const FrameParams& params, std::function<Tensor(const Tensor& samples)> compute,
              std::function<void(const Tensor& frames)> sink);

  /// Samples are appended here.
  std::vector<float>& pending() { return pending_; }
  /// Computes the complete pieces of pending(); at the end of the stream, all of it. What `compute` throws on
  /// a stream that is too short for a frame passes through.
  void advance(bool end);
  std::int64_t frames() const { return frames_; }

 private:
  void compute_piece(std::int64_t length, std::int64_t count);

  FrameParams params_;
  std::function<Tensor(const Tensor&)> compute_;
  std::function<void(const Tensor&)> sink_;
  std::int64_t context_, piece_;
  std::int64_t lead_ = 0;  ///< frames at the front of pending_ that are already out
  std::int64_t frames_ = 0;
  std::vector<float> pending_;
};

/// Pieces [1, rows, frames...] joined along the frames, in host memory until all are there.
class JoinedFrames {
 public:
  void append(const Tensor& piece);
  /// On the current context's device; ContractError without pieces.
  Tensor joined() const;

 private:
  struct Piece {
    std::vector<float> values;
    std::int64_t frames;
  };
  std::vector<Piece> pieces_;
  Shape shape_;  ///< of the whole
};

}  // namespace chorale::audio
