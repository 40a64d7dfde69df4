// SPDX-License-Identifier: Apache-2.0
//
// GrpcChannel against peers that are not our server: proxies, peers that go away, peers that break the rules.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "base/text.h"
#include "net/client.h"
#include "net/grpc/framing.h"
#include "net/testing/fake_grpc_peer.h"
#include "net/testing/frames.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using http2::Encode;
using http2::Frame;
using http2::FramePeer;
using http2::HeaderBlock;
using testing::HasSubstr;

using HeaderList = std::vector<std::pair<std::string, std::string>>;
constexpr int kWhole = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM;

class GrpcChannelPeer : public testing::Test {
 protected:
  Promise<StatusOr<Bytes>> Start(GrpcCallOptions options = {}) {
    if (channel_ == nullptr) Open({});
    return channel_->Start("/test.Echo/Echo", Bytes::CopyOf("request"), std::move(options));
  }

  void Open(GrpcChannelOptions channel_options) {
    channel_options.endpoint = peer_.endpoint();
    channel_ = std::make_unique<TestChannel>(loops_.At(0), channel_options);
  }

  // The outcome of a call that the peer answers with `frames`.
  StatusOr<Bytes> AnsweredWith(std::string_view frames) {
    const auto answer = Start();
    if (connection_ == nullptr) connection_ = peer_.Accept();
    const Frame headers = connection_->Await(NGHTTP2_HEADERS);
    EXPECT_EQ(headers.stream_id, stream_id_);
    stream_id_ += 2;
    connection_->Send(frames);
    return answer.Get();
  }

  LoopPool loops_{1};
  http2::FakeGrpcPeer peer_;
  std::unique_ptr<TestChannel> channel_;
  std::unique_ptr<FramePeer> connection_;
  uint32_t stream_id_ = 1;  // of the next call
};

std::string TrailersOnly(uint32_t stream_id, HeaderList more) {
  HeaderList headers = {{":status", "200"}, {"content-type", "application/grpc"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return Encode(NGHTTP2_HEADERS, kWhole, stream_id, HeaderBlock(headers));
}

TEST_F(GrpcChannelPeer, ReadsTrailersOnly) {
  const Status status = AnsweredWith(TrailersOnly(1, {{"grpc-status", "5"}, {"grpc-message", "not%20here"}})).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("not here"));
}

TEST_F(GrpcChannelPeer, TakesAProxysStatusForGrpcs) {
  const std::string unavailable = Encode(NGHTTP2_HEADERS, kWhole, 1, HeaderBlock({{":status", "503"}}));
  EXPECT_TRUE(absl::IsUnavailable(AnsweredWith(unavailable).status()));
  const std::string html =
      StrCat(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 3, HeaderBlock({{":status", "401"}})),
             Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 3, "<html>log in</html>"));
  EXPECT_TRUE(absl::IsUnauthenticated(AnsweredWith(html).status()));
}

// Scenario: answers that say OK but hold no message, half a message, two messages, or an unknown encoding.
// Guarantees: none of them is taken for an answer, and the connection goes on.
TEST_F(GrpcChannelPeer, RefusesBrokenAnswers) {
  const auto answer = [&](const HeaderList& more, std::string_view body) {
    HeaderList headers = {{":status", "200"}, {"content-type", "application/grpc"}};
    headers.insert(headers.end(), more.begin(), more.end());
    const uint32_t id = stream_id_;
    return AnsweredWith(StrCat(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, HeaderBlock(headers)),
                               Encode(NGHTTP2_DATA, 0, id, body),
                               Encode(NGHTTP2_HEADERS, kWhole, id, HeaderBlock({{"grpc-status", "0"}}))));
  };
  const std::string message = StrCat(grpc::MessagePrefix(false, 2), "ok");
  EXPECT_TRUE(absl::IsUnimplemented(answer({}, "").status()));
  EXPECT_TRUE(absl::IsInternal(answer({}, message.substr(0, 6)).status()));
  EXPECT_TRUE(absl::IsUnimplemented(answer({}, message + message).status()));
  EXPECT_TRUE(absl::IsUnimplemented(answer({{"grpc-encoding", "br"}}, message).status()));
  EXPECT_EQ(answer({}, message)->view(), "ok");
}

// Scenario: a proxy answers 200 with a page of its own; a peer answers with a message of a gigabyte.
// Guarantees: errors that say so; the second does not sound as if the request had been too large.
TEST_F(GrpcChannelPeer, SaysWhatIsWrongWithAnAnswer) {
  const auto headers = [&](const char* type) {
    return Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id_,
                  HeaderBlock({{":status", "200"}, {"content-type", type}}));
  };
  const Status page = AnsweredWith(headers("text/html")).status();
  EXPECT_EQ(page.code(), absl::StatusCode::kUnknown);
  EXPECT_THAT(std::string(page.message()), HasSubstr("not gRPC but text/html"));
  const std::string huge = Encode(NGHTTP2_DATA, 0, stream_id_, grpc::MessagePrefix(false, 1 << 30));
  const Status too_large = AnsweredWith(headers("application/grpc") + huge).status();
  EXPECT_TRUE(absl::IsResourceExhausted(too_large));
  EXPECT_THAT(std::string(too_large.message()), HasSubstr("the answer has more than"));
}

TEST_F(GrpcChannelPeer, MapsResetsToCodes) {
  const auto reset = [&](char code) {
    const std::string payload = {0, 0, 0, code};
    return AnsweredWith(Encode(NGHTTP2_RST_STREAM, 0, stream_id_, payload)).status();
  };
  EXPECT_TRUE(absl::IsCancelled(reset(NGHTTP2_CANCEL)));
  EXPECT_TRUE(absl::IsResourceExhausted(reset(NGHTTP2_ENHANCE_YOUR_CALM)));
  EXPECT_TRUE(absl::IsInternal(reset(NGHTTP2_INTERNAL_ERROR)));
}

// Scenario: the peer says GOAWAY and that it has not looked at the call, as a server does that is being replaced.
// Guarantees: the call is sent again on a new connection, and its caller notices nothing.
TEST_F(GrpcChannelPeer, SendsAgainWhatThePeerDidNotLookAt) {
  const auto answer = Start();
  const auto first = peer_.Accept();
  EXPECT_EQ(first->Await(NGHTTP2_HEADERS).stream_id, 1U);
  first->Send(Encode(NGHTTP2_GOAWAY, 0, 0, http2::GoAwayPayload(0, NGHTTP2_NO_ERROR)));
  const auto second = peer_.Accept();
  EXPECT_EQ(second->Await(NGHTTP2_HEADERS).stream_id, 1U);
  second->Send(TrailersOnly(1, {{"grpc-status", "7"}}));
  EXPECT_TRUE(absl::IsPermissionDenied(answer.Get().status()));
}

// Scenario: the peer says GOAWAY but goes on with the call; a second call comes meanwhile.
// Guarantees: the first is answered on the old connection, the second on a new one.
TEST_F(GrpcChannelPeer, LetsCallsEndOnAConnectionThatGoesAway) {
  const auto first_answer = Start();
  const auto first = peer_.Accept();
  first->Await(NGHTTP2_HEADERS);
  first->Send(Encode(NGHTTP2_GOAWAY, 0, 0, http2::GoAwayPayload(1, NGHTTP2_NO_ERROR)));
  first->Send(Encode(NGHTTP2_PING, 0, 0, "12345678"));
  first->Await(NGHTTP2_PING);  // so GOAWAY has been read
  const auto second_answer = Start();
  const auto second = peer_.Accept();
  second->Await(NGHTTP2_HEADERS);
  second->Send(TrailersOnly(1, {{"grpc-status", "7"}}));
  EXPECT_TRUE(absl::IsPermissionDenied(second_answer.Get().status()));
  first->Send(TrailersOnly(1, {{"grpc-status", "5"}}));
  EXPECT_TRUE(absl::IsNotFound(first_answer.Get().status()));
}

TEST_F(GrpcChannelPeer, FailsCallsWhenTheConnectionIsLost) {
  const auto answer = Start();
  auto connection = peer_.Accept();
  connection->Await(NGHTTP2_HEADERS);
  connection.reset();
  EXPECT_TRUE(absl::IsUnavailable(answer.Get().status()));
}

// Scenario: the peer does not speak HTTP/2.
// Guarantees: UNAVAILABLE, and a back-off before the next attempt.
TEST_F(GrpcChannelPeer, RefusesAPeerThatSpeaksSomethingElse) {
  const auto answer = Start();
  const auto connection = peer_.AcceptRaw();
  connection->Send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
  EXPECT_TRUE(absl::IsUnavailable(answer.Get().status()));
  EXPECT_THAT(std::string(Start().Get().status().message()), HasSubstr("next attempt in"));
}

TEST_F(GrpcChannelPeer, TellsThePeerItsDeadlineAndCancelsWhenItPasses) {
  GrpcCallOptions options;
  options.deadline = std::chrono::milliseconds(50);
  options.metadata.Add("Authorization", "Bearer x");
  const auto answer = Start(options);
  const auto connection = peer_.Accept();
  const std::string request = connection->Answer(1);  // what we are sent on the stream
  EXPECT_THAT(request, HasSubstr("grpc-timeout: "));
  EXPECT_THAT(request, HasSubstr("authorization: Bearer x\n"));
  EXPECT_THAT(request, HasSubstr("te: trailers\n"));
  EXPECT_TRUE(absl::IsDeadlineExceeded(answer.Get().status()));
  EXPECT_EQ(FramePeer::ErrorCode(connection->Await(NGHTTP2_RST_STREAM).payload), NGHTTP2_CANCEL);
}

// Scenario: the deadline passes while the loop is busy, and the peer, which watches it too, resets the stream
// meanwhile. Guarantees: that is the deadline's doing, whichever is seen first.
TEST_F(GrpcChannelPeer, TakesAResetAtTheDeadlineForTheDeadline) {
  GrpcCallOptions options;
  options.deadline = std::chrono::milliseconds(50);
  const auto end = std::chrono::steady_clock::now() + options.deadline;
  const auto answer = Start(options);
  const auto connection = peer_.Accept();
  connection->Await(NGHTTP2_HEADERS);
  const Promise<bool> busy;
  const Promise<bool> released;
  loops_.At(0).Post([=] {
    busy.Set(true);
    static_cast<void>(released.Get());
  });
  EXPECT_TRUE(busy.Get());
  connection->Send(Encode(NGHTTP2_RST_STREAM, 0, 1, std::string("\0\0\0\x08", 4)));  // CANCEL
  EXPECT_TRUE(Eventually([&] { return std::chrono::steady_clock::now() > end + options.deadline; }));
  released.Set(true);
  EXPECT_TRUE(absl::IsDeadlineExceeded(answer.Get().status()));
}

// Scenario: a peer that takes one call at a time; two calls.
// Guarantees: the second goes over a second connection while the first is under way; a third waits.
TEST_F(GrpcChannelPeer, OpensAnotherConnectionAtThePeersLimit) {
  GrpcChannelOptions options;
  options.connections_max = 2;
  Open(options);
  const std::string one_stream = {0, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0, 0, 0, 1};
  std::vector<Promise<StatusOr<Bytes>>> answers;
  std::vector<std::unique_ptr<FramePeer>> connections;
  for (int i = 0; i < 2; ++i) {
    answers.push_back(Start());
    connections.push_back(peer_.Accept());
    connections.back()->Send(Encode(NGHTTP2_SETTINGS, 0, 0, one_stream));
    EXPECT_EQ(connections.back()->Await(NGHTTP2_HEADERS).stream_id, 1U);
    connections.back()->Send(Encode(NGHTTP2_PING, 0, 0, "12345678"));
    connections.back()->Await(NGHTTP2_PING);  // so the limit has been read
  }
  answers.push_back(Start());
  connections[1]->Send(TrailersOnly(1, {{"grpc-status", "5"}}));
  EXPECT_TRUE(absl::IsNotFound(answers[1].Get().status()));
  EXPECT_EQ(connections[1]->Await(NGHTTP2_HEADERS).stream_id, 3U);
  connections[1]->Send(TrailersOnly(3, {{"grpc-status", "7"}}));
  EXPECT_TRUE(absl::IsPermissionDenied(answers[2].Get().status()));
}

// Scenario: pings are on; the peer answers the first and then falls silent.
// Guarantees: it is pinged while a call is under way, and the call fails when a ping is not answered.
TEST_F(GrpcChannelPeer, PingsSilentPeersAndLeavesThem) {
  GrpcChannelOptions options;
  options.keepalive = {.time = std::chrono::milliseconds(5), .timeout = std::chrono::milliseconds(50)};
  Open(options);
  const auto answer = Start();
  const auto connection = peer_.Accept();
  const Frame ping = connection->Await(NGHTTP2_PING);
  connection->Send(Encode(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, ping.payload));
  connection->Await(NGHTTP2_PING);
  const Status status = answer.Get().status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("keepalive ping"));
}

// Scenario: the caller gives up a call.
// Guarantees: the peer is told, the caller hears nothing more, and the connection serves the next call.
TEST_F(GrpcChannelPeer, CancelsACall) {
  Open({});
  const uint64_t call_id = channel_->StartCancellable();
  const auto connection = peer_.Accept();
  connection->Await(NGHTTP2_HEADERS);
  channel_->Cancel(call_id);
  EXPECT_EQ(FramePeer::ErrorCode(connection->Await(NGHTTP2_RST_STREAM).payload), NGHTTP2_CANCEL);
  const auto next = Start();
  EXPECT_EQ(connection->Await(NGHTTP2_HEADERS).stream_id, 3U);
  connection->Send(TrailersOnly(3, {{"grpc-status", "5"}}));
  EXPECT_TRUE(absl::IsNotFound(next.Get().status()));
}

}  // namespace
}  // namespace spanloom::net
