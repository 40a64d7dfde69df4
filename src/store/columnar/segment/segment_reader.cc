// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_reader.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/text.h"
#include "store/columnar/segment/span_reader.h"

namespace spanloom::store::columnar {
namespace {

// The first four bytes of an id, in the order of ids; `low` is its TraceSlot::kIdLow.
uint32_t PrefixOfLow(uint64_t low) {
  return static_cast<uint32_t>(__builtin_bswap64(low) >> 32);
}

// As std::ranges::equal_range. Ids are random, as a rule: then the place is nearly where their number says, and a cache
// line or two decide. From there the steps double, so that ids of any kind take O(log n).
auto EqualRange(const std::vector<uint32_t>& prefixes, uint32_t prefix) {
  constexpr size_t kFirstStep = 128;  // of 40,000 random ids, one strays by some 100 from its place
  const size_t guess = static_cast<uint64_t>(prefix) * prefixes.size() >> 32;
  size_t begin = guess;
  size_t end = guess;
  for (size_t step = kFirstStep; begin > 0 && prefixes[begin] >= prefix; step *= 2) begin -= std::min(step, begin);
  for (size_t step = kFirstStep; end < prefixes.size() && prefixes[end] <= prefix; step *= 2) {
    end += std::min(step, prefixes.size() - end);
  }
  return std::equal_range(prefixes.begin() + static_cast<ptrdiff_t>(begin),
                          prefixes.begin() + static_cast<ptrdiff_t>(end), prefix);
}

// Of a trace of the chunk, whose block that is.
otlp::TraceId IdIn(const TraceChunkRef& chunk, const Block& block, uint64_t index) {
  TracePlace place;
  for (const TraceSlot slot : {TraceSlot::kIdLow, TraceSlot::kIdHigh}) {
    const auto i = static_cast<size_t>(slot);
    place.entry[slot] = UnpackOne(chunk.slots[i], block.data() + chunk.offsets[i], index);
  }
  return place.id();
}

}  // namespace

StatusOr<std::unique_ptr<const SegmentReader>> SegmentReader::Open(std::unique_ptr<disk::File> file) {
  ASSIGN_OR_RETURN(std::unique_ptr<const SegmentIndex> index, SegmentIndex::Read(*file));
  std::unique_ptr<SegmentReader> reader(new SegmentReader(std::move(file), std::move(index)));
  RETURN_IF_ERROR(reader->ReadPrefixes());
  return reader;
}

Status SegmentReader::CheckPlace(const TracePlace& place, const TraceChunkRef& chunk) const {
  const uint64_t spans = index_->totals().spans;
  const uint64_t texts = index_->totals().pool_entries;
  const bool has_rows = place.rows() > 0 && place.first_row < spans && place.rows() <= spans - place.first_row;
  const bool has_texts = place.first_pool <= texts && place.entry[TraceSlot::kPoolEntries] <= texts - place.first_pool;
  if (has_rows && has_texts && place.entry[TraceSlot::kSummary] < index_->summaries().size()) return absl::OkStatus();
  return absl::DataLossError(StrCat("the traces at ", chunk.block.offset, " say what can't be"));
}

StatusOr<std::vector<TracePlace>> SegmentReader::TracesOf(const TraceChunkRef& chunk) const {
  ASSIGN_OR_RETURN(const Block block, ReadBlock(*file_, chunk.block));
  std::vector<TracePlace> places(chunk.traces);
  std::vector<uint64_t> values(chunk.traces);
  for (size_t slot = 0; slot < kTraceSlots; ++slot) {
    Unpack(chunk.slots[slot], block.data() + chunk.offsets[slot], 0, chunk.traces, values.data());
    for (size_t i = 0; i < values.size(); ++i) places[i].entry.values[slot] = values[i];
  }
  const auto number = static_cast<uint64_t>(&chunk - index_->trace_chunks().data()) * kChunkTraces;
  uint64_t row = chunk.first_row;
  uint64_t pool = chunk.first_pool;
  for (size_t i = 0; i < places.size(); ++i) {
    places[i].number = number + i;
    places[i].first_row = row;
    places[i].first_pool = pool;
    RETURN_IF_ERROR(CheckPlace(places[i], chunk));
    row += places[i].rows();
    pool += places[i].entry[TraceSlot::kPoolEntries];
  }
  return places;
}

// Of the traces before it only what is added up is unpacked.
StatusOr<TracePlace> SegmentReader::TraceAt(uint64_t number) const {
  const TraceChunkRef& chunk = index_->trace_chunks()[number / kChunkTraces];
  const uint64_t index = number % kChunkTraces;
  ASSIGN_OR_RETURN(const Block block, ReadBlock(*file_, chunk.block));
  std::vector<uint64_t> values(index);
  const auto sum_before = [&](TraceSlot slot) {
    const auto i = static_cast<size_t>(slot);
    Unpack(chunk.slots[i], block.data() + chunk.offsets[i], 0, index, values.data());
    return std::accumulate(values.begin(), values.end(), uint64_t{0});
  };
  TracePlace place;
  place.number = number;
  place.first_row = chunk.first_row + sum_before(TraceSlot::kRows);
  place.first_pool = chunk.first_pool + sum_before(TraceSlot::kPoolEntries);
  for (size_t slot = 0; slot < kTraceSlots; ++slot) {
    place.entry.values[slot] = UnpackOne(chunk.slots[slot], block.data() + chunk.offsets[slot], index);
  }
  RETURN_IF_ERROR(CheckPlace(place, chunk));
  return place;
}

Status SegmentReader::ReadPrefixes() {
  std::vector<uint32_t> by_number;
  by_number.reserve(index_->totals().traces);
  for (const TraceChunkRef& chunk : index_->trace_chunks()) {
    ASSIGN_OR_RETURN(const Block block, ReadBlock(*file_, chunk.block));
    constexpr auto kSlot = static_cast<size_t>(TraceSlot::kIdLow);
    for (uint32_t i = 0; i < chunk.traces; ++i) {
      by_number.push_back(PrefixOfLow(UnpackOne(chunk.slots[kSlot], block.data() + chunk.offsets[kSlot], i)));
    }
  }
  prefixes_.reserve(by_number.size());
  for (uint64_t place = 0; place < by_number.size(); ++place) {
    prefixes_.push_back(by_number[index_->TraceInOrder(place)]);
  }
  if (!std::ranges::is_sorted(prefixes_)) return absl::DataLossError("section \"order\" is not in order");
  return absl::OkStatus();
}

uint32_t SegmentReader::PrefixOf(const otlp::TraceId& id) {
  uint64_t low = 0;
  std::memcpy(&low, id.bytes.data(), sizeof(low));
  return PrefixOfLow(low);
}

StatusOr<std::optional<TracePlace>> SegmentReader::Find(const otlp::TraceId& id) const {
  auto [begin, end] = EqualRange(prefixes_, PrefixOf(id));
  // Ids of 64 bits begin with zeros and have all one prefix; they are in order.
  while (begin != end) {
    const auto middle = begin + (end - begin) / 2;
    const auto place_in_order = static_cast<uint64_t>(middle - prefixes_.begin());
    ASSIGN_OR_RETURN(const TracePlace place, TraceAt(index_->TraceInOrder(place_in_order)));
    if (place.id() == id) return place;
    (place.id() < id ? begin : end) = place.id() < id ? middle + 1 : middle;
  }
  return std::nullopt;
}

std::vector<otlp::TraceId> SegmentReader::IdsWithPrefix(uint32_t prefix) const {
  std::vector<uint64_t> numbers;
  const auto [begin, end] = EqualRange(prefixes_, prefix);
  for (auto found = begin; found != end; ++found) {
    numbers.push_back(index_->TraceInOrder(static_cast<uint64_t>(found - prefixes_.begin())));
  }
  std::ranges::sort(numbers);
  std::vector<otlp::TraceId> ids;
  for (auto number = numbers.begin(); number != numbers.end();) {
    const uint64_t chunk = *number / kChunkTraces;
    const TraceChunkRef& ref = index_->trace_chunks()[chunk];
    const StatusOr<Block> block = ReadBlock(*file_, ref.block);
    for (; number != numbers.end() && *number / kChunkTraces == chunk; ++number) {
      if (block.ok()) ids.push_back(IdIn(ref, *block, *number % kChunkTraces));
    }
  }
  return ids;
}

StatusOr<std::vector<StoredSpan>> SegmentReader::ReadSpans(const TracePlace& trace, size_t bytes_max) const {
  SegmentBlocks blocks = MakeBlocks();
  return ReadSpans(trace, bytes_max, blocks);
}

StatusOr<std::vector<StoredSpan>> SegmentReader::ReadSpans(const TracePlace& trace, size_t bytes_max,
                                                           SegmentBlocks& blocks) {
  std::vector<StoredSpan> spans;
  spans.reserve(std::min<uint64_t>(trace.rows(), kPageRows));
  SpanReader reader(trace, blocks);
  size_t bytes = 0;
  for (uint64_t row = 0; row < trace.rows();) {
    const uint64_t end = std::min<uint64_t>(trace.rows(), row + kPageRows);
    RETURN_IF_ERROR(reader.Read(row, end, spans));
    for (; row < end; ++row) bytes += spans[row].wire.size() + sizeof(StoredSpan);
    if (bytes > bytes_max) {
      return absl::ResourceExhaustedError(StrCat("trace ", trace.id().Hex(), " takes more than ", bytes_max,
                                                 " bytes, the most that one question may hold"));
    }
  }
  return spans;
}

StatusOr<std::vector<uint32_t>> SegmentReader::PagesWithText(std::string_view text) const {
  ASSIGN_OR_RETURN(std::vector<uint32_t> pages, index_->text_index().PagesOf(text, *file_));
  if (pages.empty() || pages.back() < index_->pages().size()) return pages;
  return absl::DataLossError("the text index names a page that the segment does not have");
}

bool SegmentReader::MayHaveText(std::string_view key, uint64_t hash) const {
  const TextPresence* const presence = presence_.Get([&] { return std::make_unique<const TextPresence>(*index_); });
  return presence->MayHave(key, hash) || index_->text_index().MayHave(hash, *file_);
}

TraceRow SegmentReader::RowOf(const TracePlace& trace) const {
  const TraceSummary& summary = index_->summaries()[trace.entry[TraceSlot::kSummary]];
  TraceRow row;
  row.id = trace.id();
  if (summary.has_root) {
    row.root_service = std::string(summary.root_service);
    row.root_name = std::string(summary.root_name);
  }
  row.start_unix_ns = trace.start_unix_ns();
  row.end_unix_ns = row.start_unix_ns + trace.entry[TraceSlot::kDuration];
  row.spans = static_cast<uint32_t>(trace.rows());
  row.errors = static_cast<uint32_t>(trace.entry[TraceSlot::kErrors]);
  row.orphans = static_cast<uint32_t>(trace.entry[TraceSlot::kOrphans]);
  for (const TraceSummary::Service& service : summary.services) {
    row.services.push_back({.service = std::string(service.name), .spans = service.spans, .errors = service.errors});
  }
  row.version = trace.entry[TraceSlot::kVersion];
  return row;
}

}  // namespace spanloom::store::columnar
