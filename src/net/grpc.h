// SPDX-License-Identifier: Apache-2.0
//
// gRPC for servers. Unary calls are values: a message in, a message or a status out. Streams are read and written
// message by message, with back-pressure. Framing, compression and trailers are net/grpc's (specification: "gRPC over
// HTTP2", doc/PROTOCOL-HTTP2.md of grpc/grpc).

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/status.h"
#include "net/cancel_signal.h"
#include "net/grpc_message.h"
#include "net/http.h"

namespace spanloom::net {

class GrpcServerExchange;  // the connection's side of a call, net/detail/server_exchange.h

struct GrpcRequest {
  std::string method;           // "/package.Service/Method"
  HttpHeaders metadata;         // without the pseudo headers; values of names that end with "-bin" are bytes
  Bytes message;                // decompressed, without its 5-byte prefix; empty if messages come by a GrpcReader
  bool was_compressed = false;  // `message`, as it was sent
  std::string peer;             // "address:port" of the other end
  std::shared_ptr<const PeerCertificate> peer_certificate;  // as HttpRequest's
  // From grpc-timeout; max if the client set none. When it passes unanswered, the server answers DEADLINE_EXCEEDED,
  // counts it as cause "deadline", and cancels the request.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

// Whether the messages of an answer are compressed.
enum class AnswerCompression {
  kAsRequest,  // in the coding of the request, if the client takes it back and the message is large enough to gain
  kOff,
  kOn,  // in the first coding of gzip and deflate that the client takes; not at all if it takes none
};

// What goes with an answer. Metadata must pass ValidateMetadata (net/client.h): else the call is answered INTERNAL.
struct GrpcAnswerOptions {
  HttpHeaders initial_metadata = {};
  HttpHeaders trailing_metadata = {};
  AnswerCompression compression = AnswerCompression::kAsRequest;
};

// Answers one call, once, from any thread: a message, or an error whose code becomes grpc-status and whose payloads
// (see base/status.h, and net/grpc/status_trailers.h) become the details of grpc-status-details-bin. Destroying it
// unanswered answers INTERNAL.
class GrpcResponder {
 public:
  explicit GrpcResponder(std::shared_ptr<GrpcServerExchange> exchange);
  GrpcResponder(GrpcResponder&&) noexcept;
  GrpcResponder& operator=(GrpcResponder&&) noexcept;
  ~GrpcResponder();
  void Respond(StatusOr<Bytes> answer, GrpcAnswerOptions options = {}) &&;

  // Raised when the deadline passes or the client goes away before the answer.
  [[nodiscard]] CancelSignal cancel_signal() const;

 private:
  std::shared_ptr<GrpcServerExchange> exchange_;  // shared with the connection; null once answered or moved from
};

// The answers of a streaming call. Threads and back-pressure as HttpBodyWriter's. Destroyed without Finish, it finishes
// with INTERNAL.
class GrpcWriter {
 public:
  explicit GrpcWriter(std::shared_ptr<GrpcServerExchange> exchange);
  GrpcWriter(GrpcWriter&&) noexcept;
  GrpcWriter& operator=(GrpcWriter&&) noexcept;
  ~GrpcWriter();

  // Sends the headers now, with metadata, and says how messages are compressed. Once, before the first Write; without
  // it the headers are plain.
  void SendHeaders(HttpHeaders initial_metadata, AnswerCompression compression = AnswerCompression::kAsRequest);

  // Sends one message; the headers go before the first. One Write at a time: the next one after `done` has run.
  void Write(Bytes message, WriteDone done);

  // Ends the call, after what was written, with `status` as GrpcResponder sends it. A client that still sends is told
  // to stop.
  void Finish(Status status, HttpHeaders trailing_metadata = {}) &&;

  [[nodiscard]] CancelSignal cancel_signal() const;

 private:
  std::shared_ptr<GrpcServerExchange> exchange_;  // shared with the connection; null once finished or moved from
};

// The messages of a call whose client streams. What is not read holds the client back. Threads as GrpcWriter.
class GrpcReader {
 public:
  explicit GrpcReader(std::shared_ptr<GrpcServerExchange> exchange);

  // `done` runs once, on the connection's loop, perhaps inside this call. One Read at a time; none after the last
  // message or an error. Errors: kCancelled (the client is gone, or the deadline passed), and those of a broken or too
  // large message; the call has then been answered with that error.
  void Read(MessageDone done);

 private:
  std::shared_ptr<GrpcServerExchange> exchange_;  // shared with the connection
};

// Called on the loop of the connection. Thread-safe.
using GrpcHandler = std::function<void(GrpcRequest, GrpcResponder)>;                 // unary
using GrpcServerStreamHandler = std::function<void(GrpcRequest, GrpcWriter)>;        // one message in, many out
using GrpcStreamHandler = std::function<void(GrpcRequest, GrpcReader, GrpcWriter)>;  // many in, many (or one) out
using GrpcMethod = std::variant<GrpcHandler, GrpcServerStreamHandler, GrpcStreamHandler>;

// By full method name, "/package.Service/Method". Anything else is answered UNIMPLEMENTED.
using GrpcMethods = std::map<std::string, GrpcMethod, std::less<>>;

}  // namespace spanloom::net
