// SPDX-License-Identifier: Apache-2.0
//
// GrpcStream's inside: holds the messages that have arrived until they are taken, and gives the stream's window back
// only then.

#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/client.h"
#include "net/grpc/client_call.h"
#include "net/grpc/framing.h"

namespace spanloom::net {

// Sequence-bound: the loop. Holds at most the stream's window and one message under way.
class GrpcStream::State final : public ClientCall {
 public:
  // With `message`, that is all that is sent; without, what Write brings.
  State(Loop& loop, std::string method, std::optional<Bytes> message, GrpcCallOptions options,
        size_t message_bytes_max);

  void Read(MessageDone done);
  void Write(Bytes message, WriteDone done);
  void FinishWriting();
  // Nothing is called any more.
  void Cancel();

  [[nodiscard]] const HttpHeaders& initial_metadata() const { return initial_metadata_; }
  [[nodiscard]] const HttpHeaders& trailing_metadata() const { return trailing_metadata_; }

  void Finish(Status status, HttpHeaders trailers) override;
  void OnHeaders(const HttpHeaders& headers) override;
  Status OnBody(std::string_view piece) override;
  void OnDrained() override;

 private:
  struct Arrived {
    grpc::SentMessage message;
    size_t window_bytes = 0;  // not given back yet
  };

  [[nodiscard]] std::shared_ptr<State> self() { return std::static_pointer_cast<State>(shared_from_this()); }
  http2::OutgoingBody MakeBody() override;
  void OnSent() override;
  [[nodiscard]] bool is_repeatable() const override { return message_.has_value() || !has_written_; }

  void SendWaiting();
  void ReportLater(WriteDone done, Status status);
  void DeliverSoon();
  void Deliver();
  void DeliverMessage();
  [[nodiscard]] StatusOr<Bytes> Inflate(grpc::SentMessage message) const;
  void GiveBack(size_t window_bytes);
  Status Abort(const Status& reason);

  Loop& loop_;
  const std::optional<Bytes> message_;  // all of the request, if it is one message
  std::optional<Bytes> waiting_;        // a message of a Write before there is a connection
  WriteDone write_done_;
  bool has_written_ = false;
  bool writing_is_finished_ = false;

  Status fault_;  // of the answer's headers
  HttpHeaders initial_metadata_;
  HttpHeaders trailing_metadata_;
  grpc::MessageReader reader_;
  size_t reader_window_bytes_ = 0;  // of the message under way, not given back yet
  std::deque<Arrived> messages_;    // in order of arrival
  MessageDone read_done_;
  std::optional<Status> end_;  // set once nothing more arrives
};

}  // namespace spanloom::net
