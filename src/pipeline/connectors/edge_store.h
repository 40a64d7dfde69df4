// SPDX-License-Identifier: Apache-2.0
//
// Requests between services of which one half has come: the client's span or the server's. The other half completes
// them, or their time runs out.

#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "otlp/ids.h"

namespace spanloom::pipeline {

struct Edge {
  std::string client = {};  // services; "" while that half is missing
  std::string server = {};
  std::string_view connection = "";    // "", "messaging_system", "database", "virtual_node"
  std::string_view virtual_node = "";  // which end is one: "", "client", "server"
  std::string peer = {};               // what the client calls the other end; "" if it does not
  double client_seconds = 0;
  double server_seconds = 0;
  bool is_failed = false;
  std::vector<std::pair<std::string, std::string>> dimensions = {};  // "client_region", "eu"

  [[nodiscard]] bool is_complete() const { return !client.empty() && !server.empty(); }
};

// Thread-compatible.
class EdgeStore {
 public:
  // The trace, and the client's span, which is the server's parent.
  using Key = std::pair<otlp::TraceId, otlp::SpanId>;
  using OnEdge = absl::FunctionRef<void(const Key& key, Edge& edge)>;

  EdgeStore(size_t size_max, std::chrono::nanoseconds ttl) : size_max_(size_max), ttl_ns_(ttl.count()) {}

  enum class Result { kNew, kKnown, kFull };
  // Lets `update` add its half to the edge of `key`. If it is complete then, `complete` is given it and it is
  // forgotten. kFull: nothing happened, since there are as many as may be; the caller has expired what it could.
  Result Update(const Key& key, int64_t now_ns, absl::FunctionRef<void(Edge&)> update, OnEdge complete);

  // Gives those whose time has run out to `expire`, and forgets them.
  void Expire(int64_t now_ns, OnEdge expire);

  [[nodiscard]] size_t size() const { return edges_.size(); }
  [[nodiscard]] bool is_full() const { return edges_.size() >= size_max_; }

 private:
  struct Waiting {
    Edge edge;
    uint64_t number = 0;  // tells one from another of the same key
  };
  struct Deadline {
    Key key;
    uint64_t number = 0;
    int64_t at_ns = 0;
  };

  const size_t size_max_;
  const int64_t ttl_ns_;
  absl::flat_hash_map<Key, Waiting> edges_;
  std::deque<Deadline> deadlines_;  // in order; also of edges that are gone
  uint64_t last_number_ = 0;
};

}  // namespace spanloom::pipeline
