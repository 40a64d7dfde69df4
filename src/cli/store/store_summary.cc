// SPDX-License-Identifier: Apache-2.0

#include "cli/store/store_summary.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/console/text_format.h"
#include "store/columnar/segment/segment_account.h"
#include "store/data_dir.h"

namespace spanloom::cli::store {
namespace {

using console::CountOf;
using console::FormatBytes;
using console::FormatTime;
using console::Grouped;
using spanloom::store::columnar::AccountOf;
using spanloom::store::columnar::SegmentAccount;
using spanloom::store::columnar::SegmentFile;
using spanloom::store::columnar::StoreFiles;

std::string Hex(const spanloom::store::columnar::catalogue::StoreId& id) {
  std::string text;
  for (const uint8_t byte : id) absl::StrAppendFormat(&text, "%02x", byte);
  return text;
}

void AddRow(const spanloom::store::columnar::catalogue::SegmentRow& row, StoreSummary& summary) {
  StoreSummary::Level& level = summary.levels[row.level];
  ++level.segments;
  level.spans += row.spans;
  level.bytes += row.bytes;
  const bool is_first = summary.spans == 0;
  summary.spans += row.spans;
  summary.traces += row.traces;
  summary.segment_bytes += row.bytes;
  summary.first_start_unix_ns =
      is_first ? row.first_start_unix_ns : std::min(summary.first_start_unix_ns, row.first_start_unix_ns);
  summary.last_start_unix_ns = std::max(summary.last_start_unix_ns, row.last_start_unix_ns);
}

Status AddAccount(const SegmentFile& segment, StoreSummary& summary) {
  RETURN_IF_ERROR(segment.file.status());
  ASSIGN_OR_RETURN(const SegmentAccount account, AccountOf(**segment.file));
  for (const auto& [part, bytes] : account.parts) summary.parts[part] += bytes;
  for (const auto& [key, bytes] : account.columns) summary.columns[key] += bytes;
  return absl::OkStatus();
}

using NamedBytes = std::pair<std::string_view, uint64_t>;

// Those that have any, the largest first.
std::vector<NamedBytes> Sorted(const std::map<std::string, uint64_t>& bytes) {
  std::vector<NamedBytes> sorted(bytes.begin(), bytes.end());
  std::erase_if(sorted, [](const NamedBytes& named) { return named.second == 0; });
  std::ranges::stable_sort(sorted, std::ranges::greater(), &NamedBytes::second);
  return sorted;
}

void AppendTable(std::string_view title, const std::vector<NamedBytes>& rows, size_t rows_max,
                 const StoreSummary& summary, std::string& text) {
  absl::StrAppendFormat(&text, "\n%-40s %12s %8s %12s\n", AbslView(title), "bytes", "share", "bytes/span");
  const auto whole = static_cast<double>(std::max<uint64_t>(summary.segment_bytes, 1));
  size_t shown = 0;
  uint64_t rest = 0;
  for (const auto& [name, bytes] : rows) {
    if (rows_max > 0 && shown >= rows_max) {
      rest += bytes;
      continue;
    }
    ++shown;
    absl::StrAppendFormat(&text, "%-40s %12s %7.1f%% %12.2f\n", AbslView(name), FormatBytes(bytes),
                          static_cast<double>(bytes) * 100 / whole, summary.BytesASpan(bytes));
  }
  if (shown == rows.size()) return;
  absl::StrAppendFormat(&text, "%-40s %12s %7.1f%% %12.2f\n", StrCat(rows.size() - shown, " others (--columns 0)"),
                        FormatBytes(rest), static_cast<double>(rest) * 100 / whole, summary.BytesASpan(rest));
}

void WriteBytes(std::string_view key, const std::map<std::string, uint64_t>& bytes, JsonWriter& json) {
  json.Key(key);
  json.BeginObject();
  for (const auto& [name, count] : Sorted(bytes)) json.Field(name, count);
  json.EndObject();
}

}  // namespace

StatusOr<StoreSummary> SumUp(const StoreFiles& files) {
  StoreSummary summary;
  summary.directory = files.directory();
  summary.store_id = Hex(files.catalogue().store_id());
  ASSIGN_OR_RETURN(summary.owner, spanloom::store::DataDir::OwnerOf(files.directory()));
  for (const SegmentFile& segment : files.segments()) {
    AddRow(segment.row, summary);
    if (segment.requests != nullptr) {
      ASSIGN_OR_RETURN(const uint64_t bytes, segment.requests->Size());
      summary.request_bytes += bytes;
    }
    const Status status = AddAccount(segment, summary);
    if (absl::IsDataLoss(status) || absl::IsNotFound(status)) {
      summary.unread.push_back(StrCat(segment.path, ": ", status.message()));
    } else {
      RETURN_IF_ERROR(status);
    }
  }
  for (const auto& entry : files.log().entries()) {
    ASSIGN_OR_RETURN(const uint64_t bytes, entry.file->Size());
    summary.log_bytes += bytes;
  }
  return summary;
}

std::string FormatSummary(const StoreSummary& summary, size_t columns_max) {
  std::string text = StrCat("store ", summary.store_id, " in ", summary.directory, ", ",
                            summary.owner ? StrCat("in use by ", *summary.owner) : "not in use", "\n");
  StrAppend(text, CountOf(summary.spans, "span"), " of ", CountOf(summary.traces, "trace"));
  if (summary.spans > 0) {
    StrAppend(text, ", started ", FormatTime(summary.first_start_unix_ns), " to ",
              FormatTime(summary.last_start_unix_ns));
  }
  absl::StrAppendFormat(&text, "\n%s in segments, %.1f bytes a span; request rows %s, %.1f bytes a span; log %s\n",
                        FormatBytes(summary.segment_bytes), summary.BytesASpan(summary.segment_bytes),
                        FormatBytes(summary.request_bytes), summary.BytesASpan(summary.request_bytes),
                        FormatBytes(summary.log_bytes));
  absl::StrAppendFormat(&text, "\n%-40s %12s %8s %12s\n", "segments by merges", "bytes", "number", "spans");
  for (const auto& [number, level] : summary.levels) {
    absl::StrAppendFormat(&text, "%-40s %12s %8d %12s\n", number == 0 ? "flushed" : StrCat("merged, level ", number),
                          FormatBytes(level.bytes), level.segments, Grouped(level.spans));
  }
  AppendTable("bytes of segments", Sorted(summary.parts), 0, summary, text);
  AppendTable("attributes, in pages", Sorted(summary.columns), columns_max, summary, text);
  return text;
}

std::string SummaryAsJson(const StoreSummary& summary) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  json.Field("directory", summary.directory);
  json.Field("store_id", summary.store_id);
  json.Key("owner");
  summary.owner ? json.String(*summary.owner) : json.Null();
  json.Field("spans", summary.spans);
  json.Field("traces", summary.traces);
  json.Field("first_start_unix_ns", summary.first_start_unix_ns);
  json.Field("last_start_unix_ns", summary.last_start_unix_ns);
  json.Field("segment_bytes", summary.segment_bytes);
  json.Field("request_bytes", summary.request_bytes);
  json.Field("log_bytes", summary.log_bytes);
  json.Key("levels");
  json.BeginArray();
  for (const auto& [number, level] : summary.levels) {
    json.BeginObject();
    json.Field("level", static_cast<uint64_t>(number));
    json.Field("segments", level.segments);
    json.Field("spans", level.spans);
    json.Field("bytes", level.bytes);
    json.EndObject();
  }
  json.EndArray();
  WriteBytes("parts", summary.parts, json);
  WriteBytes("columns", summary.columns, json);
  json.Key("unread");
  json.BeginArray();
  for (const std::string& unread : summary.unread) json.String(unread);
  json.EndArray();
  json.EndObject();
  return text;
}

}  // namespace spanloom::cli::store
