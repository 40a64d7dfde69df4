// SPDX-License-Identifier: Apache-2.0
//
// Writes a head to a segment, and makes the segment known to the catalogue. Belongs to the background thread.

#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "store/columnar/catalogue/catalogue.h"
#include "store/columnar/disk/disk.h"
#include "store/columnar/segment.h"
#include "store/head/trace_table.h"

namespace spanloom::store::columnar {

inline constexpr std::string_view kSegmentDirectory = "segments";

// Sequence-bound: the background thread. All that it is given must outlive it.
class Flusher {
 public:
  Flusher(disk::Disk& disk, std::string directory, catalogue::Catalogue& catalogue, const Clock& clock)
      : disk_(disk), directory_(disk::Join(directory, kSegmentDirectory)), catalogue_(catalogue), clock_(clock) {}

  // The segment with all traces of `head`, which nothing changes any more; null if it has none. All frames of the log
  // up to `log_position` are in segments then. After an error it is to be tried again with the same head, until it
  // succeeds: the head may be in a segment already, and nobody knows. Errors: those of the disk and of the catalogue.
  StatusOr<std::shared_ptr<const Segment>> Write(const head::LockedTable& head, uint64_t log_position);

  // Takes a segment out of the catalogue, and its file off the disk.
  Status Remove(const Segment& segment);

  // Takes a segment that can't be opened out of the catalogue, and gives its file a name below `directory`, which is
  // created if need be. Returns that name. After an error the file has its name, or both.
  StatusOr<std::string> SetAside(const catalogue::SegmentRow& row, const std::string& directory);

  // Opens a segment that the catalogue names. kDataLoss if it is damaged.
  StatusOr<std::shared_ptr<const Segment>> Open(const catalogue::SegmentRow& row);

  // Removes files that the catalogue does not name: of flushes that a crash cut short.
  Status RemoveLeftovers();

 private:
  // A segment that the catalogue does not know yet.
  StatusOr<std::shared_ptr<const Segment>> WriteFile(const head::LockedTable& head, uint64_t id);
  StatusOr<SegmentTotals> WriteTraces(const head::LockedTable& head, const std::string& path);
  // The catalogue's answer to a commit may be lost: then its content decides. If that can't be read now, the change may
  // have been made, in spite of the error; Settle() tells.
  Status Commit(const catalogue::Change& change);
  // Makes sure that the catalogue can be asked.
  Status Settle();
  [[nodiscard]] bool IsKnown(uint64_t id) const;
  // What is not removed stays until the next start.
  void RemoveUnknown(const std::string& name) { disk_.Remove(PathOf(name)).IgnoreError(); }
  [[nodiscard]] std::string PathOf(std::string_view name) const { return disk::Join(directory_, name); }

  disk::Disk& disk_;
  const std::string directory_;
  catalogue::Catalogue& catalogue_;
  const Clock& clock_;
  bool is_unsettled_ = false;               // a commit has failed, and the catalogue could not be read since
  std::shared_ptr<const Segment> written_;  // by an attempt whose commit has failed; null if there is none
};

}  // namespace spanloom::store::columnar
