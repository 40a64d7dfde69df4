// SPDX-License-Identifier: Apache-2.0
//
// HTTP/2 and gRPC as they arrive: frames written byte by byte, the well-behaved and the others.

#include "net/detail/http2/server_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/text.h"
#include "net/grpc/framing.h"
#include "net/testing/frames.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net::http2 {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string GrpcHeaders(std::string method, std::vector<std::pair<std::string, std::string>> more = {}) {
  std::vector<std::pair<std::string, std::string>> headers = {
      {":method", "POST"}, {":scheme", "http"}, {":path", std::move(method)},
      {":authority", "x"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return HeaderBlock(headers);
}

std::string Message(std::string_view content) {
  return StrCat(grpc::MessagePrefix(false, content.size()), content);
}

std::unique_ptr<FramePeer> Connect(const Server& server) {
  auto peer = std::make_unique<FramePeer>(std::make_unique<RawPeer>(server.port()));
  peer->Send(StrCat(kPreface, Settings()));
  return peer;
}

class Http2Server : public testing::Test {
 protected:
  void Start(ServerOptions options = EchoOptions()) { server_ = StartServer(loops_, metrics_, std::move(options)); }

  [[nodiscard]] uint64_t Refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_net_refused", {{"cause", cause}});
  }

  LoopPool loops_{2};
  MetricRegistry metrics_;
  std::unique_ptr<Server> server_;
};

// Scenario: preface, settings, headers and message, one byte a write.
// Guarantees: the protocol is told from the first bytes however they arrive, and the call is answered.
TEST_F(Http2Server, TakesBytesInAnyPieces) {
  Start();
  FramePeer client(std::make_unique<RawPeer>(server_->port()));
  const std::string bytes = StrCat(
      kPreface, Settings(), Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, GrpcHeaders(kEchoMethod)),
      Encode(NGHTTP2_DATA, 0, 1, Message("hel").substr(0, 3)), Encode(NGHTTP2_DATA, 0, 1, Message("hel").substr(3)),
      Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, ""));
  for (const char c : bytes) ASSERT_TRUE(client.Send({&c, 1}));
  const std::string answer = client.Answer(1);
  EXPECT_THAT(answer, HasSubstr(":status: 200\ncontent-type: application/grpc\n"));
  EXPECT_THAT(answer, HasSubstr("grpc-status: 0\n"));
  EXPECT_THAT(answer, testing::EndsWith(Message("hel")));
}

TEST_F(Http2Server, ServesPlainHttpToo) {
  Start();
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  client.Send(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
                     HeaderBlock({{":method", "POST"}, {":scheme", "http"}, {":path", "/a?b"}, {":authority", "x"}})));
  client.Send(Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "body"));
  const std::string answer = client.Answer(1);
  EXPECT_THAT(answer, HasSubstr("x-path: /a\nx-query: b\n"));
  EXPECT_THAT(answer, HasSubstr(":status: 200\ncontent-length: 4\n"));
  EXPECT_THAT(answer, testing::EndsWith("body"));
}

TEST_F(Http2Server, SendsNoBodyWhereNoneMayBe) {
  ServerOptions options = EchoOptions();
  options.http = [](HttpRequest request, HttpResponder responder) {
    std::move(responder).Respond(TextResponse(request.path == "/204" ? 204 : 200, "body"));
  };
  Start(std::move(options));
  const auto peer = Connect(*server_);
  uint32_t stream_id = 1;
  const auto answer_to = [&](const std::string& method, const std::string& path) {
    const std::string block =
        HeaderBlock({{":method", method}, {":scheme", "http"}, {":path", path}, {":authority", "x"}});
    peer->Send(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, stream_id, block));
    return peer->Answer(std::exchange(stream_id, stream_id + 2));
  };
  const std::string head = answer_to("HEAD", "/");
  EXPECT_THAT(head, testing::StartsWith(":status: 200\ncontent-length: 4\ndate: "));
  EXPECT_THAT(head, testing::EndsWith("\ncontent-type: text/plain; charset=utf-8\n"));
  const std::string empty = answer_to("GET", "/204");
  EXPECT_THAT(empty, testing::StartsWith(":status: 204\ndate: "));
  EXPECT_THAT(empty, testing::EndsWith("\ncontent-type: text/plain; charset=utf-8\n"));
  EXPECT_THAT(answer_to("GET", "/"), testing::EndsWith("body"));
}

TEST_F(Http2Server, AnswersUnknownEncodingsAsGrpcGoDoes) {
  Start();
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  client.Send(
      Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, GrpcHeaders(kEchoMethod, {{"grpc-encoding", "br"}})));
  const std::string answer = client.Answer(1);
  EXPECT_THAT(answer, HasSubstr("grpc-status: 12\n"));
  EXPECT_THAT(answer, HasSubstr("grpc-message: grpc: Decompressor is not installed for grpc-encoding \"br\"\n"));
  EXPECT_THAT(answer, HasSubstr("grpc-accept-encoding: identity,deflate,gzip,snappy,zstd\n"));
  EXPECT_EQ(Refused("bad_encoding"), 1U);
}

// Scenario: unary calls with no message, two messages, half a message, and a broken prefix.
// Guarantees: the codes of gRPC's statuscodes.md; the connection lives on.
TEST_F(Http2Server, RefusesBrokenFraming) {
  Start();
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  uint32_t stream_id = 1;
  const auto answer_to = [&](std::string_view body) {
    const std::string bytes =
        StrCat(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id, GrpcHeaders(kEchoMethod)),
               Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream_id, body));
    client.Send(bytes);
    const std::string answer = client.Answer(stream_id);
    stream_id += 2;
    return answer;
  };
  EXPECT_THAT(answer_to(""), HasSubstr("grpc-status: 12\n"));
  EXPECT_THAT(answer_to(Message("a") + Message("b")), HasSubstr("grpc-status: 12\n"));
  EXPECT_THAT(answer_to(Message("abc").substr(0, 6)), HasSubstr("grpc-status: 13\n"));
  EXPECT_THAT(answer_to(Message("abc").substr(0, 4)), HasSubstr("grpc-status: 13\n"));
  EXPECT_THAT(answer_to(StrCat("\x02", Message("").substr(1))), HasSubstr("grpc-status: 13\n"));
  EXPECT_THAT(answer_to(StrCat("\x01", Message("a").substr(1))), HasSubstr("grpc-status: 13\n"));
  EXPECT_EQ(Refused("bad_message"), 6U);
  EXPECT_THAT(answer_to(Message("ok")), HasSubstr("grpc-status: 0\n"));
}

// Scenario: a message declares 4 GiB, and only its prefix is sent.
// Guarantees: the answer comes at once, and the client is told to stop sending (RST_STREAM, NO_ERROR).
TEST_F(Http2Server, RefusesALargeMessageByItsPrefix) {
  Start();
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  client.Send(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, GrpcHeaders(kEchoMethod)));
  client.Send(Encode(NGHTTP2_DATA, 0, 1, grpc::MessagePrefix(false, 0xffffffff)));
  const std::string answer = client.Answer(1);
  EXPECT_THAT(answer, HasSubstr("grpc-status: 8\n"));
  EXPECT_THAT(answer, HasSubstr("grpc: received message larger than max (4294967295 vs. 4194304)"));
  const Frame reset = client.Await(NGHTTP2_RST_STREAM);
  EXPECT_EQ(FramePeer::ErrorCode(reset.payload), NGHTTP2_NO_ERROR);
}

TEST_F(Http2Server, RefusesHeadersOverTheLimit) {
  ServerOptions options = EchoOptions();
  options.limits.header_bytes_max = 1000;
  Start(std::move(options));
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  std::vector<std::pair<std::string, std::string>> many(20, {"x-long", std::string(100, 'x')});
  client.Send(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, GrpcHeaders(kEchoMethod, many)));
  EXPECT_EQ(client.Answer(1), StrCat("(reset ", NGHTTP2_REFUSED_STREAM, ")"));
  EXPECT_EQ(Refused("header_too_large"), 1U);
}

TEST_F(Http2Server, ResetsRequestsThatTakeTooLong) {
  ServerOptions options = EchoOptions();
  options.limits.request_max = std::chrono::milliseconds(30);
  Start(std::move(options));
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  for (const uint32_t stream_id : {1U, 3U}) {
    client.Send(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id, GrpcHeaders(kEchoMethod)));
    EXPECT_EQ(client.Answer(stream_id), StrCat("(reset ", NGHTTP2_CANCEL, ")"));
  }
  EXPECT_EQ(Refused("timeout"), 2U);
}

// Scenario: the client resets a stream whose handler has not answered; the handler answers from another thread.
// Guarantees: the answer is dropped, and the next call on the connection is served.
TEST_F(Http2Server, ForgetsAStreamThatTheClientResets) {
  const Promise<GrpcResponder> kept;
  ServerOptions options = EchoOptions();
  options.grpc["/test.Echo/Keep"] = [kept](GrpcRequest, GrpcResponder responder) { kept.Set(std::move(responder)); };
  Start(std::move(options));
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  client.Send(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, GrpcHeaders("/test.Echo/Keep")));
  client.Send(Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, Message("")));
  GrpcResponder responder = kept.Get();
  client.Send(Encode(NGHTTP2_RST_STREAM, 0, 1, std::string("\0\0\0\x08", 4)));
  client.Send(Encode(NGHTTP2_PING, 0, 0, "12345678"));
  EXPECT_EQ(client.Await(NGHTTP2_PING).payload, "12345678");
  std::move(responder).Respond(Bytes::CopyOf("late"));
  client.Send(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 3, GrpcHeaders(kEchoMethod)));
  client.Send(Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 3, Message("next")));
  EXPECT_THAT(client.Answer(3), HasSubstr("grpc-status: 0\n"));
}

// Scenario: pings without end, as a client with a keepalive that is far too short.
// Guarantees: GOAWAY with ENHANCE_YOUR_CALM and the words that gRPC clients look for, then the end of the connection.
TEST_F(Http2Server, SendsAwayWhoPingsTooOften) {
  Start();
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  for (int i = 0; i < 4; ++i) client.Send(Encode(NGHTTP2_PING, 0, 0, "12345678"));
  const Frame goaway = client.Await(NGHTTP2_GOAWAY);
  ASSERT_EQ(goaway.payload.size(), 8 + std::string_view("too_many_pings").size());
  EXPECT_EQ(goaway.payload[7], NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(goaway.payload.substr(8), "too_many_pings");
  EXPECT_LT(client.ReadFrame().type, 0);
  EXPECT_EQ(Refused("too_many_pings"), 1U);
}

// Scenario: streams opened and reset as fast as possible (CVE-2023-44487).
// Guarantees: the connection is closed and counted.
TEST_F(Http2Server, EndsARapidResetAttack) {
  Start();
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  std::string burst;
  for (uint32_t stream_id = 1; stream_id < 6000; stream_id += 2) {
    burst += Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id, GrpcHeaders(kEchoMethod));
    burst += Encode(NGHTTP2_RST_STREAM, 0, stream_id, std::string("\0\0\0\x08", 4));
  }
  client.Send(burst);
  EXPECT_EQ(client.Await(NGHTTP2_GOAWAY).type, NGHTTP2_GOAWAY);
  EXPECT_LT(client.Await(NGHTTP2_PING).type, 0);
  EXPECT_EQ(Refused("flood"), 1U);
}

// Scenario: more streams than the peer may open, before it could read the limit.
// Guarantees: those beyond are refused, which says that they may be sent again, and counted.
TEST_F(Http2Server, RefusesStreamsBeyondTheLimit) {
  ServerOptions options = EchoOptions();
  options.limits.streams_max = 2;
  Start(std::move(options));
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  for (const uint32_t stream_id : {1U, 3U, 5U}) {
    client.Send(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id, GrpcHeaders(kEchoMethod)));
  }
  EXPECT_EQ(client.Answer(5), StrCat("(reset ", NGHTTP2_REFUSED_STREAM, ")"));
  EXPECT_EQ(Refused("streams_max"), 1U);
}

// Scenario: frames that break HTTP/2's rules, each on a connection of its own.
// Guarantees: each ends its connection with GOAWAY or a closed socket; the server lives and counts them.
TEST_F(Http2Server, EndsConnectionsThatBreakTheRules) {
  Start();
  const std::string broken[] = {
      Encode(NGHTTP2_DATA, 0, 1, "on an idle stream"),
      Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 2, GrpcHeaders(kEchoMethod)),    // even id from a client
      Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff"),  // not HPACK
      Encode(NGHTTP2_SETTINGS, 0, 0, "short"),
      Encode(NGHTTP2_WINDOW_UPDATE, 0, 0, std::string(4, '\0')),
      std::string("\xff\xff\xff\x00\x00\x00\x00\x00\x01", 9),  // a frame of 16 MiB
  };
  for (const std::string& bytes : broken) {
    const auto peer = Connect(*server_);
    FramePeer& client = *peer;
    client.Send(bytes);
    EXPECT_THAT(client.raw().ReadAll(), Not(IsEmpty()));
  }
  EXPECT_EQ(Refused("bad_request"), std::size(broken));
}

// Scenario: a connection that ends inside each frame of a call.
// Guarantees: the server takes it for what it is, and keeps no connection open.
TEST_F(Http2Server, SurvivesTruncationAnywhere) {
  Start();
  const std::string bytes =
      StrCat(kPreface, Settings(), Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, GrpcHeaders(kEchoMethod)),
             Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, Message("hello")));
  for (size_t size = 0; size < bytes.size(); size += 3) {
    RawPeer client(server_->port());
    client.Send(std::string_view(bytes).substr(0, size));
  }
  EXPECT_TRUE(Eventually(
      [&] { return metrics_.Render().find("spanloom_net_connections{server=\"test\"} 0\n") != std::string::npos; }));
}

// Scenario: a connection that has answered a call is left alone, then makes another call.
// Guarantees: idle, it holds no page of its session's buffers; the next call is answered like the first.
TEST_F(Http2Server, GivesPagesBackWhileIdle) {
  Start();
  const size_t before = SessionMemory::ResidentBytes();
  const auto client = Connect(*server_);
  const std::string headers = GrpcHeaders(kEchoMethod);
  for (const int32_t stream : {1, 3}) {
    client->Send(StrCat(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, headers),
                        Encode(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream, Message("hello"))));
    EXPECT_THAT(client->Answer(stream), testing::EndsWith(Message("hello")));
    EXPECT_TRUE(Eventually([&] { return SessionMemory::ResidentBytes() <= before; }));
  }
}

TEST_F(Http2Server, StopSendsIdleClientsAway) {
  Start();
  const auto peer = Connect(*server_);
  FramePeer& client = *peer;
  client.Await(NGHTTP2_SETTINGS);
  std::thread stopper([&] { EXPECT_EQ(server_->Stop(std::chrono::seconds(20)), 0U); });
  EXPECT_EQ(client.Await(NGHTTP2_GOAWAY).type, NGHTTP2_GOAWAY);
  stopper.join();
}

}  // namespace
}  // namespace spanloom::net::http2
