// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/shape_llmd_head.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "cli/tracegen/draw.h"
#include "cli/tracegen/llmd_spans.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

namespace gen_ai = semconv::gen_ai;
namespace http = semconv::http;
namespace llm_d = semconv::llm_d;
namespace router = semconv::llm_d_router;
namespace span_name = semconv::span_name;

// Indexes into the scopes of an EPP and of a sidecar.
constexpr uint32_t kEppPlugins = 0, kEppScheduling = 1, kEppRequestControl = 2, kEppHandlers = 3;
constexpr uint32_t kSidecarHttp = 0, kSidecarProxy = 1;

constexpr size_t kProfiles = 2;  // decode, then prefill
constexpr std::array<std::string_view, kProfiles + 1> kDecisions = {"run_decode", "run_prefill",
                                                                    "complete_prefill-decode"};
constexpr double kPrefixWeight = 2, kQueueWeight = 1;

// The recorded builds were made without a commit.
Emitter::Scope RouterScope(std::string_view name) {
  return {EncodeScope(name, "", {{semconv::scope::kCommitSha, ""}})};
}

FleetEmitters::Release Release() {
  namespace scope = semconv::scope;
  namespace resource = semconv::resource;
  return {.epp_service = "llm-d-router/epp",
          .epp_scopes = {RouterScope(scope::kRouterPlugins), RouterScope(scope::kRouterScheduling),
                         RouterScope(scope::kRouterRequestControl), RouterScope(scope::kRouterHandlers)},
          .sidecar = {.resource_wire =
                          EncodeResource({{resource::kServiceName, "routing-proxy"}, {resource::kServiceVersion, ""}}),
                      .schema_url = std::string(resource::kSchemaUrl),
                      .scopes = {{EncodeScope(scope::kOtelHttp, "0.68.0")}, RouterScope(scope::kRouterSidecar)}}};
}

// One run of a scheduler profile.
struct ProfileTimes {
  Interval run;
  Interval filter;
  Interval scoring;
  Interval prefix_scorer;
  Interval queue_scorer;
  Interval picker;
};

// What EPP does before it answers Envoy. Recorded durations.
struct SchedulingTimes {
  Interval orchestration;
  std::array<Interval, kProfiles + 1> picks;
  std::array<ProfileTimes, kProfiles> profiles;
  Interval prepare;
};

void DrawScorers(Timeline& timeline, ProfileTimes& times) {
  times.scoring.start_ns = timeline.now_ns();
  timeline.Pass(4 * kMicrosecond, 8 * kMicrosecond);
  times.prefix_scorer = timeline.Take(3 * kMicrosecond, 12 * kMicrosecond);
  timeline.Pass(3 * kMicrosecond, 6 * kMicrosecond);
  times.queue_scorer = timeline.Take(2 * kMicrosecond, 6 * kMicrosecond);
  timeline.Pass(kMicrosecond, 2 * kMicrosecond);
  times.scoring.end_ns = timeline.now_ns();
}

ProfileTimes DrawProfile(Timeline& timeline) {
  ProfileTimes times;
  times.run.start_ns = timeline.now_ns();
  timeline.Pass(3 * kMicrosecond, 10 * kMicrosecond);
  times.filter = timeline.Take(5 * kMicrosecond, 13 * kMicrosecond);
  timeline.Pass(2 * kMicrosecond, 4 * kMicrosecond);
  DrawScorers(timeline, times);
  timeline.Pass(2 * kMicrosecond, 8 * kMicrosecond);
  times.picker = timeline.Take(3 * kMicrosecond, 13 * kMicrosecond);
  timeline.Pass(kMicrosecond, 2 * kMicrosecond);
  times.run.end_ns = timeline.now_ns();
  return times;
}

SchedulingTimes DrawScheduling(Rng& rng) {
  SchedulingTimes times;
  Timeline timeline(rng, 0);
  timeline.Pass(90 * kMicrosecond, 250 * kMicrosecond);
  times.orchestration.start_ns = timeline.now_ns();
  timeline.Pass(120 * kMicrosecond, 180 * kMicrosecond);
  for (size_t profile = 0; profile < kProfiles; ++profile) {
    times.picks[profile] = timeline.Take(3 * kMicrosecond, 10 * kMicrosecond);
    timeline.Pass(3 * kMicrosecond, 40 * kMicrosecond);
    times.profiles[profile] = DrawProfile(timeline);
    timeline.Pass(2 * kMicrosecond, 4 * kMicrosecond);
  }
  times.picks[kProfiles] = timeline.Take(5 * kMicrosecond, 9 * kMicrosecond);
  timeline.Pass(10 * kMicrosecond, 40 * kMicrosecond);
  times.prepare = timeline.Take(4 * kMicrosecond, 9 * kMicrosecond);
  timeline.Pass(15 * kMicrosecond, 30 * kMicrosecond);
  times.orchestration.end_ns = timeline.now_ns();
  return times;
}

// Writes the spans of one request. Lives for one call of Generate.
class RequestSpans {
 public:
  RequestSpans(TraceWriter& writer, Rng& rng, const Fleet& fleet, const FleetEmitters& numbering,
               const LlmdRequest& request)
      : writer_(writer),
        rng_(rng),
        fleet_(fleet),
        numbering_(numbering),
        request_(request),
        pool_(fleet[request.pool]),
        gateway_(writer.NewSpanId()) {}

  void WriteScheduling(const SchedulingTimes& times) {
    const otlp::SpanId orchestration = writer_
                                           .Begin({.origin = Epp(kEppRequestControl),
                                                   .parent = gateway_,
                                                   .name = span_name::kOrchestration,
                                                   .kind = otlp::SpanKind::kServer,
                                                   .time = times.orchestration})
                                           .String(router::kTargetModel, pool_.model)
                                           .Int(router::kRequestPriority, 0)
                                           .End();
    for (size_t run = 0; run <= kProfiles; ++run) {
      WritePick(times.picks[run], orchestration, kDecisions[run]);
      if (run < kProfiles) WriteProfile(times.profiles[run], orchestration, /*is_decode=*/run == 0);
    }
    WritePrepare(times.prepare, orchestration);
  }

  void WriteSidecar() {
    const uint32_t sidecar = numbering_.sidecar(request_.pool, request_.decode_pod);
    const SpanOrigin proxy = {sidecar, kSidecarProxy};
    const SpanOrigin client = {sidecar, kSidecarHttp};
    const std::string request_id = SidecarRequestId(rng_, writer_, pool_.decode[request_.decode_pod], request_);
    const otlp::SpanId server = WriteProxyServerSpan(writer_, client, request_, gateway_);
    const otlp::SpanId forward = WriteForwardRequest(proxy, server);
    const otlp::SpanId prefill = WritePrefillStep(proxy, forward, request_id);
    WritePrefillLeg(client, prefill);
    if (!request_.has_decode_step()) return;
    SpanWriter decode =
        writer_.Begin({.origin = proxy, .parent = prefill, .name = span_name::kDecode, .time = request_.proxy_decode});
    WriteDecodeLeg(client, EndDecodeStep(decode, request_, request_id));
  }

  // ERROR for the client's sake is not EPP's: the span stays unset whatever the backend answered.
  void WriteGateway() {
    const SpanHead head = {.origin = Epp(kEppHandlers),
                           .name = span_name::kGatewayRequest,
                           .kind = otlp::SpanKind::kServer,
                           .time = request_.gateway};
    writer_.Begin(head, gateway_).End();
  }

 private:
  [[nodiscard]] SpanOrigin Epp(uint32_t scope) const { return {numbering_.epp(request_.pool), scope}; }

  SpanWriter BeginEpp(uint32_t scope, otlp::SpanId parent, std::string_view name, const Interval& time) {
    return writer_.Begin({.origin = Epp(scope), .parent = parent, .name = name, .time = time});
  }

  SpanWriter& WriteModelAndId(SpanWriter& span) {
    return span.String(gen_ai::kRequestModel, pool_.model).String(gen_ai::kRequestId, request_.id);
  }

  void WritePick(const Interval& time, otlp::SpanId parent, std::string_view decision) {
    SpanWriter span = BeginEpp(kEppPlugins, parent, span_name::kPickDisaggProfile, time);
    WriteModelAndId(span)
        .String(router::kModality, "none")
        .Int(router::kHashCount, 0)
        .String(router::kDecision, decision)
        .End();
  }

  void WriteProfile(const ProfileTimes& times, otlp::SpanId parent, bool is_decode) {
    const std::vector<Pod>& pods = is_decode ? pool_.decode : pool_.prefill;
    const otlp::SpanId run = BeginEpp(kEppScheduling, parent, span_name::kRunSchedulerProfile, times.run)
                                 .String(router::kProfileName, is_decode ? "decode" : "prefill")
                                 .End();
    WriteFilter(times.filter, run, pods.size());
    // The prefix cache that shortens this request is the prefill pod's; decode pods hold what earlier turns left there.
    const double prefix = PrefixScore() * (is_decode ? 0.5 : 1);
    const double queue = 1 - request_.load * 0.5;
    WriteScoring(times, run, pods.size(), prefix, queue);
    const Pod& chosen = pods[is_decode ? request_.decode_pod : request_.prefill_pod];
    WritePicker(times.picker, run, pods.size(), chosen, kPrefixWeight * prefix + kQueueWeight * queue);
  }

  // Share of the prompt that is cached.
  [[nodiscard]] double PrefixScore() const {
    return static_cast<double>(request_.cached_tokens) / static_cast<double>(request_.prompt_tokens);
  }

  void WriteFilter(const Interval& time, otlp::SpanId run, size_t left) {
    const size_t all = pool_.decode.size() + pool_.prefill.size();
    SpanWriter span = BeginEpp(kEppScheduling, run, span_name::kFilterEndpoints, time);
    span.Int(router::kFilterCandidates, static_cast<int64_t>(all));
    WriteModelAndId(span).Int(router::kFilterLeft, static_cast<int64_t>(left)).End();
  }

  void WriteScoring(const ProfileTimes& times, otlp::SpanId run, size_t candidates, double prefix, double queue) {
    SpanWriter span = BeginEpp(kEppScheduling, run, span_name::kScoring, times.scoring);
    span.Int(router::kScorerCount, 2).Int(router::kScoringCandidates, static_cast<int64_t>(candidates));
    const otlp::SpanId scoring = WriteModelAndId(span).End();
    // Only one pod holds the prefix, so the mean over the candidates is the best by their number.
    WriteScorer(times.prefix_scorer, scoring, "prefix-cache-scorer", kPrefixWeight, candidates, prefix,
                prefix / static_cast<double>(candidates));
    WriteScorer(times.queue_scorer, scoring, "queue-scorer", kQueueWeight, candidates, queue, queue * 0.9);
  }

  void WriteScorer(const Interval& time, otlp::SpanId scoring, std::string_view type, double weight, size_t candidates,
                   double score_max, double score_avg) {
    BeginEpp(kEppScheduling, scoring, StrCat(span_name::kScorerPrefix, type), time)
        .String(router::kScorerType, type)
        .String(router::kScorerName, type)
        .Double(router::kScorerWeight, weight)
        .Int(router::kScorerCandidates, static_cast<int64_t>(candidates))
        .Double(router::kScorerScoreMax, score_max)
        .Double(router::kScorerScoreAvg, score_avg)
        .Int(router::kScorerScored, static_cast<int64_t>(candidates))
        .End();
  }

  void WritePicker(const Interval& time, otlp::SpanId run, size_t candidates, const Pod& chosen, double score) {
    SpanWriter span = BeginEpp(kEppScheduling, run, span_name::kPickEndpoints, time);
    span.Int(router::kPickerCandidates, static_cast<int64_t>(candidates))
        .Strings(router::kPickerEndpoints, {StrCat(kClusterNamespace, "/", chosen.name)})
        .Doubles(router::kPickerScores, {score});
    WriteModelAndId(span).End();
  }

  void WritePrepare(const Interval& time, otlp::SpanId parent) {
    SpanWriter span = BeginEpp(kEppPlugins, parent, span_name::kPrepareDisaggregation, time);
    WriteModelAndId(span)
        .String(router::kModality, "none")
        .Int(router::kHashCount, 0)
        .Bool(llm_d::kPdUsed, true)
        .String(llm_d::kPdPrefillAddress, pool_.prefill[request_.prefill_pod].address)
        .String(llm_d::kPdPrefillPort, StrCat(kPrefillPort))
        .Bool(router::kEncodeUsed, false)
        .String(router::kEncodeReason, "no_encode_profile_result")
        .End();
  }

  otlp::SpanId WriteForwardRequest(SpanOrigin origin, otlp::SpanId server) {
    SpanWriter span = writer_.Begin({.origin = origin,
                                     .parent = server,
                                     .name = span_name::kForwardRequest,
                                     .kind = otlp::SpanKind::kServer,
                                     .time = request_.proxy_request});
    span.String(llm_d::kProxyConnector, kConnector)
        .String(router::kKvConnector, kConnector)
        .String(router::kEcConnector, "")
        .String(llm_d::kProxyPath, request_.path())
        .String(router::kOpenAiApi, "chat_completions")  // whatever the path, in the recorded release
        .Bool(llm_d::kProxyDisaggregated, true)
        .String(llm_d::kProxyPrefillTarget, PrefillTarget(pool_.prefill[request_.prefill_pod]))
        .Int(llm_d::kProxyPrefillCandidates, 1);
    return EndProxySpan(span, request_, request_.proxy_request);
  }

  otlp::SpanId WritePrefillStep(SpanOrigin origin, otlp::SpanId forward, std::string_view request_id) {
    SpanWriter span = writer_.Begin(
        {.origin = origin, .parent = forward, .name = span_name::kPrefill, .time = request_.proxy_prefill});
    return EndPrefillStep(span, fleet_, request_, request_id);
  }

  // Begins the CLIENT span of a leg: a little inside its step.
  SpanWriter BeginLeg(SpanOrigin origin, otlp::SpanId step, const Interval& step_time, std::string_view host,
                      int64_t port) {
    const Interval time = {step_time.start_ns + Between(rng_, 25 * kMicrosecond, 150 * kMicrosecond),
                           step_time.end_ns - Between(rng_, 15 * kMicrosecond, 90 * kMicrosecond)};
    SpanWriter span = writer_.Begin({.origin = origin,
                                     .parent = step,
                                     .name = span_name::kHttpPost,
                                     .kind = otlp::SpanKind::kClient,
                                     .time = time});
    span.String(http::kRequestMethod, "POST")
        .String(http::kUrlFull, StrCat("http://", host, ":", port, request_.path()))
        .String(http::kServerAddress, host)
        .Int(http::kServerPort, port)
        .String(http::kProtocolVersion, "1.1");
    return span;
  }

  void WritePrefillLeg(SpanOrigin origin, otlp::SpanId step) {
    const Pod& pod = pool_.prefill[request_.prefill_pod];
    SpanWriter span = BeginLeg(origin, step, request_.proxy_prefill, pod.address, kPrefillPort);
    if (request_.outcome == Outcome::kRejected) {
      span.Int(http::kStatusCode, 400).String(http::kErrorType, "400").End(otlp::StatusCode::kError);
      return;
    }
    if (request_.outcome == Outcome::kPrefillFailed) {
      const std::string reason = StrCat("dial tcp ", PrefillTarget(pod), ": connect: connection refused");
      span.String(http::kErrorType, "*net.OpError").End(otlp::StatusCode::kError, reason);
      return;
    }
    const otlp::SpanId leg = span.Int(http::kStatusCode, 200).End();
    WriteEngineSpan(writer_, numbering_, fleet_, request_, leg, request_.prefill);
  }

  void WriteDecodeLeg(SpanOrigin origin, otlp::SpanId step) {
    SpanWriter span = BeginLeg(origin, step, request_.proxy_decode, "localhost", kDecodePort);
    span.Int(http::kStatusCode, 200);
    if (request_.outcome == Outcome::kAborted) {
      span.String(http::kErrorType, kAbortType).End(otlp::StatusCode::kError, "context canceled");
      return;
    }
    WriteEngineSpan(writer_, numbering_, fleet_, request_, span.End(), request_.decode);
  }

  TraceWriter& writer_;
  Rng& rng_;
  const Fleet& fleet_;
  const FleetEmitters& numbering_;
  const LlmdRequest& request_;
  const Pool& pool_;
  otlp::SpanId gateway_;
};

}  // namespace

LlmdHeadShape::LlmdHeadShape(uint64_t seed) : LlmdHeadShape(MakeFleet(seed), seed) {}

LlmdHeadShape::LlmdHeadShape(Fleet fleet, uint64_t seed)
    : TraceShape(FleetEmitters(fleet, Release()).emitters(), seed),
      fleet_(std::move(fleet)),
      numbering_(fleet_, Release()) {}

void LlmdHeadShape::Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const {
  Rng rng = RngOf(index);
  LlmdRequest request = DrawQuestion(rng, fleet_, index);
  const SchedulingTimes scheduling = DrawScheduling(rng);
  DrawSteps(rng, fleet_, PrefillFailure::kBadGateway, scheduling.orchestration.end_ns, request);

  TraceWriter writer(trace, rng, end_unix_ns - request.end_ns());
  RequestSpans spans(writer, rng, fleet_, numbering_, request);
  spans.WriteScheduling(scheduling);
  spans.WriteSidecar();
  spans.WriteGateway();
}

}  // namespace spanloom::cli::tracegen
