// SPDX-License-Identifier: MIT
#include "data/decode_pool.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "kernels/error.h"

namespace chorale::data {

DecodePool::DecodePool(std::vector<std::string> files, ClipPlan plan, int workers)
    : files_(std::move(files)), plan_(plan) {
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

DecodedClip DecodePool::next() {
  std::unique_lock lock(mutex_);
  if (taken_ >= files_.size()) throw ContractError("decode pool: next() after the last file");
  std::deque<DecodedClip>& clips = done_[taken_];
  ready_.wait(lock, [&] { return !clips.empty(); });
  DecodedClip next = std::move(clips.front());
  clips.pop_front();
  --waiting_;
  if (next.clip.last) done_.erase(taken_++);
  lock.unlock();
  room_.notify_all();
  return next;
}

/// False when nobody wants more clips.
bool DecodePool::push(DecodedClip clip) {
  {
    std::unique_lock lock(mutex_);
    // The file whose turn it is always finds room, else clips of later files could block it.
    room_.wait(lock, [&] {
      return stopping_ || waiting_ < ahead_ || (clip.file == taken_ && done_[taken_].empty());
    });
    if (stopping_) return false;
    ++waiting_;
    done_[clip.file].push_back(std::move(clip));
  }
  ready_.notify_one();
  return true;
}

void DecodePool::decode(std::size_t file) {
  DecodedClip failed;
  failed.file = file;
  try {
    ClipReader reader(files_[file], plan_);
    for (;;) {
      DecodedClip next;
      next.file = file;
      if (!reader.next(next.clip)) return;
      if (next.clip.last) {
        next.seconds = reader.seconds();
        next.warnings = reader.warnings();
      }
      if (!push(std::move(next))) return;
    }
  } catch (const Error& error) {
    failed.error = error.what();
  } catch (const std::bad_alloc&) {
    failed.error = files_[file] + ": not enough memory to decode it";
  }
  push(std::move(failed));
}

void DecodePool::work() {
  for (;;) {
    std::size_t file = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || claimed_ >= files_.size()) return;
      file = claimed_++;
    }
    decode(file);
  }
}

}  // namespace chorale::data
