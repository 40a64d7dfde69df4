// SPDX-License-Identifier: Apache-2.0
//
// Handlers that stream, for tests: each passes on what it reads, as fast as the other side takes it.

#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "net/grpc.h"
#include "net/http.h"

namespace spanloom::net {

// Writes each message back, then OK. Keeps itself alive by its callbacks.
class GrpcEchoStream : public std::enable_shared_from_this<GrpcEchoStream> {
 public:
  static void Start(GrpcRequest, GrpcReader reader, GrpcWriter writer) {
    std::make_shared<GrpcEchoStream>(std::move(reader), std::move(writer))->Next();
  }
  GrpcEchoStream(GrpcReader reader, GrpcWriter writer) : reader_(std::move(reader)), writer_(std::move(writer)) {}

 private:
  void Next() {
    reader_.Read([self = shared_from_this()](StatusOr<std::optional<GrpcMessage>> message) {
      if (!message.ok()) return std::move(self->writer_).Finish(message.status());
      if (!message->has_value()) return std::move(self->writer_).Finish(absl::OkStatus());
      self->writer_.Write(std::move((*message)->bytes), [self](const Status& status) {
        if (status.ok()) self->Next();
      });
    });
  }

  GrpcReader reader_;
  GrpcWriter writer_;
};

// The same for an HTTP body, behind a 200.
class HttpEchoStream : public std::enable_shared_from_this<HttpEchoStream> {
 public:
  static void Start(HttpRequest, HttpBodyReader reader, HttpResponder responder) {
    std::make_shared<HttpEchoStream>(std::move(reader), std::move(responder).Stream({}))->Next();
  }
  HttpEchoStream(HttpBodyReader reader, HttpBodyWriter writer)
      : reader_(std::move(reader)), writer_(std::move(writer)) {}

 private:
  void Next() {
    reader_.Read([self = shared_from_this()](StatusOr<Bytes> piece) {
      if (!piece.ok()) return;  // lets go of the writer: aborts
      if (piece->empty()) return std::move(self->writer_).Finish();
      self->writer_.Write(*std::move(piece), [self](const Status& status) {
        if (status.ok()) self->Next();
      });
    });
  }

  HttpBodyReader reader_;
  HttpBodyWriter writer_;
};

}  // namespace spanloom::net
