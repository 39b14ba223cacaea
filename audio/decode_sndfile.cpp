// SPDX-License-Identifier: MIT
// libsndfile's formats. Its frame counts come from headers and may be wrong, so only what was read counts.
#include <sndfile.h>

#include <mutex>

#include "audio/decoder.h"

namespace chorale::audio {
namespace {

ByteWindow& window(void* user) { return *static_cast<ByteWindow*>(user); }

SF_VIRTUAL_IO callbacks() {
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* user) -> sf_count_t { return window(user).size(); };
  io.seek = [](sf_count_t offset, int whence, void* user) -> sf_count_t {
    return window(user).seek(offset, whence);
  };
  io.read = [](void* target, sf_count_t count, void* user) -> sf_count_t {
    return count <= 0 ? 0
                      : static_cast<sf_count_t>(window(user).read(target, static_cast<std::size_t>(count)));
  };
  io.write = [](const void*, sf_count_t, void*) -> sf_count_t { return 0; };
  io.tell = [](void* user) -> sf_count_t { return window(user).position(); };
  return io;
}

class SndfileDecoder final : public Decoder {
 public:
  SndfileDecoder(const InputFile& file, std::uint64_t begin) : window_(file, begin, file.size()) {
    // Why a file could not be opened stands in a variable that the library has once for all threads.
    static std::mutex opening;
    const std::lock_guard lock(opening);
    handle_ = sf_open_virtual(&io_, SFM_READ, &info_, &window_);
    if (!handle_)
      throw InputError(printable(file.path()) + ": cannot be decoded: " + sf_error_number(sf_error(nullptr)));
  }
  ~SndfileDecoder() override { sf_close(handle_); }

  std::int64_t sample_rate() const override { return info_.samplerate; }
  std::int64_t channels() const override { return info_.channels; }

  bool is_16_bit() const override {
    const int encoding = info_.format & SF_FORMAT_SUBMASK;
    return encoding == SF_FORMAT_PCM_16 || encoding == SF_FORMAT_PCM_U8 || encoding == SF_FORMAT_PCM_S8;
  }

  std::int64_t read(std::span<float> interleaved) override {
    const auto room = static_cast<sf_count_t>(interleaved.size()) / info_.channels;
    const sf_count_t got = at_end_ ? 0 : sf_readf_float(handle_, interleaved.data(), room);
    at_end_ = got <= 0;
    position_ += at_end_ ? 0 : got;
    return at_end_ ? 0 : got;
  }

  std::int64_t seek(std::int64_t frame) override {
    if (info_.seekable && sf_seek(handle_, frame, SEEK_SET) == frame) {
      position_ = frame;
      return frame;
    }
    sf_seek(handle_, 0, SEEK_SET);
    return 0;
  }

  std::vector<std::string> faults() const override {
    std::vector<std::string> faults;
    if (const int code = sf_error(handle_); code != SF_ERR_NO_ERROR)
      faults.push_back("damaged after " + std::to_string(position_) + " samples: " + sf_error_number(code));
    if (at_end_ && info_.frames != SF_COUNT_MAX && position_ < info_.frames)
      faults.push_back("cut short: " + std::to_string(position_) + " of " + std::to_string(info_.frames) +
                       " samples");
    return faults;
  }

 private:
  ByteWindow window_;
  SF_VIRTUAL_IO io_ = callbacks();
  SF_INFO info_{};
  SNDFILE* handle_ = nullptr;
  std::int64_t position_ = 0;  ///< sample frames from the start of the file
  bool at_end_ = false;
};

}  // namespace

std::unique_ptr<Decoder> open_sndfile(const InputFile& file, std::uint64_t begin) {
  return std::make_unique<SndfileDecoder>(file, begin);
}

}  // namespace chorale::audio
