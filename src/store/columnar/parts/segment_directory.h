// SPDX-License-Identifier: Apache-2.0
//
// The segments of a store on disk: their files, and the catalogue that makes them known. A file is written whole,
// becomes known by one transaction, and goes when the catalogue has forgotten it; what a crash leaves between is found
// at start. docs/formats/segment.md, docs/formats/catalogue.md.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/columnar/catalogue/catalogue.h"
#include "store/columnar/parts/directory_layout.h"
#include "store/columnar/parts/segment.h"
#include "store/columnar/segment/segment_builder.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Where a segment that is to be written stands (catalogue::SegmentRow).
struct SegmentPosition {
  uint64_t id = 0;
  uint64_t arrival = 0;
  uint32_t level = 0;
};

// Sequence-bound: the background thread, but for calls that say otherwise. All that it is given must outlive it.
class SegmentDirectory {
 public:
  SegmentDirectory(disk::Disk& disk, const std::string& directory, catalogue::Catalogue& catalogue, const Clock& clock)
      : disk_(disk), directory_(disk::Join(directory, kSegmentDirectory)), catalogue_(catalogue), clock_(clock) {}

  [[nodiscard]] const catalogue::Catalogue& catalogue() const { return catalogue_; }
  [[nodiscard]] uint64_t NextId() { return catalogue_.NextSegmentId(); }
  [[nodiscard]] bool IsKnown(uint64_t id) const;

  // Changes the catalogue. Its answer may be lost: then its content decides. If that can't be read now, the change may
  // have been made, in spite of the error; Settle() tells.
  Status Commit(const catalogue::Change& change);
  // Makes sure that the catalogue can be asked.
  Status Settle();
  [[nodiscard]] bool is_settled() const { return is_settled_; }

  // Writes a file with what `add` adds, under a temporary name, forces it to the disk, gives it its name and opens it.
  // The catalogue does not know it. After an error nothing is left of it. From any thread. Errors: those of `add` and
  // of the disk.
  StatusOr<std::shared_ptr<const Segment>> WriteFile(const SegmentPosition& position,
                                                     absl::FunctionRef<Status(SegmentBuilder&)> add);
  // Removes the files of a segment that the catalogue does not know. What is not removed stays until the next start.
  // From any thread.
  void RemoveFile(const catalogue::SegmentRow& row);

  // Takes a segment out of the catalogue, and its files off the disk.
  Status Remove(const Segment& segment);

  // Takes a segment that can't be opened out of the catalogue, and gives its file a name below `directory`, which is
  // created if need be. Returns that name. After an error the file has its name, or both.
  StatusOr<std::string> SetAside(const catalogue::SegmentRow& row, const std::string& directory);

  // Opens a segment that the catalogue names. kDataLoss if it is damaged.
  StatusOr<std::shared_ptr<const Segment>> Open(const catalogue::SegmentRow& row);

  // Removes files that the catalogue does not name: of what a crash cut short.
  Status RemoveLeftovers();

  // What may still be written. From any thread.
  [[nodiscard]] StatusOr<uint64_t> FreeBytes() const { return disk_.FreeBytes(directory_); }

  // Of a file, by its name. From any thread.
  [[nodiscard]] std::string PathOf(std::string_view name) const { return disk::Join(directory_, name); }

 private:
  StatusOr<SegmentTotals> WriteContent(const std::string& path, absl::FunctionRef<Status(SegmentBuilder&)> add);
  StatusOr<std::shared_ptr<const Segment>> WriteAndOpen(const SegmentPosition& position, const std::string& name,
                                                        absl::FunctionRef<Status(SegmentBuilder&)> add);

  disk::Disk& disk_;
  const std::string directory_;
  catalogue::Catalogue& catalogue_;
  const Clock& clock_;
  bool is_settled_ = true;  // false: a commit has failed, and the catalogue could not be read since
};

}  // namespace spanloom::store::columnar
