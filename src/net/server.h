// SPDX-License-Identifier: Apache-2.0
//
// One port that speaks HTTP/1.1, HTTP/2 with prior knowledge, and gRPC over it, on every loop at once (SO_REUSEPORT),
// in cleartext or over TLS. What a connection speaks is told by its first bytes: the HTTP/2 preface, or anything else.
// A client that asks by ALPN is told h2 if it takes that, else http/1.1.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "base/status.h"
#include "net/grpc.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"

namespace spanloom::net {

// Limits of one server. What exceeds one is refused with the status named here and counted in
// `spanloom_net_refused{server,cause}`.
struct ServerLimits {
  size_t message_bytes_max = 4 << 20;     // gRPC message, after decompression too: RESOURCE_EXHAUSTED (gRPC's default)
  size_t body_bytes_max = 20 << 20;       // HTTP body, after decoding too: 413 (the Collector's default size)
  size_t header_bytes_max = 64 << 10;     // header block: 431, or REFUSED_STREAM in HTTP/2; guess
  size_t connections_max = 10'000;        // over all loops; a further one is accepted and closed at once; guess
  uint32_t streams_max = 256;             // concurrent HTTP/2 streams of one connection; guess
  std::chrono::milliseconds idle_max{0};  // a connection without a request; 0 = for ever
  std::chrono::milliseconds request_max{60'000};  // from a request's first byte to its last: 408 / closed; guess
};

// Pings of HTTP/2 clients, as grpc-go's keepalive.EnforcementPolicy: a client that pings more often than this three
// times in a row gets GOAWAY ENHANCE_YOUR_CALM with "too_many_pings".
struct KeepaliveEnforcement {
  std::chrono::milliseconds min_time{300'000};  // gRPC's default
  bool permit_without_stream = false;
};

struct ServerOptions {
  std::string name;  // for logs and metrics: "otlp/grpc"
  std::string
      endpoint;  // "127.0.0.1:4317", "[::1]:0", "localhost:4318", ":4317" (all addresses); port 0 picks a free one.
                 // "unix:/run/spanloom.sock", "unix-abstract:spanloom"; a stale file is replaced, and ours goes at Stop
  std::optional<TlsServerOptions> tls;  // unset: cleartext
  ServerLimits limits;
  KeepaliveEnforcement keepalive;
  HttpHandler http;  // unset: a request that is not gRPC is answered 404
  GrpcMethods grpc;  // empty: a gRPC request is answered UNIMPLEMENTED
};

// Owns the listeners and connections. Create, Stop and the destructor are called from a thread that is not a loop's.
class Server {
 public:
  // Binds and starts to accept. Errors: kInvalidArgument for an endpoint that can't be parsed or resolved and for
  // TLS options and files that can't be used (reads them, which blocks), kUnavailable
  // if the address is in use or can't be bound; the message names the endpoint and what to do. `loops` and `metrics`
  // must outlive it.
  static StatusOr<std::unique_ptr<Server>> Create(LoopPool& loops, MetricRegistry& metrics, ServerOptions options);
  ~Server();

  // The port bound, in host order; 0 for a unix socket.
  [[nodiscard]] uint16_t port() const;
  // "127.0.0.1:4317", as bound.
  [[nodiscard]] const std::string& endpoint() const;

  // Closes the listeners, tells HTTP/2 peers to go away, waits for requests under way for at most `grace`, then closes
  // what is left. Returns how many requests were cut off. Calling it again returns 0.
  size_t Stop(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the connections on the loops
};

}  // namespace spanloom::net
