// SPDX-License-Identifier: Apache-2.0
//
// One exchange of HttpClient: what its owner asks for, and the coroutines that do it on a connection.

#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/client.h"
#include "net/detail/asio.h"
#include "net/detail/deadline.h"
#include "net/detail/http1/input.h"
#include "net/detail/transport.h"

namespace spanloom::net {

namespace http1 {

inline constexpr uint32_t kAnswerHeaderBytesMax = 64 << 10;  // guess

// One connection of a client. Sequence-bound: its loop.
struct ClientConnection {
  std::optional<Transport> socket;  // once it is connected
  Input input{kAnswerHeaderBytesMax + Loop::Internal::kReadBufferBytes};
  std::shared_ptr<HttpExchange::State> exchange;  // that it carries; null between two
  Timer idle_timer;

  void Close() {
    if (socket.has_value()) socket->Close();
  }
};

}  // namespace http1

// Sequence-bound: its loop. Its owner's callbacks are dropped by Abandon, and by whatever is told last.
class HttpExchange::State final : public std::enable_shared_from_this<State> {
 public:
  using ConnectionPtr = std::shared_ptr<http1::ClientConnection>;  // shared with the coroutines that use it
  using OnHead = absl::AnyInvocable<void(StatusOr<HttpResponseHead>)>;

  // `authority` is for the Host header, `name` for errors.
  State(Loop& loop, HttpRequest request, HttpStreamOptions options, OnHead on_head, std::string authority,
        std::string name);

  // Starts the clock of total_max.
  void Begin();

  // Does the exchange on a connection. True if that may be used again.
  static asio::awaitable<bool> Run(std::shared_ptr<State> self, ConnectionPtr connection);

  // Ends the exchange: its owner is told, unless it has been told the end already.
  void Fail(const Status& reason);

  // Ends the exchange; its owner wants to hear nothing more.
  void Abandon();

  // True when there is nothing left to do; an exchange that waits for a connection needs none then.
  [[nodiscard]] bool is_over() const { return is_over_; }

  // For the owner, as in HttpExchange.
  void Read(absl::AnyInvocable<void(StatusOr<Bytes>)> on_piece);
  void Write(Bytes piece, absl::AnyInvocable<void(Status)> on_sent);
  void Finish();

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;
  enum class Phase { kSending, kAwaitingHead, kReading };

  static asio::awaitable<void> WriteBody(std::shared_ptr<State> self, ConnectionPtr connection);
  asio::awaitable<error_code> WriteHead(const ConnectionPtr& connection);
  asio::awaitable<error_code> ReadHead(const ConnectionPtr& connection, std::optional<Parser>& parser);
  asio::awaitable<error_code> ReadBody(const ConnectionPtr& connection, Parser& parser);
  std::string ReadPiece(http1::ClientConnection& connection, Parser& parser, error_code& error);
  asio::awaitable<error_code> ReadSwitched(const ConnectionPtr& connection);
  // Nothing is left to be sent or received: the connection is free for others.
  [[nodiscard]] bool IsComplete() const { return body_is_delivered_ && request_is_sent_; }
  [[nodiscard]] bool IsChunked() const { return options_.streams_request && !options_.request_bytes.has_value(); }
  [[nodiscard]] std::string ChunkHead(const Bytes& piece) const;
  asio::awaitable<void> AwaitReader();
  asio::awaitable<void> AwaitWriter();

  [[nodiscard]] bool IsInterim(const Parser& parser) const;
  [[nodiscard]] Status TakeHead(const Parser& parser);
  void OnRequestSent();
  void OnSent(const error_code& error);
  void OnTimeout();
  void StartClock(std::chrono::milliseconds limit);
  void Deliver(StatusOr<Bytes> piece);
  void End();

  Loop& loop_;
  HttpRequest request_;
  const HttpStreamOptions options_;
  const std::string authority_;
  const std::string name_;
  const std::string protocol_;  // that the request asks for; "": none

  OnHead on_head_;                                      // empty once called
  absl::AnyInvocable<void(StatusOr<Bytes>)> on_piece_;  // set while the reader waits
  absl::AnyInvocable<void(Status)> on_sent_;            // set while the writer waits
  Bytes piece_;                                         // to be written, while on_sent_ is set
  bool is_finished_ = false;                            // the writer has said all
  bool request_is_sent_ = false;                        // or our half of what followed it in another protocol
  bool is_switched_ = false;                            // both halves are of the protocol that was asked for
  bool body_is_delivered_ = false;                      // its end included
  bool is_over_ = false;
  Phase phase_ = Phase::kSending;
  Status failure_;                  // once it has failed
  ConnectionPtr connection_;        // while it runs
  asio::steady_timer reader_wake_;  // never expire; cancelled to wake who waits
  asio::steady_timer writer_wake_;
  Deadline clock_;  // of the phase
  Timer total_timer_;
};

}  // namespace spanloom::net
