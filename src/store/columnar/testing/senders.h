// SPDX-License-Identifier: Apache-2.0
//
// For tests of what survives: senders of spans who remember what they sent and what was acknowledged, and hold a store
// against that. They outlive the processes that run the store.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "otlp/batch.h"
#include "store/conformance/request_builder.h"
#include "store/span_store.h"

namespace spanloom::store::columnar {

// Thread-compatible. What they send follows from the seed and the calls alone, not from the answers.
class Senders {
 public:
  explicit Senders(uint64_t seed, size_t large_trace_spans = 300) : rng_(seed), large_trace_spans_(large_trace_spans) {}

  // Sends `count` batches at once and waits for all answers. A batch has new traces, late spans of earlier ones, spans
  // that were sent before, or all of these; one of the first has a larger trace. Returns how many were acknowledged.
  // Expects that the others were refused with a code that says "again".
  size_t Send(SpanStore& store, size_t count);

  // What is wrong with the answers of `store`, a line each; empty if nothing is: GetTrace, Fetch and Stats tell of the
  // same spans; those are all that were acknowledged, each once, and none that was never sent.
  [[nodiscard]] std::string FindFault(const SpanStore& store) const;

  // What was sent but nobody answered for: lines for spans in an answer that were not sent, or are there twice.
  // Answers that name damage, and what they lack, are no fault.
  [[nodiscard]] std::string FindInvention(const SpanStore& store) const;

  // Spans that were acknowledged, each counted once.
  [[nodiscard]] size_t acknowledged() const;

 private:
  struct Sent {
    std::string service;
    SpanSpec span;
    bool is_acknowledged = false;
  };
  struct Request {
    otlp::Batch batch;
    std::vector<std::string> keys;  // in sent_
  };

  Request MakeRequest();
  void AddNewTrace(size_t spans, std::vector<Sent>& spans_of_request);
  // The wire form of a span with its origin: equal for a span that is sent again, and only then.
  static std::string KeyOf(const StoredSpan& span);
  [[nodiscard]] std::string Compare(const Trace& trace, std::map<std::string, size_t>& found) const;
  [[nodiscard]] std::string CompareEachTrace(const SpanStore& store, const std::vector<Trace>& traces) const;

  Rng rng_;
  const size_t large_trace_spans_;
  size_t requests_ = 0;
  uint64_t spans_made_ = 0;
  std::vector<std::string> order_;    // keys, as they were sent first
  std::map<std::string, Sent> sent_;  // by key
};

}  // namespace spanloom::store::columnar
