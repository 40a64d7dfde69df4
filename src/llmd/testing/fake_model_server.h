// SPDX-License-Identifier: Apache-2.0
//
// For tests: a model server that answers as it is told and keeps what it was asked.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/tls.h"

namespace spanloom::llmd {

// Listens on a free port of loopback. Thread-safe.
class FakeModelServer {
 public:
  using Answer = std::function<net::HttpResponse(const net::HttpRequest&)>;

  // Speaks TLS if `tls` is set.
  FakeModelServer(net::LoopPool& loops, Answer answer, std::optional<net::TlsServerOptions> tls = std::nullopt);
  // At a port of choice; is_up() says whether it was free.
  FakeModelServer(net::LoopPool& loops, Answer answer, uint16_t port);
  ~FakeModelServer();

  [[nodiscard]] bool is_up() const { return server_ != nullptr; }
  [[nodiscard]] uint16_t port() const;
  [[nodiscard]] std::string target() const;  // "127.0.0.1:PORT"

  // What it was asked so far, in order.
  [[nodiscard]] std::vector<net::HttpRequest> requests() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Listen(net::LoopPool& loops, Answer answer, std::optional<net::TlsServerOptions> tls, uint16_t port);

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
