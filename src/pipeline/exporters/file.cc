// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/file.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "base/worker_pool.h"
#include "otlp/json/write.h"
#include "pipeline/exporters/export_counters.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Writes spans to a file: a line of OTLP JSON a batch, or OTLP protobuf with its length in four bytes before it "
        "(big-endian); metrics and logs too, best each to a file of their own. A sender is told OK when its spans are "
        "in the file; whether they are on the device is the "
        "system's. Prompts may be in it: it is readable by its owner alone.",
    .example = R"(exporters:
  file:
    path: payload-spans.json
    rotation:
      max_megabytes: 100
      max_backups: 5
service:
  pipelines:
    traces/payloads:
      receivers: [otlp]
      exporters: [file]
)",
};

constexpr std::chrono::milliseconds kRetryDelay{1'000};  // after a failed write, or when too much waits; guess
constexpr int64_t kMegabyte = 1 << 20;                   // the Collector's is a mebibyte
constexpr int64_t kDayNs = int64_t{24} * 3'600 * 1'000'000'000;

std::optional<RotationLimits> LimitsOf(const std::optional<FileRotationOptions>& options) {
  if (!options) return std::nullopt;
  return RotationLimits{.bytes_max = static_cast<size_t>(options->max_megabytes * kMegabyte),
                        .age_max_ns = options->max_days * kDayNs,
                        .backups_max = static_cast<size_t>(options->max_backups),
                        .local_time = options->localtime};
}

void AppendLength(size_t length, std::string& out) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(length >> shift));
}

std::string RecordOf(const otlp::Batch& batch, RequestEncoding format) {
  std::string record;
  if (format == RequestEncoding::kJson) {
    otlp::WriteJson(batch, record);
    record.push_back('\n');
    return record;
  }
  const Bytes wire = batch.Encode();
  AppendLength(wire.size(), record);
  record.append(wire.view());
  return record;
}

}  // namespace

void FileRotationOptions::Declare(config::OptionsReader& r) {
  r.Field("max_megabytes", max_megabytes, "Size at which a file is put aside.",
          {.min = 1, .max = 1 << 20, .unit = "MiB"});
  r.Field("max_days", max_days, "How long those that were put aside stay; 0 means for ever.",
          {.min = 0, .max = 100'000, .unit = "days"});
  r.Field("max_backups", max_backups, "How many of those stay; 0 means all.",
          {.min = 0, .max = 1 << 20, .unit = "files"});
  r.Field("localtime", localtime, "Whether their names have local time instead of UTC.");
}

void FileExporterOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, RequestEncoding> kFormats[] = {{"json", RequestEncoding::kJson},
                                                                              {"proto", RequestEncoding::kProtobuf}};
  r.Field("path", path, "The file.");
  r.Field("rotation", rotation, "When it is put aside under another name; never if this is left out.");
  r.Choice<RequestEncoding>("format", format, kFormats, "What is written: a line of JSON a batch, or protobuf.");
  r.Field("append", append, "Whether what is in the file at the start stays.");
  r.Field("create_directory", create_directory, "Whether the directory is made if it is not there.");
  r.Field("flush_interval", flush_interval, "How long spans may wait before they are in the file; they never do.",
          {.min = std::chrono::nanoseconds(1)});
  r.Unsupported("compression", "remove it; compress the files that rotation puts aside");
  r.Unsupported("encoding", "write format: json or format: proto");
  r.Unsupported("group_by", "remove it; all spans go to one file");
  r.Unsupported("directory_permissions", "remove it; a directory that create_directory makes has 0755");
}

Status FileExporterOptions::Validate() const {
  if (path.empty()) return absl::InvalidArgumentError("path must be non-empty");
  if (append && rotation) {
    return absl::InvalidArgumentError("append and rotation enabled at the same time is not supported");
  }
  return absl::OkStatus();
}

// What waits, and the one task that writes it.
class FileExporter::Writer : public std::enable_shared_from_this<Writer> {
 public:
  Writer(std::string exporter, const FileExporterOptions& options, const BuildContext& context)
      : exporter_(std::move(exporter)),
        file_(options.path, LimitsOf(options.rotation), context.clock),
        workers_(context.loops.workers()),
        status_(context.status),
        sent_(SentItems(context.metrics, exporter_, context.signal)),
        send_failed_(SendFailedItems(context.metrics, exporter_, context.signal)),
        enqueue_failed_(EnqueueFailedItems(context.metrics, exporter_, context.signal)) {}

  Status Open(bool keeps) { return file_.Open(keeps); }

  void Add(std::string record, size_t spans, Done done) {
    Entry entry{std::move(record), spans, std::move(done)};
    switch (Queue(entry)) {
      case Place::kNone:
        return Refuse(std::move(entry));
      case Place::kBehindOthers:
        return;
      case Place::kFirst:
        if (!workers_.Submit([self = shared_from_this()] { self->WriteAll(); })) RefuseAll();
    }
  }

  // Takes in nothing more, and waits for what was.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
    mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !is_writing_; });
  }

 private:
  struct Entry {
    std::string record;
    size_t spans = 0;
    Done done;
  };

  enum class Place : uint8_t { kNone, kBehindOthers, kFirst };

  // Takes `entry` if it finds a place; kFirst: the task has to be started.
  Place Queue(Entry& entry) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    const bool fits = waiting_.empty() || waiting_bytes_ + entry.record.size() <= kFileQueueBytesMax;
    if (is_stopped_ || !fits) return Place::kNone;
    waiting_bytes_ += entry.record.size();
    waiting_.push_back(std::move(entry));
    return std::exchange(is_writing_, true) ? Place::kBehindOthers : Place::kFirst;
  }

  void Refuse(Entry entry) {
    enqueue_failed_.Add(entry.spans);
    std::move(entry.done)(
        WithRetryDelay(absl::UnavailableError(StrCat("exporter ", exporter_,
                                                     " takes nothing now: more waits for the disk than its limit of ",
                                                     kFileQueueBytesMax, " bytes, or it is stopped")),
                       kRetryDelay));
  }

  // The next entry; nullopt, and the task is over, if there is none.
  std::optional<Entry> Take() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    if (waiting_.empty()) {
      is_writing_ = false;
      return std::nullopt;
    }
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= entry.record.size();
    return entry;
  }

  void WriteAll() {
    while (std::optional<Entry> entry = Take()) {
      Status status = file_.Append(entry->record);
      if (status.ok()) {
        sent_.Add(entry->spans);
        if (std::exchange(is_failing_, false)) status_.ReportOk();
      } else {
        send_failed_.Add(entry->spans);
        is_failing_ = true;
        status_.ReportRecoverable(status);
        status = WithRetryDelay(Annotate(status, StrCat("exporter ", exporter_)), kRetryDelay);
      }
      std::move(entry->done)(std::move(status));
    }
  }

  void RefuseAll() {
    while (std::optional<Entry> entry = Take()) Refuse(*std::move(entry));
  }

  const std::string exporter_;
  RotatingFile file_;  // of Open, then of the one task
  WorkerPool& workers_;
  const StatusReporter status_;
  Counter& sent_;
  Counter& send_failed_;
  Counter& enqueue_failed_;
  bool is_failing_ = false;  // of the one task
  Mutex mutex_;
  std::deque<Entry> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

FileExporter::FileExporter(const ComponentId& id, const FileExporterOptions& options, const BuildContext& context)
    : options_(options), writer_(std::make_shared<Writer>(id.ToString(), options, context)) {}

FileExporter::~FileExporter() = default;

Status FileExporter::Start() {
  if (options_.create_directory) {
    std::error_code error;
    const std::filesystem::path directory = std::filesystem::path(options_.path).parent_path();
    if (!directory.empty()) std::filesystem::create_directories(directory, error);
    if (error) return absl::UnavailableError(StrCat("cannot make ", directory.string(), ": ", error.message()));
  }
  return writer_->Open(options_.append);
}

void FileExporter::Stop(std::chrono::milliseconds) {
  writer_->Drain();
}

void FileExporter::Consume(otlp::Batch batch, Done done) {
  writer_->Add(RecordOf(batch, options_.format), batch.span_count(), std::move(done));
}

std::vector<std::string> FileExporter::claims() const {
  return {StrCat("file:", options_.path)};
}

void RegisterFileExporter(Registry& registry) {
  registry.exporters.Add<FileExporterOptions>(
      "file", kDoc,
      [](const ComponentId& id, const FileExporterOptions& options, const BuildContext& context) {
        return std::make_unique<FileExporter>(id, options, context);
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
