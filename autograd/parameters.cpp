// SPDX-License-Identifier: MIT
#include "autograd/parameters.h"

#include <cmath>

#include "autograd/train_state.h"
#include "kernels/launch.h"

namespace chorale::autograd {
namespace {

constexpr std::int64_t alignment = 256 / sizeof(float);
constexpr std::int64_t smallest_factored = std::int64_t{1} << 18;
/// Philox streams from here on belong to initial values; operations of a step use small numbers.
constexpr std::uint32_t initializer_stream = 1u << 16;

bool worth_factoring(const Shape& shape, std::int64_t rows) {
  if (rows <= 0 || shape.size() != 2) return false;
  const std::int64_t size = shape[0] * shape[1];
  return size >= smallest_factored && 2 * rows * (shape[0] + shape[1]) <= size;
}

/// Pixels of `x` in the other order, to NCHW or from it. Images are rows of x, or the leading columns of each
/// of its rows.
Tensor reorder(const Tensor& x, const FileLayout& layout, bool to_file) {
  const std::int64_t h = layout.height, w = layout.width, c = layout.channels, pixels = h * w * c;
  const std::int64_t row = layout.rows ? x.size() / pixels : x.size() / x.dim(0);  // elements of one row
  // Strides of (h, w, c) in what is read, in units of a pixel's elements.
  const std::int64_t sh = to_file ? w * c : w, sw = to_file ? c : 1, sc = to_file ? 1 : h * w;
  ExecutionContext& context = current_context();
  if (layout.rows) {
    Tensor y(to_file ? Shape{c, h, w, row} : Shape{h, w, c, row}, x.dtype());
    kernel::copy_strided(
        context, x.view(),
        to_file ? Strides{{sc * row, sh * row, sw * row, 1}} : Strides{{sh * row, sw * row, sc * row, 1}}, y);
    return y.reshape(x.shape());
  }
  Tensor images(to_file ? Shape{x.dim(0), c, h, w} : Shape{x.dim(0), h, w, c}, x.dtype());
  kernel::copy_strided(context, x.view(), to_file ? Strides{{row, sc, sh, sw}} : Strides{{row, sh, sw, sc}},
                       images);
  if (row == pixels) return images.reshape(x.shape());
  const Tensor y = x.clone();  // columns behind the image stay where they are
  kernel::place_columns(context, images.reshape({x.dim(0), pixels}), std::int64_t{0}, y);
  return y;
}

Tensor flat_piece(const Tensor& flat, std::int64_t offset, const Shape& shape) {
  return flat.slice(0, offset, offset + element_count(shape)).reshape(shape);
}

}  // namespace

Tensor to_file_layout(const Tensor& stored, const FileLayout& layout) {
  if (!stored.defined() || layout.height == 0) return stored;
  return reorder(stored, layout, true).reshape(layout.shape.empty() ? stored.shape() : layout.shape);
}

void copy_from_file_layout(Tensor& stored, const FileLayout& layout, const Tensor& file) {
  if (layout.height == 0) return stored.copy_from(file);
  stored.copy_from(reorder(file.to(stored.dtype()).reshape(stored.shape()), layout, false));
}

int ParameterStore::add(ParameterSpec spec) {
  if (values_.defined()) throw ContractError("parameters: add() after allocate(): " + spec.name);
  if (spec.pieces.empty()) spec.pieces.push_back({spec.name, 0, spec.shape.at(0)});
  entries_.push_back({});
  entries_.back().spec = std::move(spec);
  return count() - 1;
}

std::pair<std::int64_t, std::int64_t> ParameterStore::lay_out() {
  std::int64_t total = 0;
  const auto place = [&](Entry& entry) {
    entry.offset = total;
    total += (element_count(entry.spec.shape) + alignment - 1) / alignment * alignment;
  };
  const auto plain = [](const Entry& entry) { return entry.spec.decay && entry.spec.rate_scale == 1.0f; };
  for (Entry& entry : entries_)
    entry.slot.keep_factors =
        layout_.training && plain(entry) && worth_factoring(entry.spec.shape, layout_.factor_rows);
  // Dense gradients first, in one range; within it, groups of equal settings, in order of appearance.
  groups_.clear();
  std::vector<bool> placed(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (placed[i] || entries_[i].slot.keep_factors) continue;
    const ParameterSpec& first = entries_[i].spec;
    groups_.push_back({total, total, first.rate_scale, first.decay});
    for (std::size_t j = i; j < entries_.size(); ++j) {
      const ParameterSpec& spec = entries_[j].spec;
      if (entries_[j].slot.keep_factors || spec.rate_scale != first.rate_scale || spec.decay != first.decay)
        continue;
      place(entries_[j]);
      placed[j] = true;
    }
    groups_.back().end = total;
  }
  const std::int64_t dense_total = total;
  for (Entry& entry : entries_)
    if (entry.slot.keep_factors) place(entry);
  return {dense_total, total};
}

void ParameterStore::allocate(const Layout& layout, std::uint64_t seed) {
  layout_ = layout;
  const auto [dense_total, total] = lay_out();
  values_ = Tensor::zeros({total});
  dense_values = values_.slice(0, 0, dense_total);
  if (layout.precision.mixed()) {
    shadow_ = Tensor::zeros({total}, layout.precision.compute);
    dense_shadow = shadow_.slice(0, 0, dense_total);
  }
  if (layout.training) {
    dense_gradients = Tensor::zeros({dense_total});
    first_moments_ = Tensor::zeros({total});
    second_moments_ = Tensor::zeros({total});
    dense_first_moments = first_moments_.slice(0, 0, dense_total);
    dense_second_moments = second_moments_.slice(0, 0, dense_total);
  }
  for (Entry& entry : entries_) {
    entry.value = piece(values_, entry);
    const Tensor seen = entry.spec.low && shadow_.defined() ? piece(shadow_, entry) : entry.value;
    if (!layout.training) {
      entry.var = Var(seen, false);
      continue;
    }
    entry.first_moment = piece(first_moments_, entry);
    entry.second_moment = piece(second_moments_, entry);
    if (entry.slot.keep_factors) {
      factored_.push_back({&entry.slot, entry.value, entry.first_moment, entry.second_moment,
                           shadow_.defined() ? piece(shadow_, entry) : Tensor()});
    } else {
      entry.slot.dense = flat_piece(dense_gradients, entry.offset, entry.spec.shape);
    }
    entry.var = Var(seen, entry.slot);
  }
  initialize(seed);
}

void ParameterStore::initialize(std::uint64_t seed) {
  const TrainState state(StepState{.seed = seed});
  ExecutionContext& context = current_context();
  std::uint32_t stream = initializer_stream;
  for (Entry& entry : entries_) {
    ++stream;
    if (entry.spec.initializer == Initializer::ones) entry.value.fill(1.0);
    if (entry.spec.initializer == Initializer::normal)
      kernel::normal_fill(context, state.device(), stream, entry.value);
    if (entry.spec.initializer != Initializer::uniform_fan_in) continue;
    const float bound = 1.0f / std::sqrt(static_cast<float>(entry.spec.fan_in));
    kernel::uniform_fill(context, state.device(), stream, entry.value);
    kernel::affine_forward(context, entry.value, entry.value, 2.0f * bound, -bound);
  }
  refresh_shadow();
  context.synchronize();  // `state` goes away
}

Var ParameterStore::var(int index) const { return entries_.at(static_cast<std::size_t>(index)).var; }

std::int64_t ParameterStore::parameter_count() const {
  std::int64_t n = 0;
  for (const Entry& entry : entries_) n += element_count(entry.spec.shape);
  return n;
}

std::vector<ParameterStore::NamedTensors> ParameterStore::named() const {
  std::vector<NamedTensors> all;
  for (const Entry& entry : entries_)
    for (const ParameterPiece& part : entry.spec.pieces) {
      const auto rows = [&](const Tensor& t) {
        return t.defined() ? t.slice(0, part.first_row, part.first_row + part.rows) : Tensor();
      };
      all.push_back({part.name, rows(entry.value), rows(entry.first_moment), rows(entry.second_moment),
                     entry.spec.file});
    }
  return all;
}

void ParameterStore::refresh_shadow() {
  if (shadow_.defined()) kernel::cast(current_context(), values_, shadow_);
}

void ParameterStore::complete_gradients() {
  for (Entry& entry : entries_)
    if (!entry.slot.keep_factors && !entry.slot.written) entry.slot.dense.fill(0.0);
}

void ParameterStore::clear_gradients() {
  for (Entry& entry : entries_) entry.slot.clear();
}

Tensor ParameterStore::piece(const Tensor& flat, const Entry& entry) const {
  return flat_piece(flat, entry.offset, entry.spec.shape);
}

}  // namespace chorale::autograd
