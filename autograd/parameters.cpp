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

Tensor flat_piece(const Tensor& flat, std::int64_t offset, const Shape& shape) {
  return flat.slice(0, offset, offset + element_count(shape)).reshape(shape);
}

}  // namespace

int ParameterStore::add(ParameterSpec spec) {
  if (values_.defined()) throw ContractError("parameters: add() after allocate(): " + spec.name);
  if (spec.pieces.empty()) spec.pieces.push_back({spec.name, 0, spec.shape.at(0)});
  entries_.push_back({});
  entries_.back().spec = std::move(spec);
  return count() - 1;
}

void ParameterStore::allocate(const Layout& layout, std::uint64_t seed) {
  layout_ = layout;
  std::int64_t total = 0, dense_total = 0;
  for (const bool dense : {true, false}) {  // dense gradients first: they are one contiguous range
    for (Entry& entry : entries_) {
      entry.slot.keep_factors = layout.training && worth_factoring(entry.spec.shape, layout.factor_rows);
      if (entry.slot.keep_factors == dense) continue;
      entry.offset = total;
      total += (element_count(entry.spec.shape) + alignment - 1) / alignment * alignment;
    }
    if (dense) dense_total = total;
  }
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
      all.push_back({part.name, rows(entry.value), rows(entry.first_moment), rows(entry.second_moment)});
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
