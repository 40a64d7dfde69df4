// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/spanloom_store.h"

#include <absl/base/thread_annotations.h>

#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "pipeline/exporters/export_counters.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Keeps spans in the store of this process, where the page and the query API find them. Each traces pipeline "
        "of a file gains it unless it names it (or --no-store-append is given).",
    .example = R"(exporters:
  spanloom_store:
    limit_mib: 1024
    traces_max: 500000
    spans_max: 5000000
)",
};

}  // namespace

void SpanloomStoreOptions::Declare(config::OptionsReader& r) {
  r.Field("traces_max", traces_max, "Traces kept at most; the oldest go first.", {.min = 1, .unit = "traces"});
  r.Field("spans_max", spans_max, "Spans kept at most, over all traces.",
          {.min = 1, .max = UINT32_MAX, .unit = "spans"});
  r.Mebibytes("limit_mib", bytes_max, "Memory that the spans may take, as received.", {.min = 1, .max = 1 << 20});
  r.Field("data_dir", data_dir, "Directory that keeps the traces over a clean restart; none if it is left out.");
}

// The appends that the store has not answered yet. Thread-safe.
class SpanloomStoreExporter::Appends {
 public:
  Appends(const std::string& exporter, MetricRegistry& metrics)
      : sent_(SentSpans(metrics, exporter)), failed_(SendFailedSpans(metrics, exporter)) {}

  void Begin() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    ++unanswered_;
  }

  // To be called after the answer was passed on, so that AwaitAll means what it says.
  void End(size_t spans, bool stored) ABSL_LOCKS_EXCLUDED(mutex_) {
    (stored ? sent_ : failed_).Add(spans);
    MutexLock lock(mutex_);
    --unanswered_;
  }

  // How many are left after `grace`.
  size_t AwaitAll(std::chrono::milliseconds grace) ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto none_left = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return unanswered_ == 0; };
    MutexLock lock(mutex_);
    mutex_.AwaitFor(none_left, grace);
    return unanswered_;
  }

 private:
  Counter& sent_;
  Counter& failed_;
  Mutex mutex_;
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
};

SpanloomStoreExporter::SpanloomStoreExporter(const ComponentId& id, const BuildContext& context,
                                             store::SpanStore& store)
    : store_(store), appends_(std::make_shared<Appends>(id.ToString(), context.metrics)) {}

SpanloomStoreExporter::~SpanloomStoreExporter() = default;

void SpanloomStoreExporter::Consume(otlp::Batch batch, Done done) {
  const size_t spans = batch.span_count();
  appends_->Begin();
  store_.Append(std::move(batch), [appends = appends_, spans, done = std::move(done)](Status status) mutable {
    const bool stored = status.ok();
    std::move(done)(std::move(status));
    appends->End(spans, stored);
  });
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
        return std::make_unique<SpanloomStoreExporter>(id, context, store());
      });
}

}  // namespace spanloom::pipeline
