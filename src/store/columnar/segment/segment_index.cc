// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_index.h"

#include <utility>

#include "base/text.h"
#include "store/columnar/segment/byte_reader.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/slice_ref.h"

namespace spanloom::store::columnar {
namespace {

constexpr std::string_view kSectionNames[kSections] = {"totals", "columns", "shapes", "origins",    "texts",    "pages",
                                                       "traces", "order",   "pool",   "text_index", "summaries"};

}  // namespace

StatusOr<std::unique_ptr<const SegmentIndex>> SegmentIndex::Read(const disk::File& file) {
  using Parse = bool (SegmentIndex::*)(ByteReader&);
  constexpr Parse kParse[kSections] = {
      &SegmentIndex::ParseTotals,    &SegmentIndex::ParseColumns,  &SegmentIndex::ParseShapes,
      &SegmentIndex::ParseOrigins,   &SegmentIndex::ParseTexts,    &SegmentIndex::ParsePages,
      &SegmentIndex::ParseTraces,    &SegmentIndex::ParseOrder,    &SegmentIndex::ParsePool,
      &SegmentIndex::ParseTextIndex, &SegmentIndex::ParseSummaries};
  ASSIGN_OR_RETURN(const Directory directory, ReadDirectory(file));
  std::unique_ptr<SegmentIndex> index(new SegmentIndex());
  ASSIGN_OR_RETURN(index->file_bytes_, file.Size());
  for (size_t i = 0; i < kSections; ++i) {
    ASSIGN_OR_RETURN(std::string content, ReadSection(file, directory[i]));
    std::string& kept = i == static_cast<size_t>(Section::kTexts)       ? index->texts_
                        : i == static_cast<size_t>(Section::kSummaries) ? index->summary_texts_
                                                                        : content;
    if (&kept != &content) kept = std::move(content);
    ByteReader reader(kept);
    if (!(index.get()->*kParse[i])(reader) || !reader.AtEnd()) {
      return absl::DataLossError(StrCat("section \"", kSectionNames[i], "\" is not well formed"));
    }
  }
  return index;
}

std::span<const std::string_view> SegmentIndex::Dictionary(uint32_t column) const {
  if (column >= dictionaries_.size()) return {};
  return dictionaries_[column];
}

bool SegmentIndex::ParseTotals(ByteReader& reader) {
  totals_.spans = reader.Varint();
  totals_.traces = reader.Varint();
  totals_.pool_entries = reader.Varint();
  totals_.first_start_unix_ns = reader.Varint();
  totals_.last_start_unix_ns = reader.Varint();
  return reader.ok();
}

bool SegmentIndex::ParseColumns(ByteReader& reader) {
  columns_.resize(reader.Count());
  for (ColumnKey& column : columns_) {
    const uint8_t type = reader.U8();
    const uint8_t table = reader.U8();
    if (type >= kColumnTypes || table >= kRowTables) return false;
    column = {.table = static_cast<RowTable>(table),
              .type = static_cast<ColumnType>(type),
              .key = std::string(reader.Text())};
    if (!reader.ok()) return false;
  }
  return columns_.size() >= kFixedColumns;
}

bool SegmentIndex::ParseShapes(ByteReader& reader) {
  shapes_.resize(reader.Count());
  for (Shape& shape : shapes_) {
    const uint8_t table = reader.U8();
    if (table >= kRowTables) return false;
    shape.table = static_cast<RowTable>(table);
    shape.tokens.resize(reader.Count());
    for (Token& token : shape.tokens) {
      const uint8_t op = reader.U8();
      if (op >= kOps) return false;
      token.op = static_cast<Op>(op);
      if (token.op == Op::kAttribute) token.column = static_cast<uint32_t>(reader.Below(columns_.size()));
    }
    if (!reader.ok() || !IsPossible(shape, columns_)) return false;
    shape.Derive(columns_);
  }
  return true;
}

bool SegmentIndex::ParseOrigins(ByteReader& reader) {
  for (uint64_t left = reader.Count(); left > 0 && reader.ok(); --left) {
    SpanOrigin origin;
    origin.resource = Bytes::CopyOf(reader.Text());
    origin.scope = Bytes::CopyOf(reader.Text());
    origin.resource_schema_url = std::string(reader.Text());
    origin.scope_schema_url = std::string(reader.Text());
    origins_.push_back(std::make_shared<const SpanOrigin>(std::move(origin)));
  }
  return reader.ok();
}

bool SegmentIndex::ParseTexts(ByteReader& reader) {
  dictionaries_.resize(reader.Below(columns_.size() + 1));
  for (std::vector<std::string_view>& dictionary : dictionaries_) {
    dictionary.resize(reader.Count());
    for (std::string_view& text : dictionary) text = reader.Text();
    if (!reader.ok()) return false;
  }
  return reader.ok();
}

bool SegmentIndex::ParsePages(ByteReader& reader) {
  uint64_t rows = 0;
  for (uint64_t left = reader.Count(); left > 0; --left) {
    pages_.push_back(ReadPageRef(shapes_, file_bytes_, reader));
    if (!reader.ok() || pages_.back().first_trace >= totals_.traces) return false;
    if (pages_.size() > 1 && pages_.back().first_trace < pages_[pages_.size() - 2].first_trace) return false;
    if (left > 1 && pages_.back().rows() != kPageRows) return false;
    rows += pages_.back().rows();
  }
  NoteShapes();
  return reader.ok() && rows == totals_.spans;
}

void SegmentIndex::NoteShapes() {
  std::vector<bool> in_use(shapes_.size());
  for (const PageRef& page : pages_) {
    for (const TableRef& table : page.tables) {
      for (const GroupRef& group : table.groups) in_use[group.shape] = true;
    }
  }
  for (uint32_t shape = 0; shape < shapes_.size(); ++shape) {
    if (in_use[shape]) shapes_in_use_.push_back(shape);
  }
}

bool SegmentIndex::ParseTraces(ByteReader& reader) {
  uint64_t traces = 0;
  for (uint64_t left = reader.Count(); left > 0; --left) {
    trace_chunks_.push_back(ReadTraceChunkRef(file_bytes_, reader));
    if (!reader.ok() || (left > 1 && trace_chunks_.back().traces != kChunkTraces)) return false;
    if (trace_chunks_.back().first_row >= totals_.spans) return false;
    traces += trace_chunks_.back().traces;
  }
  return reader.ok() && traces == totals_.traces;
}

bool SegmentIndex::ParseOrder(ByteReader& reader) {
  uint8_t place = 0;
  order_ = ReadSliceRef(place, reader);
  order_payload_ = std::string(reader.Bytes(PackedBytes(totals_.traces, order_.width)));
  order_payload_.append(kPackedSlackBytes, '\0');
  for (uint64_t i = 0; i < totals_.traces && reader.ok(); ++i) {
    if (TraceInOrder(i) >= totals_.traces) return false;
  }
  return reader.ok();
}

bool SegmentIndex::ParsePool(ByteReader& reader) {
  pool_ = PoolIndex(file_bytes_, reader);
  return reader.ok() && pool_.entries() == totals_.pool_entries;
}

bool SegmentIndex::ParseTextIndex(ByteReader& reader) {
  text_index_ = TextIndex(file_bytes_, reader);
  return reader.ok();
}

bool SegmentIndex::ParseSummaries(ByteReader& reader) {
  summaries_.resize(reader.Count());
  for (TraceSummary& summary : summaries_) {
    summary.has_root = reader.U8() != 0;
    if (summary.has_root) {
      summary.root_service = reader.Text();
      summary.root_name = reader.Text();
    }
    summary.services.resize(reader.Count());
    for (TraceSummary::Service& service : summary.services) {
      service.name = reader.Text();
      service.spans = static_cast<uint32_t>(reader.Varint());
      service.errors = static_cast<uint32_t>(reader.Varint());
    }
    if (!reader.ok()) return false;
  }
  return reader.ok();
}

}  // namespace spanloom::store::columnar
