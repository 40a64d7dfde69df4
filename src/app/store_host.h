// SPDX-License-Identifier: Apache-2.0
//
// The store of this process: opened before the pipelines start, closed after they have stopped.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/store_control.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "pipeline/exporters/spanloom_store.h"
#include "store/columnar/columnar_store.h"
#include "store/data_dir.h"
#include "store/disk/posix_disk.h"
#include "store/memory/memory_store.h"

namespace spanloom::app {

// On disk if there is a data directory, else in memory. Thread-compatible; the store it holds is thread-safe.
class StoreHost {
 public:
  // Takes the data directory, if there is one, and opens the store in it; says in the log what was found. Errors: those
  // of DataDir and of ColumnarStore::Open. `metrics` and `clock` must outlive the host.
  static StatusOr<std::unique_ptr<StoreHost>> Open(const pipeline::SpanloomStoreOptions& options,
                                                   MetricRegistry& metrics, const Clock& clock);

  [[nodiscard]] store::SpanStore& store();

  // Lets `spanloom store` ask for a flush, a merge or a purge, if the store is on disk; else null. Null also where that
  // can't be: the log says why. The result must not outlive the host.
  [[nodiscard]] std::unique_ptr<StoreControl> ServeControl(net::LoopPool& loops, MetricRegistry& metrics);

  // Stores what still waits and takes no more. To be called once, when nothing appends any more.
  Status Close();

  // What the store keeps and what it loses, in one sentence.
  [[nodiscard]] std::string Describe() const;

  [[nodiscard]] store::RetentionPolicy retention() const;

 private:
  explicit StoreHost(const pipeline::SpanloomStoreOptions& options) : options_(options) {}
  Status OpenOnDisk(MetricRegistry& metrics, const Clock& clock);
  Status OpenInMemory(MetricRegistry& metrics, const Clock& clock);

  const pipeline::SpanloomStoreOptions options_;
  std::optional<store::DataDir> data_dir_;
  store::disk::PosixDisk disk_;
  std::unique_ptr<store::columnar::ColumnarStore> on_disk_;  // this or
  std::unique_ptr<store::memory::MemoryStore> in_memory_;    // that
};

}  // namespace spanloom::app
