// SPDX-License-Identifier: Apache-2.0
//
// Which segments there are, and how much of the log lies in them: one SQLite file, changed in transactions, so that a
// crash leaves the old state or the new one. Schema and versions: docs/formats/catalogue.md.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar::catalogue {

inline constexpr int kCatalogueVersion = 1;
inline constexpr std::string_view kCatalogueFileName = "catalogue.sqlite";
inline constexpr std::string_view kJournalSuffix = "-journal";  // SQLite's: of a file that undoes what is half done
inline constexpr size_t kTraceFilterBytesMax = 64U << 20;       // of one segment: 30 million traces at 17 bits; guess

// What is known of a segment without opening its file. A flushed segment's arrival is its id; that of a merged one is
// the lowest of those that it was merged from, which stood side by side.
struct SegmentRow {
  uint64_t id = 0;                   // from NextSegmentId; never used for another segment
  std::string file;                  // its name, within the store's directory; ours, no path from outside
  uint32_t format_version = 0;       // of docs/formats/segment.md
  uint32_t level = 0;                // 0: flushed from the head; n + 1: merged from segments of level n at most
  uint64_t arrival = 0;              // by it segments stand in the order in which their spans arrived
  uint64_t bytes = 0;                // of the file
  uint64_t spans = 0;                // rows
  uint64_t traces = 0;               // distinct trace ids
  uint64_t first_start_unix_ns = 0;  // of the spans; any 64-bit value
  uint64_t last_start_unix_ns = 0;   // of the spans, inclusive
  uint64_t created_unix_ns = 0;      // when the file was finished

  bool operator==(const SegmentRow&) const = default;
};

struct NewSegment {
  SegmentRow row;
  std::string_view trace_filter;  // membership filter over trace ids, in the segment format's own bytes; may be empty
};

// What one transaction changes.
struct Change {
  std::vector<NewSegment> added;
  std::vector<uint64_t> removed;         // ids
  std::optional<uint64_t> log_position;  // unchanged if absent; never falls
};

using StoreId = std::array<uint8_t, 16>;  // random, given when the store is created

// What Open does where there is no catalogue.
enum class IfMissing {
  kCreate,  // begins an empty one: for a directory without segments
  kRefuse,  // kNotFound: there are segments, so there was a catalogue
};

// Owns the connection. Thread-compatible: one caller at a time, from any thread; each call blocks on the disk.
//
// Every row carries a checksum and the rows together a count and a sum, so that an answer is right or kDataLoss.
// Nothing is ever rebuilt or left out on its own. Errors name the file and the next step.
class Catalogue {
 public:
  // Opens `directory`/catalogue.sqlite, undoing a transaction that a crash left half done, migrating an older version,
  // and reads all rows. No other process may have the directory (DataDir holds its lock): the file itself is not
  // locked. `disk` and `clock` must outlive the result. Errors: kNotFound (see IfMissing), kFailedPrecondition (written
  // by a newer version), kDataLoss (damaged, or not a catalogue), those of the disk. They name the file, or `name`, of
  // which it is a copy.
  static StatusOr<Catalogue> Open(disk::Disk& disk, const std::string& directory, const Clock& clock,
                                  IfMissing if_missing, const std::string& name = "");

  Catalogue(Catalogue&&) noexcept;
  Catalogue& operator=(Catalogue&&) = delete;
  ~Catalogue();

  [[nodiscard]] const StoreId& store_id() const;
  // All frames of the log with a sequence up to this are in segments; 0 at first.
  [[nodiscard]] uint64_t log_position() const;
  // Ascending by id, which is not the order of arrival. From memory; valid until the next Commit or Reload.
  [[nodiscard]] const std::vector<SegmentRow>& segments() const;

  // The same in order of arrival.
  [[nodiscard]] std::vector<SegmentRow> ByArrival() const;

  // An id that no segment has had; a different one each time while this lives. It stays used once a Commit has added
  // it.
  uint64_t NextSegmentId();

  // The filter that was given with a segment, from disk. Errors: kNotFound, kDataLoss, those of the disk.
  StatusOr<std::string> TraceFilter(uint64_t segment_id);

  // Changes everything in one transaction that is on the device when this returns OK. Errors: kInvalidArgument (the
  // position would fall), kAlreadyExists (an id that NextSegmentId did not give, a
  // file name that is taken), kNotFound (an id that is to be removed);
  // kResourceExhausted, kDataLoss, kUnavailable from below. After one from below the state is the old one or the new
  // one, and nobody knows which: segments() keeps the old one, no segment file of either may be deleted, and every call
  // but Reload fails with kFailedPrecondition until Reload has succeeded.
  Status Commit(const Change& change);

  // Opens the file anew and reads what it holds. To be tried again, with a delay, for as long as it fails.
  Status Reload();

  // Reads the whole file: SQLite's integrity check and every checksum, filters included. Takes seconds a gigabyte.
  Status Check();

  // Writes a consistent copy to `path`, which must not exist, and forces it to the device.
  Status CopyTo(const std::string& path);

 private:
  class Database;

  explicit Catalogue(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;
};

}  // namespace spanloom::store::columnar::catalogue
