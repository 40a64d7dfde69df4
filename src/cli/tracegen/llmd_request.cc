// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/llmd_request.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/text.h"
#include "cli/tracegen/draw.h"

namespace spanloom::cli::tracegen {
namespace {

// All numbers below are guesses, within what reference deployments report, unless a comment says otherwise.
constexpr int64_t kContextTokens = 32'768;
constexpr int64_t kLoadPeriod = 4'000;                                 // requests from one rush hour to the next
constexpr std::array<int64_t, 4> kMaxTokens = {128, 512, 1024, 4096};  // that clients ask for
constexpr double kAbortedShare = 0.015;
constexpr double kPrefillFailedShare = 0.015;
constexpr double kRejectedShare = 0.01;
constexpr double kPrefixHitShare = 0.45;

// Slow swing between idle and busy, the same for all requests of a moment.
double LoadOf(uint64_t index) {
  const double phase = static_cast<double>(index % kLoadPeriod) / kLoadPeriod;
  return 0.5 + 0.42 * std::sin(2 * std::numbers::pi * phase);
}

Outcome DrawOutcome(Rng& rng) {
  double draw = rng.Unit();
  if ((draw -= kAbortedShare) < 0) return Outcome::kAborted;
  if ((draw -= kPrefillFailedShare) < 0) return Outcome::kPrefillFailed;
  if ((draw -= kRejectedShare) < 0) return Outcome::kRejected;
  return Outcome::kServed;
}

// Conversations and shared system prompts: some blocks of the prompt are there already, from its start.
int64_t DrawCachedTokens(Rng& rng, int64_t prompt_tokens) {
  if (!Chance(rng, kPrefixHitShare)) return 0;
  const int64_t blocks = (prompt_tokens - 1) / kBlockTokens;
  return static_cast<int64_t>(static_cast<double>(blocks) * (0.3 + 0.65 * rng.Unit())) * kBlockTokens;
}

void DrawTokens(Rng& rng, LlmdRequest& request) {
  const bool rejected = request.outcome == Outcome::kRejected;
  request.prompt_tokens = rejected ? kContextTokens + Between(rng, 1, kContextTokens)
                                   : LogNormal(rng, 900, 2.6, 4, kContextTokens - kMaxTokens.back());
  request.cached_tokens = rejected ? 0 : DrawCachedTokens(rng, request.prompt_tokens);
  request.max_tokens = kMaxTokens[rng.Below(kMaxTokens.size())];
  request.output_tokens = LogNormal(rng, 160, 2.2, 1, request.max_tokens);
}

// Requests wait for a prefill pod only if it computes another prompt: mostly not, much in a rush.
int64_t DrawPrefillQueue(Rng& rng, double load) {
  const int64_t unloaded_ns = Between(rng, 12 * kMicrosecond, 50 * kMicrosecond);  // recorded median: 25 us
  if (!Chance(rng, load * load)) return unloaded_ns;
  return unloaded_ns + static_cast<int64_t>(Exponential(rng, 40e6 * load / (1 - load)));
}

// What the engine's front end adds before the first token: rendering, tokenizing, passing on.
int64_t DrawOverhead(Rng& rng, int64_t prompt_tokens) {
  return Between(rng, 2 * kMillisecond, 9 * kMillisecond) + prompt_tokens * 1'200;
}

// Adds up the parts of `times` that are set, from `start_ns` on.
void CloseEngineTimes(Rng& rng, int64_t start_ns, int64_t overhead_ns, EngineTimes& times) {
  times.first_token_ns = overhead_ns + times.queue_ns + times.prefill_ns;
  times.end_to_end_ns = times.first_token_ns;
  if (times.decode_ns > 0) times.end_to_end_ns += times.decode_ns + Between(rng, 20 * kMicrosecond, kMillisecond);
  const int64_t tail_ns = Between(rng, 300 * kMicrosecond, 1'100 * kMicrosecond);  // recorded: 0.2 to 1.2 ms, mostly
  times.span = {start_ns, start_ns + times.end_to_end_ns + tail_ns};
}

int64_t ComputeNs(Rng& rng, const Pool& pool, int64_t tokens) {
  return pool.prefill_step_ns + tokens * pool.prefill_token_ns * Between(rng, 95, 115) / 100;
}

EngineTimes DrawPrefillEngine(Rng& rng, const Pool& pool, const LlmdRequest& request, int64_t start_ns) {
  EngineTimes times;
  times.queue_ns = DrawPrefillQueue(rng, request.load);
  times.prefill_ns = ComputeNs(rng, pool, request.prompt_tokens - request.cached_tokens);
  CloseEngineTimes(rng, start_ns, DrawOverhead(rng, request.prompt_tokens), times);
  return times;
}

EngineTimes DrawDecodeEngine(Rng& rng, const Pool& pool, const LlmdRequest& request, int64_t start_ns) {
  EngineTimes times;
  if (request.decoded_locally) {
    times.queue_ns = DrawPrefillQueue(rng, request.load);
    times.prefill_ns = ComputeNs(rng, pool, request.prompt_tokens);
  } else {
    times.queue_ns = Between(rng, 5 * kMillisecond, 12 * kMillisecond) +
                     request.prompt_tokens * pool.kv_token_ns * Between(rng, 80, 180) / 100;
    times.prefill_ns = pool.decode_step_ns + Between(rng, 0, pool.decode_step_ns / 2);
  }
  const double step_ns =
      static_cast<double>(pool.decode_step_ns) * (1 + 0.9 * request.load) * (0.95 + 0.1 * rng.Unit());
  times.decode_ns = static_cast<int64_t>(step_ns * static_cast<double>(request.output_tokens - 1));
  CloseEngineTimes(rng, start_ns, DrawOverhead(rng, request.prompt_tokens), times);
  return times;
}

// From one process to another on the cluster's network, the receiver's HTTP stack included.
void CrossNetwork(Timeline& timeline) {
  timeline.Pass(900 * kMicrosecond, 5 * kMillisecond);
}

void DrawPrefillStep(Rng& rng, const Pool& pool, Timeline& timeline, LlmdRequest& request) {
  const int64_t start_ns = timeline.now_ns();
  if (request.has_prefill_engine()) {
    CrossNetwork(timeline);
    request.prefill = DrawPrefillEngine(rng, pool, request, timeline.now_ns());
    timeline.Pass(request.prefill.span.duration_ns());
    CrossNetwork(timeline);
  } else if (request.outcome == Outcome::kRejected) {
    timeline.Pass(20 * kMillisecond, 70 * kMillisecond);  // recorded: 44 and 70 ms
  } else {
    timeline.Pass(400 * kMicrosecond, 3 * kMillisecond);  // a refused connection
  }
  request.proxy_prefill = {start_ns, timeline.now_ns()};
}

void DrawDecodeStep(Rng& rng, const Pool& pool, Timeline& timeline, LlmdRequest& request) {
  timeline.Pass(40 * kMicrosecond, 200 * kMicrosecond);  // recorded: 0.1 to 0.2 ms after the end of prefill
  const int64_t start_ns = timeline.now_ns();
  CrossNetwork(timeline);
  request.decode = DrawDecodeEngine(rng, pool, request, timeline.now_ns());
  if (request.outcome == Outcome::kAborted) {
    timeline.Pass(0, request.decode.span.duration_ns());
  } else {
    timeline.Pass(request.decode.span.duration_ns());
    timeline.Pass(300 * kMicrosecond, 4 * kMillisecond);
  }
  request.proxy_decode = {start_ns, timeline.now_ns()};
}

}  // namespace

int64_t LlmdRequest::end_ns() const {
  return std::max(gateway.end_ns, proxy_server.end_ns);
}

LlmdRequest DrawQuestion(Rng& rng, const Fleet& fleet, uint64_t index) {
  LlmdRequest request;
  request.pool = rng.Below(fleet.size());
  const Pool& pool = fleet[request.pool];
  request.outcome = DrawOutcome(rng);
  request.id = UuidV4(rng);
  const bool aborted = request.outcome == Outcome::kAborted;  // people who lose patience with a chat
  request.chat = Chance(rng, 0.7) || aborted;
  request.streaming = Chance(rng, 0.7) || aborted;
  request.greedy = Chance(rng, 0.15);
  DrawTokens(rng, request);
  request.prefill_pod = rng.Below(pool.prefill.size());
  request.decode_pod = rng.Below(pool.decode.size());
  request.peer_port = 32'768 + Between(rng, 0, 63) * 11;  // the gateway keeps a few connections alive
  request.client_address = StrCat("10.", 8 + rng.Below(8), ".", rng.Below(256), ".", 1 + rng.Below(254));
  request.load = LoadOf(index);
  return request;
}

void DrawSteps(Rng& rng, const Fleet& fleet, PrefillFailure on_failure, int64_t scheduled_ns, LlmdRequest& request) {
  const Pool& pool = fleet[request.pool];
  const bool failed = request.outcome == Outcome::kPrefillFailed;
  request.decoded_locally = failed && on_failure == PrefillFailure::kDecodeLocally;
  if (failed && !request.decoded_locally) request.http_status = 502;
  if (request.outcome == Outcome::kRejected) request.http_status = 400;

  Timeline timeline(rng, scheduled_ns);
  CrossNetwork(timeline);
  request.proxy_server.start_ns = timeline.now_ns();
  timeline.Pass(12 * kMicrosecond, 60 * kMicrosecond);
  request.proxy_request.start_ns = timeline.now_ns();
  timeline.Pass(40 * kMicrosecond, 250 * kMicrosecond);
  DrawPrefillStep(rng, pool, timeline, request);
  if (request.has_decode_step() || request.decoded_locally) DrawDecodeStep(rng, pool, timeline, request);
  timeline.Pass(10 * kMicrosecond, 40 * kMicrosecond);
  request.proxy_request.end_ns = timeline.now_ns();
  timeline.Pass(10 * kMicrosecond, 50 * kMicrosecond);
  request.proxy_server.end_ns = timeline.now_ns();

  // A client that goes away takes the gateway's span with it, a moment before the sidecar notices.
  if (request.outcome == Outcome::kAborted) {
    request.gateway.end_ns = request.proxy_server.end_ns - 300 * kMicrosecond;
  } else {
    timeline.Pass(kMillisecond, 8 * kMillisecond);
    request.gateway.end_ns = timeline.now_ns();
  }
}

}  // namespace spanloom::cli::tracegen
