// SPDX-License-Identifier: MIT
#include "data/decode_pool.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "kernels/error.h"

namespace chorale::data {

DecodePool::DecodePool(std::vector<std::string> files, int sample_rate, audio::DecodeOptions options,
                       int workers)
    : files_(std::move(files)), sample_rate_(sample_rate), options_(options) {
  if (workers <= 0) workers = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const std::size_t count = std::min(static_cast<std::size_t>(workers), files_.size());
  ahead_ = 2 * count + 8;
  for (std::size_t i = 0; i < count; ++i) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {  // a limit on threads: fewer will do
      if (threads_.empty())
        throw DeviceError("--n-workers: no thread can be started: " + std::string(error.what()));
      break;
    }
  }
}

DecodePool::~DecodePool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

DecodedFile DecodePool::next() {
  std::unique_lock lock(mutex_);
  if (taken_ >= files_.size()) throw ContractError("decode pool: next() after the last file");
  ready_.wait(lock, [&] { return done_.contains(taken_); });
  auto node = done_.extract(taken_++);
  lock.unlock();
  room_.notify_all();
  return std::move(node.mapped());
}

void DecodePool::work() {
  for (;;) {
    std::size_t i = 0;
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return stopping_ || claimed_ >= files_.size() || claimed_ < taken_ + ahead_; });
      if (stopping_ || claimed_ >= files_.size()) return;
      i = claimed_++;
    }
    DecodedFile file;
    try {
      file.clip = audio::load(files_[i], sample_rate_, options_);
    } catch (const Error& error) {
      file.error = error.what();
    } catch (const std::bad_alloc&) {
      file.error = files_[i] + ": not enough memory to decode it";
    }
    {
      const std::lock_guard lock(mutex_);
      done_.emplace(i, std::move(file));
    }
    ready_.notify_one();
  }
}

}  // namespace chorale::data
