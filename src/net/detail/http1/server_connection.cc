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

constexpr size_t kReadBytes = Loop::Internal::kReadBufferBytes;
constexpr size_t kTurnBytes = 256 << 10;      // of a body, read before other connections have their turn; guess
constexpr size_t kPieceBytes = 16 << 10;      // of a streamed body; guess
constexpr size_t kAheadBytesMax = 64 << 10;   // read while a request is with its handler; guess
constexpr size_t kAheadPieceBytes = 4 << 10;  // of that in one go; guess
constexpr size_t kWriteBytes = 256 << 10;     // that must be taken within write_max; guess
// A peer that is still sending must be read to the end to see its refusal: clients take a reset for an outage and send
// the same again. OTLP 1.x, "Limits": no client sends more than 64 MiB.
constexpr std::chrono::milliseconds kLinger{10'000};  // guess
constexpr size_t kLingerBytesMax = 64 << 20;

uint32_t HeaderLimit(const ServerLimits& limits) {
  return static_cast<uint32_t>(std::min<size_t>(limits.header_bytes_max, std::numeric_limits<uint32_t>::max()));
}

// What ReadWhole says when the server's budget is used up.
const error_code kBudgetUsedUp = asio::error::no_memory;

bool IsHttpError(const error_code& error) {
  return error.category() == http::make_error_code(http::error{}).category();
}

constexpr std::string_view kChunkEnd = "\r\n";

// The line before a chunk (RFC 9112, 7.1).
std::string ChunkHead(size_t bytes) {
  return StrCat(absl::Hex(bytes), "\r\n");
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
      peer_certificate_(socket_.peer_certificate()),
      input_(context_.options.limits.header_bytes_max + kReadBytes),
      deadline_(loop, [this] { OnDeadline(); }),
      write_deadline_(loop, [this] { OnWriteDeadline(); }),
      event_(Context(loop), asio::steady_timer::time_point::max()) {
  input_.Keep(first_bytes);
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
  write_deadline_.Clear();
  socket_.Close();
  Wake();
  const std::shared_ptr<Exchange> exchange = std::exchange(exchange_, nullptr);
  if (exchange == nullptr) return;
  exchange->OnClientGone();
  exchange->OnAnswered();
}

// The read under way fails with operation_aborted.
void ServerConnection::OnDeadline() {
  timed_out_ = true;
  socket_.Cancel();
}

void ServerConnection::OnWriteDeadline() {
  context_.refusals.Count(Refusal::kSlowReader);
  CloseSocket();
}

asio::awaitable<void> ServerConnection::Run(std::shared_ptr<ServerConnection> self) {
  bool goes_on = true;
  while (goes_on) goes_on = co_await ServeOne();
  CloseSocket();
  while (is_watching_ || is_reading_piece_) co_await AwaitEvent();
  connections_->Remove(*self);
}

asio::awaitable<bool> ServerConnection::ServeOne() {
  const std::optional<AnswerRules> rules = co_await TakeRequest();
  if (!rules.has_value()) co_return false;
  const bool goes_on = co_await Answer(*rules);
  co_return goes_on;
}

// A coroutine of its own, so that what it holds is free while the answer is waited for.
asio::awaitable<std::optional<ServerConnection::AnswerRules>> ServerConnection::TakeRequest() {
  const bool has_request = co_await AwaitRequest();
  if (!has_request) co_return std::nullopt;
  std::string_view rest;
  error_code error = co_await ReadHeader(rest);
  if (closed_) co_return std::nullopt;
  std::optional<Refused> refused = RefusalOf(error);
  if (error && !refused.has_value()) co_return std::nullopt;
  std::optional<HttpRequest> request;
  if (!refused.has_value()) {
    request = ToRequest(parser_->get().base());
    if (request.has_value() && !MaySwitch()) request->headers.Set("upgrade", "");
    refused = Check(request);
  }
  if (refused.has_value()) {
    co_await Refuse(*std::move(refused));
    co_return std::nullopt;
  }
  const AnswerRules rules{.is_head = parser_->get().method() == http::verb::head,
                          .is_http10 = parser_->get().version() < 11,
                          .keep_alive = parser_->keep_alive() && context_.options.keep_alive};
  const auto exchange = std::make_shared<Exchange>(*this);
  exchange_ = exchange;
  if (IsStreamed(*request)) {
    input_.Keep(rest);
    co_await Continue();
    deadline_.Clear();
    if (closed_) co_return std::nullopt;
    Hand(*std::move(request));
    co_return rules;
  }
  BodyBuffer body(parser_->content_length().value_or(0), &exchange->held());
  error = TakeDeclared(rest, body);
  if (!error && !IsRequestRead()) error = co_await ReadWhole(body);
  deadline_.Clear();
  if (closed_) co_return std::nullopt;
  if (error) {
    refused = RefusalOf(error);
    if (refused.has_value()) co_await Refuse(*std::move(refused));
    co_return std::nullopt;
  }
  request->body = body.Take();
  Decode(*std::move(request));
  co_return rules;
}

asio::awaitable<bool> ServerConnection::AwaitRequest() {
  if (input_.size() > 0) {
    co_await StopWatching();
    co_await asio::post(socket_.get_executor(), asio::use_awaitable);  // other connections have their turn
    co_return !closed_;
  }
  if (is_draining_ || closed_ || client_is_gone_) co_return false;
  input_.Shrink();
  const auto idle_max = context_.options.limits.idle_max;
  timed_out_ = false;
  if (idle_max.count() > 0) deadline_.SetAfter(idle_max);
  is_idle_ = true;
  if (is_watching_) {
    while (is_watching_) co_await AwaitEvent();
  } else {
    error_code seen_by_the_read;
    co_await socket_.WaitRead(Into(seen_by_the_read));
  }
  is_idle_ = false;
  if (timed_out_) context_.refusals.Count(Refusal::kIdle);
  co_return !timed_out_ && !closed_ && !client_is_gone_;
}

// `rest` is what came after the header. It may lie in the loop's buffer: valid until this connection waits.
asio::awaitable<error_code> ServerConnection::ReadHeader(std::string_view& rest) {
  parser_ = std::make_unique<Parser>();
  parser_->header_limit(HeaderLimit(context_.options.limits));
  parser_->body_limit(boost::none);  // Check and ReadWhole know whether there is one
  is_body_read_ = false;
  timed_out_ = false;
  bool waits = false;
  error_code error;
  rest = input_.kept();
  while (true) {
    if (!rest.empty()) {
      rest.remove_prefix(parser_->put(asio::buffer(rest), error));
      if (error == http::error::need_more) error = {};
      if (error || parser_->is_header_done()) co_return error;
    }
    input_.Keep(rest);
    rest = input_.ReadSome(loop_, socket_, error);
    if (WouldBlock(error)) {
      const ServerLimits& limits = context_.options.limits;
      if (!std::exchange(waits, true)) deadline_.SetAfter(std::min(limits.header_max, limits.request_max));
      error = co_await AwaitReadable();
    }
    if (error) co_return error;
  }
}

// The deadline may pass while the connection's turn is yet to come: there is nothing to cancel then.
asio::awaitable<error_code> ServerConnection::AwaitReadable() {
  error_code error = asio::error::operation_aborted;
  if (!timed_out_) co_await socket_.WaitRead(Into(error));
  co_return error;
}

std::optional<ServerConnection::Refused> ServerConnection::Check(const std::optional<HttpRequest>& request) const {
  if (!request.has_value()) {
    constexpr std::string_view kText = "400 no Host header, or a request target that is not a path";
    return Refused{Refusal::kBadRequest, TextResponse(400, kText)};
  }
  // RFC 9112, 6.1; else a body would be left out, or be the next request.
  const auto encoding = parser_->get().find(http::field::transfer_encoding);
  if (encoding != parser_->get().end() && ToLower({encoding->value().data(), encoding->value().size()}) != "chunked") {
    return Refused{Refusal::kBadRequest, TextResponse(501, "501 unsupported transfer encoding; chunked is supported")};
  }
  const size_t bytes_max = context_.options.limits.body_bytes_max;
  if (parser_->content_length().value_or(0) > bytes_max && !IsStreamed(*request)) {
    return Refused{Refusal::kBodyTooLarge, BodyTooLarge(bytes_max)};
  }
  return std::nullopt;
}

bool ServerConnection::IsRequestRead() const {
  return is_body_read_ || parser_->is_done();
}

// Takes what came of a body whose length is declared; the rest goes past the parser, straight into `body`.
error_code ServerConnection::TakeDeclared(std::string_view rest, BodyBuffer& body) {
  if (!parser_->is_done() && parser_->content_length().has_value()) {
    const std::string_view part = rest.substr(0, *parser_->content_length());
    if (!body.Append(part)) return kBudgetUsedUp;
    rest.remove_prefix(part.size());
    is_body_read_ = body.size() == *parser_->content_length();
  }
  input_.Keep(rest);
  return {};
}

asio::awaitable<error_code> ServerConnection::ReadWhole(BodyBuffer& body) {
  co_await Continue();
  if (closed_) co_return asio::error::operation_aborted;
  deadline_.SetAfter(context_.options.limits.request_max);
  const bool is_declared = parser_->content_length().has_value();
  error_code error;
  if (is_declared) {
    error = co_await ReadDeclared(body);
  } else {
    error = co_await ReadChunked(body);
  }
  co_return error;
}

asio::awaitable<error_code> ServerConnection::ReadDeclared(BodyBuffer& body) {
  const size_t size = *parser_->content_length();
  size_t turn_bytes = 0;
  error_code error;
  while (body.size() < size && !error) {
    char* const free = body.Prepare(1);
    if (free == nullptr) co_return kBudgetUsedUp;
    const size_t wanted = std::min(body.free_bytes(), size - body.size());
    const size_t bytes = socket_.ReadSome(asio::buffer(free, wanted), error);
    body.Commit(bytes);
    turn_bytes += bytes;
    const bool waits = WouldBlock(error) || (!error && turn_bytes >= kTurnBytes && body.size() < size);
    if (!waits) continue;
    turn_bytes = 0;
    error = co_await AwaitReadable();
  }
  is_body_read_ = !error;
  co_return error;
}

asio::awaitable<error_code> ServerConnection::ReadChunked(BodyBuffer& body) {
  const size_t bytes_max = context_.options.limits.body_bytes_max;
  error_code error;
  while (!parser_->is_done() && !error) {
    char* const free = body.Prepare(1);
    if (free == nullptr) co_return kBudgetUsedUp;
    const size_t free_bytes = body.free_bytes();
    parser_->get().body() = {free, free_bytes, true};
    co_await http::async_read(socket_, input_.buffer(), *parser_, Into(error));
    body.Commit(free_bytes - parser_->get().body().size);
    if (error == http::error::need_buffer) error = {};
    if (body.size() > bytes_max) error = http::error::body_limit;
  }
  co_return error;
}

void ServerConnection::ReadBodyPiece() {
  if (std::exchange(is_reading_piece_, true)) return;
  Spawn(loop_, IsSwitched() ? ReadSwitched(shared_from_this()) : ReadPiece(shared_from_this()));
}

// Reads as much of the body as comes at once.
asio::awaitable<void> ServerConnection::ReadPiece([[maybe_unused]] std::shared_ptr<ServerConnection> self) {
  const std::shared_ptr<Exchange> exchange = exchange_;
  std::string piece;
  error_code error;
  timed_out_ = false;
  while (!closed_ && !IsRequestRead() && piece.empty() && !error) {
    piece.resize(kPieceBytes);
    parser_->get().body() = {piece.data(), piece.size(), true};
    deadline_.SetAfter(context_.options.limits.request_max);
    co_await http::async_read_some(socket_, input_.buffer(), *parser_, Into(error));
    piece.resize(kPieceBytes - parser_->get().body().size);
    if (error == http::error::need_buffer) error = {};
  }
  deadline_.Clear();
  is_reading_piece_ = false;
  Wake();
  if (exchange == nullptr) co_return;
  if (!error || !piece.empty()) co_return exchange->OnBody(Bytes(std::move(piece)));
  if (timed_out_) co_return exchange->OnBody(absl::DeadlineExceededError("the client sends nothing more"));
  if (IsHttpError(error) && error != http::error::partial_message) {
    co_return exchange->OnBody(absl::InvalidArgumentError(error.message()));
  }
  client_is_gone_ = true;
  exchange->OnClientGone();
  exchange->OnBody(absl::CancelledError(error.message()));
}

// Answers "Expect: 100-continue" (RFC 9110, 10.1.1). If that fails, so does the read that follows.
asio::awaitable<void> ServerConnection::Continue() {
  if (IsRequestRead() || !beast::iequals(parser_->get()[http::field::expect], "100-continue")) co_return;
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
  if (error == kBudgetUsedUp) return Refused{Refusal::kHeldBytes, ComeAgain("the server holds too many requests")};
  if (!error || !IsHttpError(error) || error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  return Refused{Refusal::kBadRequest, TextResponse(400, StrCat("400 this is not HTTP: ", error.message()))};
}

asio::awaitable<void> ServerConnection::Refuse(Refused refused) {
  context_.refusals.Count(refused.cause);
  deadline_.Clear();
  const AnswerRules rules{};
  const bool is_written = co_await Write(refused.response, rules);
  if (is_written) co_await Linger();
}

bool ServerConnection::IsStreamed(const HttpRequest& request) const {
  const ServerOptions& options = context_.options;
  return options.http_stream && (!options.is_streamed || options.is_streamed(request));
}

void ServerConnection::Hand(HttpRequest request) {
  request.peer = peer_;
  request.peer_certificate = peer_certificate_;
  context_.options.http_stream(std::move(request), HttpBodyReader(exchange_), HttpResponder(exchange_));
}

// Large bodies are inflated elsewhere, so that the loop is free for others.
void ServerConnection::Decode(HttpRequest request) {
  request.peer = peer_;
  request.peer_certificate = peer_certificate_;
  Decoding decoding = UndoContentEncoding(request, DecodeWhere::kLoop, context_.options, context_.refusals);
  if (decoding.is_done) return HandDecoded(std::move(request), std::move(decoding.refusal));
  const bool is_queued =
      context_.loops.workers().Submit([weak_self = weak_from_this(), context = slot_.shared_context(), &loop = loop_,
                                       request = std::move(request)]() mutable {
        auto refusal = UndoContentEncoding(request, DecodeWhere::kWorker, context->options, context->refusals).refusal;
        loop.Post([weak_self, request = std::move(request), refusal = std::move(refusal)]() mutable {
          const std::shared_ptr<ServerConnection> self = weak_self.lock();
          if (self != nullptr && !self->closed_) self->HandDecoded(std::move(request), std::move(refusal));
        });
      });
  if (is_queued) return;
  context_.refusals.Count(Refusal::kInflateQueue);
  exchange_->Respond(ComeAgain("too many large compressed requests wait"));
}

void ServerConnection::HandDecoded(HttpRequest request, std::optional<HttpResponse> refusal) {
  if (refusal.has_value()) return exchange_->Respond(*std::move(refusal));
  if (!context_.options.http) return exchange_->Respond(TextResponse(404, "404 page not found"));
  const bool was_encoded = !request.headers.Get("content-encoding").empty();
  if (was_encoded && !exchange_->held().TryAdd(request.body.size())) {
    context_.refusals.Count(Refusal::kHeldBytes);
    return exchange_->Respond(ComeAgain("the server holds too many requests"));
  }
  context_.options.http(std::move(request), HttpResponder(exchange_));
}

void ServerConnection::WatchSocket() {
  if (closed_ || std::exchange(is_watching_, true)) return;
  socket_.WaitRead([self = shared_from_this()](const error_code& error) {
    self->is_watching_ = false;
    self->OnReadable(error);
    self->Wake();
  });
}

// While a request is with its handler: reads ahead a little, and learns of the client's end.
void ServerConnection::OnReadable(const error_code& error) {
  if (is_idle_ || error || closed_ || exchange_ == nullptr) return;
  error_code read_error;
  const size_t bytes = socket_.ReadSome(input_.buffer().prepare(kAheadPieceBytes), read_error);
  input_.buffer().commit(bytes);
  if (read_error && read_error != asio::error::would_block) {
    client_is_gone_ = true;
    return exchange_->OnClientGone();
  }
  if (input_.size() < kAheadBytesMax && !IsSwitched()) WatchSocket();
}

asio::awaitable<void> ServerConnection::AwaitEvent() {
  error_code cancelled;
  co_await event_.async_wait(Into(cancelled));
}

asio::awaitable<bool> ServerConnection::Answer(AnswerRules rules) {
  const std::shared_ptr<Exchange> exchange = exchange_;
  while (exchange_ != nullptr && !exchange->has_answer()) {
    if (exchange->is_aborted()) co_return false;
    if (IsRequestRead() && !client_is_gone_) WatchSocket();
    co_await AwaitEvent();
  }
  if (closed_) co_return false;
  rules.keep_alive = rules.keep_alive && !is_draining_ && !(exchange->is_streamed() && rules.is_http10);
  bool is_written = false;
  if (exchange->is_streamed()) {
    is_written = co_await WriteStreamed(rules);
  } else {
    is_written = co_await Write(exchange->answer(), rules);
  }
  if (!is_written || closed_) co_return false;
  exchange_ = nullptr;
  exchange->ForgetAnswer();
  exchange->OnAnswered();
  if (is_reading_piece_) {  // a reader waits for more, which is of no use now
    socket_.Cancel();
    while (is_reading_piece_) co_await AwaitEvent();
    if (closed_) co_return false;
  }
  if (!IsRequestRead() || exchange->is_switched()) {  // nobody wanted the rest of the request
    co_await Linger();
    co_return false;
  }
  parser_.reset();
  co_return rules.keep_alive && !is_draining_;
}

asio::awaitable<bool> ServerConnection::Write(const HttpResponse& response, AnswerRules rules) {
  const bool has_body = !rules.is_head && MayHaveBody(response.status);
  return WriteSlowly(ResponseHead(response, BodyLength::kContentLength, rules.keep_alive, rules.is_http10, Date(loop_)),
                     has_body ? response.body.view() : std::string_view());
}

// Frees what a request that is read needs no more.
void ServerConnection::ForgetRequest() {
  if (is_reading_piece_) return;  // into what would be freed
  input_.Shrink();
  if (!IsRequestRead()) return;
  is_body_read_ = true;
  parser_.reset();
}

asio::awaitable<bool> ServerConnection::WriteStreamed(AnswerRules rules) {
  const std::shared_ptr<Exchange> exchange = exchange_;
  const HttpResponse& head = exchange->answer();
  if (IsSwitched()) co_await StopWatching();
  const bool has_body = !rules.is_head && (MayHaveBody(head.status) || exchange->is_switched());
  const BodyLength length = rules.is_http10               ? BodyLength::kUntilClose
                            : head.body_bytes.has_value() ? BodyLength::kContentLength
                                                          : BodyLength::kChunked;
  is_chunked_ = MayHaveBody(head.status) && has_body && length == BodyLength::kChunked;
  undelivered_bytes_ = has_body && length == BodyLength::kContentLength ? head.body_bytes : std::nullopt;
  std::string text = ResponseHead(head, length, rules.keep_alive, rules.is_http10, Date(loop_));
  ForgetRequest();  // what comes may take long
  while (true) {
    if (!exchange->HasNews()) {
      const bool is_written = co_await WriteSlowly(std::exchange(text, {}), {});
      if (!is_written) co_return false;
    }
    while (!exchange->HasNews() && !closed_) {
      if (IsRequestRead() && !client_is_gone_ && !exchange->is_switched()) WatchSocket();
      writes_at_once_ = has_body;
      co_await AwaitEvent();
      writes_at_once_ = false;
    }
    if (closed_ || exchange->is_aborted()) co_return false;
    if (!exchange->has_piece()) break;
    const Bytes piece = exchange->TakePiece();
    if (!TakesPiece(piece)) co_return false;
    text += std::exchange(unwritten_, {});
    const bool is_chunk = is_chunked_ && !piece.empty();  // an empty chunk would be the last
    if (is_chunk) text += ChunkHead(piece.size());
    const bool is_piece_written = co_await WriteSlowly(
        std::exchange(text, {}), has_body ? piece.view() : std::string_view(), is_chunk ? kChunkEnd : "");
    if (!is_piece_written) co_return false;
    exchange->OnWritten();
  }
  if (undelivered_bytes_.value_or(0) != 0) co_return false;
  if (is_chunked_) text += "0\r\n\r\n";
  const bool is_ended = co_await WriteSlowly(text, {});
  co_return is_ended;
}

// Counts a piece of a body whose length was declared. False: it is longer.
bool ServerConnection::TakesPiece(const Bytes& piece) {
  if (!undelivered_bytes_.has_value()) return true;
  if (piece.size() > *undelivered_bytes_) return false;
  *undelivered_bytes_ -= piece.size();
  return true;
}

bool ServerConnection::WriteNow(Bytes& piece) {
  if (!writes_at_once_ || closed_ || piece.empty() || piece.size() > kWriteBytes) return false;
  if (!TakesPiece(piece)) return false;  // it is taken again, and breaks the connection off
  const std::string chunk = is_chunked_ ? ChunkHead(piece.size()) : std::string();
  std::string_view head = chunk;
  std::string_view body = piece.view();
  std::string_view tail = is_chunked_ ? kChunkEnd : "";
  const error_code error = WriteSome(head, body, tail);
  if (!error) return true;
  unwritten_ = StrCat(head, body, tail);  // if the connection is broken, writing it will say so
  piece = {};
  return false;
}

// Writes from the front of all three what the socket takes: everything, or would_block says why not.
error_code ServerConnection::WriteSome(std::string_view& head, std::string_view& piece, std::string_view& tail) {
  error_code error;
  while (!error && head.size() + piece.size() + tail.size() > 0) {
    const std::array<asio::const_buffer, 3> buffers = {asio::buffer(head), asio::buffer(piece), asio::buffer(tail)};
    size_t bytes = socket_.WriteSome(buffers, error);
    for (std::string_view* part : {&head, &piece, &tail}) {
      const size_t of_part = std::min(bytes, part->size());
      part->remove_prefix(of_part);
      bytes -= of_part;
    }
  }
  return error;
}

// In pieces, each of which the client must take within write_max.
asio::awaitable<bool> ServerConnection::WriteSlowly(std::string head, std::string_view body, std::string_view tail) {
  const auto write_max = context_.options.limits.write_max;
  std::string_view unwritten = head;
  error_code error;
  while (!error && !closed_ && unwritten.size() + body.size() + tail.size() > 0) {
    std::string_view piece = body.substr(0, kWriteBytes);
    body.remove_prefix(piece.size());
    std::string_view last = body.empty() ? std::exchange(tail, {}) : std::string_view();
    error = WriteSome(unwritten, piece, last);
    if (WouldBlock(error) && write_max.count() > 0) write_deadline_.SetAfter(write_max);
    while (WouldBlock(error)) {
      co_await socket_.WaitWrite(Into(error));
      if (!error) error = WriteSome(unwritten, piece, last);
    }
  }
  write_deadline_.Clear();
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
