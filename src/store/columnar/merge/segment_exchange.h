// SPDX-License-Identifier: Apache-2.0
//
// Segments that were written from others take their place: in the catalogue by one transaction, and in the parts.

#pragma once

#include <absl/container/flat_hash_set.h>

#include <memory>
#include <vector>

#include "base/status.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/parts/segment_directory.h"

namespace spanloom::store::columnar {

// One segment in place of some that stand side by side.
struct Replacement {
  std::vector<std::shared_ptr<const Segment>> sources;  // as they were read
  std::shared_ptr<const Segment> written;               // has its file; null: nothing of them is left
  std::vector<JoinedTrace> joined;                      // traces that lie in fewer parts then
};

// Several that are to happen together, or not at all.
struct Exchange {
  std::shared_ptr<const PartsAge> age;  // when it was planned: splits of that time are to be known to the end
  std::vector<Replacement> replacements;
};

// Sequence-bound: the background thread. All that it is given must outlive it.
class SegmentExchange {
 public:
  SegmentExchange(SegmentDirectory& segments, PartsTable& parts) : segments_(segments), parts_(parts) {}

  // Makes it so. What retention has removed of the sources meanwhile is removed of what was written, too. After an
  // error nothing has changed, and what was written is removed; unless it is not known whether the catalogue has
  // changed (SegmentDirectory::is_settled): then Settle() finds out. Errors: those of Settle and of the disk.
  Status Commit(std::unique_ptr<Exchange> exchange);

  // Makes sure that it is known whether the last exchange is in the catalogue, and the parts say the same. To be called
  // before either is changed. Errors: as SegmentDirectory::Settle.
  Status Settle();

 private:
  // What retention has done since the exchange was planned.
  struct Meanwhile {
    std::vector<std::shared_ptr<const Segment>> sources;  // what is left of them
    absl::flat_hash_set<otlp::TraceId> gone;
  };

  [[nodiscard]] StatusOr<Meanwhile> FindMeanwhile(const Replacement& replacement) const;
  static Status LeaveOut(const absl::flat_hash_set<otlp::TraceId>& gone, Replacement& replacement);
  // Brings the replacements to what is left of their sources, and drops those of which nothing is. Returns what the
  // catalogue is to be told.
  StatusOr<catalogue::Change> CatchUp(Exchange& exchange);
  void RemoveWritten(const Exchange& exchange);
  void Finish(const Exchange& exchange);

  SegmentDirectory& segments_;
  PartsTable& parts_;
  std::unique_ptr<Exchange> unsettled_;  // whose commit may have happened
};

}  // namespace spanloom::store::columnar
