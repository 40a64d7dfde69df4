// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/debug.h"

#include <memory>
#include <utility>

#include "base/log_lines.h"
#include "base/text.h"
#include "otlp/metrics_views.h"
#include "pipeline/exporters/debug_text.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/exporters/output_files.h"

namespace spanloom::pipeline {
namespace {

// How the Collector speaks of a batch.
struct SignalWords {
  std::string_view title;
  std::string_view resources;
  std::string_view items;
};

SignalWords WordsOf(otlp::Signal signal) {
  switch (signal) {
    case otlp::Signal::kTraces:
      return {"Traces", "resource spans", "spans"};
    case otlp::Signal::kMetrics:
      return {"Metrics", "resource metrics", "data points"};
    case otlp::Signal::kLogs:
      return {"Logs", "resource logs", "log records"};
  }
  return {};
}

struct Counts {
  size_t resources = 0;
  size_t metrics = 0;
};

// In all three signals resources stand in the same field.
Counts CountsOf(const otlp::Batch& batch) {
  Counts counts;
  for (const otlp::Slice& slice : batch.slices()) {
    counts.resources += otlp::TracesView(slice.wire().view()).resource_spans().Count();
    if (batch.signal() != otlp::Signal::kMetrics) continue;
    for (const otlp::ResourceMetricsView resource : otlp::MetricsView(slice.wire().view()).resource_metrics()) {
      for (const otlp::ScopeMetricsView scope : resource.scope_metrics()) counts.metrics += scope.metrics().Count();
    }
  }
  return counts;
}

constexpr std::chrono::milliseconds kRetryDelay{1'000};  // after a failed write; guess
constexpr size_t kUnwrittenBytesMax = 64 << 20;          // of texts for files; guess

constexpr ComponentDoc kDoc = {
    .words =
        "Writes what passes to the log, at level info, or with use_internal_logger: false to standard output or files: "
        "counts (basic), a line for each span, log record and data point (normal), or all that they say (detailed), in "
        "the Collector's words.",
    .example = R"(exporters:
  debug:
    verbosity: detailed
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
)",
};

}  // namespace

void DebugOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, Verbosity> kVerbosities[] = {
      {"basic", Verbosity::kBasic}, {"normal", Verbosity::kNormal}, {"detailed", Verbosity::kDetailed}};
  r.Choice<Verbosity>("verbosity", verbosity, kVerbosities, "How much is written of each batch.");
  r.Field("sampling_initial", sampling_initial, "Batches that are written in each second before some are left out.",
          {.min = 0, .unit = "batches"});
  r.Field("sampling_thereafter", sampling_thereafter,
          "Of those that follow in that second, one in so many is written; 0 means none.",
          {.min = 0, .unit = "batches"});
  r.Field("use_internal_logger", use_internal_logger, "Whether the log of this process is written to.");
  r.Field("output_paths", output_paths,
          "Without that: stdout, stderr or paths of files, which grow at their end; stdout if the list is empty.");
  r.Unsupported("sending_queue", "remove it; nothing waits: a batch is answered when it is written");
}

Status DebugOptions::Validate() const {
  if (use_internal_logger && !output_paths.empty()) {
    return absl::InvalidArgumentError("output_paths requires use_internal_logger: false");
  }
  for (const std::string& path : output_paths) {
    if (path.empty()) return absl::InvalidArgumentError("output_paths: a path is empty");
  }
  return absl::OkStatus();
}

// The files, and what became of what was written to them. Thread-safe.
class DebugExporter::Files {
 public:
  Files(const std::string& exporter, const DebugOptions& options, const BuildContext& context)
      : exporter_(exporter),
        outputs_(options.output_paths.empty() ? std::vector<std::string>{"stdout"} : options.output_paths),
        status_(context.status),
        sent_(SentItems(context.metrics, exporter, context.signal)),
        send_failed_(SendFailedItems(context.metrics, exporter, context.signal)) {}

  Status Open() { return outputs_.Open(); }

  // Whether there is room for a text of `bytes`; then it is to be given to End.
  bool Begin(size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    if (unwritten_ > 0 && unwritten_bytes_ + bytes > kUnwrittenBytesMax) return false;
    ++unwritten_;
    unwritten_bytes_ += bytes;
    return true;
  }
  // Writes it, or gives it up if `is_written` is false.
  void End(std::string_view text, bool is_written, size_t items, Done done) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (is_written) {
      Answer(outputs_.Write(text), items, std::move(done));
    } else {
      Refuse(items, std::move(done));
    }
    const MutexLock lock(mutex_);
    --unwritten_;
    unwritten_bytes_ -= text.size();
  }
  void Refuse(size_t items, Done done) {
    Answer(absl::UnavailableError(StrCat("takes nothing now: more waits to be written than its limit of ",
                                         kUnwrittenBytesMax, " bytes, or workers have too much to do")),
           items, std::move(done));
  }
  void AwaitAll() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return unwritten_ == 0; });
  }

 private:
  void Answer(Status status, size_t items, Done done) {
    (status.ok() ? sent_ : send_failed_).Add(items);
    status.ok() ? status_.ReportOk() : status_.ReportRecoverable(status);
    if (!status.ok()) status = Annotate(status, StrCat("exporter ", exporter_));
    if (IsRetryable(status)) status = WithRetryDelay(status, kRetryDelay);
    std::move(done)(std::move(status));
  }

  const std::string exporter_;
  OutputFiles outputs_;
  const StatusReporter status_;
  Counter& sent_;
  Counter& send_failed_;
  Mutex mutex_;
  size_t unwritten_ ABSL_GUARDED_BY(mutex_) = 0;  // texts
  size_t unwritten_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

DebugExporter::DebugExporter(const ComponentId& id, const DebugOptions& options, const BuildContext& context,
                             WriteLine write)
    : id_(id.ToString()),
      options_(options),
      write_(std::move(write)),
      files_(options.use_internal_logger ? nullptr : std::make_shared<Files>(id_, options, context)),
      workers_(context.loops.workers()),
      signal_(context.signal),
      sent_(SentItems(context.metrics, id_, signal_)),
      clock_(context.clock) {}

bool DebugExporter::IsWritten() {
  constexpr int64_t kSecondNs = 1'000'000'000;
  const int64_t second = clock_.SteadyNs() / kSecondNs;
  const MutexLock lock(mutex_);
  if (std::exchange(second_, second) != second) count_ = 0;
  const int64_t beyond = ++count_ - options_.sampling_initial;
  return beyond <= 0 || (options_.sampling_thereafter > 0 && beyond % options_.sampling_thereafter == 0);
}

Status DebugExporter::Start() {
  return files_ == nullptr ? absl::OkStatus() : files_->Open();
}

void DebugExporter::Stop(std::chrono::milliseconds) {
  if (files_ != nullptr) files_->AwaitAll();
}

void DebugExporter::Consume(otlp::Batch batch, Done done) {
  const bool is_written = IsWritten();
  if (is_written && files_ != nullptr) return WriteToFiles(batch, std::move(done));
  if (is_written) WriteToLog(batch);
  sent_.Add(batch.span_count());
  std::move(done)(absl::OkStatus());
}

void DebugExporter::WriteToFiles(const otlp::Batch& batch, Done done) {
  const Counts counts = CountsOf(batch);
  const SignalWords words = WordsOf(signal_);
  std::string text = StrCat(words.title, "\t{\"", words.resources, "\": ", counts.resources);
  if (signal_ == otlp::Signal::kMetrics) StrAppend(text, ", \"metrics\": ", counts.metrics);
  StrAppend(text, ", \"", words.items, "\": ", batch.span_count(), "}\n");
  if (options_.verbosity != DebugOptions::Verbosity::kBasic) StrAppend(text, TextOf(batch), "\n");
  const size_t items = batch.span_count();
  if (!files_->Begin(text.size())) return files_->Refuse(items, std::move(done));
  // Kept where a full queue leaves them.
  const auto kept = std::make_shared<std::pair<std::string, Done>>(std::move(text), std::move(done));
  const bool is_queued =
      workers_.Submit([files = files_, items, kept] { files->End(kept->first, true, items, std::move(kept->second)); });
  if (!is_queued) files_->End(kept->first, false, items, std::move(kept->second));
}

void DebugExporter::WriteToLog(const otlp::Batch& batch) const {
  const Counts counts = CountsOf(batch);
  const SignalWords words = WordsOf(signal_);
  const LogField exporter("exporter", id_);
  const LogField signal("otelcol.signal", otlp::SignalText(signal_));
  const LogField resources(words.resources, counts.resources);
  const LogField items(words.items, batch.span_count());
  if (signal_ == otlp::Signal::kMetrics) {
    write_(words.title, {exporter, signal, resources, {"metrics", counts.metrics}, items});
  } else {
    write_(words.title, {exporter, signal, resources, items});
  }
  if (options_.verbosity != DebugOptions::Verbosity::kBasic) write_(TextOf(batch), {exporter, signal});
}

std::string DebugExporter::TextOf(const otlp::Batch& batch) const {
  return options_.verbosity == DebugOptions::Verbosity::kDetailed ? DetailedText(batch) : NormalText(batch);
}

void RegisterDebugExporter(Registry& registry) {
  registry.exporters.Add<DebugOptions>(
      "debug", kDoc,
      [](const ComponentId& id, const DebugOptions& options, const BuildContext& context) {
        return std::make_unique<DebugExporter>(id, options, context,
                                               [](std::string_view message, std::initializer_list<LogField> fields) {
                                                 LogLines(LogLevel::kInfo, message, fields);
                                               });
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
