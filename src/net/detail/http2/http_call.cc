// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/http_call.h"

#include <absl/strings/numbers.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "net/detail/http_rules.h"

namespace spanloom::net::http2 {
namespace {

Status Gone() {
  return absl::CancelledError("the request has ended");
}

// The declared length; 0 if there is none.
uint64_t ContentLength(const HttpRequest& request) {
  uint64_t bytes = 0;
  return absl::SimpleAtoi(AbslView(request.headers.Get("content-length")), &bytes) ? bytes : 0;
}

bool IsStreamed(const ServerOptions& options, const HttpRequest& request) {
  return options.http_stream && (!options.is_streamed || options.is_streamed(request));
}

// Sends a response; `body` is what there is of it, nullopt if none will come.
void Submit(ServerConnection& connection, int32_t stream_id, const HttpResponse& response,
            std::optional<uint64_t> content_length, std::optional<OutgoingBody> body) {
  const std::string status = StrCat(response.status);
  const std::string length = StrCat(content_length.value_or(0));
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [name, value] : response.headers.fields()) {
    std::string lower_name = ToLower(name);
    if (!IsConnectionHeader(lower_name)) fields.emplace_back(std::move(lower_name), CleanHeaderValue(value));
  }
  std::vector<Header> headers = {{":status", status}};
  if (content_length.has_value()) headers.push_back({"content-length", length});
  if (response.headers.Get("date").empty()) headers.push_back({"date", Date(connection.loop())});
  for (const auto& [name, value] : fields) headers.push_back({name, value});
  connection.SubmitResponse(stream_id, headers, std::move(body));
}

void SubmitWhole(ServerConnection& connection, int32_t stream_id, const HttpResponse& response, bool is_head) {
  const bool may_have_body = MayHaveBody(response.status);
  std::optional<OutgoingBody> body;
  if (may_have_body && !response.body.empty() && !is_head) body = OutgoingBody{.content = response.body};
  const auto length = may_have_body ? std::optional(response.body_bytes.value_or(response.body.size())) : std::nullopt;
  Submit(connection, stream_id, response, length, std::move(body));
}

}  // namespace

std::shared_ptr<HttpCall> HttpCall::Begin(ServerConnection& connection, int32_t stream_id, HttpRequest& request) {
  const size_t bytes_max = connection.context().options.limits.body_bytes_max;
  const uint64_t declared_bytes = ContentLength(request);
  const bool is_streamed = IsStreamed(connection.context().options, request);
  if (declared_bytes > bytes_max && !is_streamed) {
    connection.context().refusals.Count(Refusal::kBodyTooLarge);
    SubmitWhole(connection, stream_id, BodyTooLarge(bytes_max), request.method == "HEAD");
    return nullptr;
  }
  return std::make_shared<HttpCall>(connection, stream_id, std::move(request), is_streamed, declared_bytes);
}

HttpCall::HttpCall(ServerConnection& connection, int32_t stream_id, HttpRequest request, bool is_streamed,
                   size_t declared_bytes)
    : Call(connection, stream_id),
      connection_(&connection),
      request_(std::move(request)),
      body_(is_streamed ? 0 : declared_bytes, &held()),
      is_head_(request_.method == "HEAD"),
      is_streamed_(is_streamed) {
  if (!is_streamed) WidenWindow(declared_bytes);
}

void HttpCall::OnBegun() {
  if (!is_streamed_) return;
  connection_->context().options.http_stream(std::move(request_), HttpBodyReader(self()), HttpResponder(self()));
}

void HttpCall::OnBody(std::string_view piece) {
  connection_->ConsumeOnConnection(piece.size());
  if (!is_streamed_) {
    connection_->ConsumeOnStream(stream_id(), piece.size());
    const size_t bytes_max = connection_->context().options.limits.body_bytes_max;
    if (piece.size() > bytes_max - body_.size()) return Refuse(Refusal::kBodyTooLarge, BodyTooLarge(bytes_max));
  }
  if (!body_.Append(piece)) return Refuse(Refusal::kHeldBytes, ComeAgain("the server holds too many requests"));
  if (is_streamed_) Deliver();
}

void HttpCall::OnRequestEnd() {
  request_ended_ = true;
  if (is_streamed_) return Deliver();
  request_.body = body_.Take();
  Decode();
}

// Large bodies are inflated elsewhere, so that the loop is free for others.
void HttpCall::Decode() {
  ServerContext& context = connection_->context();
  Decoding decoding = UndoContentEncoding(request_, DecodeWhere::kLoop, context.options, context.refusals);
  if (decoding.is_done) return Hand(std::move(decoding.refusal));
  const bool is_queued = OnWorker(
      *connection_, [self = self(), request = std::move(request_), shared = connection_->shared_context()]() mutable {
        auto refusal = UndoContentEncoding(request, DecodeWhere::kWorker, shared->options, shared->refusals).refusal;
        self->OnLoop([self, request = std::move(request),
                      refusal = std::move(refusal)](const ServerConnection* connection) mutable {
          if (connection == nullptr || self->ended()) return;
          self->request_ = std::move(request);
          self->Hand(std::move(refusal));
        });
      });
  if (!is_queued) Refuse(Refusal::kInflateQueue, ComeAgain("too many large compressed requests wait"));
}

void HttpCall::Hand(std::optional<HttpResponse> refusal) {
  const ServerOptions& options = connection_->context().options;
  if (refusal.has_value()) return Respond(*std::move(refusal));
  if (!options.http) return Respond(TextResponse(404, "404 page not found"));
  const bool was_encoded = !request_.headers.Get("content-encoding").empty();
  if (was_encoded && !held().TryAdd(request_.body.size())) {
    return Refuse(Refusal::kHeldBytes, ComeAgain("the server holds too many requests"));
  }
  options.http(std::move(request_), HttpResponder(self()));
}

void HttpCall::Deliver() {
  if (std::exchange(is_delivering_, true)) return;
  const auto keep = self();
  while (read_done_ && !ended() && (body_.size() > 0 || request_ended_)) {
    PieceDone done = std::exchange(read_done_, nullptr);
    connection_->ConsumeOnStream(stream_id(), body_.size());
    held().Release();
    done(body_.Take());
  }
  is_delivering_ = false;
}

void HttpCall::Read(PieceDone done) {
  OnLoop([this, done = std::move(done)](const ServerConnection* connection) mutable {
    if (connection == nullptr || ended()) return done(Gone());
    CHECK(!read_done_);  // one Read at a time
    read_done_ = std::move(done);
    Deliver();
  });
}

void HttpCall::Respond(HttpResponse response) {
  OnLoop([this, response = std::move(response)](ServerConnection* connection) {
    if (connection == nullptr || ended()) return;
    SubmitWhole(*connection, stream_id(), response, is_head_);
    set_ended();
    held().Release();
    cancel_state().Settle();
    EndWith(Gone());
  });
}

void HttpCall::Begin(HttpResponse head) {
  OnLoop([this, head = std::move(head)](ServerConnection* connection) {
    if (connection == nullptr || ended()) return;
    answer_begun_ = true;
    body_is_sent_ = !is_head_ && MayHaveBody(head.status);
    std::optional<OutgoingBody> body;
    if (body_is_sent_) body = OutgoingBody{.is_open = true};
    Submit(*connection, stream_id(), head, head.body_bytes, std::move(body));
  });
}

void HttpCall::Write(Bytes piece, WriteDone done) {
  OnLoop([this, piece = std::move(piece), done = std::move(done)](ServerConnection* connection) mutable {
    if (connection == nullptr || ended()) return done(Gone());
    CHECK(!write_done_);  // one Write at a time
    write_done_ = std::move(done);
    if (body_is_sent_) return connection->AppendToBody(stream_id(), {.content = std::move(piece)});
    connection->loop().Post([self = self()] { self->OnDrained(); });
  });
}

void HttpCall::OnDrained() {
  if (write_done_) std::exchange(write_done_, nullptr)(absl::OkStatus());
}

void HttpCall::End() {
  OnLoop([this](ServerConnection* connection) {
    if (connection == nullptr || ended()) return;
    if (body_is_sent_) connection->CloseBody(stream_id(), {});
    set_ended();
    cancel_state().Settle();
    EndWith(Gone());
  });
}

void HttpCall::Abort() {
  OnLoop([this](ServerConnection* connection) {
    if (connection == nullptr || ended()) return;
    connection->ResetStream(stream_id(), NGHTTP2_INTERNAL_ERROR);
    set_ended();
    cancel_state().Settle();
    EndWith(Gone());
  });
}

void HttpCall::Refuse(Refusal cause, HttpResponse response) {
  connection_->context().refusals.Count(cause);
  if (answer_begun_) {
    connection_->ResetStream(stream_id(), NGHTTP2_REFUSED_STREAM);
  } else {
    SubmitWhole(*connection_, stream_id(), response, is_head_);
  }
  set_ended();
  held().Release();
  EndWith(absl::CancelledError("the request was refused"));
}

// HTTP requests have no deadline of the client's.
void HttpCall::OnDeadline() {}

void HttpCall::OnGone(const Status& reason) {
  set_ended();
  EndWith(absl::CancelledError(reason.message()));
}

// Tells the handler. Its callbacks may let go of the call.
void HttpCall::EndWith(const Status& reason) {
  const auto keep = self();
  cancel_state().Cancel();
  if (read_done_) std::exchange(read_done_, nullptr)(reason);
  if (write_done_) std::exchange(write_done_, nullptr)(reason);
}

}  // namespace spanloom::net::http2
