// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/shape_llmd.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "cli/tracegen/draw.h"
#include "cli/tracegen/llmd_spans.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

namespace gen_ai = semconv::gen_ai;
namespace llm_d = semconv::llm_d;
namespace span_name = semconv::span_name;

// Indexes into the scopes of an EPP and of a sidecar.
constexpr uint32_t kEppScheduler = 0, kEppGateway = 1, kEppKvCache = 2;
constexpr uint32_t kSidecarHttp = 0, kSidecarScheduler = 1;

constexpr int64_t kProfiles = 2;  // decode, then prefill

FleetEmitters::Release Release() {
  return {.epp_service = "gateway-api-inference-extension",
          .epp_scopes = {{EncodeScope(semconv::scope::kScheduler, "")},
                         {EncodeScope(semconv::scope::kGateway, "")},
                         {EncodeScope(semconv::scope::kKvCache, "")}},
          .sidecar = {.resource_wire = EncodeResource({{semconv::resource::kServiceName, "routing-proxy"}}),
                      .schema_url = "",
                      .scopes = {{EncodeScope(semconv::scope::kOtelHttp, "0.66.0")},
                                 {EncodeScope(semconv::scope::kScheduler, "")}}}};
}

// One run of the precise prefix-cache scorer.
struct ScorerTimes {
  Interval scorer;
  Interval get_scores;
  Interval index;
  Interval compute;
};

// What EPP does before it answers Envoy. Recorded durations.
struct SchedulingTimes {
  std::array<Interval, kProfiles + 1> picks;
  std::array<ScorerTimes, kProfiles> scorers;
  Interval prerequest;
};

ScorerTimes DrawScorer(Timeline& timeline, bool is_first) {
  ScorerTimes times;
  times.scorer.start_ns = timeline.now_ns();
  timeline.Pass(4 * kMicrosecond, 7 * kMicrosecond);
  times.get_scores.start_ns = timeline.now_ns();
  // Tokenization; the second run finds the tokens in a cache.
  timeline.Pass(is_first ? 2 * kMillisecond : kMillisecond, is_first ? 20 * kMillisecond : 3 * kMillisecond);
  times.index = timeline.Take(30 * kMicrosecond, 130 * kMicrosecond);
  timeline.Pass(10 * kMicrosecond, 20 * kMicrosecond);
  times.compute = timeline.Take(2 * kMicrosecond, 13 * kMicrosecond);
  timeline.Pass(5 * kMicrosecond, 10 * kMicrosecond);
  times.get_scores.end_ns = timeline.now_ns();
  timeline.Pass(5 * kMicrosecond, 20 * kMicrosecond);
  times.scorer.end_ns = timeline.now_ns();
  return times;
}

SchedulingTimes DrawScheduling(Rng& rng, LlmdShape::PrefixScorer scorer) {
  SchedulingTimes times;
  Timeline timeline(rng, 0);
  timeline.Pass(180 * kMicrosecond, 600 * kMicrosecond);
  for (size_t profile = 0; profile < kProfiles; ++profile) {
    times.picks[profile] = timeline.Take(5 * kMicrosecond, 12 * kMicrosecond);
    timeline.Pass(30 * kMicrosecond, 90 * kMicrosecond);
    if (scorer == LlmdShape::PrefixScorer::kPrecise) times.scorers[profile] = DrawScorer(timeline, profile == 0);
  }
  times.picks[kProfiles] = timeline.Take(kMicrosecond, 4 * kMicrosecond);
  timeline.Pass(8 * kMicrosecond, 40 * kMicrosecond);
  times.prerequest = timeline.Take(3 * kMicrosecond, 7 * kMicrosecond);
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

  void WriteScheduling(const SchedulingTimes& times, LlmdShape::PrefixScorer scorer) {
    for (size_t profile = 0; profile < kProfiles; ++profile) {
      WritePick(times.picks[profile], profile);
      if (scorer == LlmdShape::PrefixScorer::kPrecise) WriteScorer(times.scorers[profile], profile);
    }
    WritePick(times.picks[kProfiles], kProfiles);
    WritePrerequest(times.prerequest);
  }

  void WriteSidecar() {
    const uint32_t sidecar = numbering_.sidecar(request_.pool, request_.decode_pod);
    const SpanOrigin origin = {sidecar, kSidecarScheduler};
    const std::string request_id = SidecarRequestId(rng_, writer_, pool_.decode[request_.decode_pod], request_);
    const otlp::SpanId server = WriteProxyServerSpan(writer_, {sidecar, kSidecarHttp}, request_, gateway_);
    const otlp::SpanId request = WriteProxyRequest(origin, server);
    SpanWriter prefill = writer_.Begin(
        {.origin = origin, .parent = request, .name = span_name::kProxyPrefill, .time = request_.proxy_prefill});
    const otlp::SpanId prefill_id = EndPrefillStep(prefill, fleet_, request_, request_id);
    if (!request_.has_decode_step()) return;
    SpanWriter decode = writer_.Begin(
        {.origin = origin, .parent = prefill_id, .name = span_name::kProxyDecode, .time = request_.proxy_decode});
    EndDecodeStep(decode, request_, request_id);
  }

  void WriteEngines() {
    if (request_.has_prefill_engine()) {
      WriteEngineSpan(writer_, numbering_, fleet_, request_, gateway_, request_.prefill);
    }
    if (request_.has_decode_engine()) {
      WriteEngineSpan(writer_, numbering_, fleet_, request_, gateway_, request_.decode);
    }
  }

  void WriteGateway() {
    const SpanHead head = {.origin = Epp(kEppGateway),
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

  void WritePick(const Interval& time, size_t executed) {
    SpanWriter span = BeginEpp(kEppScheduler, gateway_, span_name::kProfilePick, time);
    span.Int(llm_d::kTotalProfiles, kProfiles)
        .Int(llm_d::kExecutedProfiles, static_cast<int64_t>(executed))
        .String(gen_ai::kRequestModel, pool_.model)
        .String(gen_ai::kRequestId, request_.id);
    if (executed == 0) {
      span.String(llm_d::kDecision, "run_decode").String(llm_d::kSelectedProfile, "decode").End();
    } else if (executed == 1) {
      span.Int(llm_d::kInputTokens, std::max<int64_t>(request_.prompt_tokens * 7 / 10, 1))  // recorded: 0.6 to 0.8
          .String(llm_d::kDecision, "prefill_decode")
          .String(llm_d::kSelectedProfile, "prefill")
          .End();
    } else {
      span.String(llm_d::kDecision, "complete").Bool(llm_d::kDecodeFailed, false).End();
    }
  }

  // The index knows all pods that hold blocks, candidates or not; the scores of candidates are normalised, so the best
  // has 1.
  void WriteScorer(const ScorerTimes& times, size_t profile) {
    const size_t candidates = profile == 0 ? pool_.decode.size() : pool_.prefill.size();
    const bool is_hit = request_.cached_tokens > 0;
    const double score = profile == 1 && is_hit ? 1 : 0;
    const otlp::SpanId scorer = BeginEpp(kEppScheduler, gateway_, span_name::kPrefixCacheScorer, times.scorer)
                                    .Int(llm_d::kScorerCandidates, static_cast<int64_t>(candidates))
                                    .String(gen_ai::kRequestModel, pool_.model)
                                    .String(gen_ai::kRequestId, request_.id)
                                    .Int(llm_d::kScoresComputed, is_hit ? 1 : 0)
                                    .Double(llm_d::kScorerScoreMax, score)
                                    .Double(llm_d::kScorerScoreAvg, score / static_cast<double>(candidates))
                                    .Int(llm_d::kEndpointsScored, static_cast<int64_t>(candidates))
                                    .End();
    WriteKvLookup(times, scorer);
  }

  void WriteKvLookup(const ScorerTimes& times, otlp::SpanId scorer) {
    const int64_t blocks = request_.prompt_tokens / kBlockTokens;
    const int64_t found = request_.cached_tokens / kBlockTokens;
    const otlp::SpanId get_scores =
        BeginEpp(kEppKvCache, scorer, span_name::kKvGetScores, times.get_scores)
            .String(gen_ai::kRequestModel, pool_.model)
            .Int(llm_d::kKvPodCount, 0)  // v0.6 passes no filter
            .Int(llm_d::kKvBlockKeys, blocks)
            .Double(llm_d::kKvHitRatio, blocks == 0 ? 0 : static_cast<double>(found) / static_cast<double>(blocks))
            .Int(llm_d::kKvBlocksFound, found)
            .End();
    BeginEpp(kEppKvCache, get_scores, span_name::kKvIndex, times.index)
        .Int(llm_d::kIndexBlocks, blocks)
        .Int(llm_d::kIndexPodFilter, 0)
        .Bool(llm_d::kIndexHit, found > 0)
        .Int(llm_d::kIndexBlocksFound, found)
        .End();
    SpanWriter compute = BeginEpp(kEppKvCache, get_scores, span_name::kKvScorerCompute, times.compute);
    compute.String(llm_d::kKvAlgorithm, "LongestPrefix").Int(llm_d::kKvKeyCount, blocks);
    if (found > 0) {
      const double score = static_cast<double>(found);
      compute.Double(llm_d::kKvScoreMax, score).Double(llm_d::kKvScoreAvg, score).Int(llm_d::kKvPodsScored, 1);
    }
    compute.End();
  }

  void WritePrerequest(const Interval& time) {
    const Pod& prefill = pool_.prefill[request_.prefill_pod];
    BeginEpp(kEppScheduler, gateway_, span_name::kPdDisaggregation, time)
        .String(gen_ai::kRequestModel, pool_.model)
        .String(gen_ai::kRequestId, request_.id)
        .Bool(llm_d::kPdUsed, true)
        .String(llm_d::kPdPrefillAddress, prefill.address)
        .String(llm_d::kPdPrefillPort, StrCat(kPrefillPort))
        .End();
  }

  otlp::SpanId WriteProxyRequest(SpanOrigin origin, otlp::SpanId server) {
    SpanWriter span = writer_.Begin({.origin = origin,
                                     .parent = server,
                                     .name = span_name::kProxyRequest,
                                     .kind = otlp::SpanKind::kServer,
                                     .time = request_.proxy_request});
    span.String(llm_d::kProxyConnector, kConnector)
        .String(llm_d::kProxyPath, request_.path())
        .Bool(llm_d::kProxyDisaggregated, true)
        .String(llm_d::kProxyPrefillTarget, PrefillTarget(pool_.prefill[request_.prefill_pod]))
        .Int(llm_d::kProxyPrefillCandidates, 1);
    return EndProxySpan(span, request_, request_.proxy_request);
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

LlmdShape::LlmdShape(uint64_t seed, PrefixScorer scorer) : LlmdShape(MakeFleet(seed), seed, scorer) {}

LlmdShape::LlmdShape(Fleet fleet, uint64_t seed, PrefixScorer scorer)
    : TraceShape(FleetEmitters(fleet, Release()).emitters(), seed),
      fleet_(std::move(fleet)),
      numbering_(fleet_, Release()),
      scorer_(scorer) {}

void LlmdShape::Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const {
  Rng rng = RngOf(index);
  LlmdRequest request = DrawQuestion(rng, fleet_, index);
  const SchedulingTimes scheduling = DrawScheduling(rng, scorer_);
  DrawSteps(rng, fleet_, PrefillFailure::kDecodeLocally, scheduling.prerequest.end_ns, request);

  TraceWriter writer(trace, rng, end_unix_ns - request.end_ns());
  RequestSpans spans(writer, rng, fleet_, numbering_, request);
  spans.WriteScheduling(scheduling, scorer_);
  spans.WriteSidecar();
  spans.WriteEngines();
  spans.WriteGateway();
}

}  // namespace spanloom::cli::tracegen
