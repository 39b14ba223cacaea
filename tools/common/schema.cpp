// SPDX-License-Identifier: MIT
// Every key of the configuration. A new key is one row here and one line in configs/*.yaml.
#include "tools/common/config.h"

namespace chorale::tools {
namespace {

using Integers = std::vector<std::int64_t>;

ConfigValue whole(std::int64_t value) { return value; }
ConfigValue word(const char* value) { return std::string(value); }

constexpr bool above = true;  // the lower end of a range is not allowed itself

}  // namespace

const std::vector<ConfigKey>& config_schema() {
  static const std::vector<ConfigKey> schema{
      {"model.name", word("basic"), "which autoencoder", {}, {"basic", "conv", "beta", "cvae", "vade"}},
      {"model.hidden",
       Integers{256, 128},
       "basic, vade: widths of the encoder; the decoder mirrors them",
       {1, 65536}},
      {"model.arch",
       word("pooled"),
       "conv, beta, cvae: averaged over time, the same with residual blocks, or flattened as the original",
       {},
       {"pooled", "deep", "flat"}},
      {"model.channels",
       Integers{8, 16, 32, 64},
       "conv, beta, cvae: channels; each layer halves the image",
       {1, 4096}},
      {"model.beta", 4.0, "beta: weight of the KL divergence", {0, 1e6}},
      {"model.objective",
       word("elbo"),
       "beta: what beta weighs: the whole KL, or its total correlation by minibatch weights (tc) or a "
       "discriminator (factor)",
       {},
       {"elbo", "tc", "factor"}},
      {"model.condition", word("genre"), "cvae: the label it is told", {}, {"genre", "language"}},
      {"model.condition_dim", whole(32), "cvae: dimensions of a label's embedding", {1, 4096}},
      {"model.condition_mode",
       word("concat"),
       "cvae: embedding joined to features and z, or modulating feature maps",
       {},
       {"concat", "film"}},
      {"model.n_clusters", whole(50), "vade: components of the prior", {1, 65536}},
      {"model.latent_dim", whole(16), "dimensions of the latent space", {1, 65536}},
      {"model.dropout", 0.1, "probability of dropping an activation", {0, 0.99}},
      {"model.likelihood",
       word("gaussian"),
       "distribution of a feature given its reconstruction",
       {},
       {"squared_error", "gaussian", "bernoulli", "laplace"}},
      {"model.likelihood_scale", 1.0, "scale of gaussian and laplace", {0, 1e6, above}},
      {"model.reduction",
       word("sum"),
       "sum: nats, the ELBO; mean: averaged over bins and latent dimensions, as the original",
       {},
       {"sum", "mean"}},

      {"features.kind",
       word("auto"),
       "what a model sees; both: mel_db over mfcc; statistics: their moments and the rhythm; auto: "
       "statistics for "
       "basic and vade, mel_db for the others",
       {},
       {"auto", "mel_db", "mfcc", "both", "statistics"}},
      {"features.sample_rate", whole(22050), "Hz", {1000, 192000}},
      {"features.n_fft", whole(2048), "samples of a window", {16, 65536}},
      {"features.hop_length", whole(512), "samples between windows", {1, 65536}},
      {"features.n_mels", whole(128), "mel bands", {1, 2048}},
      {"features.n_mfcc", whole(40), "cepstral coefficients", {1, 2048}},
      {"features.fmin", 0.0, "Hz, lowest edge of the mel bands", {0, 96000}},
      {"features.fmax", 0.0, "Hz, highest edge; 0: half the sample rate", {0, 96000}},
      {"features.duration",
       30.0,
       "seconds of a song that are used; with a window the whole song is",
       {0, 3600, above}},
      {"features.window",
       0.0,
       "seconds of each of a song's clips, whose codes are averaged; 0: one clip of features.duration",
       {0, 3600}},
      {"features.hop", 20.0, "seconds between the starts of a song's clips", {0.01, 3600}},

      {"training.epochs", whole(100), "passes over the training songs", {1, 1e6}},
      {"training.crop_frames",
       whole(256),
       "conv, beta, cvae: frames of a random crop; 0: whole clips (flat always sees those)",
       {0, 1e6}},
      {"training.pretrain_epochs",
       whole(30),
       "vade: passes as a plain autoencoder before the mixture",
       {0, 1e6}},
      {"training.mixture_rate", 0.1, "vade: factor of the learning rate for the mixture", {0, 1}},
      {"training.batch_size", whole(32), "clips in a step", {1, 65536}},
      {"training.learning_rate", 1e-3, "of the optimizer", {0, 10, above}},
      {"training.weight_decay", 1e-4, "of the optimizer", {0, 10}},
      {"training.optimizer", word("adamw"), "update rule", {}, {"adamw", "adam", "sgd"}},
      {"training.gradient_clip", 0.5, "largest norm of the gradient; 0: no clipping", {0, 1e9}},
      {"training.accumulation", whole(1), "batches in an update", {1, 4096}},
      {"training.early_stopping_patience", whole(15), "epochs without improvement; 0: never stop", {0, 1e6}},
      {"training.validation_fraction", 0.1, "of the songs", {0, 0.9}},
      {"training.precision",
       word("auto"),
       "of activations and products",
       {},
       {"auto", "fp32", "fp16", "bf16"}},
      {"training.kl_weight", 1.0, "beta, reached at the end of the schedule", {0, 1e6}},
      {"training.kl_schedule",
       word("linear"),
       "how the KL weight grows",
       {},
       {"constant", "linear", "cyclical", "capacity"}},
      {"training.kl_warmup_epochs", 10.0, "length of the linear and capacity schedules", {0, 1e6}},
      {"training.kl_cycles", whole(4), "ramps of the cyclical schedule", {1, 1e6}},
      {"training.free_bits", 0.0, "nats of a latent dimension that are not penalised", {0, 1000}},
      {"training.capacity", 25.0, "nats, end of the capacity schedule", {0, 1e6}},
      {"training.lr_schedule",
       word("plateau"),
       "how the learning rate falls",
       {},
       {"constant", "plateau", "cosine"}},
      {"training.lr_patience", whole(5), "epochs without improvement before the rate falls", {0, 1e6}},
      {"training.lr_factor", 0.5, "what the rate is multiplied with then", {0, 0.999, above}},
      {"training.warmup_epochs", 0.0, "linear rise of the rate from 0", {0, 1e6}},
      {"training.seed", std::uint64_t{42}, "of all random numbers"},

      {"clustering.n_clusters", Integers{5, 10, 15, 20, 30, 45, 50}, "numbers of clusters to try", {1, 1e6}},
      {"clustering.n_init", whole(10), "restarts of k-means", {1, 10000}},
      {"clustering.max_iter", whole(300), "iterations of k-means", {1, 1e6}},
  };
  return schema;
}

}  // namespace chorale::tools
