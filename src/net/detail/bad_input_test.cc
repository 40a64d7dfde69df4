// SPDX-License-Identifier: Apache-2.0
//
// Clients that do harm: each is refused with a cause that is counted, what it costs is bounded, and a client on another
// connection is served meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/text.h"
#include "net/compression.h"
#include "net/detail/body_buffer.h"
#include "net/grpc/framing.h"
#include "net/testing/frames.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using http2::Encode;
using http2::Frame;
using http2::FramePeer;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr size_t kGigabyte = 1 << 30;

std::string GrpcHeaders(uint32_t stream_id, const std::vector<std::pair<std::string, std::string>>& more = {}) {
  std::vector<std::pair<std::string, std::string>> fields = {
      {":method", "POST"}, {":scheme", "http"}, {":path", kEchoMethod},
      {":authority", "x"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream_id, http2::HeaderBlock(fields));
}

std::string Data(uint32_t stream_id, std::string_view content, int flags = 0) {
  return Encode(NGHTTP2_DATA, flags, stream_id, content);
}

class BadInput : public testing::Test {
 protected:
  void Start(ServerOptions options = EchoOptions()) { server_ = StartServer(loops_, metrics_, std::move(options)); }

  std::unique_ptr<FramePeer> Http2() {
    auto peer = std::make_unique<FramePeer>(std::make_unique<RawPeer>(server_->port()));
    peer->Send(StrCat(http2::kPreface, http2::Settings()));
    return peer;
  }
  std::unique_ptr<RawPeer> Http1() { return std::make_unique<RawPeer>(server_->port()); }

  // A client that means well, on connections of its own.
  void ExpectOthersAreServed() {
    RawPeer http1(server_->port());
    http1.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_THAT(http1.ReadResponse(), EndsWith("\r\n\r\nok"));
    const auto http2 = Http2();
    const std::string message = StrCat(grpc::MessagePrefix(false, 2), "ok");
    http2->Send(StrCat(GrpcHeaders(1), Data(1, message, NGHTTP2_FLAG_END_STREAM)));
    EXPECT_THAT(http2->Answer(1), EndsWith(message));
  }

  [[nodiscard]] uint64_t Refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_net_refused", {{"cause", cause}});
  }
  bool IsCounted(const std::string& cause) {
    return Eventually([&] { return Refused(cause) > 0; });
  }
  // Bytes of requests that the server holds.
  [[nodiscard]] size_t Held() const {
    const std::string page = metrics_.Render();
    const std::string_view key = "spanloom_net_held_bytes{server=\"test\"} ";
    return static_cast<size_t>(std::stod(page.substr(page.find(key) + key.size())));
  }

  LoopPool loops_{1};  // so that whoever holds up the loop holds up the others
  MetricRegistry metrics_;
  std::unique_ptr<Server> server_;
};

// Scenario: random bytes, with and without an HTTP/2 preface before them.
// Guarantees: each connection ends, or waits for more; none harms the next.
TEST_F(BadInput, RandomBytesProperty) {
  Start();
  Rng rng(20260101);
  for (int i = 0; i < 200; ++i) {
    RawPeer client(server_->port());
    if (i % 2 == 0) client.Send(http2::kPreface);
    client.Send(RandomBytes(1 + rng.Below(2000), rng.Next()));
  }
  ExpectOthersAreServed();
}

// Scenario: 1 GB is declared where that is allowed: by a gRPC prefix, by content-length over HTTP/2 and HTTP/1.1; a few
// bytes of it come.
// Guarantees: the server holds no more than the first piece of memory of each.
TEST_F(BadInput, DeclaringAGigabyteCostsLittle) {
  ServerOptions options = EchoOptions();
  options.limits.message_bytes_max = kGigabyte;
  options.limits.body_bytes_max = kGigabyte;
  Start(std::move(options));
  const auto client = Http2();
  client->Send(StrCat(GrpcHeaders(1), Data(1, StrCat(grpc::MessagePrefix(false, kGigabyte), "a few bytes"))));
  const std::string head = http2::HeaderBlock({{":method", "POST"},
                                               {":scheme", "http"},
                                               {":path", "/"},
                                               {":authority", "x"},
                                               {"content-length", StrCat(kGigabyte)}});
  client->Send(StrCat(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 3, head), Data(3, "a few bytes")));
  const auto http1 = Http1();
  http1->Send(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", kGigabyte, "\r\n\r\na few bytes"));
  EXPECT_TRUE(Eventually([&] { return Held() == 3 * BodyBuffer::kFirstBytes; })) << Held();
  ExpectOthersAreServed();
  client->raw().Send(Encode(NGHTTP2_RST_STREAM, 0, 1, std::string("\0\0\0\x08", 4)));
  EXPECT_TRUE(Eventually([&] { return Held() == 2 * BodyBuffer::kFirstBytes; })) << Held();
}

// Scenario: requests that together exceed what the server may hold.
// Guarantees: those beyond are refused with UNAVAILABLE or 503 and a delay, counted; when the others end, all is given
// back.
TEST_F(BadInput, RequestsBeyondTheBudgetAreRefused) {
  ServerOptions options = EchoOptions();
  options.limits.held_bytes_max = 600 << 10;
  Start(std::move(options));
  {
    const auto hog = Http2();
    for (const uint32_t stream_id : {1U, 3U}) {
      hog->Send(StrCat(GrpcHeaders(stream_id), Data(stream_id, StrCat(grpc::MessagePrefix(false, 1 << 20), "x"))));
    }
    EXPECT_TRUE(Eventually([&] { return Held() == 2 * BodyBuffer::kFirstBytes; }));
    hog->Send(StrCat(GrpcHeaders(5), Data(5, StrCat(grpc::MessagePrefix(false, 1 << 20), "x"))));
    EXPECT_THAT(hog->Answer(5), AllOf(HasSubstr("grpc-status: 14\n"), HasSubstr("grpc-status-details-bin: ")));
    const auto http1 = Http1();
    http1->Send(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\nx"));
    EXPECT_THAT(http1->ReadResponse(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("retry-after: 1\r\n")));
    EXPECT_EQ(Refused("held_bytes"), 2U);
    ExpectOthersAreServed();
  }
  EXPECT_TRUE(Eventually([&] { return Held() == 0; }));
}

// Scenario: 4 KiB of gzip that inflate to 4 MiB and more, as a message and as a body.
// Guarantees: refused as too large; nothing stays held.
TEST_F(BadInput, GzipBombsAreRefused) {
  ServerOptions options = EchoOptions();
  options.limits.message_bytes_max = options.limits.body_bytes_max = 1 << 20;
  Start(std::move(options));
  const Bytes bomb = Compress(Compression::kGzip, std::string(64 << 20, '\0'));
  const auto client = Http2();
  client->Send(GrpcHeaders(1, {{"grpc-encoding", "gzip"}}));
  const std::string message = StrCat(grpc::MessagePrefix(true, bomb.size()), bomb.view());
  for (size_t at = 0; at < message.size(); at += 16'000) client->Send(Data(1, message.substr(at, 16'000)));
  client->Send(Data(1, "", NGHTTP2_FLAG_END_STREAM));
  EXPECT_THAT(client->Answer(1), HasSubstr("grpc-status: 8\n"));
  const auto http1 = Http1();
  http1->Send(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: ", bomb.size(),
                     "\r\n\r\n", bomb.view()));
  EXPECT_THAT(http1->ReadResponse(), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(Refused("message_too_large"), 1U);
  EXPECT_EQ(Refused("body_too_large"), 1U);
  EXPECT_TRUE(Eventually([&] { return Held() == 0; }));
  ExpectOthersAreServed();
}

// Scenario: large compressed requests, over the size that is inflated on a loop.
// Guarantees: they come out right; more of them than may wait are refused with a delay, none is lost.
TEST_F(BadInput, LargeCompressedRequestsAreInflatedElsewhere) {
  ServerOptions options = EchoOptions();
  options.limits.body_bytes_max = 4 << 20;
  options.http = [](HttpRequest request, HttpResponder responder) {
    std::move(responder).Respond(TextResponse(200, StrCat("size ", request.body.size())));
  };
  Start(std::move(options));
  const Bytes large = Compress(Compression::kGzip, RandomBytes(1 << 20, 3));
  const auto client = Http1();
  for (int i = 0; i < 3; ++i) {
    client->Send(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: ", large.size(),
                        "\r\n\r\n", large.view()));
    EXPECT_THAT(client->ReadResponse(), EndsWith(StrCat("size ", 1 << 20)));
  }
}

TEST_F(BadInput, AContentLengthThatLiesIsRefused) {
  Start();
  const auto client = Http2();
  const std::string head = http2::HeaderBlock(
      {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "x"}, {"content-length", "3"}});
  client->Send(StrCat(Encode(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, head), Data(1, "four", 1)));
  EXPECT_THAT(client->Answer(1), EndsWith(StrCat("(reset ", NGHTTP2_PROTOCOL_ERROR, ")")));
  EXPECT_TRUE(IsCounted("bad_request"));
  ExpectOthersAreServed();
}

// Scenario: a header block that goes on in CONTINUATION frames without end (CVE-2024-27316), and one of many small
// headers.
// Guarantees: the first ends its connection; the second is refused by the limit of header bytes.
TEST_F(BadInput, HeaderFloodsAreRefused) {
  Start();
  const auto endless = Http2();
  endless->Send(Encode(NGHTTP2_HEADERS, 0, 1, http2::HeaderBlock({{":method", "GET"}})));
  const std::string more = Encode(NGHTTP2_CONTINUATION, 0, 1, http2::HeaderBlock({{"x", std::string(120, 'y')}}));
  std::string burst;
  for (int i = 0; i < 100; ++i) burst += more;
  for (int i = 0; i < 100 && endless->Send(burst); ++i) {
  }
  EXPECT_TRUE(IsCounted("flood"));
  const auto many = Http2();
  std::vector<std::pair<std::string, std::string>> fields;
  for (int i = 0; i < 300; ++i) fields.emplace_back(StrCat("h", i), "v");
  std::string block = http2::HeaderBlock(fields);
  for (int i = 0; i < 3; ++i) block += block;  // 2,400 fields in two frames, 32 bytes of overhead each
  many->Send(
      Encode(NGHTTP2_HEADERS, 0, 1, http2::HeaderBlock({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}})));
  for (; block.size() > 16'000; block.erase(0, 16'000)) {
    many->Send(Encode(NGHTTP2_CONTINUATION, 0, 1, block.substr(0, 16'000)));
  }
  many->Send(Encode(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, block));
  EXPECT_TRUE(IsCounted("header_too_large"));
  ExpectOthersAreServed();
}

// Scenario: SETTINGS and PING frames by the ten thousand, whose acknowledgements nobody reads.
// Guarantees: the connection ends, counted; what is queued for it is bounded.
TEST_F(BadInput, SettingsAndPingFloodsEnd) {
  Start();
  std::string settings;
  std::string pings;
  for (int i = 0; i < 10'000; ++i) {
    settings += http2::Settings();
    pings += Encode(NGHTTP2_PING, 0, 0, "12345678");
  }
  Http2()->Send(settings);
  EXPECT_TRUE(IsCounted("flood"));
  Http2()->Send(pings);
  EXPECT_TRUE(IsCounted("too_many_pings"));
  ExpectOthersAreServed();
}

TEST_F(BadInput, ConnectionsThatSayNothingAreClosed) {
  ServerOptions options = EchoOptions();
  options.limits.first_byte_max = std::chrono::milliseconds(30);
  Start(std::move(options));
  RawPeer mute(server_->port());
  EXPECT_THAT(mute.ReadAll(), IsEmpty());
  EXPECT_EQ(Refused("first_byte"), 1U);
  ExpectOthersAreServed();
}

// Scenario: headers that arrive too slowly, over both protocols.
// Guarantees: refused by the limit on the header alone.
TEST_F(BadInput, SlowHeadersAreRefused) {
  ServerOptions options = EchoOptions();
  options.limits.header_max = std::chrono::milliseconds(30);
  Start(std::move(options));
  const auto http1 = Http1();
  http1->Send("GET / HTTP/1.1\r\nHost: ");
  EXPECT_THAT(http1->ReadResponse(), StartsWith("HTTP/1.1 408 "));
  const auto http2 = Http2();
  http2->Send(Encode(NGHTTP2_HEADERS, 0, 1, http2::HeaderBlock({{":method", "GET"}})));
  EXPECT_TRUE(Eventually([&] { return Refused("timeout") == 2; }));
  ExpectOthersAreServed();
}

}  // namespace
}  // namespace spanloom::net
