// SPDX-License-Identifier: MIT
#include "data/corpus.h"
#include "data/csv.h"
#include "kernels/error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chorale;
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const data::CsvTable table = data::parse_csv(text, "input");
    // A first column called U+FEFF something would lose it to the byte-order mark; so there is one.
    std::string again = "\xef\xbb\xbf" + data::format_csv_row(table.header);
    for (const data::CsvRow& row : table.rows) {
      fuzz::check(row.cells.size() == table.header.size(), "as many cells as columns");
      again += data::format_csv_row(row.cells);
    }
    const data::CsvTable second = data::parse_csv(again, "again");
    fuzz::check(second.header == table.header && second.rows.size() == table.rows.size(),
                "the same table again");
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      fuzz::check(second.rows[i].cells == table.rows[i].cells, "the same cells again");
    }
  } catch (const InputError& error) {
    fuzz::check_message(error.what());
  }
  const fuzz::MemoryFile file(data, size);
  try {
    const data::Corpus corpus = data::read_manifest(file.path());
    fuzz::check(!corpus.songs.empty(), "a manifest has songs");
    for (const data::Song& song : corpus.songs) {
      fuzz::check(data::song_id_fault(song.song_id).empty(), "song ids are safe file names");
      fuzz::check(song.audio_path.is_relative(), "paths stay inside");
      for (const auto& part : song.audio_path) fuzz::check(part != "..", "paths stay inside");
    }
  } catch (const InputError& error) {
    fuzz::check_message(error.what());
  }
  return 0;
}
