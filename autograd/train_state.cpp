// SPDX-License-Identifier: MIT
#include "autograd/train_state.h"

#include <cstring>

namespace chorale::autograd {

TrainState::TrainState(const StepState& initial) : block_({sizeof(StepState)}, DType::u8) { write(initial); }

StepState TrainState::read() const {
  const auto bytes = block_.to_host<std::uint8_t>();
  StepState state;
  std::memcpy(&state, bytes.data(), sizeof state);
  return state;
}

void TrainState::write(const StepState& state) { block_.upload(&state, DType::u8); }

Tensor TrainState::field(std::size_t offset, DType dtype) const {
  return Tensor(block_.storage(), {1}, {1}, static_cast<std::int64_t>(offset / dtype_size(dtype)), dtype);
}

}  // namespace chorale::autograd
