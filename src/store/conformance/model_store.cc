// SPDX-License-Identifier: Apache-2.0

#include "store/conformance/model_store.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "store/conformance/stored_traces.h"
#include "store/scan/batch_builder.h"
#include "store/scan/row_selection.h"
#include "store/scan/span_names.h"

namespace spanloom::store {
namespace {

bool IsSameSpan(const StoredSpan& a, const StoredSpan& b) {
  return a.wire.view() == b.wire.view() && AreEqual(*a.origin, *b.origin);
}

uint64_t LatestStart(const std::vector<StoredSpan>& spans) {
  uint64_t latest = 0;
  for (const StoredSpan& span : spans) latest = std::max(latest, span.span().start_unix_ns());
  return latest;
}

}  // namespace

class ModelStore::ModelReservation final : public Reservation {
 public:
  explicit ModelReservation(ModelStore& store) : store_(store) {}
  void Commit(otlp::Batch batch, AppendDone done) override {
    store_.Add(batch);
    std::move(done)(absl::OkStatus());
  }

 private:
  ModelStore& store_;
};

// Works everything out at the first Next().
class ModelStore::ModelCursor final : public SpanCursor {
 public:
  ModelCursor(FetchPlan plan, TraceMap traces, const Clock& clock)
      : plan_(std::move(plan)), traces_(std::move(traces)), meter_(plan_.limits, clock) {}

  StatusOr<std::optional<SpanBatch>> Next() override {
    RETURN_IF_ERROR(meter_.Check());
    if (!std::exchange(is_done_, true)) RETURN_IF_ERROR(Answer());
    if (batches_.empty()) return std::optional<SpanBatch>();
    std::optional<SpanBatch> first = std::move(batches_.front());
    batches_.erase(batches_.begin());
    return first;
  }

  [[nodiscard]] FetchStats stats() const override { return meter_.stats(); }

 private:
  // The latest start of a matching span, or nullopt: by the words of FetchPlan, without a shortcut.
  StatusOr<std::optional<uint64_t>> Latest(const otlp::TraceId& id, const Stored& stored) {
    RETURN_IF_ERROR(reading_.Read(id, stored.spans, meter_));
    uint64_t seen = 0;
    std::optional<uint64_t> latest;
    for (size_t i = 0; i < reading_.size(); ++i) {
      const uint64_t matches = selector_.MatchesOf(reading_, i);
      seen |= matches;
      if (matches != 0) latest = reading_.start_unix_ns(i);
    }
    const uint64_t all = ~uint64_t{0} >> (64 - plan_.spansets.size());
    const bool is_selected = plan_.join == FetchPlan::Join::kAll ? seen == all : seen != 0;
    return is_selected ? latest : std::nullopt;
  }

  StatusOr<std::set<FetchPosition>> Select() {
    std::set<FetchPosition> positions;
    for (const auto& [id, stored] : traces_) {
      const auto& wanted = plan_.traces;
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), id) == wanted.end()) continue;
      ASSIGN_OR_RETURN(const std::optional<uint64_t> latest, Latest(id, stored));
      if (!latest) continue;
      const FetchPosition position = {.latest_start_unix_ns = *latest, .id = id};
      if (!plan_.after || *plan_.after < position) positions.insert(position);
    }
    return positions;
  }

  Status Answer() {
    ASSIGN_OR_RETURN(const std::set<FetchPosition> positions, Select());
    size_t left = plan_.traces_max;
    for (const FetchPosition& position : positions) {
      if (left-- == 0) break;
      const Stored& stored = traces_.at(position.id);
      RETURN_IF_ERROR(reading_.Read(position.id, stored.spans, meter_));
      const auto pin = std::make_shared<const std::vector<StoredSpan>>(stored.spans);
      ASSIGN_OR_RETURN(auto batch, builder_.Add(reading_, position, selector_, pin, meter_));
      if (batch) batches_.push_back(*std::move(batch));
    }
    if (auto batch = builder_.Finish()) batches_.push_back(*std::move(batch));
    return absl::OkStatus();
  }

  const FetchPlan plan_;
  const TraceMap traces_;
  scan::ReadMeter meter_;
  scan::TraceSelector selector_{plan_};
  scan::TraceReading reading_;
  scan::BatchBuilder builder_{plan_};
  std::vector<SpanBatch> batches_;
  bool is_done_ = false;
};

StatusOr<std::unique_ptr<Reservation>> ModelStore::Reserve(const otlp::Batch&) {
  return std::make_unique<ModelReservation>(*this);
}

void ModelStore::Add(const otlp::Batch& batch) {
  const MutexLock lock(mutex_);
  for (StoredSpan& span : StoredSpansOf(batch)) {
    Stored& trace = traces_[span.span().trace_id()];
    const auto is_same = [&span](const StoredSpan& other) { return IsSameSpan(span, other); };
    if (std::any_of(trace.spans.begin(), trace.spans.end(), is_same)) {
      ++stats_.spans_duplicate;
    } else {
      trace.spans.push_back(std::move(span));
      ++trace.version;
      ++stats_.spans;
    }
  }
  ApplyRetention();
}

ModelStore::TraceMap ModelStore::Copy() const {
  const MutexLock lock(mutex_);
  return traces_;
}

StatusOr<Trace> ModelStore::GetTrace(const otlp::TraceId& id, const TimeRange&, const ReadLimits& limits) const {
  RETURN_IF_ERROR(limits.Check(clock_));
  const TraceMap traces = Copy();
  const auto found = traces.find(id);
  if (found == traces.end()) return absl::NotFoundError("trace not found");
  Trace trace = {.id = id, .spans = found->second.spans};
  SortByStart(trace.spans);
  size_t bytes = 0;
  for (const StoredSpan& span : trace.spans) bytes += span.wire.size();
  if (bytes > limits.bytes_max) return absl::ResourceExhaustedError(id.Hex());
  return trace;
}

StatusOr<std::unique_ptr<SpanCursor>> ModelStore::Fetch(FetchPlan plan) const {
  RETURN_IF_ERROR(plan.Validate());
  return std::make_unique<ModelCursor>(std::move(plan), Copy(), clock_);
}

StatusOr<RowPage<TraceRow>> ModelStore::Traces(const RowQuery<TraceColumn>& query) const {
  using Selection = scan::RowSelection<TraceRow, TraceColumn>;
  ASSIGN_OR_RETURN(Selection selection, Selection::Create(query));
  RETURN_IF_ERROR(query.limits.Check(clock_));
  for (auto& [id, stored] : Copy()) {
    Trace trace = {.id = id, .spans = stored.spans};
    SortByStart(trace.spans);
    RETURN_IF_ERROR(selection.Add(std::make_shared<const TraceRow>(Summarize(trace, stored.version))));
  }
  return std::move(selection).Take();
}

StatusOr<AggregateAnswer> ModelStore::GroupTraces(const RowGroupQuery<TraceColumn>& query) const {
  using Groups = scan::RowGroups<TraceColumn>;
  ASSIGN_OR_RETURN(Groups groups, Groups::Create(query));
  RETURN_IF_ERROR(query.limits.Check(clock_));
  for (auto& [id, stored] : Copy()) {
    Trace trace = {.id = id, .spans = stored.spans};
    SortByStart(trace.spans);
    RETURN_IF_ERROR(groups.Add(Summarize(trace, stored.version)));
  }
  return std::move(groups).Take();
}

template <typename Counts>
Status ModelStore::Count(const ReadLimits& limits, Counts& counts) const {
  scan::ReadMeter meter(limits, clock_);
  RETURN_IF_ERROR(meter.Check());
  scan::TraceReading reading;
  for (auto& [id, stored] : Copy()) {
    RETURN_IF_ERROR(reading.Read(id, stored.spans, meter));
    RETURN_IF_ERROR(counts.Add(reading, meter));
  }
  return absl::OkStatus();
}

StatusOr<std::vector<ServiceName>> ModelStore::Services(const NameQuery& query) const {
  scan::ServiceCounts counts(query);
  RETURN_IF_ERROR(Count(query.limits, counts));
  return std::move(counts).Take();
}

StatusOr<std::vector<OperationName>> ModelStore::Operations(const std::string& service, const NameQuery& query) const {
  scan::OperationCounts counts(service, query);
  RETURN_IF_ERROR(Count(query.limits, counts));
  return std::move(counts).Take();
}

StatusOr<std::vector<KeyName>> ModelStore::Keys(const NameQuery& query) const {
  scan::KeyCounts counts(query);
  RETURN_IF_ERROR(Count(query.limits, counts));
  return std::move(counts).Take();
}

StatusOr<std::vector<FieldValue>> ModelStore::Values(const ValueQuery& query) const {
  RETURN_IF_ERROR(scan::ValidateValueQuery(query));
  scan::ValueCounts counts(query);
  RETURN_IF_ERROR(Count(query.names.limits, counts));
  return std::move(counts).Take();
}

StatusOr<Removed> ModelStore::SetRetention(const RetentionPolicy& policy) {
  const MutexLock lock(mutex_);
  retention_ = policy;
  return ApplyRetention();
}

Removed ModelStore::ApplyRetention() {
  const auto now = static_cast<uint64_t>(clock_.UnixNs());
  const uint64_t age_max_ns = retention_.age_max_ns.value_or(std::numeric_limits<uint64_t>::max());
  const uint64_t bytes_max = retention_.bytes_max.value_or(std::numeric_limits<uint64_t>::max());
  Removed removed;
  while (!traces_.empty()) {
    const auto oldest = std::min_element(traces_.begin(), traces_.end(), [](const auto& a, const auto& b) {
      return std::pair(LatestStart(a.second.spans), b.first) < std::pair(LatestStart(b.second.spans), a.first);
    });
    const uint64_t latest = LatestStart(oldest->second.spans);
    if (!(latest < now && now - latest > age_max_ns) && bytes() <= bytes_max) break;
    const uint64_t before = bytes();
    ++removed.traces;
    removed.spans += oldest->second.spans.size();
    traces_.erase(oldest);
    removed.bytes += before - bytes();
  }
  stats_.spans -= removed.spans;
  stats_.spans_expired += removed.spans;
  return removed;
}

uint64_t ModelStore::bytes() const {
  uint64_t bytes = 0;
  for (const auto& [id, trace] : traces_) {
    for (const StoredSpan& span : trace.spans) bytes += span.wire.size();
  }
  return bytes;
}

StoreStats ModelStore::Stats() const {
  const MutexLock lock(mutex_);
  StoreStats stats = stats_;
  stats.traces = traces_.size();
  stats.bytes = bytes();
  for (const auto& [id, trace] : traces_) {
    for (const StoredSpan& span : trace.spans) {
      const uint64_t start = span.span().start_unix_ns();
      const bool is_first = stats.oldest_unix_ns == 0 && stats.newest_unix_ns == 0;
      stats.oldest_unix_ns = is_first ? start : std::min(stats.oldest_unix_ns, start);
      stats.newest_unix_ns = std::max(stats.newest_unix_ns, start);
    }
  }
  return stats;
}

}  // namespace spanloom::store
