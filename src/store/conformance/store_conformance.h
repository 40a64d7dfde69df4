// SPDX-License-Identifier: Apache-2.0
//
// The tests that every SpanStore runs. An implementation lists STORE_CONFORMANCE_TESTS among its test sources and says
// how it is made:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(StoreFactory{"Memory", MakeMemoryStore}));
//
// What a store does not declare (Capabilities) is tested to be refused.
//
// What it does not prove: limits, restarts, and what is left after a crash; they are each implementation's own.

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/conformance/request_builder.h"
#include "store/span_store.h"

namespace spanloom::store {

struct StoreFactory {
  std::string name;
  // An empty store with room for 300,000 spans and 64 MiB of them. The clock outlives it. A store that has requests
  // derives them with `deriver`.
  std::function<std::unique_ptr<SpanStore>(const Clock& clock, const RequestDeriver& deriver)> make;
  // Left out where every answer looks at everything: traces of a hundred thousand spans.
  bool runs_large_tests = true;
};

// For tests: a row for each span called "request", with its attributes "model", "ttft" and "tokens"; provisional until
// the trace has a span called "end", or 10 s after its last span.
[[nodiscard]] std::vector<RequestRow> DeriveFakeRequests(const Trace& trace, uint64_t now_unix_ns);

class StoreConformance : public testing::TestWithParam<StoreFactory> {
 protected:
  [[nodiscard]] SpanStore& store() { return *store_; }
  [[nodiscard]] SimClock& clock() { return clock_; }

  // Appends and waits; expects OK.
  void Append(otlp::Batch batch);
  // Each of `spans` in a request of its own, from service "s".
  void AppendEach(const std::vector<SpanSpec>& spans);

  // Expect success.
  [[nodiscard]] Trace GetTrace(const otlp::TraceId& id);
  [[nodiscard]] std::vector<SpanBatch> Fetch(FetchPlan plan);
  [[nodiscard]] std::vector<Trace> Find(const FetchPlan& plan);
  // The numbers that MakeTraceId was given.
  [[nodiscard]] std::vector<uint64_t> FindNumbers(const FetchPlan& plan);
  // The numbers that MakeSpanId was given, of the spans that meet `predicate`, ascending.
  [[nodiscard]] std::vector<uint64_t> MatchingSpans(const Predicate& predicate, const TimeRange& starts = {});

 private:
  SimClock clock_;
  std::unique_ptr<SpanStore> store_ =
      GetParam().make(clock_, RequestDeriver{.version = 1, .derive = DeriveFakeRequests});
};

// A condition in fewer words.
[[nodiscard]] Predicate Has(Field field, Comparison comparison, Value operand = {});
[[nodiscard]] Predicate Is(Intrinsic intrinsic, Value operand);
[[nodiscard]] Predicate HasTag(std::string key, std::string_view text);

// The whole text of a plan, for messages of failed tests.
[[nodiscard]] std::string Describe(const FetchPlan& plan);

// "trace id: wire bytes in hexadecimal of each span": equal for equal answers, and readable where they differ.
[[nodiscard]] std::vector<std::string> Describe(const std::vector<Trace>& traces);
// A line for each row, with all that it has: batches may be cut anywhere.
[[nodiscard]] std::vector<std::string> Describe(const std::vector<SpanBatch>& batches);

// The number that an id was made from.
[[nodiscard]] uint64_t NumberOf(std::string_view id);

}  // namespace spanloom::store
