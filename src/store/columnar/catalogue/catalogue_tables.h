// SPDX-License-Identifier: Apache-2.0
//
// The rows of the catalogue as SQLite keeps them: docs/formats/catalogue.md. Statements only; transactions are the
// caller's.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/columnar/catalogue/catalogue.h"
#include "store/columnar/catalogue/sqlite_connection.h"

namespace spanloom::store::columnar::catalogue {

// The one row of `store`. Numbers are below 2^63.
struct StoreRow {
  StoreId store_id = {};
  uint64_t created_unix_ns = 0;
  uint64_t log_position = 0;
  uint64_t last_segment_id = 0;
  uint64_t segment_count = 0;
  uint32_t segment_sum = 0;  // of RowChecksumOf all segments, modulo 2^32
};

// All that is read at start.
struct CatalogueRows {
  StoreRow store;
  std::vector<SegmentRow> segments;  // ascending by id
};

[[nodiscard]] uint32_t RowChecksumOf(const SegmentRow& segment);

// In a database without tables: names it a catalogue of kCatalogueVersion, makes the tables and the row of `store`.
Status CreateTables(SqliteConnection& connection, const StoreRow& store);

// Errors: kDataLoss (not a catalogue), kFailedPrecondition (a newer version).
Status CheckVersion(SqliteConnection& connection, const std::string& path);

// Reads and checks all rows but filters. Errors: kDataLoss.
StatusOr<CatalogueRows> ReadRows(SqliteConnection& connection);

// Reads no filter, but fails if the table is not as it should be: kDataLoss.
Status CheckFilterTable(SqliteConnection& connection);
// Errors: kDataLoss if there is none, or it does not match its checksum.
StatusOr<std::string> ReadTraceFilter(SqliteConnection& connection, uint64_t segment_id);

Status InsertSegment(SqliteConnection& connection, const NewSegment& segment);
Status DeleteSegment(SqliteConnection& connection, uint64_t segment_id);
Status UpdateStore(SqliteConnection& connection, const StoreRow& store);

}  // namespace spanloom::store::columnar::catalogue
