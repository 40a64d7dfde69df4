// SPDX-License-Identifier: Apache-2.0
//
// Clients for what we export to: unary gRPC over one HTTP/2 connection, and HTTP/1.1 POST over kept-alive connections.
// In cleartext or over TLS. A lost connection is made again at the next call, after a back-off that is jittered and
// doubles from 1 s to 120 s (gRPC's connection-backoff.md); calls in between fail with kUnavailable and the reason.

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "net/compression.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"

namespace spanloom::net {

struct GrpcChannelOptions {
  std::string endpoint;                 // "host:port", "unix:/path" or "unix-abstract:name"
  std::optional<TlsClientOptions> tls;  // unset: cleartext
  std::string user_agent;               // sent first in user-agent
  size_t calls_max = 100;  // calls under way; a further one fails with kResourceExhausted. The peer's limit applies too
  size_t message_bytes_max = 4 << 20;  // of an answer
};

struct GrpcCallOptions {
  std::chrono::milliseconds deadline{5'000};  // from the call to its answer; sent as grpc-timeout
  HttpHeaders metadata;
  Compression message_compression = Compression::kNone;  // how `message` is already compressed
};

// Bound to one loop: every call and every callback is on it. Destroying it fails what is under way with kCancelled.
class GrpcChannel {
 public:
  // Connects at the first call. kInvalidArgument if `endpoint` has no port, or for TLS options and files that
  // can't be used; reads the files, which blocks.
  static StatusOr<std::unique_ptr<GrpcChannel>> Create(Loop& loop, GrpcChannelOptions options);
  ~GrpcChannel();

  // `done` is called once, on the loop, never from inside Call. An error of the peer keeps its code, message and retry
  // delay.
  void Call(std::string method, Bytes message, GrpcCallOptions options, absl::AnyInvocable<void(StatusOr<Bytes>)> done);

 private:
  class State;
  explicit GrpcChannel(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the coroutines of its connection
};

struct HttpClientOptions {
  std::string endpoint;                 // "host:port", "unix:/path" or "unix-abstract:name"
  std::optional<TlsClientOptions> tls;  // unset: cleartext
  size_t connections_max = 16;          // kept alive; requests beyond wait in order
  size_t body_bytes_max = 4 << 20;      // of an answer
};

// HTTP/1.1 requests over a few kept-alive connections. Bound to one loop, like GrpcChannel.
class HttpClient {
 public:
  static StatusOr<std::unique_ptr<HttpClient>> Create(Loop& loop, HttpClientOptions options);
  ~HttpClient();

  // Errors: kUnavailable (no connection, or lost), kDeadlineExceeded, kCancelled (the client was destroyed),
  // kResourceExhausted (an answer over its limit), kInvalidArgument and kUnimplemented (a body that its
  // Content-Encoding does not explain). An HTTP error status is an answer, not an error.
  void Send(HttpRequest request, std::chrono::milliseconds deadline,
            absl::AnyInvocable<void(StatusOr<HttpResponse>)> done);

 private:
  class State;
  explicit HttpClient(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the coroutines of its connections
};

}  // namespace spanloom::net
