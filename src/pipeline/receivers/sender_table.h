// SPDX-License-Identifier: Apache-2.0
//
// Who sends: for each receiver, transport, address and program, what came from there and when it came last. Read for
// the page (docs/insight.md).

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "otlp/views.h"

namespace spanloom::pipeline {

struct SenderTableLimits {
  size_t senders_max = 256;        // those that sent last; guess: the pods of a namespace
  size_t services_max = 8;         // names kept of one sender; guess
  size_t connections_max = 64;     // told apart of one sender; guess
  size_t program_bytes_max = 128;  // of a user agent; what is longer is cut; guess
  uint32_t looks_first = 32;  // requests of a sender whose names of services are looked at, one after the other; guess
  int64_t look_ns = 1'000'000'000;  // later ones are looked at once in so long; guess
};

// What one sender sent, as it was when somebody asked.
struct SenderRow {
  std::string receiver;               // "otlp"
  std::string transport;              // "grpc", "http"
  std::string address;                // without the port; "" over a unix socket
  std::string program;                // its user agent, or ""
  std::vector<std::string> services;  // whose spans it sent, in the order in which they were seen
  uint64_t connections = 0;           // that requests came by in the last minute, the limit at most
  uint64_t spans_accepted = 0;
  uint64_t spans_refused = 0;
  int64_t first_unix_ns = 0;  // of its first request, since it is remembered
  int64_t last_unix_ns = 0;
};

struct SenderReport {
  std::vector<SenderRow> senders;   // whoever sent last first
  uint64_t forgotten = 0;           // times that a sender made room for another
  uint64_t forgotten_accepted = 0;  // spans of those
  uint64_t forgotten_refused = 0;
};

// Thread-safe: a request takes the lock once, for less than a microsecond, when it comes. Memory: some 1.5 KiB a sender
// at most, but for long names of services.
class SenderTable {
 public:
  // What counts what becomes of a sender's spans; shared with its requests under way. Thread-safe.
  class Tally;
  // The other end of a request.
  struct Peer {
    std::string_view receiver;
    std::string_view transport;
    std::string_view address;  // "address:port", or "" over a unix socket
    std::string_view program;
  };

  // `clock` must outlive it.
  explicit SenderTable(const Clock& clock, SenderTableLimits limits = {});
  ~SenderTable();

  // A request of spans has come.
  [[nodiscard]] std::shared_ptr<Tally> Arrive(const Peer& peer) ABSL_LOCKS_EXCLUDED(mutex_);
  // Whose spans it has: looked at now and then.
  void LookAt(Tally& tally, const otlp::TracesView& request) ABSL_LOCKS_EXCLUDED(mutex_);
  void CountAccepted(Tally& tally, uint64_t spans);
  void CountRefused(Tally& tally, uint64_t spans);

  [[nodiscard]] SenderReport Report() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Key = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;
  using Order = std::list<std::shared_ptr<Tally>>;  // whoever sent last first

  [[nodiscard]] bool IsLookDue(Tally& tally) const;
  void ForgetLast() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const SenderTableLimits limits_;
  std::atomic<uint64_t> accepted_ = 0;  // of all
  std::atomic<uint64_t> refused_ = 0;
  mutable Mutex mutex_;
  Order order_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Key, Order::iterator> index_ ABSL_GUARDED_BY(mutex_);  // keys are views of the tallies' texts
  uint64_t forgotten_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace spanloom::pipeline
