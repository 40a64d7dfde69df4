// SPDX-License-Identifier: Apache-2.0
//
// For tests of what works beside a running store: one on the machine's disk, whose files change all the time.

#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "store/columnar/columnar_store.h"
#include "store/disk/posix_disk.h"
#include "store/disk/temporary_directory.h"

namespace spanloom::store::columnar {

// Small segments and merges, so that both are frequent. Thread-compatible.
class LiveStore {
 public:
  LiveStore() : directory_(disk::TemporaryDirectory::Make().value()) { Open(); }
  ~LiveStore() { Stop(); }
  LiveStore(const LiveStore&) = delete;
  LiveStore& operator=(const LiveStore&) = delete;

  [[nodiscard]] ColumnarStore& store() { return *opened_->store; }
  [[nodiscard]] std::string path() const { return directory_.path() + "/data"; }
  // Beside the store's directory.
  [[nodiscard]] std::string PathBeside(const std::string& name) const { return directory_.path() + "/" + name; }
  [[nodiscard]] disk::PosixDisk& disk() { return disk_; }
  [[nodiscard]] const Clock& clock() const { return Clock::System(); }

  // Flushes and merges on a thread of its own until Rest().
  void Churn() {
    is_churning_ = true;
    churn_ = std::thread([this] {
      while (is_churning_) {
        CHECK(store().Flush().ok());
        CHECK(store().Compact().ok());
      }
    });
  }
  void Rest() {
    is_churning_ = false;
    if (churn_.joinable()) churn_.join();
  }

  // Ends the store; its files stay until this ends.
  void Stop() {
    Rest();
    opened_ = nullptr;
  }

 private:
  void Open() {
    CHECK(disk_.CreateDirectory(path()).ok());
    auto opened = ColumnarStore::Open({.directory = path(), .compaction = {.sources_min = 2, .growth = 1}}, disk_,
                                      metrics_, clock());
    CHECK(opened.ok());
    opened_ = std::make_unique<ColumnarStore::Opened>(*std::move(opened));
  }

  disk::TemporaryDirectory directory_;
  disk::PosixDisk disk_;
  MetricRegistry metrics_;
  std::unique_ptr<ColumnarStore::Opened> opened_;
  std::atomic<bool> is_churning_ = false;
  std::thread churn_;
};

}  // namespace spanloom::store::columnar
