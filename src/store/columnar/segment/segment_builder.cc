// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_builder.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "store/columnar/segment/byte_writer.h"
#include "store/columnar/segment/parent_rows.h"
#include "store/columnar/segment/slice_ref.h"

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
  if (origin.get() == last_origin_) return last_origin_number_;
  auto found = origin_numbers_.find(origin.get());
  if (found == origin_numbers_.end()) {
    const size_t known = origins_.size();
    const uint32_t number = NumberOf(EncodeOrigin(*origin), origins_by_content_, origins_);
    if (number == known) summaries_.AddOrigin(otlp::ResourceView(origin->resource.view()).service_name());
    found = origin_numbers_.emplace(origin.get(), number).first;
    held_origins_.push_back(origin);
  }
  last_origin_ = origin.get();
  last_origin_number_ = found->second;
  return last_origin_number_;
}

void SegmentBuilder::Add(Trace added, uint64_t version) {
  const std::vector<StoredSpan>& spans = held_spans_.emplace_back(std::move(added.spans));
  added_.clear();
  for (const StoredSpan& span : spans) added_.push_back(&span);
  Add(added.id, added_, version);
}

void SegmentBuilder::Add(const otlp::TraceId& id, std::span<const StoredSpan* const> spans, uint64_t version) {
  ReadFacts(spans);
  FindParents();
  for (size_t i = 0; i < facts_.size(); ++i) AddRow(id, i, facts_[i].wire);
  AddEntry(id, version);
}

Status SegmentBuilder::Add(const otlp::TraceId& id, SpanSource& spans, uint64_t version) {
  RETURN_IF_ERROR(ReadFacts(spans));
  FindParents();
  RETURN_IF_ERROR(AddRows(id, spans));
  AddEntry(id, version);
  return absl::OkStatus();
}

SegmentBuilder::SpanFacts SegmentBuilder::FactsOf(const StoredSpan& span) {
  const otlp::SpanView view(span.wire.view());
  return {.wire = span.wire.view(),
          .name = view.name(),
          .start_unix_ns = view.start_unix_ns(),
          .end_unix_ns = view.end_unix_ns(),
          .origin = OriginOf(span.origin),
          .is_error = view.status_code() == otlp::StatusCode::kError,
          .link = {.id = view.span_id(), .parent_id = view.parent_span_id()}};
}

void SegmentBuilder::ReadFacts(std::span<const StoredSpan* const> spans) {
  facts_.clear();
  for (const StoredSpan* const span : spans) facts_.push_back(FactsOf(*span));
  if (!std::ranges::is_sorted(facts_, {}, &SpanFacts::start_unix_ns)) {
    std::ranges::stable_sort(facts_, {}, &SpanFacts::start_unix_ns);
  }
}

Status SegmentBuilder::ReadFacts(SpanSource& spans) {
  facts_.clear();
  bool has_root = false;
  spans.Rewind();
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<StoredSpan> some, spans.Next());
    if (some.empty()) return absl::OkStatus();
    for (const StoredSpan& span : some) {
      SpanFacts& facts = facts_.emplace_back(FactsOf(span));
      const bool is_root = facts.link.parent_id.IsZero() && !std::exchange(has_root, true);
      if (is_root) root_name_ = facts.name;
      facts.name = is_root ? std::string_view(root_name_) : "";
      facts.wire = {};
    }
  }
}

void SegmentBuilder::FindParents() {
  links_.clear();
  for (const SpanFacts& facts : facts_) links_.push_back(facts.link);
  ParentRows(links_, parents_);
}

Status SegmentBuilder::AddRows(const otlp::TraceId& id, SpanSource& spans) {
  size_t number = 0;
  spans.Rewind();
  while (true) {
    ASSIGN_OR_RETURN(std::vector<StoredSpan> some, spans.Next());
    if (some.empty() && number == facts_.size()) return absl::OkStatus();
    if (some.empty() || some.size() > facts_.size() - number) {
      return absl::DataLossError(StrCat("trace ", id.Hex(), " was read twice, and is not the same"));
    }
    for (const StoredSpan& span : held_spans_.emplace_back(std::move(some))) AddRow(id, number++, span.wire.view());
  }
}

void SegmentBuilder::AddRow(const otlp::TraceId& id, size_t number, std::string_view wire) {
  const SpanFacts& facts = facts_[number];
  const uint64_t start = facts.start_unix_ns;
  if (begins_trace_.size() == kPageRows) WritePage();
  if (begins_trace_.empty()) {
    page_.first_trace = traces_.size();
    page_.start_min = start;
    page_.start_max = start;
  }
  begins_trace_.push_back(number == 0);
  page_.start_min = std::min(page_.start_min, start);
  page_.start_max = std::max(page_.start_max, start);
  shredder_.Shred({.wire = wire,
                   .trace_id = id.view(),
                   .trace_start = facts_.front().start_unix_ns,
                   .start = start,
                   .origin = facts.origin,
                   .parent = parents_[number] == 0 ? std::nullopt : std::optional(parents_[number])},
                  rows_);
}

void SegmentBuilder::AddEntry(const otlp::TraceId& id, uint64_t version) {
  TraceEntry entry;
  const uint64_t start = facts_.front().start_unix_ns;
  uint64_t end = start;
  summaries_.Begin();
  for (size_t i = 0; i < facts_.size(); ++i) {
    const SpanFacts& facts = facts_[i];
    end = std::max(end, facts.end_unix_ns);
    summaries_.Add(facts.origin, facts.is_error);
    if (facts.is_error) ++entry[TraceSlot::kErrors];
    if (facts.link.parent_id.IsZero()) {
      if (!summaries_.has_root()) summaries_.SetRoot(facts.origin, facts.name);
    } else if (parents_[i] == 0 && facts.link.parent_id != facts.link.id) {
      ++entry[TraceSlot::kOrphans];
    }
  }
  entry[TraceSlot::kIdLow] = IdHalf(id, 0);
  entry[TraceSlot::kIdHigh] = IdHalf(id, 1);
  entry[TraceSlot::kRows] = facts_.size();
  entry[TraceSlot::kStart] = start;
  entry[TraceSlot::kDuration] = end - start;
  entry[TraceSlot::kLastStart] = facts_.back().start_unix_ns - start;
  entry[TraceSlot::kSummary] = summaries_.End();
  entry[TraceSlot::kVersion] = version;
  traces_.push_back(entry);
  if (totals_.traces == 0) totals_.first_start_unix_ns = facts_.front().start_unix_ns;
  ++totals_.traces;
  totals_.spans += facts_.size();
  totals_.last_start_unix_ns = std::max(totals_.last_start_unix_ns, facts_.back().start_unix_ns);
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
  while (held_spans_.size() > 1) held_spans_.pop_front();  // the last ones may go on in the next page
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
  std::vector<std::tuple<uint64_t, uint64_t, uint64_t>> places;  // both halves of the id as numbers; the trace
  places.reserve(traces_.size());
  for (const TraceEntry& entry : traces_) {
    places.emplace_back(__builtin_bswap64(entry[TraceSlot::kIdLow]), __builtin_bswap64(entry[TraceSlot::kIdHigh]),
                        places.size());
  }
  std::ranges::sort(places);
  std::vector<uint64_t> order;
  order.reserve(places.size());
  for (const auto& [low, high, trace] : places) order.push_back(trace);
  std::string section;
  WriteSlice(order, section);
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
  const std::string text_index = text_index_.Finish(sink_);
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
  write(Section::kTextIndex, text_index);
  write(Section::kSummaries, ListSection(summaries_.summaries()));
  WriteDirectory(directory_, sink_);
  RETURN_IF_ERROR(sink_.Flush());
  return totals_;
}

}  // namespace spanloom::store::columnar
