// SPDX-License-Identifier: Apache-2.0

#include "store/memory/memory_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "store/head/purged_spans.h"
#include "store/head/tail_reader.h"
#include "store/memory/memory_cursor.h"
#include "store/memory/table_traces.h"
#include "store/scan/row_selection.h"
#include "store/scan/span_aggregation.h"
#include "store/scan/span_names.h"

namespace spanloom::store::memory {
namespace {

constexpr int64_t kProvisionalNs = 1'000'000'000;  // how long provisional rows are taken as they are; guess

bool IsAllOfTime(const TimeRange& range) {
  return range == TimeRange();
}

void Add(const Removed& part, Removed& sum) {
  sum.traces += part.traces;
  sum.spans += part.spans;
  sum.bytes += part.bytes;
}

}  // namespace

Status MemoryStoreOptions::Validate() const {
  if (traces_max == 0 || spans_max == 0 || bytes_max == 0 || queue_bytes_max == 0) {
    return absl::InvalidArgumentError("traces_max, spans_max, bytes_max and queue_bytes_max must be positive");
  }
  if (spans_max > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(
        StrCat("spans_max is ", spans_max, "; it must be at most ", std::numeric_limits<uint32_t>::max()));
  }
  return absl::OkStatus();
}

MemoryStore::MemoryStore(const MemoryStoreOptions& options, MetricRegistry& metrics, const Clock& clock,
                         RequestDeriver deriver)
    : options_(options),
      clock_(clock),
      deriver_(std::move(deriver)),
      spans_evicted_(metrics.GetCounter("spanloom_store_evicted_spans",
                                        "Spans removed from the store to stay within its limits.")),
      spans_expired_(metrics.GetCounter("spanloom_store_expired_spans", "Spans removed by the retention policy.")),
      spans_purged_(metrics.GetCounter("spanloom_store_purged_spans", "Spans removed on request.")),
      spans_duplicate_(
          metrics.GetCounter("spanloom_store_duplicate_spans", "Spans that were delivered again with the same bytes.")),
      spans_refused_(metrics.GetCounter("spanloom_store_refused_spans", "Spans that the store did not take.",
                                        {{"cause", "trace_too_large"}})),
      recent_(options.recent, clock),
      table_(options.table()),
      queue_(
          {.name = "memory store", .bytes_max = options.queue_bytes_max},
          [this](std::span<const otlp::Batch> batches) { return AddAll(batches); },
          [this] {
            const MutexLock lock(retention_mutex_);
            ApplyRetention();
          }) {
  CHECK(options.Validate().ok());
  RegisterGauges(metrics);
}

MemoryStore::~MemoryStore() {
  Stop();
}

void MemoryStore::RegisterGauges(MetricRegistry& metrics) {
  const auto add = [&](std::string_view name, std::string_view help, std::function<double()> read) {
    gauges_.push_back(metrics.AddGauge(name, help, {}, std::move(read)));
  };
  const auto show = [](const std::atomic<uint64_t>& size) {
    return [&size] { return static_cast<double>(size.load()); };
  };
  add("spanloom_store_spans", "Spans stored.", show(spans_));
  add("spanloom_store_traces", "Traces stored.", show(traces_));
  add("spanloom_store_bytes", "Bytes of the stored spans' messages, their origins counted once.", show(bytes_));
  add("spanloom_store_queue_bytes", "Bytes of requests that wait to be stored, or that room is kept for.",
      [this] { return static_cast<double>(queue_.bytes()); });
}

void MemoryStore::NoteSizes() {
  traces_ = table_.table.traces();
  spans_ = table_.table.spans();
  bytes_ = table_.table.bytes();
}

Capabilities MemoryStore::capabilities() const {
  return {.durability = Durability::kProcess,
          .aggregate = true,
          .tail = true,
          .requests = deriver_.derive != nullptr,
          .purge = true,
          .names_step_ns = 0,
          .quantile_error = QuantileSketch::kRelativeError};
}

Status MemoryStore::AddNow(const otlp::Batch& batch) {
  head::IncomingBatch incoming = head::SplitByTrace(batch);
  head::RemovedTraces removed;
  head::AddCounts counts;
  recent_.Add(batch.wire_bytes(), [&](head::RecentSpans& recent) {
    const MutexLock lock(table_.mutex);
    counts = table_.table.Add(incoming, recent, removed);
    NoteSizes();
  });
  CountAdded(counts);
  return counts.refused == 0 ? absl::OkStatus() : RefusalOf(counts.refused, batch.span_count());
}

std::vector<Status> MemoryStore::AddAll(std::span<const otlp::Batch> batches) {
  std::vector<Status> statuses;
  for (const otlp::Batch& batch : batches) statuses.push_back(AddNow(batch));
  return statuses;
}

void MemoryStore::CountAdded(const head::AddCounts& counts) {
  spans_duplicate_.Add(counts.duplicate);
  spans_refused_.Add(counts.refused);
  spans_evicted_.Add(counts.evicted);
}

Status MemoryStore::RefusalOf(size_t refused, size_t total) const {
  return absl::ResourceExhaustedError(StrCat("memory store: ", refused, " of ", total,
                                             " spans refused: their trace alone would exceed ", options_.bytes_max,
                                             " bytes or ", options_.spans_max, " spans; raise bytes_max or spans_max"));
}

StatusOr<Trace> MemoryStore::GetTrace(const otlp::TraceId& id, const TimeRange&, const ReadLimits& limits) const {
  RETURN_IF_ERROR(limits.Check(clock_));
  head::TraceSpans spans;
  size_t bytes = 0;
  {
    const MutexLock lock(table_.mutex);
    const head::StoredTrace* const trace = table_.table.Find(id);
    if (trace == nullptr) return absl::NotFoundError("trace not found");
    spans = trace->spans;
    bytes = trace->wire_bytes + trace->spans.size() * sizeof(StoredSpan);
  }
  if (bytes > limits.bytes_max) {
    return absl::ResourceExhaustedError(
        StrCat("trace ", id.Hex(), " takes ", bytes, " bytes; at most ", limits.bytes_max, " are allowed"));
  }
  return Trace{.id = id, .spans = spans.ByStart()};
}

StatusOr<std::unique_ptr<SpanCursor>> MemoryStore::Fetch(FetchPlan plan) const {
  RETURN_IF_ERROR(plan.Validate());
  return std::make_unique<MemoryCursor>(std::move(plan), table_, clock_);
}

Status MemoryStore::ForEachCandidate(const head::CandidateQuery& query, const std::vector<otlp::TraceId>& ids,
                                     scan::ReadMeter& meter,
                                     absl::FunctionRef<Status(const head::Candidate&)> visit) const {
  RETURN_IF_ERROR(meter.Check());
  head::CandidateReader candidates(table_, query, ids);
  while (const std::optional<head::Candidate> candidate = candidates.Next()) {
    RETURN_IF_ERROR(meter.Step());
    RETURN_IF_ERROR(visit(*candidate));
  }
  return absl::OkStatus();
}

Status MemoryStore::Scan(const head::CandidateQuery& query, const std::vector<otlp::TraceId>& ids,
                         scan::ReadMeter& meter, VisitTrace visit) const {
  scan::TraceReading reading;
  return ForEachCandidate(query, ids, meter, [&](const head::Candidate& candidate) -> Status {
    RETURN_IF_ERROR(ReadTrace(candidate, reading, meter));
    return visit(candidate, reading);
  });
}

StatusOr<AggregateAnswer> MemoryStore::Aggregate(const AggregatePlan& plan) const {
  RETURN_IF_ERROR(plan.Validate());
  if (plan.starts.IsEmpty()) return AggregateAnswer{};
  scan::SpanAggregation sums(plan);
  scan::ReadMeter meter(plan.limits, clock_);
  RETURN_IF_ERROR(Scan({.starts = plan.starts}, {}, meter,
                       [&](const head::Candidate&, scan::TraceReading& trace) { return sums.Add(trace, meter); }));
  return std::move(sums).Take();
}

StatusOr<TailBatch> MemoryStore::Tail(const FetchPlan& plan, std::optional<TailPosition> position,
                                      size_t spans_max) const {
  TableTraces traces(table_);
  return head::ReadTail(plan, position, spans_max, recent_, traces, clock_);
}

Status MemoryStore::ForEachTraceRow(const RowFilter<TraceColumn>& filter, const ReadLimits& limits,
                                    absl::FunctionRef<Status(std::shared_ptr<const TraceRow>)> visit) const {
  scan::ReadMeter meter(limits, clock_);
  scan::TraceReading reading;
  return ForEachCandidate({.starts = filter.starts}, filter.traces, meter,
                          [&](const head::Candidate& candidate) -> Status {
                            if (candidate.row != nullptr) return visit(candidate.row);
                            RETURN_IF_ERROR(ReadTrace(candidate, reading, meter));
                            TraceRow row = reading.row();
                            row.version = candidate.version;
                            auto shared = std::make_shared<const TraceRow>(std::move(row));
                            {
                              const MutexLock lock(table_.mutex);
                              table_.table.KeepRow(candidate.id, candidate.version, shared);
                            }
                            return visit(std::move(shared));
                          });
}

StatusOr<RowPage<TraceRow>> MemoryStore::Traces(const RowQuery<TraceColumn>& query) const {
  using Selection = scan::RowSelection<TraceRow, TraceColumn>;
  ASSIGN_OR_RETURN(Selection selection, Selection::Create(query));
  RETURN_IF_ERROR(ForEachTraceRow(query.filter, query.limits,
                                  [&](std::shared_ptr<const TraceRow> row) { return selection.Add(std::move(row)); }));
  return std::move(selection).Take();
}

StatusOr<AggregateAnswer> MemoryStore::GroupTraces(const RowGroupQuery<TraceColumn>& query) const {
  using Groups = scan::RowGroups<TraceColumn>;
  ASSIGN_OR_RETURN(Groups groups, Groups::Create(query));
  if (query.filter.starts.IsEmpty()) return AggregateAnswer{};
  RETURN_IF_ERROR(ForEachTraceRow(query.filter, query.limits,
                                  [&](std::shared_ptr<const TraceRow> row) { return groups.Add(*row); }));
  return std::move(groups).Take();
}

std::shared_ptr<const head::DerivedRequests> MemoryStore::Derive(const head::Candidate& candidate) const {
  const int64_t now_unix_ns = clock_.UnixNs();
  auto derived = std::make_shared<head::DerivedRequests>();
  derived->version = candidate.version;
  derived->derived_unix_ns = now_unix_ns;
  const Trace trace = {.id = candidate.id, .spans = candidate.spans.ByStart()};
  for (RequestRow& row : deriver_.derive(trace, static_cast<uint64_t>(now_unix_ns))) {
    row.anatomy_version = deriver_.version;
    derived->is_provisional = derived->is_provisional || row.is_provisional;
    derived->rows.push_back(std::make_shared<const RequestRow>(std::move(row)));
  }
  return derived;
}

Status MemoryStore::ForEachRequest(const RowFilter<RequestColumn>& filter, const ReadLimits& limits,
                                   absl::FunctionRef<Status(std::shared_ptr<const RequestRow>)> visit) const {
  scan::ReadMeter meter(limits, clock_);
  return ForEachCandidate({}, filter.traces, meter, [&](const head::Candidate& candidate) -> Status {
    std::shared_ptr<const head::DerivedRequests> requests = candidate.requests;
    const bool is_current = requests != nullptr && requests->version == candidate.version &&
                            (!requests->is_provisional || clock_.UnixNs() - requests->derived_unix_ns < kProvisionalNs);
    if (!is_current) {
      requests = Derive(candidate);
      const MutexLock lock(table_.mutex);
      table_.table.KeepRequests(candidate.id, requests);
    }
    for (const std::shared_ptr<const RequestRow>& row : requests->rows) RETURN_IF_ERROR(visit(row));
    return absl::OkStatus();
  });
}

StatusOr<RowPage<RequestRow>> MemoryStore::Requests(const RowQuery<RequestColumn>& query) const {
  if (!capabilities().requests) return SpanStore::Requests(query);
  using Selection = scan::RowSelection<RequestRow, RequestColumn>;
  ASSIGN_OR_RETURN(Selection selection, Selection::Create(query));
  RETURN_IF_ERROR(ForEachRequest(query.filter, query.limits,
                                 [&](std::shared_ptr<const RequestRow> row) { return selection.Add(std::move(row)); }));
  return std::move(selection).Take();
}

StatusOr<AggregateAnswer> MemoryStore::GroupRequests(const RowGroupQuery<RequestColumn>& query) const {
  if (!capabilities().requests) return SpanStore::GroupRequests(query);
  using Groups = scan::RowGroups<RequestColumn>;
  ASSIGN_OR_RETURN(Groups groups, Groups::Create(query));
  if (query.filter.starts.IsEmpty()) return AggregateAnswer{};
  RETURN_IF_ERROR(ForEachRequest(query.filter, query.limits,
                                 [&](std::shared_ptr<const RequestRow> row) { return groups.Add(*row); }));
  return std::move(groups).Take();
}

StatusOr<std::vector<ServiceName>> MemoryStore::Services(const NameQuery& query) const {
  scan::ServiceCounts counts(query);
  scan::ReadMeter meter(query.limits, clock_);
  if (IsAllOfTime(query.starts)) {
    RETURN_IF_ERROR(meter.Check());
    const MutexLock lock(table_.mutex);
    RETURN_IF_ERROR(table_.table.index().CountServices(counts));
  } else {
    RETURN_IF_ERROR(Scan({.starts = query.starts}, {}, meter,
                         [&](const head::Candidate&, scan::TraceReading& trace) { return counts.Add(trace, meter); }));
  }
  return std::move(counts).Take();
}

StatusOr<std::vector<OperationName>> MemoryStore::Operations(const std::string& service, const NameQuery& query) const {
  scan::OperationCounts counts(service, query);
  scan::ReadMeter meter(query.limits, clock_);
  if (IsAllOfTime(query.starts)) {
    RETURN_IF_ERROR(meter.Check());
    const MutexLock lock(table_.mutex);
    RETURN_IF_ERROR(table_.table.index().CountOperations(service, counts));
  } else {
    const head::CandidateQuery candidates = {.starts = query.starts, .services = {service}, .only_service = service};
    RETURN_IF_ERROR(Scan(candidates, {}, meter,
                         [&](const head::Candidate&, scan::TraceReading& trace) { return counts.Add(trace, meter); }));
  }
  return std::move(counts).Take();
}

StatusOr<std::vector<KeyName>> MemoryStore::Keys(const NameQuery& query) const {
  scan::KeyCounts counts(query);
  scan::ReadMeter meter(query.limits, clock_);
  RETURN_IF_ERROR(Scan({.starts = query.starts}, {}, meter,
                       [&](const head::Candidate&, scan::TraceReading& trace) { return counts.Add(trace, meter); }));
  return std::move(counts).Take();
}

StatusOr<std::vector<FieldValue>> MemoryStore::Values(const ValueQuery& query) const {
  RETURN_IF_ERROR(scan::ValidateValueQuery(query));
  scan::ValueCounts counts(query);
  scan::ReadMeter meter(query.names.limits, clock_);
  RETURN_IF_ERROR(Scan({.starts = query.names.starts}, {}, meter,
                       [&](const head::Candidate&, scan::TraceReading& trace) { return counts.Add(trace, meter); }));
  return std::move(counts).Take();
}

StatusOr<Removed> MemoryStore::SetRetention(const RetentionPolicy& policy) {
  queue_.SetTicking(policy.age_max_ns.has_value());
  const MutexLock lock(retention_mutex_);
  retention_ = policy;
  return ApplyRetention();
}

Removed MemoryStore::ApplyRetention() {
  if (!retention_.age_max_ns && !retention_.bytes_max) return {};
  head::RemovedTraces removed;
  Removed sum;
  {
    const MutexLock lock(table_.mutex);
    sum = table_.table.Expire(retention_, retention_time_.NowUnixNs(), removed);
    NoteSizes();
  }
  spans_expired_.Add(sum.spans);
  return sum;
}

// One Purge() under way.
class MemoryStore::Purging {
 public:
  Purging(const PurgePlan& plan, head::LockedTable& table, scan::ReadMeter& meter)
      : plan_(plan), where_(plan.where), table_(table), meter_(meter) {}

  // Takes the spans that match out of one trace; looks at it again if it has become another one meanwhile.
  Status Visit(head::Candidate candidate) {
    while (true) {
      ASSIGN_OR_RETURN(const std::vector<uint32_t> arrivals, Find(candidate));
      if (arrivals.empty()) return absl::OkStatus();
      const MutexLock lock(table_.mutex);
      if (const auto part = table_.table.Purge(candidate, arrivals, removed_)) {
        Add(*part, sum_);
        return absl::OkStatus();
      }
      const head::StoredTrace* const trace = table_.table.Find(candidate.id);
      if (trace == nullptr) return absl::OkStatus();
      candidate = *table_.table.index().Find({}, *trace);
    }
  }

  [[nodiscard]] const Removed& sum() const { return sum_; }

 private:
  // The arrivals of spans that match, ascending.
  StatusOr<std::vector<uint32_t>> Find(const head::Candidate& candidate) {
    RETURN_IF_ERROR(ReadTrace(candidate, reading_, meter_));
    std::vector<uint32_t> arrivals;
    for (size_t ordinal = 0; ordinal < reading_.size(); ++ordinal) {
      if (!plan_.starts.Contains(reading_.start_unix_ns(ordinal)) || !where_.Matches(reading_, ordinal)) continue;
      arrivals.push_back(reading_.arrival(ordinal));
    }
    std::sort(arrivals.begin(), arrivals.end());
    return arrivals;
  }

  const PurgePlan& plan_;
  scan::PredicateMatcher where_;
  head::LockedTable& table_;
  scan::ReadMeter& meter_;
  scan::TraceReading reading_;
  Removed sum_;
  head::RemovedTraces removed_;
};

StatusOr<Removed> MemoryStore::Purge(const PurgePlan& plan) {
  RETURN_IF_ERROR(plan.where.Validate());
  scan::ReadMeter meter({}, clock_);
  Purging purging(plan, table_, meter);
  const Status status = ForEachCandidate({.starts = plan.starts}, plan.traces, meter,
                                         [&](const head::Candidate& candidate) { return purging.Visit(candidate); });
  {
    const MutexLock lock(table_.mutex);
    NoteSizes();
  }
  TableTraces traces(table_);
  head::ForgetPurged(plan, recent_, traces, clock_);
  spans_purged_.Add(purging.sum().spans);
  RETURN_IF_ERROR(status);
  return purging.sum();
}

StoreStats MemoryStore::Stats() const {
  const MutexLock lock(table_.mutex);
  return {.traces = table_.table.traces(),
          .spans = table_.table.spans(),
          .bytes = table_.table.bytes(),
          .oldest_unix_ns = table_.table.index().first_start_unix_ns(),
          .newest_unix_ns = table_.table.index().last_start_unix_ns(),
          .spans_evicted = spans_evicted_.value(),
          .spans_expired = spans_expired_.value(),
          .spans_purged = spans_purged_.value(),
          .spans_duplicate = spans_duplicate_.value()};
}

}  // namespace spanloom::store::memory
