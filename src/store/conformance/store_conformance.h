// SPDX-License-Identifier: Apache-2.0
//
// The tests that every SpanStore runs. An implementation lists STORE_CONFORMANCE_TESTS among its test sources and says
// how it is made:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(StoreFactory{"Memory", MakeMemoryStore}));
//
// What it does not prove: limits, restarts, and what is left after a crash; they are each implementation's own.

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/conformance/request_builder.h"
#include "store/span_store.h"

namespace spanloom::store {

struct StoreFactory {
  std::string name;
  // An empty store with room for 300,000 spans and 64 MiB of them.
  std::function<std::unique_ptr<SpanStore>()> make;
};

class StoreConformance : public testing::TestWithParam<StoreFactory> {
 protected:
  [[nodiscard]] SpanStore& store() { return *store_; }

  // Appends and waits; expects OK.
  void Append(otlp::Batch batch);
  // Each of `spans` in a request of its own, from service "s".
  void AppendEach(const std::vector<SpanSpec>& spans);

  // Expects success.
  [[nodiscard]] Trace GetTrace(const otlp::TraceId& id);
  [[nodiscard]] std::vector<Trace> Find(const TraceQuery& query);
  // The numbers that MakeTraceId was given.
  [[nodiscard]] std::vector<uint64_t> FindNumbers(const TraceQuery& query);

 private:
  std::unique_ptr<SpanStore> store_ = GetParam().make();
};

// "trace id: wire bytes in hexadecimal of each span": equal for equal answers, and readable where they differ.
[[nodiscard]] std::vector<std::string> Describe(const std::vector<Trace>& traces);

}  // namespace spanloom::store
