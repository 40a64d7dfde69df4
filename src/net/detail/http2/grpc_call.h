// SPDX-License-Identifier: Apache-2.0
//
// A gRPC call at the server: unary, or with messages streamed either way.

#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "net/detail/http2/call.h"
#include "net/detail/server_exchange.h"
#include "net/grpc.h"
#include "net/grpc/framing.h"
#include "net/grpc/metadata.h"

namespace spanloom::net::http2 {

// Sequence-bound: the connection's loop, but for GrpcServerExchange's functions, which are thread-safe.
class GrpcCall final : public ServerConnection::Call, public GrpcServerExchange {
 public:
  // Begins a call whose headers are complete, and takes them; hands it to its handler at once if the client streams.
  // Null if it was refused: answered and counted.
  static std::shared_ptr<GrpcCall> Begin(ServerConnection& connection, int32_t stream_id, HttpRequest& request);

  GrpcCall(ServerConnection& connection, int32_t stream_id, const GrpcMethod& method, Compression compression);

  void OnBegun() override;
  void OnBody(std::string_view piece) override;
  void OnRequestEnd() override;
  void OnDrained() override;
  void OnGone(const Status& reason) override;
  void OnDeadline() override;
  [[nodiscard]] bool is_streamed() const override { return std::holds_alternative<GrpcStreamHandler>(method_); }

  void Respond(StatusOr<Bytes> answer, GrpcAnswerOptions options) override;
  void SendHeaders(HttpHeaders initial_metadata, AnswerCompression compression) override;
  void Write(Bytes message, WriteDone done) override;
  void Finish(Status status, HttpHeaders trailing_metadata) override;
  void Read(MessageDone done) override;

 private:
  [[nodiscard]] std::shared_ptr<GrpcCall> self() { return std::static_pointer_cast<GrpcCall>(shared_from_this()); }
  void CollectOne(std::string_view piece);
  void CollectMany(std::string_view piece);
  void Inflate(grpc::SentMessage message);
  void Hand(StatusOr<Bytes> message);
  void Deliver();
  void DeliverOne();

  void Answer(StatusOr<Bytes> answer, const GrpcAnswerOptions& options);
  void AnswerMessage(Bytes message, const grpc::Fields& initial, const grpc::Fields& trailing);
  void SetAnswerCompression(AnswerCompression wanted);
  void BeginAnswer(const grpc::Fields& initial);
  void SendMessage(Bytes message);
  [[nodiscard]] OutgoingPiece Framed(Bytes message) const;
  // Sends the end of the answer; nothing is taken afterwards. `initial` goes with a status that comes without a
  // message.
  void SendEnd(const Status& status, const grpc::Fields& initial = {}, const grpc::Fields& trailing = {});
  void Refuse(Refusal cause, const Status& status);
  void EndWith(const Status& reason);

  ServerConnection* connection_;  // not to be used once the call has ended
  const GrpcMethod& method_;      // of the server's options, which the connection keeps
  const Compression compression_;
  std::string accepted_encodings_;
  Compression answer_compression_ = Compression::kNone;
  bool always_compresses_ = false;  // small messages too
  GrpcRequest request_;
  grpc::MessageReader reader_;
  std::deque<grpc::SentMessage> messages_;  // of a streaming client, waiting to be read
  size_t unconsumed_bytes_ = 0;             // of the stream's window, held back until they are read
  MessageDone read_done_;
  WriteDone write_done_;
  bool request_ended_ = false;  // the client has sent all
  bool answer_begun_ = false;   // headers of a streamed answer are out
  bool is_delivering_ = false;  // a Read from inside a Read's callback waits its turn
};

}  // namespace spanloom::net::http2
