// SPDX-License-Identifier: Apache-2.0
//
// HttpExchange: bodies as streams, against peers that are told byte by byte what to do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/text.h"
#include "net/client.h"
#include "net/testing/certificates.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;

class HttpExchangeTest : public testing::Test {
 protected:
  ~HttpExchangeTest() override {
    RunOn(loop(), [this] { return exchange_.reset(), client_.reset(), true; });
  }

  void Connect(HttpClientOptions options) {
    client_ = RunOn(loop(), [&] { return *HttpClient::Create(loop(), options); });
  }

  Promise<StatusOr<HttpResponseHead>> Open(HttpStreamOptions options = {}) {
    if (client_ == nullptr) {
      HttpClientOptions client_options;
      client_options.endpoint = listener_.endpoint();
      Connect(client_options);
    }
    const Promise<StatusOr<HttpResponseHead>> head;
    RunOn(loop(), [&] {
      HttpRequest request;
      request.method = "POST";
      request.path = "/v1/completions";
      exchange_ = client_->Open(std::move(request), options, [head](auto result) { head.Set(std::move(result)); });
      return true;
    });
    return head;
  }

  Promise<StatusOr<Bytes>> StartRead() {
    const Promise<StatusOr<Bytes>> piece;
    RunOn(loop(), [&] { return exchange_->Read([piece](StatusOr<Bytes> result) { piece.Set(result); }), true; });
    return piece;
  }
  StatusOr<Bytes> Read() { return StartRead().Get(); }

  // The rest of the body.
  std::string ReadAll() {
    std::string body;
    for (StatusOr<Bytes> piece = Read(); piece.ok() && !piece->empty(); piece = Read()) body.append(piece->view());
    return body;
  }

  Status Write(std::string piece) {
    const Promise<Status> sent;
    RunOn(loop(), [&] { return exchange_->Write(Bytes(piece), [sent](Status s) { sent.Set(s); }), true; });
    return sent.Get();
  }

  void Finish() {
    RunOn(loop(), [this] { return exchange_->Finish(), true; });
  }

  Loop& loop() { return loops_.At(0); }

  LoopPool loops_{1};
  MetricRegistry metrics_;
  RawListener listener_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<HttpExchange> exchange_;
};

constexpr std::string_view kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

// Scenario: a peer that writes its next event only when the one before has been read, as tokens come.
// Guarantees: the head and each event are delivered while the rest does not exist yet; the connection is used again.
TEST_F(HttpExchangeTest, DeliversEachPieceAsItComes) {
  const auto head = Open();
  const auto peer = listener_.Accept();
  EXPECT_THAT(peer->ReadUntil("\r\n\r\n"), HasSubstr("content-length: 0\r\n"));
  peer->Send(kChunkedHead);
  EXPECT_EQ(head.Get()->status, 200);
  for (const std::string event : {"data: a\n\n", "data: b\n\n"}) {
    const auto piece = StartRead();
    peer->Send(StrCat("9\r\n", event, "\r\n"));
    EXPECT_EQ(piece.Get()->view(), event);
  }
  peer->Send("0\r\n\r\n");
  EXPECT_EQ(Read()->view(), "");
  const auto second = Open();
  peer->ReadUntil("\r\n\r\n");
  peer->Send("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(second.Get()->status, 204);
  EXPECT_EQ(Read()->view(), "");
}

// Scenario: a body whose length is known is written in two pieces.
// Guarantees: it is declared and sent as it is, not in chunks; the answer's declared length is told.
TEST_F(HttpExchangeTest, DeclaresTheLengthOfAStreamedBodyThatIsKnown) {
  HttpStreamOptions options;
  options.streams_request = true;
  options.request_bytes = 9;
  const auto head = Open(options);
  const auto peer = listener_.Accept();
  EXPECT_TRUE(Write("half,").ok());
  EXPECT_TRUE(Write("half").ok());
  Finish();
  const std::string request = peer->ReadUntil("half,half");
  EXPECT_THAT(request, HasSubstr("content-length: 9\r\n"));
  EXPECT_THAT(request, EndsWith("\r\n\r\nhalf,half"));
  peer->Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(head.Get()->content_length, 2);
  EXPECT_EQ(ReadAll(), "ok");
}

// Scenario: whoever reads an answer destroys its exchange when it is told the end, inside that callback.
// Guarantees: the connection is used again.
TEST_F(HttpExchangeTest, KeepsTheConnectionOfAnExchangeThatIsDestroyedAtItsEnd) {
  const auto head = Open();
  const auto peer = listener_.Accept();
  peer->ReadUntil("\r\n\r\n");
  peer->Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(head.Get().ok());
  EXPECT_EQ(Read()->view(), "ok");
  const Promise<bool> is_destroyed;
  RunOn(loop(), [&] {
    exchange_->Read([&](const StatusOr<Bytes>& end) {
      EXPECT_TRUE(end.ok() && end->empty());
      exchange_.reset();
      is_destroyed.Set(true);
    });
    return true;
  });
  EXPECT_TRUE(is_destroyed.Get());
  const auto second = Open();
  EXPECT_THAT(peer->ReadUntil("\r\n\r\n"), HasSubstr("POST /v1/completions"));
  peer->Send("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(second.Get()->status, 204);
}

// Scenario: nobody listens, then somebody does.
// Guarantees: the failure is told apart from others; without back-off the next request connects at once.
TEST_F(HttpExchangeTest, TriesAgainAtOnceWithoutBackOff) {
  auto gone = std::make_unique<RawListener>();
  HttpClientOptions client_options;
  client_options.endpoint = gone->endpoint();
  client_options.backs_off = false;
  gone.reset();
  Connect(client_options);
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Status failure = Open().Get().status();
    EXPECT_TRUE(IsConnectFailure(failure));
    EXPECT_THAT(std::string(failure.message()), testing::Not(HasSubstr("next attempt")));
  }
  EXPECT_FALSE(IsConnectFailure(absl::UnavailableError("the peer closed the connection")));
}

// Scenario: three chunks, the last one cut in the middle, and then the rest of it, after which the peer breaks HTTP's
// rules.
// Guarantees: what is there is delivered in one piece, without what frames it; the fault is told after what was good.
TEST_F(HttpExchangeTest, DeliversWhatIsThereInOnePiece) {
  const auto head = Open();
  const auto peer = listener_.Accept();
  peer->ReadUntil("\r\n\r\n");
  peer->Send(StrCat(kChunkedHead, "3\r\none\r\n3;extension\r\ntwo\r\n5\r\nth"));
  EXPECT_TRUE(head.Get().ok());
  EXPECT_EQ(Read()->view(), "onetwoth");
  peer->Send("ree\r\nnot a size\r\n");
  EXPECT_EQ(Read()->view(), "ree");
  const Status fault = Read().status();
  EXPECT_TRUE(absl::IsUnavailable(fault));
  EXPECT_THAT(std::string(fault.message()), HasSubstr("not HTTP/1.1"));
}

TEST_F(HttpExchangeTest, ReadsABodyThatEndsWithItsConnection) {
  const auto head = Open();
  auto peer = listener_.Accept();
  peer->Send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end");
  EXPECT_TRUE(head.Get().ok());
  peer.reset();
  EXPECT_EQ(ReadAll(), "to the end");
}

TEST_F(HttpExchangeTest, SaysWhenABodyIsCutShort) {
  const auto head = Open();
  auto peer = listener_.Accept();
  peer->ReadUntil("\r\n\r\n");
  peer->Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_TRUE(head.Get().ok());
  EXPECT_EQ(Read()->view(), "half");
  peer.reset();
  EXPECT_TRUE(absl::IsUnavailable(Read().status()));
}

// Scenario: the peer has 32 MiB to say and the reader asks for one piece after the other.
// Guarantees: what the reader has not asked for stays with the peer, but for what the kernel holds; nothing is lost.
TEST_F(HttpExchangeTest, SlowReadersSlowThePeer) {
  constexpr size_t kBytes = 32 << 20;
  const auto head = Open();
  const auto peer = listener_.Accept();
  std::atomic<size_t> sent = 0;
  std::thread writer([&] {
    peer->Send(StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", kBytes, "\r\n\r\n"));
    const std::string block(1 << 20, 'x');
    while (sent < kBytes && peer->Send(block)) sent += block.size();
  });
  EXPECT_TRUE(head.Get().ok());
  size_t read = Read()->size();
  EXPECT_LE(sent, kBytes / 2);
  for (StatusOr<Bytes> piece = Read(); piece.ok() && !piece->empty(); piece = Read()) read += piece->size();
  EXPECT_EQ(read, kBytes);
  writer.join();
}

// Scenario: a request whose body comes in pieces, to our own server over TLS, which echoes it.
// Guarantees: the body arrives whole and comes back whole.
TEST_F(HttpExchangeTest, StreamsTheRequest) {
  const TestAuthority authority("test");
  const TestCertificate certificate = authority.Issue("server", "IP:127.0.0.1");
  ServerOptions server_options = EchoOptions();
  server_options.tls.emplace().cert_pem = certificate.certificate;
  server_options.tls->key_pem = certificate.key;
  const auto server = StartServer(loops_, metrics_, std::move(server_options));
  HttpClientOptions options;
  options.endpoint = server->endpoint();
  options.tls.emplace().ca_pem = authority.certificate();
  Connect(options);
  const auto head = Open({.streams_request = true});
  std::string body;
  for (int i = 0; i < 20; ++i) {
    const std::string piece = RandomBytes(50'000, i);
    body += piece;
    ASSERT_TRUE(Write(piece).ok());
  }
  EXPECT_TRUE(Write("").ok());
  Finish();
  EXPECT_EQ(head.Get()->status, 200);
  EXPECT_TRUE(ReadAll() == body);
}

// Scenario: the peer refuses before it has heard the body.
// Guarantees: the answer is delivered, the writer is told, and the connection is not used again.
TEST_F(HttpExchangeTest, TakesAnAnswerThatComesEarly) {
  const auto head = Open({.streams_request = true});
  const auto peer = listener_.Accept();
  EXPECT_TRUE(Write("first").ok());
  EXPECT_THAT(peer->ReadUntil("first\r\n"), EndsWith("5\r\nfirst\r\n"));
  peer->Send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(head.Get()->status, 413);
  EXPECT_EQ(ReadAll(), "no");
  EXPECT_TRUE(absl::IsCancelled(Write("second")));
  EXPECT_EQ(peer->ReadAll(), "");
}

TEST_F(HttpExchangeTest, GivesUpOnAPeerThatIsSilent) {
  const auto head = Open({.first_byte_max = milliseconds(20)});
  const auto peer = listener_.Accept();
  const Status status = head.Get().status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no first byte"));
  const auto second = Open({.between_max = milliseconds(20)});
  const auto second_peer = listener_.Accept();
  second_peer->Send(kChunkedHead);
  EXPECT_TRUE(second.Get().ok());
  EXPECT_TRUE(absl::IsDeadlineExceeded(Read().status()));
  EXPECT_TRUE(absl::IsDeadlineExceeded(Read().status()));
}

// Scenario: the reader leaves in the middle of an answer.
// Guarantees: the peer notices, and nothing is called afterwards.
TEST_F(HttpExchangeTest, DestroyingItCancels) {
  const auto head = Open();
  const auto peer = listener_.Accept();
  peer->ReadUntil("\r\n\r\n");
  peer->Send(kChunkedHead);
  EXPECT_TRUE(head.Get().ok());
  RunOn(loop(), [this] {
    exchange_->Read([](const StatusOr<Bytes>&) { ADD_FAILURE() << "called after it was destroyed"; });
    exchange_.reset();
    return true;
  });
  EXPECT_EQ(peer->ReadAll(), "");
}

TEST_F(HttpExchangeTest, TellsItsOwnerWhenTheClientGoes) {
  const auto head = Open();
  const auto peer = listener_.Accept();
  RunOn(loop(), [this] { return client_.reset(), true; });
  EXPECT_TRUE(absl::IsCancelled(head.Get().status()));
  EXPECT_TRUE(absl::IsCancelled(Read().status()));
}

// Scenario: a connection has nothing to do for idle_max.
// Guarantees: it is closed; the next exchange makes another.
TEST_F(HttpExchangeTest, ClosesIdleConnections) {
  HttpClientOptions options;
  options.endpoint = listener_.endpoint();
  options.idle_max = milliseconds(10);
  Connect(options);
  for (int i = 0; i < 2; ++i) {
    const auto head = Open();
    const auto peer = listener_.Accept();
    peer->ReadUntil("\r\n\r\n");
    peer->Send("HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_TRUE(head.Get().ok());
    EXPECT_EQ(Read()->view(), "");
    EXPECT_EQ(peer->ReadAll(), "");
  }
}

TEST_F(HttpExchangeTest, BoundsWhatWaits) {
  HttpClientOptions options;
  options.endpoint = listener_.endpoint();
  options.waiting_max = 0;
  Connect(options);
  EXPECT_TRUE(absl::IsResourceExhausted(Open().Get().status()));
}

}  // namespace
}  // namespace spanloom::net
