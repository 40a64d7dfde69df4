// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/requests/request_chunk.h"

#include <algorithm>

#include "base/text.h"
#include "store/columnar/segment/byte_writer.h"
#include "store/columnar/segment/slice_ref.h"

namespace spanloom::store::columnar {
namespace {

constexpr auto kFirstText = static_cast<size_t>(RequestSlot::kService);

bool IsText(size_t slot) {
  return slot >= kFirstText && slot < kFirstText + kRequestTexts;
}

std::array<const std::string*, kRequestTexts> TextsOf(const RequestRow& row) {
  return {&row.service, &row.model, &row.prefill_pod, &row.decode_pod};
}

std::array<std::string*, kRequestTexts> TextsOf(RequestRow& row) {
  return {&row.service, &row.model, &row.prefill_pod, &row.decode_pod};
}

bool AllBelow(const std::vector<uint64_t>& values, uint64_t end) {
  return std::ranges::all_of(values, [end](uint64_t value) { return value < end; });
}

}  // namespace

void RequestChunkBuilder::AddUncovered() {
  coverage_.push_back(0);
  ++ref_.uncovered;
}

void RequestChunkBuilder::Add(const TracePlace& trace, std::span<const PlacedRow> rows) {
  coverage_.push_back(rows.size() + 1);
  for (const PlacedRow& placed : rows) {
    const uint64_t arrival = placed.row.arrival_unix_ns;
    ref_.first_arrival_unix_ns = codes_.empty() ? arrival : std::min(ref_.first_arrival_unix_ns, arrival);
    ref_.last_arrival_unix_ns = codes_.empty() ? arrival : std::max(ref_.last_arrival_unix_ns, arrival);
    RequestValues values = {};
    const RequestShape shape = EncodeRow(placed, trace, values);
    const auto texts = TextsOf(placed.row);
    for (size_t i = 0; i < kRequestTexts; ++i) values[kFirstText + i] = TextOf(*texts[i]);
    codes_.push_back(CodeOf(shape));
    for (size_t slot = 0; slot < kRequestSlots; ++slot) {
      if (HasSlot(shape, slot)) columns_[slot].push_back(values[slot]);
    }
  }
}

// There are few.
uint64_t RequestChunkBuilder::CodeOf(RequestShape shape) {
  const auto found = std::ranges::find(shapes_, shape);
  const auto code = static_cast<uint64_t>(found - shapes_.begin());
  if (found == shapes_.end()) shapes_.push_back(shape);
  return code;
}

uint64_t RequestChunkBuilder::TextOf(const std::string& text) {
  const auto found = text_numbers_.find(text);
  if (found != text_numbers_.end()) return found->second;
  texts_.push_back(text);
  return text_numbers_.emplace(text, texts_.size() - 1).first->second;
}

std::string RequestChunkBuilder::Take(RequestChunkRef& ref) {
  std::string block;
  ByteWriter writer(block);
  WriteSlice(coverage_, block);
  writer.Varint(shapes_.size());
  for (const uint64_t shape : shapes_) writer.Varint(shape);
  WriteSlice(codes_, block);
  writer.Varint(texts_.size());
  for (const std::string& text : texts_) writer.Text(text);
  for (const std::vector<uint64_t>& column : columns_) WriteSlice(column, block);
  ref_.traces = traces();
  ref_.rows = rows();
  ref = ref_;
  RequestChunkBuilder next;
  next.ref_.first_trace = ref_.first_trace + ref_.traces;
  *this = std::move(next);
  return block;
}

bool RequestChunk::ParseCoverage(const RequestChunkRef& ref, ByteReader& reader) {
  std::vector<uint64_t> coverage;
  ReadSlice(ref.traces, reader, coverage);
  if (!reader.ok() || !AllBelow(coverage, kRequestChunkRows + 2)) return false;
  uint64_t rows = 0;
  uint64_t uncovered = 0;
  for (const uint64_t value : coverage) {
    const bool is_covered = value != 0;
    first_rows_.push_back(is_covered ? static_cast<uint32_t>(rows) : kUncovered);
    counts_.push_back(is_covered ? static_cast<uint32_t>(value - 1) : 0);
    rows += counts_.back();
    if (!is_covered) ++uncovered;
  }
  return rows == ref.rows && uncovered == ref.uncovered;
}

bool RequestChunk::ParseShapes(uint32_t rows, ByteReader& reader) {
  shapes_.resize(reader.Count());
  for (RequestShape& shape : shapes_) shape = reader.Below(kRequestShapeEnd);
  ReadSlice(rows, reader, codes_);
  return reader.ok() && AllBelow(codes_, shapes_.size());
}

bool RequestChunk::ParseTexts(ByteReader& reader) {
  texts_.resize(reader.Count());
  for (std::string_view& text : texts_) text = reader.Text();
  return reader.ok();
}

bool RequestChunk::ParseColumn(size_t slot, ByteReader& reader) {
  const auto has = [&](uint64_t code) { return HasSlot(shapes_[code], slot); };
  const bool has_all = std::ranges::all_of(shapes_, [&](RequestShape shape) { return HasSlot(shape, slot); });
  const auto count = has_all ? codes_.size() : static_cast<size_t>(std::ranges::count_if(codes_, has));
  std::vector<uint64_t>& column = columns_[slot];
  ReadSlice(count, reader, column);
  if (!reader.ok()) return false;
  if (IsText(slot) && !AllBelow(column, texts_.size())) return false;
  if (has_all || count == 0) return true;
  std::vector<uint64_t> spread(codes_.size());
  size_t next = 0;
  for (size_t row = 0; row < codes_.size(); ++row) {
    if (has(codes_[row])) spread[row] = column[next++];
  }
  column = std::move(spread);
  return true;
}

StatusOr<RequestChunk> RequestChunk::Parse(Block block, const RequestChunkRef& ref) {
  RequestChunk chunk;
  chunk.block_ = std::move(block);
  ByteReader reader(chunk.block_.view());
  bool is_right = chunk.ParseCoverage(ref, reader) && chunk.ParseShapes(ref.rows, reader) && chunk.ParseTexts(reader);
  for (size_t slot = 0; is_right && slot < kRequestSlots; ++slot) is_right = chunk.ParseColumn(slot, reader);
  if (is_right && reader.AtEnd()) return chunk;
  return absl::DataLossError(StrCat("the request rows at ", ref.block.offset, " say what can't be"));
}

std::optional<uint64_t> RequestChunk::PlaceOf(uint32_t row) const {
  constexpr auto kSlot = static_cast<size_t>(RequestSlot::kPlace);
  if (!HasSlot(shapes_[codes_[row]], kSlot)) return std::nullopt;
  return columns_[kSlot][row];
}

void RequestChunk::Fill(uint32_t row, const TracePlace& trace, RequestRow& out) const {
  RequestValues values;
  for (size_t slot = 0; slot < kRequestSlots; ++slot) {
    values[slot] = columns_[slot].empty() ? 0 : columns_[slot][row];
  }
  DecodeRow(shapes_[codes_[row]], values, trace, out);
  const auto texts = TextsOf(out);
  for (size_t i = 0; i < kRequestTexts; ++i) texts[i]->assign(texts_[values[kFirstText + i]]);
  out.is_provisional = false;
}

}  // namespace spanloom::store::columnar
