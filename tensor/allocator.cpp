// SPDX-License-Identifier: MIT
// A caching allocator in plain C++ over a backend's raw memory. Small sizes are rounded to classes at most an
// eighth apart, so that a freed block serves the next request of about its size. From `large` on, blocks are
// pieces of what the backend gave: the smallest free piece that is large enough is split, and neighbours that
// are free become one again. Once a repeated step has run without asking the backend, it never asks again.
#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include "tensor/device.h"

namespace chorale {
namespace {

constexpr std::size_t guard_bytes = 256;
constexpr unsigned char guard_pattern = 0xA5;

constexpr std::size_t large = std::size_t{1} << 20, large_unit = std::size_t{64} << 10;

std::size_t size_class(std::size_t bytes) {
  constexpr std::size_t smallest = 256;
  if (bytes <= smallest) return smallest;
  if (bytes >= large) return (bytes + large_unit - 1) / large_unit * large_unit;
  const std::size_t step = std::max(smallest, std::bit_floor(bytes - 1) / 8);
  return (bytes + step - 1) / step * step;
}

std::string mebibytes(std::size_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB"; }

class CachingAllocator final : public Allocator {
 public:
  CachingAllocator(const DeviceApi& api, int device, AllocatorOptions options)
      : api_(api), device_(device), options_(options) {}

  ~CachingAllocator() override {
    release_cached();
    for (const auto& [block, size] : live_)
      if (size < large) api_.free(device_, block);
    for (const auto& [block, piece] : pieces_)
      if (piece.segment == block) api_.free(device_, block);
  }

  void* acquire(std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    const std::size_t size = size_class(bytes + (options_.guard ? 2 * guard_bytes : 0));
    void* block = nullptr;
    if (size >= large) {
      block = take_piece(size, bytes);
    } else if (const auto found = cached_.find(size); found != cached_.end() && !found->second.empty()) {
      block = found->second.back();
      found->second.pop_back();
    } else {
      block = raw_allocate(size, bytes);
    }
    live_.emplace(block, size);
    in_use_ += size;
    peak_ = std::max(peak_, in_use_);
    if (options_.poison || options_.guard) return prepare(block, size);
    return block;
  }

  void release(void* pointer) noexcept override {
    if (!pointer) return;
    const std::lock_guard lock(mutex_);
    void* block = options_.guard ? static_cast<std::byte*>(pointer) - guard_bytes : pointer;
    const auto found = live_.find(block);
    if (found == live_.end()) std::abort();  // not ours, or released twice
    const std::size_t size = found->second;
    if (options_.guard) check_guards(block, size);
    live_.erase(found);
    in_use_ -= size;
    if (size >= large)
      give_piece(static_cast<std::byte*>(block));
    else
      cached_[size].push_back(block);
  }

  std::size_t bytes_in_use() const override {
    return locked([&] { return in_use_; });
  }
  std::size_t bytes_reserved() const override {
    return locked([&] { return reserved_; });
  }
  std::size_t peak_bytes_in_use() const override {
    return locked([&] { return peak_; });
  }
  void reset_peak() override {
    const std::lock_guard lock(mutex_);
    peak_ = in_use_;
  }
  void freeze(bool on) override {
    const std::lock_guard lock(mutex_);
    frozen_ = on;
  }
  void release_cached() override {
    const std::lock_guard lock(mutex_);
    drop_cache();
  }

 private:
  template <class F>
  std::size_t locked(F f) const {
    const std::lock_guard lock(mutex_);
    return f();
  }

  void drop_cache() {
    for (auto& [size, blocks] : cached_) {
      for (void* block : blocks) {
        api_.free(device_, block);
        reserved_ -= size;
      }
      blocks.clear();
    }
    for (auto at = free_.begin(); at != free_.end();) {
      const auto [size, block] = *at;
      if (!is_whole(block)) {
        ++at;
        continue;
      }
      at = free_.erase(at);
      pieces_.erase(block);
      api_.free(device_, block);
      reserved_ -= size;
    }
  }

  /// A block from the backend that nothing is split from.
  bool is_whole(std::byte* block) const {
    const auto at = pieces_.find(block);
    const auto next = std::next(at);
    return at->second.segment == block && (next == pieces_.end() || next->second.segment != block);
  }

  void* take_piece(std::size_t size, std::size_t asked) {
    const auto found = free_.lower_bound({size, nullptr});
    if (found == free_.end()) {
      auto* const segment = static_cast<std::byte*>(raw_allocate(size, asked));
      pieces_[segment] = {size, segment, false};
      return segment;
    }
    const auto [have, block] = *found;
    free_.erase(found);
    Piece& piece = pieces_[block];
    piece.free = false;
    if (have > size) {
      piece.size = size;
      pieces_[block + size] = {have - size, piece.segment, true};
      free_.emplace(have - size, block + size);
    }
    return block;
  }

  void give_piece(std::byte* block) {
    auto at = pieces_.find(block);
    at->second.free = true;
    const auto join_next = [&](auto first) {
      const auto next = std::next(first);
      if (next == pieces_.end() || next->second.segment != first->second.segment || !next->second.free)
        return;
      free_.erase({next->second.size, next->first});
      first->second.size += next->second.size;
      pieces_.erase(next);
    };
    join_next(at);
    if (at != pieces_.begin()) {
      const auto before = std::prev(at);
      if (before->second.free && before->second.segment == at->second.segment) {
        free_.erase({before->second.size, before->first});
        join_next(before);
        at = before;
      }
    }
    free_.emplace(at->second.size, at->first);
  }

  void* raw_allocate(std::size_t size, std::size_t asked) {
    if (frozen_) throw ContractError("allocator: the captured step needs memory that its eager runs did not");
    const bool injected = options_.fail_at >= 0 && options_.fail_at-- == 0;
    void* block = injected ? nullptr : api_.allocate(device_, size);
    if (!block && !injected) {  // what the cache holds may be enough
      drop_cache();
      block = api_.allocate(device_, size);
    }
    if (!block) {
      std::size_t free_bytes = 0, total_bytes = 0;
      api_.memory_info(device_, &free_bytes, &total_bytes);
      throw DeviceError(std::string(api_.name) + ": out of memory: need " + mebibytes(asked) + ", free " +
                        mebibytes(free_bytes) + " of " + mebibytes(total_bytes) +
                        " (try a smaller --batch-size)");
    }
    reserved_ += size;
    return block;
  }

  void* prepare(void* block, std::size_t size) {
    auto* bytes = static_cast<std::byte*>(block);
    api_.set_bytes(device_, nullptr, block, options_.poison ? 0xFF : 0, size);
    if (!options_.guard) return block;
    api_.set_bytes(device_, nullptr, bytes, guard_pattern, guard_bytes);
    api_.set_bytes(device_, nullptr, bytes + size - guard_bytes, guard_pattern, guard_bytes);
    return bytes + guard_bytes;
  }

  void check_guards(void* block, std::size_t size) noexcept {
    std::byte guard[2 * guard_bytes];
    auto* bytes = static_cast<std::byte*>(block);
    api_.copy(device_, nullptr, guard, bytes, guard_bytes, CopyKind::device_to_host);
    api_.copy(device_, nullptr, guard + guard_bytes, bytes + size - guard_bytes, guard_bytes,
              CopyKind::device_to_host);
    api_.stream_synchronize(device_, nullptr);
    for (std::byte b : guard)
      if (b != std::byte{guard_pattern}) {
        std::fprintf(stderr, "allocator: a kernel wrote outside its block of %zu bytes\n", size);
        std::abort();
      }
  }

  struct Piece {
    std::size_t size = 0;
    std::byte* segment = nullptr;  ///< the backend's block that it is part of
    bool free = false;
  };

  const DeviceApi& api_;
  int device_;
  AllocatorOptions options_;
  mutable std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> cached_;   // small blocks, by class
  std::map<std::byte*, Piece> pieces_;                 // of large blocks, by address
  std::set<std::pair<std::size_t, std::byte*>> free_;  // those of them that are free, by size
  std::unordered_map<void*, std::size_t> live_;
  std::size_t in_use_ = 0, reserved_ = 0, peak_ = 0;
  bool frozen_ = false;
};

}  // namespace

std::shared_ptr<Allocator> make_allocator(const DeviceApi& api, int device, AllocatorOptions options) {
  return std::make_shared<CachingAllocator>(api, device, options);
}

}  // namespace chorale
