// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/merge/purger.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "store/columnar/segment/segment_builder.h"
#include "store/columnar/segment/span_reader.h"
#include "store/columnar/segment/span_source.h"

namespace spanloom::store::columnar {
namespace {

// The spans of a trace in one segment, without some.
class SpansLeft final : public SpanSource {
 public:
  // `without`: rows, ascending; null for none. All must outlive it.
  SpansLeft(const TracePlace& place, const std::vector<uint32_t>* without, SegmentBlocks& blocks)
      : place_(place), without_(without), blocks_(blocks) {
    Rewind();
  }

  void Rewind() override {
    reader_.emplace(place_, blocks_);
    next_ = 0;
  }

  StatusOr<std::vector<StoredSpan>> Next() override {
    std::vector<StoredSpan> left;
    while (left.empty() && next_ < place_.rows()) {
      const uint64_t begin = next_;
      next_ = std::min(place_.rows(), begin + kRowsAtOnce);
      std::vector<StoredSpan> spans;
      RETURN_IF_ERROR(reader_->Read(begin, next_, spans));
      for (uint64_t row = begin; row < next_; ++row) {
        if (!IsWithout(row)) left.push_back(std::move(spans[row - begin]));
      }
    }
    return left;
  }

 private:
  static constexpr uint64_t kRowsAtOnce = kPageRows;

  [[nodiscard]] bool IsWithout(uint64_t row) const {
    return without_ != nullptr && std::ranges::binary_search(*without_, row);
  }

  const TracePlace& place_;
  const std::vector<uint32_t>* const without_;
  SegmentBlocks& blocks_;
  std::optional<SpanReader> reader_;
  uint64_t next_ = 0;
};

// A trace of the segment that is written.
struct TraceLeft {
  uint64_t start_unix_ns = 0;
  TracePlace place;
  const PurgedTrace* purged = nullptr;  // null: all of it is left
};

// What is left of a segment, in the order in which a segment stands.
StatusOr<std::vector<TraceLeft>> TracesLeft(const Segment& segment, const PurgedTraces& purged) {
  std::vector<TraceLeft> left;
  for (const TraceChunkRef& chunk : segment.reader().index().trace_chunks()) {
    ASSIGN_OR_RETURN(const std::vector<TracePlace> places, segment.reader().TracesOf(chunk));
    for (const TracePlace& place : places) {
      if (segment.IsGone(place.number)) continue;
      const auto found = purged.traces.find(place.number);
      const PurgedTrace* const trace = found == purged.traces.end() ? nullptr : &found->second;
      if (trace != nullptr && trace->is_whole) continue;
      left.push_back({.start_unix_ns = trace == nullptr ? place.start_unix_ns() : trace->first_start_unix_ns,
                      .place = place,
                      .purged = trace});
    }
  }
  std::ranges::sort(left, [](const TraceLeft& a, const TraceLeft& b) {
    return std::pair(a.start_unix_ns, a.place.id()) < std::pair(b.start_unix_ns, b.place.id());
  });
  return left;
}

Status AddTraces(const Segment& segment, const std::vector<TraceLeft>& traces, SegmentBuilder& builder) {
  SegmentBlocks blocks = segment.reader().MakeBlocks();
  for (const TraceLeft& trace : traces) {
    SpansLeft spans(trace.place, trace.purged == nullptr ? nullptr : &trace.purged->rows, blocks);
    const uint64_t version = trace.place.entry[TraceSlot::kVersion] + (trace.purged == nullptr ? 0 : 1);
    if (trace.place.rows() > kPageRows) {
      RETURN_IF_ERROR(builder.Add(trace.place.id(), spans, version));
      continue;
    }
    ASSIGN_OR_RETURN(std::vector<StoredSpan> all, spans.Next());
    builder.Add(Trace{.id = trace.place.id(), .spans = std::move(all)}, version);
  }
  return absl::OkStatus();
}

}  // namespace

// One purge under way.
class Purger::Run {
 public:
  Run(Purger& purger, const PurgePlan& plan)
      : purger_(purger),
        parts_(purger.parts_.Now()),
        meter_({.bytes_max = std::numeric_limits<size_t>::max()}, purger.clock_),
        finder_(plan, parts_, purger.parts_.split(), meter_) {
    exchange_->age = parts_.age;
  }

  StatusOr<Removed> Do() {
    for (size_t i = 0; i < parts_.segments.size(); ++i) {
      if (const Status status = Rewrite(i); !status.ok()) {
        GiveUp();
        return Annotate(status, parts_.segments[i]->row().file);
      }
    }
    if (exchange_->replacements.empty()) return Removed();
    if (Status counted = CountSplitTraces(); !counted.ok()) {
      GiveUp();
      return counted;
    }
    Status status;
    purger_.run_in_background_([&] { status = purger_.exchange_.Commit(std::move(exchange_)); });
    RETURN_IF_ERROR(status);
    return removed_;
  }

 private:
  Status Rewrite(size_t number) {
    ASSIGN_OR_RETURN(const PurgedTraces purged, finder_.FindIn(number));
    if (purged.traces.empty()) return absl::OkStatus();
    const std::shared_ptr<const Segment>& segment = parts_.segments[number];
    ASSIGN_OR_RETURN(const std::vector<TraceLeft> left, TracesLeft(*segment, purged));
    std::shared_ptr<const Segment> written;
    if (!left.empty()) {
      SegmentPosition position = {.arrival = segment->row().arrival, .level = segment->row().level};
      purger_.run_in_background_([&] { position.id = purger_.segments_.NextId(); });
      ASSIGN_OR_RETURN(written, purger_.segments_.WriteFile(position, [&](SegmentBuilder& builder) {
        return AddTraces(*segment, left, builder);
      }));
    }
    removed_.spans += purged.spans;
    removed_.bytes += segment->bytes_left() - std::min(segment->bytes_left(), written ? written->bytes_left() : 0);
    exchange_->replacements.push_back({.sources = {segment}, .written = std::move(written), .joined = {}});
    NoteTraces(purged);
    return absl::OkStatus();
  }

  // Traces of which the segment at hand has nothing any more.
  void NoteTraces(const PurgedTraces& purged) {
    for (const auto& [number, trace] : purged.traces) {
      if (!trace.is_whole) continue;
      if (purger_.parts_.split().Contains(trace.id)) {
        Split& split = splits_[trace.id];
        split.replacement = exchange_->replacements.size() - 1;
        ++split.parts_fewer;
      } else {
        ++removed_.traces;
      }
    }
  }

  // Those that lay in several parts lie in fewer.
  Status CountSplitTraces() {
    for (const auto& [id, split] : splits_) {
      uint64_t parts = 0;
      RETURN_IF_ERROR(parts_.segments.Find(id, [&](size_t, const TracePlace&) {
        ++parts;
        return absl::OkStatus();
      }));
      const Parts now = purger_.parts_.Now();
      const bool is_in_head =
          !SpansIn(*now.filling, id).empty() || (now.full != nullptr && !SpansIn(*now.full, id).empty());
      const bool is_nothing_left = split.parts_fewer == parts && !is_in_head;
      if (is_nothing_left) ++removed_.traces;
      exchange_->replacements[split.replacement].joined.push_back(
          {.id = id, .parts_fewer = split.parts_fewer - (is_nothing_left ? 1 : 0)});
    }
    return absl::OkStatus();
  }

  void GiveUp() {
    for (const Replacement& replacement : exchange_->replacements) {
      if (replacement.written != nullptr) purger_.segments_.RemoveFile(replacement.written->row());
    }
  }

  struct Split {
    uint64_t parts_fewer = 0;
    size_t replacement = 0;  // one that it goes with
  };

  Purger& purger_;
  const Parts parts_;
  scan::ReadMeter meter_;
  PurgeFinder finder_;
  std::unique_ptr<Exchange> exchange_ = std::make_unique<Exchange>();
  absl::flat_hash_map<otlp::TraceId, Split> splits_;
  Removed removed_;
};

StatusOr<Removed> Purger::Purge(const PurgePlan& plan) {
  Status settled;
  run_in_background_([&] { settled = exchange_.Settle(); });
  RETURN_IF_ERROR(settled);
  return Run(*this, plan).Do();
}

}  // namespace spanloom::store::columnar
