// SPDX-License-Identifier: Apache-2.0
//
// How the answer to a request for tokens goes to its client: over HTTP, whole or as a stream, or as the messages of a
// call of gRPC.

#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "llmd/simulator/body_stream.h"
#include "llmd/wire/openai_answer.h"
#include "net/grpc.h"
#include "net/http.h"

namespace spanloom::llmd::simulator {

// Bound to the connection's loop.
class AnswerWay {
 public:
  virtual ~AnswerWay() = default;

  // Raised when the client goes away before the answer is complete.
  [[nodiscard]] virtual net::CancelSignal cancel_signal() const = 0;

  // The whole answer, or an error in place of any; nothing follows.
  virtual void Respond(net::HttpResponse answer) = 0;
  virtual void Refuse(const wire::ApiError& error, net::HttpResponse answer) = 0;

  // Begins a stream, whose pieces follow. Write is false if it was cut off; an error, as `text` tells it, is its end.
  virtual void Open(net::HttpHeaders headers) = 0;
  virtual bool Write(std::string piece) = 0;
  virtual void Break(const wire::ApiError& error, std::string text) = 0;
  virtual void Finish() = 0;

  // Whether Open was called.
  [[nodiscard]] virtual bool is_open() const = 0;
};

class HttpWay final : public AnswerWay {
 public:
  explicit HttpWay(net::HttpResponder responder) : responder_(std::move(responder)) {}

  [[nodiscard]] net::CancelSignal cancel_signal() const override { return responder_->cancel_signal(); }
  void Respond(net::HttpResponse answer) override;
  void Refuse(const wire::ApiError& error, net::HttpResponse answer) override;
  void Open(net::HttpHeaders headers) override;
  bool Write(std::string piece) override { return stream_->Write(piece); }
  void Break(const wire::ApiError& error, std::string text) override;
  void Finish() override { stream_->Finish(); }
  [[nodiscard]] bool is_open() const override { return stream_ != nullptr; }

 private:
  std::optional<net::HttpResponder> responder_;  // until the answer begins
  std::shared_ptr<BodyStream> stream_;           // null: not begun, or not streamed
};

// Each piece is a message, of the whole answer the body. Metadata is not told.
class RpcWay final : public AnswerWay {
 public:
  explicit RpcWay(net::GrpcWriter writer);

  [[nodiscard]] net::CancelSignal cancel_signal() const override { return cancel_signal_; }
  void Respond(net::HttpResponse answer) override;
  void Refuse(const wire::ApiError& error, net::HttpResponse answer) override;
  void Open(net::HttpHeaders headers) override;
  bool Write(std::string piece) override;
  void Break(const wire::ApiError& error, std::string text) override;
  void Finish() override;
  [[nodiscard]] bool is_open() const override { return is_open_; }

 private:
  class Messages;
  const net::CancelSignal cancel_signal_;
  const std::shared_ptr<Messages> messages_;  // shared with writes under way
  bool is_open_ = false;
};

}  // namespace spanloom::llmd::simulator
