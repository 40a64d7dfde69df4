// SPDX-License-Identifier: Apache-2.0
//
// Connections that go on in another protocol, at both ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/text.h"
#include "net/client.h"
#include "net/testing/certificates.h"
#include "net/testing/net_fixture.h"
#include "net/upgrade.h"

namespace spanloom::net {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Writes back what it reads, and "bye" when the client has ended its half.
class Echo : public std::enable_shared_from_this<Echo> {
 public:
  Echo(HttpBodyReader reader, HttpBodyWriter writer) : reader_(std::move(reader)), writer_(std::move(writer)) {}

  void Next() {
    reader_.Read([self = shared_from_this()](StatusOr<Bytes> piece) {
      if (!piece.ok()) return;  // lets go of the writer
      const bool is_last = piece->empty();
      self->writer_->Write(is_last ? Bytes("bye") : *std::move(piece), [self, is_last](const Status& status) {
        if (!status.ok()) return;
        if (!is_last) return self->Next();
        std::move(*std::exchange(self->writer_, std::nullopt)).Finish();
      });
    });
  }

 private:
  HttpBodyReader reader_;
  std::optional<HttpBodyWriter> writer_;
};

HttpResponse Switching(std::string protocol) {
  HttpResponse head;
  head.status = kSwitchingProtocols;
  head.headers.Add("upgrade", std::move(protocol));
  head.headers.Add("x-own", "1");
  return head;
}

class SwitchedConnections : public testing::Test {
 protected:
  // Changes to whatever protocol is asked for, and answers 426 to who asks for none.
  static ServerOptions Options() {
    ServerOptions options = EchoOptions();
    options.http_stream = [](const HttpRequest& request, HttpBodyReader reader, HttpResponder responder) {
      const std::string protocol(request.headers.Get("upgrade"));
      if (protocol.empty()) return std::move(responder).Respond(TextResponse(426, "no upgrade"));
      std::make_shared<Echo>(std::move(reader), std::move(responder).Stream(Switching(protocol)))->Next();
    };
    return options;
  }
  void Start(ServerOptions options = Options()) {
    server_ = StartServer(loops_, metrics_, std::move(options));
    client_ = std::make_unique<RawPeer>(server_->port());
  }

  LoopPool loops_{1};
  MetricRegistry metrics_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<RawPeer> client_;
};

constexpr std::string_view kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: raw\r\n\r\n";

// Scenario: a client asks for another protocol, and sends its first bytes behind the request already.
// Guarantees: 101 with the protocol and no framing; bytes go both ways as they are, the early ones first.
TEST_F(SwitchedConnections, CarryBytesBothWays) {
  Start();
  client_->Send(StrCat(kUpgrade, "early\r\n\r\n"));
  EXPECT_THAT(client_->ReadUntil("early\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 101 Switching Protocols\r\n"),
                    HasSubstr("connection: upgrade\r\nupgrade: raw\r\n"), HasSubstr("x-own: 1\r\n"),
                    Not(HasSubstr("chunked")), Not(HasSubstr("content-length")), EndsWith("\r\n\r\nearly\r\n\r\n")));
  for (const std::string bytes : {"0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\xff\x01"}) {
    client_->Send(bytes);
    EXPECT_EQ(client_->Read(bytes.size()), bytes);
  }
}

// Scenario: requests that can't be answered so: over HTTP/1.0, with a body, with a header that `connection` does not
// name.
// Guarantees: the handler sees no `upgrade` and answers as usual.
TEST_F(SwitchedConnections, AreOfferedOnlyWhereTheyMayBe) {
  for (const std::string request :
       {"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: raw\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: raw\r\nContent-Length: 2\r\n\r\nab"}) {
    Start();
    client_->Send(request);
    EXPECT_THAT(client_->ReadUntil("no upgrade"), StartsWith("HTTP/1.1 426 ")) << request;
  }
}

// Scenario: 8 MiB through the echo, by a client that reads as it sends.
// Guarantees: all of it comes back.
TEST_F(SwitchedConnections, HoldBackWhoIsTooFast) {
  Start();
  client_->Send(kUpgrade);
  client_->ReadUntil("\r\n\r\n");
  const std::string bytes = RandomBytes(8 << 20, 7);
  std::thread sender([&] { client_->Send(bytes); });
  const std::string back = client_->Read(bytes.size());
  sender.join();
  EXPECT_TRUE(back == bytes);
}

// Scenario: a client that asks for much and takes nothing.
// Guarantees: it is closed after write_max, counted.
TEST_F(SwitchedConnections, CloseAClientThatReadsNothing) {
  ServerOptions options = Options();
  options.limits.write_max = std::chrono::milliseconds(50);
  Start(std::move(options));
  client_->Send(kUpgrade);
  client_->Send(std::string(16 << 20, 'x'));
  EXPECT_TRUE(Eventually([&] { return metrics_.Sum("spanloom_net_refused", {{"cause", "slow_reader"}}) == 1; }));
}

// Scenario: a server stops with a connection that goes on in another protocol.
// Guarantees: it has the time that requests have; then it is cut off, and counted as one.
TEST_F(SwitchedConnections, AreCutOffWhenTheServerStops) {
  Start();
  client_->Send(kUpgrade);
  client_->ReadUntil("\r\n\r\n");
  EXPECT_EQ(server_->Stop(std::chrono::milliseconds(1)), 1U);
  EXPECT_EQ(client_->ReadAll(), "");
}

// An exchange that asks for "raw", perhaps over TLS.
class SwitchedExchanges : public SwitchedConnections {
 protected:
  ~SwitchedExchanges() override {
    RunOn(loop(), [this] { return exchange_.reset(), http_client_.reset(), true; });
  }

  StatusOr<HttpResponseHead> Open(HttpClientOptions options, std::string protocol = "raw") {
    const Promise<StatusOr<HttpResponseHead>> head;
    RunOn(loop(), [&] {
      http_client_ = *HttpClient::Create(loop(), std::move(options));
      HttpRequest request;
      request.method = "GET";
      request.path = "/ws";
      request.headers.Add("upgrade", protocol);
      exchange_ = http_client_->Open(std::move(request), {}, [head](auto result) { head.Set(std::move(result)); });
      return true;
    });
    return head.Get();
  }
  StatusOr<Bytes> Read() {
    const Promise<StatusOr<Bytes>> piece;
    RunOn(loop(), [&] { return exchange_->Read([piece](StatusOr<Bytes> result) { piece.Set(result); }), true; });
    return piece.Get();
  }
  Status Write(std::string piece) {
    const Promise<Status> sent;
    RunOn(loop(), [&] { return exchange_->Write(Bytes(piece), [sent](Status s) { sent.Set(s); }), true; });
    return sent.Get();
  }

  Loop& loop() { return loops_.At(0); }

  std::unique_ptr<HttpClient> http_client_;
  std::unique_ptr<HttpExchange> exchange_;
};

// Scenario: client and server, in cleartext and over TLS: bytes there and back, then the client ends its half.
// Guarantees: the server learns of that and says its last word; then the exchange ends.
TEST_F(SwitchedExchanges, EndAHalfAfterTheOther) {
  const TestAuthority authority("authority");
  const TestCertificate own = authority.Issue("server", "IP:127.0.0.1");
  TlsServerOptions server_tls;
  server_tls.cert_pem = own.certificate;
  server_tls.key_pem = own.key;
  TlsClientOptions client_tls;
  client_tls.ca_pem = authority.certificate();
  for (const bool is_tls : {false, true}) {
    ServerOptions server_options = Options();
    if (is_tls) server_options.tls = server_tls;
    server_ = StartServer(loops_, metrics_, std::move(server_options));
    HttpClientOptions options;
    options.endpoint = server_->endpoint();
    if (is_tls) options.tls = client_tls;
    const auto head = Open(std::move(options));
    ASSERT_TRUE(head.ok()) << head.status();
    EXPECT_EQ(head->status, kSwitchingProtocols);
    EXPECT_EQ(head->headers.Get("upgrade"), "raw");
    EXPECT_EQ(head->headers.Get("x-own"), "1");
    EXPECT_TRUE(Write("one").ok());
    EXPECT_EQ(Read()->view(), "one");
    RunOn(loop(), [&] { return exchange_->Finish(), true; });
    EXPECT_EQ(Read()->view(), "bye");
    EXPECT_EQ(Read()->view(), "");
  }
}

// Scenario: peers that answer something else: 200, another protocol, an interim head first; one that is lost later.
// Guarantees: a usual answer is one; a protocol that was not asked for is a failure; interim heads are skipped; what
// was sent before the loss is read.
TEST_F(SwitchedExchanges, TakeWhateverAnswerComes) {
  const RawListener listener;
  const auto ask = [&](std::string_view answer) {
    std::unique_ptr<RawPeer> peer;
    std::thread server([&] {
      peer = listener.Accept();
      EXPECT_THAT(peer->ReadUntil("\r\n\r\n"), HasSubstr("connection: upgrade\r\nupgrade: raw\r\n"));
      peer->Send(answer);
    });
    HttpClientOptions options;
    options.endpoint = listener.endpoint();
    auto head = Open(std::move(options));
    server.join();
    client_ = std::move(peer);
    return head;
  };
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")->status, 200);
  EXPECT_EQ(Read()->view(), "ok");
  EXPECT_EQ(ask("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n").status().code(),
            absl::StatusCode::kUnavailable);
  const auto head = ask("HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: RAW\r\n\r\nfirst");
  EXPECT_EQ(head->status, kSwitchingProtocols);
  EXPECT_EQ(Read()->view(), "first");
  client_.reset();
  EXPECT_EQ(Read()->view(), "");
}

}  // namespace
}  // namespace spanloom::net
