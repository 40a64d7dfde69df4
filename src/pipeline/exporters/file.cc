// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "base/worker_pool.h"
#include "otlp/json/write.h"
#include "pipeline/exporters/export_counters.h"
#include "pipeline/exporters/grouped_files.h"
#include "pipeline/exporters/resource_groups.h"
#include "pipeline/joined_done.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Writes spans to a file: a line of OTLP JSON a batch, or OTLP protobuf with its length in four bytes before it "
        "(big-endian); metrics and logs too, best each to a file of their own. A sender is told OK when its spans are "
        "in the file; whether they are on the device is the "
        "system's. Prompts may be in it: it is readable by its owner alone. With compression each batch is a frame of "
        "its own, so that `zstd -d` reads the file, also one that a crash has cut.",
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
constexpr int64_t kMegabytesDefault = 100;               // the Collector's
constexpr int64_t kDayNs = int64_t{24} * 3'600 * 1'000'000'000;

std::optional<RotationLimits> LimitsOf(const std::optional<FileRotationOptions>& options) {
  if (!options) return std::nullopt;
  const int64_t megabytes = options->max_megabytes == 0 ? kMegabytesDefault : options->max_megabytes;
  return RotationLimits{.bytes_max = static_cast<size_t>(megabytes * kMegabyte),
                        .age_max_ns = options->max_days * kDayNs,
                        .backups_max = static_cast<size_t>(options->max_backups),
                        .local_time = options->localtime};
}

constexpr std::string_view kGroupAdvice =
    "give resources the attribute that group_by.resource_attribute names, with a path below the place of the star";

// The parts of `path` before and behind its star.
std::pair<std::string, std::string> AtStar(const std::string& path) {
  const size_t star = path.find('*');
  return {path.substr(0, star), path.substr(star + 1)};
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
  r.Field("max_megabytes", max_megabytes, "Size at which a file is put aside; 0 means 100.",
          {.min = 0, .max = 1 << 20, .unit = "MiB"});
  r.Field("max_days", max_days, "How long those that were put aside stay; 0 means for ever.",
          {.min = 0, .max = 100'000, .unit = "days"});
  r.Field("max_backups", max_backups, "How many of those stay; 0 means all.",
          {.min = 0, .max = 1 << 20, .unit = "files"});
  r.Field("localtime", localtime, "Whether their names have local time instead of UTC.");
}

void FileCompressionOptions::Declare(config::OptionsReader& r) {
  r.Field("level", level, "How hard it tries, from 1, the fastest, to 11; 0 means 1.",
          {.min = 0, .max = 11, .unit = "as Zstandard has them"});
}

void FileGroupOptions::Declare(config::OptionsReader& r) {
  r.Field("enabled", enabled, "Whether resources say which file.");
  r.Field("resource_attribute", resource_attribute,
          "Attribute of the resource, a text that takes the place of the star in path; what has none is dropped.");
  r.Field("max_open_files", max_open_files, "Files that are open at a time.",
          {.min = 1, .max = 100'000, .unit = "files"});
}

void FileExporterOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, net::Compression> kCompressions[] = {{"", net::Compression::kNone},
                                                                                    {"zstd", net::Compression::kZstd}};
  static constexpr std::pair<std::string_view, RequestEncoding> kFormats[] = {{"json", RequestEncoding::kJson},
                                                                              {"proto", RequestEncoding::kProtobuf}};
  r.Field("path", path, "The file; with group_by a path with one *.");
  r.Field("rotation", rotation, "When it is put aside under another name; never if this is left out.");
  r.Choice<RequestEncoding>("format", format, kFormats, "What is written: a line of JSON a batch, or protobuf.");
  r.Field("append", append, "Whether what is in the file at the start stays.");
  r.Field("create_directory", create_directory, "Whether the directory is made if it is not there.");
  r.Field("flush_interval", flush_interval, "How long spans may wait before they are in the file; they never do.");
  r.Choice<net::Compression>("compression", compression, kCompressions,
                             "How what is written is compressed; empty: not.");
  r.Field("compression_params", compression_params, "How hard.");
  r.Field("group_by", group_by, "Whether there are several files, by what resources say.");
  r.Field("directory_permissions", directory_permissions,
          "Permissions of directories that are made, octal, such as \"0750\"; less the process's umask. Empty: 0755.");
  r.Unsupported("encoding", "write format: json or format: proto; there are no extensions for encodings");
}

Status FileExporterOptions::Validate() const {
  if (path.empty()) return absl::InvalidArgumentError("path must be non-empty");
  if (append && rotation) {
    return absl::InvalidArgumentError("append and rotation enabled at the same time is not supported");
  }
  if (append && compression != net::Compression::kNone) {
    return absl::InvalidArgumentError("append and compression enabled at the same time is not supported");
  }
  if (group_by.enabled) RETURN_IF_ERROR(ValidateGroups());
  return ValidateDirectory();
}

Status FileExporterOptions::ValidateGroups() const {
  if (std::count(path.begin(), path.end(), '*') != 1) {
    return absl::InvalidArgumentError("path must contain exactly one * when group_by is enabled");
  }
  if (path.starts_with('*')) return absl::InvalidArgumentError("path must not start with * when group_by is enabled");
  if (group_by.resource_attribute.empty()) {
    return absl::InvalidArgumentError("group_by: resource_attribute must not be empty when group_by is enabled");
  }
  if (rotation) {
    return absl::InvalidArgumentError(
        "rotation has no effect when group_by is enabled: remove one of them, and put files aside from outside");
  }
  return absl::OkStatus();
}

Status FileExporterOptions::ValidateDirectory() const {
  if (directory_permissions.empty()) return absl::OkStatus();
  if (!create_directory) {
    return absl::InvalidArgumentError("directory_permissions requires create_directory to be true");
  }
  const bool is_octal = directory_permissions.find_first_not_of("01234567") == std::string::npos;
  if (!is_octal || directory_permissions.size() > 5) {
    return absl::InvalidArgumentError("directory_permissions value must be a valid octal representation");
  }
  if (DirectoryMode() > 0777) {
    return absl::InvalidArgumentError("directory_permissions contain invalid bits for file access");
  }
  return absl::OkStatus();
}

mode_t FileExporterOptions::DirectoryMode() const {
  mode_t mode = 0;
  for (const char digit : directory_permissions) mode = mode * 8 + static_cast<mode_t>(digit - '0');
  return directory_permissions.empty() ? 0755 : mode;
}

// What waits, and the one task that writes it.
class FileExporter::Writer : public std::enable_shared_from_this<Writer> {
 public:
  Writer(std::string exporter, const FileExporterOptions& options, const BuildContext& context)
      : exporter_(std::move(exporter)),
        compression_(options.compression),
        level_(options.compression_params.level),
        workers_(context.loops.workers()),
        status_(context.status),
        sent_(SentItems(context.metrics, exporter_, context.signal)),
        send_failed_(SendFailedItems(context.metrics, exporter_, context.signal)),
        enqueue_failed_(EnqueueFailedItems(context.metrics, exporter_, context.signal)) {
    if (!options.group_by.enabled) {
      file_.emplace(options.path, LimitsOf(options.rotation), context.clock);
      return;
    }
    auto [before, after] = AtStar(options.path);
    groups_.emplace(GroupedFilesOptions{.before = std::move(before),
                                        .after = std::move(after),
                                        .open_max = static_cast<size_t>(options.group_by.max_open_files),
                                        .keeps = options.append,
                                        .directory_mode = options.DirectoryMode()},
                    context.clock);
  }

  Status Open(bool keeps) {
    if (!file_) return absl::OkStatus();
    RETURN_IF_ERROR(file_->Open(keeps));
    // Behind a frame that a crash has cut no other would be found.
    return compression_ == net::Compression::kNone ? absl::OkStatus() : file_->PutAsideWhatIsThere();
  }

  // Where a resource's `segment` leads; nullopt: nowhere.
  [[nodiscard]] std::optional<std::string> PathOf(const std::string& segment) const { return groups_->PathOf(segment); }

  // `path` is that of PathOf, or "" if there is one file.
  void Add(std::string path, std::string record, size_t spans, Done done) {
    Entry entry{std::move(path), std::move(record), spans, std::move(done)};
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
    std::string path;
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

  Status Write(const Entry& entry) {
    const auto append = [&](std::string_view record) {
      return groups_ ? groups_->Append(entry.path, record) : file_->Append(record);
    };
    if (compression_ == net::Compression::kNone) return append(entry.record);
    return append(net::Compress(compression_, entry.record, level_).view());
  }

  void WriteAll() {
    while (std::optional<Entry> entry = Take()) {
      Status status = Write(*entry);
      if (status.ok()) {
        sent_.Add(entry->spans);
        if (std::exchange(is_failing_, false)) status_.ReportOk();
      } else {
        send_failed_.Add(entry->spans);
        is_failing_ = true;
        status_.ReportRecoverable(status);
        status = Annotate(status, StrCat("exporter ", exporter_));
        if (IsRetryable(status)) status = WithRetryDelay(status, kRetryDelay);
      }
      std::move(entry->done)(std::move(status));
    }
  }

  void RefuseAll() {
    while (std::optional<Entry> entry = Take()) Refuse(*std::move(entry));
  }

  const std::string exporter_;
  // One of them. Of Open, then of the one task, but for PathOf.
  std::optional<RotatingFile> file_;
  std::optional<GroupedFiles> groups_;
  const net::Compression compression_;
  const int level_;
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
    : options_(options),
      drops_({{"exporter", id.ToString()}}, context.metrics, context.clock, context.signal),
      writer_(std::make_shared<Writer>(id.ToString(), options, context)) {}

FileExporter::~FileExporter() = default;

Status FileExporter::Start() {
  if (options_.create_directory) {
    const std::string first =
        options_.path.substr(0, options_.group_by.enabled ? options_.path.find('*') : std::string::npos);
    RETURN_IF_ERROR(MakeDirectories(std::filesystem::path(first).parent_path().string(), options_.DirectoryMode()));
  }
  return writer_->Open(options_.append);
}

void FileExporter::Stop(std::chrono::milliseconds) {
  writer_->Drain();
}

void FileExporter::Consume(otlp::Batch batch, Done done) {
  if (options_.group_by.enabled) return AddGroups(batch, std::move(done));
  Add(batch, "", std::move(done));
}

void FileExporter::Add(const otlp::Batch& batch, std::string path, Done done) {
  writer_->Add(std::move(path), RecordOf(batch, options_.format), batch.span_count(), std::move(done));
}

void FileExporter::AddGroups(const otlp::Batch& batch, Done done) {
  std::vector<std::pair<std::string, otlp::Batch>> parts;  // by path
  Lost lost;
  for (ResourceGroup& group : GroupByResource(batch, options_.group_by.resource_attribute)) {
    auto path = group.value ? writer_->PathOf(*group.value) : std::nullopt;
    if (path) {
      parts.emplace_back(*std::move(path), std::move(group.batch));
    } else {
      (group.value ? lost.unusable : lost.unnamed) += group.batch.span_count();
    }
  }
  // What is refused with the rest comes again, and is not lost yet.
  Done counting = [this, lost, done = std::move(done)](Status status) mutable {
    if (status.ok()) Count(lost);
    std::move(done)(std::move(status));
  };
  if (parts.empty()) return std::move(counting)(absl::OkStatus());
  std::vector<Done> dones = JoinedDone(parts.size(), std::move(counting));
  for (size_t i = 0; i < parts.size(); ++i) Add(parts[i].second, std::move(parts[i].first), std::move(dones[i]));
}

void FileExporter::Count(const Lost& lost) {
  const auto count = [this](size_t items, const Status& status) {
    if (items > 0) drops_.Count(items, status, kGroupAdvice);
  };
  count(lost.unnamed, absl::NotFoundError("resources without the attribute"));
  count(lost.unusable, absl::InvalidArgumentError("an attribute that leads to no file"));
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
