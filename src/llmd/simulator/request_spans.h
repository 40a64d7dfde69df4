// SPDX-License-Identifier: Apache-2.0
//
// The spans `llm_request` that vLLM makes, one for each sequence, with the names, types and order of its attributes.
// What vLLM does that helps nobody (docs/simulator.md, "Spans") is done only if it is asked for.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "llmd/simulator/sequence.h"
#include "llmd/wire/openai_request.h"
#include "sdk/span_record.h"
#include "sdk/tracer.h"

namespace spanloom::llmd::simulator {

// What a span says of its request.
struct RequestFacts {
  std::string request_id = {};
  size_t prompt_tokens = 0;
  int64_t max_tokens = 0;  // 0: none
  wire::Sampling sampling = {};
  bool is_pooled = false;  // an embedding: nothing is sampled
};

// When the server saw what, in steady time.
struct FrontendTimes {
  int64_t arrival_ns = 0;
  int64_t first_token_ns = 0;  // 0: none came
  int64_t end_ns = 0;
};

// Writes the attributes of a sequence that has ended, and ends the span. One that ended before its time is an error,
// named `error`, which is "" for one that did not.
void EndRequestSpan(sdk::Span& span, const RequestFacts& facts, const FrontendTimes& frontend,
                    const SequenceReport& report, std::string_view error, bool is_faithful);

// Stands between a tracer and its exporter, and makes of spans what vLLM's would be: their start a multiple of 256 ns,
// no flags of W3C, and none at all of requests that failed.
class FaithfulSink final : public sdk::SpanSink {
 public:
  explicit FaithfulSink(sdk::SpanSink& next) : next_(next) {}
  void Take(std::unique_ptr<sdk::SpanRecord> span) override;

 private:
  sdk::SpanSink& next_;
};

}  // namespace spanloom::llmd::simulator
