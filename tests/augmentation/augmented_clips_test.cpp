// SPDX-License-Identifier: MIT
// Clips that stay in memory and are changed for every batch: without a change they give the cached features,
// with one those of the changed clips; and training on them, on every device, interrupted or not.
#include "data/augmented_clips.h"

#include <gtest/gtest.h>

#include <omp.h>

#include <cmath>
#include <filesystem>

#include "audio/descriptor.h"
#include "autograd/train_state.h"
#include "data/audio_writer.h"
#include "kernels/error.h"
#include "models/streams.h"
#include "tests/harness/run_case.h"
#include "tests/models/training_setup.h"

namespace chorale::data {
namespace {

namespace fs = std::filesystem;
using audio::ClipAugmenter;

constexpr int rate = 8000, songs = 7;
constexpr std::uint32_t stream = models::stream::augmentation;

AugmentationRanges all_ranges() {
  AugmentationRanges ranges;
  ranges.rate = {0.8f, 1.25f};
  ranges.pitch_steps = {-2, 2};
  ranges.noise_snr_db = {10, 30};
  ranges.gain_db = {-6, 6};
  ranges.probability = 0.8f;
  return ranges;
}

class AugmentedTraining : public ::testing::Test {
 protected:
  AugmentedTraining() {
    settings_.params.mel.sample_rate = rate;
    settings_.params.mel.n_fft = 256;
    settings_.params.mel.hop_length = 128;
    settings_.params.mel.n_mels = 12;
    settings_.params.n_mfcc = 6;
    settings_.duration = 1.5;
    for (int song = 0; song < songs; ++song) {
      const fs::path path = song_path(song);
      fs::create_directories(path.parent_path());
      // The last one is shorter than a clip.
      write_audio(path, tones(song, song == songs - 1 ? 9000 : 15000), rate, "wav");
    }
  }

  fs::path root() const { return folder_.path(); }
  fs::path song_path(int song) const {
    return root() / "audio/english/pop" / ("en_" + std::to_string(1000 + song) + "_Tones.wav");
  }
  static std::vector<float> tones(int song, int samples) {
    std::vector<float> x;
    for (int i = 0; i < samples; ++i) {
      const double t = static_cast<double>(i) / rate;
      x.push_back(static_cast<float>(0.4 * std::sin(2 * M_PI * (200 + 60 * song) * t) +
                                     0.2 * std::sin(2 * M_PI * 1500 * t * (1 + 0.1 * std::sin(3 * t))) +
                                     0.05 * std::sin(1e4 * std::sin(static_cast<double>(i * (song + 1))))));
    }
    return x;
  }

  FeatureSet cached() const {
    const Corpus corpus = load_corpus(root());
    extract_features(corpus, {settings_}, {});
    return load_features(corpus, settings_);
  }
  ClipAugmenter::Clips clips(const FeatureSet& set) const {
    return load_clips(load_corpus(root()), set.songs, set.song_of_row, settings_);
  }
  /// Features of rows 2, 0, 1, ... after a cursor of 1, on the current device.
  static Tensor features(const AugmentedClips& augmented, std::int64_t rows) {
    const autograd::TrainState state({.seed = 11, .rng_offset = 5, .cursor = 1});
    return augmented(Tensor::from_host(order(), {songs}), rows, state.device(), stream);
  }
  static std::vector<std::int64_t> order() { return {3, 2, 0, 1, 6, 5, 4}; }

  testing::TemporaryFolder folder_;
  ExecutionContext context_{DeviceKind::cpu};
  ContextScope scope_{context_};
  FeatureSettings settings_;
};

TEST_F(AugmentedTraining, WithoutAChangeTheFeaturesAreTheCachedOnes) {
  for (const std::string& kind : feature_kinds())
    for (const double window : {0.0, 0.5}) {
      SCOPED_TRACE(kind + " window " + std::to_string(window));
      settings_.kind = kind;
      settings_.window = window;
      settings_.hop = 0.25;
      const FeatureSet set = cached();
      AugmentationRanges ranges = all_ranges();
      ranges.rate = {1, 1};
      ranges.pitch_steps = {0, 0};
      ranges.probability = 0;
      const AugmentedClips same(clips(set), settings_, ranges);
      const std::vector<float> actual = features(same, 5).to_host<float>();
      const std::vector<float> all = set.values.to_host<float>();
      const auto columns = static_cast<std::size_t>(set.values.dim(1));
      ASSERT_EQ(actual.size(), 5 * columns);
      for (std::size_t row = 0; row < 5; ++row)
        for (std::size_t c = 0; c < columns; ++c)
          ASSERT_NEAR(actual[row * columns + c],
                      all[static_cast<std::size_t>(order()[row + 1]) * columns + c], 1e-4)
              << row << " " << c;
    }
}

TEST_F(AugmentedTraining, FeaturesAreThoseOfTheChangedClips) {
  for (const std::string& kind : feature_kinds()) {
    SCOPED_TRACE(kind);
    settings_.kind = kind;
    const FeatureSet set = cached();
    const auto columns = set.values.dim(1);
    std::vector<float> mean, deviation;
    for (std::int64_t c = 0; c < columns; ++c) {
      mean.push_back(0.1f * static_cast<float>(c % 7));
      deviation.push_back(0.5f + 0.1f * static_cast<float>(c % 3));
    }
    std::optional<Columns> scale;
    if (kind == "statistics")
      scale = {Tensor::from_host(mean, {columns}), Tensor::from_host(deviation, {columns})};
    const AugmentedClips augmented(clips(set), settings_, all_ranges(), scale);
    const Tensor batch = features(augmented, 4);

    const autograd::TrainState state({.seed = 11, .rng_offset = 5, .cursor = 1});
    const ClipAugmenter::Clips changed =
        augmented.changed(Tensor::from_host(order(), {songs}), 4, state.device(), stream);
    const std::vector<std::int64_t> lengths = changed.lengths.to_host<std::int64_t>();
    const audio::FeatureExtractor extractor(settings_.params);
    for (std::int64_t row = 0; row < 4; ++row) {
      const Tensor clip = changed.samples.slice(0, row, row + 1), mel = extractor.mel(clip);
      std::vector<float> expected;
      const auto append = [&](const Tensor& x) {
        const std::vector<float> values = x.to_host<float>();
        expected.insert(expected.end(), values.begin(), values.end());
      };
      if (kind == "statistics")
        append(audio::clip_descriptor(extractor, clip,
                                      std::span(lengths).subspan(static_cast<std::size_t>(row), 1)));
      if (kind == "mel_db" || kind == "both") append(audio::standardize(extractor.mel_db(mel)));
      if (kind == "mfcc" || kind == "both") append(audio::standardize(extractor.mfcc_delta(mel)));
      const std::vector<float> actual = batch[row].to_host<float>();
      ASSERT_EQ(actual.size(), expected.size());
      for (std::size_t c = 0; c < actual.size(); ++c) {
        const float wanted = scale ? (expected[c] - mean[c]) / deviation[c] : expected[c];
        ASSERT_NEAR(actual[c], wanted, 1e-4) << row << " " << c;
      }
    }
    // And they are not those of the clips as they were.
    const AugmentedClips again(clips(set), settings_, all_ranges(), scale);
    EXPECT_EQ(features(again, 4).to_host<float>(), batch.to_host<float>());
    EXPECT_NE(batch[0].to_host<float>(), set.values[2].to_host<float>());
  }
}

struct Outcome {
  std::vector<double> losses;
  double validation = 0;
  std::vector<float> weights;
};

class AugmentedDevices : public AugmentedTraining {
 protected:
  models::testing::Problem problem(const FeatureSet& set) const {
    models::testing::Problem problem;
    models::NetworkOptions& network = problem.model.network;
    network.backbone = models::Backbone::pooled;
    network.image = {set.row_shape[0], 40};
    network.channels = {4, 8};
    network.latent_dim = 3;
    problem.options.epochs = 2;
    problem.options.batch_size = 3;
    return problem;
  }
  models::TrainingData data(const FeatureSet& set, const AugmentationRanges& ranges) const {
    models::TrainingData data;
    data.features = set.values;
    data.bands = set.row_shape[0];
    data.train_rows = {0, 1, 2, 3, 4, 6};
    data.validation_rows = {5};
    data.augmentation.masks = {1, 10, 1, 3};
    const auto augmented = std::make_shared<AugmentedClips>(clips(set), settings_, ranges);
    data.augmentation.features = [augmented](const Tensor& order, std::int64_t rows, const StepState* state) {
      return (*augmented)(order, rows, state, stream);
    };
    return data;
  }
  Outcome train(const AugmentationRanges& ranges, int epochs) const {
    const FeatureSet set = cached();
    models::testing::TrainingRun run(problem(set), "", data(set, ranges));
    Outcome outcome;
    outcome.losses = run.train(epochs);
    outcome.weights = run.weights();
    return outcome;
  }
};

TEST_F(AugmentedDevices, TrainAlike) {
  const Outcome expected = train(all_ranges(), 1);
  for (const DeviceKind kind : harness::test_devices()) {
    if (kind == DeviceKind::cpu) continue;
    SCOPED_TRACE(device_kind_name(kind));
    const ContextScope scope(harness::test_context(kind));
    const Outcome actual = train(all_ranges(), 1);
    ASSERT_EQ(actual.losses.size(), expected.losses.size());
    for (std::size_t i = 0; i < expected.losses.size(); ++i)
      EXPECT_NEAR(actual.losses[i], expected.losses[i], 1e-3 * std::abs(expected.losses[i])) << "step " << i;
  }
}

TEST_F(AugmentedDevices, ThreadsMakeNoDifference) {
  const int before = omp_get_max_threads();
  const Outcome several = train(all_ranges(), 1);
  omp_set_num_threads(1);
  const Outcome one = train(all_ranges(), 1);
  omp_set_num_threads(before);
  EXPECT_EQ(one.weights, several.weights);
}

TEST_F(AugmentedDevices, ResumeIsBitExactAndValidationIsNotChanged) {
  const FeatureSet set = cached();
  const models::testing::Problem small = problem(set);
  const testing::TemporaryFolder whole, parts;
  models::testing::TrainingRun run(small, whole.path(), data(set, all_ranges()));
  run.trainer->run();

  models::TrainerCallbacks callbacks;
  int steps = 3;
  callbacks.interrupted = [&] { return steps-- <= 0; };
  models::testing::TrainingRun begun(small, parts.path(), data(set, all_ranges()));
  EXPECT_TRUE(begun.trainer->run(callbacks).interrupted);
  models::testing::TrainingRun second(small, parts.path(), data(set, all_ranges()));
  ASSERT_TRUE(second.trainer->resume());
  second.trainer->run();
  EXPECT_EQ(run.weights(), second.weights());
  EXPECT_EQ(testing::slurp(whole.path() + "/history.csv"), testing::slurp(parts.path() + "/history.csv"));

  // The last validation loss is that of the cached row under the final weights, without noise or masks.
  const autograd::TrainState state;
  const std::int64_t first_frame = (set.row_shape[1] - 40) / 2;
  const Tensor middle = set.values.slice(0, 5, 6)
                            .reshape({1, set.row_shape[0], -1})
                            .slice(2, first_frame, first_frame + 40)
                            .contiguous();
  const models::Objective objective = run.model->evaluate({middle.reshape({1, -1}), Tensor()}, state);
  EXPECT_NEAR(run.trainer->history().back().validation.reconstruction,
              objective.reconstruction.value().item(), 1e-4 * objective.reconstruction.value().item());
}

TEST_F(AugmentedTraining, Refused) {
  const FeatureSet set = cached();
  const Corpus corpus = load_corpus(root());
  FeatureSettings endless = settings_;
  endless.duration = 1e8;
  EXPECT_THROW(load_clips(corpus, set.songs, set.song_of_row, endless), DeviceError);
  FeatureSettings windows = settings_;
  windows.window = 0.5;
  windows.hop = 0.25;
  EXPECT_THROW(load_clips(corpus, set.songs, set.song_of_row, windows), InputError);
  fs::remove(song_path(3));
  EXPECT_THROW(load_clips(corpus, set.songs, set.song_of_row, settings_), InputError);
}

}  // namespace
}  // namespace chorale::data
