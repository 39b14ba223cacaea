// SPDX-License-Identifier: MIT
// Runs a fuzz target over the files named on the command line and below the folders named there, without
// libFuzzer and so with any compiler: what fuzzing starts from and what it once found stays tested.
//   replay_<name> PATH...
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fs = std::filesystem;

int main(int argc, char** argv) {
  constexpr std::uintmax_t largest = 1 << 16;  // as run.sh takes
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    if (fs::is_regular_file(argv[i])) files.emplace_back(argv[i]);
    if (fs::is_directory(argv[i]))
      for (const fs::directory_entry& entry : fs::recursive_directory_iterator(argv[i]))
        if (entry.is_regular_file() && entry.file_size() <= largest) files.push_back(entry.path());
  }
  for (const fs::path& path : files) {
    std::fprintf(stderr, "%s\n", path.c_str());  // the last line names the file that ends the program
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    // On the heap and no longer than the file, so that reading beyond it is seen.
    const std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(data.data(), data.size());
  }
  std::fprintf(stderr, "%zu files\n", files.size());
  return files.empty() ? 1 : 0;
}
