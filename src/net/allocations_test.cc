// SPDX-License-Identifier: Apache-2.0
//
// How much of the heap a small request costs. The bounds are what is needed today; a change that raises one should know
// why.

#include "net/testing/allocations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

constexpr size_t kBodyBytes = 821;  // of a request with one span
constexpr size_t kRequests = 200;

// Notes at each request what its loop has allocated so far.
struct Meter {
  void Note() { allocations.push_back(ThreadAllocations()); }

  // From one request to the next, when all is warm; the median.
  [[nodiscard]] uint64_t EachRequest() const {
    std::vector<uint64_t> each;
    for (size_t i = allocations.size() / 2; i < allocations.size(); ++i) {
      each.push_back(allocations[i] - allocations[i - 1]);
    }
    std::nth_element(each.begin(), each.begin() + each.size() / 2, each.end());
    return each[each.size() / 2];
  }

  Meter() { allocations.reserve(kRequests); }
  std::vector<uint64_t> allocations;  // written on the server's one loop, read when it has stopped
};

class Allocations : public testing::Test {
 protected:
  void SetUp() override {
    if (!kCountsAllocations) GTEST_SKIP() << "sanitizers have their own malloc";
  }

  LoopPool client_loops_{1};
  LoopPool loops_{1};
  MetricRegistry metrics_;
  Meter meter_;
};

TEST_F(Allocations, OfAnHttp1Request) {
  ServerOptions options = EchoOptions();
  options.http = [this](const HttpRequest& request, HttpResponder responder) {
    meter_.Note();
    EXPECT_EQ(request.body.size(), kBodyBytes);
    std::move(responder).Respond({});
  };
  const auto server = StartServer(loops_, metrics_, std::move(options));
  RawPeer client(server->port());
  const std::string request = StrCat(
      "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:4318\r\nContent-Type: application/x-protobuf\r\nContent-Length: ",
      kBodyBytes, "\r\n\r\n", RandomBytes(kBodyBytes, 1));
  for (size_t i = 0; i < kRequests; ++i) {
    client.Send(request);
    ASSERT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 200 "));
  }
  server->Stop(kPatience);
  ASSERT_EQ(meter_.allocations.size(), kRequests);
  EXPECT_LE(meter_.EachRequest(), 21U);  // five frames of coroutines among them
}

TEST_F(Allocations, OfAGrpcCall) {
  ServerOptions options = EchoOptions();
  options.grpc[kEchoMethod] = [this](const GrpcRequest& request, GrpcResponder responder) {
    meter_.Note();
    EXPECT_EQ(request.message.size(), kBodyBytes);
    std::move(responder).Respond(Bytes());
  };
  const auto server = StartServer(loops_, metrics_, std::move(options));
  GrpcChannelOptions channel_options;
  channel_options.endpoint = server->endpoint();
  TestChannel channel(client_loops_.At(0), std::move(channel_options));
  const Bytes message = Bytes(RandomBytes(kBodyBytes, 1));
  for (size_t i = 0; i < kRequests; ++i) ASSERT_TRUE(channel.Call(kEchoMethod, message).ok());
  server->Stop(kPatience);
  ASSERT_EQ(meter_.allocations.size(), kRequests);
  EXPECT_LE(meter_.EachRequest(), 25U);
}

}  // namespace
}  // namespace spanloom::net
