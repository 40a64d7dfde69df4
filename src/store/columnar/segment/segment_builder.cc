// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_builder.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "store/columnar/segment/byte_writer.h"
#include "store/columnar/segment/parent_rows.h"
#include "store/trace_row.h"

namespace spanloom::store::columnar {
namespace {

std::string EncodeOrigin(const SpanOrigin& origin) {
  std::string out;
  ByteWriter writer(out);
  writer.Text(origin.resource.view());
  writer.Text(origin.scope.view());
  writer.Text(origin.resource_schema_url);
  writer.Text(origin.scope_schema_url);
  return out;
}

std::string EncodeSummary(const TraceRow& row) {
  std::string out;
  ByteWriter writer(out);
  writer.U8(row.root_name ? 1 : 0);
  if (row.root_name) {
    writer.Text(*row.root_service);
    writer.Text(*row.root_name);
  }
  writer.Varint(row.services.size());
  for (const ServiceSpans& service : row.services) {
    writer.Text(service.service);
    writer.Varint(service.spans);
    writer.Varint(service.errors);
  }
  return out;
}

// The number of `content` in a list that grows; the list's items are distinct.
uint32_t NumberOf(std::string content, absl::flat_hash_map<std::string, uint32_t>& numbers,
                  std::vector<std::string>& list) {
  const auto [found, is_new] = numbers.try_emplace(std::move(content), static_cast<uint32_t>(list.size()));
  if (is_new) list.push_back(found->first);
  return found->second;
}

// A list as a section: how many, then each.
std::string ListSection(const std::vector<std::string>& items) {
  std::string out;
  ByteWriter(out).Varint(items.size());
  for (const std::string& item : items) out.append(item);
  return out;
}

uint64_t IdHalf(const otlp::TraceId& id, size_t half) {
  uint64_t value = 0;
  std::memcpy(&value, id.bytes.data() + half * sizeof(value), sizeof(value));
  return value;
}

}  // namespace

SegmentBuilder::SegmentBuilder(disk::File& file) : sink_(file) {
  WriteHeader(sink_);
}

uint32_t SegmentBuilder::OriginOf(const std::shared_ptr<const SpanOrigin>& origin) {
  const auto found = origin_numbers_.find(origin.get());
  if (found != origin_numbers_.end()) return found->second;
  const uint32_t number = NumberOf(EncodeOrigin(*origin), origins_by_content_, origins_);
  origin_numbers_.emplace(origin.get(), number);
  held_origins_.push_back(origin);
  return number;
}

uint32_t SegmentBuilder::SummaryOf(const TraceRow& row) {
  return NumberOf(EncodeSummary(row), summary_numbers_, summaries_);
}

void SegmentBuilder::Add(Trace added, uint64_t version) {
  const Trace& trace = held_traces_.emplace_back(std::move(added));
  TraceRowBuilder row_builder(trace.id);
  std::vector<otlp::SpanView> views;
  std::vector<SpanLink> links;
  views.reserve(trace.spans.size());
  links.reserve(trace.spans.size());
  for (const StoredSpan& span : trace.spans) {
    const otlp::SpanView& view = views.emplace_back(span.wire.view());
    row_builder.Add(span, view);
    links.push_back({.id = view.span_id(), .parent_id = view.parent_span_id()});
  }
  const TraceRow row = std::move(row_builder).Finish(version);
  AddSpans(trace, views, links, row.start_unix_ns);
  AddEntry(row, views.back().start_unix_ns());
  if (totals_.traces == 0) totals_.first_start_unix_ns = row.start_unix_ns;
  ++totals_.traces;
  totals_.spans += views.size();
  totals_.last_start_unix_ns = std::max(totals_.last_start_unix_ns, views.back().start_unix_ns());
}

void SegmentBuilder::AddSpans(const Trace& trace, std::span<const otlp::SpanView> views,
                              std::span<const SpanLink> links, uint64_t trace_start) {
  const std::vector<int64_t> parents = ParentRows(links);
  for (size_t i = 0; i < views.size(); ++i) {
    const uint64_t start = views[i].start_unix_ns();
    if (begins_trace_.size() == kPageRows) WritePage();
    if (begins_trace_.empty()) {
      page_.first_trace = traces_.size();
      page_.start_min = start;
      page_.start_max = start;
    }
    begins_trace_.push_back(i == 0);
    page_.start_min = std::min(page_.start_min, start);
    page_.start_max = std::max(page_.start_max, start);
    shredder_.Shred({.wire = trace.spans[i].wire.view(),
                     .trace_id = trace.id.view(),
                     .trace_start = trace_start,
                     .start = start,
                     .origin = OriginOf(trace.spans[i].origin),
                     .parent = parents[i] == 0 ? std::nullopt : std::optional(parents[i])},
                    rows_);
  }
}

void SegmentBuilder::AddEntry(const TraceRow& row, uint64_t last_start_unix_ns) {
  TraceEntry entry;
  entry[TraceSlot::kIdLow] = IdHalf(row.id, 0);
  entry[TraceSlot::kIdHigh] = IdHalf(row.id, 1);
  entry[TraceSlot::kRows] = row.spans;
  entry[TraceSlot::kStart] = row.start_unix_ns;
  entry[TraceSlot::kDuration] = row.duration_ns();
  entry[TraceSlot::kLastStart] = last_start_unix_ns - row.start_unix_ns;
  entry[TraceSlot::kErrors] = row.errors;
  entry[TraceSlot::kOrphans] = row.orphans;
  entry[TraceSlot::kSummary] = SummaryOf(row);
  entry[TraceSlot::kVersion] = row.version;
  traces_.push_back(entry);
}

void SegmentBuilder::WritePage() {
  PageRef page = encoder_.Encode(begins_trace_, rows_);
  page.first_trace = page_.first_trace;
  page.start_min = page_.start_min;
  page.start_max = page_.start_max;
  WritePageRef(page, pages_);
  ++page_count_;
  for (RowValues& table : rows_) table.Clear();
  begins_trace_.clear();
  while (held_traces_.size() > 1) held_traces_.pop_front();  // the last one may go on in the next page
}

void SegmentBuilder::WriteTraces() {
  const std::vector<uint64_t>& first_entries = pool_.first_entries();
  for (size_t i = 0; i < traces_.size(); ++i) {
    const uint64_t end = i + 1 < traces_.size() ? first_entries[i + 1] : pool_.entries();
    traces_[i][TraceSlot::kPoolEntries] = end - first_entries[i];
  }
  std::string section;
  ByteWriter(section).Varint((traces_.size() + kChunkTraces - 1) / kChunkTraces);
  uint64_t first_row = 0;
  for (size_t i = 0; i < traces_.size(); i += kChunkTraces) {
    const auto traces = std::span(traces_).subspan(i, std::min<size_t>(kChunkTraces, traces_.size() - i));
    TraceChunkRef chunk = WriteTraceChunk(traces, sink_);
    chunk.first_row = first_row;
    chunk.first_pool = first_entries[i];
    WriteTraceChunkRef(chunk, section);
    for (const TraceEntry& trace : traces) first_row += trace[TraceSlot::kRows];
  }
  directory_[static_cast<size_t>(Section::kTraces)] = WriteSection(section, sink_);
}

// The numbers of all traces, sorted by id as bytes.
SectionRef SegmentBuilder::WriteOrder() {
  std::vector<uint64_t> order(traces_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [&](uint64_t trace) {
    return std::pair(__builtin_bswap64(traces_[trace][TraceSlot::kIdLow]),
                     __builtin_bswap64(traces_[trace][TraceSlot::kIdHigh]));
  };
  std::ranges::sort(order, {}, key);
  std::string payload;
  const PackedSlice slice = Pack(order, payload);
  std::string section;
  WriteSliceRef(slice, 0, section);
  section.append(payload);
  return WriteSection(section, sink_);
}

std::string SegmentBuilder::ColumnsSection() const {
  std::string out;
  ByteWriter writer(out);
  writer.Varint(shapes_.columns().size());
  for (const ColumnKey& column : shapes_.columns()) {
    writer.U8(static_cast<uint8_t>(column.type));
    writer.U8(static_cast<uint8_t>(column.table));
    writer.Text(column.key);
  }
  return out;
}

std::string SegmentBuilder::ShapesSection() const {
  std::string out;
  ByteWriter writer(out);
  writer.Varint(shapes_.shapes().size());
  for (const Shape& shape : shapes_.shapes()) {
    writer.U8(static_cast<uint8_t>(shape.table));
    writer.Varint(shape.tokens.size());
    for (const Token& token : shape.tokens) {
      writer.U8(static_cast<uint8_t>(token.op));
      if (token.op == Op::kAttribute) writer.Varint(token.column);
    }
  }
  return out;
}

std::string SegmentBuilder::TotalsSection() const {
  std::string out;
  ByteWriter writer(out);
  writer.Varint(totals_.spans);
  writer.Varint(totals_.traces);
  writer.Varint(totals_.pool_entries);
  writer.Varint(totals_.first_start_unix_ns);
  writer.Varint(totals_.last_start_unix_ns);
  return out;
}

StatusOr<SegmentTotals> SegmentBuilder::Finish() {
  if (!begins_trace_.empty()) WritePage();
  pool_.Finish();
  totals_.pool_entries = pool_.entries();
  const auto write = [&](Section section, const std::string& content) {
    directory_[static_cast<size_t>(section)] = WriteSection(content, sink_);
  };
  WriteTraces();
  directory_[static_cast<size_t>(Section::kOrder)] = WriteOrder();
  write(Section::kTotals, TotalsSection());
  write(Section::kColumns, ColumnsSection());
  write(Section::kShapes, ShapesSection());
  write(Section::kOrigins, ListSection(origins_));
  write(Section::kTexts, columns_.Section());
  std::string pages;
  ByteWriter(pages).Varint(page_count_);
  pages.append(pages_);
  write(Section::kPages, pages);
  write(Section::kPool, pool_.IndexSection());
  write(Section::kSummaries, ListSection(summaries_));
  WriteDirectory(directory_, sink_);
  RETURN_IF_ERROR(sink_.Flush());
  return totals_;
}

}  // namespace spanloom::store::columnar
