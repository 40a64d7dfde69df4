// SPDX-License-Identifier: Apache-2.0
//
// Delivers export requests, a bounded number at a time, and keeps the account of what became of each. A refusal that
// OTLP calls retryable is sent again after the delay that the receiver asked for, or after a back-off.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "cli/tracegen/delivery_stats.h"
#include "cli/tracegen/trace_batcher.h"
#include "cli/tracegen/transport.h"
#include "net/compression.h"
#include "net/loop.h"

namespace spanloom::cli::tracegen {

struct SenderOptions {
  size_t concurrency = 4;  // requests between Submit and their last answer, waits for another try included
  int retries_max = 5;     // after the first attempt
  std::chrono::milliseconds backoff_first{500};  // doubles with each try; jittered by a fifth
  std::chrono::milliseconds backoff_max{8'000};
  std::chrono::milliseconds asked_delay_max{60'000};  // a receiver that asks for more is asked again after this
  net::Compression compression = net::Compression::kNone;
  uint64_t seed = 0;  // of the jitter
};

// Submit, Drain, stats and last_problem are thread-safe. The constructor and the destructor are called from a thread
// that is not the loop's.
class Sender {
 public:
  using TransportFactory = std::function<StatusOr<std::unique_ptr<Transport>>(net::Loop&)>;

  // Makes the transport on `loop`; its error is returned. Once `stop` is requested, nothing new is sent: Submit
  // refuses, and waits for another try end as abandoned. `loop` and `clock` must outlive the sender.
  static StatusOr<std::unique_ptr<Sender>> Create(net::Loop& loop, const Clock& clock, SenderOptions options,
                                                  std::stop_token stop, const TransportFactory& make_transport);

  // Drains.
  ~Sender();

  // Compresses and sends `request` as soon as a place is free; blocks until then. False if the run was stopped instead:
  // then the request was not sent and is not in the account.
  [[nodiscard]] bool Submit(ExportRequest request) ABSL_LOCKS_EXCLUDED(mutex_);

  // Blocks until every submitted request has got its last answer.
  void Drain() ABSL_LOCKS_EXCLUDED(mutex_);

  [[nodiscard]] DeliveryStats stats() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The latest answer that was not an acknowledgement, as "CODE: message"; "" if there was none.
  [[nodiscard]] std::string last_problem() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Delivery {
    Bytes body;
    uint64_t spans = 0;
    int attempts = 0;
    int64_t started_ns = 0;          // steady clock; of the attempt under way
    ExportAnswer last_answer;        // meaningful while it waits
    std::optional<net::Timer> wait;  // for another try
  };

  Sender(net::Loop& loop, const Clock& clock, SenderOptions options);

  void BeginStop() ABSL_LOCKS_EXCLUDED(mutex_);

  // The following run on the loop.
  void Attempt(uint64_t id);
  void OnAnswer(uint64_t id, ExportAnswer answer) ABSL_LOCKS_EXCLUDED(mutex_);
  void WaitForAnotherTry(uint64_t id, ExportAnswer answer);
  void AbandonWaits();
  void Finish(uint64_t id, const ExportAnswer& answer) ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] bool MayTryAgain(const Delivery& delivery, const ExportAnswer& answer) const;
  [[nodiscard]] std::chrono::nanoseconds DelayBefore(int attempt, const Status& status);

  [[nodiscard]] bool HasPlaceOrStops() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return is_stopping_ || in_flight_ < options_.concurrency;
  }
  [[nodiscard]] bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return in_flight_ == 0; }

  net::Loop& loop_;
  const Clock& clock_;
  const SenderOptions options_;

  // Bound to the loop.
  std::unique_ptr<Transport> transport_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Delivery>> deliveries_;
  Rng rng_;
  bool abandons_waits_ = false;

  mutable Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  DeliveryStats stats_ ABSL_GUARDED_BY(mutex_);
  std::string last_problem_ ABSL_GUARDED_BY(mutex_);

  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace spanloom::cli::tracegen
