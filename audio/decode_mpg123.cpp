// SPDX-License-Identifier: MIT
// MPEG audio through libmpg123, frame by frame.
//
// An MP3 file is a run of frames, each with a header of 4 bytes that says how long it is; nothing else holds
// it together. So bytes between the end of one frame and the header of the next are damage, and decoding goes
// on at the next header. Damage may look like a header: frames of another kind than the first are left out.
// Where a header is whole and its frame is not, nothing tells, except that such frames often decode to a
// multiple of full scale; those become silence. What an encoder announces (a Xing or Info frame) gives
// the delay and the padding to cut, and the length where the sound ends although more frames follow, as
// libsndfile has it.
#include <mpg123.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "audio/decoder.h"

namespace chorale::audio {
namespace {

/// Other files hold something like frames too: one in which frames are less than a tenth is not MPEG audio.
constexpr std::int64_t most_damage = 9;
constexpr std::int64_t early_damage = 1 << 20;  ///< bytes after which that is asked before the end
constexpr float loudest = 8;                    ///< music decodes to no more than about twice full scale

constexpr int decoder_delay = 529;  ///< samples, cut with the encoder's

template <std::size_t N>
bool read_bytes(const InputFile& file, std::uint64_t at, std::array<unsigned char, N>& bytes) {
  return file.read_some(at, std::as_writable_bytes(std::span(bytes))) == N;
}

template <std::size_t N>
bool starts_with(const std::array<unsigned char, N>& bytes, std::string_view text) {
  return std::equal(text.begin(), text.end(), bytes.begin());
}

/// How every frame begins.
bool is_sync(const std::array<unsigned char, 2>& bytes) { return bytes[0] == 0xff && bytes[1] >= 0xe0; }

/// Where the tags begin that may stand behind the sound: ID3v1, APE, Lyrics3v2.
std::uint64_t begin_of_tags(const InputFile& file, std::uint64_t begin) {
  std::uint64_t end = file.size();
  for (int tags = 0; tags < 8; ++tags) {
    std::uint64_t tag = 0;
    if (std::array<unsigned char, 3> id3{};
        end - begin >= 128 && read_bytes(file, end - 128, id3) && starts_with(id3, "TAG"))
      tag = 128;
    std::array<unsigned char, 32> footer{};
    if (tag == 0 && end - begin >= 32 && read_bytes(file, end - 32, footer)) {
      if (starts_with(footer, "APETAGEX")) {
        const auto word = [&](int at) {
          return std::uint64_t{footer[at]} | footer[at + 1] << 8 | footer[at + 2] << 16 |
                 std::uint64_t{footer[at + 3]} << 24;
        };
        tag = word(12) + (word(20) >> 31 ? 32 : 0);  // the size leaves the header out
      } else if (std::equal(footer.end() - 9, footer.end(), "LYRICS200")) {
        tag = 15;
        std::uint64_t size = 0;
        for (auto digit = footer.end() - 15; digit != footer.end() - 9; ++digit)
          size = 10 * size + (*digit >= '0' && *digit <= '9' ? *digit - '0' : 0);
        tag += size;
      }
    }
    if (tag == 0 || tag > end - begin) break;
    end -= tag;
  }
  return end;
}

struct Close {
  void operator()(mpg123_handle* handle) const { mpg123_delete(handle); }
};

class MpegDecoder final : public Decoder {
 public:
  MpegDecoder(const InputFile& file, std::uint64_t begin) : window_(file, begin, begin_of_tags(file, begin)) {
    int code = MPG123_OK;
    handle_.reset(mpg123_new(nullptr, &code));
    if (!handle_) throw Error(std::string("libmpg123: ") + mpg123_plain_strerror(code));
    mpg123_handle* handle = handle_.get();
    mpg123_param(handle, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0);
    // Tags are left out already, and the length of the file says nothing of that of the sound.
    mpg123_param(handle, MPG123_ADD_FLAGS,
                 MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_SKIP_ID3V2 | MPG123_NO_PEEK_END |
                     MPG123_FORCE_SEEKABLE,
                 0);
    mpg123_replace_reader_handle(
        handle,
        [](void* user, void* target, std::size_t count) {
          return static_cast<ssize_t>(static_cast<ByteWindow*>(user)->read(target, count));
        },
        [](void* user, off_t offset, int whence) -> off_t {
          return static_cast<ByteWindow*>(user)->seek(offset, whence);
        },
        nullptr);
    int encoding = 0;
    if (mpg123_open_handle(handle, &window_) != MPG123_OK ||
        mpg123_getformat(handle, &rate_, &channels_, &encoding) != MPG123_OK ||
        encoding != MPG123_ENC_FLOAT_32 || mpg123_info(handle, &kind_) != MPG123_OK)
      return;
    found_ = true;
    mpg123_param(handle, MPG123_RESYNC_LIMIT, -1, 0);  // no limit behind the first frame: 64 KiB before it
    // Without an announcement the library gives the number of frames seen so far.
    const off_t frames = mpg123_framelength(handle), seen = mpg123_tellframe(handle) + 1;
    if (frames > seen) announced_frames_ = frames, announced_samples_ = mpg123_length(handle);
    expected_ = mpg123_framepos(handle);
    std::array<unsigned char, 2> start{};
    if (read_bytes(file, begin, start) && !is_sync(start)) junk_ = expected_;
  }

  bool found() const { return found_; }
  std::int64_t sample_rate() const override { return rate_; }
  std::int64_t channels() const override { return channels_; }
  bool is_16_bit() const override { return false; }

  /// Frames on the way are only counted. The last few are decoded, as each needs bits and overlaps of those
  /// before it.
  std::int64_t seek(std::int64_t frame) override {
    constexpr std::int64_t decoded_before = 16;
    mpg123_handle* handle = handle_.get();
    const std::int64_t first = mpg123_tellframe(handle), samples = frame_samples();
    long delay = -1;
    mpg123_getstate(handle, MPG123_ENC_DELAY, &delay, nullptr);
    const std::int64_t cut = delay < 0 ? 0 : delay + decoder_delay;
    // By eights, after which the filter bank adds its terms in the same order again: bits stay the same.
    const std::int64_t passed = ((frame + cut) / samples - decoded_before - first) / 8 * 8;
    if (passed <= 0) return 0;
    for (mpg123_frameinfo info = kind_; frames_ < passed;) {
      if (same_kind(info)) {
        count(info);
      } else {
        ++strangers_;
      }
      const int code = mpg123_framebyframe_next(handle);
      if ((code != MPG123_OK && code != MPG123_NEW_FORMAT) || mpg123_info(handle, &info) != MPG123_OK) {
        end();
        break;
      }
    }
    return position_ = decoded_ = std::max<std::int64_t>(0, (first + frames_) * samples - cut);
  }

  std::int64_t read(std::span<float> interleaved) override {
    const auto width = static_cast<std::size_t>(channels_);
    std::size_t filled = 0;
    while (filled + width <= interleaved.size() && (!pending_.empty() || next_frame())) {
      const std::size_t count = std::min(pending_.size(), (interleaved.size() - filled) / width * width);
      std::copy_n(pending_.begin(), count, interleaved.begin() + static_cast<std::ptrdiff_t>(filled));
      pending_ = pending_.subspan(count);
      filled += count;
    }
    position_ += static_cast<std::int64_t>(filled / width);
    return static_cast<std::int64_t>(filled / width);
  }

  std::vector<std::string> faults() const override {
    std::vector<std::string> faults;
    if (junk_ > 0) faults.push_back(std::to_string(junk_) + " bytes before the first frame are no sound");
    if (gaps_ > 0)
      faults.push_back("damaged at " + (gaps_ > 1 ? std::to_string(gaps_) + " places, first at " : "") +
                       "byte " + std::to_string(first_gap_) + " (" + seconds(first_gap_time_) +
                       "): " + std::to_string(lost_bytes_) + " bytes without sound left out, about " +
                       seconds(lost_time()));
    if (silenced_ > 0)
      faults.push_back("damaged: " + std::to_string(silenced_) + " frames beyond " +
                       std::to_string(static_cast<int>(loudest)) + " times full scale made silent");
    if (surplus_ > 0)
      faults.push_back(std::to_string(surplus_) + " bytes of sound after the announced end left out");
    if (at_end_ && !whole_ && announced_samples_ > position_)
      faults.push_back("cut short: " + std::to_string(position_) + " of " +
                       std::to_string(announced_samples_) + " samples");
    else if (tail_ > 0)
      faults.push_back("cut short: " + std::to_string(tail_) + " bytes after the last whole frame");
    return faults;
  }

 private:
  static std::string seconds(double value) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.2f s", value);
    return text.data();
  }

  std::int64_t frame_samples() const {
    return kind_.layer == 1 ? 384 : kind_.layer == 3 && kind_.version != MPG123_1_0 ? 576 : 1152;
  }

  /// What the bytes that were left out would last, were their frames as long as the others.
  double lost_time() const {
    return static_cast<double>(lost_bytes_) * static_cast<double>(frames_) /
           static_cast<double>(std::max<std::int64_t>(1, frame_bytes_)) *
           static_cast<double>(frame_samples()) / static_cast<double>(rate_);
  }

  bool same_kind(const mpg123_frameinfo& frame) const {
    return frame.version == kind_.version && frame.layer == kind_.layer && frame.rate == kind_.rate &&
           (frame.mode == MPG123_M_MONO) == (kind_.mode == MPG123_M_MONO);
  }

  /// Decodes the next frame into pending_, which may stay empty; false at the end.
  bool next_frame() {
    while (!at_end_) {
      off_t number = 0;
      unsigned char* data = nullptr;
      std::size_t bytes = 0;
      const int code = mpg123_decode_frame(handle_.get(), &number, &data, &bytes);
      if (code == MPG123_NEW_FORMAT) continue;
      if (code != MPG123_OK) {
        end();
        break;
      }
      mpg123_frameinfo frame{};
      if (mpg123_info(handle_.get(), &frame) != MPG123_OK || !same_kind(frame)) {
        ++strangers_;
        continue;
      }
      accept(frame, {reinterpret_cast<float*>(data), bytes / sizeof(float)});
      if (announced_frames_ > 0 && number + 1 - strangers_ >= announced_frames_) end_as_announced();
      return true;
    }
    return false;
  }

  void check_damage(std::int64_t lost) const {
    if (lost > most_damage * frame_bytes_)
      throw InputError(printable(window_.path()) +
                       ": not an audio file that can be read: MPEG frames are only " +
                       std::to_string(frame_bytes_) + " of " + std::to_string(frame_bytes_ + lost) +
                       " bytes (allowed a tenth or more)");
  }

  void end() {
    at_end_ = true;
    tail_ = window_.size() - expected_;
    check_damage(lost_bytes_ + tail_);
  }

  void end_as_announced() {
    whole_ = at_end_ = true;
    std::array<unsigned char, 2> next{};
    if (window_.seek(expected_, SEEK_SET) >= 0 && window_.read(next.data(), 2) == 2 && is_sync(next))
      surplus_ = window_.size() - expected_;
  }

  /// The frame just parsed, and what lies before it.
  void count(const mpg123_frameinfo& frame) {
    const std::int64_t at = mpg123_framepos(handle_.get());
    if (at > expected_) {
      if (gaps_++ == 0) {
        first_gap_ = window_.begin() + static_cast<std::uint64_t>(expected_);
        first_gap_time_ = static_cast<double>(decoded_) / static_cast<double>(rate_);
      }
      lost_bytes_ += at - expected_;
      if (lost_bytes_ > early_damage) check_damage(lost_bytes_);
    }
    expected_ = at + frame.framesize;
    ++frames_;
    frame_bytes_ += frame.framesize;
  }

  void accept(const mpg123_frameinfo& frame, std::span<float> samples) {
    count(frame);
    if (std::any_of(samples.begin(), samples.end(), [](float x) { return !(std::fabs(x) <= loudest); })) {
      ++silenced_;
      std::fill(samples.begin(), samples.end(), 0.0f);
    }
    pending_ = samples;
    decoded_ += static_cast<std::int64_t>(samples.size()) / channels_;
  }

  ByteWindow window_;
  std::unique_ptr<mpg123_handle, Close> handle_;
  mpg123_frameinfo kind_{};  ///< of the first frame
  long rate_ = 0;
  int channels_ = 0;
  bool found_ = false, at_end_ = false, whole_ = false;
  std::span<const float> pending_;  ///< decoded and not yet read; the library's memory
  std::int64_t announced_frames_ = 0, announced_samples_ = 0;
  std::int64_t position_ = 0;  ///< sample frames read
  std::int64_t decoded_ = 0;   ///< and decoded
  std::int64_t expected_ = 0;  ///< where the next frame should begin
  std::int64_t frames_ = 0, frame_bytes_ = 0, strangers_ = 0, silenced_ = 0;
  std::int64_t junk_ = 0, gaps_ = 0, lost_bytes_ = 0, tail_ = 0, surplus_ = 0;
  std::uint64_t first_gap_ = 0;  ///< in the file
  double first_gap_time_ = 0;
};

}  // namespace

std::uint64_t end_of_id3v2(const InputFile& file) {
  std::uint64_t at = 0;
  std::array<unsigned char, 10> head{};
  while (read_bytes(file, at, head) && starts_with(head, "ID3") &&
         std::all_of(head.begin() + 6, head.end(), [](unsigned char c) { return c < 0x80; })) {
    const std::uint64_t size =
        std::uint64_t{head[6]} << 21 | std::uint64_t{head[7]} << 14 | std::uint64_t{head[8]} << 7 | head[9];
    at += 10 + size + (head[5] & 0x10 ? 10 : 0);  // a footer repeats the header
  }
  return std::min(at, file.size());
}

std::unique_ptr<Decoder> open_mpeg(const InputFile& file) {
  auto decoder = std::make_unique<MpegDecoder>(file, end_of_id3v2(file));
  if (!decoder->found()) return nullptr;
  return decoder;
}

}  // namespace chorale::audio
