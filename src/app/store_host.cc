// SPDX-License-Identifier: Apache-2.0

#include "app/store_host.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace spanloom::app {
namespace {

using store::columnar::ColumnarStore;
using store::columnar::ColumnarStoreOptions;
using store::columnar::SyncMode;
using store::memory::MemoryStore;
using store::memory::MemoryStoreOptions;

constexpr std::string_view kOldSnapshot = "memory.snapshot";  // what stores in memory once left behind

SyncMode SyncModeOf(pipeline::StoreDiskOptions::Sync sync) {
  switch (sync) {
    case pipeline::StoreDiskOptions::Sync::kInterval:
      return SyncMode::kInterval;
    case pipeline::StoreDiskOptions::Sync::kNever:
      return SyncMode::kNever;
    default:
      return SyncMode::kAlways;
  }
}

ColumnarStoreOptions DiskOptions(const pipeline::SpanloomStoreOptions& options) {
  const pipeline::StoreDiskOptions disk = options.disk.value_or(pipeline::StoreDiskOptions());
  return {.directory = options.data_dir,
          .sync = SyncModeOf(disk.sync),
          .sync_interval = std::chrono::duration_cast<std::chrono::milliseconds>(disk.sync_interval),
          .head_bytes = disk.head_bytes,
          .head_bytes_max = 2 * disk.head_bytes};
}

store::RetentionPolicy RetentionOf(const pipeline::StoreRetentionOptions& options) {
  store::RetentionPolicy policy;
  if (options.age_max.count() > 0) policy.age_max_ns = static_cast<uint64_t>(options.age_max.count());
  if (options.bytes_max > 0) policy.bytes_max = options.bytes_max;
  return policy;
}

// What was found in the log that can't be had any more.
void SayDamage(const store::log::RecoveryReport& report) {
  for (const auto& damage : report.damaged) {
    Log(LogLevel::kError, "a file of the log is damaged; what is before the damage was read",
        {{"file", damage.file}, {"why", damage.why}, {"kept_as", damage.kept_as}});
  }
  for (const auto& lost : report.lost) {
    Log(LogLevel::kError, "frames of the log that were safe once are gone",
        {{"first", lost.first_sequence}, {"last", lost.last_sequence}});
  }
}

}  // namespace

StatusOr<std::unique_ptr<StoreHost>> StoreHost::Open(const pipeline::SpanloomStoreOptions& options,
                                                     MetricRegistry& metrics, const Clock& clock) {
  std::unique_ptr<StoreHost> host(new StoreHost(options));
  RETURN_IF_ERROR(options.data_dir.empty() ? host->OpenInMemory(metrics, clock) : host->OpenOnDisk(metrics, clock));
  RETURN_IF_ERROR(host->store().SetRetention(host->retention()).status());
  return host;
}

Status StoreHost::OpenInMemory(MetricRegistry& metrics, const Clock& clock) {
  const MemoryStoreOptions memory{
      .traces_max = options_.traces_max, .spans_max = options_.spans_max, .bytes_max = options_.bytes_max};
  RETURN_IF_ERROR(memory.Validate());
  in_memory_ = std::make_unique<MemoryStore>(memory, metrics, clock);
  return absl::OkStatus();
}

Status StoreHost::OpenOnDisk(MetricRegistry& metrics, const Clock& clock) {
  ASSIGN_OR_RETURN(store::DataDir data_dir, store::DataDir::Take(options_.data_dir, clock));
  data_dir_.emplace(std::move(data_dir));
  ASSIGN_OR_RETURN(const bool has_snapshot, disk_.Exists(data_dir_->File(kOldSnapshot)));
  if (has_snapshot) {
    return absl::FailedPreconditionError(StrCat(data_dir_->File(kOldSnapshot),
                                                ": written by an earlier version, which this one does not read; move "
                                                "it away, or name another directory"));
  }
  const int64_t begin_ns = clock.SteadyNs();
  ASSIGN_OR_RETURN(ColumnarStore::Opened opened, ColumnarStore::Open(DiskOptions(options_), disk_, metrics, clock));
  on_disk_ = std::move(opened.store);
  SayDamage(opened.log);
  const store::StoreStats stats = on_disk_->Stats();
  Log(LogLevel::kInfo, "opened the store",
      {{"directory", options_.data_dir},
       {"traces", stats.traces},
       {"spans", stats.spans},
       {"segments", opened.segments},
       {"damaged_segments", opened.damaged_segments.size()},
       {"frames_read", opened.log.frames},
       {"tail_bytes", opened.log.tail_bytes},
       {"took_ms", (clock.SteadyNs() - begin_ns) / 1'000'000}});
  return absl::OkStatus();
}

store::SpanStore& StoreHost::store() {
  if (on_disk_ != nullptr) return *on_disk_;
  return *in_memory_;
}

std::unique_ptr<StoreControl> StoreHost::ServeControl(net::LoopPool& loops, MetricRegistry& metrics) {
  if (on_disk_ == nullptr) return nullptr;
  auto control = StoreControl::Serve(loops, metrics, options_.data_dir, *on_disk_);
  if (control.ok()) return *std::move(control);
  Log(LogLevel::kWarn, "`spanloom store flush`, `compact` and `purge` can't reach this process",
      {{"why", control.status().message()}});
  return nullptr;
}

Status StoreHost::Close() {
  if (on_disk_ != nullptr) return on_disk_->Stop();
  in_memory_->Stop();
  return absl::OkStatus();
}

store::RetentionPolicy StoreHost::retention() const {
  return RetentionOf(options_.retention);
}

std::string StoreHost::Describe() const {
  if (on_disk_ != nullptr) return StrCat("on disk, in ", options_.data_dir);
  return StrCat("in memory, up to ", options_.traces_max, " traces or ", options_.bytes_max >> 20,
                " MiB; lost when this process ends");
}

}  // namespace spanloom::app
