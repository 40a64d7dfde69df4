// SPDX-License-Identifier: Apache-2.0
//
// The server's end of an HTTP/1.1 connection: one request after the other, answered in order. Specification: RFC 9112.

#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>

#include "net/detail/asio.h"
#include "net/detail/deadline.h"
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

 private:
  using Parser = beast::http::request_parser<beast::http::string_body>;

  struct Refused {
    Refusal cause;
    HttpResponse response;
  };

  ServerConnection(Loop& loop, Transport socket, std::string_view first_bytes, std::string peer, ConnectionSlot slot,
                   std::shared_ptr<ConnectionSet> connections);

  // Coroutines; a bool says whether the connection goes on.
  asio::awaitable<void> Run(std::shared_ptr<ServerConnection> self);
  asio::awaitable<bool> ServeOne();
  asio::awaitable<bool> AwaitRequest();
  asio::awaitable<error_code> Read(Parser& parser);
  asio::awaitable<void> Continue(const Parser& parser);
  asio::awaitable<void> Refuse(const Refused& refused);
  asio::awaitable<HttpResponse> AwaitAnswer();
  asio::awaitable<bool> Write(const HttpResponse& response, bool is_head, bool keep_alive, bool is_http10);
  asio::awaitable<void> Linger();

  // What to answer to a request that can't be read to its end; nullopt if the client is gone.
  [[nodiscard]] std::optional<Refused> RefusalOf(const error_code& error) const;

  void Hand(HttpRequest request);
  HttpResponder::Sink MakeSink();
  void OnAnswer(uint64_t request_number, HttpResponse response);
  void OnDeadline();
  void CloseSocket();

  Loop& loop_;
  Transport socket_;
  ServerContext& context_;
  ConnectionSlot slot_;
  std::shared_ptr<ConnectionSet> connections_;  // shared by the server's connections on this loop
  const std::string peer_;
  beast::flat_buffer buffer_;  // read and not yet parsed
  Deadline deadline_;
  asio::steady_timer answer_arrived_;  // never expires; cancelled to wake AwaitAnswer
  std::optional<HttpResponse> answer_;
  uint64_t request_number_ = 0;
  bool is_idle_ = false;  // between two requests
  bool is_draining_ = false;
  bool timed_out_ = false;
  bool closed_ = false;
};

}  // namespace spanloom::net::http1
