// SPDX-License-Identifier: MIT
// VaDE on scikit-learn's digits (1,797 x 64; tests/golden/cluster/digits.npy): accuracy of its clusters over
// seeds, beside k-means on the pixels and on the codes of the autoencoder that VaDE starts from. Labels are
// looked at for the accuracy alone (best one-to-one assignment of 10 clusters to 10 digits).
//
//   bench_vade                     ten seeds
//   bench_vade --seeds 3
//
// One line of JSON: means, standard deviations and worst seed of each, and the fewest components in use.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cluster/kmeans.h"
#include "cluster/metrics.h"
#include "models/occupancy.h"
#include "tensor/npy.h"
#include "tools/common/program.h"
#include "tools/pipeline/mixture.h"

namespace {

using namespace chorale;
using namespace chorale::tools;

struct Settings {
  std::string folder = std::string(CHORALE_SOURCE_DIR) + "/tests/golden/cluster";
  int seeds = 10, pretrain_epochs = 50, epochs = 50;
  double rate = 1e-3;
  std::int64_t latent_dim = 10;
  std::vector<std::int64_t> hidden{500, 500, 2000};
};

struct Digits {
  Tensor x;  ///< f32 (n, 64), pixels in [0, 1]
  std::vector<std::int32_t> labels;
};

Digits read_digits(const std::string& folder) {
  Digits digits{read_npy(folder + "/digits.npy").to(DType::f32), {}};
  std::vector<float> values = digits.x.to_host<float>();
  for (float& v : values) v /= 16.0f;
  digits.x.upload(values.data(), DType::f32);
  digits.labels = read_npy(folder + "/digits_labels.npy").to(DType::i32).to_host<std::int32_t>();
  return digits;
}

double accuracy(const Digits& digits, const std::vector<std::int32_t>& predicted) {
  return cluster::cluster_accuracy({digits.labels, predicted}).value.value_or(0);
}

double kmeans_accuracy(const Digits& digits, const Tensor& points, std::uint64_t seed) {
  cluster::KMeansOptions options;
  options.n_clusters = 10;
  options.random_state = seed;
  const auto fit = cluster::kmeans(points, options);
  return accuracy(digits, fit.labels_.to_host<std::int32_t>());
}

std::vector<std::int32_t> most_likely(const Tensor& responsibilities) {
  const auto gamma = responsibilities.to_host<float>();
  const auto k = static_cast<std::size_t>(responsibilities.dim(1));
  std::vector<std::int32_t> labels;
  for (auto row = gamma.begin(); row != gamma.end(); row += static_cast<std::ptrdiff_t>(k))
    labels.push_back(
        static_cast<std::int32_t>(std::max_element(row, row + static_cast<std::ptrdiff_t>(k)) - row));
  return labels;
}

struct Scores {
  std::vector<double> pixels, codes, vade;
  std::int64_t fewest_in_use = 10;
};

void run_seed(const Digits& digits, const Settings& settings, std::uint64_t seed, Scores& scores) {
  models::VaeOptions options;
  options.network.input_dim = 64;
  options.network.hidden = settings.hidden;
  options.network.latent_dim = settings.latent_dim;
  options.network.dropout = 0;
  options.network.likelihood.kind = Likelihood::bernoulli;
  options.components = 10;
  models::TrainerOptions training;
  training.epochs = settings.epochs;
  training.batch_size = 100;
  training.early_stopping_patience = 0;
  training.seed = seed;
  training.precision = autograd::make_precision("fp32", current_context());
  training.learning_rate.base = settings.rate;
  training.learning_rate.kind = autograd::LearningRateOptions::Kind::cosine;
  training.learning_rate.epochs = settings.epochs;
  training.kl.kind = autograd::KlOptions::Kind::constant;
  training.control.max_gradient_norm = 5;
  models::TrainingData data;
  data.features = digits.x;
  for (std::int64_t r = 0; r < digits.x.dim(0); ++r) data.train_rows.push_back(r);

  models::Vae model(options);
  models::Trainer trainer(model, data, training, "");
  trainer.prepare();
  models::TrainerOptions pretraining = training;
  pretraining.epochs = pretraining.learning_rate.epochs = settings.pretrain_epochs;
  start_mixture(model, data, pretraining, "", {});
  const models::Batch all{digits.x, Tensor()};
  scores.pixels.push_back(kmeans_accuracy(digits, digits.x, seed));
  scores.codes.push_back(kmeans_accuracy(digits, model.encode(all), seed));
  models::TrainerCallbacks callbacks;
  callbacks.closing = [&](int epoch) { watch_mixture(model, digits.x, epoch); };
  trainer.run(callbacks);
  const Tensor gamma = model.responsibilities(all);
  scores.vade.push_back(accuracy(digits, most_likely(gamma)));
  scores.fewest_in_use = std::min(scores.fewest_in_use, models::occupancy(gamma).occupied);
  std::fprintf(stderr, "seed %llu  loss %.3f  pixels %.3f  codes %.3f  vade %.3f\n",
               static_cast<unsigned long long>(seed), trainer.history().back().train.loss,
               scores.pixels.back(), scores.codes.back(), scores.vade.back());
}

nlohmann::ordered_json summary(const std::vector<double>& values) {
  double mean = 0, square = 0, worst = 1;
  for (double v : values) {
    mean += v / static_cast<double>(values.size());
    worst = std::min(worst, v);
  }
  for (double v : values) square += (v - mean) * (v - mean) / static_cast<double>(values.size());
  return {{"mean", mean}, {"standard_deviation", std::sqrt(square)}, {"worst", worst}};
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  return run_program(
      argc, argv,
      {.name = "bench_vade", .summary = "Accuracy of VaDE's clusters of scikit-learn's digits over seeds."},
      [&](Options& options) {
        options.add("--digits", &settings.folder, "folder of digits.npy and digits_labels.npy");
        options.add("--seeds", &settings.seeds, "runs, with seeds 1, 2, ...", {1, 1000});
        options.add("--pretrain-epochs", &settings.pretrain_epochs, "as an autoencoder", {0, 10000});
        options.add("--epochs", &settings.epochs, "with the mixture", {1, 10000});
        options.add("--hidden", &settings.hidden, "widths of the encoder", {1, 65536});
        options.add("--latent-dim", &settings.latent_dim, "dimensions of the codes", {1, 1024});
        options.add("--learning-rate", &settings.rate, "at the start of its cosine", {0, 1});
      },
      [&](Program& program) {
        ExecutionContext context(program.device());
        const ContextScope scope(context);
        const Digits digits = read_digits(settings.folder);
        Scores scores;
        for (int seed = 1; seed <= settings.seeds; ++seed)
          run_seed(digits, settings, static_cast<std::uint64_t>(seed), scores);
        const nlohmann::ordered_json result{{"seeds", settings.seeds},
                                            {"kmeans_on_pixels", summary(scores.pixels)},
                                            {"kmeans_on_autoencoder_codes", summary(scores.codes)},
                                            {"vade", summary(scores.vade)},
                                            {"fewest_components_in_use", scores.fewest_in_use}};
        std::puts(result.dump().c_str());
        return 0;
      });
}
