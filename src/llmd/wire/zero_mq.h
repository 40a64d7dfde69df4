// SPDX-License-Identifier: Apache-2.0
//
// The few calls of ZeroMQ that publishing takes, from libzmq.so.5, which is loaded when it is first asked for: who does
// not publish needs neither the library nor what it brings along
// (docs/decisions/0024-zeromq-is-loaded-when-asked-for.md). Manual: libzmq's zmq(7).

#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::llmd::wire {

enum class ZeroMqKind : int { kPublisher = 1, kRouter = 6 };  // ZMQ_PUB and so on

class ZeroMqContext;

// A socket. For one thread at a time; must not outlive its context.
class ZeroMqSocket {
 public:
  ~ZeroMqSocket();
  ZeroMqSocket(const ZeroMqSocket&) = delete;
  ZeroMqSocket& operator=(const ZeroMqSocket&) = delete;

  // Binds if `endpoint` has a wildcard or is ipc or inproc, else connects, as vLLM does. kInvalidArgument or
  // kUnavailable name it.
  Status Open(const std::string& endpoint);

  // The endpoint bound or connected, with the port that a wildcard became.
  [[nodiscard]] std::string endpoint() const;

  // Queues a message of several parts; false if it can't be queued. Does not block.
  bool Send(std::initializer_list<std::string_view> parts);

  // A message that is there, part by part; nullopt if none is. Does not block.
  std::optional<std::vector<std::string>> Receive();

 private:
  friend class ZeroMqContext;
  explicit ZeroMqSocket(void* socket) : socket_(socket) {}
  void* const socket_;
};

// Owns the library's I/O thread. Thread-safe.
class ZeroMqContext {
 public:
  // kNotFound if the library can't be loaded; says which package has it.
  static StatusOr<std::unique_ptr<ZeroMqContext>> Create();
  ~ZeroMqContext();
  ZeroMqContext(const ZeroMqContext&) = delete;
  ZeroMqContext& operator=(const ZeroMqContext&) = delete;

  // `queue_max`: messages that wait for a peer; more are dropped (ZMQ_SNDHWM).
  StatusOr<std::unique_ptr<ZeroMqSocket>> Make(ZeroMqKind kind, int queue_max);

  // Waits until `socket` (which may be null) has a message or `file` can be read, at most `timeout_ms` (-1: for ever).
  static void Wait(ZeroMqSocket* socket, int file, long timeout_ms);

 private:
  explicit ZeroMqContext(void* context) : context_(context) {}
  void* const context_;
};

}  // namespace spanloom::llmd::wire
