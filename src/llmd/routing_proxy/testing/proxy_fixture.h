// SPDX-License-Identifier: Apache-2.0
//
// For tests: a proxy between a client that speaks raw bytes and model servers that answer as they are told, with the
// spans and figures that it makes.

#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "llmd/routing_proxy/routing_proxy.h"
#include "llmd/testing/fake_model_server.h"
#include "net/testing/net_fixture.h"
#include "sdk/testing/kept_spans.h"

namespace spanloom::llmd::routing_proxy {

// A span, for looking at it.
struct SeenSpan {
  std::string name;
  otlp::SpanKind kind = otlp::SpanKind::kInternal;
  otlp::SpanId id;
  otlp::SpanId parent;
  otlp::TraceId trace;
  otlp::StatusCode status = otlp::StatusCode::kUnset;
  std::string message;
  std::map<std::string, std::variant<bool, int64_t, double, std::string>> attributes;

  [[nodiscard]] std::string Text(const std::string& key) const {
    const auto found = attributes.find(key);
    return found == attributes.end() ? "" : std::get<std::string>(found->second);
  }
  [[nodiscard]] int64_t Int(const std::string& key) const {
    const auto found = attributes.find(key);
    return found == attributes.end() ? -1 : std::get<int64_t>(found->second);
  }
  [[nodiscard]] double Double(const std::string& key) const {
    const auto found = attributes.find(key);
    return found == attributes.end() ? -1 : std::get<double>(found->second);
  }
  [[nodiscard]] bool Bool(const std::string& key) const {
    const auto found = attributes.find(key);
    return found != attributes.end() && std::get<bool>(found->second);
  }
  [[nodiscard]] bool Has(const std::string& key) const { return attributes.contains(key); }
};

class ProxyFixture : public testing::Test {
 protected:
  // A proxy in front of the server at `decoder_port` of loopback.
  void StartProxy(uint16_t decoder_port, ProxyOptions options = {}) {
    options.listen_host = "127.0.0.1";
    options.port = 0;
    options.decoder_host = "127.0.0.1";
    options.decoder_port = decoder_port;
    auto proxy = RoutingProxy::Create(
        std::move(options),
        {.loops = loops_, .metrics = metrics_, .clock = *clock_, .tracer = *used_tracer_, .allow_list = *allow_list_});
    ASSERT_TRUE(proxy.ok()) << proxy.status();
    proxy_ = *std::move(proxy);
    client_ = std::make_unique<net::RawPeer>(proxy_->port());
  }

  // A POST as a client sends it.
  static std::string Post(std::string_view path, std::string_view body, std::string_view headers = "") {
    return StrCat("POST ", path, " HTTP/1.1\r\nHost: model:8000\r\n", headers, "Content-Length: ", body.size(),
                  "\r\n\r\n", body);
  }

  // Sends it, and returns the answer, head and body.
  std::string Ask(std::string_view path, std::string_view body, std::string_view headers = "") {
    EXPECT_TRUE(client_->Send(Post(path, body, headers)));
    std::string answer = client_->ReadResponse();
    if (answer.find("transfer-encoding: chunked\r\n") != std::string::npos) answer += client_->ReadUntil("0\r\n\r\n");
    return answer;
  }

  // Every span there is once no request is under way, by name. To be called last: the proxy is stopped.
  std::multimap<std::string, SeenSpan> Spans() {
    client_.reset();
    proxy_->Stop(net::kPatience);
    proxy_.reset();
    std::multimap<std::string, SeenSpan> spans;
    for (const auto& record : kept_.spans()) {
      SeenSpan span{.name = record->name,
                    .kind = record->kind,
                    .id = record->context.span_id,
                    .parent = record->parent,
                    .trace = record->context.trace_id,
                    .status = record->status,
                    .message = record->status_message,
                    .attributes = {}};
      for (const auto& attribute : record->attributes) {
        std::visit([&](const auto& value) { Keep(std::string(attribute.key), value, span); }, attribute.value);
      }
      spans.emplace(record->name, std::move(span));
    }
    return spans;
  }

  template <typename T>
  static void Keep(const std::string& key, const T& value, SeenSpan& span) {
    if constexpr (!std::is_same_v<T, sdk::ListValue>) span.attributes[key] = value;
  }

  [[nodiscard]] uint64_t Count(std::string_view name, const MetricLabels& labels = {}) const {
    return metrics_.Sum(StrCat("llm_d_disagg_sidecar_", name), labels);
  }
  [[nodiscard]] double Gauge(std::string_view name) const {
    return metrics_.SumGauges(StrCat("llm_d_disagg_sidecar_", name));
  }

  sdk::KeptSpans kept_;
  const sdk::Tracer tracer_{sdk::Sampler::AlwaysOn(), Clock::System(), Rng(1), kept_};
  const sdk::Tracer* used_tracer_ = &tracer_;
  const Clock* clock_ = &Clock::System();
  const AllowAll allow_all_;
  const AllowList* allow_list_ = &allow_all_;
  MetricRegistry metrics_;
  net::LoopPool loops_{2};
  std::unique_ptr<RoutingProxy> proxy_;
  std::unique_ptr<net::RawPeer> client_;
};

}  // namespace spanloom::llmd::routing_proxy
