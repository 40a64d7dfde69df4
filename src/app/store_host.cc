// SPDX-License-Identifier: Apache-2.0

#include "app/store_host.h"

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "store/memory/snapshot.h"

namespace spanloom::app {

using store::memory::MemoryStore;
using store::memory::MemoryStoreOptions;
using store::memory::SnapshotStats;

StoreHost::StoreHost(const MemoryStoreOptions& options, MetricRegistry& metrics, const Clock& clock)
    : options_(options), store_(std::make_unique<MemoryStore>(options, metrics, clock)) {}

StatusOr<std::unique_ptr<StoreHost>> StoreHost::Open(const pipeline::SpanloomStoreOptions& options,
                                                     MetricRegistry& metrics, const Clock& clock) {
  const MemoryStoreOptions memory{
      .traces_max = options.traces_max, .spans_max = options.spans_max, .bytes_max = options.bytes_max};
  RETURN_IF_ERROR(memory.Validate());
  std::unique_ptr<StoreHost> host(new StoreHost(memory, metrics, clock));
  if (!options.data_dir.empty()) {
    ASSIGN_OR_RETURN(store::DataDir data_dir, store::DataDir::Take(options.data_dir, clock));
    host->data_dir_.emplace(std::move(data_dir));
    RETURN_IF_ERROR(host->ReadBack());
  }
  return host;
}

Status StoreHost::ReadBack() {
  const StatusOr<SnapshotStats> read = store::memory::ReadSnapshot(SnapshotPath(), *store_);
  if (absl::IsNotFound(read.status())) return absl::OkStatus();
  if (!read.ok()) return read.status();
  Log(LogLevel::kInfo, "read the traces of the last stop", {{"spans", read->spans}, {"file", SnapshotPath()}});
  return absl::OkStatus();
}

Status StoreHost::Close() {
  store_->Stop();
  if (!data_dir_.has_value()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const SnapshotStats written, store::memory::WriteSnapshot(*store_, SnapshotPath()));
  Log(LogLevel::kInfo, "kept the traces for the next start", {{"spans", written.spans}, {"file", SnapshotPath()}});
  return absl::OkStatus();
}

std::string StoreHost::Describe() const {
  const std::string limits =
      StrCat("in memory, up to ", options_.traces_max, " traces or ", options_.bytes_max >> 20, " MiB; ");
  return data_dir_.has_value() ? StrCat(limits, "kept in ", data_dir_->path(), " at a clean stop")
                               : StrCat(limits, "lost when this process ends (--data-dir DIR keeps it)");
}

}  // namespace spanloom::app
