// SPDX-License-Identifier: Apache-2.0
//
// A request as the objects in a handler's hands see it. The connections implement these; responders, writers and
// readers (net/http.h, net/grpc.h) pass on to them and keep their rules: one answer, one Write and one Read at a time.

#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/status.h"
#include "net/cancel_signal.h"
#include "net/grpc.h"
#include "net/http.h"

namespace spanloom::net {

// Functions may be called from any thread. The connection may be gone: an answer is then discarded, and callbacks are
// given kCancelled inside the call.
class HttpServerExchange {
 public:
  virtual ~HttpServerExchange() = default;
  [[nodiscard]] CancelState& cancel_state() { return cancel_state_; }

  virtual void Respond(HttpResponse response) = 0;

  virtual void Begin(HttpResponse head) = 0;
  virtual void Write(Bytes piece, WriteDone done) = 0;
  virtual void End() = 0;
  virtual void Abort() = 0;

  virtual void Read(PieceDone done) = 0;

 private:
  CancelState cancel_state_;
};

// The same for a gRPC call.
class GrpcServerExchange {
 public:
  virtual ~GrpcServerExchange() = default;
  [[nodiscard]] CancelState& cancel_state() { return cancel_state_; }

  virtual void Respond(StatusOr<Bytes> answer, GrpcAnswerOptions options) = 0;

  virtual void SendHeaders(HttpHeaders initial_metadata, AnswerCompression compression) = 0;
  virtual void Write(Bytes message, WriteDone done) = 0;
  virtual void Finish(Status status, HttpHeaders trailing_metadata) = 0;

  virtual void Read(MessageDone done) = 0;

 private:
  CancelState cancel_state_;
};

}  // namespace spanloom::net
