// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http1/client_exchange.h"

#include <absl/strings/str_format.h>

#include <array>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "net/detail/http1/message.h"
#include "net/detail/http_rules.h"
#include "net/upgrade.h"

namespace spanloom::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

Status FailureOf(const error_code& error) {
  if (error == http::error::end_of_stream || error == asio::error::eof) {
    return absl::UnavailableError("the peer closed the connection before it answered");
  }
  if (error == asio::error::operation_aborted) return absl::CancelledError("the exchange is over");
  if (error == http::error::partial_message) {
    return absl::UnavailableError("the peer closed the connection in the middle of its answer");
  }
  if (error.category() == http::make_error_code(http::error::bad_version).category()) {
    return absl::UnavailableError(StrCat("the peer's answer is not HTTP/1.1: ", error.message()));
  }
  return absl::UnavailableError(error.message());
}

// What `read` has of the body, without what frames it. What is neither yet is kept.
template <typename Parser>
std::string TakeBody(http1::Input& input, std::string_view read, Parser& parser, error_code& error) {
  std::string body;
  if (read.empty() || parser.is_done()) return body;
  body.resize(read.size());
  auto& target = parser.get().body();
  target = {body.data(), body.size(), true};
  read.remove_prefix(parser.put(asio::buffer(read), error));
  if (error == http::error::need_more || error == http::error::need_buffer) error = {};
  body.resize(body.size() - target.size);
  input.Keep(read);
  return body;
}

HttpHeaders EndToEnd(const HttpHeaders& headers) {
  HttpHeaders kept;
  for (const auto& [name, value] : headers.fields()) {
    if (!IsConnectionHeader(name)) kept.Add(name, value);
  }
  return kept;
}

}  // namespace

HttpExchange::State::State(Loop& loop, HttpRequest request, HttpStreamOptions options, OnHead on_head,
                           std::string authority, std::string name)
    : loop_(loop),
      request_(std::move(request)),
      options_(options),
      authority_(std::move(authority)),
      name_(std::move(name)),
      protocol_(request_.headers.Get("upgrade")),
      on_head_(std::move(on_head)),
      reader_wake_(Context(loop), asio::steady_timer::time_point::max()),
      writer_wake_(Context(loop), asio::steady_timer::time_point::max()),
      clock_(loop, [this] { OnTimeout(); }) {}

void HttpExchange::State::Begin() {
  if (options_.total_max.count() == 0) return;
  total_timer_ = loop_.PostAfter(options_.total_max, [weak_self = weak_from_this()] {
    const auto self = weak_self.lock();
    if (self == nullptr) return;
    self->Fail(absl::DeadlineExceededError(StrCat("no answer within ", self->options_.total_max.count(), " ms")));
  });
}

asio::awaitable<bool> HttpExchange::State::Run(std::shared_ptr<State> self, ConnectionPtr connection) {
  self->connection_ = connection;
  error_code error = co_await self->WriteHead(connection);
  if (!error && self->options_.streams_request) Spawn(self->loop_, WriteBody(self, connection));
  if (!error && !self->options_.streams_request) self->OnRequestSent();
  std::optional<Parser> parser;
  if (!error) error = co_await self->ReadHead(connection, parser);
  if (!error && self->is_switched_) {
    Spawn(self->loop_, WriteBody(self, connection));
    error = co_await self->ReadSwitched(connection);
  } else if (!error && !self->is_over_) {
    error = co_await self->ReadBody(connection, *parser);
  }
  if (error) self->Fail(FailureOf(error));
  const bool keeps = self->IsComplete() && self->failure_.ok() && !self->is_switched_ && parser->keep_alive();
  self->End();
  if (!keeps) connection->Close();
  if (self->on_sent_) self->OnSent(asio::error::operation_aborted);
  co_return keeps;
}

asio::awaitable<error_code> HttpExchange::State::WriteHead(const ConnectionPtr& connection) {
  StartClock(options_.between_max);
  const uint64_t body_bytes = options_.request_bytes.value_or(request_.body.size());
  const auto length = IsChunked() ? std::optional<uint64_t>() : std::optional(body_bytes);
  const std::string head = http1::RequestHead(request_, authority_, length);
  const Bytes& body = options_.streams_request ? Bytes() : request_.body;
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head), asio::const_buffer(body.data(), body.size())};
  error_code error;
  co_await asio::async_write(*connection->socket, buffers, Into(error));
  clock_.Clear();
  co_return error;
}

// What stands before a piece of the request's body; before the end of it, if the piece is empty.
std::string HttpExchange::State::ChunkHead(const Bytes& piece) const {
  if (!IsChunked()) return "";
  return piece.empty() ? "0\r\n\r\n" : absl::StrFormat("%x\r\n", piece.size());
}

// Runs beside the reading: a peer may answer before it has heard all.
asio::awaitable<void> HttpExchange::State::WriteBody(std::shared_ptr<State> self, ConnectionPtr connection) {
  while (!self->is_over_ && !self->request_is_sent_) {
    co_await self->AwaitWriter();
    if (self->is_over_) break;
    const bool is_last = self->piece_.empty();
    const Bytes piece = is_last ? Bytes() : self->piece_;
    const std::string size = self->ChunkHead(piece);
    const std::string_view end = is_last || !self->IsChunked() ? "" : "\r\n";
    const std::array<asio::const_buffer, 3> buffers = {
        asio::buffer(size), asio::const_buffer(piece.data(), piece.size()), asio::const_buffer(end.data(), end.size())};
    error_code error;
    if (self->phase_ == Phase::kSending) self->StartClock(self->options_.between_max);
    if (asio::buffer_size(buffers) > 0) co_await asio::async_write(*connection->socket, buffers, Into(error));
    if (self->is_over_) break;
    if (self->phase_ == Phase::kSending) self->clock_.Clear();
    if (is_last && self->is_switched_) connection->socket->ShutdownSend();
    if (is_last && !error) self->OnRequestSent();
    if (!is_last) self->OnSent(error);
    if (error) break;  // the reading says why
  }
}

asio::awaitable<void> HttpExchange::State::AwaitWriter() {
  while (piece_.empty() && !is_finished_ && !is_over_) {
    error_code cancelled;
    co_await writer_wake_.async_wait(Into(cancelled));
  }
}

void HttpExchange::State::OnSent(const error_code& error) {
  piece_ = {};
  if (auto on_sent = std::exchange(on_sent_, nullptr)) on_sent(error ? FailureOf(error) : absl::OkStatus());
}

void HttpExchange::State::OnRequestSent() {
  request_is_sent_ = true;
  request_.body = {};
  request_.headers = {};
  if (phase_ != Phase::kSending) return;
  phase_ = Phase::kAwaitingHead;
  StartClock(options_.first_byte_max);
}

asio::awaitable<error_code> HttpExchange::State::ReadHead(const ConnectionPtr& connection,
                                                          std::optional<Parser>& parser) {
  error_code error;
  bool is_interim = true;
  while (is_interim && !error) {
    parser.emplace();
    parser->header_limit(http1::kAnswerHeaderBytesMax);
    parser->body_limit(boost::none);
    parser->skip(request_.method == "HEAD");
    co_await http::async_read_header(*connection->socket, connection->input.buffer(), *parser, Into(error));
    is_interim = !error && IsInterim(*parser);
  }
  if (error || is_over_) co_return error;
  if (const Status status = TakeHead(*parser); !status.ok()) Fail(status);
  co_return error;
}

// Whether another head follows. One that changes the protocol unasked is none that could be followed.
bool HttpExchange::State::IsInterim(const Parser& parser) const {
  const unsigned status = parser.get().result_int();
  return status / 100 == 1 && (status != kSwitchingProtocols || protocol_.empty());
}

Status HttpExchange::State::TakeHead(const Parser& parser) {
  phase_ = Phase::kReading;
  clock_.Clear();
  const auto self = shared_from_this();  // the callback may destroy the owner
  HttpResponseHead head;
  head.status = static_cast<int>(parser.get().result_int());
  const HttpHeaders headers = http1::ToHeaders(parser.get());
  head.headers = EndToEnd(headers);
  if (head.status == kSwitchingProtocols) {
    const std::string_view protocol = headers.Get("upgrade");
    if (ToLower(protocol) != ToLower(protocol_)) {
      return absl::UnavailableError(StrCat("the peer changes to protocol \"", protocol, "\", which was not asked for"));
    }
    head.headers.Add("upgrade", std::string(protocol));
    is_switched_ = true;
    request_is_sent_ = false;
  } else if (const auto length = parser.content_length()) {
    head.content_length = *length;
  }
  if (auto on_head = std::exchange(on_head_, nullptr)) on_head(std::move(head));
  return absl::OkStatus();
}

asio::awaitable<error_code> HttpExchange::State::ReadSwitched(const ConnectionPtr& connection) {
  http1::Input& input = connection->input;
  error_code error;
  while (!is_over_ && !body_is_delivered_ && !error) {
    co_await AwaitReader();
    if (is_over_) break;
    std::string piece = input.TakeKept();
    while (piece.empty() && !body_is_delivered_ && !error) {
      co_await connection->socket->WaitRead(Into(error));
      if (error || is_over_) break;
      piece = input.ReadSome(loop_, *connection->socket, error);
      body_is_delivered_ = connection->socket->IsEnd(error);
      if (body_is_delivered_ || WouldBlock(error)) error = {};
    }
    if (is_over_ || error) break;
    Deliver(Bytes(std::move(piece)));
  }
  co_return error;
}

asio::awaitable<error_code> HttpExchange::State::ReadBody(const ConnectionPtr& connection, Parser& parser) {
  parser.eager(true);
  error_code error;
  while (!is_over_ && !body_is_delivered_) {
    co_await AwaitReader();
    if (is_over_) break;
    StartClock(options_.between_max);
    std::string piece;
    if (!error) piece = TakeBody(connection->input, connection->input.kept(), parser, error);
    connection->input.Shrink();  // what comes may take long
    while (piece.empty() && !parser.is_done() && !error) {
      if (connection->input.is_drained()) co_await connection->socket->WaitRead(Into(error));
      if (!error && !is_over_) piece = ReadPiece(*connection, parser, error);
    }
    clock_.Clear();
    if ((error && piece.empty()) || is_over_) break;
    body_is_delivered_ = piece.empty();
    Deliver(Bytes(std::move(piece)));
  }
  co_return error;
}

// What has come of the body; nothing, without an error, if that is nothing.
std::string HttpExchange::State::ReadPiece(http1::ClientConnection& connection, Parser& parser, error_code& error) {
  const std::string_view read = connection.input.ReadSome(loop_, *connection.socket, error);
  if (WouldBlock(error)) error = {};
  if (error == asio::error::eof) {
    error = {};
    parser.put_eof(error);
    return "";
  }
  return error ? std::string() : TakeBody(connection.input, read, parser, error);
}

asio::awaitable<void> HttpExchange::State::AwaitReader() {
  while (!on_piece_ && !is_over_) {
    error_code cancelled;
    co_await reader_wake_.async_wait(Into(cancelled));
  }
}

void HttpExchange::State::Deliver(StatusOr<Bytes> piece) {
  if (auto on_piece = std::exchange(on_piece_, nullptr)) on_piece(std::move(piece));
}

void HttpExchange::State::StartClock(std::chrono::milliseconds limit) {
  if (limit.count() == 0) return clock_.Clear();
  clock_.SetAfter(limit);
}

void HttpExchange::State::OnTimeout() {
  const auto self = shared_from_this();
  const bool waits_for_head = phase_ == Phase::kAwaitingHead;
  const auto limit_ms = (waits_for_head ? options_.first_byte_max : options_.between_max).count();
  Fail(absl::DeadlineExceededError(waits_for_head ? StrCat("no first byte of the answer within ", limit_ms, " ms")
                                                  : StrCat("nothing moved for ", limit_ms, " ms")));
}

void HttpExchange::State::Fail(const Status& reason) {
  if (is_over_) return;
  const auto self = shared_from_this();
  failure_ = Annotate(reason, name_);
  End();
  if (auto on_head = std::exchange(on_head_, nullptr)) on_head(failure_);
  Deliver(failure_);
  if (auto on_sent = std::exchange(on_sent_, nullptr)) on_sent(failure_);
}

void HttpExchange::State::Abandon() {
  on_head_ = nullptr;
  on_piece_ = nullptr;
  on_sent_ = nullptr;
  if (is_over_) return;
  if (!IsComplete()) failure_ = absl::CancelledError("the exchange was cancelled");
  End();
}

// Nothing goes on after this. What is not over takes its connection with it: the answer could come at any time.
void HttpExchange::State::End() {
  if (std::exchange(is_over_, true)) return;
  clock_.Clear();
  total_timer_.Cancel();
  if (connection_ != nullptr && !failure_.ok()) connection_->Close();
  connection_ = nullptr;
  reader_wake_.cancel();
  writer_wake_.cancel();
}

void HttpExchange::State::Read(absl::AnyInvocable<void(StatusOr<Bytes>)> on_piece) {
  CHECK(!on_piece_ && !on_head_);
  on_piece_ = std::move(on_piece);
  if (!is_over_) {
    reader_wake_.cancel();
    return;
  }
  loop_.Post([self = shared_from_this()] {
    self->Deliver(self->failure_.ok() ? StatusOr<Bytes>(Bytes()) : StatusOr<Bytes>(self->failure_));
  });
}

void HttpExchange::State::Write(Bytes piece, absl::AnyInvocable<void(Status)> on_sent) {
  CHECK((options_.streams_request || is_switched_) && !on_sent_ && !is_finished_);
  piece_ = std::move(piece);
  on_sent_ = std::move(on_sent);
  if (!is_over_ && !piece_.empty()) {  // an empty chunk would end the body
    writer_wake_.cancel();
    return;
  }
  loop_.Post([self = shared_from_this()] {
    const Status over = absl::CancelledError(StrCat(self->name_, ": the exchange is over"));
    if (auto done = std::exchange(self->on_sent_, nullptr)) {
      done(!self->is_over_ ? absl::OkStatus() : self->failure_.ok() ? over : self->failure_);
    }
  });
}

void HttpExchange::State::Finish() {
  CHECK((options_.streams_request || is_switched_) && !on_sent_);
  is_finished_ = true;
  writer_wake_.cancel();
}

HttpExchange::HttpExchange(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpExchange::~HttpExchange() {
  state_->Abandon();
}

void HttpExchange::Read(absl::AnyInvocable<void(StatusOr<Bytes>)> on_piece) {
  state_->Read(std::move(on_piece));
}

void HttpExchange::Write(Bytes piece, absl::AnyInvocable<void(Status)> on_sent) {
  state_->Write(std::move(piece), std::move(on_sent));
}

void HttpExchange::Finish() {
  state_->Finish();
}

}  // namespace spanloom::net
