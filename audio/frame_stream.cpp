// SPDX-License-Identifier: MIT
#include "audio/frame_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/audio_frames.h"

namespace chorale::audio {

FrameStream::FrameStream(const FrameParams& params, std::function<Tensor(const Tensor&)> compute,
                         std::function<void(const Tensor&)> sink)
    : params_(params),
      compute_(std::move(compute)),
      sink_(std::move(sink)),
      context_(params.center ? (params.n_fft / 2 + params.hop_length - 1) / params.hop_length : 0),
      piece_(std::max<std::int64_t>(64, 32 * 22050 / params.hop_length)) {}

void FrameStream::advance(bool end) {
  // What the last frame of a piece needs after its place.
  const std::int64_t rest =
      params_.center ? context_ * params_.hop_length : std::max(params_.n_fft - params_.hop_length, 0);
  const auto wanted = [&] { return (lead_ + piece_) * params_.hop_length + rest; };
  while (static_cast<std::int64_t>(pending_.size()) >= wanted()) compute_piece(wanted(), piece_);
  if (!end) return;
  const std::int64_t length = static_cast<std::int64_t>(pending_.size());
  const std::int64_t left = frame_count(params_, length) - lead_;
  if (left > 0 || frames_ == 0) compute_piece(length, left);
}

void FrameStream::compute_piece(std::int64_t length, std::int64_t count) {
  const Tensor samples = Tensor::from_host(
      std::span<const float>(pending_).first(static_cast<std::size_t>(length)), {1, length});
  const Tensor all = compute_(samples);
  sink_(all.slice(2, lead_, lead_ + count).contiguous());
  frames_ += count;
  const std::int64_t kept_lead = std::min(context_, lead_ + count);
  const std::int64_t dropped =
      std::min((lead_ + count - kept_lead) * params_.hop_length, static_cast<std::int64_t>(pending_.size()));
  pending_.erase(pending_.begin(), pending_.begin() + dropped);
  lead_ = kept_lead;
}

void JoinedFrames::append(const Tensor& piece) {
  const std::int64_t frames = piece.dim(2);
  pieces_.push_back({piece.to_host<float>(), frames});
  if (shape_.empty()) {
    shape_ = piece.shape();
  } else {
    shape_[2] += frames;
  }
}

Tensor JoinedFrames::joined() const {
  if (pieces_.empty()) throw ContractError("JoinedFrames: no frames");
  const std::int64_t rows = shape_[1], width = shape_.size() > 3 ? shape_[3] : 1;
  std::vector<float> all(static_cast<std::size_t>(element_count(shape_)));
  std::int64_t at = 0;
  for (const Piece& piece : pieces_) {
    for (std::int64_t row = 0; row < rows; ++row)
      std::memcpy(all.data() + (row * shape_[2] + at) * width,
                  piece.values.data() + row * piece.frames * width,
                  static_cast<std::size_t>(piece.frames * width) * sizeof(float));
    at += piece.frames;
  }
  return Tensor::from_host(all, shape_);
}

}  // namespace chorale::audio
