// SPDX-License-Identifier: MIT
#include "tools/pipeline/mixture.h"

#include "cluster/gmm.h"
#include "models/occupancy.h"
#include "tools/common/log.h"
#include "tools/common/text.h"

namespace chorale::tools {

bool start_mixture(models::Vae& model, const models::TrainingData& data, models::TrainerOptions options,
                   const std::string& folder, const models::TrainerCallbacks& callbacks) {
  options.kl = {.kind = autograd::KlOptions::Kind::constant, .weight = 0};
  models::VaeOptions plain = model.options();
  plain.components = 0;
  plain.latent.sample = false;
  models::Vae autoencoder(plain);
  models::TrainingData own = data;
  own.identity["training.pretrain_epochs"] = std::to_string(options.epochs);
  models::Trainer trainer(autoencoder, std::move(own), options, folder);
  trainer.prepare();
  if (!folder.empty()) trainer.resume();
  if (trainer.run(callbacks).interrupted) return false;

  auto targets = model.parameters().named();
  const auto sources = autoencoder.parameters().named();  // the mixture's come after the network's
  for (std::size_t i = 0; i < sources.size(); ++i) targets[i].value.copy_from(sources[i].value);
  auto buffers = model.buffers();
  const auto trained = autoencoder.buffers();
  for (std::size_t i = 0; i < trained.size(); ++i) buffers[i].value.copy_from(trained[i].value);

  const Tensor codes = models::encode_all(autoencoder, data.features.gather_rows(data.train_rows));
  cluster::GmmOptions mixture;
  mixture.n_components = model.options().components;
  mixture.covariance_type = cluster::CovarianceType::diag;
  mixture.n_init = 10;
  mixture.random_state = options.seed;
  const cluster::Gmm fit = cluster::gmm(codes, mixture, "codes");
  model.set_mixture(fit.weights_, fit.means_, fit.covariances_);
  model.parameters().refresh_shadow();
  log_info("mixture of ", fit.n_components_, " Gaussians on the autoencoder's codes: log-likelihood ",
           format_number(fit.lower_bound_), " a song, ", fit.n_iter_, " iterations");
  return true;
}

void watch_mixture(models::Vae& model, const Tensor& features, int epoch) {
  const models::Batch batch{features, Tensor()};
  const models::Occupancy use = models::occupancy(model.responsibilities(batch));
  const int moved =
      models::reseed_empty(model, model.encode(batch), use, 0.5 / static_cast<double>(features.dim(0)));
  log_info("epoch ", epoch, "  components in use ", use.occupied, "/", use.share.size(),
           "  responsibility entropy ", format_number(use.entropy, 3), "  confidence ",
           format_number(use.confidence, 3), moved ? concat("  started anew ", moved) : std::string());
}

}  // namespace chorale::tools
