// SPDX-License-Identifier: Apache-2.0
//
// Groups spans into export requests as real SDKs do: each process exports its own spans, up to a number of them or a
// while after the first. So the spans of one trace arrive in several requests, one after the other. Or whole traces, as
// a Collector between the processes and the receiver may send them.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/tracegen/trace_shape.h"

namespace spanloom::cli::tracegen {

// One ExportTraceServiceRequest.
struct ExportRequest {
  std::string wire = {};
  size_t spans = 0;
};

struct BatchLimits {
  size_t spans_max = 512;             // in one request; the SDKs' default
  std::optional<int64_t> age_max_ns;  // of a batch's first trace, in the time of the traces; nullopt: wait until full
  bool whole_traces = false;          // in one request, unless a trace is larger than spans_max
};

// Thread-compatible. What comes out depends on the traces alone, never on the wall clock.
class TraceBatcher {
 public:
  using Emit = absl::FunctionRef<void(ExportRequest)>;

  // `emitters` must outlive the batcher. `limits.spans_max` must be positive.
  TraceBatcher(const std::vector<Emitter>& emitters, BatchLimits limits);

  // Adds a trace that ended at `end_unix_ns`; these must not decrease. Emits every batch that is full.
  void Add(const GeneratedTrace& trace, int64_t end_unix_ns, Emit emit);

  // When the oldest batch comes of age; nullopt if none will.
  [[nodiscard]] std::optional<int64_t> NextDueUnixNs() const;

  // Emits what is due at `unix_ns`.
  void FlushDue(int64_t unix_ns, Emit emit);

  // Emits everything.
  void FlushAll(Emit emit);

  // Spans that wait.
  [[nodiscard]] size_t pending_spans() const { return pending_spans_; }

 private:
  struct Batch {
    std::vector<std::string> scope_wires;  // [scopes of the emitter], `spans` fields
    size_t spans = 0;
    int64_t first_unix_ns = 0;  // of the first trace; meaningless while spans is 0
  };

  // The batch of an emitter, or everything if requests have whole traces.
  void FlushBatch(size_t emitter, Emit emit);
  void WriteBatch(size_t emitter, ExportRequest& request);

  const std::vector<Emitter>& emitters_;
  BatchLimits limits_;
  std::vector<Batch> batches_;  // [emitters]
  size_t pending_spans_ = 0;
  size_t last_bytes_ = 0;  // of the last request with whole traces
};

}  // namespace spanloom::cli::tracegen
