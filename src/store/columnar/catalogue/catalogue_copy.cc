// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/catalogue/catalogue_copy.h"

#include <array>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include "base/text.h"

namespace spanloom::store::columnar::catalogue {
namespace {

constexpr size_t kHeaderBytes = 100;  // of SQLite's file format: 24..27 count the transactions
constexpr size_t kJournalMagicBytes = 8;
constexpr std::chrono::milliseconds kPause{20};
constexpr int kAttemptsMax = 50;  // a second; a transaction takes some milliseconds, mostly of fsync

// Where a catalogue stands between transactions, as far as its files tell.
struct State {
  std::string header;   // of the file
  bool is_hot = false;  // the journal has a transaction that goes on, or was cut short by a crash

  friend bool operator==(const State&, const State&) = default;
};

std::string JournalPath(std::string_view path) {
  return StrCat(path, kJournalSuffix);
}

// The first bytes of a file; empty if it is not there.
StatusOr<std::string> Begin(disk::Disk& disk, const std::string& path, size_t bytes) {
  std::string begin(bytes, '\0');
  const auto file = disk.Open(path, disk::OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return std::string();
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(const size_t read, (*file)->ReadAt(0, begin));
  begin.resize(read);
  return begin;
}

// An empty journal has zeros, or nothing.
StatusOr<State> StateOf(disk::Disk& disk, const std::string& path) {
  ASSIGN_OR_RETURN(std::string header, Begin(disk, path, kHeaderBytes));
  ASSIGN_OR_RETURN(const std::string journal, Begin(disk, JournalPath(path), kJournalMagicBytes));
  return State{.header = std::move(header), .is_hot = journal.find_first_not_of('\0') != std::string::npos};
}

// What is not there is not copied.
Status Copy(disk::Disk& disk, const std::string& from, disk::Disk& target, const std::string& to) {
  const auto source = disk.Open(from, disk::OpenMode::kRead);
  if (absl::IsNotFound(source.status())) return absl::OkStatus();
  RETURN_IF_ERROR(source.status());
  ASSIGN_OR_RETURN(const auto copy, target.Open(to, disk::OpenMode::kCreateExclusive));
  return disk::AppendAll(**source, *copy).status();
}

// A copy of both files as they are now, in a new directory.
StatusOr<disk::TemporaryDirectory> CopyNow(disk::Disk& disk, const std::string& path, disk::Disk& target) {
  ASSIGN_OR_RETURN(disk::TemporaryDirectory directory, disk::TemporaryDirectory::Make());
  const std::string copy = disk::Join(directory.path(), kCatalogueFileName);
  RETURN_IF_ERROR(Copy(disk, path, target, copy));
  RETURN_IF_ERROR(Copy(disk, JournalPath(path), target, JournalPath(copy)));
  return directory;
}

}  // namespace

StatusOr<CatalogueCopy> CatalogueCopy::Take(disk::Disk& disk, const std::string& directory, Owner owner,
                                            const Clock& clock) {
  const std::string path = disk::Join(directory, kCatalogueFileName);
  auto own_disk = std::make_unique<disk::PosixDisk>();
  const int patience = owner == Owner::kRunning ? kAttemptsMax : 1;
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(const State before, StateOf(disk, path));
    if (before.header.empty()) return absl::NotFoundError(StrCat("there is no store in ", directory));
    ASSIGN_OR_RETURN(disk::TemporaryDirectory copy, CopyNow(disk, path, *own_disk));
    ASSIGN_OR_RETURN(const State after, StateOf(disk, path));
    // A transaction that takes so long is one that a crash cut short.
    if (before == after && (!after.is_hot || attempt >= patience)) {
      ASSIGN_OR_RETURN(Catalogue catalogue, Catalogue::Open(*own_disk, copy.path(), clock, IfMissing::kRefuse, path));
      return CatalogueCopy(std::move(own_disk), std::move(copy), std::move(catalogue));
    }
    if (attempt >= 2 * kAttemptsMax) return absl::UnavailableError(StrCat(path, " changes all the time; try again"));
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace spanloom::store::columnar::catalogue
