// SPDX-License-Identifier: Apache-2.0

#include "store/conformance/stored_traces.h"

#include <algorithm>
#include <memory>
#include <string>

namespace spanloom::store {

std::vector<StoredSpan> StoredSpansOf(const otlp::Batch& batch) {
  std::vector<StoredSpan> spans;
  std::shared_ptr<const SpanOrigin> last;  // shared by neighbours, as in a store
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&](const otlp::SpanContext& context) {
      const SpanOrigin origin = {.resource = Bytes::CopyOf(context.resource.wire()),
                                 .scope = Bytes::CopyOf(context.scope.wire()),
                                 .resource_schema_url = std::string(context.resource_schema_url),
                                 .scope_schema_url = std::string(context.scope_schema_url)};
      if (last == nullptr || !AreEqual(*last, origin)) last = std::make_shared<const SpanOrigin>(origin);
      spans.push_back({.wire = Bytes::CopyOf(context.span.wire()), .origin = last});
    });
  }
  return spans;
}

Trace TraceOf(const otlp::Batch& batch) {
  Trace trace = {.id = {}, .spans = StoredSpansOf(batch)};
  if (!trace.spans.empty()) trace.id = trace.spans.front().span().trace_id();
  SortByStart(trace.spans);
  return trace;
}

void SortByStart(std::vector<StoredSpan>& spans) {
  std::stable_sort(spans.begin(), spans.end(), [](const StoredSpan& a, const StoredSpan& b) {
    return a.span().start_unix_ns() < b.span().start_unix_ns();
  });
}

}  // namespace spanloom::store
