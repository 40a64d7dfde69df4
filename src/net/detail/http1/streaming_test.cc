// SPDX-License-Identifier: Apache-2.0
//
// Streamed bodies and cancellation over HTTP/1.1.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "net/testing/net_fixture.h"
#include "net/testing/stream_handlers.h"

namespace spanloom::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The body of an answer that is chunked; what does not follow the rules is left out.
std::string Unchunked(std::string_view answer) {
  std::string body;
  answer.remove_prefix(answer.find("\r\n\r\n") + 4);
  while (true) {
    const size_t bytes = std::strtoul(std::string(answer.substr(0, answer.find("\r\n"))).c_str(), nullptr, 16);
    if (bytes == 0) return body;
    answer.remove_prefix(answer.find("\r\n") + 2);
    body += answer.substr(0, bytes);
    answer.remove_prefix(bytes + 2);
  }
}

// Writes many numbered pieces, each as soon as it is told that it may.
class PieceByPiece : public std::enable_shared_from_this<PieceByPiece> {
 public:
  explicit PieceByPiece(HttpBodyWriter writer) : writer_(std::move(writer)) {}
  static void Start(HttpBodyWriter writer) { std::make_shared<PieceByPiece>(std::move(writer))->Next(); }
  static std::string All() {
    std::string all;
    for (int i = 0; i < kPieces; ++i) all += Piece(i);
    return all;
  }

 private:
  static constexpr int kPieces = 100'000;
  static std::string Piece(int number) { return StrCat(number, std::string(60, '.')); }

  void Next() {
    if (number_ == kPieces) return std::move(writer_).Finish();
    writer_.Write(Bytes(Piece(number_++)), [self = shared_from_this()](const Status& status) {
      if (status.ok()) self->Next();
    });
  }

  HttpBodyWriter writer_;
  int number_ = 0;
};

class Http1Streams : public testing::Test {
 protected:
  // Echoes as a stream what is sent to /stream, and whole what is sent elsewhere.
  static ServerOptions Options() {
    ServerOptions options = EchoOptions();
    options.http_stream = &HttpEchoStream::Start;
    options.is_streamed = [](const HttpRequest& head) { return head.path == "/stream"; };
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

// Scenario: a chunked request whose chunks are sent one at a time, each after the echo of the one before; then another
// request on the connection.
// Guarantees: each chunk comes back at once; the connection goes on.
TEST_F(Http1Streams, BodiesStreamBothWays) {
  Start();
  client_->Send("POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
  EXPECT_THAT(client_->ReadUntil("first\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("transfer-encoding: chunked\r\n"),
                    Not(HasSubstr("content-length")), HasSubstr("date: "), EndsWith("\r\n\r\n5\r\nfirst\r\n")));
  client_->Send("6\r\nsecond\r\n");
  EXPECT_EQ(client_->ReadUntil("second\r\n"), "6\r\nsecond\r\n");
  client_->Send("0\r\n\r\n");
  EXPECT_EQ(client_->ReadUntil("\r\n\r\n"), "0\r\n\r\n");
  client_->Send("POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_THAT(client_->ReadResponse(), EndsWith("\r\n\r\nok"));
}

// Scenario: a handler that waits for more of the body ends its answer.
// Guarantees: the client gets all of the answer, though it is still sending.
TEST_F(Http1Streams, AnAnswerEndsThoughItsReaderWaits) {
  ServerOptions options = Options();
  options.http_stream = [](HttpRequest, HttpBodyReader reader, HttpResponder responder) {
    auto writer = std::make_shared<HttpBodyWriter>(std::move(responder).Stream({}));
    auto kept = std::make_shared<HttpBodyReader>(std::move(reader));
    kept->Read([kept, writer](const StatusOr<Bytes>&) {
      kept->Read([kept](const StatusOr<Bytes>&) {});
      writer->Write(Bytes("the whole answer"), [writer](const Status&) { std::move(*writer).Finish(); });
    });
  };
  Start(std::move(options));
  client_->Send("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nfirst");
  const std::string begin = client_->ReadUntil("the whole answer");
  client_->Send(std::string(100, 'x'));
  EXPECT_THAT(StrCat(begin, client_->ReadAll()), EndsWith("the whole answer\r\n0\r\n\r\n"));
}

// Scenario: a streamed request and one after it, in one write.
// Guarantees: the body ends where it says, and both are answered in order.
TEST_F(Http1Streams, PipelinesBehindAStream) {
  Start();
  client_->Send(
      "POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
      "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client_->ReadUntil("x-path: /next\r\n"),
              HasSubstr("\r\n\r\n4\r\nbody\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nx-path: /next\r\n"));
}

// Scenario: 8 MiB through the echo, while the client reads as it sends.
// Guarantees: all of it comes back, in order.
TEST_F(Http1Streams, CarriesLargeBodies) {
  Start();
  const std::string body = RandomBytes(8 << 20, 7);
  std::thread sender([&] {
    client_->Send(StrCat("POST /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ", body.size(),
                         "\r\n\r\n", body));
  });
  const std::string answer = client_->ReadAll();
  sender.join();
  EXPECT_TRUE(Unchunked(answer) == body);
}

// Scenario: an answer of a hundred thousand pieces, each of which is written from inside the callback of the one
// before: more than a stack holds at once, and than a socket does.
// Guarantees: they come in order, all of them.
TEST_F(Http1Streams, PiecesAreWrittenFromInsideTheirCallbacks) {
  ServerOptions options = Options();
  options.http_stream = [](HttpRequest, HttpBodyReader, HttpResponder responder) {
    PieceByPiece::Start(std::move(responder).Stream({}));
  };
  Start(std::move(options));
  client_->Send("GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(Unchunked(client_->ReadAll()) == PieceByPiece::All());
}

// Scenario: streamed answers whose length is declared: kept, for HEAD, broken by too little, broken by too much.
// Guarantees: the length is told, and the body is not chunked; a body that is not as long breaks the connection off.
TEST_F(Http1Streams, LengthsAreDeclaredAndKept) {
  ServerOptions options = Options();
  options.http_stream = [](const HttpRequest& request, HttpBodyReader, HttpResponder responder) {
    HttpResponse head;
    head.body_bytes = 8;
    auto writer = std::make_shared<HttpBodyWriter>(std::move(responder).Stream(std::move(head)));
    const std::string second = request.query == "less" ? "" : request.query == "more" ? "and more" : "half";
    writer->Write(Bytes("half"), [writer, second](const Status&) {
      if (second.empty()) return std::move(*writer).Finish();
      writer->Write(Bytes(second), [writer](const Status& status) {
        if (status.ok()) std::move(*writer).Finish();
      });
    });
  };
  Start(std::move(options));
  client_->Send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client_->ReadUntil("halfhalf"),
              AllOf(HasSubstr("content-length: 8\r\n"), Not(HasSubstr("chunked")), EndsWith("\r\n\r\nhalfhalf")));
  client_->Send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client_->ReadUntil("\r\n\r\n"), AllOf(HasSubstr("content-length: 8\r\n"), EndsWith("\r\n\r\n")));
  client_->Send("GET /stream?less HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client_->ReadAll(), EndsWith("\r\n\r\nhalf"));
  client_ = std::make_unique<RawPeer>(server_->port());
  client_->Send("GET /stream?more HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client_->ReadAll(), EndsWith("\r\n\r\nhalf"));
}

TEST_F(Http1Streams, OldClientsGetTheBodyUntilTheEnd) {
  Start();
  client_->Send("POST /stream HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_THAT(client_->ReadAll(), AllOf(Not(HasSubstr("chunked")), EndsWith("\r\n\r\nbody")));
}

TEST_F(Http1Streams, ABrokenRequestBreaksOffTheAnswer) {
  Start();
  client_->Send("POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n");
  EXPECT_THAT(client_->ReadAll(), AllOf(HasSubstr("2\r\nok\r\n"), Not(HasSubstr("0\r\n\r\n"))));
}

// Scenario: an answer is given before the request's body has been read.
// Guarantees: the client can read it; the connection ends, since its place in the body is unknown.
TEST_F(Http1Streams, AnswersWithoutReadingTheBody) {
  ServerOptions options = Options();
  options.http_stream = [](HttpRequest, HttpBodyReader, HttpResponder responder) {
    std::move(responder).Respond(TextResponse(401, "no"));
  };
  Start(std::move(options));
  client_->Send(
      StrCat("POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n", std::string(300'000, 'x')));
  EXPECT_THAT(client_->ReadAll(), AllOf(StartsWith("HTTP/1.1 401 "), EndsWith("no")));
}

// Scenario: the client closes its connection while its request is with the handler.
// Guarantees: the handler is told.
TEST_F(Http1Streams, CancelsWhenTheClientGoesAway) {
  const Promise<HttpResponder> kept;
  const Promise<bool> cancelled;
  ServerOptions options = EchoOptions();
  options.http = [kept, cancelled](HttpRequest, HttpResponder responder) {
    responder.cancel_signal().OnCancel([cancelled] { cancelled.Set(true); });
    kept.Set(std::move(responder));
  };
  Start(std::move(options));
  client_->Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const HttpResponder responder = kept.Get();
  EXPECT_FALSE(responder.cancel_signal().is_cancelled());
  client_.reset();
  EXPECT_TRUE(cancelled.Get());
}

// Scenario: a request with the handler, and the next one sent meanwhile.
// Guarantees: that is no cancellation; both are answered.
TEST_F(Http1Streams, ReadsAheadWithoutHarm) {
  const Promise<HttpResponder> kept;
  ServerOptions options = EchoOptions();
  options.http = [kept](HttpRequest request, HttpResponder responder) {
    if (request.path == "/keep") return kept.Set(std::move(responder));
    std::move(responder).Respond(TextResponse(200, "next"));
  };
  Start(std::move(options));
  client_->Send("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpResponder responder = kept.Get();
  client_->Send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(responder.cancel_signal().is_cancelled());
  std::move(responder).Respond(TextResponse(200, "kept"));
  EXPECT_THAT(client_->ReadResponse(), EndsWith("kept"));
  EXPECT_THAT(client_->ReadResponse(), EndsWith("next"));
}

// Scenario: a client that asks for 16 MiB and reads nothing.
// Guarantees: it is closed after write_max, counted.
TEST_F(Http1Streams, ClosesAClientThatReadsNothing) {
  ServerOptions options = EchoOptions();
  options.limits.write_max = std::chrono::milliseconds(50);
  options.http = [](HttpRequest, HttpResponder responder) {
    std::move(responder).Respond(TextResponse(200, std::string(16 << 20, 'x')));
  };
  Start(std::move(options));
  client_->Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(Eventually([&] { return metrics_.Sum("spanloom_net_refused", {{"cause", "slow_reader"}}) == 1; }));
}

}  // namespace
}  // namespace spanloom::net
