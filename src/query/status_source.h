// SPDX-License-Identifier: Apache-2.0
//
// How the process that answers is doing: what became of the spans it was given, what waits, what is stored. Declared
// here, known by whoever runs it all (app). /api/insight/status asks it. Format: docs/insight.md.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/retention.h"
#include "store/span_store.h"

namespace spanloom::query {

// Spans that one component has counted, over all of its transports and pipelines.
struct SpanCount {
  std::string part = {};   // "receiver", "processor", "connector", "exporter", "pipeline"
  std::string id = {};     // of the component: "otlp_grpc/jaeger"
  std::string event = {};  // what became of them; docs/insight.md has each
  std::string cause = {};  // of a loss; "" otherwise
  uint64_t spans = 0;      // since the start; of those that wait: now
};

// Requests in the sending queue of an exporter, as its sizer counts them.
struct QueueState {
  std::string exporter = {};
  uint64_t size = 0;
  uint64_t capacity = 0;
};

// Whoever sends spans: a program at an address, by one transport of a receiver.
struct Sender {
  std::string receiver = {};
  std::string transport = {};              // "grpc", "http"
  std::string address = {};                // without the port; "" over a unix socket
  std::string program = {};                // its user agent, or ""
  std::vector<std::string> services = {};  // whose spans it sent; some of them
  uint64_t connections = 0;                // that requests came by in the last minute
  uint64_t spans_accepted = 0;
  uint64_t spans_refused = 0;
  int64_t first_unix_ns = 0;
  int64_t last_unix_ns = 0;
};

struct SenderState {
  std::vector<Sender> senders = {};  // whoever sent last first; bounded
  uint64_t forgotten = 0;            // times that a sender made room for another
  uint64_t forgotten_accepted = 0;   // spans of those
  uint64_t forgotten_refused = 0;
};

struct StoreState {
  std::string kept = {};  // where and until when, in one sentence
  store::StoreStats stats = {};
  std::optional<uint64_t> segments = std::nullopt;  // files; absent in memory
  store::RetentionPolicy retention = {};
};

struct StatusReport {
  int64_t now_unix_ns = 0;
  int64_t started_unix_ns = 0;
  std::string version = {};
  std::vector<SpanCount> counts = {};  // by part in the order of a span's way, then by id, event and cause
  std::vector<QueueState> queues = {};
  SenderState senders = {};
  StoreState store = {};
};

// Thread-safe.
class StatusSource {
 public:
  virtual ~StatusSource() = default;

  // Reads counters; does not block on a disk. Not to be called on a loop: it takes up to some milliseconds.
  [[nodiscard]] virtual StatusReport Status() const = 0;
};

}  // namespace spanloom::query
