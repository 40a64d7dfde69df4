// SPDX-License-Identifier: Apache-2.0
//
// What the model server answers alone: streaming, ends of every kind, errors, spans.

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "llmd/routing_proxy/testing/proxy_fixture.h"

namespace spanloom::llmd::routing_proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using PassedRequests = ProxyFixture;

constexpr std::string_view kEventHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Own: 1\r\nTransfer-Encoding: chunked\r\n\r\n";

uint16_t PortOf(const net::RawListener& listener) {
  const std::string endpoint = listener.endpoint();
  return static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

// Scenario: a model server writes each event only after the client has read the one before.
// Guarantees: each is passed on at once, byte for byte, with the server's own headers; the connection goes on.
TEST_F(PassedRequests, StreamEventByEvent) {
  const net::RawListener listener;
  StartProxy(PortOf(listener));
  client_->Send(
      Post("/v1/chat/completions", "{\"stream\":true}", "X-Client: a\r\nConnection: x-drop\r\nX-Drop: b\r\n"));
  const auto server = listener.Accept();
  EXPECT_THAT(server->ReadUntil("{\"stream\":true}"),
              AllOf(StartsWith("POST /v1/chat/completions HTTP/1.1\r\nhost: model:8000\r\n"),
                    HasSubstr("x-client: a\r\n"), Not(HasSubstr("x-drop")), HasSubstr("x-forwarded-for: 127.0.0.1\r\n"),
                    HasSubstr("content-length: 15\r\n"), HasSubstr("\r\ntraceparent: 00-")));
  server->Send(kEventHead);
  EXPECT_THAT(client_->ReadUntil("\r\n\r\n"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("x-own: 1\r\n")));
  for (const std::string event : {"data: a\n\n", "data: b\n\n"}) {
    server->Send(StrCat("9\r\n", event, "\r\n"));
    EXPECT_THAT(client_->ReadUntil(event), HasSubstr(event));
  }
  server->Send("0\r\n\r\n");
  EXPECT_THAT(client_->ReadUntil("0\r\n\r\n"), EndsWith("0\r\n\r\n"));
  client_->Send(Post("/v1/completions", "{}"));
  EXPECT_THAT(server->ReadUntil("{}"), StartsWith("POST /v1/completions "));
  server->Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_THAT(client_->ReadResponse(), AllOf(HasSubstr("content-length: 2\r\n"), EndsWith("\r\n\r\nok")));
}

// Scenario: a model server writes so fast that it is read from once in a while only (the clock stands still: each piece
// comes at the moment of the one before); a client reads along, another one leaves in the middle.
// Guarantees: nothing is lost or changed; the one that leaves is noticed.
TEST_F(PassedRequests, StreamInBursts) {
  constexpr int kEvents = 30;
  SimClock clock;
  clock_ = &clock;
  const net::RawListener listener;
  StartProxy(PortOf(listener));
  client_->Send(Post("/v1/chat/completions", "{}"));
  const auto server = listener.Accept();
  server->Send(kEventHead);
  for (int i = 10; i < 10 + kEvents; ++i) {
    server->Send(StrCat("b\r\n", "data: ", i, ".\n\n", "\r\n"));
    EXPECT_THAT(client_->ReadUntil(StrCat(i, ".\n\n")), EndsWith(StrCat("data: ", i, ".\n\n\r\n")));
  }
  server->Send("0\r\n\r\n");
  EXPECT_THAT(client_->ReadUntil("0\r\n\r\n"), EndsWith("0\r\n\r\n"));
  server->ReadUntil("{}");
  client_->Send(Post("/v1/chat/completions", "{}"));
  server->ReadUntil("{}");
  server->Send(kEventHead);
  for (int i = 10; i < 10 + kEvents; ++i) {
    server->Send(StrCat("b\r\n", "data: ", i, ".\n\n", "\r\n"));
    client_->ReadUntil(StrCat(i, ".\n\n"));
  }
  client_.reset();
  EXPECT_EQ(server->ReadAll(), "");
  EXPECT_TRUE(net::Eventually([&] { return Count("clients_gone") == 1; }));
  proxy_.reset();  // before its clock
}

TEST_F(PassedRequests, GoOnWithMethodQueryAndStatus) {
  FakeModelServer decoder(loops_, [](const net::HttpRequest&) { return StatusAnswer(418, "short and stout"); });
  StartProxy(decoder.port());
  client_->Send("DELETE /some/thing?a=b%20c HTTP/1.1\r\nHost: x\r\nx-prefiller-host-port: 10.0.0.1:1\r\n\r\n");
  EXPECT_THAT(client_->ReadResponse(), AllOf(StartsWith("HTTP/1.1 418 "), EndsWith("short and stout")));
  const auto requests = decoder.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "DELETE");
  EXPECT_EQ(requests[0].path, "/some/thing");
  EXPECT_EQ(requests[0].query, "a=b%20c");
  EXPECT_EQ(requests[0].headers.Get("x-prefiller-host-port"), "");
}

// Scenario: an answer to HEAD; an answer of some length that is no stream of events.
// Guarantees: their lengths are told as the model server told them.
TEST_F(PassedRequests, KeepDeclaredLengths) {
  const net::RawListener listener;
  StartProxy(PortOf(listener));
  client_->Send("HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto server = listener.Accept();
  server->ReadUntil("\r\n\r\n");
  server->Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_THAT(client_->ReadUntil("\r\n\r\n"),
              AllOf(HasSubstr("content-length: 1000000\r\n"), Not(HasSubstr("chunked"))));
  client_->Send("GET /file HTTP/1.1\r\nHost: x\r\n\r\n");
  server->ReadUntil("\r\n\r\n");
  const std::string file(100'000, 'f');
  server->Send(StrCat("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", file));
  EXPECT_THAT(client_->ReadResponse(),
              AllOf(HasSubstr("content-length: 100000\r\n"), EndsWith(StrCat("\r\n\r\n", file))));
}

// Scenario: a large body is uploaded in a chunked request, and another with its length, while the server reads along.
// Guarantees: it arrives byte for byte and framed as it was.
TEST_F(PassedRequests, UploadLargeBodiesAsTheyAreFramed) {
  FakeModelServer decoder(
      loops_, [](const net::HttpRequest& request) { return StatusAnswer(200, StrCat(request.body.size())); });
  StartProxy(decoder.port());
  const std::string body = net::RandomBytes(3 << 20, 7);
  EXPECT_THAT(Ask("/v1/audio/transcriptions", body), EndsWith(StrCat("\r\n\r\n", body.size())));
  client_->Send("POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  client_->Send(StrCat(absl::Hex(body.size()), "\r\n", body, "\r\n0\r\n\r\n"));
  EXPECT_THAT(client_->ReadResponse(), EndsWith(StrCat("\r\n\r\n", body.size())));
  const auto requests = decoder.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].body.view(), body);
  EXPECT_EQ(requests[0].headers.Get("content-length"), StrCat(body.size()));
  EXPECT_EQ(requests[1].body.view(), body);
  EXPECT_EQ(requests[1].headers.Get("transfer-encoding"), "chunked");
}

// Scenario: the server answers, in full, when it has seen the header and the first piece; the client still sends.
// Guarantees: the client gets all of the answer.
TEST_F(PassedRequests, AnswersBeforeTheBodyHasEndedAreNotCut) {
  const net::RawListener listener;
  StartProxy(PortOf(listener));
  client_->Send(
      StrCat("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", std::string(100, 'x')));
  const auto server = listener.Accept();
  server->ReadUntil("xxx");
  server->Send(StrCat(kEventHead, "9\r\ndata: a\n\n\r\n"));
  EXPECT_THAT(client_->ReadUntil("data: a\n\n"), HasSubstr("data: a\n\n"));
  client_->Send(std::string(100'000, 'x'));
  server->Send("9\r\ndata: b\n\n\r\n0\r\n\r\n");
  EXPECT_THAT(client_->ReadAll(), AllOf(HasSubstr("data: b\n\n"), EndsWith("\r\n0\r\n\r\n")));
}

// Scenario: the decode server is not there, then it is.
// Guarantees: 503 in the sidecar's words, and the next request is served at once.
TEST_F(PassedRequests, SayWhenTheDecodeNodeIsNotReady) {
  auto listener = std::make_unique<net::RawListener>();
  const uint16_t port = PortOf(*listener);
  listener.reset();
  StartProxy(port);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(
        Ask("/v1/completions", "{}"),
        AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("content-type: application/json\r\n"),
              EndsWith("{\"object\":\"error\",\"message\":\"The decode node is not ready. Please check that the vLLM "
                       "service is running and the port configuration is correct.\",\"type\":\"ServiceUnavailable\","
                       "\"param\":null,\"code\":503}")));
  }
  EXPECT_EQ(Count("request_errors", {{"stage", "decode"}}), 2U);
  const auto spans = Spans();
  EXPECT_EQ(spans.find("llm_d.pd_proxy.request")->second.Text("llm_d.pd_proxy.error"), "decode_failed");
  EXPECT_EQ(spans.find("llm_d.pd_proxy.decode")->second.status, otlp::StatusCode::kError);
  EXPECT_EQ(spans.find("llm_d.pd_proxy.POST /v1/completions")->second.status, otlp::StatusCode::kError);
  EXPECT_EQ(spans.find("HTTP POST")->second.status, otlp::StatusCode::kError);
}

TEST_F(PassedRequests, AreAnswered502IfTheServerTalksNonsense) {
  const net::RawListener listener;
  StartProxy(PortOf(listener));
  client_->Send(Post("/v1/completions", "{}"));
  const auto server = listener.Accept();
  server->ReadUntil("{}");
  server->Send("what?\r\n\r\n");
  EXPECT_THAT(client_->ReadResponse(), AllOf(StartsWith("HTTP/1.1 502 "), HasSubstr("\"type\":\"BadGateway\"")));
}

// Scenario: the server resets its connection in the middle of a stream.
// Guarantees: the client sees that its answer is cut: no last chunk; the spans say so, and nothing is left behind.
TEST_F(PassedRequests, ShowThatAnAnswerWasCut) {
  const net::RawListener listener;
  StartProxy(PortOf(listener));
  client_->Send(Post("/v1/chat/completions", "{}"));
  auto server = listener.Accept();
  server->ReadUntil("{}");
  server->Send(StrCat(kEventHead, "9\r\ndata: a\n\n\r\n"));
  EXPECT_THAT(client_->ReadUntil("data: a\n\n"), HasSubstr("data: a"));
  server.reset();
  EXPECT_THAT(client_->ReadAll(), Not(HasSubstr("0\r\n\r\n")));
  EXPECT_TRUE(net::Eventually([&] { return Gauge("active_requests") == 0; }));
  EXPECT_EQ(Count("cut_answers"), 1U);
  const auto spans = Spans();
  EXPECT_EQ(spans.find("llm_d.pd_proxy.request")->second.Text("llm_d.pd_proxy.error"), "decode_cut");
  EXPECT_EQ(spans.find("llm_d.pd_proxy.decode")->second.status, otlp::StatusCode::kError);
}

// Scenario: a client leaves in the middle of a stream, another before the answer has begun.
// Guarantees: the server's connection is closed at once, the spans say why.
TEST_F(PassedRequests, AreCancelledWhenTheClientLeaves) {
  const net::RawListener listener;
  StartProxy(PortOf(listener));
  for (const bool has_begun : {true, false}) {
    auto client = std::make_unique<net::RawPeer>(proxy_->port());
    client->Send(Post("/v1/chat/completions", "{}"));
    const auto server = listener.Accept();
    server->ReadUntil("{}");
    if (has_begun) {
      server->Send(StrCat(kEventHead, "9\r\ndata: a\n\n\r\n"));
      client->ReadUntil("data: a\n\n");
    }
    client.reset();
    EXPECT_EQ(server->ReadAll(), "");
  }
  EXPECT_TRUE(net::Eventually([&] { return Gauge("active_requests") == 0; }));
  EXPECT_EQ(Count("clients_gone"), 2U);
  for (const auto& [name, span] : Spans()) EXPECT_EQ(span.status, otlp::StatusCode::kError) << name;
}

// Scenario: a generation request without a prefill header, in a client's trace.
// Guarantees: SERVER, request, decode and CLIENT are one chain in that trace; the server is told the CLIENT span alone;
// the time to the first byte is on the request span; nobody is in error.
TEST_F(PassedRequests, MakeTheSpansOfADecodeAlone) {
  FakeModelServer decoder(loops_, [](const net::HttpRequest&) { return EventAnswer("data: a\n\n"); });
  StartProxy(decoder.port());
  Ask("/v1/chat/completions", "{}",
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=1\r\n");
  const auto spans = Spans();
  ASSERT_EQ(spans.size(), 4U);
  const SeenSpan& server = spans.find("llm_d.pd_proxy.POST /v1/chat/completions")->second;
  const SeenSpan& request = spans.find("llm_d.pd_proxy.request")->second;
  const SeenSpan& decode = spans.find("llm_d.pd_proxy.decode")->second;
  const SeenSpan& client = spans.find("HTTP POST")->second;
  EXPECT_EQ(server.trace.Hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(server.parent.Hex(), "b7ad6b7169203331");
  EXPECT_EQ(request.parent, server.id);
  EXPECT_EQ(decode.parent, request.id);
  EXPECT_EQ(client.parent, decode.id);
  EXPECT_EQ(server.kind, otlp::SpanKind::kServer);
  EXPECT_EQ(client.kind, otlp::SpanKind::kClient);
  const auto asked = decoder.requests();
  EXPECT_EQ(asked[0].headers.Get("traceparent"), StrCat("00-", server.trace.Hex(), "-", client.id.Hex(), "-01"));
  EXPECT_EQ(asked[0].headers.Get("tracestate"), "a=1");
  EXPECT_FALSE(request.Bool("llm_d.pd_proxy.disaggregation_used"));
  EXPECT_EQ(request.Text("llm_d.pd_proxy.reason"), "no_prefill_header");
  EXPECT_GT(request.Double("llm_d.pd_proxy.ttft_ms"), 0);
  EXPECT_LE(request.Double("llm_d.pd_proxy.ttft_ms"), request.Double("llm_d.pd_proxy.total_duration_ms"));
  EXPECT_EQ(server.Int("http.response.status_code"), 200);
  EXPECT_TRUE(decode.Bool("llm_d.pd_proxy.decode.streaming"));
  for (const auto& [name, span] : spans) EXPECT_EQ(span.status, otlp::StatusCode::kUnset) << name;
}

// Scenario: no, a malformed, and two trace contexts; then tracing is off.
// Guarantees: the model server is never told more than one, and that is valid; without tracing a good one goes on.
TEST_F(PassedRequests, SayOneTraceContextAtMost) {
  FakeModelServer decoder(loops_, [](const net::HttpRequest&) { return JsonAnswer("{}"); });
  constexpr std::string_view kGood = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
  constexpr std::string_view kOther = "traceparent: 00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
  const auto contexts = [&] {
    size_t count = 0;
    const net::HttpRequest last = decoder.requests().back();
    for (const auto& [name, value] : last.headers.fields()) count += name == "traceparent" ? 1 : 0;
    return count;
  };
  StartProxy(decoder.port());
  for (const std::string& headers : {std::string(), std::string("traceparent: 00-xyz\r\n"), StrCat(kGood, kOther)}) {
    Ask("/v1/models", "", headers);
    EXPECT_EQ(contexts(), 1U) << headers;
  }
  proxy_.reset();
  used_tracer_ = &sdk::Tracer::None();
  StartProxy(decoder.port());
  Ask("/v1/models", "", kGood);
  EXPECT_EQ(decoder.requests().back().headers.Get("traceparent"),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  Ask("/v1/models", "", StrCat(kGood, kOther));
  EXPECT_EQ(contexts(), 0U);
}

TEST_F(PassedRequests, HaveFewSpanNames) {
  FakeModelServer decoder(loops_, [](const net::HttpRequest&) { return JsonAnswer("{}"); });
  StartProxy(decoder.port());
  for (const char* path : {"/metrics", "/v1/models", "/secret/4711", "/health"}) {
    client_->Send(StrCat("GET ", path, " HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_THAT(client_->ReadResponse(), StartsWith("HTTP/1.1 200 "));
  }
  const auto spans = Spans();
  EXPECT_EQ(spans.count("llm_d.pd_proxy.GET /metrics"), 1U);
  EXPECT_EQ(spans.count("llm_d.pd_proxy.GET /v1/models"), 1U);
  EXPECT_EQ(spans.count("llm_d.pd_proxy.GET"), 1U);
  EXPECT_EQ(spans.count("HTTP GET"), 3U);  // a probe of health makes none
  EXPECT_EQ(spans.find("llm_d.pd_proxy.GET")->second.Text("url.path"), "/secret/4711");
}

// Scenario: readiness with a model server that is there, that says no, and while the proxy drains.
// Guarantees: 200, 503, 503; health is 200 always.
TEST_F(PassedRequests, ReadinessIsTheModelServers) {
  std::atomic<int> status = 200;
  FakeModelServer decoder(loops_, [&](const net::HttpRequest&) { return StatusAnswer(status, ""); });
  StartProxy(decoder.port());
  const auto get = [&](std::string_view path) {
    client_->Send(StrCat("GET ", path, " HTTP/1.1\r\nHost: x\r\n\r\n"));
    return client_->ReadResponse();
  };
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
  status = 503;
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  status = 200;
  proxy_->BeginDrain();
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
}

// Scenario: a stream is under way when the proxy is stopped.
// Guarantees: it goes on to its end.
TEST_F(PassedRequests, AreDrainedAtAStop) {
  const net::RawListener listener;
  StartProxy(PortOf(listener));
  client_->Send(Post("/v1/chat/completions", "{}"));
  const auto server = listener.Accept();
  server->ReadUntil("{}");
  server->Send(StrCat(kEventHead, "9\r\ndata: a\n\n\r\n"));
  client_->ReadUntil("data: a\n\n");
  std::thread stop([&] { EXPECT_EQ(proxy_->Stop(net::kPatience), 0U); });
  server->Send("9\r\ndata: b\n\n\r\n0\r\n\r\n");
  EXPECT_THAT(client_->ReadAll(), AllOf(HasSubstr("data: b"), EndsWith("0\r\n\r\n")));
  stop.join();
}

}  // namespace
}  // namespace spanloom::llmd::routing_proxy
