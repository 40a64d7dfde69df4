// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/catalogue/catalogue_tables.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "store/columnar/catalogue/row_checksum.h"

namespace spanloom::store::columnar::catalogue {
namespace {

constexpr int64_t kApplicationId = 0x53504341;  // "SPCA"

constexpr std::string_view kSchema = R"(
CREATE TABLE store (
  id              INTEGER PRIMARY KEY CHECK (id = 1),
  store_id        BLOB    NOT NULL,
  created_unix_ns INTEGER NOT NULL,
  log_position    INTEGER NOT NULL,
  last_segment_id INTEGER NOT NULL,
  segment_count   INTEGER NOT NULL,
  segment_sum     INTEGER NOT NULL,
  checksum        INTEGER NOT NULL
) STRICT;
CREATE TABLE segment (
  id              INTEGER PRIMARY KEY,
  file            TEXT    NOT NULL,
  format_version  INTEGER NOT NULL,
  level           INTEGER NOT NULL,
  arrival         INTEGER NOT NULL,
  bytes           INTEGER NOT NULL,
  spans           INTEGER NOT NULL,
  traces          INTEGER NOT NULL,
  first_start     INTEGER NOT NULL,
  last_start      INTEGER NOT NULL,
  created_unix_ns INTEGER NOT NULL,
  checksum        INTEGER NOT NULL
) STRICT;
CREATE TABLE trace_filter (
  segment_id      INTEGER PRIMARY KEY,
  filter          BLOB    NOT NULL,
  checksum        INTEGER NOT NULL
) STRICT;
)";

// A start is any 64-bit number; SQLite's are signed. The order is kept.
constexpr uint64_t kShift = uint64_t{1} << 63;
int64_t Shifted(uint64_t start) {
  return static_cast<int64_t>(start ^ kShift);
}
uint64_t Unshifted(int64_t stored) {
  return static_cast<uint64_t>(stored) ^ kShift;
}

// Of numbers that are below 2^63.
int64_t Signed(uint64_t number) {
  return static_cast<int64_t>(number);
}

std::string_view View(const StoreId& id) {
  return {reinterpret_cast<const char*>(id.data()), id.size()};
}

uint32_t ChecksumOf(const StoreRow& row) {
  return RowChecksum()
      .Add(View(row.store_id))
      .Add(Signed(row.created_unix_ns))
      .Add(Signed(row.log_position))
      .Add(Signed(row.last_segment_id))
      .Add(Signed(row.segment_count))
      .Add(int64_t{row.segment_sum})
      .value();
}

uint32_t ChecksumOfFilter(uint64_t segment_id, std::string_view filter) {
  return RowChecksum().Add(Signed(segment_id)).Add(filter).value();
}

SegmentRow SegmentOf(const SqliteStatement& row) {
  return {.id = static_cast<uint64_t>(row.Integer(0)),
          .file = std::string(row.Content(1)),
          .format_version = static_cast<uint32_t>(row.Integer(2)),
          .level = static_cast<uint32_t>(row.Integer(3)),
          .arrival = static_cast<uint64_t>(row.Integer(4)),
          .bytes = static_cast<uint64_t>(row.Integer(5)),
          .spans = static_cast<uint64_t>(row.Integer(6)),
          .traces = static_cast<uint64_t>(row.Integer(7)),
          .first_start_unix_ns = Unshifted(row.Integer(8)),
          .last_start_unix_ns = Unshifted(row.Integer(9)),
          .created_unix_ns = static_cast<uint64_t>(row.Integer(10))};
}

StatusOr<std::vector<SegmentRow>> ReadSegments(SqliteConnection& connection) {
  ASSIGN_OR_RETURN(SqliteStatement rows,
                   connection.Prepare("SELECT id, file, format_version, level, arrival, bytes, spans, traces, "
                                      "first_start, last_start, created_unix_ns, checksum FROM segment ORDER BY id"));
  std::vector<SegmentRow> segments;
  for (;;) {
    ASSIGN_OR_RETURN(const bool has_row, rows.Step());
    if (!has_row) return segments;
    SegmentRow segment = SegmentOf(rows);
    if (rows.Integer(11) != RowChecksumOf(segment)) {
      return connection.Damaged(StrCat("the row of segment ", segment.id, " does not match its checksum"));
    }
    if (!segments.empty() && segments.back().id >= segment.id) return connection.Damaged("segments are out of order");
    segments.push_back(std::move(segment));
  }
}

StatusOr<StoreRow> ReadStore(SqliteConnection& connection) {
  ASSIGN_OR_RETURN(SqliteStatement row,
                   connection.Prepare("SELECT store_id, created_unix_ns, log_position, last_segment_id, segment_count, "
                                      "segment_sum, checksum FROM store"));
  ASSIGN_OR_RETURN(const bool has_row, row.Step());
  StoreRow store;
  const std::string_view id = has_row ? row.Content(0) : "";
  if (id.size() != store.store_id.size()) return connection.Damaged("the row of the store is missing or cut");
  std::ranges::copy(id, store.store_id.begin());
  store.created_unix_ns = static_cast<uint64_t>(row.Integer(1));
  store.log_position = static_cast<uint64_t>(row.Integer(2));
  store.last_segment_id = static_cast<uint64_t>(row.Integer(3));
  store.segment_count = static_cast<uint64_t>(row.Integer(4));
  store.segment_sum = static_cast<uint32_t>(row.Integer(5));
  if (row.Integer(6) != ChecksumOf(store))
    return connection.Damaged("the row of the store does not match its checksum");
  return store;
}

}  // namespace

uint32_t RowChecksumOf(const SegmentRow& segment) {
  return RowChecksum()
      .Add(Signed(segment.id))
      .Add(segment.file)
      .Add(int64_t{segment.format_version})
      .Add(int64_t{segment.level})
      .Add(Signed(segment.arrival))
      .Add(Signed(segment.bytes))
      .Add(Signed(segment.spans))
      .Add(Signed(segment.traces))
      .Add(Shifted(segment.first_start_unix_ns))
      .Add(Shifted(segment.last_start_unix_ns))
      .Add(Signed(segment.created_unix_ns))
      .value();
}

Status CreateTables(SqliteConnection& connection, const StoreRow& store) {
  RETURN_IF_ERROR(connection.Execute(
      StrCat("PRAGMA application_id = ", kApplicationId, "; PRAGMA user_version = ", kCatalogueVersion)));
  RETURN_IF_ERROR(connection.Execute(kSchema));
  ASSIGN_OR_RETURN(
      SqliteStatement insert,
      connection.Prepare("INSERT INTO store (id, store_id, created_unix_ns, log_position, last_segment_id, "
                         "segment_count, segment_sum, checksum) VALUES (1, ?, ?, 0, 0, 0, 0, 0)"));
  RETURN_IF_ERROR(insert.BindBlob(0, View(store.store_id)).Bind(1, Signed(store.created_unix_ns)).Run());
  return UpdateStore(connection, store);
}

Status CheckVersion(SqliteConnection& connection, const std::string& path) {
  ASSIGN_OR_RETURN(const int64_t application_id, connection.QueryInteger("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t version, connection.QueryInteger("PRAGMA user_version"));
  if (application_id != kApplicationId || version < 1) return connection.Damaged("it is not a catalogue of Spanloom");
  if (version == kCatalogueVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(StrCat("the catalogue ", path, " has version ", version,
                                              "; this program reads versions up to ", kCatalogueVersion,
                                              ": start the newer one"));
}

StatusOr<CatalogueRows> ReadRows(SqliteConnection& connection) {
  CatalogueRows rows;
  ASSIGN_OR_RETURN(rows.store, ReadStore(connection));
  ASSIGN_OR_RETURN(rows.segments, ReadSegments(connection));
  uint32_t sum = 0;
  for (const SegmentRow& segment : rows.segments) sum += RowChecksumOf(segment);
  if (rows.segments.size() != rows.store.segment_count || sum != rows.store.segment_sum) {
    return connection.Damaged(StrCat("it has ", rows.segments.size(), " segments of ", rows.store.segment_count));
  }
  return rows;
}

Status CheckFilterTable(SqliteConnection& connection) {
  return connection.Prepare("SELECT segment_id, filter, checksum FROM trace_filter").status();
}

StatusOr<std::string> ReadTraceFilter(SqliteConnection& connection, uint64_t segment_id) {
  ASSIGN_OR_RETURN(SqliteStatement row,
                   connection.Prepare("SELECT filter, checksum FROM trace_filter WHERE segment_id = ?"));
  row.Bind(0, Signed(segment_id));
  ASSIGN_OR_RETURN(const bool has_row, row.Step());
  if (!has_row) return connection.Damaged(StrCat("the trace filter of segment ", segment_id, " is missing"));
  std::string filter(row.Content(0));
  if (row.Integer(1) != ChecksumOfFilter(segment_id, filter)) {
    return connection.Damaged(StrCat("the trace filter of segment ", segment_id, " does not match its checksum"));
  }
  return filter;
}

Status InsertSegment(SqliteConnection& connection, const NewSegment& segment) {
  const SegmentRow& row = segment.row;
  ASSIGN_OR_RETURN(SqliteStatement insert,
                   connection.Prepare("INSERT INTO segment (id, file, format_version, level, arrival, bytes, spans, "
                                      "traces, first_start, last_start, created_unix_ns, checksum) "
                                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.Bind(0, Signed(row.id)).BindText(1, row.file).Bind(2, row.format_version).Bind(3, row.level);
  insert.Bind(4, Signed(row.arrival)).Bind(5, Signed(row.bytes)).Bind(6, Signed(row.spans));
  insert.Bind(7, Signed(row.traces));
  insert.Bind(8, Shifted(row.first_start_unix_ns)).Bind(9, Shifted(row.last_start_unix_ns));
  insert.Bind(10, Signed(row.created_unix_ns)).Bind(11, RowChecksumOf(row));
  RETURN_IF_ERROR(insert.Run());
  ASSIGN_OR_RETURN(SqliteStatement filter,
                   connection.Prepare("INSERT INTO trace_filter (segment_id, filter, checksum) VALUES (?, ?, ?)"));
  filter.Bind(0, Signed(row.id)).BindBlob(1, segment.trace_filter);
  return filter.Bind(2, ChecksumOfFilter(row.id, segment.trace_filter)).Run();
}

Status DeleteSegment(SqliteConnection& connection, uint64_t segment_id) {
  for (const std::string_view sql :
       {"DELETE FROM segment WHERE id = ?", "DELETE FROM trace_filter WHERE segment_id = ?"}) {
    ASSIGN_OR_RETURN(SqliteStatement statement, connection.Prepare(sql));
    RETURN_IF_ERROR(statement.Bind(0, Signed(segment_id)).Run());
  }
  return absl::OkStatus();
}

Status UpdateStore(SqliteConnection& connection, const StoreRow& store) {
  ASSIGN_OR_RETURN(SqliteStatement update,
                   connection.Prepare("UPDATE store SET log_position = ?, last_segment_id = ?, segment_count = ?, "
                                      "segment_sum = ?, checksum = ?"));
  update.Bind(0, Signed(store.log_position)).Bind(1, Signed(store.last_segment_id));
  update.Bind(2, Signed(store.segment_count)).Bind(3, store.segment_sum).Bind(4, ChecksumOf(store));
  return update.Run();
}

}  // namespace spanloom::store::columnar::catalogue
