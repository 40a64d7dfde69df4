// SPDX-License-Identifier: Apache-2.0
//
// The backends of the load_balancing exporter: an exporter for each endpoint, made and stopped as endpoints come and
// go, and the ring that says which of them has a span.

#pragma once

#include <absl/base/thread_annotations.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "pipeline/exporters/hash_ring.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// How long an exporter whose endpoint is gone may drain what it holds; guess.
inline constexpr std::chrono::seconds kRetirementGrace{30};

// `endpoint` with port 4317 unless it has one.
[[nodiscard]] std::string WithOtlpPort(const std::string& endpoint);

// One endpoint. Offer is thread-safe.
class Backend {
 public:
  Backend(const std::string& endpoint, std::unique_ptr<Exporter> exporter, const BuildContext& context);

  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  // Null once it is retired.
  [[nodiscard]] const std::unique_ptr<Exporter>& exporter() const { return exporter_; }

  // Counts the outcome and measures its time. Must not block.
  void Offer(otlp::Batch batch, Done done);

 private:
  friend class BackendPool;
  const std::string endpoint_;
  std::unique_ptr<Exporter> exporter_;
  const Clock& clock_;
  Histogram& latency_ms_;
  Counter& succeeded_;
  Counter& failed_;
};

// Update, Stop and the destructor are called from one thread at a time that is not a loop's; the rest is thread-safe.
class BackendPool {
 public:
  // The backends that are known at one time. Immutable. Whoever holds it keeps its backends running, so it is to be
  // held for no longer than it takes to offer a batch.
  class Table {
   public:
    Table() = default;
    Table(std::vector<std::shared_ptr<Backend>> backends, HashRing ring);
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    ~Table();

    [[nodiscard]] const HashRing& ring() const { return ring_; }
    // [endpoints of the ring]
    [[nodiscard]] const std::vector<std::shared_ptr<Backend>>& backends() const { return backends_; }

   private:
    friend class BackendPool;
    HashRing ring_;
    std::vector<std::shared_ptr<Backend>> backends_;  // shared with the pool and its tables
    // Notified once nobody holds the table; shared with the pool, which waits for it.
    std::shared_ptr<Notification> ended_ = std::make_shared<Notification>();
  };

  // Makes the exporter of "HOST:PORT", not yet started.
  using Make = std::function<std::unique_ptr<Exporter>(const std::string& endpoint)>;

  BackendPool(Make make, const BuildContext& context);
  // Stops without grace what runs.
  ~BackendPool();

  // Goes over to `resolved`: names or addresses, whose order and spelling make the ring, with or without a port.
  // Exporters that stay are left alone, new ones are started first, and those that go drain in the background. An
  // endpoint whose exporter can't be started is left out, and the first such error returned.
  Status Update(const std::vector<std::string>& resolved) ABSL_LOCKS_EXCLUDED(mutex_);

  // Never null.
  [[nodiscard]] std::shared_ptr<const Table> table() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Stops all exporters, side by side.
  void Stop(std::chrono::milliseconds grace) ABSL_LOCKS_EXCLUDED(mutex_);
  void HurryStop() ABSL_LOCKS_EXCLUDED(mutex_);

  // Of those that are stopped.
  [[nodiscard]] uint64_t undelivered_spans() const { return undelivered_spans_.load(); }

 private:
  struct Retirement;

  StatusOr<std::shared_ptr<Backend>> Find(const Table& running, const std::string& endpoint) const;
  // Returns the table before, once nobody holds it: its backends.
  std::vector<std::shared_ptr<Backend>> Replace(std::shared_ptr<const Table> next) ABSL_LOCKS_EXCLUDED(mutex_);
  void Retire(std::shared_ptr<Backend> backend, std::chrono::milliseconds grace) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the threads of those that are stopped; of all, waiting for them, if `all` is true.
  void Reap(bool all) ABSL_LOCKS_EXCLUDED(mutex_);

  const Make make_;
  const BuildContext context_;
  std::atomic<uint64_t> undelivered_spans_ = 0;
  mutable Mutex mutex_;
  std::shared_ptr<const Table> table_ ABSL_GUARDED_BY(mutex_) = std::make_shared<const Table>();
  std::vector<std::unique_ptr<Retirement>> retirements_ ABSL_GUARDED_BY(mutex_);
  bool hurried_ ABSL_GUARDED_BY(mutex_) = false;  // who retires gets no grace
};

}  // namespace spanloom::pipeline
