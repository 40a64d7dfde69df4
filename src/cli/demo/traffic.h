// SPDX-License-Identifier: Apache-2.0
//
// Live traffic: chat completions that arrive as if many people sent them, each streamed to its end.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "base/status.h"
#include "cli/tracegen/latency_histogram.h"
#include "net/client.h"
#include "net/loop.h"

namespace spanloom::cli::demo {

struct TrafficOptions {
  std::vector<std::string> proxies = {};   // "host:port", of which each request takes one; not empty
  std::vector<std::string> prefills = {};  // what x-prefiller-host-port says, one of them
  std::string model = {};
  double rate = 1;  // requests a second, Poisson
  uint64_t seed = 1;
};

struct TrafficStats {
  uint64_t sent = 0;
  uint64_t answered = 0;  // whole, with status 200
  uint64_t failed = 0;
  int64_t ttft_p50_ns = 0;  // from the request to the first byte of its answer's body
  int64_t ttft_p99_ns = 0;
  std::string last_problem;  // "" if there was none
};

// One request: what is sent, drawn from `rng`. A few conversations share their beginnings, so that prefix caches have
// something to find. One in eight is decoded where it arrives, without a prefill pod.
net::HttpRequest DrawRequest(const TrafficOptions& options, Rng& rng);

// Create, Stop and the destructor on a thread that is no loop's; stats is thread-safe. At most 1,000 requests are under
// way; beyond, arrivals are left out and count as failed.
class Traffic {
 public:
  // kInvalidArgument if a proxy is no endpoint. `loop` and `clock` must outlive it.
  static StatusOr<std::unique_ptr<Traffic>> Start(net::Loop& loop, const Clock& clock, TrafficOptions options);
  // Ends it, requests under way included.
  ~Traffic();

  [[nodiscard]] TrafficStats stats() const;

 private:
  class State;
  explicit Traffic(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with what is posted to the loop
};

}  // namespace spanloom::cli::demo
