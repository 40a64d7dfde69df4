// SPDX-License-Identifier: Apache-2.0
//
// Takes traces that a retention policy removes out of the parts of a store.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "otlp/ids.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/retain/expiry.h"
#include "store/retention.h"

namespace spanloom::store::columnar {

// The parts have gone on since the traces were found. A trace that got spans meanwhile, or of which a part was
// replaced, stays whole: the next look finds it again. To be made and used on the background thread, while nothing is
// added to heads. All that it is given must outlive it.
class ExpiredRemoval {
 public:
  // `seen`: where the traces were found.
  ExpiredRemoval(const Parts& seen, PartsTable& table);

  // Once. `now_ns`: Clock::SteadyNs.
  void Remove(std::span<const ExpiredTrace> traces, int64_t now_ns);

  // Of those that went.
  [[nodiscard]] const Removed& removed() const { return removed_; }
  [[nodiscard]] const std::vector<otlp::TraceId>& ids() const { return ids_; }
  // Of which nothing is left: the parts no longer have them, the catalogue still does.
  [[nodiscard]] const std::vector<std::shared_ptr<const Segment>>& emptied() const { return emptied_; }

 private:
  // A segment as it is now, and which of its traces go.
  struct OfSegment {
    std::shared_ptr<const Segment> now;  // null: it was replaced
    std::vector<uint64_t> traces;
    uint64_t spans = 0;
  };

  void FindNewParts(const Parts& seen);
  [[nodiscard]] bool IsUnchanged(const ExpiredTrace& trace) const;
  [[nodiscard]] bool IsIn(const ExpiredTrace& trace, const ExpiredTrace::Place& place) const;
  [[nodiscard]] bool HasNewPart(const otlp::TraceId& id) const;
  void Take(const ExpiredTrace& trace);
  void ReplaceSegments(int64_t now_ns);
  // null: a head that is written to a segment meanwhile.
  [[nodiscard]] head::LockedTable* HeadOf(const ExpiredTrace::Place& place) const {
    return heads_[place.part - segments_.size()];
  }

  PartsTable& table_;
  const Parts now_;
  std::vector<OfSegment> segments_;  // [seen segments]
  head::LockedTable* heads_[2];      // [seen: full, filling]
  std::vector<const Segment*> new_segments_;
  std::vector<const head::LockedTable*> new_heads_;
  Removed removed_;
  std::vector<otlp::TraceId> ids_;
  std::vector<std::shared_ptr<const Segment>> emptied_;
  head::RemovedTraces dropped_;  // of heads; they end with this, outside of locks: they may be large
};

}  // namespace spanloom::store::columnar
