// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/spanloom_store.h"

#include <absl/base/thread_annotations.h>

#include <atomic>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "base/text.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/exporters/inferred_pod.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Keeps spans in the store of this process, where the page and the query API find them. Each traces pipeline "
        "of a file gains it unless it names it (or --no-store-append is given).",
    .example = R"(exporters:
  spanloom_store:
    data_dir: /var/lib/spanloom
    retention:
      age_max: 168h
      mib_max: 100000
)",
};

}  // namespace

void StoreDiskOptions::Declare(config::OptionsReader& r) {
  constexpr std::pair<std::string_view, Sync> kSyncs[] = {
      {"always", Sync::kAlways}, {"interval", Sync::kInterval}, {"never", Sync::kNever}};
  r.Choice<Sync>(
      "sync", sync, kSyncs,
      "When the log is forced to the device: before each answer, every sync_interval (a loss of power loses what "
      "was answered since), or when the system does it.");
  r.Field("sync_interval", sync_interval, "How often, if sync is interval.",
          {.min = std::chrono::milliseconds(10), .max = std::chrono::minutes(10)});
  r.Mebibytes("head_mib", head_bytes,
              "Spans in memory that are in no segment yet, as received; twice that while a segment is written.",
              {.min = 1, .max = 1 << 16});
}

void StoreRetentionOptions::Declare(config::OptionsReader& r) {
  r.Field("age_max", age_max, "Traces whose last span started longer ago are removed; 0 keeps them.");
  r.Mebibytes("mib_max", bytes_max,
              "The oldest traces are removed when all take more, as the store counts; 0 keeps them.",
              {.min = 0, .max = 1 << 30});
}

void SpanloomStoreOptions::Declare(config::OptionsReader& r) {
  r.Field("traces_max", traces_max, "Traces kept in memory at most; the oldest go first. Not with data_dir.",
          {.min = 1, .unit = "traces"});
  r.Field("spans_max", spans_max, "Spans kept in memory at most, over all traces. Not with data_dir.",
          {.min = 1, .max = UINT32_MAX, .unit = "spans"});
  r.Mebibytes("limit_mib", bytes_max, "Memory that the spans may take, as received. Not with data_dir.",
              {.min = 1, .max = 1 << 20});
  r.Field("data_dir", data_dir, "Directory of a store on disk; if it is left out, spans are in memory only.");
  r.Field("disk", disk, "How the store on disk works; only with data_dir.");
  r.Field("retention", retention, "What is removed, and when.");
}

Status SpanloomStoreOptions::Validate() const {
  if (data_dir.empty()) {
    if (disk) return absl::InvalidArgumentError("disk needs data_dir: a store in memory has none");
    return absl::OkStatus();
  }
  const SpanloomStoreOptions defaults;
  const auto limit = [](std::string_view key) {
    return absl::InvalidArgumentError(StrCat(
        key, " holds for a store in memory (serve --in-memory); on disk say retention.age_max or retention.mib_max"));
  };
  if (traces_max != defaults.traces_max) return limit("traces_max");
  if (spans_max != defaults.spans_max) return limit("spans_max");
  if (bytes_max != defaults.bytes_max) return limit("limit_mib");
  return absl::OkStatus();
}

namespace {

// What an OK of the store is worth.
std::string SafetyOf(store::Durability durability) {
  switch (durability) {
    case store::Durability::kProcess:
      return "what is stored is in memory, and lost with this process";
    case store::Durability::kCrash:
      return "what is stored outlives a crash of this process, but not a loss of power";
    case store::Durability::kPower:
      return "what is stored outlives a loss of power";
  }
  return "";
}

}  // namespace

// The appends that the store has not answered yet. Thread-safe.
class SpanloomStoreExporter::Appends : public std::enable_shared_from_this<SpanloomStoreExporter::Appends> {
 public:
  Appends(const std::string& exporter, const BuildContext& context)
      : status_(context.status),
        sent_(SentItems(context.metrics, exporter)),
        failed_(SendFailedItems(context.metrics, exporter)) {}

  // `done`, for an append of `spans` spans that begins now.
  store::AppendDone Begin(size_t spans, Done done) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    ++unanswered_;
    return [self = shared_from_this(), spans, done = std::move(done)](Status status) mutable {
      self->Count(spans, status);
      std::move(done)(std::move(status));
      self->End();
    };
  }

  // One append was answered or could not begin.
  void Count(size_t spans, const Status& status) {
    (status.ok() ? sent_ : failed_).Add(spans);
    if (!status.ok()) status_.ReportRecoverable(status);
    if (failing_.exchange(!status.ok()) && status.ok()) status_.ReportOk();
  }

  // How many are left after `grace`.
  size_t AwaitAll(std::chrono::milliseconds grace) ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto none_left = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return unanswered_ == 0; };
    MutexLock lock(mutex_);
    mutex_.AwaitFor(none_left, grace);
    return unanswered_;
  }

 private:
  // After the answer was passed on, so that AwaitAll means what it says.
  void End() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    --unanswered_;
  }

  const StatusReporter status_;
  Counter& sent_;
  Counter& failed_;
  std::atomic<bool> failing_ = false;
  Mutex mutex_;
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
};

class SpanloomStoreExporter::ReservedAppend final : public Admission {
 public:
  ReservedAppend(std::shared_ptr<Appends> appends, std::unique_ptr<store::Reservation> reservation)
      : appends_(std::move(appends)), reservation_(std::move(reservation)) {}
  void Commit(otlp::Batch batch, Done done) override {
    InferPod(batch);
    const size_t spans = batch.span_count();
    reservation_->Commit(std::move(batch), appends_->Begin(spans, std::move(done)));
  }

 private:
  const std::shared_ptr<Appends> appends_;  // shared as in the exporter
  const std::unique_ptr<store::Reservation> reservation_;
};

SpanloomStoreExporter::SpanloomStoreExporter(const ComponentId& id, const BuildContext& context,
                                             store::SpanStore& store, std::string safety)
    : store_(store), safety_(std::move(safety)), appends_(std::make_shared<Appends>(id.ToString(), context)) {}

SpanloomStoreExporter::~SpanloomStoreExporter() = default;

void SpanloomStoreExporter::Consume(otlp::Batch batch, Done done) {
  InferPod(batch);
  const size_t spans = batch.span_count();
  store_.Append(std::move(batch), appends_->Begin(spans, std::move(done)));
}

StatusOr<std::unique_ptr<Admission>> SpanloomStoreExporter::Reserve(const otlp::Batch& batch) {
  StatusOr<std::unique_ptr<store::Reservation>> reservation = store_.Reserve(batch);
  if (!reservation.ok()) {
    appends_->Count(batch.span_count(), reservation.status());
    return reservation.status();
  }
  return std::make_unique<ReservedAppend>(appends_, *std::move(reservation));
}

void SpanloomStoreExporter::Stop(std::chrono::milliseconds grace) {
  const size_t unanswered = appends_->AwaitAll(grace);
  if (unanswered == 0) return;
  Log(LogLevel::kWarn, "the store has not answered in time: its clients got no answer and may send again",
      {{"requests", unanswered}});
}

void RegisterSpanloomStoreExporter(Registry& registry, StoreSource store) {
  registry.exporters.Add<SpanloomStoreOptions>(
      "spanloom_store", kDoc,
      [store = std::move(store)](const ComponentId& id, const SpanloomStoreOptions&, const BuildContext& context) {
        store::SpanStore& opened = store();
        return std::make_unique<SpanloomStoreExporter>(id, context, opened, SafetyOf(opened.capabilities().durability));
      });
}

}  // namespace spanloom::pipeline
