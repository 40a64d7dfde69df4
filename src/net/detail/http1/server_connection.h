// SPDX-License-Identifier: Apache-2.0
//
// The server's end of an HTTP/1.1 connection: one request after the other, answered in order. Specification: RFC 9112.

#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/detail/asio.h"
#include "net/detail/body_buffer.h"
#include "net/detail/deadline.h"
#include "net/detail/http1/exchange.h"
#include "net/detail/http1/input.h"
#include "net/detail/server_connection.h"
#include "net/detail/transport.h"
#include "net/http.h"

namespace spanloom::net::http1 {

namespace beast = boost::beast;

// Sequence-bound: its loop. Kept alive by its coroutine.
class ServerConnection final : public net::ServerConnection, public std::enable_shared_from_this<ServerConnection> {
 public:
  // Serves `socket`, whose first bytes were read already, until it is closed; then leaves `connections`.
  static void Serve(Loop& loop, Transport socket, std::string_view first_bytes, std::string peer, ConnectionSlot slot,
                    std::shared_ptr<ConnectionSet> connections);

  void Drain() override;
  size_t Close() override;

  // For its exchange: the handler said something; it wants more of the body.
  void Wake() { event_.cancel(); }
  void ReadBodyPiece();
  // Writes the next piece of a streamed answer, if nothing else is being written. True: it is on its way. False: Wake,
  // and the piece is taken from the exchange; what was written of it, with what frames it, is no part of it any more.
  bool WriteNow(Bytes& piece);
  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] ServerContext& context() { return context_; }

 private:
  using Parser = beast::http::request_parser<beast::http::buffer_body>;

  struct Refused {
    Refusal cause;
    HttpResponse response;
  };

  // What a response depends on besides itself.
  struct AnswerRules {
    bool is_head = false;
    bool is_http10 = false;
    bool keep_alive = false;
  };

  ServerConnection(Loop& loop, Transport socket, std::string_view first_bytes, std::string peer, ConnectionSlot slot,
                   std::shared_ptr<ConnectionSet> connections);

  // Coroutines; a bool says whether the connection goes on.
  asio::awaitable<void> Run(std::shared_ptr<ServerConnection> self);
  asio::awaitable<bool> ServeOne();
  asio::awaitable<std::optional<AnswerRules>> TakeRequest();  // gives it to the handler; nullopt: nothing is to follow
  asio::awaitable<bool> AwaitRequest();
  asio::awaitable<error_code> ReadHeader(std::string_view& rest);
  asio::awaitable<error_code> AwaitReadable();
  asio::awaitable<error_code> ReadWhole(BodyBuffer& body);
  asio::awaitable<error_code> ReadDeclared(BodyBuffer& body);
  asio::awaitable<error_code> ReadChunked(BodyBuffer& body);
  asio::awaitable<void> ReadPiece(std::shared_ptr<ServerConnection> self);
  asio::awaitable<void> ReadSwitched(std::shared_ptr<ServerConnection> self);
  asio::awaitable<void> Continue();
  asio::awaitable<void> Refuse(Refused refused);
  asio::awaitable<bool> Answer(AnswerRules rules);
  asio::awaitable<void> AwaitEvent();
  asio::awaitable<void> StopWatching();
  asio::awaitable<bool> Write(const HttpResponse& response, AnswerRules rules);
  asio::awaitable<bool> WriteStreamed(AnswerRules rules);
  asio::awaitable<bool> WriteSlowly(std::string head, std::string_view body, std::string_view tail = {});
  asio::awaitable<void> Linger();

  std::string TakeSwitched(error_code& error);
  [[nodiscard]] bool IsSwitched() const { return exchange_ != nullptr && exchange_->is_switched(); }
  [[nodiscard]] bool MaySwitch() const;
  error_code TakeDeclared(std::string_view rest, BodyBuffer& body);
  error_code WriteSome(std::string_view& head, std::string_view& piece, std::string_view& tail);
  [[nodiscard]] bool IsRequestRead() const;
  void ForgetRequest();
  bool TakesPiece(const Bytes& piece);

  // What to answer to a request that can't be read to its end; nullopt if the client is gone.
  [[nodiscard]] std::optional<Refused> RefusalOf(const error_code& error) const;
  // What a request that must not be served is answered.
  [[nodiscard]] std::optional<Refused> Check(const std::optional<HttpRequest>& request) const;

  [[nodiscard]] bool IsStreamed(const HttpRequest& request) const;
  void Hand(HttpRequest request);
  void Decode(HttpRequest request);
  void HandDecoded(HttpRequest request, std::optional<HttpResponse> refusal);

  // Notices what the client does while its request is with the handler.
  void WatchSocket();
  void OnReadable(const error_code& error);

  void OnDeadline();
  void OnWriteDeadline();
  void CloseSocket();

  Loop& loop_;
  Transport socket_;
  ServerContext& context_;
  ConnectionSlot slot_;
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
  const std::string peer_;
  const std::shared_ptr<const PeerCertificate> peer_certificate_;  // shared with requests
  Input input_;
  std::unique_ptr<Parser> parser_;
  std::shared_ptr<Exchange> exchange_;  // of the request under way; shared with the handler's objects
  Deadline deadline_;
  Deadline write_deadline_;
  asio::steady_timer event_;                   // never expires; cancelled to wake AwaitEvent
  std::optional<uint64_t> undelivered_bytes_;  // of a streamed answer whose length was declared
  std::string unwritten_;                      // the rest of a piece that was begun by WriteNow
  bool writes_at_once_ = false;  // a streamed answer waits for its next piece, and all before it is written
  bool is_chunked_ = false;      // the streamed answer
  bool is_idle_ = false;         // between two requests
  bool is_draining_ = false;
  bool timed_out_ = false;
  bool is_body_read_ = false;  // though the parser did not see it, or is gone
  bool is_reading_piece_ = false;
  bool is_watching_ = false;  // a wait for the socket to become readable is out
  bool client_is_gone_ = false;
  bool closed_ = false;
};

}  // namespace spanloom::net::http1
