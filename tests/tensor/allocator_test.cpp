// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "tensor/device.h"

namespace chorale {
namespace {

/// The CPU's raw memory with a count of what is out.
struct CountedMemory {
  static inline int blocks = 0;
  static inline std::size_t limit = SIZE_MAX;
  DeviceApi api = open_backend(DeviceKind::cpu);
  CountedMemory() {
    blocks = 0;
    limit = SIZE_MAX;
    api.allocate = [](int device, std::size_t bytes) -> void* {
      if (bytes > limit) return nullptr;
      ++blocks;
      return open_backend(DeviceKind::cpu).allocate(device, bytes);
    };
    api.free = [](int device, void* block) {
      --blocks;
      open_backend(DeviceKind::cpu).free(device, block);
    };
  }
};

TEST(Allocator, ReusesBlocksOfTheSameClass) {
  CountedMemory memory;
  const auto allocator = make_allocator(memory.api, 0);
  void* first = allocator->acquire(1000);
  allocator->release(first);
  EXPECT_EQ(allocator->acquire(1020), first);
  EXPECT_NE(allocator->acquire(1000), first);
  EXPECT_EQ(CountedMemory::blocks, 2);
}

TEST(Allocator, BlocksAreAlignedDistinctAndWritable) {
  CountedMemory memory;
  const auto allocator = make_allocator(memory.api, 0);
  std::set<void*> seen;
  for (std::size_t bytes : {1u, 255u, 256u, 257u, 5000u, 100000u, 3000000u}) {
    void* block = allocator->acquire(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 256, 0u) << bytes;
    EXPECT_TRUE(seen.insert(block).second);
    std::memset(block, 1, bytes);
  }
}

TEST(Allocator, CountsBytesAndGivesAllBack) {
  CountedMemory memory;
  {
    const auto allocator = make_allocator(memory.api, 0);
    void* a = allocator->acquire(1 << 20);
    void* b = allocator->acquire(1 << 20);
    EXPECT_GE(allocator->bytes_in_use(), std::size_t{2} << 20);
    allocator->release(a);
    EXPECT_GE(allocator->peak_bytes_in_use(), std::size_t{2} << 20);
    EXPECT_LT(allocator->bytes_in_use(), std::size_t{2} << 20);
    allocator->reset_peak();
    EXPECT_EQ(allocator->peak_bytes_in_use(), allocator->bytes_in_use());
    EXPECT_EQ(allocator->bytes_reserved(), std::size_t{2} << 20);
    allocator->release_cached();
    EXPECT_EQ(allocator->bytes_reserved(), std::size_t{1} << 20);
    allocator->release(b);
  }
  EXPECT_EQ(CountedMemory::blocks, 0);
}

TEST(Allocator, LargeBlocksAreSplitAndJoined) {
  CountedMemory memory;
  const auto allocator = make_allocator(memory.api, 0);
  constexpr std::size_t mib = std::size_t{1} << 20;
  auto* whole = static_cast<std::byte*>(allocator->acquire(12 * mib));
  allocator->release(whole);
  void* a = allocator->acquire(3 * mib);
  void* b = allocator->acquire(4 * mib);
  void* c = allocator->acquire(5 * mib);
  EXPECT_EQ(std::set<void*>({a, b, c}), std::set<void*>({whole, whole + 3 * mib, whole + 7 * mib}));
  EXPECT_EQ(allocator->bytes_in_use(), 12 * mib);
  allocator->release(a);
  allocator->release(c);
  void* d = allocator->acquire(2 * mib);  // the smallest free piece that holds it
  EXPECT_EQ(d, whole);
  allocator->release(b);
  allocator->release(d);
  EXPECT_EQ(allocator->acquire(12 * mib), whole);
  EXPECT_EQ(CountedMemory::blocks, 1);
  EXPECT_EQ(allocator->bytes_reserved(), 12 * mib);
}

TEST(Allocator, RandomLargeBlocksNeverOverlap) {
  CountedMemory memory;
  {
    const auto allocator = make_allocator(memory.api, 0);
    std::map<std::byte*, std::size_t> live;
    std::uint64_t random = 1;
    for (int i = 0; i < 3000; ++i) {
      random = random * 6364136223846793005ull + 1442695040888963407ull;
      if ((random >> 40) % 2 && !live.empty()) {
        auto at = live.begin();
        std::advance(at, static_cast<std::ptrdiff_t>((random >> 33) % live.size()));
        allocator->release(at->first);
        live.erase(at);
        continue;
      }
      const std::size_t bytes = 1 + (random >> 33) % (std::size_t{4} << 20);
      auto* block = static_cast<std::byte*>(allocator->acquire(bytes));
      const auto after = live.lower_bound(block);
      EXPECT_TRUE(after == live.end() || block + bytes <= after->first);
      EXPECT_TRUE(after == live.begin() || std::prev(after)->first + std::prev(after)->second <= block);
      live[block] = bytes;
    }
    for (const auto& [block, bytes] : live) allocator->release(block);
    allocator->release_cached();
    EXPECT_EQ(allocator->bytes_reserved(), 0u);
    EXPECT_EQ(CountedMemory::blocks, 0);
  }
}

TEST(Allocator, GivesCachedBlocksBackBeforeItFails) {
  CountedMemory memory;
  const auto allocator = make_allocator(memory.api, 0);
  allocator->release(allocator->acquire(1 << 20));
  EXPECT_EQ(CountedMemory::blocks, 1);
  CountedMemory::limit = 1 << 10;
  try {
    allocator->acquire(std::size_t{3} << 20);
    FAIL() << "allocated beyond the limit";
  } catch (const DeviceError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("need 3 MiB"), std::string::npos) << message;
    EXPECT_NE(message.find("free"), std::string::npos) << message;
  }
  EXPECT_EQ(CountedMemory::blocks, 0);
  EXPECT_EQ(allocator->bytes_reserved(), 0u);
}

TEST(Allocator, EveryInjectedFailureLeaksNothing) {
  for (int n = 0; n < 6; ++n) {
    CountedMemory memory;
    {
      const auto allocator = make_allocator(memory.api, 0, {.fail_at = n});
      std::vector<void*> blocks;
      int failures = 0;
      for (std::size_t i = 1; i <= 6; ++i) {
        try {
          blocks.push_back(allocator->acquire(i * 4096));
        } catch (const DeviceError&) {
          ++failures;
        }
      }
      EXPECT_EQ(failures, 1) << n;
      for (void* block : blocks) allocator->release(block);
    }
    EXPECT_EQ(CountedMemory::blocks, 0) << n;
  }
}

TEST(Allocator, FrozenServesFromTheCacheOnly) {
  CountedMemory memory;
  const auto allocator = make_allocator(memory.api, 0);
  allocator->release(allocator->acquire(5000));
  allocator->freeze(true);
  void* block = allocator->acquire(5000);
  EXPECT_THROW(allocator->acquire(5000), ContractError);
  allocator->freeze(false);
  allocator->release(block);
}

TEST(Allocator, PoisonIsNan) {
  const auto allocator = make_allocator(open_backend(DeviceKind::cpu), 0, {.poison = true});
  for (int i = 0; i < 2; ++i) {  // fresh, and from the cache
    auto* values = static_cast<float*>(allocator->acquire(64));
    EXPECT_NE(values[3], values[3]);
    values[3] = 1;
    allocator->release(values);
  }
}

TEST(AllocatorDeathTest, GuardsCatchWritesOutside) {
  const auto allocator = make_allocator(open_backend(DeviceKind::cpu), 0, {.guard = true});
  auto* bytes = static_cast<char*>(allocator->acquire(256));
  bytes[-1] = 0;
  EXPECT_DEATH(allocator->release(bytes), "wrote outside");
}

}  // namespace
}  // namespace chorale
