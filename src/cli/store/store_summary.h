// SPDX-License-Identifier: Apache-2.0
//
// A store in figures.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "store/columnar/inspect/store_files.h"

namespace spanloom::cli::store {

// A value. Bytes are those of files.
struct StoreSummary {
  struct Level {
    uint64_t segments = 0;
    uint64_t spans = 0;
    uint64_t bytes = 0;
  };

  std::string directory;
  std::string store_id;              // hexadecimal
  std::optional<std::string> owner;  // who has it now
  uint64_t spans = 0;                // in segments
  uint64_t traces = 0;               // the same; one that lies in several segments counts in each
  uint64_t first_start_unix_ns = 0;  // of them; 0 if there is none
  uint64_t last_start_unix_ns = 0;
  uint64_t segment_bytes = 0;
  uint64_t request_bytes = 0;        // request rows beside segments
  uint64_t log_bytes = 0;            // what of them is in segments already is removed soon
  std::map<uint32_t, Level> levels;  // by number
  std::map<std::string, uint64_t>
      parts;  // bytes of segments by what they are for; their sum is that of the segments read
  std::map<std::string, uint64_t> columns;  // bytes of attributes in pages, by key
  std::vector<std::string> unread;          // segments that can't be read: path and reason

  [[nodiscard]] double BytesASpan(uint64_t bytes) const {
    return spans == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(spans);
  }
};

// Reads the index of every segment. Errors: those of the disk.
[[nodiscard]] StatusOr<StoreSummary> SumUp(const spanloom::store::columnar::StoreFiles& files);

// For people. `columns_max`: the most costly attributes; 0 for all.
[[nodiscard]] std::string FormatSummary(const StoreSummary& summary, size_t columns_max);
// All of it, on one line.
[[nodiscard]] std::string SummaryAsJson(const StoreSummary& summary);

}  // namespace spanloom::cli::store
