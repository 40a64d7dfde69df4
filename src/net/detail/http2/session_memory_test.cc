// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/session_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace spanloom::net::http2 {
namespace {

constexpr size_t kFrameBytes = 16'394;
constexpr size_t kTableBytes = 4096;
constexpr size_t kPages = 6;

// A session's two blocks, as nghttp2 asks for them.
struct Session {
  Session() {
    frame = static_cast<char*>(functions.realloc(nullptr, kFrameBytes, functions.mem_user_data));
    table = static_cast<char*>(functions.calloc(256, 16, functions.mem_user_data));
    memory.EndSetUp();
  }
  ~Session() {
    functions.free(frame, functions.mem_user_data);
    functions.free(table, functions.mem_user_data);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void TouchAll() const {
    std::memset(frame, 'x', kFrameBytes);
    std::memset(table, 'x', kTableBytes);
  }

  SessionMemory memory;
  nghttp2_mem functions = memory.functions();
  char* frame = nullptr;
  char* table = nullptr;
};

// Of the sessions of a test: those of others may live on.
class SessionMemoryTest : public testing::Test {
 protected:
  [[nodiscard]] size_t ResidentBytes() const { return SessionMemory::ResidentBytes() - before_; }

 private:
  const size_t before_ = SessionMemory::ResidentBytes();
};

bool IsZero(const char* bytes, size_t count) {
  return std::all_of(bytes, bytes + count, [](char byte) { return byte == 0; });
}

TEST_F(SessionMemoryTest, TakesPagesOnlyWhenTheyAreTouched) {
  const Session session;
  EXPECT_EQ(ResidentBytes(), 0U);
  session.frame[0] = 'x';
  EXPECT_EQ(ResidentBytes(), 4096U);
  session.TouchAll();
  EXPECT_EQ(ResidentBytes(), kPages * 4096);
}

// Scenario: pages are given back while the table holds something, and when it is zero again.
// Guarantees: what the table holds stays; the rest is gone, and can be used as before.
TEST_F(SessionMemoryTest, GivesBackWhatHoldsNothing) {
  Session session;
  session.TouchAll();
  std::memset(session.table, 0, kTableBytes);
  session.table[kTableBytes - 1] = 'y';
  session.memory.ReleasePages();
  EXPECT_EQ(ResidentBytes(), kTableBytes);
  EXPECT_EQ(session.table[kTableBytes - 1], 'y');
  session.table[kTableBytes - 1] = 0;
  session.memory.ReleasePages();
  EXPECT_EQ(ResidentBytes(), 0U);
  session.TouchAll();
  EXPECT_EQ(session.frame[kFrameBytes - 1], 'x');
  EXPECT_EQ(session.table[0], 'x');
}

// Scenario: a slot is used again by a later session.
// Guarantees: that finds its table zeroed, and the former's pages are not held in between.
TEST_F(SessionMemoryTest, LeavesNothingToTheNext) {
  const char* table = nullptr;
  {
    const Session session;
    session.TouchAll();
    table = session.table;
  }
  EXPECT_EQ(ResidentBytes(), 0U);
  const Session next;
  EXPECT_EQ(next.table, table);
  EXPECT_TRUE(IsZero(next.table, kTableBytes));
}

// Scenario: more sessions than one region has room for, all at once.
// Guarantees: none shares memory with another.
TEST_F(SessionMemoryTest, GivesEachItsOwn) {
  std::vector<std::unique_ptr<Session>> sessions;
  for (int i = 0; i < 600; ++i) {
    sessions.push_back(std::make_unique<Session>());
    std::memset(sessions.back()->frame, i % 251, kFrameBytes);
    std::memset(sessions.back()->table, i % 251, kTableBytes);
  }
  for (int i = 0; i < 600; ++i) {
    const Session& session = *sessions[i];
    const auto is_own = [i](char byte) { return byte == static_cast<char>(i % 251); };
    ASSERT_TRUE(std::all_of(session.frame, session.frame + kFrameBytes, is_own)) << i;
    ASSERT_TRUE(std::all_of(session.table, session.table + kTableBytes, is_own)) << i;
  }
}

// Scenario: what nghttp2 allocates besides: small blocks, and large ones of later.
// Guarantees: they are on the heap, where they may be enlarged, and are never given back.
TEST_F(SessionMemoryTest, KeepsTheRestOnTheHeap) {
  Session session;
  const nghttp2_mem& functions = session.functions;
  void* small = functions.malloc(64, functions.mem_user_data);
  void* late = functions.realloc(nullptr, kFrameBytes, functions.mem_user_data);
  void* late_table = functions.calloc(512, 16, functions.mem_user_data);
  EXPECT_EQ(ResidentBytes(), 0U);
  std::memset(late, 'x', kFrameBytes);
  late = functions.realloc(late, 2 * kFrameBytes, functions.mem_user_data);
  session.memory.ReleasePages();
  EXPECT_EQ(std::string_view(static_cast<char*>(late), 3), "xxx");
  EXPECT_EQ(functions.calloc(SIZE_MAX, 16, functions.mem_user_data), nullptr);
  for (void* block : {small, late, late_table}) functions.free(block, functions.mem_user_data);
}

// Guarantees: the library's own sessions keep both blocks in their slot; what a new session has touched can be given
// back.
TEST_F(SessionMemoryTest, HoldsWhatNghttp2AsksFor) {
  SessionMemory memory;
  nghttp2_session_callbacks* callbacks = nullptr;
  ASSERT_EQ(nghttp2_session_callbacks_new(&callbacks), 0);
  nghttp2_session* session = nullptr;
  nghttp2_mem functions = memory.functions();
  ASSERT_EQ(nghttp2_session_server_new3(&session, callbacks, nullptr, nullptr, &functions), 0);
  memory.EndSetUp();
  EXPECT_EQ(memory.block_count(), 2U);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  const uint8_t* frame = nullptr;
  EXPECT_GT(nghttp2_session_mem_send(session, &frame), 0);
  EXPECT_GT(ResidentBytes(), 0U);
  EXPECT_EQ(nghttp2_session_mem_send(session, &frame), 0);
  memory.ReleasePages();
  EXPECT_EQ(ResidentBytes(), 0U);
  nghttp2_session_del(session);
  nghttp2_session_callbacks_del(callbacks);
}

}  // namespace
}  // namespace spanloom::net::http2
