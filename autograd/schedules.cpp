// SPDX-License-Identifier: MIT
#include "autograd/schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace chorale::autograd {
namespace {

/// `epoch` plus the fraction of it done before step `i`.
double position(int epoch, std::int64_t i, std::int64_t steps) {
  return epoch + static_cast<double>(i) / static_cast<double>(std::max<std::int64_t>(steps, 1));
}

double ramp(double at, double length) { return length <= 0 ? 1.0 : std::clamp(at / length, 0.0, 1.0); }

}  // namespace

std::vector<float> LearningRateSchedule::epoch_rates(int epoch, std::int64_t steps) const {
  std::vector<float> rates(static_cast<std::size_t>(steps));
  for (std::int64_t i = 0; i < steps; ++i) {
    const double at = position(epoch, i, steps);
    double rate = state_.rate;
    if (options_.kind == LearningRateOptions::Kind::cosine) {
      const double done = ramp(at - options_.warmup_epochs, options_.epochs - options_.warmup_epochs);
      rate = options_.minimum +
             0.5 * (options_.base - options_.minimum) * (1 + std::cos(std::numbers::pi * done));
    }
    // The first step of a warm-up moves, too: step i runs at (i + 1) / n of the rate.
    if (options_.warmup_epochs > 0) rate *= ramp(position(epoch, i + 1, steps), options_.warmup_epochs);
    rates[static_cast<std::size_t>(i)] = static_cast<float>(rate);
  }
  return rates;
}

void LearningRateSchedule::observe(double loss) {
  if (options_.kind != LearningRateOptions::Kind::plateau) return;
  if (loss < state_.best * (1 - options_.threshold)) {
    state_.best = loss;
    state_.bad_epochs = 0;
  } else if (++state_.bad_epochs > options_.patience) {
    const double lower = std::max(state_.rate * options_.factor, options_.minimum);
    if (state_.rate - lower > 1e-8) state_.rate = lower;
    state_.bad_epochs = 0;
  }
}

KlTables kl_tables(const KlOptions& options, int epoch, std::int64_t steps) {
  KlTables tables;
  for (std::int64_t i = 0; i < steps; ++i) {
    const double at = position(epoch, i, steps);
    double weight = options.weight, capacity = 0;
    switch (options.kind) {
      case KlOptions::Kind::constant:
        break;
      case KlOptions::Kind::linear:
        weight *= ramp(at, options.warmup_epochs);
        break;
      case KlOptions::Kind::cyclical: {
        const double period = static_cast<double>(options.epochs) / std::max(options.cycles, 1);
        weight *= at >= options.epochs ? 1.0 : ramp(std::fmod(at, period), period / 2);
        break;
      }
      case KlOptions::Kind::capacity:
        capacity = options.capacity * ramp(at, options.warmup_epochs);
        break;
    }
    tables.weights.push_back(static_cast<float>(weight));
    tables.capacities.push_back(static_cast<float>(capacity));
  }
  return tables;
}

}  // namespace chorale::autograd
