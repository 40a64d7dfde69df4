// SPDX-License-Identifier: Apache-2.0
//
// Requests that change the protocol of their connection, as WebSocket's: between a client and a model server that speak
// byte by byte.

#include <gmock/gmock.h>

#include "llmd/routing_proxy/testing/proxy_fixture.h"

namespace spanloom::llmd::routing_proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class SwitchedRequests : public ProxyFixture {
 protected:
  void Start() {
    const std::string endpoint = listener_.endpoint();
    StartProxy(static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
  }

  // Sends a request for `protocol`; returns what the model server got of it.
  std::string AskFor(std::string_view protocol, std::string_view more = "") {
    client_->Send(StrCat("GET /v1/realtime?model=m HTTP/1.1\r\nHost: model:8000\r\nConnection: Upgrade\r\nUpgrade: ",
                         protocol, "\r\nSec-WebSocket-Key: a2V5\r\n\r\n", more));
    server_ = listener_.Accept();
    return server_->ReadUntil("\r\n\r\n");
  }
  void Accept() {
    server_->Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Own: 1\r\n\r\n");
    EXPECT_THAT(client_->ReadUntil("\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 101 Switching Protocols\r\n"),
                                                      HasSubstr("connection: upgrade\r\nupgrade: websocket\r\n"),
                                                      HasSubstr("x-own: 1\r\n"), Not(HasSubstr("chunked"))));
  }

  const net::RawListener listener_;
  std::unique_ptr<net::RawPeer> server_;
};

// Scenario: a WebSocket is asked for and granted; bytes go both ways, early ones too; then the model server ends.
// Guarantees: the request carries the client's headers and the context of the CLIENT span; the bytes are untouched; the
// request counts as active until the end; both spans end then, without an error.
TEST_F(SwitchedRequests, CarryBytesUntilTheModelServerEnds) {
  Start();
  const std::string asked = AskFor("websocket", "early");
  EXPECT_THAT(asked, AllOf(StartsWith("GET /v1/realtime?model=m HTTP/1.1\r\n"),
                           HasSubstr("connection: upgrade\r\nupgrade: websocket\r\n"),
                           HasSubstr("sec-websocket-key: a2V5\r\n"), HasSubstr("\r\ntraceparent: 00-"),
                           HasSubstr("x-forwarded-for: 127.0.0.1\r\n"), Not(HasSubstr("content-length"))));
  Accept();
  EXPECT_EQ(server_->Read(5), "early");
  for (const std::string bytes : {"0\r\n\r\n", "\x81\x02ok", "GET / HTTP/1.1\r\n\r\n"}) {
    client_->Send(bytes);
    EXPECT_EQ(server_->Read(bytes.size()), bytes);
    server_->Send(bytes);
    EXPECT_EQ(client_->Read(bytes.size()), bytes);
  }
  EXPECT_EQ(Gauge("active_requests"), 1);
  server_->Send("last");
  server_.reset();
  EXPECT_EQ(client_->ReadAll(), "last");
  EXPECT_TRUE(net::Eventually([&] { return Gauge("active_requests") == 0; }));
  const auto spans = Spans();
  const SeenSpan& server = spans.find("llm_d.pd_proxy.GET")->second;
  const SeenSpan& client = spans.find("HTTP GET")->second;
  EXPECT_EQ(server.Int("http.response.status_code"), 101);
  EXPECT_EQ(client.Int("http.response.status_code"), 101);
  EXPECT_EQ(server.status, otlp::StatusCode::kUnset);
  EXPECT_EQ(client.status, otlp::StatusCode::kUnset);
  EXPECT_EQ(client.parent, server.id);
  EXPECT_THAT(asked, HasSubstr(client.id.Hex()));
}

// Scenario: bytes enough to fill every buffer, to a model server that reads late, and its answer to a client that does.
// Guarantees: all of them arrive, in order, either way.
TEST_F(SwitchedRequests, HoldBackWhoIsTooFast) {
  Start();
  AskFor("websocket");
  Accept();
  const std::string bytes = net::RandomBytes(8 << 20, 7);
  for (const auto& [from, to] : {std::pair(client_.get(), server_.get()), std::pair(server_.get(), client_.get())}) {
    std::thread sender([&, from = from] { from->Send(bytes); });
    const bool is_same = to->Read(bytes.size()) == bytes;
    sender.join();
    EXPECT_TRUE(is_same);
  }
}

// Scenario: the client is gone in the middle; the model server goes on until it learns of that.
// Guarantees: its connection ends, and nothing is active.
TEST_F(SwitchedRequests, EndWithTheirClient) {
  Start();
  AskFor("websocket");
  Accept();
  client_.reset();
  EXPECT_EQ(server_->ReadAll(), "");
  server_.reset();
  EXPECT_TRUE(net::Eventually([&] { return Gauge("active_requests") == 0; }));
  client_ = std::make_unique<net::RawPeer>(proxy_->port());
}

// Scenario: model servers that answer something else: 403, another protocol, nothing.
// Guarantees: an answer is passed on as usual; the others are 502, and an error of the spans.
TEST_F(SwitchedRequests, MayBeRefused) {
  Start();
  AskFor("websocket");
  server_->Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_THAT(client_->ReadResponse(), AllOf(StartsWith("HTTP/1.1 403 "), EndsWith("\r\n\r\nno")));
  client_->Send("GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  server_->ReadUntil("\r\n\r\n");
  server_->Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
  EXPECT_THAT(client_->ReadResponse(), StartsWith("HTTP/1.1 502 "));
  AskFor("websocket");
  server_.reset();
  EXPECT_THAT(client_->ReadResponse(), StartsWith("HTTP/1.1 502 "));
  size_t errors = 0;
  for (const auto& [name, span] : Spans()) errors += span.status == otlp::StatusCode::kError ? 1 : 0;
  EXPECT_EQ(errors, 5U);  // SERVER and CLIENT of each, but a SERVER span is none for 403
}

// Scenario: HTTP/2 by upgrade.
// Guarantees: the model server is not asked for it; the client is answered in HTTP/1.1.
TEST_F(SwitchedRequests, AreNotForHttp2) {
  Start();
  EXPECT_THAT(AskFor("h2c"), Not(HasSubstr("upgrade")));
  server_->Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_THAT(client_->ReadResponse(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("ok")));
}

// Scenario: the proxy stops with a WebSocket that nobody ends.
// Guarantees: it is cut off when the time is over, counted, and its spans say so.
TEST_F(SwitchedRequests, AreCutOffWhenTheProxyStops) {
  Start();
  AskFor("websocket");
  Accept();
  EXPECT_EQ(proxy_->Stop(std::chrono::milliseconds(1)), 1U);
  EXPECT_EQ(server_->ReadAll(), "");
  EXPECT_EQ(client_->ReadAll(), "");
  const auto spans = Spans();
  EXPECT_EQ(spans.find("llm_d.pd_proxy.GET")->second.status, otlp::StatusCode::kError);
  EXPECT_EQ(spans.find("HTTP GET")->second.status, otlp::StatusCode::kError);
}

}  // namespace
}  // namespace spanloom::llmd::routing_proxy
