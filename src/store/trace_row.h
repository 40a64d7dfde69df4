// SPDX-License-Identifier: Apache-2.0
//
// The summary table of traces: one row a trace, enough for lists. A row is computed from the spans that are stored, so
// it changes while spans still come, and says of which state it is.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "otlp/ids.h"
#include "store/span.h"

namespace spanloom::store {

// What one service has in a trace.
struct ServiceSpans {
  std::string service;
  uint32_t spans = 0;
  uint32_t errors = 0;

  friend bool operator==(const ServiceSpans&, const ServiceSpans&) = default;
};

struct TraceRow {
  otlp::TraceId id;
  // Of the root: the span without a parent id that starts first; absent while there is none.
  std::optional<std::string> root_service = std::nullopt;
  std::optional<std::string> root_name = std::nullopt;
  uint64_t start_unix_ns = 0;  // the first start
  uint64_t end_unix_ns = 0;    // the last end, not before start_unix_ns
  uint32_t spans = 0;
  uint32_t errors = 0;                      // spans whose status is an error
  uint32_t orphans = 0;                     // spans whose parent is not stored (span_tree.h)
  std::vector<ServiceSpans> services = {};  // sorted by name
  uint64_t version = 0;                     // grows with every change of the row; compares rows of one trace only

  [[nodiscard]] uint64_t duration_ns() const { return end_unix_ns - start_unix_ns; }
  friend bool operator==(const TraceRow&, const TraceRow&) = default;
};

// Columns to filter, sort and group by.
enum class TraceColumn : uint8_t {
  kId,           // kBytes
  kRootService,  // kString, or none
  kRootName,     // kString, or none
  kStart,        // kInt, nanoseconds
  kDuration,     // kInt, nanoseconds
  kSpans,
  kErrors,
  kOrphans,
  kService,  // kString, one value for each service
};

// Adds up a row from the spans of one trace. Thread-compatible.
class TraceRowBuilder {
 public:
  explicit TraceRowBuilder(const otlp::TraceId& id) { row_.id = id; }

  // The spans in the order of the trace: by start, then arrival. `view` is span.span().
  void Add(const StoredSpan& span, const otlp::SpanView& view);
  // At least one span must have been added. `version` is the caller's.
  [[nodiscard]] TraceRow Finish(uint64_t version) &&;

 private:
  [[nodiscard]] ServiceSpans& ServiceOf(const StoredSpan& span);

  TraceRow row_;
  std::map<std::string, ServiceSpans, std::less<>> services_;
  std::shared_ptr<const SpanOrigin> last_origin_;  // held, so that no new one takes its address
  ServiceSpans* last_service_ = nullptr;           // its own; neighbours share their origin
  absl::flat_hash_set<otlp::SpanId> ids_;
  std::vector<otlp::SpanId> parent_ids_;
};

// The row of a trace with at least one span; `version` is the caller's.
[[nodiscard]] TraceRow Summarize(const Trace& trace, uint64_t version);

}  // namespace spanloom::store
