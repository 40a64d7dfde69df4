// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http1/server_connection.h"

#include <array>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <limits>
#include <utility>

#include "base/text.h"
#include "net/detail/http1/message.h"
#include "net/detail/http_rules.h"

namespace spanloom::net::http1 {
namespace {

namespace http = beast::http;

constexpr size_t kReadBytes = 64 << 10;          // what Beast reads at most in one go
constexpr size_t kIdleBufferBytesMax = 4 << 10;  // an idle connection keeps at most this much; guess
// A peer that is still sending must be read to the end to see its refusal: clients take a reset for an outage and send
// the same again. OTLP 1.x, "Limits": no client sends more than 64 MiB.
constexpr std::chrono::milliseconds kLinger{10'000};  // guess
constexpr size_t kLingerBytesMax = 64 << 20;

uint32_t HeaderLimit(const ServerLimits& limits) {
  return static_cast<uint32_t>(std::min<size_t>(limits.header_bytes_max, std::numeric_limits<uint32_t>::max()));
}

bool IsHttpError(const error_code& error) {
  return error.category() == http::make_error_code(http::error{}).category();
}

bool IsHeaderTooLarge(const error_code& error) {
  return error == http::error::header_limit || error == http::error::buffer_overflow;
}

}  // namespace

void ServerConnection::Serve(Loop& loop, Transport socket, std::string_view first_bytes, std::string peer,
                             ConnectionSlot slot, std::shared_ptr<ConnectionSet> connections) {
  std::shared_ptr<ServerConnection> connection(
      new ServerConnection(loop, std::move(socket), first_bytes, std::move(peer), std::move(slot), connections));
  connections->Add(connection);
  Spawn(loop, connection->Run(connection));
}

ServerConnection::ServerConnection(Loop& loop, Transport socket, std::string_view first_bytes, std::string peer,
                                   ConnectionSlot slot, std::shared_ptr<ConnectionSet> connections)
    : loop_(loop),
      socket_(std::move(socket)),
      context_(slot.context()),
      slot_(std::move(slot)),
      connections_(std::move(connections)),
      peer_(std::move(peer)),
      buffer_(context_.options.limits.header_bytes_max + kReadBytes),
      deadline_(loop, [this] { OnDeadline(); }),
      answer_arrived_(Context(loop), asio::steady_timer::time_point::max()) {
  buffer_.commit(asio::buffer_copy(buffer_.prepare(first_bytes.size()), asio::buffer(first_bytes)));
}

void ServerConnection::Drain() {
  is_draining_ = true;
  if (is_idle_) CloseSocket();
}

size_t ServerConnection::Close() {
  const bool cuts_request = !is_idle_ && !closed_;
  CloseSocket();
  return cuts_request ? 1 : 0;
}

void ServerConnection::CloseSocket() {
  if (closed_) return;
  closed_ = true;
  deadline_.Clear();
  socket_.Close();
  answer_arrived_.cancel();
}

// The read under way fails with operation_aborted.
void ServerConnection::OnDeadline() {
  timed_out_ = true;
  socket_.Cancel();
}

asio::awaitable<void> ServerConnection::Run(std::shared_ptr<ServerConnection> self) {
  bool goes_on = true;
  while (goes_on) goes_on = co_await ServeOne();
  CloseSocket();
  connections_->Remove(*self);
}

asio::awaitable<bool> ServerConnection::ServeOne() {
  const bool has_request = co_await AwaitRequest();
  if (!has_request) co_return false;
  Parser parser;
  const error_code error = co_await Read(parser);
  deadline_.Clear();
  if (closed_) co_return false;
  if (error) {
    const std::optional<Refused> refused = RefusalOf(error);
    if (refused.has_value()) co_await Refuse(*refused);
    co_return false;
  }
  const bool is_head = parser.get().method() == http::verb::head;
  const bool is_http10 = parser.get().version() < 11;
  const bool wants_keep_alive = parser.keep_alive();
  std::optional<HttpRequest> request = TakeRequest(parser.release());
  if (!request.has_value()) {
    constexpr std::string_view kText = "400 no Host header, or a request target that is not a path";
    const Refused refused{Refusal::kBadRequest, TextResponse(400, kText)};
    co_await Refuse(refused);
    co_return false;
  }
  Hand(*std::move(request));
  const HttpResponse response = co_await AwaitAnswer();
  if (closed_) co_return false;
  const bool keep_alive = wants_keep_alive && !is_draining_;
  const bool is_written = co_await Write(response, is_head, keep_alive, is_http10);
  co_return is_written&& keep_alive;
}

asio::awaitable<bool> ServerConnection::AwaitRequest() {
  if (buffer_.size() > 0) co_return true;
  if (is_draining_ || closed_) co_return false;
  if (buffer_.capacity() > kIdleBufferBytesMax) buffer_.shrink_to_fit();
  const auto idle_max = context_.options.limits.idle_max;
  timed_out_ = false;
  if (idle_max.count() > 0) deadline_.SetAfter(idle_max);
  is_idle_ = true;
  error_code error;
  co_await socket_.WaitRead(Into(error));
  is_idle_ = false;
  if (timed_out_) context_.refusals.Count(Refusal::kIdle);
  co_return !error && !closed_;
}

asio::awaitable<error_code> ServerConnection::Read(Parser& parser) {
  parser.header_limit(HeaderLimit(context_.options.limits));
  parser.body_limit(context_.options.limits.body_bytes_max);
  timed_out_ = false;
  deadline_.SetAfter(context_.options.limits.request_max);
  error_code error;
  co_await http::async_read_header(socket_, buffer_, parser, Into(error));
  if (error || parser.is_done()) co_return error;
  co_await Continue(parser);
  co_await http::async_read(socket_, buffer_, parser, Into(error));
  co_return error;
}

// Answers "Expect: 100-continue" (RFC 9110, 10.1.1). If that fails, so does the read that follows.
asio::awaitable<void> ServerConnection::Continue(const Parser& parser) {
  if (!beast::iequals(parser.get()[http::field::expect], "100-continue")) co_return;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const asio::const_buffer buffer(kContinue.data(), kContinue.size());
  error_code ignored;
  co_await asio::async_write(socket_, buffer, Into(ignored));
}

std::optional<ServerConnection::Refused> ServerConnection::RefusalOf(const error_code& error) const {
  const ServerLimits& limits = context_.options.limits;
  if (timed_out_) {
    const std::string text = StrCat("408 the request took longer than ", limits.request_max.count(), " ms to arrive");
    return Refused{Refusal::kTimeout, TextResponse(408, text)};
  }
  if (IsHeaderTooLarge(error)) {
    const std::string text = StrCat("431 the request's header is larger than ", limits.header_bytes_max, " bytes");
    return Refused{Refusal::kHeaderTooLarge, TextResponse(431, text)};
  }
  if (error == http::error::body_limit) return Refused{Refusal::kBodyTooLarge, BodyTooLarge(limits.body_bytes_max)};
  if (!IsHttpError(error) || error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  return Refused{Refusal::kBadRequest, TextResponse(400, StrCat("400 this is not HTTP: ", error.message()))};
}

asio::awaitable<void> ServerConnection::Refuse(const Refused& refused) {
  context_.refusals.Count(refused.cause);
  const bool is_written = co_await Write(refused.response, false, false, false);
  if (is_written) co_await Linger();
}

void ServerConnection::Hand(HttpRequest request) {
  request.peer = peer_;
  answer_.reset();
  ++request_number_;
  const size_t bytes_max = context_.options.limits.body_bytes_max;
  if (auto refusal = UndoContentEncoding(request, bytes_max, context_.refusals); refusal.has_value()) {
    answer_ = std::move(refusal);
  } else if (!context_.options.http) {
    answer_ = TextResponse(404, "404 page not found");
  } else {
    context_.options.http(std::move(request), HttpResponder(MakeSink()));
  }
}

// Carries an answer from any thread to this loop, where the connection may be gone by then.
HttpResponder::Sink ServerConnection::MakeSink() {
  return [weak_self = weak_from_this(), number = request_number_](HttpResponse response) {
    std::shared_ptr<ServerConnection> connection = weak_self.lock();
    if (connection == nullptr) return;
    Loop& loop = connection->loop_;
    if (loop.IsCurrent()) return connection->OnAnswer(number, std::move(response));
    loop.Post([connection = std::move(connection), number, response = std::move(response)]() mutable {
      connection->OnAnswer(number, std::move(response));
    });
  };
}

void ServerConnection::OnAnswer(uint64_t request_number, HttpResponse response) {
  if (request_number != request_number_) return;
  answer_ = std::move(response);
  answer_arrived_.cancel();
}

asio::awaitable<HttpResponse> ServerConnection::AwaitAnswer() {
  while (!answer_.has_value() && !closed_) {
    error_code cancelled;
    co_await answer_arrived_.async_wait(Into(cancelled));
  }
  co_return answer_.has_value() ? *std::exchange(answer_, std::nullopt) : HttpResponse();
}

asio::awaitable<bool> ServerConnection::Write(const HttpResponse& response, bool is_head, bool keep_alive,
                                              bool is_http10) {
  const std::string head = ResponseHead(response, keep_alive, is_http10);
  const bool has_body = !is_head && MayHaveBody(response.status);
  const std::array<asio::const_buffer, 2> buffers = {
      asio::buffer(head), asio::const_buffer(response.body.data(), has_body ? response.body.size() : 0)};
  error_code error;
  co_await asio::async_write(socket_, buffers, Into(error));
  co_return !error && !closed_;
}

// Reads on for a while: closing a socket with unread input would discard the answer on its way (RFC 9112, 9.6).
asio::awaitable<void> ServerConnection::Linger() {
  error_code error;
  socket_.ShutdownSend();
  timed_out_ = false;
  deadline_.SetAfter(kLinger);
  std::string discarded(kReadBytes, '\0');
  size_t bytes = 0;
  while (!error && !closed_ && bytes < kLingerBytesMax) {
    bytes += co_await socket_.async_read_some(asio::buffer(discarded), Into(error));
  }
}

}  // namespace spanloom::net::http1
