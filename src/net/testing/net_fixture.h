// SPDX-License-Identifier: Apache-2.0
//
// What the tests of net/ share: a server with an echo method in this process, a client that speaks raw bytes, and
// waiting with a deadline instead of sleeping.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_chain.h"
#include "base/check.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "base/status.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/loop_call.h"
#include "net/server.h"

namespace spanloom::net {

inline constexpr std::chrono::seconds kPatience{20};  // far more than anything here takes
inline constexpr char kEchoMethod[] = "/test.Echo/Echo";

// A value that another thread will bring. Thread-safe. Shared, so that a late answer finds it.
template <typename T>
class Promise {
 public:
  void Set(T value) const {
    const MutexLock lock(state_->mutex);
    state_->value.emplace(std::move(value));
  }
  [[nodiscard]] bool is_set() const {
    const MutexLock lock(state_->mutex);
    return state_->value.has_value();
  }
  // The value; stops the test process if it does not come.
  [[nodiscard]] T Get() const {
    const MutexLock lock(state_->mutex);
    CHECK(state_->mutex.AwaitFor([this] { return state_->value.has_value(); }, kPatience));
    return std::move(*state_->value);
  }

 private:
  struct State {
    Mutex mutex;
    std::optional<T> value ABSL_GUARDED_BY(mutex);
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Options of a server on a free port of loopback, whose gRPC method and HTTP handler answer with what they got.
ServerOptions EchoOptions();

// Starts a server; stops the test process if that fails.
std::unique_ptr<Server> StartServer(LoopPool& loops, MetricRegistry& metrics, ServerOptions options);

// A channel that may be used from the test's thread.
class TestChannel {
 public:
  TestChannel(Loop& loop, GrpcChannelOptions options);
  ~TestChannel();

  // Starts a call.
  Promise<StatusOr<Bytes>> Start(std::string method, ByteChain message, GrpcCallOptions options = {});
  Promise<StatusOr<Bytes>> Start(std::string method, Bytes message, GrpcCallOptions options = {}) {
    return Start(std::move(method), ByteChain(std::move(message)), std::move(options));
  }

  // Starts a call that must not be answered; returns its id.
  uint64_t StartCancellable();
  void Cancel(uint64_t call_id);

  // Makes a call and waits for its answer.
  StatusOr<Bytes> Call(std::string method, ByteChain message, GrpcCallOptions options = {}) {
    return Start(std::move(method), std::move(message), std::move(options)).Get();
  }
  StatusOr<Bytes> Call(std::string method, Bytes message, GrpcCallOptions options = {}) {
    return Call(std::move(method), ByteChain(std::move(message)), std::move(options));
  }

 private:
  Loop& loop_;
  std::unique_ptr<GrpcChannel> channel_;
};

// A TCP connection that sends and receives what it is told. Blocking; reads and writes fail after kPatience.
class RawPeer {
 public:
  // Connects to a port of loopback.
  explicit RawPeer(uint16_t port);
  // Takes over a socket that was accepted.
  struct Accepted {
    int socket;
  };
  explicit RawPeer(Accepted accepted);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  // False if the peer is gone.
  bool Send(std::string_view bytes);

  // Reads until what was read contains `mark`, or the peer closes. Returns all that was read since the last call.
  std::string ReadUntil(std::string_view mark);

  // Reads until the peer closes.
  std::string ReadAll();

  // Reads exactly `bytes`, or fewer if the peer closes.
  std::string Read(size_t bytes);

  // One HTTP/1.1 response: its head and as much body as it declares.
  std::string ReadResponse();

 private:
  void SetPatience() const;
  bool ReadSome();

  int socket_;
  std::string received_;  // and not yet returned
};

// A listening socket on loopback whose connections the test answers by hand.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;

  [[nodiscard]] std::string endpoint() const;

  // Waits for a connection.
  [[nodiscard]] std::unique_ptr<RawPeer> Accept() const;
  // The same, as a socket that the caller closes.
  [[nodiscard]] int AcceptSocket() const;

 private:
  int socket_;
  uint16_t port_ = 0;
};

// Waits until `condition` holds, looking again and again; false if it does not within kPatience.
bool Eventually(const std::function<bool()>& condition);

// Bytes that no coding makes much smaller, and that differ by `seed`.
std::string RandomBytes(size_t bytes, uint64_t seed);

// The same text over and over: deflates well.
std::string Repetitive(size_t bytes);

}  // namespace spanloom::net
