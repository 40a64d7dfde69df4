// SPDX-License-Identifier: Apache-2.0
//
// Prefill, then decode: bodies, ids, spans, and every way in which prefill can fail.

#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <utility>
#include <vector>

#include "llmd/routing_proxy/testing/proxy_fixture.h"

namespace spanloom::llmd::routing_proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kPath = "/v1/chat/completions";
constexpr std::string_view kBody =
    "{\"model\": \"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\u00fc 1.0\"}], \"stream\":true,"
    "\"stream_options\":{\"include_usage\":true},\"min_tokens\":5,\"max_tokens\":1e2,\"seed\":12345678901234567890}";
constexpr std::string_view kPrefilled =
    "{\"id\":\"x\",\"kv_transfer_params\":{\"do_remote_prefill\":true, "
    "\"remote_block_ids\":[1,2],\"remote_port\":5600}}";

class NixlRequests : public ProxyFixture {
 protected:
  FakeModelServer::Answer PrefillAnswer() {
    return [this](const net::HttpRequest&) { return prefill_answer_; };
  }

  void Start(ProxyOptions options = {}) {
    options.retry_backoff = std::chrono::milliseconds(1);
    StartProxy(decoder_.port(), std::move(options));
  }
  // The header that names the prefill server.
  [[nodiscard]] std::string Header() const { return StrCat("x-prefiller-host-port: ", prefiller_.target(), "\r\n"); }
  std::string AskBoth(std::string_view headers = "") { return Ask(kPath, kBody, StrCat(Header(), headers)); }

  net::HttpResponse prefill_answer_ = JsonAnswer(kPrefilled);
  FakeModelServer prefiller_{loops_, PrefillAnswer()};
  FakeModelServer decoder_{loops_, [](const net::HttpRequest&) { return EventAnswer("data: a\n\ndata: [DONE]\n\n"); }};
};

// Scenario: a streaming request with limits, options and odd numbers.
// Guarantees: prefill is asked for one token and no stream, decode gets what prefill said about the blocks; all the
// rest of both bodies is what the client wrote. Neither is told the routing header.
TEST_F(NixlRequests, HandTheBlocksOver) {
  Start();
  EXPECT_THAT(AskBoth("Content-Type: application/json\r\nAccept-Encoding: gzip\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("data: [DONE]\n\n")));
  const auto prefills = prefiller_.requests();
  const auto decodes = decoder_.requests();
  ASSERT_EQ(prefills.size(), 1U);
  ASSERT_EQ(decodes.size(), 1U);
  EXPECT_EQ(prefills[0].path, kPath);
  EXPECT_EQ(prefills[0].body.view(),
            "{\"model\": \"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\\u00fc 1.0\"}], \"stream\":false,"
            "\"max_tokens\":1,\"seed\":12345678901234567890,"
            "\"kv_transfer_params\":{\"do_remote_decode\":true,\"do_remote_prefill\":false,\"remote_engine_id\":null,"
            "\"remote_block_ids\":null,\"remote_host\":null,\"remote_port\":null},\"max_completion_tokens\":1}");
  std::string expected(kBody);
  expected.back() = ',';
  expected += "\"kv_transfer_params\":{\"do_remote_prefill\":true, \"remote_block_ids\":[1,2],\"remote_port\":5600}}";
  EXPECT_EQ(decodes[0].body.view(), expected);
  EXPECT_EQ(prefills[0].headers.Get("accept-encoding"), "");  // the proxy reads that answer
  EXPECT_EQ(decodes[0].headers.Get("accept-encoding"), "gzip");
  for (const auto& request : {prefills[0], decodes[0]}) {
    EXPECT_EQ(request.headers.Get("x-prefiller-host-port"), "");
    EXPECT_EQ(request.headers.Get("content-type"), "application/json");
  }
}

// Scenario: a request without an x-request-id, and one with it.
// Guarantees: both legs carry one and the same; the client's own if there is one.
TEST_F(NixlRequests, ShareOneRequestId) {
  Start();
  AskBoth();
  AskBoth("X-Request-Id: from-gateway\r\n");
  const auto prefills = prefiller_.requests();
  const auto decodes = decoder_.requests();
  EXPECT_EQ(prefills[0].headers.Get("x-request-id").size(), 36U);
  EXPECT_EQ(prefills[0].headers.Get("x-request-id"), decodes[0].headers.Get("x-request-id"));
  EXPECT_EQ(prefills[1].headers.Get("x-request-id"), "from-gateway");
  EXPECT_EQ(decodes[1].headers.Get("x-request-id"), "from-gateway");
}

// Scenario: a request of two legs.
// Guarantees: prefill and decode are siblings below the request span, each with a CLIENT span whose context is what its
// server is told; times add up; status is unset.
TEST_F(NixlRequests, MakeTheSpansOfTwoLegs) {
  Start();
  AskBoth("x-request-id: r1\r\n");
  const auto asked_prefill = prefiller_.requests();
  const auto asked_decode = decoder_.requests();
  const auto spans = Spans();
  ASSERT_EQ(spans.size(), 6U);
  const SeenSpan& server = spans.find("llm_d.pd_proxy.POST /v1/chat/completions")->second;
  const SeenSpan& request = spans.find("llm_d.pd_proxy.request")->second;
  const SeenSpan& prefill = spans.find("llm_d.pd_proxy.prefill")->second;
  const SeenSpan& decode = spans.find("llm_d.pd_proxy.decode")->second;
  EXPECT_EQ(request.parent, server.id);
  EXPECT_EQ(prefill.parent, request.id);
  EXPECT_EQ(decode.parent, request.id);
  std::set<std::string> told = {std::string(asked_prefill[0].headers.Get("traceparent")),
                                std::string(asked_decode[0].headers.Get("traceparent"))};
  std::set<otlp::SpanId> parents;
  for (auto [span, end] = spans.equal_range("HTTP POST"); span != end; ++span) {
    EXPECT_EQ(told.erase(StrCat("00-", server.trace.Hex(), "-", span->second.id.Hex(), "-03")), 1U);
    parents.insert(span->second.parent);
  }
  EXPECT_EQ(parents, (std::set<otlp::SpanId>{prefill.id, decode.id}));
  for (const auto& [name, span] : spans) EXPECT_EQ(span.status, otlp::StatusCode::kUnset) << name;
  EXPECT_TRUE(request.Bool("llm_d.pd_proxy.disaggregation_used"));
  EXPECT_EQ(request.Text("llm_d.pd_proxy.connector"), "nixlv2");
  EXPECT_EQ(request.Text("llm_d.pd_proxy.prefill_target"), prefiller_.target());
  EXPECT_EQ(request.Int("llm_d.pd_proxy.prefill_candidates"), 1);
  for (const SeenSpan& span : {request, prefill, decode}) EXPECT_EQ(span.Text("llm_d.pd_proxy.request_id"), "r1");
  EXPECT_EQ(prefill.Int("llm_d.pd_proxy.prefill.status_code"), 200);
  const double prefill_ms = prefill.Double("llm_d.pd_proxy.prefill.duration_ms");
  const double dispatch_ms = request.Double("llm_d.pd_proxy.true_ttft_ms");
  EXPECT_GT(prefill_ms, 0);
  EXPECT_GE(dispatch_ms, prefill_ms + request.Double("llm_d.pd_proxy.coordinator_overhead_ms"));
  EXPECT_GT(request.Double("llm_d.pd_proxy.ttft_ms"), dispatch_ms);
  EXPECT_GE(request.Double("llm_d.pd_proxy.total_duration_ms"), request.Double("llm_d.pd_proxy.ttft_ms"));
  EXPECT_TRUE(decode.Bool("llm_d.pd_proxy.decode.streaming"));
}

TEST_F(NixlRequests, LimitTheTokensOfOtherApis) {
  Start();
  Ask("/v1/responses", "{\"input\":\"x\",\"max_output_tokens\":9}", Header());
  Ask("/v1/completions", "{\"prompt\":\"x\"}", Header());
  Ask("/inference/v1/generate", "{\"sampling_params\":{\"max_tokens\":9,\"n\":1}}", Header());
  const auto prefills = prefiller_.requests();
  ASSERT_EQ(prefills.size(), 3U);
  EXPECT_THAT(std::string(prefills[0].body.view()),
              AllOf(HasSubstr("\"max_output_tokens\":1,"), Not(HasSubstr("max_tokens"))));
  EXPECT_THAT(std::string(prefills[1].body.view()),
              AllOf(HasSubstr("\"max_tokens\":1"), HasSubstr("\"max_completion_tokens\":1")));
  EXPECT_THAT(std::string(prefills[2].body.view()), HasSubstr("\"sampling_params\":{\"max_tokens\":1,\"n\":1}"));
  EXPECT_THAT(std::string(decoder_.requests()[2].body.view()), HasSubstr("{\"max_tokens\":9,\"n\":1}"));
}

// Scenario: several prompts, or several answers to one, in each API that knows them; then one prompt as a list.
// Guarantees: decode alone gets the former as they came, since one transfer is of one sequence, and the span says why;
// the latter has two legs.
TEST_F(NixlRequests, SeveralSequencesGoToDecodeAlone) {
  Start();
  const std::vector<std::pair<std::string_view, std::string_view>> several = {
      {"/v1/completions", R"({"prompt":["a","b"]})"},
      {"/v1/completions", R"({"prompt":[ [1,2] , [3] ]})"},
      {"/v1/completions", R"({"prompt":"a","n":2})"},
      {"/v1/completions", R"({"prompt":"a","prompt_embeds":"b"})"},
      {"/v1/chat/completions", R"({"messages":[],"n":3})"},
      {"/inference/v1/generate", R"({"token_ids":[1],"sampling_params":{"n":2}})"}};
  for (const auto& [path, body] : several) {
    EXPECT_THAT(Ask(path, body, Header()), StartsWith("HTTP/1.1 200 ")) << body;
    EXPECT_EQ(decoder_.requests().back().body.view(), body);
  }
  EXPECT_TRUE(prefiller_.requests().empty());
  EXPECT_EQ(metrics_.Sum("llm_d_disagg_sidecar_disagg_requests"), 0);
  const std::vector<std::pair<std::string_view, std::string_view>> single = {
      {"/v1/completions", R"({"prompt":["a"],"n":1})"},
      {"/v1/completions", R"({"prompt":[1,2,3],"n":null})"},
      {"/v1/completions", R"({"prompt":[[1,2,3]]})"},
      {"/inference/v1/generate", R"({"token_ids":[1,2],"sampling_params":{"n":1}})"}};
  for (const auto& [path, body] : single) Ask(path, body, Header());
  EXPECT_EQ(prefiller_.requests().size(), single.size());
  EXPECT_EQ(metrics_.Sum("llm_d_disagg_sidecar_disagg_requests"), single.size());
  const auto spans = Spans();
  size_t alone = 0;
  for (auto [span, end] = spans.equal_range("llm_d.pd_proxy.request"); span != end; ++span) {
    const bool is_alone = span->second.Text("llm_d.pd_proxy.reason") == "several_sequences";
    EXPECT_EQ(span->second.Bool("llm_d.pd_proxy.disaggregation_used"), !is_alone);
    if (is_alone) ++alone;
  }
  EXPECT_EQ(alone, several.size());
}

// Scenario: the prefill server refuses the request: 400, 404, 429.
// Guarantees: its answer is the client's; decode is not asked.
TEST_F(NixlRequests, PassARefusalOn) {
  Start();
  for (const int status : {400, 404, 429}) {
    prefill_answer_ = StatusAnswer(status, "no, thanks");
    EXPECT_THAT(AskBoth(), AllOf(StartsWith(StrCat("HTTP/1.1 ", status, " ")), EndsWith("no, thanks")));
  }
  EXPECT_TRUE(decoder_.requests().empty());
  const auto spans = Spans();
  EXPECT_EQ(spans.find("llm_d.pd_proxy.prefill")->second.status, otlp::StatusCode::kError);
  EXPECT_EQ(spans.find("llm_d.pd_proxy.request")->second.Text("llm_d.pd_proxy.error"), "prefill_failed");
}

// Scenario: the prefill server fails: 500, 503, 499, an answer that is not JSON, and nobody there.
// Guarantees: decode gets the request as the client wrote it, and its answer is the client's; the prefill span is in
// error, the request is not.
TEST_F(NixlRequests, FallBackToDecodeAlone) {
  Start();
  size_t asked = 0;
  for (const net::HttpResponse& failure :
       {StatusAnswer(500, "boom"), StatusAnswer(503, "later"), StatusAnswer(499, "?"), JsonAnswer("<html>")}) {
    prefill_answer_ = failure;
    EXPECT_THAT(AskBoth(), StartsWith("HTTP/1.1 200 "));
    const auto decodes = decoder_.requests();
    ASSERT_EQ(decodes.size(), ++asked);
    EXPECT_EQ(decodes.back().body.view(), kBody);
  }
  EXPECT_THAT(Ask(kPath, kBody, "x-prefiller-host-port: 127.0.0.1:1\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(Count("fallbacks"), 5U);
  const auto spans = Spans();
  EXPECT_EQ(spans.count("llm_d.pd_proxy.decode"), 5U);
  for (const auto& [name, span] : spans) {
    if (name != "llm_d.pd_proxy.request") continue;
    EXPECT_EQ(span.status, otlp::StatusCode::kUnset);
    EXPECT_TRUE(span.Bool("llm_d.pd_proxy.fallback"));
  }
}

TEST_F(NixlRequests, FailIfTheyMustNotFallBack) {
  ProxyOptions options;
  options.falls_back = false;
  Start(options);
  prefill_answer_ = StatusAnswer(500, "boom");
  EXPECT_THAT(AskBoth(), AllOf(StartsWith("HTTP/1.1 500 "), EndsWith("boom")));
  EXPECT_THAT(Ask(kPath, kBody, "x-prefiller-host-port: 127.0.0.1:1\r\n"),
              AllOf(StartsWith("HTTP/1.1 502 "), HasSubstr("BadGateway")));
  prefill_answer_ = JsonAnswer("[]");
  EXPECT_THAT(AskBoth(), StartsWith("HTTP/1.1 502 "));
  EXPECT_TRUE(decoder_.requests().empty());
}

// Scenario: the first prefill server is not there, the second answers 503 once.
// Guarantees: as many attempts as are allowed, each with a span of its own, round the candidates; then success.
TEST_F(NixlRequests, TryAgain) {
  std::atomic<int> left = 1;
  FakeModelServer shaky(loops_, [&](const net::HttpRequest&) {
    return left-- > 0 ? StatusAnswer(503, "starting") : JsonAnswer(kPrefilled);
  });
  ProxyOptions options;
  options.prefill_retries_max = 3;
  Start(options);
  EXPECT_THAT(Ask(kPath, kBody, StrCat("x-prefiller-host-port: 127.0.0.1:1,", shaky.target(), "\r\n")),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(shaky.requests().size(), 2U);
  EXPECT_EQ(Count("prefill_retries"), 3U);
  EXPECT_EQ(Count("fallbacks"), 0U);
  const auto spans = Spans();
  EXPECT_EQ(spans.count("llm_d.pd_proxy.prefill"), 4U);
  EXPECT_EQ(spans.find("llm_d.pd_proxy.request")->second.Int("llm_d.pd_proxy.prefill_attempts"), 4);
}

// Scenario: prefill answers 200 without kv_transfer_params.
// Guarantees: decode is told null, as llm-d's sidecar does.
TEST_F(NixlRequests, GoOnWithoutBlocks) {
  Start();
  prefill_answer_ = JsonAnswer("{}");
  AskBoth();
  EXPECT_THAT(std::string(decoder_.requests()[0].body.view()), EndsWith(",\"kv_transfer_params\":null}"));
}

// Scenario: bodies that are no JSON object, no UTF-8, too large, and of 10 MB.
// Guarantees: 400, 400, 413; the last is served.
TEST_F(NixlRequests, LookAtTheBody) {
  ProxyOptions options;
  options.body_bytes_max = 11 << 20;
  Start(options);
  for (const std::string& bad : {std::string("{"), std::string("[]"), std::string(), std::string("{\"a\":\"\xff\"}")}) {
    EXPECT_THAT(Ask(kPath, bad, Header()),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("\"type\":\"BadRequestError\"")));
  }
  EXPECT_TRUE(prefiller_.requests().empty());
  const std::string prompt(10 << 20, 'p');
  EXPECT_THAT(Ask("/v1/completions", StrCat("{\"prompt\":\"", prompt, "\"}"), Header()), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(decoder_.requests().size(), 1U);
  EXPECT_THAT(Ask("/v1/completions", StrCat("{\"prompt\":\"", prompt, prompt, "\"}"), Header()),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(net::Eventually([&] { return Gauge("held_body_bytes") == 0; }));
  EXPECT_EQ(Count("refused_bodies"), 1U);
}

// Scenario: the client leaves while prefill works.
// Guarantees: the prefill server's connection is closed at once; decode is never asked.
TEST_F(NixlRequests, AreCancelledWhenTheClientLeaves) {
  const net::RawListener slow;
  Start();
  client_->Send(Post(kPath, kBody, StrCat("x-prefiller-host-port: ", slow.endpoint(), "\r\n")));
  const auto prefill = slow.Accept();
  prefill->ReadUntil("kv_transfer_params");
  client_.reset();
  prefill->ReadAll();  // ends because the connection does
  EXPECT_TRUE(net::Eventually([&] { return Gauge("active_requests") == 0; }));
  EXPECT_TRUE(decoder_.requests().empty());
  const auto spans = Spans();
  EXPECT_EQ(spans.find("llm_d.pd_proxy.prefill")->second.status, otlp::StatusCode::kError);
  EXPECT_EQ(spans.find("llm_d.pd_proxy.request")->second.Text("llm_d.pd_proxy.error"), "client_gone");
}

// Scenario: a prefill server that takes the request and says nothing, with a limit for it.
// Guarantees: decode does all when the limit is reached.
TEST_F(NixlRequests, LeaveASlowPrefill) {
  const net::RawListener slow;
  ProxyOptions options;
  options.prefill_max = std::chrono::milliseconds(50);
  Start(options);
  EXPECT_THAT(Ask(kPath, kBody, StrCat("x-prefiller-host-port: ", slow.endpoint(), "\r\n")),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(Count("fallbacks"), 1U);
}

class OneHost final : public AllowList {
 public:
  [[nodiscard]] bool Allows(std::string_view host) const override { return host == "127.0.0.1"; }
};

// Scenario: a header names a host that is not allowed, a target that is none, and both beside a good one.
// Guarantees: 403 in the sidecar's words with the target on the span, 400; the good one is asked.
TEST_F(NixlRequests, AskNoHostThatIsNotAllowed) {
  const OneHost one_host;
  allow_list_ = &one_host;
  Start();
  EXPECT_THAT(
      Ask(kPath, kBody, "x-prefiller-host-port: 169.254.169.254:80\r\n"),
      AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("Forbidden: prefill target not allowed by SSRF protection")));
  EXPECT_THAT(Ask(kPath, kBody, "x-prefiller-host-port: a b\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Ask(kPath, kBody, StrCat("x-prefiller-host-port: evil:80, a b,", prefiller_.target(), "\r\n")),
              StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(Count("denied_targets"), 1U);
  EXPECT_EQ(prefiller_.requests().size(), 1U);
  const auto spans = Spans();
  bool is_denied = false;
  for (const auto& [name, span] : spans) {
    if (name != "llm_d.pd_proxy.request" || span.Text("llm_d.pd_proxy.error") != "ssrf_protection_denied") continue;
    is_denied = true;
    EXPECT_EQ(span.Text("llm_d.pd_proxy.denied_target"), "169.254.169.254:80");
    EXPECT_EQ(span.message, "SSRF protection: prefill target not in allowlist");
  }
  EXPECT_TRUE(is_denied);
}

// Scenario: three prefill servers are named, many times, with sampling and without.
// Guarantees: all are asked; without it the first alone.
TEST_F(NixlRequests, SampleThePrefillers) {
  std::vector<std::unique_ptr<FakeModelServer>> others;
  std::string targets = prefiller_.target();
  for (int i = 0; i < 2; ++i) {
    others.push_back(std::make_unique<FakeModelServer>(loops_, PrefillAnswer()));
    StrAppend(targets, ",", others.back()->target());
  }
  const std::string header = StrCat("x-prefiller-host-port: ", targets, "\r\n");
  Start();
  for (int i = 0; i < 5; ++i) Ask(kPath, kBody, header);
  EXPECT_EQ(prefiller_.requests().size(), 5U);
  proxy_.reset();
  ProxyOptions options;
  options.samples_prefillers = true;
  Start(options);
  for (int i = 0; i < 100; ++i) Ask(kPath, kBody, header);
  for (const auto& other : others) EXPECT_GT(other->requests().size(), 0U);
  EXPECT_GT(prefiller_.requests().size(), 5U);
}

}  // namespace
}  // namespace spanloom::llmd::routing_proxy
