// SPDX-License-Identifier: Apache-2.0
//
// Where an nghttp2 session keeps its two large blocks, which an idle connection does not need: the buffer that frames
// are written in (16 KiB), and the table of its streams (4 KiB). They lie on pages of their own, in a slot of a pool
// that all sessions share, so that the pages can be given back while the connection is idle. The rest of a session is
// on the heap.

#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>

namespace spanloom::net::http2 {

// The memory of one session, which it must outlive and whose address the session keeps. Thread-compatible; the pool
// behind it is thread-safe.
class SessionMemory {
 public:
  SessionMemory();  // ends the process if there is no memory
  SessionMemory(const SessionMemory&) = delete;
  SessionMemory& operator=(const SessionMemory&) = delete;
  ~SessionMemory();

  // For nghttp2_session_*_new3. What is allocated after EndSetUp is on the heap.
  [[nodiscard]] nghttp2_mem functions();
  void EndSetUp() { is_set_up_ = true; }

  // Gives back the pages of the frame buffer, whose content must be of no use any more, and those of zeroed blocks that
  // are all zero again. They are back, zeroed, when they are touched.
  void ReleasePages();

  [[nodiscard]] size_t block_count() const { return block_count_; }

  // Bytes of all sessions' slots that are in memory; asks the kernel. For tests.
  [[nodiscard]] static size_t ResidentBytes();

 private:
  struct Block {
    size_t begin = 0;  // in the slot, bytes; of whole pages
    size_t bytes = 0;
    bool is_zeroed = false;  // at first; only a block that is all zero again may be given back
  };

  static SessionMemory& Of(void* self) { return *static_cast<SessionMemory*>(self); }
  [[nodiscard]] void* TakeBlock(size_t bytes, bool is_zeroed);
  [[nodiscard]] bool IsInSlot(const void* at) const;

  char* const slot_;  // [kSlotBytes]
  std::array<Block, 2> blocks_ = {};
  size_t block_count_ = 0;
  size_t used_bytes_ = 0;  // of the slot
  bool is_set_up_ = false;
};

}  // namespace spanloom::net::http2
