// SPDX-License-Identifier: Apache-2.0
//
// A store that a verb has for itself, while it runs.

#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "store/columnar/columnar_store.h"
#include "store/data_dir.h"
#include "store/disk/posix_disk.h"

namespace spanloom::cli::store {

// Owns the directory. Merges nothing by itself, and as fast as it can when it is told to. Thread-compatible.
class OwnStore {
 public:
  // `clock` must outlive it. Errors: kFailedPrecondition, which names the process that has the directory; those of
  // DataDir::Take and ColumnarStore::Open.
  static StatusOr<std::unique_ptr<OwnStore>> Open(const std::string& directory, const Clock& clock);

  [[nodiscard]] spanloom::store::columnar::ColumnarStore& store() const { return *opened_.store; }
  [[nodiscard]] const spanloom::store::columnar::ColumnarStore::Opened& opened() const { return opened_; }

  // That merges have read so far; from any thread.
  [[nodiscard]] uint64_t bytes_merged() const;

 private:
  explicit OwnStore(spanloom::store::DataDir data_dir) : data_dir_(std::move(data_dir)) {}

  spanloom::store::DataDir data_dir_;
  spanloom::store::disk::PosixDisk disk_;
  MetricRegistry metrics_;
  spanloom::store::columnar::ColumnarStore::Opened opened_;  // goes first
};

}  // namespace spanloom::cli::store
