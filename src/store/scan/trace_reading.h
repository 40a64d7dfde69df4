// SPDX-License-Identifier: Apache-2.0
//
// One trace while it is looked at: its spans in order, and what can only be said with all of them at hand.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "otlp/ids.h"
#include "store/scan/read_meter.h"
#include "store/span.h"
#include "store/span_tree.h"
#include "store/trace_row.h"

namespace spanloom::store::scan {

// Borrows the spans. Used again for one trace after the other, so that scans do not allocate. Thread-compatible.
//
//   reading.Begin(id);
//   for (const StoredSpan& span : spans) RETURN_IF_ERROR(reading.Add(span, meter));
//   reading.Sort();
class TraceReading {
 public:
  // A trace without spans; forgets the one before.
  void Begin(const otlp::TraceId& id);
  // The next span in order of arrival. Errors: the meter's.
  Status Add(const StoredSpan& span, ReadMeter& meter);
  // Puts the spans in the order of the trace: by start, then arrival.
  void Sort();
  // Begin, Add and Sort.
  Status Read(const otlp::TraceId& id, const std::vector<StoredSpan>& spans, ReadMeter& meter);

  [[nodiscard]] const otlp::TraceId& id() const { return id_; }
  [[nodiscard]] size_t size() const { return spans_.size(); }
  // Of the span with that ordinal, as all that follow.
  [[nodiscard]] const StoredSpan& stored(size_t ordinal) const { return *spans_[ordinal].stored; }
  [[nodiscard]] uint64_t start_unix_ns(size_t ordinal) const { return spans_[ordinal].start_unix_ns; }
  // How many spans arrived before it.
  [[nodiscard]] uint32_t arrival(size_t ordinal) const { return spans_[ordinal].arrival; }
  // Valid until the next call.
  [[nodiscard]] const otlp::SpanView& view(size_t ordinal);

  // Computed when they are first asked for.
  [[nodiscard]] const SpanPlace& place(size_t ordinal);
  [[nodiscard]] const TraceRow& row();  // its version is 0

 private:
  static constexpr size_t kViewsMax = 1'024;  // of larger traces views are made anew: they take more than the spans

  struct Entry {
    const StoredSpan* stored = nullptr;
    uint64_t start_unix_ns = 0;
    uint32_t arrival = 0;
  };

  void PlaceAll();
  void SumUp();

  otlp::TraceId id_;
  std::vector<Entry> spans_;
  std::vector<otlp::SpanView> views_;  // by arrival; none if there are more than kViewsMax
  std::optional<otlp::SpanView> last_view_;
  std::vector<SpanPlace> places_;  // empty until asked for
  std::optional<TraceRow> row_;
};

}  // namespace spanloom::store::scan
