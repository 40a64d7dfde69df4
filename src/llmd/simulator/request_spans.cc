// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/request_spans.h"

#include <utility>

#include "semconv/names.h"

namespace spanloom::llmd::simulator {
namespace {

namespace gen_ai = semconv::gen_ai;

constexpr int64_t kStartStepNs = 256;  // a double holds today's time in seconds to 238 ns; recorded spans agree

double Seconds(int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e9;
}

// vLLM leaves out what Python holds for false.
void AddSampling(sdk::Span& span, const RequestFacts& facts, bool is_faithful) {
  span.SetDouble(gen_ai::kTopP, facts.sampling.top_p);
  if (facts.max_tokens > 0) span.SetInt(gen_ai::kMaxTokens, facts.max_tokens);
  if (facts.sampling.temperature != 0 || !is_faithful) span.SetDouble(gen_ai::kTemperature, facts.sampling.temperature);
  span.SetInt(gen_ai::kN, is_faithful ? 1 : facts.sampling.n);
}

}  // namespace

void EndRequestSpan(sdk::Span& span, const RequestFacts& facts, const FrontendTimes& frontend,
                    const SequenceReport& report, std::string_view error, bool is_faithful) {
  if (!span.is_recording()) return;
  const SequenceTimes& times = report.times;
  // What did not happen is left out; vLLM subtracts it all the same.
  const bool has_token = times.first_token_ns != 0;
  const bool was_scheduled = times.scheduled_ns != 0;
  if (has_token || is_faithful)
    span.SetDouble(gen_ai::kTimeToFirstToken, Seconds(frontend.first_token_ns - frontend.arrival_ns));
  span.SetDouble(gen_ai::kEndToEnd, Seconds(frontend.end_ns - frontend.arrival_ns));
  if (was_scheduled || is_faithful) span.SetDouble(gen_ai::kTimeInQueue, Seconds(times.scheduled_ns - times.queued_ns));
  span.SetInt(gen_ai::kPromptTokens, static_cast<int64_t>(facts.prompt_tokens));
  span.SetInt(gen_ai::kCompletionTokens, static_cast<int64_t>(report.generated));
  if (has_token || is_faithful) {
    span.SetDouble(gen_ai::kTimeInPrefill, Seconds(times.first_token_ns - times.scheduled_ns));
    span.SetDouble(gen_ai::kTimeInDecode, Seconds(times.last_token_ns - times.first_token_ns));
    span.SetDouble(gen_ai::kTimeInInference, Seconds(times.last_token_ns - times.scheduled_ns));
  }
  span.SetString(gen_ai::kRequestId, facts.request_id);
  if (!facts.is_pooled) AddSampling(span, facts, is_faithful);
  if (!error.empty()) {
    if (!is_faithful) span.SetString(semconv::http::kErrorType, error);
    span.SetStatus(otlp::StatusCode::kError, error);
  }
  span.End();
}

void FaithfulSink::Take(std::unique_ptr<sdk::SpanRecord> span) {
  if (span->status == otlp::StatusCode::kError) return;
  span->start_unix_ns -= span->start_unix_ns % kStartStepNs;
  span->context.flags = 0;
  next_.Take(std::move(span));
}

}  // namespace spanloom::llmd::simulator
