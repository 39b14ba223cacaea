// SPDX-License-Identifier: MIT
// Learning-rate and KL schedules. Both are evaluated on the host for a whole epoch at a time and uploaded as
// tables, one entry a step, that the device reads (kernel row step_begin).
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace chorale::autograd {

struct LearningRateOptions {
  enum class Kind : std::uint8_t { constant, plateau, cosine } kind = Kind::plateau;
  double base = 1e-4;
  double warmup_epochs = 0;  ///< linear from 0
  double minimum = 0;        ///< floor of plateau and end of cosine
  int epochs = 100;          ///< length of the cosine
  double factor = 0.5;       ///< plateau: multiplied in when the loss has not improved ...
  int patience = 5;          ///< ... for more than this many epochs
  double threshold =
      1e-4;  ///< relative improvement that counts, as torch.optim.lr_scheduler.ReduceLROnPlateau
};

class LearningRateSchedule {
 public:
  explicit LearningRateSchedule(LearningRateOptions options) : options_(options), state_{options.base} {}

  /// Rates of the steps of epoch `epoch` (from 0).
  std::vector<float> epoch_rates(int epoch, std::int64_t steps) const;
  /// The monitored loss at the end of an epoch; NaN counts as no improvement.
  void observe(double loss);

  struct State {  ///< what resume needs
    double rate = 0;
    double best = std::numeric_limits<double>::infinity();
    int bad_epochs = 0;
  };
  const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  LearningRateOptions options_;
  State state_;
};

struct KlOptions {
  enum class Kind : std::uint8_t {
    constant,
    linear,    ///< 0 to weight over warmup_epochs (Bowman et al. 2016)
    cyclical,  ///< `cycles` ramps over all epochs, each half rise, half flat (Fu et al. 2019)
    capacity,  ///< weight * |KL - C|, C from 0 to `capacity` nats over warmup_epochs (Burgess et al. 2018)
  } kind = Kind::linear;
  double weight = 1.0;  ///< beta
  double warmup_epochs = 20;
  int cycles = 4;
  int epochs = 100;  ///< length of all cycles together
  double capacity = 25.0;
};

struct KlTables {
  std::vector<float> weights, capacities;
};

/// Weights and capacities of the steps of epoch `epoch` (from 0). Capacities are 0 unless the kind is
/// capacity.
KlTables kl_tables(const KlOptions& options, int epoch, std::int64_t steps);

}  // namespace chorale::autograd
