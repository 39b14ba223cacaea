// SPDX-License-Identifier: MIT
#include "tools/clustering/algorithms.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "cluster/agglomerative.h"
#include "cluster/dbscan.h"
#include "cluster/gmm.h"
#include "cluster/hdbscan.h"
#include "cluster/kmeans.h"
#include "cluster/mini_batch_kmeans.h"
#include "tools/common/log.h"
#include "tools/common/text.h"

namespace chorale::tools {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
T own(T given, T of_algorithm) {
  return given < 0 ? of_algorithm : given;
}

double parse_eps(const std::string& text) {
  double eps = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), eps);
  if (error != std::errc() || end != text.data() + text.size() || !(eps > 0) || std::isinf(eps))
    throw UsageError("--eps: neither a distance nor auto: " + text + " (allowed numbers above 0, or auto)");
  return eps;
}

/// What k-means takes in all its forms; returns it as parameters.
template <class KMeans>
Json set_kmeans(const AlgorithmOptions& o, KMeans& options) {
  options.n_clusters = o.n_clusters;
  options.init = o.init;
  options.n_init = own<std::int64_t>(o.n_init, options.n_init);
  options.max_iter = own<std::int64_t>(o.max_iter, options.max_iter);
  options.tol = own(o.tol, options.tol);
  options.metric = o.metric;
  options.random_state = o.random_state;
  return {{"n_clusters", options.n_clusters}, {"init", options.init}, {"n_init", options.n_init},
          {"max_iter", options.max_iter},     {"tol", options.tol},   {"metric", options.metric}};
}

Clustering run_kmeans(const Tensor& x, const AlgorithmOptions& o, const std::string& name) {
  if (o.batch_size > 0) {
    cluster::MiniBatchKMeansOptions options;
    Json parameters = set_kmeans(o, options);
    parameters["batch_size"] = options.batch_size = o.batch_size;
    const cluster::MiniBatchKMeansResult r = cluster::mini_batch_kmeans(x, options, name);
    return {"kmeans",
            r.labels_,
            {{"centers", r.cluster_centers_}},
            parameters,
            {{"inertia", r.inertia_}, {"n_iter", r.n_iter_}, {"n_steps", r.n_steps_}}};
  }
  cluster::KMeansOptions options;
  const Json parameters = set_kmeans(o, options);
  const cluster::KMeansResult r = cluster::kmeans(x, options, name);
  return {"kmeans",
          r.labels_,
          {{"centers", r.cluster_centers_}},
          parameters,
          {{"inertia", r.inertia_}, {"n_iter", r.n_iter_}}};
}

Clustering run_gmm(const Tensor& x, const AlgorithmOptions& o, const std::string& name) {
  static const std::map<std::string, cluster::CovarianceType> types{
      {"full", cluster::CovarianceType::full},
      {"tied", cluster::CovarianceType::tied},
      {"diag", cluster::CovarianceType::diag},
      {"spherical", cluster::CovarianceType::spherical}};
  cluster::GmmOptions options;
  options.n_components = o.n_clusters;
  options.covariance_type = types.at(o.covariance_type);
  options.n_init = own<std::int64_t>(o.n_init, options.n_init);
  options.max_iter = own<std::int64_t>(o.max_iter, options.max_iter);
  options.tol = own(o.tol, options.tol);
  options.reg_covar = o.reg_covar;
  options.random_state = o.random_state;
  const cluster::Gmm g = cluster::gmm(x, options, name);
  const std::int64_t k = g.n_components_, d = g.n_features_;
  const std::map<std::string, Shape> shapes{
      {"full", {k, d, d}}, {"tied", {d, d}}, {"diag", {k, d}}, {"spherical", {k}}};
  double log_likelihood = 0;
  for (const float row : g.log_likelihood_.to_host<float>()) log_likelihood += static_cast<double>(row);
  const double parameters = g.n_parameters();
  Clustering c{"gmm",
               g.labels_,
               {{"weights", Tensor::from_host(g.weights_, {k})},
                {"means", Tensor::from_host(g.means_, {k, d})},
                {"covariances", Tensor::from_host(g.covariances_, shapes.at(o.covariance_type))}},
               {{"n_components", options.n_components},
                {"covariance_type", o.covariance_type},
                {"n_init", options.n_init},
                {"max_iter", options.max_iter},
                {"tol", options.tol},
                {"reg_covar", options.reg_covar}},
               {{"lower_bound", g.lower_bound_},
                {"n_iter", g.n_iter_},
                {"converged", g.converged_},
                {"log_likelihood", log_likelihood},
                {"bic", parameters * std::log(static_cast<double>(x.dim(0))) - 2 * log_likelihood},
                {"aic", 2 * parameters - 2 * log_likelihood}}};
  if (!g.converged_)
    c.warnings.push_back(
        concat("not converged in ", g.n_iter_, " iterations (--max-iter, --tol, --reg-covar)"));
  if (o.responsibilities) c.arrays.emplace_back("responsibilities", g.predict_proba(x, name));
  return c;
}

Clustering run_agglomerative(const Tensor& x, const AlgorithmOptions& o, const std::string& name) {
  static const std::map<std::string, Linkage> linkages{{"ward", Linkage::ward},
                                                       {"complete", Linkage::complete},
                                                       {"average", Linkage::average},
                                                       {"single", Linkage::single}};
  cluster::AgglomerativeOptions options;
  options.n_clusters = o.n_clusters;
  options.linkage = linkages.at(o.linkage);
  if (o.distance_threshold >= 0) options.distance_threshold = o.distance_threshold;
  const cluster::AgglomerativeResult r = cluster::agglomerative(x, options, name);
  Json parameters{{"linkage", o.linkage}};
  if (options.distance_threshold) {
    parameters["distance_threshold"] = *options.distance_threshold;
  } else {
    parameters["n_clusters"] = options.n_clusters;
  }
  return {"agglomerative", r.labels_, {{"linkage", r.linkage_}}, parameters, Json::object()};
}

Clustering run_dbscan(const Tensor& x, const AlgorithmOptions& o, const std::string& name) {
  cluster::DbscanOptions options;
  options.min_samples = own(o.min_samples, options.min_samples);
  Json results;
  if (o.eps == "auto") {
    static const std::map<cluster::EpsRule, std::string> rules{{cluster::EpsRule::knee, "knee"},
                                                               {cluster::EpsRule::plateau, "plateau"},
                                                               {cluster::EpsRule::copies, "copies"}};
    const cluster::SuggestedEps suggested = cluster::suggest_eps(x, options.min_samples, name);
    options.eps = suggested.eps;
    results["eps_rule"] = rules.at(suggested.rule);
    log_info("dbscan: eps ", options.eps, " by the rule ", rules.at(suggested.rule));
  } else {
    options.eps = parse_eps(o.eps);
  }
  const cluster::DbscanResult r = cluster::dbscan(x, options, name);
  results["n_core_samples"] = r.core_sample_indices_.size();
  return {"dbscan",
          r.labels_,
          {{"core_sample_indices", r.core_sample_indices_}},
          {{"eps", options.eps}, {"min_samples", options.min_samples}},
          results};
}

Clustering run_hdbscan(const Tensor& x, const AlgorithmOptions& o, const std::string& name) {
  cluster::HdbscanOptions options;
  options.min_cluster_size = o.min_cluster_size;
  options.min_samples = own(o.min_samples, std::min(options.min_cluster_size, x.dim(0)));
  options.cluster_selection_epsilon = o.cluster_selection_epsilon;
  options.cluster_selection_method =
      o.cluster_selection_method == "leaf" ? cluster::ClusterSelection::leaf : cluster::ClusterSelection::eom;
  options.allow_single_cluster = o.allow_single_cluster;
  const cluster::HdbscanResult r = cluster::hdbscan(x, options, name);
  return {"hdbscan",
          r.labels_,
          {{"probabilities", r.probabilities_}},
          {{"min_cluster_size", options.min_cluster_size},
           {"min_samples", options.min_samples},
           {"cluster_selection_method", o.cluster_selection_method},
           {"cluster_selection_epsilon", options.cluster_selection_epsilon},
           {"allow_single_cluster", options.allow_single_cluster}},
          Json::object()};
}

struct Algorithm {
  std::string name;
  Clustering (*run)(const Tensor& x, const AlgorithmOptions& o, const std::string& name);
  std::vector<std::string> options;  ///< those that mean something to it
};

/// The library's name of a parameter at the head of an error becomes that of its option.
std::string in_options(const std::string& message, const Algorithm& algorithm) {
  const std::size_t end = message.find(':');
  std::string option = message.substr(0, end);
  if (option == "n_components") option = "n_clusters";
  std::replace(option.begin(), option.end(), '_', '-');
  option = "--" + option;
  const auto& known = algorithm.options;
  return end != std::string::npos && std::find(known.begin(), known.end(), option) != known.end()
             ? option + message.substr(end)
             : message;
}

const std::vector<Algorithm>& algorithms() {
  static const std::vector<Algorithm> all{
      {"kmeans",
       run_kmeans,
       {"--n-clusters", "--init", "--n-init", "--max-iter", "--tol", "--batch-size", "--metric",
        "--max-memory"}},
      {"gmm",
       run_gmm,
       {"--n-clusters", "--n-init", "--max-iter", "--tol", "--covariance-type", "--reg-covar"}},
      {"agglomerative", run_agglomerative, {"--n-clusters", "--linkage", "--distance-threshold"}},
      {"dbscan", run_dbscan, {"--eps", "--min-samples"}},
      {"hdbscan",
       run_hdbscan,
       {"--min-samples", "--min-cluster-size", "--cluster-selection-method", "--cluster-selection-epsilon",
        "--allow-single-cluster"}}};
  return all;
}

}  // namespace

const std::vector<std::string>& array_names() {
  static const std::vector<std::string> names{
      "labels",        "centers",           "weights", "means",
      "covariances",   "responsibilities",  "linkage", "core_sample_indices",
      "probabilities", "silhouette_samples"};
  return names;
}

const std::vector<std::string>& algorithm_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Algorithm& algorithm : algorithms()) all.push_back(algorithm.name);
    return all;
  }();
  return names;
}

std::vector<std::string> unused_options(const Options& options, const std::vector<std::string>& names) {
  std::set<std::string> known, used;
  for (const Algorithm& algorithm : algorithms()) {
    known.insert(algorithm.options.begin(), algorithm.options.end());
    if (std::find(names.begin(), names.end(), algorithm.name) != names.end())
      used.insert(algorithm.options.begin(), algorithm.options.end());
  }
  std::vector<std::string> unused;
  for (const std::string& option : known)
    if (options.given(option) && !used.contains(option)) unused.push_back(option);
  return unused;
}

Clustering run_algorithm(std::string_view name, const Tensor& x, const AlgorithmOptions& o,
                         const std::string& of) {
  for (const Algorithm& algorithm : algorithms()) {
    if (algorithm.name != name) continue;
    try {
      return algorithm.run(x, o, of);
    } catch (const UsageError& error) {
      throw UsageError(in_options(error.what(), algorithm));
    }
  }
  throw ContractError("clustering: unknown algorithm: " + std::string(name));
}

}  // namespace chorale::tools
