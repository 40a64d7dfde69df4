// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/merge/merged_traces.h"

#include <algorithm>
#include <utility>

#include "store/columnar/segment/span_reader.h"

namespace spanloom::store::columnar {
namespace {

constexpr size_t kPlacesHeld = 256;    // of a source: 30 KiB; guess
constexpr size_t kPieceSpans = 1'024;  // of a large trace: about a MiB with what was read for them; guess

bool StartsEarlier(const StoredSpan& a, const StoredSpan& b) {
  return a.span().start_unix_ns() < b.span().start_unix_ns();
}

}  // namespace

MergedTraces::MergedTraces(std::span<const std::shared_ptr<const Segment>> sources, const SplitTraces& split)
    : split_(split) {
  sources_.reserve(sources.size());
  for (const auto& source : sources) sources_.emplace_back(*source);
}

Status MergedTraces::Failed(size_t source, const Status& status) {
  failed_source_ = source;
  return Annotate(status, sources_[source].segment->row().file);
}

Status MergedTraces::FillPlaces(Source& source) {
  const std::vector<TraceChunkRef>& chunks = source.segment->reader().index().trace_chunks();
  while (true) {
    for (; source.next < source.places.size(); ++source.next) {
      if (!source.segment->IsGone(source.places[source.next].number)) return absl::OkStatus();
    }
    source.places_begin += source.places.size();
    source.places.clear();
    source.next = 0;
    if (source.places_begin >= source.segment->row().traces) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::vector<TracePlace> chunk,
                     source.segment->reader().TracesOf(chunks[source.places_begin / kChunkTraces]));
    const size_t begin = source.places_begin % kChunkTraces;
    const size_t end = std::min(chunk.size(), begin + kPlacesHeld);
    source.places.assign(chunk.begin() + static_cast<ptrdiff_t>(begin), chunk.begin() + static_cast<ptrdiff_t>(end));
  }
}

MergedTraces::Source* MergedTraces::First() {
  Source* first = nullptr;
  std::pair<uint64_t, otlp::TraceId> first_key;
  for (Source& source : sources_) {
    if (source.places.empty()) continue;
    const TracePlace& place = source.places[source.next];
    const std::pair key(place.start_unix_ns(), place.id());
    if (first != nullptr && first_key <= key) continue;
    first = &source;
    first_key = key;
  }
  return first;
}

StatusOr<std::vector<TracePart>> MergedTraces::Next() {
  while (true) {
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (const Status filled = FillPlaces(sources_[i]); !filled.ok()) return Failed(i, filled);
    }
    Source* const first = First();
    if (first == nullptr) return std::vector<TracePart>();
    const TracePlace place = first->places[first->next++];
    ASSIGN_OR_RETURN(std::vector<TracePart> parts, PartsOf(static_cast<size_t>(first - sources_.data()), place));
    if (!parts.empty()) return parts;
  }
}

StatusOr<std::vector<TracePart>> MergedTraces::PartsOf(size_t source, const TracePlace& place) {
  const otlp::TraceId id = place.id();
  if (!split_.Contains(id)) return std::vector<TracePart>{{.source = source, .place = place}};
  std::vector<TracePart> parts;
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (i == source) {
      parts.push_back({.source = i, .place = place});
      continue;
    }
    const StatusOr<std::optional<TracePlace>> other = sources_[i].segment->Find(id);
    if (!other.ok()) return Failed(i, other.status());
    if (!other->has_value()) continue;
    // The part that starts first says when it is the trace's turn; of equal ones the earlier source's.
    if (std::pair((*other)->start_unix_ns(), i) < std::pair(place.start_unix_ns(), source)) {
      return std::vector<TracePart>();
    }
    parts.push_back({.source = i, .place = **other});
  }
  return parts;
}

StatusOr<std::vector<StoredSpan>> MergedTraces::ReadSpans(std::span<const TracePart> parts) {
  std::vector<StoredSpan> spans;
  for (const TracePart& part : parts) {
    const Status read = SpanReader(part.place, sources_[part.source].blocks).Read(0, part.place.rows(), spans);
    if (!read.ok()) return Failed(part.source, read);
  }
  if (parts.size() > 1) std::ranges::stable_sort(spans, StartsEarlier);
  return spans;
}

// Merges the parts, of each of which a piece is held.
class MergedTraces::LargeTrace final : public SpanSource {
 public:
  LargeTrace(MergedTraces& traces, std::span<const TracePart> parts) : traces_(traces) {
    for (const TracePart& part : parts) pieces_.push_back({.part = &part});
  }

  void Rewind() override {
    for (Piece& piece : pieces_) piece = {.part = piece.part};
  }

  StatusOr<std::vector<StoredSpan>> Next() override {
    std::vector<StoredSpan> spans;
    while (spans.size() < kPieceSpans) {
      Piece* first = nullptr;
      for (Piece& piece : pieces_) {
        RETURN_IF_ERROR(Fill(piece));
        if (piece.spans.empty()) continue;
        if (first == nullptr || StartsEarlier(piece.spans[piece.next], first->spans[first->next])) first = &piece;
      }
      if (first == nullptr) break;
      spans.push_back(std::move(first->spans[first->next++]));
    }
    return spans;
  }

 private:
  struct Piece {
    const TracePart* part = nullptr;
    uint64_t rows_read = 0;
    std::vector<StoredSpan> spans = {};
    size_t next = 0;  // in spans, which is empty at the end
  };

  Status Fill(Piece& piece) {
    if (piece.next < piece.spans.size()) return absl::OkStatus();
    piece.spans.clear();
    piece.next = 0;
    const TracePart& part = *piece.part;
    const uint64_t end = std::min<uint64_t>(piece.rows_read + kPieceSpans, part.place.rows());
    SpanReader reader(part.place, traces_.sources_[part.source].blocks);
    const Status read = reader.Read(std::exchange(piece.rows_read, end), end, piece.spans);
    return read.ok() ? read : traces_.Failed(part.source, read);
  }

  MergedTraces& traces_;
  std::vector<Piece> pieces_;
};

std::unique_ptr<SpanSource> MergedTraces::SpansOf(std::span<const TracePart> parts) {
  return std::make_unique<LargeTrace>(*this, parts);
}

}  // namespace spanloom::store::columnar
