// SPDX-License-Identifier: Apache-2.0
//
// The connectors besides nixlv2, and data-parallel ranks.

#include <gmock/gmock.h>

#include <atomic>

#include "llmd/routing_proxy/testing/proxy_fixture.h"
#include "llmd/wire/json_edit.h"

namespace spanloom::llmd::routing_proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kPath = "/v1/completions";

class Connectors : public ProxyFixture {
 protected:
  void Start(Connector connector, ProxyOptions options = {}) {
    options.connector = connector;
    StartProxy(decoder_.port(), std::move(options));
  }
  std::string AskBoth(std::string_view body) {
    return Ask(kPath, body, StrCat("x-prefiller-host-port: ", prefiller_.target(), "\r\n"));
  }
  // A member of a request's body, as it is written.
  static std::string Member(const net::HttpRequest& request, std::string_view key) {
    const auto object = wire::JsonObject::Parse(request.body.view());
    EXPECT_TRUE(object.ok()) << request.body.view();
    return object.ok() ? std::string(object->Find(key).value_or("")) : "";
  }

  std::function<net::HttpResponse(const net::HttpRequest&)> on_prefill_ = [](const auto&) { return JsonAnswer("{}"); };
  std::function<net::HttpResponse(const net::HttpRequest&)> on_decode_ = [](const auto&) {
    return JsonAnswer("{\"done\":1}");
  };
  FakeModelServer prefiller_{loops_, [this](const net::HttpRequest& request) { return on_prefill_(request); }};
  FakeModelServer decoder_{loops_, [this](const net::HttpRequest& request) { return on_decode_(request); }};
};

// Scenario: shared storage, a request without a threshold.
// Guarantees: prefill is asked for one token, then decode for all; both without a threshold of their own.
TEST_F(Connectors, SharedStoragePrefillsFirst) {
  Start(Connector::kSharedStorage);
  EXPECT_THAT(AskBoth("{\"prompt\":\"x\",\"max_tokens\":7}"), EndsWith("{\"done\":1}"));
  const auto prefills = prefiller_.requests();
  ASSERT_EQ(prefills.size(), 1U);
  EXPECT_EQ(Member(prefills[0], "max_tokens"), "1");
  EXPECT_EQ(Member(prefills[0], "cache_hit_threshold"), "0");
  const auto decodes = decoder_.requests();
  ASSERT_EQ(decodes.size(), 1U);
  EXPECT_EQ(decodes[0].body.view(), "{\"prompt\":\"x\",\"max_tokens\":7,\"cache_hit_threshold\":0}");
}

// Scenario: a request with a threshold; decode has enough in its cache, streaming and not.
// Guarantees: its first answer is the client's; prefill is not asked; the span says why.
TEST_F(Connectors, SharedStorageLeavesPrefillOutIfDecodeHasEnough) {
  Start(Connector::kSharedStorage);
  EXPECT_THAT(AskBoth("{\"cache_hit_threshold\":0.5}"), EndsWith("{\"done\":1}"));
  on_decode_ = [](const auto&) {
    return EventAnswer("data: {\"choices\":[{\"finish_reason\":null}]}\n\ndata: {\"choices\":[]}\n\ndata: [DONE]\n\n");
  };
  EXPECT_THAT(AskBoth("{\"cache_hit_threshold\":0.5,\"stream\":true}"),
              AllOf(HasSubstr("data: {\"choices\":[{\"finish_reason\":null}]}\n\n"), HasSubstr("data: [DONE]\n\n")));
  EXPECT_EQ(decoder_.requests()[0].body.view(), "{\"cache_hit_threshold\":0.5}");
  EXPECT_TRUE(prefiller_.requests().empty());
  const auto spans = Spans();
  EXPECT_EQ(spans.find("llm_d.pd_proxy.request")->second.Text("llm_d.pd_proxy.reason"), "cache_hit");
  EXPECT_EQ(spans.count("llm_d.pd_proxy.prefill"), 0U);
}

// Scenario: decode declines for want of cached blocks, streaming and not; with both names of the connector.
// Guarantees: prefill, then decode again, which must not decline; the client sees the second answer alone; no error.
TEST_F(Connectors, SharedStoragePrefillsIfDecodeDeclines) {
  for (const Connector connector : {Connector::kSharedStorage, Connector::kLmCache}) {
    for (const bool streams : {false, true}) {
      proxy_.reset();
      Start(connector);
      on_decode_ = [&](const net::HttpRequest& request) {
        if (Member(request, "cache_hit_threshold") == "0") return JsonAnswer("{\"done\":2}");
        constexpr std::string_view kDeclined = "{\"choices\":[{\"index\":0,\"finish_reason\":\"cache_threshold\"}]}";
        return streams ? EventAnswer(StrCat("data: ", kDeclined, "\n\ndata: [DONE]\n\n")) : JsonAnswer(kDeclined);
      };
      EXPECT_THAT(AskBoth(StrCat("{\"stream\":", streams ? "true" : "false", ",\"cache_hit_threshold\":0.9}")),
                  AllOf(EndsWith("{\"done\":2}"), Not(HasSubstr("cache_threshold"))));
    }
  }
  EXPECT_EQ(prefiller_.requests().size(), 4U);
  EXPECT_EQ(decoder_.requests().size(), 8U);
  for (const auto& [name, span] : Spans()) EXPECT_EQ(span.status, otlp::StatusCode::kUnset) << name;
}

TEST_F(Connectors, LmCacheSaysNoThresholdOfItsOwn) {
  Start(Connector::kLmCache);
  EXPECT_THAT(AskBoth("{\"prompt\":\"x\"}"), EndsWith("{\"done\":1}"));
  EXPECT_EQ(Member(prefiller_.requests()[0], "cache_hit_threshold"), "");
  EXPECT_EQ(decoder_.requests()[0].body.view(), "{\"prompt\":\"x\"}");
}

// Scenario: sglang.
// Guarantees: both are told the same meeting point and a number of their own; spans are siblings and say that they ran
// at once.
TEST_F(Connectors, SglangMeets) {
  Start(Connector::kSglang);
  EXPECT_THAT(AskBoth("{\"text\":\"x\"}"), EndsWith("{\"done\":1}"));
  EXPECT_THAT(AskBoth("{\"text\":\"x\"}"), EndsWith("{\"done\":1}"));
  EXPECT_TRUE(net::Eventually([&] { return prefiller_.requests().size() == 2; }));
  const auto prefills = prefiller_.requests();
  const auto decodes = decoder_.requests();
  ASSERT_EQ(decodes.size(), 2U);
  EXPECT_EQ(Member(decodes[0], "bootstrap_host"), "\"127.0.0.1\"");
  EXPECT_EQ(Member(decodes[0], "bootstrap_port"), "8998");
  EXPECT_EQ(prefills[0].body.view(), decodes[0].body.view());
  EXPECT_NE(Member(decodes[0], "bootstrap_room"), Member(decodes[1], "bootstrap_room"));
  EXPECT_TRUE(net::Eventually([&] { return metrics_.Sum("llm_d_disagg_sidecar_request_errors") == 0; }));
  const auto spans = Spans();
  const SeenSpan& request = spans.find("llm_d.pd_proxy.request")->second;
  EXPECT_TRUE(request.Bool("llm_d.pd_proxy.concurrent_pd"));
  EXPECT_EQ(StrCat(request.Int("llm_d.pd_proxy.bootstrap_room")), Member(decodes[0], "bootstrap_room"));
  EXPECT_TRUE(spans.find("llm_d.pd_proxy.decode")->second.Bool("llm_d.pd_proxy.decode.concurrent_with_prefill"));
}

// Scenario: sglang's prefill fails while decode waits for blocks that will never come.
// Guarantees: decode is cancelled, the client gets the error at once.
TEST_F(Connectors, SglangFailsWithItsPrefill) {
  const net::RawListener waiting;
  const std::string endpoint = waiting.endpoint();
  ProxyOptions options;
  options.connector = Connector::kSglang;
  StartProxy(static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))), options);
  on_prefill_ = [](const auto&) { return StatusAnswer(503, "out of blocks"); };
  EXPECT_THAT(AskBoth("{}"), AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("out of blocks")));
  EXPECT_TRUE(net::Eventually([&] { return Gauge("active_requests") == 0; }));
  const auto spans = Spans();
  EXPECT_EQ(spans.find("llm_d.pd_proxy.request")->second.Text("llm_d.pd_proxy.error"), "prefill_failed");
}

// Scenario: both legs of sglang are under way when the client leaves.
// Guarantees: both are cancelled.
TEST_F(Connectors, SglangCancelsBothLegs) {
  const net::RawListener prefill_listener;
  const net::RawListener decode_listener;
  const std::string endpoint = decode_listener.endpoint();
  ProxyOptions options;
  options.connector = Connector::kSglang;
  StartProxy(static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))), options);
  client_->Send(Post(kPath, "{}", StrCat("x-prefiller-host-port: ", prefill_listener.endpoint(), "\r\n")));
  const auto prefill = prefill_listener.Accept();
  const auto decode = decode_listener.Accept();
  prefill->ReadUntil("bootstrap_room");
  decode->ReadUntil("bootstrap_room");
  client_.reset();
  prefill->ReadAll();
  decode->ReadAll();
  EXPECT_TRUE(net::Eventually([&] { return Gauge("active_requests") == 0; }));
}

// Scenario: mooncake with a bootstrap server that knows one rank; then one that knows none.
// Guarantees: decode is told the engine and the transfer that prefill is told, prefill its rank; the server is asked
// once. Without an engine decode does all.
TEST_F(Connectors, MooncakeFindsTheEngine) {
  FakeModelServer bootstrap(loops_,
                            [](const auto&) { return JsonAnswer("{\"3\":{\"engine_id\":\"e-3\",\"x\":[1]}}"); });
  ProxyOptions options;
  options.mooncake_bootstrap_port = bootstrap.port();
  Start(Connector::kMooncake, options);
  EXPECT_THAT(AskBoth("{\"max_tokens\":7,\"stream\":true}"), EndsWith("{\"done\":1}"));
  EXPECT_THAT(AskBoth("{\"max_tokens\":7,\"stream\":true}"), EndsWith("{\"done\":1}"));
  EXPECT_TRUE(net::Eventually([&] { return prefiller_.requests().size() == 2; }));
  EXPECT_EQ(bootstrap.requests().size(), 1U);
  EXPECT_EQ(bootstrap.requests()[0].path, "/query");
  const auto prefill = prefiller_.requests()[0];
  const auto decode = decoder_.requests()[0];
  EXPECT_EQ(prefill.headers.Get("x-data-parallel-rank"), "3");
  EXPECT_EQ(Member(prefill, "max_tokens"), "1");
  EXPECT_EQ(Member(prefill, "stream"), "false");
  EXPECT_EQ(Member(decode, "stream"), "true");
  const auto params = [](const net::HttpRequest& request, std::string_view key) {
    return std::string(wire::JsonObject::Parse(Member(request, "kv_transfer_params"))->Find(key).value_or(""));
  };
  EXPECT_EQ(params(prefill, "do_remote_decode"), "true");
  EXPECT_EQ(params(decode, "do_remote_prefill"), "true");
  EXPECT_THAT(params(prefill, "transfer_id"), StartsWith("\"xfer-"));
  EXPECT_EQ(params(decode, "remote_engine_id"), "\"e-3\"");
  EXPECT_EQ(params(decode, "remote_bootstrap_addr"), StrCat("\"http://127.0.0.1:", bootstrap.port(), "\""));
}

// Guarantees: several sequences, of which one transfer can be only one, are decode's alone.
TEST_F(Connectors, MooncakeTransfersOneSequence) {
  Start(Connector::kMooncake);
  EXPECT_THAT(AskBoth("{\"messages\":[],\"n\":2}"), EndsWith("{\"done\":1}"));
  EXPECT_EQ(decoder_.requests()[0].body.view(), "{\"messages\":[],\"n\":2}");
  EXPECT_TRUE(prefiller_.requests().empty());
}

TEST_F(Connectors, MooncakeFallsBackWithoutAnEngine) {
  FakeModelServer bootstrap(loops_, [](const auto&) { return JsonAnswer("{}"); });
  ProxyOptions options;
  options.mooncake_bootstrap_port = bootstrap.port();
  Start(Connector::kMooncake, options);
  EXPECT_THAT(AskBoth("{\"a\":1}"), EndsWith("{\"done\":1}"));
  EXPECT_EQ(decoder_.requests()[0].body.view(), "{\"a\":1}");
  EXPECT_EQ(Count("fallbacks"), 1U);
  EXPECT_TRUE(prefiller_.requests().empty());
}

// Scenario: mooncake's prefill fails at once, decode is under way.
// Guarantees: decode is asked again for all of it.
TEST_F(Connectors, MooncakeFallsBackWithItsPrefill) {
  FakeModelServer bootstrap(loops_, [](const auto&) { return JsonAnswer("{\"0\":{\"engine_id\":\"e\"}}"); });
  ProxyOptions options;
  options.mooncake_bootstrap_port = bootstrap.port();
  const net::RawListener decode_listener;
  const std::string endpoint = decode_listener.endpoint();
  options.connector = Connector::kMooncake;
  StartProxy(static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))), options);
  on_prefill_ = [](const auto&) { return StatusAnswer(500, "boom"); };
  client_->Send(Post(kPath, "{\"a\":1}", StrCat("x-prefiller-host-port: ", prefiller_.target(), "\r\n")));
  std::vector<std::unique_ptr<net::RawPeer>> decodes;
  std::string asked;
  while (asked.find("\r\n\r\n{\"a\":1}") == std::string::npos && decodes.size() < 2) {
    decodes.push_back(decode_listener.Accept());
    asked = decodes.back()->ReadUntil("{\"a\":1");
  }
  EXPECT_THAT(asked, HasSubstr("\r\n\r\n{\"a\":1}"));
  decodes.back()->Send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine");
  EXPECT_THAT(client_->ReadResponse(), EndsWith("fine"));
}

TEST(ConnectorNames, AreThoseOfTheSidecar) {
  for (const Connector connector : kConnectors) EXPECT_EQ(*ParseConnector(NameOf(connector)), connector);
  EXPECT_THAT(std::string(ParseConnector("nixl").status().message()),
              HasSubstr("nixlv2, shared-storage, lmcache, sglang, mooncake"));
}

}  // namespace
}  // namespace spanloom::llmd::routing_proxy
