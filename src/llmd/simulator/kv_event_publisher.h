// SPDX-License-Identifier: Apache-2.0
//
// Publishes what the KV cache holds over ZeroMQ, as vLLM does: a PUB socket with the parts topic, sequence number (8
// bytes, big-endian, from 0) and batch, and a ROUTER socket where what was published can be asked for again.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "llmd/simulator/block_pool.h"
#include "llmd/wire/kv_event.h"
#include "llmd/wire/zero_mq.h"

namespace spanloom::llmd::simulator {

// Names and defaults are vLLM's (--kv-events-config) and llm-d-inference-sim's.
struct KvEventOptions {
  std::string endpoint = {};         // "": nothing is published
  std::string replay_endpoint = {};  // "": nothing can be asked for again
  std::string topic = {};
  uint64_t rank = 0;  // of data parallelism: told in every batch
  wire::KvEventForm form = wire::KvEventForm::kList;
  size_t batch_events = 16;                          // --event-batch-size
  std::chrono::milliseconds batch_delay_max{1'000};  // from an event to its batch
  size_t waiting_events_max = 100'000;               // max_queue_size; more are dropped
  size_t kept_batches = 10'000;                      // buffer_steps, for whoever asks again
  int send_queue_max = 100'000;                      // hwm, batches that wait for a subscriber
};

// Thread-safe. Has a thread of its own, which alone touches the sockets. Counts spanloom_kv_events_published and
// spanloom_kv_events_dropped; what ZeroMQ drops for a slow subscriber is seen by a gap in its sequence numbers alone.
class KvEventPublisher final : public KvEventSink {
 public:
  // Errors: those of ZeroMqContext::Create and ZeroMqSocket::Open. `clock` and `metrics` must outlive it.
  static StatusOr<std::unique_ptr<KvEventPublisher>> Create(const KvEventOptions& options, const Clock& clock,
                                                            MetricRegistry& metrics);
  // Publishes what waits.
  ~KvEventPublisher() override;

  void Take(wire::KvEvent event) override ABSL_LOCKS_EXCLUDED(mutex_);

  // As bound, with the ports that wildcards became.
  [[nodiscard]] const std::string& endpoint() const { return endpoint_; }
  [[nodiscard]] const std::string& replay_endpoint() const { return replay_endpoint_; }

 private:
  KvEventPublisher(const KvEventOptions& options, const Clock& clock, MetricRegistry& metrics);
  Status Open();
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Wake() const;
  std::vector<wire::KvEvent> TakeBatch(int64_t now_ns, bool is_last) ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] long WaitMs(int64_t now_ns) ABSL_LOCKS_EXCLUDED(mutex_);
  void Publish(const std::vector<wire::KvEvent>& events);
  void AnswerReplays();
  void Replay(const std::string& peer, uint64_t first);

  const KvEventOptions options_;
  const Clock& clock_;
  Counter& published_;
  Counter& dropped_;
  int wake_file_ = -1;  // an eventfd
  std::string endpoint_;
  std::string replay_endpoint_;

  Mutex mutex_;
  std::deque<wire::KvEvent> waiting_ ABSL_GUARDED_BY(mutex_);
  int64_t oldest_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // when the first of those came
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;

  // The thread's.
  std::unique_ptr<wire::ZeroMqContext> context_;
  std::unique_ptr<wire::ZeroMqSocket> publisher_;
  std::unique_ptr<wire::ZeroMqSocket> replays_;  // null: none
  uint64_t next_sequence_ = 0;
  std::deque<std::pair<uint64_t, std::string>> kept_;  // sequence number and batch
  std::thread thread_;
};

}  // namespace spanloom::llmd::simulator
