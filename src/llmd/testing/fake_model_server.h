// SPDX-License-Identifier: Apache-2.0
//
// For tests: a model server that answers as it is told and keeps what it was asked.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/server.h"

namespace spanloom::llmd {

// Listens on a free port of loopback. Thread-safe.
class FakeModelServer {
 public:
  using Answer = std::function<net::HttpResponse(const net::HttpRequest&)>;

  FakeModelServer(net::LoopPool& loops, Answer answer);
  ~FakeModelServer();

  [[nodiscard]] uint16_t port() const;
  [[nodiscard]] std::string target() const;  // "127.0.0.1:PORT"

  // What it was asked so far, in order.
  [[nodiscard]] std::vector<net::HttpRequest> requests() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  MetricRegistry metrics_;
  mutable Mutex mutex_;
  std::vector<net::HttpRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<net::Server> server_;
};

// A 200 with that JSON.
net::HttpResponse JsonAnswer(std::string_view json);
// A response with that status and text.
net::HttpResponse StatusAnswer(int status, std::string_view text);
// A 200 with those server-sent events.
net::HttpResponse EventAnswer(std::string_view events);

}  // namespace spanloom::llmd
