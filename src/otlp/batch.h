// SPDX-License-Identifier: Apache-2.0
//
// What flows through the pipeline into exporters and the store: slices of received requests. A slice shares the
// request's bytes and says which of its spans were dropped on the way; bytes are copied once, when an exporter writes
// its request.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "otlp/views.h"

namespace spanloom::otlp {

// One span with what it stands in.
struct SpanContext {
  const ResourceSpansView& resource_spans;
  const ResourceView& resource;
  const ScopeSpansView& scope_spans;
  const ScopeView& scope;
  const SpanView& span;
};

// A received request that passed ValidateTraces, less the spans that processors dropped. A value; copying shares the
// bytes.
class Slice {
 public:
  // `span_count` as counted by ValidateTraces.
  Slice(Bytes wire, size_t span_count) : wire_(std::move(wire)), span_count_(span_count) {}

  [[nodiscard]] const Bytes& wire() const { return wire_; }
  // Spans not dropped.
  [[nodiscard]] size_t span_count() const { return span_count_; }
  // True if nothing was dropped: the bytes can be passed on as they are.
  [[nodiscard]] bool is_whole() const { return dropped_.empty(); }

  // Visits the spans that are not dropped, in order.
  void ForEach(absl::FunctionRef<void(const SpanContext&)> visit) const;

  // Drops the spans for which `drop` is true; returns how many.
  size_t DropIf(absl::FunctionRef<bool(const SpanContext&)> drop);

  // Appends the `resource_spans` fields of an ExportTraceServiceRequest with the spans that are left. Resources and
  // scopes that are left without spans are left out; every other byte, unknown fields included, is as it was received.
  void AppendTo(std::string& out) const;

 private:
  Bytes wire_;
  size_t span_count_ = 0;
  std::vector<bool> dropped_;  // [spans of the request], by position; empty if none is dropped
};

// Slices in order of arrival. A value.
class Batch {
 public:
  Batch() = default;
  explicit Batch(Slice slice) { Add(std::move(slice)); }

  void Add(Slice slice);
  void Add(Batch batch);
  [[nodiscard]] const std::vector<Slice>& slices() const { return slices_; }
  [[nodiscard]] std::vector<Slice>& slices() { return slices_; }
  [[nodiscard]] size_t span_count() const;
  // Bytes of the requests that the slices keep alive, as an upper bound of what the batch costs.
  [[nodiscard]] size_t wire_bytes() const;
  [[nodiscard]] bool empty() const { return span_count() == 0; }
  // The whole batch as one ExportTraceServiceRequest. Shares the bytes if it is one whole slice.
  [[nodiscard]] Bytes Encode() const;

 private:
  std::vector<Slice> slices_;
};

}  // namespace spanloom::otlp
