// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/shape_load.h"

#include "base/text.h"
#include "cli/tracegen/draw.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

namespace gen_ai = semconv::gen_ai;
namespace http = semconv::http;
namespace llm_d = semconv::llm_d;
namespace resource = semconv::resource;
namespace span_name = semconv::span_name;
using Attributes = SpanTemplate::Attributes;

constexpr uint32_t kGateway = 0, kProxy = 1, kPrefill = 2, kDecode = 3;  // emitters
constexpr std::array<std::string_view, 4> kServices = {"inference-gateway", "pd-proxy", "vllm-prefill", "vllm-decode"};
constexpr std::array<std::string_view, 4> kModels = {"Llama-3.3-70B-Instruct", "Qwen3-32B", "Mistral-Small-3.2-24B",
                                                     "DeepSeek-V3.1"};
constexpr std::string_view kPath = "/v1/completions";
constexpr std::string_view kIdPrefix = "chatcmpl-";
constexpr otlp::SpanId kSomeParent = {{1, 2, 3, 4, 5, 6, 7, 9}};  // is replaced

constexpr int64_t kDurationMin = 50 * kMillisecond;  // of a request
constexpr int64_t kDurationMax = 20 * kSecond;

std::vector<Emitter> MakeEmitters(uint64_t seed) {
  Rng rng(seed);
  std::vector<Emitter> emitters;
  for (const std::string_view service : kServices) {
    emitters.push_back({.resource_wire = EncodeResource({{resource::kServiceName, service},
                                                         {resource::kServiceVersion, "0.6.0"},
                                                         {resource::kServiceInstanceId, UuidV4(rng)},
                                                         {resource::kNamespaceName, "llm-d"},
                                                         {resource::kNodeName, StrCat("gpu-node-", 1 + rng.Below(6))},
                                                         {resource::kPodName, StrCat(service, "-0")},
                                                         {resource::kSdkLanguage, "go"},
                                                         {resource::kSdkVersion, "1.44.0"}}),
                        .schema_url = std::string(resource::kSchemaUrl),
                        .scopes = {{EncodeScope(service, "0.6.0")}}});
  }
  return emitters;
}

SpanHead Head(uint32_t emitter, std::string_view name, otlp::SpanKind kind, otlp::SpanId parent = kSomeParent) {
  return {.origin = {emitter, 0},
          .parent = parent,
          .name = name,
          .kind = kind,
          .time = {},
          .flags = parent.IsZero() ? kGoLocalParent : kGoRemoteParent};
}

SpanTemplate GatewaySpan(std::string_view model) {
  return {Head(kGateway, span_name::kGatewayRequest, otlp::SpanKind::kServer, {}), otlp::StatusCode::kUnset,
          [&](Attributes& attributes) {
            attributes.writer()
                .String(http::kRequestMethod, "POST")
                .String(http::kRoute, kPath)
                .String(http::kUrlScheme, "https")
                .String(http::kServerAddress, "inference-gateway.llm-d")
                .Int(http::kServerPort, 8080)
                .String(http::kProtocolVersion, "1.1")
                .String(http::kUserAgent, "AsyncOpenAI/Python 1.97.0")
                .String(http::kPeerAddress, "10.244.1.14")
                .String(gen_ai::kRequestModel, model)
                .Bool(llm_d::kPdUsed, true);
            attributes.Int(http::kRequestBodySize, 600, 16'000)
                .Int(llm_d::kInputTokens, 150, 4'000)
                .RequestId(gen_ai::kRequestId, kIdPrefix);
            attributes.writer().Int(http::kStatusCode, 200);
          }};
}

// What the sidecar's spans have in common.
void WriteProxyAttributes(std::string_view model, Attributes& attributes) {
  attributes.RequestId(llm_d::kProxyRequestId, kIdPrefix);
  attributes.writer()
      .String(llm_d::kProxyConnector, "nixlv2")
      .String(llm_d::kProxyPath, kPath)
      .Bool(llm_d::kProxyDisaggregated, true)
      .String(gen_ai::kRequestModel, model)
      .Int(llm_d::kProxyPrefillCandidates, 2);
}

SpanTemplate ProxySpan(std::string_view model) {
  return {Head(kProxy, "llm_d.pd_proxy.request", otlp::SpanKind::kServer), otlp::StatusCode::kUnset,
          [&](Attributes& attributes) {
            WriteProxyAttributes(model, attributes);
            attributes.writer()
                .String(http::kRequestMethod, "POST")
                .String(http::kServerAddress, "ms-decode.llm-d")
                .Int(http::kServerPort, 8000)
                .String(http::kPeerAddress, "10.244.1.14")
                .Int(http::kStatusCode, 200);
            attributes.Int(http::kRequestBodySize, 600, 16'000).Int(http::kResponseBodySize, 500, 16'000);
          }};
}

SpanTemplate PrefillStep(std::string_view model, uint32_t number) {
  return {Head(kProxy, "llm_d.pd_proxy.prefill", otlp::SpanKind::kInternal), otlp::StatusCode::kUnset,
          [&](Attributes& attributes) {
            WriteProxyAttributes(model, attributes);
            attributes.writer()
                .String(llm_d::kProxyPrefillTarget, StrCat("10.244.2.", 20 + number, ":8000"))
                .Int(llm_d::kPrefillStatus, 200)
                .String(http::kServerAddress, "ms-prefill.llm-d")
                .Int(http::kServerPort, 8000);
            attributes.Int(http::kRequestBodySize, 600, 16'000).WholeMs(llm_d::kPrefillMs, 20, 3'000);
          }};
}

SpanTemplate DecodeStep(std::string_view model, otlp::StatusCode status) {
  return {Head(kProxy, "llm_d.pd_proxy.decode", otlp::SpanKind::kInternal), status, [&](Attributes& attributes) {
            WriteProxyAttributes(model, attributes);
            attributes.writer()
                .String(llm_d::kDecodeTarget, "localhost:8200")
                .Bool(llm_d::kDecodeStreaming, true)
                .Bool(llm_d::kDecodeDataParallel, false)
                .String(http::kServerAddress, "ms-decode.llm-d");
            attributes.Int(http::kResponseBodySize, 500, 16'000).WholeMs(llm_d::kDecodeMs, 50, 17'000);
          }};
}

SpanTemplate EngineSpan(uint32_t emitter, std::string_view model) {
  const double slowest_s = emitter == kPrefill ? 3 : 20;
  return {Head(emitter, span_name::kLlmRequest, otlp::SpanKind::kServer), otlp::StatusCode::kUnset,
          [&](Attributes& attributes) {
            attributes.Seconds(gen_ai::kTimeToFirstToken, 0.02, 10)
                .Seconds(gen_ai::kEndToEnd, 0.05, slowest_s)
                .Seconds(gen_ai::kTimeInQueue, 0.0001, 1)
                .Seconds(gen_ai::kTimeInPrefill, 0.02, 3)
                .Seconds(gen_ai::kTimeInDecode, 0.05, slowest_s)
                .Seconds(gen_ai::kTimeInInference, 0.05, slowest_s)
                .Seconds(llm_d::kKvHitRatio, 0, 1)
                .Int(gen_ai::kPromptTokens, 150, 4'000)
                .Int(gen_ai::kCompletionTokens, 128, 2'000)
                .RequestId(gen_ai::kRequestId, kIdPrefix);
            attributes.writer()
                .String(gen_ai::kRequestModel, model)
                .Double(gen_ai::kTopP, 1.0)
                .Int(gen_ai::kMaxTokens, 2'048)
                .Int(gen_ai::kN, 1);
          }};
}

// 128 random bits as text.
std::array<char, SpanTemplate::kRequestIdBytes> DrawRequestId(Rng& rng) {
  std::array<char, SpanTemplate::kRequestIdBytes> text;
  for (size_t i = 0; i < text.size(); i += 16) {
    uint64_t word = rng.Next();
    for (size_t digit = 0; digit < 16; ++digit, word >>= 4) text[i + digit] = "0123456789abcdef"[word & 15];
  }
  return text;
}

// Appends the spans of one trace.
class TraceAppender {
 public:
  TraceAppender(Rng& rng, int64_t origin_unix_ns, GeneratedTrace& trace)
      : rng_(rng), origin_unix_ns_(origin_unix_ns), trace_(trace), request_id_(DrawRequestId(rng)) {
    facts_.trace_id = DrawId<otlp::TraceId>(rng);
    facts_.request_id = {request_id_.data(), request_id_.size()};
  }

  otlp::SpanId Add(const SpanTemplate& span, otlp::SpanId parent, Interval time) {
    facts_.span_id = DrawId<otlp::SpanId>(rng_);
    facts_.parent = parent;
    facts_.start_unix_ns = static_cast<uint64_t>(origin_unix_ns_ + time.start_ns);
    facts_.end_unix_ns = static_cast<uint64_t>(origin_unix_ns_ + time.end_ns);
    span.Append(facts_, rng_, trace_);
    return facts_.span_id;
  }

 private:
  Rng& rng_;
  const int64_t origin_unix_ns_;
  GeneratedTrace& trace_;
  const std::array<char, SpanTemplate::kRequestIdBytes> request_id_;
  SpanFacts facts_;
};

// Within `outer`, a little shorter at both ends; that has 50 µs at least.
Interval Inside(Rng& rng, const Interval& outer) {
  return {outer.start_ns + Between(rng, kMicrosecond, 20 * kMicrosecond),
          outer.end_ns - Between(rng, kMicrosecond, 20 * kMicrosecond)};
}

}  // namespace

LoadShape::Model LoadShape::MakeModel(std::string_view name, uint32_t number) {
  return {.gateway = GatewaySpan(name),
          .proxy = ProxySpan(name),
          .prefill_step = PrefillStep(name, number),
          .decode_step = DecodeStep(name, otlp::StatusCode::kUnset),
          .aborted_step = DecodeStep(name, otlp::StatusCode::kError),
          .prefill_engine = EngineSpan(kPrefill, name),
          .decode_engine = EngineSpan(kDecode, name)};
}

LoadShape::LoadShape(uint64_t seed) : TraceShape(MakeEmitters(seed), seed) {
  for (uint32_t i = 0; i < kModels.size(); ++i) models_.push_back(MakeModel(kModels[i], i));
}

void LoadShape::Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const {
  Rng rng = RngOf(index);
  trace.Clear();
  const Model& model = models_[rng.Below(models_.size())];
  const bool is_served = index % kCycle < kCycleServed;
  const Interval gateway = {0, Between(rng, kDurationMin, kDurationMax)};
  const Interval proxy = Inside(rng, gateway);
  const Interval steps = Inside(rng, proxy);
  // Prefill takes up to a quarter.
  const int64_t between_ns = Between(rng, steps.duration_ns() / 100, steps.duration_ns() / 4);
  const Interval prefill = {steps.start_ns, steps.start_ns + between_ns};
  const Interval decode = {prefill.end_ns + Between(rng, kMicrosecond, 20 * kMicrosecond), steps.end_ns};
  TraceAppender appender(rng, end_unix_ns - gateway.end_ns, trace);
  const otlp::SpanId root = appender.Add(model.gateway, {}, gateway);
  const otlp::SpanId request = appender.Add(model.proxy, root, proxy);
  const otlp::SpanId prefill_step = appender.Add(model.prefill_step, request, prefill);
  appender.Add(model.prefill_engine, prefill_step, Inside(rng, prefill));
  const otlp::SpanId decode_step = appender.Add(is_served ? model.decode_step : model.aborted_step, request, decode);
  if (is_served) appender.Add(model.decode_engine, decode_step, Inside(rng, decode));
}

}  // namespace spanloom::cli::tracegen
