// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 as it arrives: bytes over a socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "base/text.h"
#include "net/testing/net_fixture.h"

namespace spanloom::net {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Http1Server : public testing::Test {
 protected:
  void Start(ServerOptions options = EchoOptions()) { server_ = StartServer(loops_, metrics_, std::move(options)); }

  // Sends `request` on a new connection and returns the one response.
  [[nodiscard]] std::string Ask(std::string_view request) const {
    RawPeer client(server_->port());
    client.Send(request);
    return client.ReadResponse();
  }

  [[nodiscard]] uint64_t Refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_net_refused", {{"cause", cause}});
  }

  LoopPool loops_{2};
  MetricRegistry metrics_;
  std::unique_ptr<Server> server_;
};

TEST_F(Http1Server, AnswersAGet) {
  Start();
  const std::string response = Ask("GET /api/traces?limit=20 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("x-path: /api/traces\r\n"));
  EXPECT_THAT(response, HasSubstr("x-query: limit=20\r\n"));
  EXPECT_THAT(response, HasSubstr("content-length: 0\r\n"));
}

TEST_F(Http1Server, TakesAnAbsoluteTarget) {
  Start();
  EXPECT_THAT(Ask("GET http://x:4318/a?b HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("x-path: /a\r\nx-query: b\r\n"));
  EXPECT_THAT(Ask("GET http://x?b=/c HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("x-path: /\r\nx-query: b=/c\r\n"));
  EXPECT_THAT(Ask("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("x-path: /\r\nx-query: \r\n"));
}

// Scenario: three requests on one connection, each sent after the answer to the one before.
// Guarantees: the connection is kept alive, and each body is the request's own.
TEST_F(Http1Server, KeepsTheConnectionAlive) {
  Start();
  RawPeer client(server_->port());
  for (const std::string body : {"one", "two", "three"}) {
    client.Send(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(), "\r\n\r\n", body));
    const std::string response = client.ReadResponse();
    EXPECT_THAT(response, Not(HasSubstr("connection: close")));
    EXPECT_TRUE(response.ends_with("\r\n\r\n" + body)) << response;
  }
}

TEST_F(Http1Server, ClosesWhenAskedTo) {
  Start();
  RawPeer client(server_->port());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), HasSubstr("connection: close\r\n"));
  RawPeer old_client(server_->port());
  old_client.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old_client.ReadAll(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

// Scenario: three requests, one of them in chunks, one without a body, in two writes that part them anywhere.
// Guarantees: each is answered with its own body, whatever the server read at once.
TEST_F(Http1Server, TakesBytesInAnyPieces) {
  Start();
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst"
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n"
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nfourth";
  for (size_t size = 1; size <= bytes.size(); ++size) {
    RawPeer client(server_->port());
    client.Send(std::string_view(bytes).substr(0, size));
    if (size < bytes.size()) client.Send(std::string_view(bytes).substr(size));
    for (const std::string body : {"first", "second", "", "fourth"}) {
      const std::string response = client.ReadResponse();
      ASSERT_TRUE(response.ends_with("\r\n\r\n" + body)) << size << ": " << response;
    }
  }
}

// Scenario: bodies larger than what is read at once, and the next request right behind each.
// Guarantees: they arrive whole, and the next request begins where they end.
TEST_F(Http1Server, TakesLargeBodiesBackToBack) {
  Start();
  RawPeer client(server_->port());
  std::vector<std::string> bodies;
  std::string bytes;
  for (const size_t size : {1'000'000U, 65'536U, 300'000U, 3U}) {
    bodies.push_back(RandomBytes(size, size));
    bytes += StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", size, "\r\n\r\n", bodies.back());
  }
  std::thread sender([&] { client.Send(bytes); });
  for (const std::string& body : bodies) {
    EXPECT_TRUE(client.ReadResponse().ends_with("\r\n\r\n" + body)) << body.size();
  }
  sender.join();
}

// Scenario: three requests in one write.
// Guarantees: the answers come in the order of the requests.
TEST_F(Http1Server, AnswersPipelinedRequestsInOrder) {
  Start();
  RawPeer client(server_->port());
  client.Send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadResponse(), HasSubstr("x-path: /1\r\n"));
  EXPECT_THAT(client.ReadResponse(), HasSubstr("x-path: /2\r\n"));
  EXPECT_THAT(client.ReadResponse(), HasSubstr("x-path: /3\r\n"));
}

// Scenario: a request that arrives byte by byte.
// Guarantees: it is the same request.
TEST_F(Http1Server, TakesARequestInAnyPieces) {
  Start();
  RawPeer client(server_->port());
  const std::string_view request =
      "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
  for (const char c : request) ASSERT_TRUE(client.Send({&c, 1}));
  EXPECT_THAT(client.ReadResponse(), testing::EndsWith("\r\n\r\nabcd"));
}

TEST_F(Http1Server, AnswersHeadWithoutABody) {
  ServerOptions options = EchoOptions();
  options.http = [](HttpRequest, HttpResponder responder) { std::move(responder).Respond(TextResponse(200, "body")); };
  Start(std::move(options));
  RawPeer client(server_->port());
  client.Send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string response = client.ReadAll();
  EXPECT_THAT(response, HasSubstr("content-length: 4\r\n"));
  EXPECT_THAT(response, testing::EndsWith("\r\n\r\n"));
}

// Scenario: a handler gives a body to a status that has none (204), and the next request follows.
// Guarantees: the body is not sent, so the next response is where the client looks for it.
TEST_F(Http1Server, SendsNoBodyWhereNoneMayBe) {
  ServerOptions options = EchoOptions();
  options.http = [](HttpRequest, HttpResponder responder) { std::move(responder).Respond(TextResponse(204, "body")); };
  Start(std::move(options));
  RawPeer client(server_->port());
  for (int i = 0; i < 2; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string response = client.ReadResponse();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 204 No Content\r\n"));
    EXPECT_THAT(response, Not(HasSubstr("content-length")));
  }
}

TEST_F(Http1Server, SaysContinueBeforeTheBody) {
  Start();
  RawPeer client(server_->port());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_THAT(client.ReadResponse(), testing::EndsWith("\r\n\r\nbody"));
}

TEST_F(Http1Server, UndoesContentEncodings) {
  Start();
  const std::string body = Repetitive(50'000);
  for (const char* name : {"gzip", "deflate", "zlib", "zstd", "snappy", "x-snappy-framed", "lz4"}) {
    const Bytes compressed = Compress(*ParseCompression(name), body);
    const std::string response = Ask(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: ", name,
                                            "\r\nContent-Length: ", compressed.size(), "\r\n\r\n", compressed.view()));
    EXPECT_TRUE(response.ends_with("\r\n\r\n" + body)) << response.substr(0, 200);
  }
}

// Scenario: a server that takes gzip alone; and one that takes plain bodies too.
// Guarantees: what is not on the list is refused, a plain body included, in the words for an unknown coding.
TEST_F(Http1Server, RefusesContentEncodingsThatAreNotListed) {
  ServerOptions options = EchoOptions();
  options.content_codings = {Compression::kGzip};
  Start(std::move(options));
  const Bytes gzip = Compress(Compression::kGzip, "abc");
  EXPECT_THAT(Ask(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: ", gzip.size(),
                         "\r\n\r\n", gzip.view())),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: zstd\r\nContent-Length: 2\r\n\r\nab"),
              HasSubstr("unsupported Content-Encoding: zstd"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(Refused("bad_encoding"), 2U);
}

TEST_F(Http1Server, RefusesUnknownAndBrokenEncodings) {
  Start();
  const std::string unknown = Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_THAT(unknown, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(unknown, testing::EndsWith(R"({"code":3,"message":"unsupported Content-Encoding: br"})"));
  const std::string broken = Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab");
  EXPECT_THAT(broken, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(broken, HasSubstr("unexpected EOF"));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Encoding: br\r\n"
                  "Content-Length: 2\r\n\r\nab"),
              testing::EndsWith("\r\n\r\n\x08\x03\x12\x20unsupported Content-Encoding: br"))
      << "in the encoding of the request";
  EXPECT_EQ(Refused("bad_encoding"), 3U);
}

// Scenario: bodies over the limit: declared, in chunks, and as a gzip bomb; and one of exactly the limit.
// Guarantees: 413 for each, counted, and the client can read it though it was still sending.
TEST_F(Http1Server, RefusesBodiesOverTheLimit) {
  ServerOptions options = EchoOptions();
  options.limits.body_bytes_max = 1 << 20;
  Start(std::move(options));
  const std::string large((1 << 20) + 1, 'x');
  EXPECT_THAT(Ask(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", large.size(), "\r\n\r\n", large)),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      Ask(StrCat("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", large, "\r\n0\r\n\r\n")),
      StartsWith("HTTP/1.1 413 "));
  const Bytes bomb = Compress(Compression::kGzip, std::string(64 << 20, '\0'));
  EXPECT_THAT(Ask(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: ", bomb.size(),
                         "\r\n\r\n", bomb.view())),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(Refused("body_too_large"), 3U);
  EXPECT_THAT(Ask(StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", 1 << 20, "\r\n\r\n", large.substr(1))),
              StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http1Server, RefusesHeadersOverTheLimit) {
  Start();
  EXPECT_THAT(Ask(StrCat("GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", std::string(100'000, 'x'), "\r\n\r\n")),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(Refused("header_too_large"), 1U);
}

TEST_F(Http1Server, RefusesWhatIsNotHttp) {
  Start();
  const char* const garbage[] = {
      "\x16\x03\x01\x02\r\n\r\n",                                                        // TLS on a cleartext port
      "GET / HTTP/1.1\r\n\r\n",                                                          // no Host
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",                                    // two
      "GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n",                                         // no path
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",                        //
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",  //
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",  // smuggling
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",                          //
      "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",  // nearly a preface
  };
  uint64_t count = 0;
  for (const char* bytes : garbage) {
    EXPECT_THAT(Ask(bytes), StartsWith("HTTP/1.1 400 ")) << bytes;
    EXPECT_EQ(Refused("bad_request"), ++count) << bytes;
  }
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), StartsWith("HTTP/1.1 501 "));
}

TEST_F(Http1Server, RefusesRequestsThatTakeTooLong) {
  ServerOptions options = EchoOptions();
  options.limits.request_max = std::chrono::milliseconds(30);
  Start(std::move(options));
  EXPECT_THAT(Ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab"), StartsWith("HTTP/1.1 408 "));
  RawPeer silent(server_->port());
  silent.Send("PRI * HT");
  EXPECT_THAT(silent.ReadAll(), IsEmpty());
  EXPECT_EQ(Refused("timeout"), 2U);
}

TEST_F(Http1Server, ClosesIdleConnections) {
  ServerOptions options = EchoOptions();
  options.limits.idle_max = std::chrono::milliseconds(30);
  Start(std::move(options));
  RawPeer mute(server_->port());
  EXPECT_THAT(mute.ReadAll(), IsEmpty());
  RawPeer client(server_->port());
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.ReadResponse(), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(client.ReadAll(), IsEmpty());
  EXPECT_EQ(Refused("idle"), 2U);
}

TEST_F(Http1Server, TakesNoMoreConnectionsThanItMay) {
  ServerOptions options = EchoOptions();
  options.limits.connections_max = 1;
  Start(std::move(options));
  RawPeer first(server_->port());
  first.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.ReadResponse(), StartsWith("HTTP/1.1 200 "));
  RawPeer second(server_->port());
  EXPECT_THAT(second.ReadAll(), IsEmpty());
  EXPECT_EQ(Refused("connections_max"), 1U);
}

// Scenario: a handler's header value has a line break in it.
// Guarantees: no second header, and no second response, comes of it.
TEST_F(Http1Server, WritesNoLineBreaksInHeaders) {
  ServerOptions options = EchoOptions();
  options.http = [](HttpRequest, HttpResponder responder) {
    HttpResponse response;
    response.headers.Add("X-Name", "a\r\nset-cookie: b");
    response.headers.Add("Content-Length", "99");
    std::move(responder).Respond(std::move(response));
  };
  Start(std::move(options));
  const std::string response = Ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(response, HasSubstr("x-name: a  set-cookie: b\r\n"));
  EXPECT_THAT(response, HasSubstr("content-length: 0\r\n"));
}

// Scenario: the client goes away while its request is with the handler, which answers afterwards.
// Guarantees: nothing but that the answer is dropped.
TEST_F(Http1Server, DropsTheAnswerWhenTheClientIsGone) {
  const Promise<HttpResponder> kept;
  ServerOptions options = EchoOptions();
  options.http = [kept](HttpRequest request, HttpResponder responder) {
    if (request.path == "/keep") return kept.Set(std::move(responder));
    std::move(responder).Respond(TextResponse(200, "ok"));
  };
  Start(std::move(options));
  auto client = std::make_unique<RawPeer>(server_->port());
  client->Send("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpResponder responder = kept.Get();
  client.reset();
  std::move(responder).Respond(TextResponse(200, "late"));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

// Scenario: some connections are idle, so many that every loop has one, and one waits for its handler, when the server
// stops.
// Guarantees: the idle ones are closed at once; the other gets its answer, which says that the connection ends.
TEST_F(Http1Server, StopAnswersWhatIsUnderWay) {
  const Promise<HttpResponder> kept;
  ServerOptions options = EchoOptions();
  options.http = [kept](HttpRequest request, HttpResponder responder) {
    if (request.path == "/keep") return kept.Set(std::move(responder));
    std::move(responder).Respond(TextResponse(200, "ok"));
  };
  Start(std::move(options));
  std::deque<RawPeer> idle;
  for (int i = 0; i < 24; ++i) {
    RawPeer& peer = idle.emplace_back(server_->port());
    peer.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(peer.ReadResponse(), StartsWith("HTTP/1.1 200 "));
  }
  RawPeer busy(server_->port());
  busy.Send("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpResponder responder = kept.Get();
  size_t cut = 99;
  std::thread stopper([&] { cut = server_->Stop(std::chrono::seconds(20)); });
  for (RawPeer& peer : idle) EXPECT_THAT(peer.ReadAll(), IsEmpty());
  std::move(responder).Respond(TextResponse(200, "done"));
  EXPECT_THAT(busy.ReadAll(), testing::AllOf(HasSubstr("connection: close"), testing::EndsWith("done")));
  stopper.join();
  EXPECT_EQ(cut, 0U);
}

}  // namespace
}  // namespace spanloom::net
