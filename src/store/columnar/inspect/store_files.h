// SPDX-License-Identifier: Apache-2.0
//
// The files of a store as they are at one moment, opened beside the owner of its directory, who goes on writing,
// merging and removing. Nothing is changed.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/columnar/catalogue/catalogue_copy.h"
#include "store/disk/disk.h"
#include "store/log/log_reader.h"

namespace spanloom::store::columnar {

// A segment that the catalogue names.
struct SegmentFile {
  catalogue::SegmentRow row;
  std::string path;
  StatusOr<std::unique_ptr<disk::File>> file;  // or why it can't be opened
  std::string requests_path;
  std::unique_ptr<disk::File> requests;  // its request rows; null if they can't be opened: they are derived data
};

// Everything that was acknowledged before Open() is in it: in the segments, or in frames of the log behind the
// catalogue's position. Holds a descriptor a file, so that what is removed meanwhile can still be read. Movable.
class StoreFiles {
 public:
  // Errors: kNotFound (no store, or no directory), kUnavailable (its owner changes it all the time), kDataLoss (the
  // catalogue is damaged), kFailedPrecondition (it is of a newer version), those of the disk.
  static StatusOr<StoreFiles> Open(disk::Disk& disk, const std::string& directory, const Clock& clock);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] catalogue::Catalogue& catalogue() const { return catalogue_.catalogue(); }
  // In order of arrival.
  [[nodiscard]] const std::vector<SegmentFile>& segments() const { return segments_; }
  [[nodiscard]] std::vector<SegmentFile>& segments() { return segments_; }
  [[nodiscard]] const log::LogFiles& log() const { return log_; }

 private:
  StoreFiles(std::string directory, catalogue::CatalogueCopy catalogue, std::vector<SegmentFile> segments,
             log::LogFiles log)
      : directory_(std::move(directory)),
        catalogue_(std::move(catalogue)),
        segments_(std::move(segments)),
        log_(std::move(log)) {}

  std::string directory_;
  catalogue::CatalogueCopy catalogue_;
  std::vector<SegmentFile> segments_;
  log::LogFiles log_;
};

}  // namespace spanloom::store::columnar
