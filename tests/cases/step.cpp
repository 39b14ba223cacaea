// SPDX-License-Identifier: MIT
// The training step's bookkeeping: sequences of steps on a device's state against the same rules in f64.
#include <cmath>

#include "kernels/launch.h"
#include "tests/harness/op_case.h"

namespace chorale::harness {
namespace {

/// Every field, as numbers.
Array fields(const StepState& s) {
  const std::vector<double> values{static_cast<double>(s.step),
                                   static_cast<double>(s.rng_offset),
                                   static_cast<double>(s.cursor),
                                   static_cast<double>(s.step_in_epoch),
                                   static_cast<double>(s.skipped),
                                   s.gradient_square_sum,
                                   static_cast<double>(s.learning_rate),
                                   static_cast<double>(s.kl_weight),
                                   static_cast<double>(s.kl_capacity),
                                   static_cast<double>(s.loss_scale),
                                   static_cast<double>(s.growth_counter),
                                   static_cast<double>(s.found_inf),
                                   static_cast<double>(s.consecutive_skips),
                                   static_cast<double>(s.gradient_norm),
                                   static_cast<double>(s.gradient_multiplier),
                                   static_cast<double>(s.bias_correction1),
                                   static_cast<double>(s.bias_correction2)};
  Array array({static_cast<std::int64_t>(values.size())});
  array.values = values;
  return array;
}

Var result(const autograd::TrainState& state) {
  const Array array = fields(state.read());
  return Var(Tensor::from_host(array.values, array.shape));
}

/// Three steps on schedules of three entries, two micro-batches each.
OpCase schedule() {
  OpCase c = statistics_case("step_begin");
  c.scaled = false;
  c.variants = {{"three_steps", {Input{{3}, 0, 1}, Input{{3}, 0, 1}, Input{{3}, 0, 5}}}};
  c.run = [](const Run& run) {
    StepState initial;
    initial.gradient_square_sum = 12;
    const autograd::TrainState state(initial);
    std::vector<Var> results;
    for (int step = 0; step < 3; ++step) {
      kernel::step_begin(current_context(), state.device(), run.tensor(0), run.tensor(1), run.tensor(2));
      for (int micro = 0; micro < 2; ++micro)
        kernel::micro_batch_end(current_context(), state.device(), std::int64_t{32});
      results.push_back(result(state));
    }
    return results;
  };
  c.reference = [](const Arrays& x) {
    Arrays results;
    StepState s;
    for (std::int64_t step = 0; step < 3; ++step) {
      s.learning_rate = static_cast<float>(x[0][step]);
      s.kl_weight = static_cast<float>(x[1][step]);
      s.kl_capacity = static_cast<float>(x[2][step]);
      s.step_in_epoch = step + 1;
      s.cursor = 64 * (step + 1);
      s.rng_offset = static_cast<std::uint64_t>(2 * (step + 1));
      results.push_back(fields(s));
    }
    return results;
  };
  return c;
}

/// torch.cuda.amp.GradScaler and clip_grad_norm_ in f64.
struct Decision {
  double step = 0, skipped = 0, scale = 1024, growth = 0, consecutive = 0, multiplier = 0, norm = 0,
         found = 0;
  void decide(double square_sum, const StepControl& control) {
    norm = std::sqrt(square_sum) / scale;
    const bool finite = std::isfinite(square_sum);
    found = finite ? 0 : 1;
    multiplier = 0;
    if (!finite) {
      skipped += 1;
      consecutive += 1;
      growth = 0;
      if (control.dynamic_loss_scale)
        scale = std::fmax(scale * static_cast<double>(control.backoff_factor),
                          static_cast<double>(control.minimum_scale));
      return;
    }
    consecutive = 0;
    step += 1;
    const double limit = static_cast<double>(control.max_gradient_norm);
    multiplier = (limit > 0 ? std::fmin(1, limit / (norm + 1e-6)) : 1) / scale;
    if (!control.dynamic_loss_scale) return;
    growth += 1;
    if (growth == control.growth_interval) {
      scale *= static_cast<double>(control.growth_factor);
      growth = 0;
    }
  }
  Array fields(const StepControl& control, double square_sum) const {
    StepState s;
    s.step = static_cast<std::int64_t>(step);
    s.skipped = static_cast<std::int64_t>(skipped);
    s.loss_scale = static_cast<float>(scale);
    s.growth_counter = static_cast<std::int32_t>(growth);
    s.consecutive_skips = static_cast<std::int32_t>(consecutive);
    s.gradient_multiplier = static_cast<float>(multiplier);
    s.gradient_norm = static_cast<float>(norm);
    s.found_inf = static_cast<std::int32_t>(found);
    s.gradient_square_sum = square_sum;
    if (step > 0) {
      s.bias_correction1 = static_cast<float>(1 - std::pow(static_cast<double>(control.beta1), step));
      s.bias_correction2 = static_cast<float>(1 - std::pow(static_cast<double>(control.beta2), step));
    }
    return harness::fields(s);
  }
};

/// Clean steps, a growth after the third, an infinity, a NaN and another infinity, then clean again.
OpCase decide(const std::string& name, const StepControl& control) {
  static const std::vector<double> sums{9e6, 25e2, 4e8, 1e4, INFINITY, NAN, INFINITY, 1e-8, 0, 3e3, 5e3};
  OpCase c = statistics_case(name);
  c.scaled = false;
  c.variants = {{"sequence", {}}};
  c.run = [control](const Run&) {
    StepState initial;
    initial.loss_scale = 1024;
    const autograd::TrainState state(initial);
    std::vector<Var> results;
    for (const double sum : sums) {
      state.gradient_square_sum().fill(sum);
      kernel::step_decide(current_context(), state.device(), control);
      results.push_back(result(state));
    }
    return results;
  };
  c.reference = [control](const Arrays&) {
    Arrays results;
    Decision decision;
    for (const double sum : sums) {
      decision.decide(sum, control);
      results.push_back(decision.fields(control, sum));
    }
    return results;
  };
  return c;
}

}  // namespace

std::vector<OpCase> step_cases() {
  StepControl dynamic;
  dynamic.dynamic_loss_scale = true;
  dynamic.growth_interval = 3;
  dynamic.minimum_scale = 512;
  dynamic.max_gradient_norm = 0.5f;
  StepControl fixed;
  fixed.beta1 = 0.8f;
  return {schedule(), decide("step_decide_dynamic", dynamic), decide("step_decide_fixed", fixed)};
}

}  // namespace chorale::harness
