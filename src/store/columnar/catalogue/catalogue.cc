// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/catalogue/catalogue.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <span>
#include <utility>

#include "base/rng.h"
#include "base/text.h"
#include "store/columnar/catalogue/catalogue_tables.h"
#include "store/columnar/catalogue/sqlite_connection.h"

namespace spanloom::store::columnar::catalogue {
namespace {

using disk::OpenMode;

StoreId NewStoreId() {
  StoreId id;
  for (size_t half = 0; half < id.size(); half += sizeof(uint64_t)) {
    const uint64_t random = Rng(Rng::SystemSeed()).Next();
    std::memcpy(id.data() + half, &random, sizeof(random));
  }
  return id;
}

constexpr uint64_t kNumberMax = std::numeric_limits<int64_t>::max();  // SQLite's

Status CheckLimits(const NewSegment& segment) {
  const SegmentRow& row = segment.row;
  if (std::max({row.arrival, row.bytes, row.spans, row.traces, row.created_unix_ns}) > kNumberMax) {
    return absl::InvalidArgumentError(StrCat("segment ", row.id, ": a number is 2^63 or more"));
  }
  if (segment.trace_filter.size() > kTraceFilterBytesMax) {
    return absl::InvalidArgumentError(StrCat("segment ", row.id, ": a trace filter of ", segment.trace_filter.size(),
                                             " bytes; the limit is ", kTraceFilterBytesMax));
  }
  return absl::OkStatus();
}

// Copies `source` to a new file at `path` and forces it to the device.
Status CopyFile(disk::Disk& disk, const std::string& source, const std::string& path) {
  ASSIGN_OR_RETURN(const auto from, disk.Open(source, OpenMode::kRead));
  ASSIGN_OR_RETURN(const auto to, disk.Open(path, OpenMode::kCreateExclusive));
  RETURN_IF_ERROR(disk::AppendAll(*from, *to).status());
  RETURN_IF_ERROR(to->Sync());
  return disk.SyncDirectory(disk::DirectoryOf(path));
}

}  // namespace

class Catalogue::Database {
 public:
  Database(disk::Disk& disk, const std::string& directory, const Clock& clock, const std::string& name)
      : disk_(disk),
        clock_(clock),
        path_(disk::Join(directory, kCatalogueFileName)),
        name_(name.empty() ? path_ : name) {}

  // Opens the file and reads its rows.
  Status Load(IfMissing if_missing) {
    connection_ = nullptr;
    if (if_missing == IfMissing::kRefuse) {
      ASSIGN_OR_RETURN(const bool exists, disk_.Exists(path_));
      if (!exists) return Missing();
    }
    ASSIGN_OR_RETURN(connection_, SqliteConnection::Open(disk_, path_, name_));
    RETURN_IF_ERROR(Configure());
    ASSIGN_OR_RETURN(const int64_t pages, connection_->QueryInteger("PRAGMA page_count"));
    if (pages == 0 && if_missing == IfMissing::kRefuse) return Missing();
    if (pages == 0) RETURN_IF_ERROR(Create());
    RETURN_IF_ERROR(CheckVersion(*connection_, name_));
    ASSIGN_OR_RETURN(rows_, ReadRows(*connection_));
    RETURN_IF_ERROR(CheckFilterTable(*connection_));
    last_id_ = std::max(last_id_, rows_.store.last_segment_id);
    return absl::OkStatus();
  }

  // An earlier process may have been killed between emptying the journal and forcing that to the device: what it
  // committed would be seen now, and undone after a power cut.
  Status Open(IfMissing if_missing) {
    ASSIGN_OR_RETURN(const bool has_journal, disk_.Exists(JournalPath()));
    RETURN_IF_ERROR(Load(if_missing));
    if (!has_journal) return absl::OkStatus();
    RETURN_IF_ERROR(RemoveJournal());
    return Load(IfMissing::kRefuse);
  }

  Status Reload() {
    is_usable_ = false;
    RETURN_IF_ERROR(Load(IfMissing::kRefuse));
    RETURN_IF_ERROR(RemoveJournal());
    RETURN_IF_ERROR(Load(IfMissing::kRefuse));
    is_usable_ = true;
    return absl::OkStatus();
  }

  Status Commit(const Change& change) {
    RETURN_IF_ERROR(CheckUsable());
    ASSIGN_OR_RETURN(CatalogueRows changed, After(change));
    if (Status written = Write(change, changed.store); !written.ok()) {
      is_usable_ = false;
      return written;
    }
    for (const NewSegment& segment : change.added) given_ids_.erase(segment.row.id);
    rows_ = std::move(changed);
    return absl::OkStatus();
  }

  StatusOr<std::string> TraceFilter(uint64_t segment_id) {
    RETURN_IF_ERROR(CheckUsable());
    if (!Holds(segment_id)) return NoSegment(segment_id);
    return ReadTraceFilter(*connection_, segment_id);
  }

  Status Check() {
    RETURN_IF_ERROR(CheckUsable());
    {
      ASSIGN_OR_RETURN(SqliteStatement check, connection_->Prepare("PRAGMA integrity_check(1)"));
      ASSIGN_OR_RETURN(const bool has_row, check.Step());
      if (!has_row || check.Content(0) != "ok") return connection_->Damaged(has_row ? check.Content(0) : "no answer");
    }
    ASSIGN_OR_RETURN(const CatalogueRows rows, ReadRows(*connection_));
    for (const SegmentRow& segment : rows.segments) {
      RETURN_IF_ERROR(ReadTraceFilter(*connection_, segment.id).status());
    }
    return absl::OkStatus();
  }

  Status CopyTo(const std::string& path) {
    RETURN_IF_ERROR(CheckUsable());
    return CopyFile(disk_, path_, path);  // between transactions the file is all there is
  }

  [[nodiscard]] const CatalogueRows& rows() const { return rows_; }

  uint64_t NextId() {
    given_ids_.insert(++last_id_);
    return last_id_;
  }

 private:
  [[nodiscard]] Status Missing() const {
    return absl::NotFoundError(StrCat("the catalogue ", name_,
                                      " is missing, but there are segments; restore the data directory from a backup, "
                                      "or move it away to start empty"));
  }

  [[nodiscard]] Status CheckUsable() const {
    if (is_usable_) return absl::OkStatus();
    return absl::FailedPreconditionError(
        StrCat("the catalogue ", name_, " has to be read again after a failed change"));
  }

  static Status NoSegment(uint64_t id) { return absl::NotFoundError(StrCat("there is no segment ", id)); }

  Status Configure() {
    // Filters that are removed need not be overwritten; nothing in the schema is to run; sorting stays in memory.
    return connection_->Execute(
        "PRAGMA journal_mode = PERSIST; PRAGMA synchronous = EXTRA; PRAGMA temp_store = MEMORY; "
        "PRAGMA secure_delete = OFF; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  }

  Status Create() {
    const StoreRow store = {.store_id = NewStoreId(), .created_unix_ns = static_cast<uint64_t>(clock_.UnixNs())};
    RETURN_IF_ERROR(connection_->Execute("BEGIN IMMEDIATE"));
    RETURN_IF_ERROR(CreateTables(*connection_, store));
    return connection_->Execute("COMMIT");
  }

  // Where emptying the journal failed or was cut short, it may be back after a power cut, to undo what was done since.
  // A file that has no name can't.
  Status RemoveJournal() {
    connection_ = nullptr;
    const std::string journal = JournalPath();
    ASSIGN_OR_RETURN(const bool exists, disk_.Exists(journal));
    if (exists) {
      ASSIGN_OR_RETURN(const auto file, disk_.Open(journal, OpenMode::kRead));
      char first = 0;  // SQLite rolls back what does not begin with 0; the rest was never forced to the device
      RETURN_IF_ERROR(file->ReadAt(0, {&first, 1}).status());
      if (first != 0) return absl::UnavailableError(StrCat(journal, " is still there, though SQLite has read it"));
      RETURN_IF_ERROR(disk_.Remove(journal));
    }
    return disk_.SyncDirectory(disk::DirectoryOf(path_));
  }

  [[nodiscard]] std::string JournalPath() const { return StrCat(path_, kJournalSuffix); }

  [[nodiscard]] bool Holds(uint64_t id) const {
    const auto found = std::ranges::lower_bound(rows_.segments, id, {}, &SegmentRow::id);
    return found != rows_.segments.end() && found->id == id;
  }

  // What the rows will be.
  [[nodiscard]] StatusOr<CatalogueRows> After(const Change& change) const {
    CatalogueRows rows = rows_;
    RETURN_IF_ERROR(Remove(change.removed, rows));
    RETURN_IF_ERROR(Add(change.added, rows));
    const uint64_t position = change.log_position.value_or(rows.store.log_position);
    if (position < rows.store.log_position || position > kNumberMax) {
      return absl::InvalidArgumentError(
          StrCat("the log position can't go from ", rows.store.log_position, " to ", position));
    }
    rows.store.log_position = position;
    rows.store.segment_count = rows.segments.size();
    rows.store.segment_sum = 0;
    for (const SegmentRow& segment : rows.segments) rows.store.segment_sum += RowChecksumOf(segment);
    return rows;
  }

  Status Remove(const std::vector<uint64_t>& ids, CatalogueRows& rows) const {
    const std::set<uint64_t> removed(ids.begin(), ids.end());
    for (const uint64_t id : removed) {
      if (!Holds(id)) return NoSegment(id);
    }
    std::erase_if(rows.segments, [&](const SegmentRow& segment) { return removed.contains(segment.id); });
    return absl::OkStatus();
  }

  Status Add(const std::vector<NewSegment>& added, CatalogueRows& rows) const {
    std::set<std::string> files;
    for (const SegmentRow& segment : rows.segments) files.insert(segment.file);
    std::set<uint64_t> ids;
    for (const NewSegment& segment : added) {
      const SegmentRow& row = segment.row;
      RETURN_IF_ERROR(CheckLimits(segment));
      if (!given_ids_.contains(row.id) || !ids.insert(row.id).second || !files.insert(row.file).second) {
        return absl::AlreadyExistsError(
            StrCat("segment ", row.id, ", ", row.file, ": its id or file is used, or not given"));
      }
      rows.store.last_segment_id = std::max(rows.store.last_segment_id, row.id);
      rows.segments.push_back(row);
    }
    std::ranges::sort(rows.segments, {}, &SegmentRow::id);
    return absl::OkStatus();
  }

  Status Write(const Change& change, const StoreRow& store) {
    RETURN_IF_ERROR(connection_->Execute("BEGIN IMMEDIATE"));
    for (const uint64_t id : change.removed) RETURN_IF_ERROR(DeleteSegment(*connection_, id));
    for (const NewSegment& segment : change.added) RETURN_IF_ERROR(InsertSegment(*connection_, segment));
    RETURN_IF_ERROR(UpdateStore(*connection_, store));
    return connection_->Execute("COMMIT");
  }

  disk::Disk& disk_;
  const Clock& clock_;
  const std::string path_;
  const std::string name_;  // in errors
  std::unique_ptr<SqliteConnection> connection_;
  CatalogueRows rows_;
  uint64_t last_id_ = 0;          // the highest that was given by NextId, or used
  std::set<uint64_t> given_ids_;  // by NextId, and not used yet
  bool is_usable_ = true;         // false after a change that failed, until Reload
};

StatusOr<Catalogue> Catalogue::Open(disk::Disk& disk, const std::string& directory, const Clock& clock,
                                    IfMissing if_missing, const std::string& name) {
  auto database = std::make_unique<Database>(disk, directory, clock, name);
  RETURN_IF_ERROR(database->Open(if_missing));
  return Catalogue(std::move(database));
}

Catalogue::Catalogue(std::unique_ptr<Database> database) : database_(std::move(database)) {}

Catalogue::Catalogue(Catalogue&&) noexcept = default;

Catalogue::~Catalogue() = default;

const StoreId& Catalogue::store_id() const {
  return database_->rows().store.store_id;
}

uint64_t Catalogue::log_position() const {
  return database_->rows().store.log_position;
}

const std::vector<SegmentRow>& Catalogue::segments() const {
  return database_->rows().segments;
}

std::vector<SegmentRow> Catalogue::ByArrival() const {
  std::vector<SegmentRow> rows = segments();
  std::ranges::sort(rows, {}, &SegmentRow::arrival);
  return rows;
}

uint64_t Catalogue::NextSegmentId() {
  return database_->NextId();
}

StatusOr<std::string> Catalogue::TraceFilter(uint64_t segment_id) {
  return database_->TraceFilter(segment_id);
}

Status Catalogue::Commit(const Change& change) {
  return database_->Commit(change);
}

Status Catalogue::Reload() {
  return database_->Reload();
}

Status Catalogue::Check() {
  return database_->Check();
}

Status Catalogue::CopyTo(const std::string& path) {
  return database_->CopyTo(path);
}

}  // namespace spanloom::store::columnar::catalogue
