// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http1/input.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/check.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net::http1 {
namespace {

class InputTest : public testing::Test {
 protected:
  InputTest() {
    std::array<int, 2> ends{};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    peer_ = ends[1];
    RunOn(loop(), [&] {
      Socket socket(Context(loop()));
      error_code error;
      socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), ends[0], error);
      CHECK(!error);
      socket_.emplace(std::move(socket));
      return true;
    });
  }
  ~InputTest() override {
    RunOn(loop(), [this] { return socket_.reset(), true; });
    close(peer_);
  }

  void Send(std::string_view text) const { CHECK(write(peer_, text.data(), text.size()) == ssize_t(text.size())); }

  // Reads once, keeps all but the first `taken` bytes. What was there to be taken or kept.
  std::string ReadAndKeep(size_t taken) {
    return RunOn(loop(), [&] {
      const std::string_view read = input_.ReadSome(loop(), *socket_, error_);
      std::string seen(read);
      input_.Keep(read.substr(std::min(taken, read.size())));
      return seen;
    });
  }

  Loop& loop() { return loops_.At(0); }

  LoopPool loops_{1};
  Input input_{1 << 20};
  std::optional<Transport> socket_;
  error_code error_;
  int peer_ = -1;
};

// Scenario: of what comes a part is parsed each time.
// Guarantees: the rest stands before what comes next, and nothing is kept when all is parsed.
TEST_F(InputTest, KeepsWhatIsNotParsedBeforeWhatComes) {
  Send("abc");
  EXPECT_EQ(ReadAndKeep(1), "abc");
  EXPECT_EQ(input_.kept(), "bc");
  Send("de");
  EXPECT_EQ(ReadAndKeep(3), "bcde");
  EXPECT_EQ(input_.kept(), "e");
  Send("f");
  EXPECT_EQ(ReadAndKeep(2), "ef");
  EXPECT_EQ(input_.size(), 0U);
  Send("g");
  EXPECT_EQ(ReadAndKeep(1), "g");
  EXPECT_FALSE(error_);
}

TEST_F(InputTest, SaysWhenThereIsNothingMoreToRead) {
  const std::string much(Loop::Internal::kReadBufferBytes, 'x');
  Send(much);
  Send("y");
  EXPECT_EQ(ReadAndKeep(much.size()), much);
  EXPECT_FALSE(input_.is_drained());
  EXPECT_EQ(ReadAndKeep(1), "y");
  EXPECT_TRUE(input_.is_drained());
  EXPECT_EQ(ReadAndKeep(0), "");
  EXPECT_TRUE(WouldBlock(error_));
}

TEST_F(InputTest, HoldsNoMemoryWhenNothingIsKept) {
  Send("kept");
  ReadAndKeep(0);
  EXPECT_GE(input_.buffer().capacity(), 4U);
  EXPECT_EQ(input_.TakeKept(), "kept");
  EXPECT_EQ(input_.buffer().capacity(), 0U);
}

}  // namespace
}  // namespace spanloom::net::http1
