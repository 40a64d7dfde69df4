// SPDX-License-Identifier: Apache-2.0
//
// A call of a GrpcChannel, from the moment it is made until its end is known: the same for unary calls and for streams,
// which differ in what they do with the answer.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_chain.h"
#include "base/status.h"
#include "net/client.h"
#include "net/detail/http2/answer_sink.h"
#include "net/detail/http2/client_connection.h"
#include "net/grpc/framing.h"
#include "net/grpc/metadata.h"

namespace spanloom::net {

class ClientCall;

// The channel, as its calls see it. Called on the loop.
class ClientCallOwner {
 public:
  virtual ~ClientCallOwner() = default;
  // Nothing more comes from the call's connection. The owner lets go of the call and tells it by Finish.
  virtual void OnCallEnded(uint64_t call_id, Status status, HttpHeaders trailers) = 0;
  virtual void OnCallUnprocessed(uint64_t call_id) = 0;
  // The caller wants no more of the call.
  virtual void CancelCall(uint64_t call_id) = 0;
};

// Sequence-bound: the loop. Shared by its channel, its connection and the caller's object.
class ClientCall : public http2::AnswerSink, public std::enable_shared_from_this<ClientCall> {
 public:
  ClientCall(std::string method, GrpcCallOptions options);

  [[nodiscard]] const std::string& method() const { return method_; }
  [[nodiscard]] const GrpcCallOptions& options() const { return options_; }
  // As it is sent; or why it can't be.
  [[nodiscard]] const StatusOr<grpc::Fields>& metadata() const { return metadata_; }
  // When it must be over; max: never.
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const { return deadline_; }

  // The owner takes the call up. `deadline_timer` lives as long as the call waits for its end.
  void Adopt(uint64_t call_id, std::weak_ptr<ClientCallOwner> owner, Timer deadline_timer);

  // Sends the call. kUnavailable if the connection takes no more.
  Status Send(std::shared_ptr<http2::ClientConnection> connection, std::span<const http2::Header> headers);

  // Its connection, from Send on until it has ended there; null otherwise.
  [[nodiscard]] const std::shared_ptr<http2::ClientConnection>& connection() const { return connection_; }

  // Tells the peer, if it was sent, that nobody waits for the answer.
  void Withdraw();

  // True once, if all that was sent can be sent again.
  [[nodiscard]] bool TakeSecondTry();

  // The end: what the caller is told.
  virtual void Finish(Status status, HttpHeaders trailers) = 0;

  void OnHeaders(const HttpHeaders& headers) override;
  void OnDrained() override {}
  void OnEnd(Status status, HttpHeaders trailers) final;
  void OnUnprocessed() final;

 protected:
  // What is sent behind the headers.
  [[nodiscard]] virtual http2::OutgoingBody MakeBody() = 0;
  // The call was sent.
  virtual void OnSent() {}
  [[nodiscard]] virtual bool is_repeatable() const { return true; }

  // What is sent in front of a message of `bytes` bytes, which is compressed as the options say.
  [[nodiscard]] std::string PrefixOf(size_t bytes) const;
  [[nodiscard]] http2::OutgoingPiece Framed(Bytes message) const;

  void ConsumeWindow(size_t bytes) { connection_->ConsumeOnStream(stream_id_, bytes); }

  [[nodiscard]] uint64_t id() const { return id_; }
  [[nodiscard]] int32_t stream_id() const { return stream_id_; }
  [[nodiscard]] const std::weak_ptr<ClientCallOwner>& owner() const { return owner_; }
  // How the answer's messages are compressed. kUnimplemented if we don't know.
  [[nodiscard]] const StatusOr<Compression>& answer_compression() const { return answer_compression_; }

 private:
  const std::string method_;
  const GrpcCallOptions options_;
  const StatusOr<grpc::Fields> metadata_;
  const std::chrono::steady_clock::time_point deadline_;
  uint64_t id_ = 0;
  std::weak_ptr<ClientCallOwner> owner_;
  Timer deadline_timer_;
  std::shared_ptr<http2::ClientConnection> connection_;  // shared with its coroutine
  int32_t stream_id_ = 0;
  StatusOr<Compression> answer_compression_ = Compression::kNone;
  bool was_sent_again_ = false;
};

// One message, one answer.
class UnaryCall final : public ClientCall {
 public:
  using Done = absl::AnyInvocable<void(StatusOr<Bytes>)>;
  UnaryCall(std::string method, ByteChain message, GrpcCallOptions options, size_t message_bytes_max, Done done);

  void Finish(Status status, HttpHeaders trailers) override;
  Status OnBody(std::string_view piece) override;

 private:
  http2::OutgoingBody MakeBody() override;

  const ByteChain message_;
  const size_t message_bytes_max_;  // of the answer
  grpc::MessageReader answer_;
  Done done_;
};

}  // namespace spanloom::net
