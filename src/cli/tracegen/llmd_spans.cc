// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/llmd_spans.h"

#include "base/text.h"
#include "cli/tracegen/draw.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

namespace gen_ai = semconv::gen_ai;
namespace http = semconv::http;
namespace llm_d = semconv::llm_d;
namespace span_name = semconv::span_name;

constexpr int64_t kVllmClockStep = 256;  // ns: vLLM's start time is a double in seconds times 1e9

// The difference of two readings of a clock in double seconds, rounding noise included: what Python programs report.
double ClockDifference(double clock_s, int64_t duration_ns) {
  return (clock_s + static_cast<double>(duration_ns) / 1e9) - clock_s;
}

// Whole milliseconds as a double: Go's float64(d.Milliseconds()).
double WholeMs(int64_t duration_ns) {
  const int64_t whole_ms = duration_ns / kMillisecond;
  return static_cast<double>(whole_ms);
}

// The span's start on vLLM's clock: moved back to a multiple of its step.
Interval OnVllmClock(const TraceWriter& writer, Interval time) {
  time.start_ns -= (writer.origin_unix_ns() + time.start_ns) % kVllmClockStep;
  return time;
}

std::string EngineRequestId(const LlmdRequest& request) {
  return request.chat ? StrCat("chatcmpl-", request.id) : StrCat("cmpl-", request.id, "-0");
}

void WriteLatencies(SpanWriter& span, const Pod& pod, const EngineTimes& times, int64_t start_unix_ns,
                    int64_t prompt_tokens, int64_t completion_tokens) {
  const double wall_s = static_cast<double>(start_unix_ns) / 1e9;
  const double prefill_s = ClockDifference(pod.uptime_s, times.prefill_ns);
  const double decode_s = ClockDifference(pod.uptime_s, times.decode_ns);
  span.Double(gen_ai::kTimeToFirstToken, ClockDifference(wall_s, times.first_token_ns))
      .Double(gen_ai::kEndToEnd, ClockDifference(wall_s, times.end_to_end_ns))
      .Double(gen_ai::kTimeInQueue, ClockDifference(pod.uptime_s, times.queue_ns))
      .Int(gen_ai::kPromptTokens, prompt_tokens)
      .Int(gen_ai::kCompletionTokens, completion_tokens)
      .Double(gen_ai::kTimeInPrefill, prefill_s)
      .Double(gen_ai::kTimeInDecode, decode_s)
      .Double(gen_ai::kTimeInInference, prefill_s + decode_s);
}

// Bytes of the JSON bodies, roughly: text at four bytes a token; a streamed token brings its own envelope.
int64_t RequestBytes(const LlmdRequest& request) {
  return 140 + 4 * request.prompt_tokens;
}

int64_t ResponseBytes(const LlmdRequest& request) {
  if (request.http_status != 200) return 195;
  return request.streaming ? 14 + 245 * (request.output_tokens + 1) : 480 + 5 * request.output_tokens;
}

}  // namespace

std::string PrefillTarget(const Pod& pod) {
  return StrCat(pod.address, ":", kPrefillPort);
}

void WriteEngineSpan(TraceWriter& writer, const FleetEmitters& emitters, const Fleet& fleet, const LlmdRequest& request,
                     otlp::SpanId parent, const EngineTimes& times) {
  const bool is_prefill = &times == &request.prefill;
  const Pool& pool = fleet[request.pool];
  const Pod& pod = is_prefill ? pool.prefill[request.prefill_pod] : pool.decode[request.decode_pod];
  const uint32_t emitter = is_prefill ? emitters.prefill(request.pool, request.prefill_pod)
                                      : emitters.decode(request.pool, request.decode_pod);
  const Interval time = OnVllmClock(writer, times.span);
  SpanWriter span = writer.Begin({.origin = {emitter, 0},
                                  .parent = parent,
                                  .name = span_name::kLlmRequest,
                                  .kind = otlp::SpanKind::kServer,
                                  .time = time,
                                  .flags = kPythonRemoteParent});
  WriteLatencies(span, pod, times, writer.origin_unix_ns() + time.start_ns, request.prompt_tokens,
                 is_prefill ? 1 : request.output_tokens);
  span.String(gen_ai::kRequestId, EngineRequestId(request))
      .Double(gen_ai::kTopP, 1.0)
      .Int(gen_ai::kMaxTokens, is_prefill ? 1 : request.max_tokens);
  if (!request.greedy) span.Double(gen_ai::kTemperature, 1.0);
  span.Int(gen_ai::kN, 1).End();
}

otlp::SpanId WriteProxyServerSpan(TraceWriter& writer, SpanOrigin origin, const LlmdRequest& request,
                                  otlp::SpanId parent) {
  const std::string name = StrCat(span_name::kProxyServerPrefix, "POST ", request.path());
  SpanWriter span = writer.Begin({.origin = origin,
                                  .parent = parent,
                                  .name = name,
                                  .kind = otlp::SpanKind::kServer,
                                  .time = request.proxy_server,
                                  .flags = kGoRemoteParent});
  span.String(http::kServerAddress, "inference-gateway.llm-d.svc.cluster.local")
      .String(http::kRequestMethod, "POST")
      .String(http::kUrlScheme, "http")
      .Int(http::kServerPort, kGatewayPort)
      .String(http::kPeerAddress, "10.244.1.14")
      .Int(http::kPeerPort, request.peer_port)
      .String(http::kClientAddress, request.client_address)
      .String(http::kUrlPath, request.path())
      .String(http::kProtocolVersion, "1.1");
  if (request.outcome == Outcome::kAborted) {
    return span.Exception(request.proxy_server.end_ns + 2 * kMicrosecond, kAbortType, kAbortMessage).End();
  }
  return span.Int(http::kRequestBodySize, RequestBytes(request))
      .Int(http::kResponseBodySize, ResponseBytes(request))
      .Int(http::kStatusCode, request.http_status)
      .End(request.http_status >= 500 ? otlp::StatusCode::kError : otlp::StatusCode::kUnset);
}

otlp::SpanId EndPrefillStep(SpanWriter& span, const Fleet& fleet, const LlmdRequest& request,
                            std::string_view request_id) {
  const bool failed = !request.has_prefill_engine();
  const int64_t status = !failed ? 200 : request.outcome == Outcome::kRejected ? 400 : 502;
  span.String(llm_d::kProxyRequestId, request_id)
      .String(llm_d::kProxyPrefillTarget, PrefillTarget(fleet[request.pool].prefill[request.prefill_pod]))
      .String(llm_d::kProxyConnector, kConnector)
      .Int(llm_d::kPrefillStatus, status)
      .Double(llm_d::kPrefillMs, WholeMs(request.proxy_prefill.duration_ns()));
  return failed ? span.End(otlp::StatusCode::kError, "prefill request failed") : span.End();
}

otlp::SpanId EndDecodeStep(SpanWriter& span, const LlmdRequest& request, std::string_view request_id) {
  span.String(llm_d::kProxyRequestId, request_id)
      .String(llm_d::kProxyConnector, kConnector)
      .Bool(llm_d::kDecodeStreaming, request.streaming)
      .Bool(llm_d::kDecodeDataParallel, false)
      .String(llm_d::kDecodeTarget, kDecodeTarget);
  if (request.outcome == Outcome::kAborted) {
    return span.Exception(request.proxy_decode.end_ns + 60 * kMicrosecond, kAbortType, kAbortMessage).End();
  }
  const int64_t arrival_ns = request.proxy_request.start_ns;
  const int64_t dispatch_ns = request.proxy_decode.start_ns;
  const double decode_ms = WholeMs(request.proxy_decode.duration_ns());
  return span.Double(llm_d::kDecodeMs, decode_ms)
      .Double(llm_d::kTotalMs, WholeMs(request.proxy_decode.end_ns - arrival_ns))
      .Double(llm_d::kTrueTtftMs, WholeMs(dispatch_ns - arrival_ns))
      .Double(llm_d::kTotalPrefillMs, WholeMs(request.proxy_prefill.duration_ns()))
      .Double(llm_d::kTotalDecodeMs, decode_ms)
      .Double(llm_d::kCoordinatorMs, WholeMs(dispatch_ns - request.proxy_prefill.end_ns))
      .End();
}

otlp::SpanId EndProxySpan(SpanWriter& span, const LlmdRequest& request, const Interval& time) {
  if (request.outcome == Outcome::kAborted) {
    span.Exception(time.end_ns + 2 * kMicrosecond, kAbortType, kAbortMessage);
  }
  return span.End();
}

std::string SidecarRequestId(Rng& rng, const TraceWriter& writer, const Pod& decode_pod, const LlmdRequest& request) {
  return UuidV1(rng, writer.origin_unix_ns() + request.proxy_request.start_ns, decode_pod.card_address);
}

}  // namespace spanloom::cli::tracegen
