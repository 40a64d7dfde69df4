// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/file_storage.h"

#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "base/text.h"
#include "store/disk/posix_disk.h"

namespace spanloom::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLockStep{50};  // between two looks at a directory that another has; guess
constexpr std::string_view kNoEffect = " Files here go when what is in them was delivered, whatever this says.";

constexpr ComponentDoc kDoc = {
    .words =
        "Keeps what waits in sending queues in a directory, so that it outlives the process: exporters name it as "
        "sending_queue.storage, and are answered for when their requests are in its files. What was not delivered is "
        "sent first after the next start, at least once. With fsync, a loss of power loses nothing either; requests "
        "that "
        "come together are forced together.",
    .example = R"(extensions:
  file_storage:
    directory: queue
    create_directory: true
exporters:
  otlp_grpc/jaeger:
    endpoint: jaeger-collector:4317
    tls:
      insecure: true
    sending_queue:
      storage: file_storage
service:
  extensions: [file_storage]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp_grpc/jaeger]
)",
};

std::shared_ptr<const QueueStorage> StorageOf(const FileStorageOptions& options) {
  auto storage = std::make_shared<QueueStorage>();
  storage->disk = std::make_shared<store::disk::PosixDisk>();
  storage->directory = options.directory;
  storage->forces = options.fsync;
  return storage;
}

}  // namespace

void FileStorageCompactionOptions::Declare(config::OptionsReader& r) {
  const auto words = [](std::string_view what) { return StrCat(what, kNoEffect); };
  r.Field("on_start", on_start, words("Whether to compact at the start."));
  r.Field("on_rebound", on_rebound, words("Whether to compact when much was delivered."));
  r.Field("directory", directory, words("Where to compact."));
  r.Field("rebound_needed_threshold_mib", rebound_needed_threshold_mib, words("When to think of it."),
          {.min = 0, .unit = "MiB"});
  r.Field("rebound_trigger_threshold_mib", rebound_trigger_threshold_mib, words("When to begin."),
          {.min = 0, .unit = "MiB"});
  r.Field("max_transaction_size", max_transaction_size, words("How much at once."), {.min = 0, .unit = "items"});
  r.Field("check_interval", check_interval, words("How often to look."));
  r.Field("cleanup_on_start", cleanup_on_start, words("Whether to remove what a compaction left behind."));
}

void FileStorageOptions::Declare(config::OptionsReader& r) {
  r.Field("directory", directory, "The directory; its own of this process.");
  r.Field("timeout", timeout, "How long to wait for another process that has the directory.");
  r.Field("fsync", fsync, "Whether requests are forced to the device before their senders are answered.");
  r.Field("create_directory", create_directory, "Whether the directory is made if it is not there.");
  r.Field("directory_permissions", directory_permissions, "Mode of a directory that is made, octal.");
  r.Field("compaction", compaction, "What the Collector's file format needs, and this one does not.");
}

Status FileStorageOptions::Validate() const {
  if (directory.empty()) return absl::InvalidArgumentError("directory must be non-empty");
  if (directory_permissions == "0750" || directory_permissions == "750") return absl::OkStatus();
  return absl::InvalidArgumentError("directory_permissions: only 0750 is supported: make the directory beforehand");
}

FileStorageExtension::FileStorageExtension(FileStorageOptions options, const BuildContext& context)
    : options_(std::move(options)), clock_(context.clock), storage_(StorageOf(options_)) {}

Status FileStorageExtension::Take() {
  const int64_t deadline_ns = clock_.SteadyNs() + options_.timeout.count();
  while (true) {
    StatusOr<store::DataDir> taken = store::DataDir::Take(options_.directory, clock_);
    if (taken.ok()) {
      directory_.emplace(*std::move(taken));
      return absl::OkStatus();
    }
    if (!absl::IsFailedPrecondition(taken.status()) || clock_.SteadyNs() >= deadline_ns) return taken.status();
    std::this_thread::sleep_for(kLockStep);
  }
}

Status FileStorageExtension::Start() {
  std::error_code error;
  if (!options_.create_directory && !fs::is_directory(options_.directory, error)) {
    return absl::FailedPreconditionError(
        StrCat("directory must exist: ", options_.directory, ": make it, or write create_directory: true"));
  }
  return Take();
}

void FileStorageExtension::Stop(std::chrono::milliseconds) {
  directory_.reset();
}

std::vector<std::string> FileStorageExtension::claims() const {
  return {StrCat("directory:", options_.directory)};
}

void RegisterFileStorageExtension(Registry& registry) {
  registry.extensions.Add<FileStorageOptions>(
      "file_storage", kDoc, [](const ComponentId&, FileStorageOptions options, const BuildContext& context) {
        return std::make_unique<FileStorageExtension>(std::move(options), context);
      });
}

}  // namespace spanloom::pipeline
