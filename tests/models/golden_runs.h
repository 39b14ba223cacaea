// SPDX-License-Identifier: MIT
// The golden training runs of tests/golden/training.py: their settings, and the model that each starts from.
#pragma once
#include <nlohmann/json.hpp>

#include "tensor/npy.h"
#include "tensor/safetensors.h"
#include "tests/models/training_setup.h"

namespace chorale::models::testing {

using Json = nlohmann::json;

inline const std::string golden_folder = std::string(CHORALE_SOURCE_DIR) + "/tests/golden/training/";

inline const Json& goldens() {
  static const Json all = Json::parse(slurp(golden_folder + "runs.json"));
  return all;
}

inline VaeOptions model_options(const Json& run, const Tensor& data) {
  const Json& model = run.at("model");
  VaeOptions options;
  NetworkOptions& network = options.network;
  network.input_dim = data.dim(1);
  network.latent_dim = model.at("latent_dim");
  network.dropout = goldens().at("dropout");
  if (model.contains("image")) {
    const std::string backbone = model.at("backbone");
    network.backbone = backbone == "flat"     ? Backbone::flat
                       : backbone == "pooled" ? Backbone::pooled
                                              : Backbone::deep;
    network.image = {model.at("image").at(0), model.at("image").at(1)};
    network.channels = model.at("channels").get<std::vector<std::int64_t>>();
  } else {
    network.hidden = model.at("hidden").get<std::vector<std::int64_t>>();
  }
  if (model.contains("classes"))
    network.condition = {model.at("classes"), model.at("condition_dim"), model.value("film", false)};
  network.likelihood.kind =
      run.at("likelihood") == "gaussian" ? Likelihood::gaussian : Likelihood::squared_error;
  network.likelihood.scale = run.at("scale");
  options.reduction = run.at("reduction") == "sum" ? Reduction::sum : Reduction::mean;
  options.components = model.value("components", std::int64_t{0});
  if (run.contains("disentanglement")) {
    options.disentanglement =
        run.at("disentanglement") == "factor" ? Disentanglement::factor : Disentanglement::total_correlation;
    options.tc_weight = run.at("tc_weight");
    options.samples = static_cast<double>(data.dim(0));
  }
  return options;
}

/// Its tensors of `kind` ("initial", "first_moment"), without that prefix.
inline Checkpoint golden_tensors(const SafetensorsFile& golden, const std::string& kind) {
  Checkpoint found;
  for (const std::string& name : golden.names())
    if (name.starts_with(kind + "."))
      found.tensors.push_back({name.substr(kind.size() + 1), golden.load(name)});
  return found;
}

inline std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& [name, run] : goldens().at("runs").items()) names.push_back(name);
  return names;
}

}  // namespace chorale::models::testing
