// SPDX-License-Identifier: Apache-2.0
//
// A store's directory, ready for questions, beside the owner of the directory: what was acknowledged before is found,
// what comes later is not. Nothing is changed.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "store/columnar/inspect/store_files.h"
#include "store/columnar/parts/damage_counter.h"
#include "store/columnar/parts/parts_table.h"
#include "store/columnar/read/columnar_queries.h"

namespace spanloom::store::columnar {

// Thread-safe once it is open. Memory: the indices of the segments, and the spans of the log that are in no segment.
class StoreReading {
 public:
  // Takes the segment files out of `files`. A damaged segment is left out. `clock` must outlive the result. Errors:
  // those of the disk; kDataLoss (a frame of the log that no receiver can have written).
  static StatusOr<std::unique_ptr<StoreReading>> Open(StoreFiles& files, const Clock& clock);

  [[nodiscard]] const ColumnarQueries& queries() const { return queries_; }
  [[nodiscard]] Parts parts() const { return parts_.Now(); }
  // Of segments and files of the log that are left out, in whole or in part: path and reason.
  [[nodiscard]] const std::vector<std::string>& damage() const { return damage_found_; }

 private:
  explicit StoreReading(const Clock& clock) : damage_(metrics_), queries_(parts_, damage_, clock) {}
  Status OpenSegments(StoreFiles& files);
  Status ReadLog(const StoreFiles& files, const Clock& clock);

  MetricRegistry metrics_;  // nobody asks for
  DamageCounter damage_;
  PartsTable parts_;
  std::vector<std::string> damage_found_;
  const ColumnarQueries queries_;
};

}  // namespace spanloom::store::columnar
