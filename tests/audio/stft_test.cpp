// SPDX-License-Identifier: MIT
// Short-time Fourier transforms against librosa, back and forth, and what they refuse.
#include "audio/stft.h"

#include "tests/audio/golden.h"
#include "tests/harness/temporary_folder.h"

namespace chorale::testing {
namespace {

using namespace audio;

class StftGolden : public GoldenTest {
 protected:
  /// Sum of the squared windows at sample t.
  static double window_sum(const StftParams& params, std::int64_t frames, std::int64_t t) {
    const std::vector<float> window = window_of(params);
    double sum = 0;
    for (std::int64_t frame = 0; frame < frames; ++frame) {
      const std::int64_t m = t + (params.center ? params.n_fft / 2 : 0) - frame * params.hop_length;
      if (m >= 0 && m < params.n_fft)
        sum += std::pow(static_cast<double>(window[static_cast<std::size_t>(m)]), 2);
    }
    return sum;
  }
};

TEST_P(StftGolden, Librosa) {
  const StftParams params = frame_params();
  const Tensor spectrum = stft(two_clips(), params);
  // Values of a spectrum are sums of n_fft products.
  double largest = 0;
  for (const float x : spectrum.to_host<float>())
    largest = std::max(largest, std::fabs(static_cast<double>(x)));
  compare("stft", second_clip(spectrum), c.at("stft"), 1e-6 * largest);
  std::vector<float> damped = spectrum.to_host<float>();
  const std::size_t bins = static_cast<std::size_t>(spectrum.dim(1)),
                    row = static_cast<std::size_t>(spectrum.dim(2)) * 2;
  for (std::size_t i = 0; i < damped.size(); ++i) damped[i] /= 1 + static_cast<float>(i / row % bins) / 100;
  const std::vector<std::int64_t> lengths = c.at("inverse_lengths");
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::vector<float> all =
        istft(Tensor::from_host(damped, spectrum.shape()), params, lengths[i])[1].to_host<float>();
    std::vector<float> some;
    for (std::size_t t = 0; t < all.size(); t += c.at("step").get<std::size_t>()) some.push_back(all[t]);
    // Where few samples of windows meet, their sum magnifies the rounding of what it divides.
    compare("istft_" + std::to_string(lengths[i]), some, c.at("istft").at(i),
            [&](const auto&, std::size_t, std::size_t at) {
              const double weight = window_sum(
                  params, spectrum.dim(2), c.at("step").get<std::int64_t>() * static_cast<std::int64_t>(at));
              return 2e-6 / std::min(1.0, std::sqrt(weight) + 1e-9);
            });
  }
}

INSTANTIATE_TEST_SUITE_P(Audio, StftGolden, ::testing::ValuesIn(goldens().of_kind("stft")), case_name);

class Stft : public ::testing::Test {
 protected:
  ExecutionContext context{DeviceKind::cpu, 0, {.poison = true, .guard = true}};
  ContextScope scope{context};
  static StftParams params(int n_fft, int hop, Window window = Window::hann) {
    StftParams p;
    p.n_fft = n_fft, p.hop_length = hop, p.window = window;
    return p;
  }
};

TEST_F(Stft, ThereAndBack) {
  const std::int64_t length = 20011;
  std::vector<float> both = noise(length);
  const std::vector<float> tone = signal("tone", 22050, length);
  both.insert(both.end(), tone.begin(), tone.end());
  const Tensor samples = Tensor::from_host(both, {2, length});
  for (const StftParams& p : {params(2048, 512), params(1200, 300, Window::hamming), params(450, 150),
                              params(16, 4), params(16384, 4096), params(512, 512, Window::rectangular)})
    for (const PadMode mode : {PadMode::constant, PadMode::reflect}) {
      StftParams q = p;
      q.pad_mode = mode;
      const std::vector<float> again = istft(stft(samples, q), q, length).to_host<float>();
      double worst = 0;
      for (std::size_t i = 0; i < both.size(); ++i) {
        const double off = std::fabs(static_cast<double>(again[i]) - static_cast<double>(both[i]));
        if (!(off <= worst)) worst = off;
      }
      EXPECT_LE(worst, 1e-6) << "n_fft " << p.n_fft;
    }
}

TEST_F(Stft, SameBitsForAnyNumberOfThreads) {
  const Tensor samples = Tensor::from_host(noise(150000), {1, 150000});
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    context.api().set_threads(threads);
    const Tensor spectrum = stft(samples, params(1024, 256));
    std::vector<float> all = spectrum.to_host<float>();
    const std::vector<float> back = istft(spectrum, params(1024, 256), 150000).to_host<float>();
    all.insert(all.end(), back.begin(), back.end());
    results.push_back(all);
  }
  context.api().set_threads(0);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST_F(Stft, NotANumberStaysInItsFrames) {
  std::vector<float> x(8000, 0.5f);
  x[4000] = NAN;
  const StftParams p = params(512, 128);
  const Tensor spectrum = stft(Tensor::from_host(x, {1, 8000}), p);
  const std::vector<float> values = spectrum.to_host<float>();
  for (std::int64_t frame = 0; frame < spectrum.dim(2); ++frame) {
    // Frame f holds samples 128 f - 256 to 128 f + 255.
    const bool inside = 128 * frame - 256 <= 4000 && 4000 < 128 * frame + 256;
    EXPECT_EQ(std::isnan(values[static_cast<std::size_t>(2 * (7 * spectrum.dim(2) + frame))]), inside)
        << frame;
  }
  EXPECT_TRUE(std::isnan(istft(spectrum, p, 8000).to_host<float>()[4000]));
}

TEST_F(Stft, Refusals) {
  const Tensor samples = Tensor::from_host(noise(600), {1, 600});
  const auto usage = [&](const StftParams& p) { return message_of<UsageError>([&] { stft(samples, p); }); };
  EXPECT_EQ(usage(params(2205, 500)),
            "n_fft: out of range: 2205 (allowed even, 16 to 16384, without prime factors above 5)");
  EXPECT_NE(usage(params(14, 2)).find("n_fft: out of range: 14"), std::string::npos);
  EXPECT_NE(usage(params(1022, 2)).find("n_fft: out of range: 1022"), std::string::npos);
  EXPECT_NE(usage(params(512, 513)).find("hop_length: out of range: 513 (allowed 1 to n_fft = 512)"),
            std::string::npos);
  StftParams p = params(1024, 256);
  p.center = false;
  EXPECT_NE(
      message_of<InputError>([&] { stft(samples, p); }).find("too few samples: 600 (allowed 1024 or more"),
      std::string::npos);
  EXPECT_THROW(stft(Tensor::from_host(std::vector<float>{}, {1, 0}), params(64, 16)), InputError);
  EXPECT_THROW(istft(stft(samples, params(64, 16)), params(128, 16)), InputError);
}

}  // namespace
}  // namespace chorale::testing
