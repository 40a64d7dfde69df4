// SPDX-License-Identifier: Apache-2.0
//
// The files of request rows beside those of segments. Nothing is forced to the disk: what a loss of power tears does
// not check, and is derived again. SegmentDirectory removes them with their segments. docs/formats/requests.md.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "store/columnar/parts/segment.h"
#include "store/columnar/requests/request_file.h"
#include "store/columnar/requests/request_file_builder.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Thread-compatible for each segment. `disk` must outlive it.
class RequestFiles {
 public:
  // `directory`: of the segments' files.
  RequestFiles(disk::Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  // Errors: kNotFound, those of RequestFile::Open.
  StatusOr<std::shared_ptr<const RequestFile>> Open(const Segment& segment, uint32_t anatomy_version);

  // Writes what `add` adds under a temporary name. Returns the rows. After an error nothing is left of it. Errors:
  // those of `add` and of the disk.
  StatusOr<uint64_t> Write(const Segment& segment, uint32_t anatomy_version, uint64_t derived_unix_ns,
                           absl::FunctionRef<Status(RequestFileBuilder&)> add);
  // Gives what was written its name, in place of an older one, and opens it. Errors: as Open, those of the disk.
  StatusOr<std::shared_ptr<const RequestFile>> Publish(const Segment& segment, uint32_t anatomy_version);
  // Removes what was written and is not published.
  void Withdraw(const Segment& segment);

 private:
  [[nodiscard]] std::string PathOf(const Segment& segment) const;
  [[nodiscard]] std::string UnfinishedPathOf(const Segment& segment) const;
  StatusOr<uint64_t> WriteContent(const Segment& segment, uint32_t anatomy_version, uint64_t derived_unix_ns,
                                  absl::FunctionRef<Status(RequestFileBuilder&)> add);

  disk::Disk& disk_;
  const std::string directory_;
};

}  // namespace spanloom::store::columnar
