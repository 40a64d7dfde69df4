// SPDX-License-Identifier: Apache-2.0
//
// What the connections of a server share, whatever they speak: the server's options, their place among the loop's
// connections, and how they are told to end.

#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "base/rng.h"
#include "net/detail/held_bytes.h"
#include "net/detail/refusals.h"
#include "net/detail/tls_credentials.h"
#include "net/loop.h"
#include "net/server.h"

namespace spanloom::net {

// The parts of a server that its connections use. Immutable but for the atomic and thread-safe members.
struct ServerContext {
  ServerContext(LoopPool& server_loops, MetricRegistry& metrics, ServerOptions server_options)
      : loops(server_loops),
        options(std::move(server_options)),
        refusals(metrics, options.name),
        budget(std::make_shared<ByteBudget>(options.limits.held_bytes_max)) {}

  LoopPool& loops;
  const ServerOptions options;
  Refusals refusals;
  const std::shared_ptr<ByteBudget> budget;  // shared with requests, which may outlive the server
  std::unique_ptr<TlsCredentials> tls;       // null: cleartext; set before the first connection
  std::atomic<size_t> connections = 0;       // over all loops

  // In [0, 1), for each new connection another one.
  [[nodiscard]] double NextJitter() {
    const MutexLock lock(jitter_mutex_);
    return jitter_.Unit();
  }

 private:
  Mutex jitter_mutex_;
  Rng jitter_ ABSL_GUARDED_BY(jitter_mutex_){Rng::SystemSeed()};
};

// A place among a server's connections; gives it back when destroyed. Moved from hand to hand as a connection finds its
// protocol.
class ConnectionSlot {
 public:
  // Takes a place. The caller checks the limit.
  explicit ConnectionSlot(std::shared_ptr<ServerContext> context) : context_(std::move(context)) {
    context_->connections.fetch_add(1, std::memory_order_relaxed);
  }
  ConnectionSlot(ConnectionSlot&&) noexcept = default;
  ConnectionSlot& operator=(ConnectionSlot&&) = delete;
  ~ConnectionSlot() {
    if (context_ != nullptr) context_->connections.fetch_sub(1, std::memory_order_relaxed);
  }
  [[nodiscard]] ServerContext& context() const { return *context_; }
  [[nodiscard]] const std::shared_ptr<ServerContext>& shared_context() const { return context_; }

 private:
  std::shared_ptr<ServerContext> context_;  // shared by all connections of the server
};

// One accepted connection. Sequence-bound: its loop.
class ServerConnection {
 public:
  virtual ~ServerConnection() = default;

  // Takes no further request; ends once those under way are answered.
  virtual void Drain() = 0;

  // Closes the socket now; no handler is called afterwards. Returns how many requests were cut off.
  virtual size_t Close() = 0;
};

// The connections of one server on one loop. Sequence-bound: the loop.
class ConnectionSet {
 public:
  void Add(std::shared_ptr<ServerConnection> connection);

  // Called by a connection when its socket is closed, from its own coroutine, which keeps it alive.
  void Remove(ServerConnection& connection);

  // Drains all, now and those added later; `done` runs when none is left, perhaps from inside.
  void Drain(Task done);

  // Closes all. Returns how many requests were cut off.
  size_t CloseAll();

 private:
  absl::flat_hash_map<ServerConnection*, std::shared_ptr<ServerConnection>>
      connections_;  // shared with their coroutines
  Task drained_;
  bool draining_ = false;
};

}  // namespace spanloom::net
