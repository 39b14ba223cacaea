// SPDX-License-Identifier: MIT
#include <filesystem>
#include <iostream>
#include <set>
#include <sstream>

#include "cluster/kmeans.h"
#include "cluster/pca.h"
#include "cluster/projection.h"
#include "models/checkpoint.h"
#include "report/evaluation.h"
#include "report/event_file.h"
#include "report/gnuplot.h"
#include "report/html.h"
#include "tensor/file.h"
#include "tensor/npy.h"
#include "tools/common/log.h"
#include "tools/common/table.h"
#include "tools/pipeline/pipeline.h"
#include "tools/pipeline/song_clips.h"

namespace chorale::tools {
namespace {

namespace fs = std::filesystem;

report::EvaluationOptions evaluation_options(const Config& config) {
  return {config.integers("clustering.n_clusters"), config.integer("clustering.n_init"),
          config.integer("clustering.max_iter"), config.unsigned_integer("training.seed")};
}

std::vector<report::Labelling> labellings(const std::vector<data::Song>& songs) {
  report::Labelling language{"language", {}}, genre{"genre", {}};
  for (const data::Song& song : songs) {
    language.values.push_back(song.language);
    genre.values.push_back(song.genre);
  }
  return {language, genre};
}

/// Prints, for each method, the row of the best ARI: the labels choose the number of clusters there.
void print_best(const std::vector<report::ClusteringRow>& rows) {
  std::vector<const report::ClusteringRow*> best;
  for (const auto& row : rows) {
    if (!best.empty() && best.back()->method == row.method) continue;
    const report::ClusteringRow* top = nullptr;
    for (const auto& other : rows)
      if (other.method == row.method && (!top || other.adjusted_rand_index > top->adjusted_rand_index))
        top = &other;
    if (std::find(best.begin(), best.end(), top) == best.end()) best.push_back(top);
  }
  Table table({"method", "clusters", "silhouette", "CH", "DB", "ARI", "NMI", "purity", "accuracy"});
  const auto cell = [](const std::optional<double>& value) {
    return value ? format_fixed(*value, 3) : std::string("-");
  };
  for (const auto* r : best)
    table.add_row({r->method, concat(r->n_clusters), cell(r->silhouette_score),
                   cell(r->calinski_harabasz_index), cell(r->davies_bouldin_index),
                   cell(r->adjusted_rand_index), cell(r->normalized_mutual_info), cell(r->cluster_purity),
                   cell(r->cluster_accuracy)});
  std::cout << "Each method at its best ARI over the numbers of clusters tried; all of them in the CSV.\n";
  table.print();
}

void write_embeddings(const std::string& results, const std::string& name, const Latents& latents) {
  const std::string base = results + "/embeddings/" + name;
  create_directories(results + "/embeddings");
  write_npy(base + ".npy", latents.codes);
  std::string csv = "song_id,language,genre,split\n";
  for (std::size_t i = 0; i < latents.songs.size(); ++i)
    csv += latents.songs[i].song_id + "," + latents.songs[i].language + "," + latents.songs[i].genre + "," +
           (latents.validation[i] ? "validation" : "train") + "\n";
  write_file(base + ".csv", csv);
  std::vector<std::vector<std::string>> columns(3);
  for (const data::Song& song : latents.songs) {
    columns[0].push_back(song.title.empty() ? song.song_id : song.title);
    columns[1].push_back(song.language);
    columns[2].push_back(song.genre);
  }
  report::write_projector(results + "/checkpoints/" + name, latents.codes, {"title", "language", "genre"},
                          columns);
}

/// The codes in the plane, coloured by language and by genre.
void draw_latent_map(const Config& config, const std::string& results, const std::string& name,
                     const Latents& latents) {
  if (!report::gnuplot_available()) {
    log_warning("no figures: gnuplot is not installed (package gnuplot-nox)");
    return;
  }
  create_directories(results + "/visualizations");
  const std::string method = config.text("clustering.projection");
  const std::vector<float> points =
      cluster::project_to_plane(latents.codes, method, config.unsigned_integer("training.seed"), "codes")
          .to_host<float>();
  const std::string by = method == "pca" ? "PCA" : method == "tsne" ? "t-SNE" : "UMAP";
  report::ScatterPlot by_language{concat(by, " of the latent space of ", name, ", by language"), {}, {}, {}},
      by_genre;
  for (std::size_t i = 0; i < latents.songs.size(); ++i) {
    by_language.x.push_back(points[2 * i]);
    by_language.y.push_back(points[2 * i + 1]);
    by_language.classes.push_back(latents.songs[i].language);
  }
  by_genre = by_language;
  by_genre.title = concat(by, " of the latent space of ", name, ", by genre");
  for (std::size_t i = 0; i < latents.songs.size(); ++i) by_genre.classes[i] = latents.songs[i].genre;
  report::write_scatter_panels(results + "/visualizations/" + name + "_latent_map.png",
                               {by_language, by_genre});
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

/// A file, or one of the model's own; the original's best_model.pt is best.safetensors here.
std::string find_checkpoint(const std::string& folder, const std::string& path) {
  if (path.empty() || (path == "best_model.pt" && !fs::exists(path))) return folder + "/best.safetensors";
  return fs::exists(path) || !fs::exists(folder + "/" + path) ? path : folder + "/" + path;
}

void log_notices(const std::vector<std::string>& notices) {
  for (const std::string& notice : notices) log_info(notice);
}

}  // namespace

Latents compute_latents(Program& program, const std::string& name, const std::string& checkpoint_path) {
  const std::string folder = program.common().results + "/checkpoints/" + name;
  Config config;
  config.read(folder + "/config.yaml");
  config.check();
  const models::Checkpoint checkpoint = models::read_checkpoint(find_checkpoint(folder, checkpoint_path));
  TrainingSongs songs = load_training_songs(program, config);
  Tensor features = songs.raw;
  if (checkpoint.has("features.mean")) {  // scaled as in training, whatever songs are here now
    std::vector<float> values = features.to_host<float>();
    apply_scale(values, {checkpoint.tensor("features.mean").to_host<float>(),
                         checkpoint.tensor("features.standard_deviation").to_host<float>()});
    features = Tensor::from_host(values, features.shape());
  }
  const auto known = checkpoint.metadata.find("identity.data.classes");
  const Condition condition =
      make_condition(config, songs.songs,
                     known == checkpoint.metadata.end() ? std::vector<std::string>{} : lines(known->second));
  models::Vae model(
      vae_options(config, songs.row_shape, static_cast<std::int64_t>(condition.classes.size())));
  const autograd::Precision precision = autograd::make_precision("fp32", current_context());
  model.allocate({.precision = precision, .factor_rows = 0, .training = false}, 0);
  models::load_model(model, checkpoint);
  const Tensor labels =
      condition.labels.empty()
          ? Tensor()
          : Tensor::from_host(by_clip(condition.labels, songs.song_of_row), {features.dim(0)});
  const Tensor codes = models::encode_all(model, features, labels);
  Latents latents{std::move(songs.songs), song_means(codes, songs.song_of_row), {}};
  latents.validation.assign(latents.songs.size(), false);
  for (std::int64_t song : songs.split.validation) latents.validation[static_cast<std::size_t>(song)] = true;
  return latents;
}

int run_evaluation(Program& program, const std::string& name, const std::string& checkpoint) {
  const std::string results = program.common().results;
  const Config& config = program.config();
  const Latents latents = compute_latents(program, name, checkpoint);
  write_embeddings(results, name, latents);
  std::vector<std::string> notices;
  const auto rows = report::evaluate_clusterings("kmeans", latents.codes, labellings(latents.songs),
                                                 evaluation_options(config), notices);
  log_notices(notices);
  create_directories(results + "/metrics");
  write_file(results + "/metrics/" + name + "_clustering_results.csv", report::clustering_csv(rows));
  print_best(rows);
  draw_latent_map(config, results, name, latents);
  write_results_report(results);
  return 0;
}

int run_baselines(Program& program) {
  const Config& config = program.config();
  const std::string results = program.common().results;
  TrainingSongs songs = load_training_songs(program, config);
  const Tensor features = songs.data.features;
  const auto labels = labellings(songs.songs);
  const report::EvaluationOptions options = evaluation_options(config);
  std::vector<std::string> notices;
  std::vector<report::ClusteringRow> rows;
  const auto add = [&](const std::string& method, const Tensor& clips) {
    const auto more =
        report::evaluate_clusterings(method, song_means(clips, songs.song_of_row), labels, options, notices);
    rows.insert(rows.end(), more.begin(), more.end());
  };
  add("raw+kmeans", features);
  const std::int64_t components =
      std::min({config.integer("model.latent_dim"), features.dim(0), features.dim(1)});
  add("pca+kmeans", cluster::pca(features, {.n_components = components}).transform(features));

  // The same network without noise and without a prior: a deterministic autoencoder.
  models::VaeOptions autoencoder = vae_options(config, songs.row_shape, 0);
  autoencoder.latent.sample = false;
  autoencoder.kl_capacity = false;
  models::TrainerOptions training = trainer_options(config, current_context());
  training.kl = {.kind = autograd::KlOptions::Kind::constant, .weight = 0};
  models::Vae model(autoencoder);
  models::Trainer trainer(model, std::move(songs.data), training, "");
  trainer.prepare();
  trainer.run();
  add("autoencoder+kmeans", models::encode_all(model, features));

  log_notices(notices);
  create_directories(results + "/metrics");
  write_file(results + "/metrics/baseline_results.csv", report::clustering_csv(rows));
  print_best(rows);
  write_results_report(results);
  return 0;
}

void write_results_report(const std::string& results) {
  report::HtmlReport html("Chorale: clusters of songs");
  const auto sorted_files = [&](const std::string& folder, const std::string& suffix) {
    std::set<std::string> files;
    if (fs::is_directory(results + "/" + folder))
      for (const auto& entry : fs::directory_iterator(results + "/" + folder))
        if (entry.path().filename().string().ends_with(suffix)) files.insert(entry.path().string());
    return files;
  };
  for (const std::string& path : sorted_files("visualizations", ".png"))
    html.figure(path, fs::path(path).stem().string());
  for (const std::string& path : sorted_files("metrics", ".csv")) {
    html.heading(fs::path(path).stem().string());
    html.csv_table(read_file_bounded(path, 64u << 20));
  }
  html.write(results + "/report.html");
  log_info("report: ", results, "/report.html");
}

}  // namespace chorale::tools
