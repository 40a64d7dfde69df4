// SPDX-License-Identifier: Apache-2.0

#include "store/conformance/store_conformance.h"

#include <absl/strings/escaping.h>

#include <utility>

#include "base/mutex.h"
#include "base/text.h"

namespace spanloom::store {

void StoreConformance::Append(otlp::Batch batch) {
  Notification is_done;
  store().Append(std::move(batch), [&is_done](const Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    is_done.Notify();
  });
  is_done.Wait();
}

void StoreConformance::AppendEach(const std::vector<SpanSpec>& spans) {
  for (const SpanSpec& span : spans) Append(RequestBuilder().FromService("s").Add(span).Build());
}

Trace StoreConformance::GetTrace(const otlp::TraceId& id) {
  auto trace = store().GetTrace(id);
  EXPECT_TRUE(trace.ok()) << trace.status();
  return trace.ok() ? *std::move(trace) : Trace{};
}

std::vector<Trace> StoreConformance::Find(const TraceQuery& query) {
  auto traces = store().FindTraces(query);
  EXPECT_TRUE(traces.ok()) << traces.status();
  return traces.ok() ? *std::move(traces) : std::vector<Trace>{};
}

std::vector<uint64_t> StoreConformance::FindNumbers(const TraceQuery& query) {
  std::vector<uint64_t> numbers;
  for (const Trace& trace : Find(query)) {
    uint64_t number = 0;
    for (const uint8_t byte : trace.id.bytes) number = (number << 8) | byte;
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::string> Describe(const std::vector<Trace>& traces) {
  std::vector<std::string> described;
  for (const Trace& trace : traces) {
    std::string text = trace.id.Hex();
    for (const StoredSpan& span : trace.spans) {
      StrAppend(text, "\n  ", absl::BytesToHexString(AbslView(span.wire.view())), " of ",
                span.resource().service_name());
    }
    described.push_back(std::move(text));
  }
  return described;
}

}  // namespace spanloom::store
