// SPDX-License-Identifier: Apache-2.0
//
// One port that speaks HTTP/1.1, HTTP/2 with prior knowledge, and gRPC over it, on every loop at once (SO_REUSEPORT),
// in cleartext or over TLS. What a connection speaks is told by its first bytes: the HTTP/2 preface, or anything else.
// A client that asks by ALPN is told h2 if it takes that, else http/1.1.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/status.h"
#include "net/compression.h"
#include "net/grpc.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"

namespace spanloom::net {

// Limits of one server. What exceeds one is refused with the status named here and counted in
// `spanloom_net_refused{server,cause}`. Where a duration may be 0, that means for ever.
struct ServerLimits {
  size_t message_bytes_max = 4 << 20;  // gRPC message, after decompression too: RESOURCE_EXHAUSTED (gRPC's default)
  size_t body_bytes_max = 20 << 20;    // HTTP body, after decoding too: 413 (the Collector's default size)
  size_t header_bytes_max = 64 << 10;  // header block: 431, or REFUSED_STREAM in HTTP/2; guess
  size_t connections_max = 10'000;     // over all loops; a further one is accepted and closed at once; guess
  uint32_t streams_max = 256;          // concurrent HTTP/2 streams of one connection; guess
  // Bytes of requests that arrive or wait for their answer, over all connections. Beyond, a request is refused with
  // UNAVAILABLE or 503 and a retry delay of 1 s. Guess.
  size_t held_bytes_max = 512 << 20;
  std::chrono::milliseconds first_byte_max{
      120'000};                                  // a new connection's silence: closed (grpc-go's connectionTimeout)
  std::chrono::milliseconds idle_max{0};         // an HTTP/1.1 connection between two requests: closed; may be 0
  std::chrono::milliseconds header_max{60'000};  // from a request's first byte to its header's last: 408 / reset; guess
  std::chrono::milliseconds request_max{60'000};  // from a request's first byte to its last: 408 / reset; guess
  // A client that takes nothing of what waits for it (or, over HTTP/2, grants no window for it): closed. Guess, as
  // TCP_USER_TIMEOUT.
  std::chrono::milliseconds write_max{60'000};
};

// Pings of HTTP/2 clients, as grpc-go's keepalive.EnforcementPolicy: a client that pings more often than this three
// times in a row gets GOAWAY ENHANCE_YOUR_CALM with "too_many_pings".
struct KeepaliveEnforcement {
  std::chrono::milliseconds min_time{300'000};  // gRPC's default
  bool permit_without_stream = false;
};

// The life of an HTTP/2 connection, as grpc-go's keepalive.ServerParameters, whose defaults these are. 0: for ever.
struct KeepaliveParameters {
  std::chrono::milliseconds idle_max{0};   // without a request: sent away (GOAWAY NO_ERROR)
  std::chrono::milliseconds age_max{0};    // sent away after this, give or take 10 %, so that not all come back at once
  std::chrono::milliseconds age_grace{0};  // after being sent away for its age: closed
  std::chrono::milliseconds time{7'200'000};  // of silence, after which the client is pinged
  std::chrono::milliseconds timeout{20'000};  // of silence after that ping: closed
};

struct ServerOptions {
  std::string name;  // for logs and metrics: "otlp/grpc"
  std::string
      endpoint;  // "127.0.0.1:4317", "[::1]:0", "localhost:4318", ":4317" (all addresses); port 0 picks a free one.
                 // "unix:/run/spanloom.sock", "unix-abstract:spanloom"; a stale file is replaced, and ours goes at Stop
  std::optional<TlsServerOptions> tls;  // unset: cleartext
  ServerLimits limits;
  KeepaliveEnforcement keepalive;
  KeepaliveParameters keepalive_parameters;
  // What a body over HTTP may be encoded in, kNone among it if one may be plain; empty: anything.
  std::vector<Compression> content_codings;
  bool keep_alive = true;  // false: an HTTP/1.1 connection ends after one request
  HttpHandler http;        // unset: a request that is not gRPC is answered 404
  // Takes requests when their header has arrived: those that `is_streamed` picks by it, or all if that is unset.
  HttpStreamHandler http_stream;
  std::function<bool(const HttpRequest& head)> is_streamed;  // on the loop; thread-safe
  GrpcMethods grpc;                                          // empty: a gRPC request is answered UNIMPLEMENTED
  // Told why no connections can be accepted for now, and OK once they can again; for each loop's listener. Unset:
  // nobody. On the loop; thread-safe.
  std::function<void(const Status& accepting)> on_accepting;
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

  // Closes the listeners and drains the connections: an HTTP/2 peer is told that GOAWAY is coming, and once a ping has
  // come back (or after 1 s) which of its streams will be served, so that no request on its way is lost. Waits for
  // requests under way for at most `grace`, then closes what is left. Returns how many requests were cut off. Calling
  // it again returns 0.
  size_t Stop(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the connections on the loops
};

}  // namespace spanloom::net
