// SPDX-License-Identifier: Apache-2.0
//
// The store of this process: opened before the pipelines start, closed after they have stopped.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "pipeline/exporters/spanloom_store.h"
#include "store/data_dir.h"
#include "store/memory/memory_store.h"

namespace spanloom::app {

// Thread-compatible; the store it holds is thread-safe.
class StoreHost {
 public:
  // Takes the data directory, if there is one, and reads what was kept in it. Errors: those of DataDir and of
  // ReadSnapshot. `metrics` and `clock` must outlive the host.
  static StatusOr<std::unique_ptr<StoreHost>> Open(const pipeline::SpanloomStoreOptions& options,
                                                   MetricRegistry& metrics, const Clock& clock);

  [[nodiscard]] store::SpanStore& store() { return *store_; }

  // Stores what still waits and takes no more; writes the content to the data directory, if there is one. To be called
  // once, when nothing appends any more.
  Status Close();

  // What the store keeps and what it loses, in one sentence.
  [[nodiscard]] std::string Describe() const;

 private:
  StoreHost(const store::memory::MemoryStoreOptions& options, MetricRegistry& metrics, const Clock& clock);
  [[nodiscard]] std::string SnapshotPath() const { return data_dir_->File("memory.snapshot"); }
  Status ReadBack();

  const store::memory::MemoryStoreOptions options_;
  std::optional<store::DataDir> data_dir_;
  std::unique_ptr<store::memory::MemoryStore> store_;
};

}  // namespace spanloom::app
