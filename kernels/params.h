// SPDX-License-Identifier: MIT
// Plain parameter structs shared by every implementation of a kernel, and the training state that lives on
// the device so that a captured step needs nothing from the host.
#pragma once
#include <cstdint>
#include <limits>

namespace chorale {

/// How a row of kernels.def treats precision. `low`: 16-bit storage, f32 arithmetic and accumulation.
/// `stat`: statistics, losses and state, f32 or f64 inside whatever the storage.
enum class PrecisionClass : std::uint8_t { low, stat };

enum class Activation : std::uint8_t { none, relu, leaky_relu, tanh, gelu };
enum class Likelihood : std::uint8_t { squared_error, gaussian, bernoulli, laplace };
enum class OptimizerKind : std::uint8_t { adamw, adam, sgd };

/// `squared_error`: (x - y)^2, no constant. `gaussian`: 0.5 ((x - y) / scale)^2 + log(scale) + 0.5 log(2 pi).
/// `laplace`: |x - y| / scale + log(2 scale). `bernoulli`: y are logits, x in [0, 1], `scale` unused;
/// max(y, 0) - x y + log(1 + exp(-|y|)). All in nats, summed over the dimensions of a row.
struct LikelihoodParams {
  Likelihood kind = Likelihood::gaussian;
  float scale = 1.0f;
};

struct GaussianLatentParams {
  float log_variance_min = -10.0f;  ///< log-variances are clamped to this range; the gradient outside is zero
  float log_variance_max = 10.0f;
  bool sample = true;  ///< false: z = mu (evaluation)
};

/// Of conv2d rows: torch.nn.Conv2d's stride and zero padding, by rows (height) and columns (width).
struct ConvolutionParams {
  std::int32_t stride_height = 1, stride_width = 1;
  std::int32_t padding_height = 0, padding_width = 0;
};

/// Dropout of whole channels: x is [samples * rows_per_sample, channels], one draw for each (sample,
/// channel), Philox index = sample * channels + channel. With rows_per_sample = 1 it is elementwise dropout
/// (row `dropout`), with height * width it is torch.nn.Dropout2d. p = 0: none.
struct ChannelDropout {
  float p = 0.0f;
  std::uint32_t stream = 0;
  std::int64_t rows_per_sample = 1;
};

/// torch.optim semantics: `adamw` decouples the weight decay, `adam` adds it to the gradient, `sgd` uses
/// beta1 as momentum (dampening 0) and ignores beta2 and epsilon.
struct OptimizerParams {
  OptimizerKind kind = OptimizerKind::adamw;
  double beta1 = 0.9;  ///< f64, for 1 - beta loses four digits in f32
  double beta2 = 0.999;
  float epsilon = 1e-8f;
  float weight_decay = 0.0f;
  float rate_scale = 1.0f;  ///< factor of the state's learning rate, for parameters that learn slower
  bool nesterov = false;
};

struct StepControl {
  float max_gradient_norm = 0.0f;  ///< 0: no clipping. torch.nn.utils.clip_grad_norm_ otherwise.
  bool dynamic_loss_scale = false;
  float growth_factor = 2.0f;
  float backoff_factor = 0.5f;
  std::int32_t growth_interval = 2000;
  float minimum_scale = 1.0f;
  double beta1 = 0.9;  ///< for the bias corrections
  double beta2 = 0.999;
};

/// Everything a training step reads or advances; one such block lives in device memory.
struct StepState {
  std::uint64_t seed = 0;        ///< Philox key
  std::uint64_t rng_offset = 0;  ///< one per micro-batch: third word of the Philox counter
  std::int64_t step = 0;         ///< optimizer updates made (skipped steps do not count)
  std::int64_t cursor = 0;       ///< rows of this epoch's order already consumed
  std::int64_t step_in_epoch = 0;
  std::int64_t skipped = 0;  ///< steps skipped for non-finite gradients, in all
  double gradient_square_sum = 0;
  float learning_rate = 0;
  float kl_weight = 1;
  float kl_capacity = 0;  ///< target of the capacity schedule, in nats
  float loss_scale = 1;
  std::int32_t growth_counter = 0;  ///< clean steps since the loss scale last changed
  std::int32_t found_inf = 0;       ///< 1 if the last step was skipped
  std::int32_t consecutive_skips = 0;
  float gradient_norm = 0;        ///< of the last step, unscaled, before clipping
  float gradient_multiplier = 0;  ///< what the optimizer multiplies gradients with: unscale and clip
  float bias_correction1 = 1;     ///< 1 - beta1^step
  float bias_correction2 = 1;
};

/// What stands for the samples before and after a clip: zeros, the clip mirrored at its edge sample
/// (numpy.pad "reflect", again and again where the clip is short), or the edge sample.
enum class PadMode : std::uint8_t { constant, reflect, edge };

/// How a clip is cut into frames; librosa's semantics and defaults. Frame f begins at sample f hop_length,
/// or n_fft / 2 samples before it when centred; audio_frames.h counts the frames.
struct FrameParams {
  std::int32_t n_fft = 2048;  ///< samples of a frame
  std::int32_t hop_length = 512;
  bool center = true;
  PadMode pad_mode = PadMode::constant;
};

/// librosa.power_to_db: 10 log10(max(amin, x)) - 10 log10(max(amin, reference)), floored at the clip's own
/// maximum - top_db.
struct DecibelParams {
  float reference = 0.0f;  ///< 0: the largest value of each clip (librosa's ref=np.max)
  float amin = 1e-10f;
  float top_db = 80.0f;  ///< negative: no floor
  bool natural = false;  ///< instead: the natural logarithm of max(amin, x); no reference, no floor
};

/// A range that a number is drawn from; one value where both ends are equal.
struct DrawRange {
  float low = 0.0f, high = 0.0f;
};

/// What draw_augmentation draws for every clip, each of the four with `probability`, else its neutral value.
struct AugmentationRanges {
  DrawRange rate{1.0f, 1.0f};  ///< factor of the speed, log-uniform; neutral 1
  DrawRange pitch_steps;       ///< semitones, uniform; neutral 0
  DrawRange noise_snr_db{std::numeric_limits<float>::infinity(),
                         std::numeric_limits<float>::infinity()};  ///< uniform; neutral infinity: no noise
  DrawRange gain_db;                                               ///< uniform; neutral 0
  float probability = 1.0f;
};

/// SpecAugment (Park et al., Interspeech 2019): each mask is 0 to `width` frames or bands wide, and all of
/// its places are equally likely. Masks may overlap.
struct MaskParams {
  std::int32_t time_masks = 0, time_width = 0;  ///< frames
  std::int32_t frequency_masks = 0, frequency_width = 0;
};

/// What kmeans_centers does about clusters without points: `wait` leaves all centers of such a restart as
/// they are, until the caller has given those clusters points; `on_largest` lays their centers on that of the
/// largest cluster; `stay` leaves only their own centers as they are.
enum class EmptyClusters : std::uint8_t { wait, on_largest, stay };

struct CenterParams {
  EmptyClusters empty = EmptyClusters::wait;
  bool unit_length = false;  ///< centers are scaled to length 1, as are the points: spherical k-means
};

/// Points per partial sum of the k-means kernels: a fixed number, so that sums depend on nothing else.
constexpr std::int64_t kmeans_block = 512;
/// Rows per partial sum of cluster_dispersion, for the same reason.
constexpr std::int64_t dispersion_block = 512;
/// Points that the kernels on near points compare at once with as many others, or pass over.
constexpr std::int64_t neighbour_block = 64;

/// What the state of a Gaussian mixture's fit (gmm_update) holds, in this order.
enum GmmState : int { gmm_bound, gmm_steps, gmm_converged, gmm_failed, gmm_state_size };

/// Responsibilities up to this are left out of first and second moments: beside a component of one row, those
/// of a million rows together stay below a unit in the last place of f32.
constexpr float gmm_negligible = 0x1p-46f;

/// How agglomerative clustering measures the distance of two clusters: Ward's increase in variance, the
/// farthest, the mean or the nearest pair of points.
enum class Linkage : std::uint8_t { ward, complete, average, single };

/// Points of one block where kernels of agglomerative clustering hold a matrix as [block, column, point].
constexpr std::int64_t point_block = 32;

/// Share of the smaller one by which two squared distances in d dimensions, f32 sums of squared differences
/// times a factor of the clusters' sizes, may differ and yet lie in the wrong order: each is off by at most
/// d + 10 units of 2^-24.
constexpr float square_band(std::int64_t d) { return static_cast<float>(d + 16) * 0x1p-23f; }

/// Points per partial sum of the t-SNE kernels.
constexpr std::int64_t tsne_block = 256;

/// UMAP's curve 1 / (1 + a r^(2 b)) of similarity at distance r in the map, and how its points move.
struct UmapParams {
  float a = 1.577f, b = 0.8951f;
  float repulsion_strength = 1.0f;
  float learning_rate = 1.0f;  ///< of this epoch
  std::int32_t negative_samples = 5;
  std::uint64_t random_state = 0;
};

}  // namespace chorale
