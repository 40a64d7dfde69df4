// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/session_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPANLOOM_FINDS_LEAKS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SPANLOOM_FINDS_LEAKS 1
#endif
#ifdef SPANLOOM_FINDS_LEAKS
#include <sanitizer/lsan_interface.h>
#endif

namespace spanloom::net::http2 {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kFrameBufferBytesMin = 16 << 10;  // nghttp2 1.52 asks for 16,394 bytes, by realloc
constexpr size_t kZeroedBytesMin = kPageBytes;     // and for a table of 4,096, by calloc
constexpr size_t kSlotBytes = 6 * kPageBytes;
constexpr size_t kSlotsPerRegion = 256;  // 1.5 MiB of addresses; guess

size_t WholePages(size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

bool IsAllZero(const char* bytes, size_t count) {
  return std::all_of(bytes, bytes + count, [](char byte) { return byte == 0; });
}

// Streams are on the heap, and known by the table in a slot alone. Who looks for leaks has to look there.
void ShowToLeakFinder([[maybe_unused]] void* begin, [[maybe_unused]] size_t bytes) {
#ifdef SPANLOOM_FINDS_LEAKS
  __lsan_register_root_region(begin, bytes);
#endif
}

void GivePagesBack(char* begin, size_t bytes) {
  CHECK(madvise(begin, bytes, MADV_DONTNEED) == 0);
}

// Slots whose pages read as zero. Regions are kept for the life of the process: without pages they are addresses only.
// Thread-safe.
class SlotPool {
 public:
  [[nodiscard]] char* Take() {
    const MutexLock lock(mutex_);
    if (free_.empty()) AddRegion();
    char* const slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void Give(char* slot) {
    GivePagesBack(slot, kSlotBytes);
    const MutexLock lock(mutex_);
    free_.push_back(slot);
  }

  [[nodiscard]] size_t ResidentBytes() {
    const MutexLock lock(mutex_);
    size_t pages = 0;
    std::vector<unsigned char> is_resident(kSlotBytes * kSlotsPerRegion / kPageBytes);
    for (char* const region : regions_) {
      CHECK(mincore(region, kSlotBytes * kSlotsPerRegion, is_resident.data()) == 0);
      pages += static_cast<size_t>(
          std::count_if(is_resident.begin(), is_resident.end(), [](unsigned char page) { return (page & 1) != 0; }));
    }
    return pages * kPageBytes;
  }

 private:
  // Without huge pages: one would bring the pages of 85 slots back.
  void AddRegion() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    constexpr size_t kBytes = kSlotBytes * kSlotsPerRegion;
    void* const region = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(region != MAP_FAILED);
    static_cast<void>(madvise(region, kBytes, MADV_NOHUGEPAGE));  // fails where there are none
    ShowToLeakFinder(region, kBytes);
    regions_.push_back(static_cast<char*>(region));
    for (size_t i = kSlotsPerRegion; i > 0; --i) free_.push_back(regions_.back() + (i - 1) * kSlotBytes);
  }

  Mutex mutex_;
  std::vector<char*> regions_ ABSL_GUARDED_BY(mutex_);
  std::vector<char*> free_ ABSL_GUARDED_BY(mutex_);  // the last one given is the next one taken
};

// Never destroyed: connections may end after main has.
SlotPool& Slots() {
  static SlotPool* const pool = new SlotPool;
  return *pool;
}

}  // namespace

SessionMemory::SessionMemory() : slot_(Slots().Take()) {}

SessionMemory::~SessionMemory() {
  Slots().Give(slot_);
}

nghttp2_mem SessionMemory::functions() {
  nghttp2_mem functions;
  functions.mem_user_data = this;
  functions.malloc = [](size_t bytes, void*) { return std::malloc(bytes); };
  functions.calloc = [](size_t count, size_t bytes_each, void* self) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, bytes_each, &bytes)) return static_cast<void*>(nullptr);
    void* const block = bytes >= kZeroedBytesMin ? Of(self).TakeBlock(bytes, true) : nullptr;
    return block != nullptr ? block : std::calloc(count, bytes_each);
  };
  functions.free = [](void* at, void* self) {
    if (!Of(self).IsInSlot(at)) std::free(at);
  };
  functions.realloc = [](void* at, size_t bytes, void* self) {
    CHECK(!Of(self).IsInSlot(at));  // the frame buffer is never enlarged: longer frames take several
    void* const block = at == nullptr && bytes >= kFrameBufferBytesMin ? Of(self).TakeBlock(bytes, false) : nullptr;
    return block != nullptr ? block : std::realloc(at, bytes);
  };
  return functions;
}

void* SessionMemory::TakeBlock(size_t bytes, bool is_zeroed) {
  if (is_set_up_ || block_count_ == blocks_.size() || bytes > kSlotBytes - used_bytes_) return nullptr;
  Block& block = blocks_[block_count_++];
  block = {.begin = used_bytes_, .bytes = WholePages(bytes), .is_zeroed = is_zeroed};
  used_bytes_ += block.bytes;
  return slot_ + block.begin;
}

bool SessionMemory::IsInSlot(const void* at) const {
  return at >= slot_ && at < slot_ + kSlotBytes;
}

void SessionMemory::ReleasePages() {
  for (const Block& block : blocks_) {
    if (block.bytes == 0 || (block.is_zeroed && !IsAllZero(slot_ + block.begin, block.bytes))) continue;
    GivePagesBack(slot_ + block.begin, block.bytes);
  }
}

size_t SessionMemory::ResidentBytes() {
  return Slots().ResidentBytes();
}

}  // namespace spanloom::net::http2
