// SPDX-License-Identifier: Apache-2.0
//
// Clients for what we export to, ask and stand in front of: gRPC over HTTP/2, unary and streamed, and HTTP/1.1 over
// kept-alive connections. In cleartext or over TLS. A lost connection is made again at the next call, after a back-off
// that is jittered and doubles from 1 s to 120 s (gRPC's connection-backoff.md); calls in between fail with
// kUnavailable and the reason.

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_chain.h"
#include "base/bytes.h"
#include "base/status.h"
#include "net/compression.h"
#include "net/grpc_message.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/proxy.h"
#include "net/tls.h"

namespace spanloom::net {

// Pings of a connection that is silent, as gRPC's keepalive. A server may send away those who ping more often than it
// likes.
struct GrpcKeepalive {
  std::chrono::milliseconds time{0};          // without a word from the peer, until a ping; 0: no pings
  std::chrono::milliseconds timeout{20'000};  // for its answer; then the connection is lost. gRPC's default
  bool permit_without_stream = false;         // ping although no call is under way
};

// What to do with a name of several addresses: stay with the first that works, or take turns.
enum class GrpcBalancing { kPickFirst, kRoundRobin };

struct GrpcChannelOptions {
  std::string endpoint;                 // "host:port", "unix:/path", "unix-abstract:name", "ipv4:1.2.3.4:5,6.7.8.9:5"
  std::optional<TlsClientOptions> tls;  // unset: cleartext
  std::string user_agent;               // sent first in user-agent
  size_t calls_max = 100;  // calls under way; a further one fails with kResourceExhausted. The peer's limit applies too
  size_t message_bytes_max = 4 << 20;  // of an answer
  size_t connections_max = 4;  // to one address; a further one is made when the peer's limit of calls is reached
  GrpcBalancing balancing = GrpcBalancing::kPickFirst;
  // The name is resolved again after a failure, and this long after the last time; 0: after failures only.
  std::chrono::milliseconds resolve_interval{0};
  // Says the addresses, "ADDRESS:PORT" each, in place of the machine's resolver. Called on the loop; must not block.
  std::function<StatusOr<std::vector<std::string>>()> resolver;
  GrpcKeepalive keepalive;
  std::string authority;            // in place of the endpoint, for servers that look at it
  std::optional<Proxy> proxy = {};  // that connections go through by CONNECT; `resolver` names its addresses then
};

struct GrpcCallOptions {
  // From the call to the end of its answer; sent as grpc-timeout. max(): none.
  std::chrono::milliseconds deadline{5'000};
  HttpHeaders metadata;  // values of names that end with "-bin" are bytes; see ValidateMetadata
  Compression message_compression = Compression::kNone;  // how the messages that are sent are already compressed
  bool wait_for_ready = false;  // wait for a connection, until the deadline, instead of failing when none can be made
};

// What a call may not have as metadata: kInvalidArgument names a name of the protocol's own ("grpc-...", "te") or one
// that HTTP/2 does not allow, kResourceExhausted says that it is too long. A call with it fails with the same.
Status ValidateMetadata(const HttpHeaders& metadata);

// A call whose messages are streams, either way or both. Bound to the channel's loop; callbacks are on it, never from
// inside a function of this class. Destroying it cancels the call if it is not over: the peer is told, and nothing is
// called afterwards.
class GrpcStream {
 public:
  class State;
  explicit GrpcStream(std::shared_ptr<State> state);
  ~GrpcStream();
  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;

  // Asks for the next message; nullopt if the call has ended with OK. One at a time. What is not asked for holds the
  // peer back: it may send the window of a stream (256 KiB) and the rest of the message that was asked for. Errors: the
  // status that the peer ended the call with, its details included, after the messages before it; and what may end a
  // unary call. After the end it is given again.
  void Read(MessageDone done);

  // Sends a message. One at a time, the next one after `done`, which runs when less than kBodyQueueBytes wait to be
  // sent; none after Finish. kCancelled once the call has ended: Read says how.
  void Write(Bytes message, WriteDone done);

  // Says that no further message comes. The answer goes on.
  void Finish();

  // What the peer sent before its first message, once a Read was answered; and with its status, once that was read.
  // Without what is the protocol's own; values of names that end with "-bin" are bytes.
  [[nodiscard]] const HttpHeaders& initial_metadata() const;
  [[nodiscard]] const HttpHeaders& trailing_metadata() const;

 private:
  std::shared_ptr<State> state_;  // shared with the channel and the connection
};

// Bound to one loop: every call and every callback is on it. Destroying it fails what is under way with kCancelled.
class GrpcChannel {
 public:
  // Connects at the first call. kInvalidArgument if `endpoint` has no port, or for TLS options and files that
  // can't be used; reads the files, which blocks.
  static StatusOr<std::unique_ptr<GrpcChannel>> Create(Loop& loop, GrpcChannelOptions options);
  ~GrpcChannel();

  // `done` is called once, on the loop, never from inside Call. An error of the peer keeps its code, message and retry
  // delay. A call that the peer has certainly not looked at is sent once more. Returns what Cancel takes.
  uint64_t Call(std::string method, ByteChain message, GrpcCallOptions options,
                absl::AnyInvocable<void(StatusOr<Bytes>)> done);

  // Gives up a call: the peer is told, and its `done` is destroyed uncalled. Nothing happens if it is over.
  void Cancel(uint64_t call_id);

  // Begins a streamed call, which counts as one of `calls_max` until it has ended: of a client that streams, or of one
  // that sends `message` alone. If the peer has certainly not looked at it, it is sent once more, unless something was
  // written.
  std::unique_ptr<GrpcStream> Open(std::string method, GrpcCallOptions options);
  std::unique_ptr<GrpcStream> Open(std::string method, Bytes message, GrpcCallOptions options);

 private:
  class State;
  explicit GrpcChannel(std::shared_ptr<State> state);
  std::unique_ptr<GrpcStream> OpenStream(std::string method, std::optional<Bytes> message, GrpcCallOptions options);
  std::shared_ptr<State> state_;  // shared with coroutines under way
};

class TlsCredentials;

// What clients of HTTP/1.1 need for TLS by these options, to be shared among them: making it reads files, and the
// machine's roots for 10 to 30 ms, which blocks. `name` is for the log. kInvalidArgument as of TlsClientOptions.
StatusOr<std::shared_ptr<TlsCredentials>> ReadHttpClientTls(TlsClientOptions options, std::string name);

struct HttpClientOptions {
  std::string endpoint = {};                        // as GrpcChannelOptions
  std::optional<TlsClientOptions> tls = {};         // unset, and shared_tls too: cleartext
  std::shared_ptr<TlsCredentials> shared_tls = {};  // that was read before, in place of `tls`
  std::optional<Proxy> proxy =
      {};                       // that requests go through: by CONNECT if there is TLS, else it is told their target
  size_t connections_max = 16;  // kept alive; requests beyond wait in order
  size_t waiting_max = 1'000;   // requests without a connection; a further one: kResourceExhausted; guess
  size_t body_bytes_max = 4 << 20;                // of an answer that Send collects
  std::chrono::milliseconds connect_max{20'000};  // for TCP and TLS together; gRPC's MIN_CONNECT_TIMEOUT
  std::chrono::milliseconds idle_max{60'000};     // that a connection is kept without a request; guess
  // False: a connection that could not be made is tried again by the next request, at once.
  bool backs_off = true;
};

struct HttpStreamOptions {
  bool streams_request = false;  // the body comes by Write and Finish; else it is HttpRequest::body
  // Of a body that is streamed, if it is known: it is then declared as Content-Length instead of sent chunked, and
  // exactly as many bytes must be written before Finish.
  std::optional<uint64_t> request_bytes = {};
  std::chrono::milliseconds total_max{0};       // from Open to the last byte of the answer; 0: no limit
  std::chrono::milliseconds first_byte_max{0};  // from the end of the request to the head of the answer; 0: no limit
  std::chrono::milliseconds between_max{0};     // without a byte moving that should: either body's; 0: no limit
};

struct HttpResponseHead {
  int status = 0;
  HttpHeaders headers;                          // without those about the connection's framing
  std::optional<uint64_t> content_length = {};  // of the body, if it was declared
};

// True if `status`, of an exchange or a call, says that no connection could be made: the peer has seen nothing.
[[nodiscard]] bool IsConnectFailure(const Status& status);

// One request and its answer, both perhaps as streams, over a connection of its own meanwhile. Nothing is read from the
// connection unless the reader asks: so a slow reader slows the peer. Bound to the client's loop; callbacks are on it,
// never from inside a function of this class. Destroying it cancels what is not over, and nothing is called afterwards.
class HttpExchange {
 public:
  class State;
  explicit HttpExchange(std::shared_ptr<State> state);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // Asks for the next piece of the answer's body, as it comes and is encoded; an empty one is its end. Once the head is
  // there, and one at a time. Errors: kUnavailable (the connection was lost, a body cut short), kDeadlineExceeded, and
  // kCancelled (the client was destroyed).
  void Read(absl::AnyInvocable<void(StatusOr<Bytes>)> on_piece);

  // Sends a piece of the request's body, if it is a stream; one at a time. `on_sent` is called when the next may come:
  // once the piece has been taken by the kernel, or with the error that ended the exchange. An answer may come, and
  // end, before all is written.
  void Write(Bytes piece, absl::AnyInvocable<void(Status)> on_sent);

  // Ends the request's body. Once, after the last Write was answered.
  void Finish();

 private:
  std::shared_ptr<State> state_;  // shared with the connection's coroutines
};

// HTTP/1.1 requests over a few kept-alive connections. Bound to one loop, like GrpcChannel.
class HttpClient {
 public:
  // Errors as GrpcChannel::Create.
  static StatusOr<std::unique_ptr<HttpClient>> Create(Loop& loop, HttpClientOptions options);
  ~HttpClient();

  // Collects the whole answer. Errors: kUnavailable (no connection, or lost), kDeadlineExceeded, kCancelled (the client
  // was destroyed), kResourceExhausted (an answer over its limit, or too many that wait), kInvalidArgument and
  // kUnimplemented (a body that its Content-Encoding does not explain). An HTTP error status is an answer, not an
  // error.
  void Send(HttpRequest request, std::chrono::milliseconds deadline,
            absl::AnyInvocable<void(StatusOr<HttpResponse>)> done);

  // Begins an exchange whose bodies are streams. `on_head` is called once, as soon as the answer's head is there, or
  // with what went wrong; errors as of Send.
  std::unique_ptr<HttpExchange> Open(HttpRequest request, HttpStreamOptions options,
                                     absl::AnyInvocable<void(StatusOr<HttpResponseHead>)> on_head);

 private:
  class State;
  explicit HttpClient(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the coroutines of its connections
};

}  // namespace spanloom::net
