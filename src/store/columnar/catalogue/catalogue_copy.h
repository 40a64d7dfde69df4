// SPDX-License-Identifier: Apache-2.0
//
// What a catalogue says at one moment, for who reads a store's directory beside its owner: the file is not locked, and
// the owner changes it meanwhile.

#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "store/columnar/catalogue/catalogue.h"
#include "store/disk/disk.h"
#include "store/disk/posix_disk.h"
#include "store/disk/temporary_directory.h"

namespace spanloom::store::columnar::catalogue {

// Owns a copy of the file in a directory for temporary files, which takes as much room. Movable.
class CatalogueCopy {
 public:
  enum class Owner { kNone, kRunning };

  // Copies `directory`/catalogue.sqlite between two transactions of its owner; waits up to a second for one to end.
  // What a crash left half done is undone in the copy. Nothing in `directory` is changed. Errors: kNotFound (there is
  // no catalogue), kUnavailable (it changes all the time), those of Catalogue::Open, which name the file, not the copy.
  static StatusOr<CatalogueCopy> Take(disk::Disk& disk, const std::string& directory, Owner owner, const Clock& clock);

  // Nothing but reading it makes sense.
  [[nodiscard]] Catalogue& catalogue() const { return *catalogue_; }

 private:
  CatalogueCopy(std::unique_ptr<disk::PosixDisk> disk, disk::TemporaryDirectory directory, Catalogue catalogue)
      : disk_(std::move(disk)),
        directory_(std::move(directory)),
        catalogue_(std::make_unique<Catalogue>(std::move(catalogue))) {}

  std::unique_ptr<disk::PosixDisk> disk_;
  disk::TemporaryDirectory directory_;
  std::unique_ptr<Catalogue> catalogue_;  // goes first
};

}  // namespace spanloom::store::columnar::catalogue
