// SPDX-License-Identifier: Apache-2.0
//
// The one question behind searches, trace views and languages: traces whose spans meet some predicates, newest first, a
// page at a time. A store decides which rows and which columns; structure (parents, descendants, pipelines) is worked
// out by the reader, from the place in the trace that comes with every row.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/field.h"
#include "store/predicate.h"
#include "store/read_limits.h"
#include "store/span.h"
#include "store/span_tree.h"
#include "store/time_range.h"
#include "store/value.h"

namespace spanloom::store {

// Where a trace stands in "newest first": by the latest start among its matching spans, then by trace id. The order is
// total, so it is stable, and a page begins where the one before it ended.
struct FetchPosition {
  uint64_t latest_start_unix_ns = 0;
  otlp::TraceId id;

  // True if `a` comes first: it is newer, or as new with the smaller id.
  friend bool operator<(const FetchPosition& a, const FetchPosition& b) {
    if (a.latest_start_unix_ns != b.latest_start_unix_ns) return a.latest_start_unix_ns > b.latest_start_unix_ns;
    return a.id < b.id;
  }
  friend bool operator==(const FetchPosition&, const FetchPosition&) = default;
};

struct FetchPlan {
  static constexpr size_t kSpansetsMax = 64;  // bits of SpanBatch::matches
  static constexpr size_t kFieldsMax = 256;   // guess

  // How the spansets select a trace.
  enum class Join : uint8_t {
    kAny,  // it has a span of any of them
    kAll,  // it has a span of each of them
  };
  // Which rows of a selected trace come.
  enum class Rows : uint8_t {
    kMatching,    // its spans that start within `starts` and meet a spanset
    kWholeTrace,  // all of its spans, those outside `starts` too
  };
  enum class Order : uint8_t {
    kNewestFirst,
    kAsStored,  // whichever is cheapest; each trace still comes whole, in one piece
  };

  // A span matches spansets[i] if it starts within `starts` and meets spansets[i]. [1, kSpansetsMax]
  std::vector<Predicate> spansets = {Predicate()};
  Join join = Join::kAny;
  TimeRange starts = {};
  // Only these traces; any, if empty. Sorted or not.
  std::vector<otlp::TraceId> traces = {};

  Rows rows = Rows::kMatching;
  std::vector<Field> fields = {};  // the columns, in this order; at most kFieldsMax
  bool wants_messages = false;     // SpanBatch::messages
  bool wants_structure = false;    // SpanBatch::places

  Order order = Order::kNewestFirst;
  std::optional<FetchPosition> after = std::nullopt;  // traces behind this one only; for kNewestFirst
  size_t traces_max = 100;                            // over all batches
  ReadLimits limits = {};

  // True if a field is about the trace, or the span's place in it.
  [[nodiscard]] bool needs_trace() const;
  // kInvalidArgument: too many spansets or fields, no spanset, a predicate that is not valid, `after` with kAsStored.
  [[nodiscard]] Status Validate() const;
};

// A trace within a batch.
struct TraceRows {
  FetchPosition position;   // latest_start_unix_ns is also set for kAsStored
  uint32_t first_row = 0;   // of the batch
  uint32_t row_count = 0;   // in the order of the trace: by start, then arrival
  uint32_t span_count = 0;  // of the whole trace
};

// The values of one field. Values of row r: cells[offsets[r], offsets[r + 1]); none where the field is absent.
struct Column {
  std::vector<Cell> cells;
  std::vector<uint32_t> offsets = {0};  // [rows + 1], non-decreasing

  [[nodiscard]] size_t rows() const { return offsets.size() - 1; }
  // The first value of a row, or none.
  [[nodiscard]] Cell First(size_t row) const { return offsets[row] < offsets[row + 1] ? cells[offsets[row]] : Cell(); }
  // Ends a row: the cells added since the last one are its values.
  void EndRow() { offsets.push_back(static_cast<uint32_t>(cells.size())); }
};

// Some traces of an answer, each whole (as far as FetchPlan::Rows says). A few thousand rows, or one large trace.
// Immutable once handed out; it keeps alive what its cells and messages view.
struct SpanBatch {
  std::vector<TraceRows> traces;
  std::vector<uint64_t> matches;                       // [rows], bit i: the span matches spansets[i]
  std::vector<Column> columns;                         // [plan.fields]
  std::vector<StoredSpan> messages;                    // [rows], or empty
  std::vector<SpanPlace> places;                       // [rows], or empty
  std::vector<std::shared_ptr<const void>> pins = {};  // shared with the store: what cells view

  [[nodiscard]] size_t rows() const { return matches.size(); }
};

// What was looked at for an answer so far.
struct FetchStats {
  uint64_t traces_inspected = 0;
  uint64_t spans_inspected = 0;
  uint64_t bytes_inspected = 0;  // read from disk, or walked
  uint64_t damaged_parts = 0;    // that could not be read, and are missing from the answer
};

// An answer under way. Sequence-bound: one thread at a time. It sees what was stored when it was made; what is added
// meanwhile may be seen or not, what is purged meanwhile may still be seen. Must not outlive the store.
class SpanCursor {
 public:
  virtual ~SpanCursor() = default;

  // The next traces; nullopt at the end. May block on a disk or a network: not to be called on a loop. Errors:
  // kDeadlineExceeded, kCancelled, kResourceExhausted (one trace exceeds limits.bytes_max; says which), kDataLoss and
  // kUnavailable (the store can't be read now). After an error or the end, only stats() and the destructor.
  virtual StatusOr<std::optional<SpanBatch>> Next() = 0;

  [[nodiscard]] virtual FetchStats stats() const = 0;
};

}  // namespace spanloom::store
