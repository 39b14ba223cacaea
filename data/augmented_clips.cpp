// SPDX-License-Identifier: MIT
#include "data/augmented_clips.h"

#include <algorithm>

#include "data/decode_pool.h"
#include "kernels/launch.h"

namespace chorale::data {
namespace {

Context& context() { return current_context().kernel_context(); }

/// DeviceError unless `bytes` more are free, with a quarter for the training itself.
void check_fits(std::int64_t clips, std::int64_t length) {
  ExecutionContext& current = current_context();
  std::size_t free_bytes = 0, total_bytes = 0;
  current.api().memory_info(current.kernel_context().device, &free_bytes, &total_bytes);
  const double needed = static_cast<double>(clips) * static_cast<double>(length) * 4;
  if (needed <= 0.75 * static_cast<double>(free_bytes)) return;
  const auto mebibytes = [](double bytes) {
    return std::to_string(static_cast<std::int64_t>(bytes / 0x1p20)) + " MiB";
  };
  throw DeviceError("augmentation: the samples of " + std::to_string(clips) +
                    " clips do not fit into memory: " + mebibytes(needed) + " (allowed " +
                    mebibytes(0.75 * static_cast<double>(free_bytes)) +
                    ", three quarters of what is free; masks alone need none)");
}

}  // namespace

audio::ClipAugmenter::Clips load_clips(const Corpus& corpus, const std::vector<Song>& songs,
                                       const std::vector<std::int64_t>& song_of_row,
                                       const FeatureSettings& settings) {
  const ClipPlan plan = settings.clips();
  const auto rows = static_cast<std::int64_t>(song_of_row.size());
  check_fits(rows, plan.length);
  std::vector<std::string> files;
  files.reserve(songs.size());
  for (const Song& song : songs) files.push_back(corpus.audio_file(song).string());
  audio::ClipAugmenter::Clips clips{Tensor({rows, plan.length}, DType::f32), Tensor()};
  std::vector<std::int64_t> lengths;
  DecodePool pool(files, plan, 0);
  for (std::size_t file = 0; file < files.size();) {
    const DecodedClip decoded = pool.next();
    if (!decoded.error.empty()) throw InputError(decoded.error);
    const auto row = static_cast<std::int64_t>(lengths.size());
    const bool expected =
        row < rows && song_of_row[static_cast<std::size_t>(row)] == static_cast<std::int64_t>(file);
    const bool ends =
        row + 1 >= rows || song_of_row[static_cast<std::size_t>(row + 1)] != static_cast<std::int64_t>(file);
    if (!expected || decoded.clip.last != ends)
      throw InputError(files[file] +
                       ": gives other clips than it was extracted from (allowed: made by "
                       "extract_audio with the same configuration)");
    clips.samples[row].upload(decoded.clip.samples.data(), DType::f32);
    lengths.push_back(decoded.clip.own);
    file += decoded.clip.last ? 1 : 0;
  }
  clips.lengths = Tensor::from_host(lengths, {rows});
  return clips;
}

AugmentedClips::AugmentedClips(audio::ClipAugmenter::Clips clips, const FeatureSettings& settings,
                               const AugmentationRanges& ranges, std::optional<Columns> scale)
    : clips_(std::move(clips)),
      augment_(ranges, clips_.samples.dim(1)),
      extract_(settings),
      scale_(std::move(scale)) {}

audio::ClipAugmenter::Clips AugmentedClips::changed(const Tensor& order, std::int64_t rows,
                                                    const StepState* state, std::uint32_t stream) const {
  audio::ClipAugmenter::Clips batch{Tensor({rows, clips_.samples.dim(1)}, DType::f32),
                                    Tensor({rows}, DType::i64)};
  kernel::gather_rows(context(), clips_.samples, order, state, batch.samples);
  kernel::gather_rows(context(), clips_.lengths, order, state, batch.lengths);
  return augment_(batch, state, stream);
}

Tensor AugmentedClips::operator()(const Tensor& order, std::int64_t rows, const StepState* state,
                                  std::uint32_t stream) const {
  const audio::ClipAugmenter::Clips clips = changed(order, rows, state, stream);
  std::vector<Tensor> parts = extract_(clips.samples, clips.lengths);
  std::int64_t columns = 0;
  for (Tensor& part : parts) {
    part = part.reshape({rows, -1});
    columns += part.dim(1);
  }
  Tensor x = parts.front();
  if (parts.size() > 1) {
    x = Tensor({rows, columns}, DType::f32);
    std::int64_t column = 0;
    for (const Tensor& part : parts) {
      kernel::place_columns(context(), part, column, x);
      column += part.dim(1);
    }
  }
  if (!scale_) return x;
  Tensor scaled(x.shape(), DType::f32);
  kernel::sub_forward(context(), x, scale_->mean, x);
  kernel::div_forward(context(), x, scale_->standard_deviation, scaled);
  return scaled;
}

}  // namespace chorale::data
