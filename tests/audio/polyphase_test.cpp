// SPDX-License-Identifier: MIT
// The resampler's filters, measured by tones: flat where music is, silent where aliases and images come from,
// and equal to libsoxr's within the band that both pass.
#include "audio/polyphase.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "audio/resample.h"
#include "tests/audio/golden.h"

namespace chorale::testing {
namespace {

using audio::PolyphaseResampler;

constexpr double turn = 2 * std::numbers::pi;

std::vector<float> resampled(const std::vector<float>& x, const PolyphaseResampler& resampler) {
  const Tensor samples = Tensor::from_host(x, {1, static_cast<std::int64_t>(x.size()), 1});
  return resampler(samples).to_host<float>();
}

std::vector<float> tone(double frequency, int rate, std::size_t length) {
  std::vector<float> x(length);
  for (std::size_t i = 0; i < length; ++i)
    x[i] = static_cast<float>(std::sin(turn * frequency * static_cast<double>(i) / rate));
  return x;
}

/// The middle half of x as a tone of that frequency, by least squares, and what is left besides.
struct Measured {
  double amplitude, rest;  ///< rest: root mean square times sqrt 2, so that it compares with an amplitude
};
Measured measure(const std::vector<float>& x, double frequency, int rate) {
  double cc = 0, ss = 0, cs = 0, cx = 0, sx = 0;
  const std::size_t begin = x.size() / 4, end = x.size() * 3 / 4;
  const auto wave = [&](std::size_t i) { return turn * frequency * static_cast<double>(i) / rate; };
  for (std::size_t i = begin; i < end; ++i) {
    const double c = std::cos(wave(i)), s = std::sin(wave(i)), v = static_cast<double>(x[i]);
    cc += c * c, ss += s * s, cs += c * s, cx += c * v, sx += s * v;
  }
  const double d = cc * ss - cs * cs, a = (cx * ss - sx * cs) / d, b = (sx * cc - cx * cs) / d;
  double power = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const double left = static_cast<double>(x[i]) - a * std::cos(wave(i)) - b * std::sin(wave(i));
    power += left * left;
  }
  return {std::hypot(a, b), std::sqrt(2 * power / static_cast<double>(end - begin))};
}

double decibels(double amplitude) { return 20 * std::log10(amplitude); }

struct Rates {
  int from, to;
};
void PrintTo(const Rates& rates, std::ostream* out) { *out << rates.from << " Hz to " << rates.to << " Hz"; }

class Polyphase : public ::testing::TestWithParam<Rates> {
 protected:
  ExecutionContext context{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  ContextScope scope{context};
};

TEST_P(Polyphase, PassesToFortyFivePercentAndStopsFromHalf) {
  const auto [from, to] = GetParam();
  const PolyphaseResampler resampler(from, to);
  const double lower = std::min(from, to);
  const auto length = static_cast<std::size_t>(8000.0 * from / lower);
  for (const double share : {0.001, 0.05, 0.1234, 0.2, 0.3, 0.4, 0.44, 0.45}) {
    const Measured m = measure(resampled(tone(share * lower, from, length), resampler), share * lower, to);
    EXPECT_LT(std::fabs(decibels(m.amplitude)), 0.001) << share;
    EXPECT_LT(decibels(m.rest), -110) << share;  // images
  }
  for (double share = 0.5; share * lower < from / 2.0; share += 0.037) {
    const std::vector<float> y = resampled(tone(share * lower, from, length), resampler);
    double power = 0;
    for (std::size_t i = y.size() / 4; i < y.size() * 3 / 4; ++i) power += static_cast<double>(y[i]) * y[i];
    EXPECT_LT(decibels(std::sqrt(4 * power / static_cast<double>(y.size()))), -110) << share;
  }
}

// Chords with their overtones, as far as both pass them, and the ends, where silence begins.
TEST_P(Polyphase, AgreesWithSoxr) {
  const auto [from, to] = GetParam();
  const double lower = std::min(from, to);
  std::vector<float> x(static_cast<std::size_t>(from));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double t = static_cast<double>(i) / from;
    double value = 0;
    for (const double note : {110.0, 138.6, 164.8, 440.0})
      for (int k = 1; k <= 40 && k * note < 0.45 * lower; ++k)
        value += 0.15 / k * std::sin(turn * k * note * t + k);
    x[i] = static_cast<float>(value * std::exp(-3 * t) * std::min(1.0, 20 * t));
  }
  const std::vector<float> ours = resampled(x, PolyphaseResampler(from, to)),
                           theirs = audio::resample(x, from, to);
  ASSERT_EQ(ours.size(), theirs.size());
  float worst = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) worst = std::max(worst, std::fabs(ours[i] - theirs[i]));
  EXPECT_LT(worst, 1e-4f);
}

TEST_P(Polyphase, IntegersChannelsAndShortClips) {
  const auto [from, to] = GetParam();
  const PolyphaseResampler resampler(from, to);
  for (const std::int64_t length : {1, 2, 1000}) {
    std::vector<std::int16_t> samples;
    std::vector<float> mono;
    for (std::int64_t i = 0; i < length; ++i) {
      samples.push_back(static_cast<std::int16_t>(i * 7919 % 65536 - 32768));
      samples.push_back(static_cast<std::int16_t>(i * 104729 % 65536 - 32768));
      mono.push_back(static_cast<float>(samples[samples.size() - 2] + samples.back()) / 65536.0f);
    }
    const Tensor y = resampler(Tensor::from_host(samples, {1, length, 2}));
    ASSERT_EQ(y.dim(1), audio::resampled_length(length, from, to));
    EXPECT_EQ(y.to_host<float>(), resampled(mono, resampler));
  }
}

INSTANTIATE_TEST_SUITE_P(Audio, Polyphase,
                         ::testing::Values(Rates{44100, 22050}, Rates{48000, 22050}, Rates{96000, 22050},
                                           Rates{192000, 22050}, Rates{16000, 22050}, Rates{8000, 22050},
                                           Rates{11025, 22050}, Rates{44100, 48000}));

TEST(PolyphaseRates, EqualRatesPassThroughAndStrangeOnesAreRefused) {
  ExecutionContext context{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  const ContextScope scope(context);
  const std::vector<float> x = tone(1000, 22050, 500);
  EXPECT_EQ(resampled(x, PolyphaseResampler(22050, 22050)), x);
  EXPECT_TRUE(PolyphaseResampler::supports(768000, 22050));
  EXPECT_FALSE(PolyphaseResampler::supports(44101, 22050));
  EXPECT_FALSE(PolyphaseResampler::supports(0, 22050));
  EXPECT_THROW(PolyphaseResampler(44101, 22050), UsageError);
}

}  // namespace
}  // namespace chorale::testing
