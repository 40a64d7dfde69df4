// SPDX-License-Identifier: Apache-2.0

#include "cli/store/dump_verb.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/console/text_format.h"
#include "cli/store/request_packer.h"
#include "otlp/json/write.h"
#include "otlp/request.h"
#include "store/columnar/inspect/store_files.h"
#include "store/columnar/requests/request_file.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/disk/posix_disk.h"

namespace spanloom::cli::store {
namespace {

using console::FormatTime;
using spanloom::store::StoredSpan;
using spanloom::store::columnar::ColumnKey;
using spanloom::store::columnar::ColumnType;
using spanloom::store::columnar::kRowTables;
using spanloom::store::columnar::PageRef;
using spanloom::store::columnar::RequestFile;
using spanloom::store::columnar::SegmentFile;
using spanloom::store::columnar::SegmentIndex;
using spanloom::store::columnar::SegmentReader;
using spanloom::store::columnar::StoreFiles;
using spanloom::store::columnar::TracePlace;
using spanloom::store::log::LogFrame;

constexpr std::array<std::string_view, kRowTables> kTableNames = {"spans", "events", "links"};

std::string_view NameOf(ColumnType type) {
  constexpr std::array<std::string_view, spanloom::store::columnar::kColumnTypes> kNames = {
      "absent", "empty", "string", "bool", "int", "double", "array", "map", "bytes"};
  return kNames[static_cast<size_t>(type)];
}

// Objects, a line each.
class Lines {
 public:
  explicit Lines(const Terminal& terminal) : terminal_(terminal) {}

  // Calls `fill` with the object begun. Errors: kCancelled; kUnavailable, if nobody reads any more.
  template <typename Fill>
  Status Add(std::string_view kind, Fill fill) {
    if (terminal_.stop.stop_requested()) return absl::CancelledError("interrupted");
    std::string line;
    JsonWriter json(line);
    json.BeginObject();
    json.Field("kind", kind);
    fill(json);
    json.EndObject();
    terminal_.out << line << '\n';
    return terminal_.out.good() ? absl::OkStatus() : absl::UnavailableError("the output is closed, or full");
  }

 private:
  const Terminal& terminal_;
};

Status DumpRequestFiles(StoreFiles& files, Lines& lines) {
  for (SegmentFile& segment : files.segments()) {
    if (segment.requests == nullptr) continue;
    const auto& row = segment.row;
    ASSIGN_OR_RETURN(const uint64_t bytes, segment.requests->Size());
    const auto requests =
        RequestFile::Open(std::move(segment.requests),
                          {.id = row.id, .bytes = row.bytes, .spans = row.spans, .traces = row.traces}, std::nullopt);
    RETURN_IF_ERROR(lines.Add("requests", [&](JsonWriter& json) {
      json.Field("segment", row.id);
      json.Field("file", segment.requests_path);
      json.Field("bytes", bytes);
      if (!requests.ok()) return json.Field("problem", StdView(requests.status().message()));
      json.Field("anatomy_version", static_cast<uint64_t>((*requests)->index().anatomy_version));
      json.Field("derived", FormatTime((*requests)->index().derived_unix_ns));
      json.Field("rows", (*requests)->index().rows());
      json.Field("uncovered_traces", (*requests)->index().uncovered());
    }));
  }
  return absl::OkStatus();
}

Status DumpFiles(StoreFiles& files, Lines& lines) {
  RETURN_IF_ERROR(lines.Add("store", [&](JsonWriter& json) {
    const auto& id = files.catalogue().store_id();
    json.Field("directory", files.directory());
    json.Key("id");
    json.Hex({reinterpret_cast<const char*>(id.data()), id.size()});
    json.Field("log_position", files.catalogue().log_position());
  }));
  for (const SegmentFile& segment : files.segments()) {
    RETURN_IF_ERROR(lines.Add("segment", [&](JsonWriter& json) {
      json.Field("id", segment.row.id);
      json.Field("file", segment.path);
      json.Field("format_version", static_cast<uint64_t>(segment.row.format_version));
      json.Field("level", static_cast<uint64_t>(segment.row.level));
      json.Field("arrival", segment.row.arrival);
      json.Field("bytes", segment.row.bytes);
      json.Field("spans", segment.row.spans);
      json.Field("traces", segment.row.traces);
      json.Field("first_start", FormatTime(segment.row.first_start_unix_ns));
      json.Field("last_start", FormatTime(segment.row.last_start_unix_ns));
      json.Field("created", FormatTime(segment.row.created_unix_ns));
      if (!segment.file.ok()) json.Field("problem", StdView(segment.file.status().message()));
    }));
  }
  RETURN_IF_ERROR(DumpRequestFiles(files, lines));
  for (const auto& entry : files.log().entries()) {
    ASSIGN_OR_RETURN(const uint64_t bytes, entry.file->Size());
    RETURN_IF_ERROR(lines.Add("log_file", [&](JsonWriter& json) {
      json.Field("file", entry.path);
      json.Field("first_sequence", entry.first_sequence);
      json.Field("bytes", bytes);
    }));
  }
  return absl::OkStatus();
}

Status DumpColumns(const SegmentIndex& index, Lines& lines) {
  for (uint32_t number = 0; number < index.columns().size(); ++number) {
    const ColumnKey& column = index.columns()[number];
    RETURN_IF_ERROR(lines.Add("column", [&](JsonWriter& json) {
      json.Field("number", static_cast<uint64_t>(number));
      json.Field("table", kTableNames[static_cast<size_t>(column.table)]);
      json.Field("key", column.key);
      json.Field("type", NameOf(column.type));
      json.Field("dictionary_entries", static_cast<uint64_t>(index.Dictionary(number).size()));
    }));
  }
  return absl::OkStatus();
}

Status DumpShapes(const SegmentIndex& index, Lines& lines) {
  for (size_t number = 0; number < index.shapes().size(); ++number) {
    const auto& shape = index.shapes()[number];
    RETURN_IF_ERROR(lines.Add("shape", [&](JsonWriter& json) {
      json.Field("number", static_cast<uint64_t>(number));
      json.Field("table", kTableNames[static_cast<size_t>(shape.table)]);
      json.Field("fields", static_cast<uint64_t>(shape.tokens.size()));
      json.Field("slots", static_cast<uint64_t>(shape.slots.size()));
      json.Field("is_raw", shape.is_raw());
    }));
  }
  return absl::OkStatus();
}

Status DumpPages(const SegmentIndex& index, Lines& lines) {
  for (size_t number = 0; number < index.pages().size(); ++number) {
    const PageRef& page = index.pages()[number];
    RETURN_IF_ERROR(lines.Add("page", [&](JsonWriter& json) {
      json.Field("number", static_cast<uint64_t>(number));
      json.Field("first_trace", page.first_trace);
      json.Field("first_start", FormatTime(page.start_min));
      json.Field("last_start", FormatTime(page.start_max));
      uint64_t bytes = page.codes.bytes;
      for (size_t table = 0; table < kRowTables; ++table) {
        for (const auto& group : page.tables[table].groups) bytes += group.payload.bytes;
        json.Field(kTableNames[table], static_cast<uint64_t>(page.tables[table].rows));
        json.Field(StrCat(kTableNames[table], "_groups"), static_cast<uint64_t>(page.tables[table].groups.size()));
      }
      json.Field("bytes", bytes);
    }));
  }
  return absl::OkStatus();
}

StatusOr<std::unique_ptr<const SegmentReader>> ReaderOf(SegmentFile& segment) {
  RETURN_IF_ERROR(segment.file.status());
  auto reader = SegmentReader::Open(*std::move(segment.file));
  if (!reader.ok()) return Annotate(reader.status(), segment.path);
  return reader;
}

Status DumpSegment(StoreFiles& files, uint64_t id, Lines& lines) {
  const auto segment =
      std::ranges::find_if(files.segments(), [&](const SegmentFile& candidate) { return candidate.row.id == id; });
  if (segment == files.segments().end()) return absl::NotFoundError(StrCat("there is no segment ", id));
  ASSIGN_OR_RETURN(const auto reader, ReaderOf(*segment));
  RETURN_IF_ERROR(DumpColumns(reader->index(), lines));
  RETURN_IF_ERROR(DumpShapes(reader->index(), lines));
  return DumpPages(reader->index(), lines);
}

// The spans as OTLP/JSON.
Status DumpSpans(std::string_view part, const std::vector<StoredSpan>& spans, Lines& lines) {
  RequestPacker packer;
  const auto emit = [&](std::string request) -> Status {
    ASSIGN_OR_RETURN(otlp::Slice slice, otlp::ReadTraces(Bytes(std::move(request))));
    std::string text;
    otlp::WriteJson(otlp::Batch(std::move(slice)), text);
    return lines.Add("spans", [&](JsonWriter& json) {
      json.Field("part", part);
      json.Key("request");
      json.Raw(text);
    });
  };
  RETURN_IF_ERROR(packer.Add(spans, emit));
  return packer.Finish(emit);
}

Status DumpTraceInSegments(StoreFiles& files, const otlp::TraceId& id, Lines& lines, bool& is_found) {
  for (SegmentFile& segment : files.segments()) {
    ASSIGN_OR_RETURN(const auto reader, ReaderOf(segment));
    ASSIGN_OR_RETURN(const std::optional<TracePlace> place, reader->Find(id));
    if (!place) continue;
    is_found = true;
    ASSIGN_OR_RETURN(const std::vector<StoredSpan> spans, reader->ReadSpans(*place, SIZE_MAX));
    RETURN_IF_ERROR(DumpSpans(segment.path, spans, lines));
  }
  return absl::OkStatus();
}

// Calls `visit` with every request of the log that is in no segment.
template <typename Visit>
Status ForEachFrame(const StoreFiles& files, Visit visit) {
  return files.log()
      .Read(files.catalogue().log_position(),
            [&](const LogFrame& frame) -> Status {
              ASSIGN_OR_RETURN(otlp::Slice slice, otlp::ReadTraces(frame.payload));
              return visit(frame, otlp::Batch(std::move(slice)));
            })
      .status();
}

Status DumpTrace(StoreFiles& files, const otlp::TraceId& id, Lines& lines) {
  bool is_found = false;
  RETURN_IF_ERROR(DumpTraceInSegments(files, id, lines, is_found));
  RETURN_IF_ERROR(ForEachFrame(files, [&](const LogFrame& frame, otlp::Batch batch) -> Status {
    for (otlp::Slice& slice : batch.slices()) {
      slice.DropIf([&](const otlp::SpanContext& span) { return span.span.trace_id() != id; });
    }
    if (batch.empty()) return absl::OkStatus();
    is_found = true;
    std::string text;
    otlp::WriteJson(batch, text);
    return lines.Add("spans", [&](JsonWriter& json) {
      json.Field("part", StrCat("log, frame ", frame.sequence));
      json.Key("request");
      json.Raw(text);
    });
  }));
  return is_found ? absl::OkStatus() : absl::NotFoundError(StrCat("there is no trace ", id.Hex()));
}

Status DumpLog(const StoreFiles& files, Lines& lines) {
  return ForEachFrame(files, [&](const LogFrame& frame, const otlp::Batch& batch) {
    return lines.Add("frame", [&](JsonWriter& json) {
      json.Field("sequence", frame.sequence);
      json.Field("bytes", static_cast<uint64_t>(frame.payload.size()));
      json.Field("spans", static_cast<uint64_t>(batch.span_count()));
    });
  });
}

}  // namespace

Status RunDump(const DumpOptions& options, const Terminal& terminal) {
  spanloom::store::disk::PosixDisk disk;
  ASSIGN_OR_RETURN(StoreFiles files, StoreFiles::Open(disk, options.directory, terminal.clock));
  Lines lines(terminal);
  if (options.segment) return DumpSegment(files, *options.segment, lines);
  if (options.trace) return DumpTrace(files, *options.trace, lines);
  if (options.is_log) return DumpLog(files, lines);
  return DumpFiles(files, lines);
}

}  // namespace spanloom::cli::store
