// SPDX-License-Identifier: MIT
// index.json of a feature cache whose songs and shards are whole. In the input, $SETTINGS and $HASH stand for
// what is right, so that what is wrong elsewhere is reached.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "data/feature_cache.h"
#include "data/feature_index.h"
#include "kernels/error.h"
#include "tensor/npy.h"
#include "tests/fuzz/memory_file.h"
#include "tests/harness/temporary_folder.h"
#include "tests/tensor_formats/plain_device.h"

namespace {

using namespace chorale;

constexpr int songs = 3, rows_of_shard = 4;

/// Three songs, en_0000 to en_0002, and two shards of four rows, each row filled with its number.
struct Cache {
  chorale::testing::PlainDevice device{true};
  chorale::testing::TemporaryFolder folder;
  data::Corpus corpus;
  data::FeatureSettings settings;
  std::string index, hash;

  Cache() {
    settings.duration = 0.1;
    settings.params.mel.n_mels = 2;
    corpus.root = folder.path();
    for (int i = 0; i < songs; ++i) {
      data::Song song;
      song.song_id = "en_000" + std::to_string(i);
      song.audio_path = song.song_id + ".wav";
      // Of 4 bytes and from second 1, which the seeds say too.
      const std::string path = folder.file(song.audio_path.string(), "RIFF");
      const timespec times[] = {{1, 0}, {1, 0}};
      fuzz::check(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0, "a time stamp");
      corpus.songs.push_back(std::move(song));
    }
    const std::string caches = data::cache_folder(corpus, settings);
    std::filesystem::create_directories(caches);
    Shape shape = data::feature_shape(settings);
    shape.insert(shape.begin(), rows_of_shard);
    std::vector<float> values;
    for (int row = 0; row < rows_of_shard; ++row)
      values.insert(values.end(), static_cast<std::size_t>(element_count(shape) / rows_of_shard),
                    static_cast<float>(row));
    for (int shard = 0; shard < 2; ++shard) write_npy(caches + "/" + data::shard_name(shard), values, shape);
    index = caches + "/index.json";
    hash = data::file_hash(caches + "/" + data::shard_name(0));
  }
};

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Cache cache;
  std::string text(reinterpret_cast<const char*>(data), size);
  replace_all(text, "$SETTINGS", cache.settings.text());
  replace_all(text, "$HASH", cache.hash);
  std::ofstream(cache.index, std::ios::binary) << text;
  try {
    const data::FeatureSet set = data::load_features(cache.corpus, cache.settings);
    fuzz::check(set.count() >= 1 && set.count() <= songs, "songs of the corpus");
    fuzz::check(set.values.dim(0) <= 2 * rows_of_shard, "no more rows than there are");
    fuzz::check(static_cast<std::int64_t>(set.song_of_row.size()) == set.values.dim(0),
                "a song for each row");
    fuzz::check(std::is_sorted(set.song_of_row.begin(), set.song_of_row.end()) &&
                    set.song_of_row.back() < set.count(),
                "rows song by song");
    for (const float value : set.values.to_host<float>())
      fuzz::check(value >= 0 && value < rows_of_shard && value == static_cast<float>(static_cast<int>(value)),
                  "rows of the shards");
  } catch (const InputError& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
