// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/trace_batcher.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "otlp/writer.h"

namespace spanloom::cli::tracegen {
TraceBatcher::TraceBatcher(const std::vector<Emitter>& emitters, BatchLimits limits)
    : emitters_(emitters), limits_(limits), batches_(emitters.size()) {
  CHECK(limits_.spans_max > 0);
  for (size_t i = 0; i < emitters_.size(); ++i) batches_[i].scope_wires.resize(emitters_[i].scopes.size());
}

void TraceBatcher::Add(const GeneratedTrace& trace, int64_t end_unix_ns, Emit emit) {
  if (limits_.whole_traces && pending_spans_ + trace.spans.size() > limits_.spans_max) FlushAll(emit);
  for (const GeneratedTrace::Span& span : trace.spans) {
    Batch& batch = batches_[span.origin.emitter];
    if (batch.spans == 0) batch.first_unix_ns = end_unix_ns;
    batch.scope_wires[span.origin.scope].append(trace.WireOf(span));
    ++batch.spans;
    ++pending_spans_;
    const size_t together = limits_.whole_traces ? pending_spans_ : batch.spans;
    if (together == limits_.spans_max) FlushBatch(span.origin.emitter, emit);
  }
}

std::optional<int64_t> TraceBatcher::NextDueUnixNs() const {
  if (!limits_.age_max_ns || pending_spans_ == 0) return std::nullopt;
  int64_t first_unix_ns = std::numeric_limits<int64_t>::max();
  for (const Batch& batch : batches_) {
    if (batch.spans > 0) first_unix_ns = std::min(first_unix_ns, batch.first_unix_ns);
  }
  return first_unix_ns + *limits_.age_max_ns;
}

void TraceBatcher::FlushDue(int64_t unix_ns, Emit emit) {
  if (!limits_.age_max_ns) return;
  for (size_t i = 0; i < batches_.size(); ++i) {
    if (batches_[i].spans > 0 && batches_[i].first_unix_ns + *limits_.age_max_ns <= unix_ns) FlushBatch(i, emit);
  }
}

void TraceBatcher::FlushAll(Emit emit) {
  for (size_t i = 0; i < batches_.size(); ++i) {
    if (batches_[i].spans > 0) FlushBatch(i, emit);
  }
}

void TraceBatcher::FlushBatch(size_t emitter, Emit emit) {
  ExportRequest request;
  if (limits_.whole_traces) {
    request.wire.reserve(last_bytes_);
    for (size_t i = 0; i < batches_.size(); ++i) WriteBatch(i, request);
    last_bytes_ = request.wire.size();
  } else {
    WriteBatch(emitter, request);
  }
  emit(std::move(request));
}

void TraceBatcher::WriteBatch(size_t emitter, ExportRequest& request) {
  const Emitter& from = emitters_[emitter];
  Batch& batch = batches_[emitter];
  if (batch.spans == 0) return;
  otlp::RequestWriter writer(request.wire);
  writer.BeginResource(from.resource_wire, from.schema_url);
  for (size_t i = 0; i < from.scopes.size(); ++i) {
    if (batch.scope_wires[i].empty()) continue;
    writer.BeginScope(from.scopes[i].wire);
    writer.AddEncodedSpans(batch.scope_wires[i]);
    batch.scope_wires[i].clear();
  }
  writer.End();
  request.spans += batch.spans;
  pending_spans_ -= batch.spans;
  batch.spans = 0;
}

}  // namespace spanloom::cli::tracegen
