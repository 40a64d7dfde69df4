// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/proxied_request.h"

#include <absl/strings/numbers.h>

#include "base/check.h"
#include "base/text.h"
#include "llmd/routing_proxy/error_answer.h"
#include "llmd/routing_proxy/forwarded_headers.h"
#include "llmd/wire/headers.h"
#include "llmd/wire/span_names.h"
#include "net/host_port.h"
#include "net/upgrade.h"
#include "sdk/trace_context.h"
#include "semconv/names.h"

namespace spanloom::llmd::routing_proxy {
namespace {

namespace key = wire::span_key;
namespace http_key = semconv::http;

// An answer whose length is declared and no larger is passed on in one piece, with its length.
constexpr uint64_t kWholeBytesMax = 64 << 10;  // guess

// A model server whose pieces come faster, one after the other, is read from once a while: each read and write costs
// as much as the next, and nobody can tell in a stream of ten thousand events a second.
constexpr int64_t kBurstGapNs = 100'000;       // guess
constexpr size_t kBurstPieceBytes = 16 << 10;  // of larger ones there is nothing to gain
constexpr int kBurstPiecesMin = 8;             // what is short is never held up
// Measured: 0.4 million events a CPU-second without it, 1.1 million with it.
constexpr std::chrono::milliseconds kBurstPause{1};

double Ms(int64_t duration_ns) {
  return static_cast<double>(duration_ns) / 1e6;
}

bool IsEventStream(const net::HttpHeaders& headers) {
  return headers.Get("content-type").starts_with("text/event-stream");
}

void DescribeServer(const net::HttpRequest& request, sdk::Span& span) {
  if (!span.is_recording()) return;
  span.SetString(http_key::kRequestMethod, request.method);
  span.SetString(http_key::kUrlPath, request.path);
  span.SetString(http_key::kUrlScheme, "http");
  const std::string_view host = request.headers.Get("host");
  const std::string_view name = net::HostOf(host);
  span.SetString(http_key::kServerAddress, name.empty() ? host : name);
  int64_t port = 0;
  if (!name.empty() && absl::SimpleAtoi(AbslView(host.substr(host.rfind(':') + 1)), &port)) {
    span.SetInt(http_key::kServerPort, port);
  }
  span.SetString(http_key::kClientAddress, net::HostOf(request.peer));
  span.SetString(http_key::kPeerAddress, net::HostOf(request.peer));
  if (const auto agent = request.headers.Get("user-agent"); !agent.empty()) span.SetString(http_key::kUserAgent, agent);
  if (absl::SimpleAtoi(AbslView(request.headers.Get("content-length")), &port)) {
    span.SetInt(http_key::kRequestBodySize, port);
  }
}

}  // namespace

ProxiedRequest::ProxiedRequest(ProxyLoop& loop, Arrival arrival)
    : loop_(loop),
      arrival_(std::move(arrival)),
      responder_(std::move(arrival_.responder)),
      arrival_ns_(loop.shared.clock.SteadyNs()) {}

ProxiedRequest::~ProxiedRequest() = default;

void ProxiedRequest::Start() {
  self_ = shared_from_this();
  shared().metrics.RequestsOf(api()).Add(1);
  loop_.shared.metrics.active.fetch_add(1, std::memory_order_relaxed);
  StartSpans();
  responder_->cancel_signal().OnCancel([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnClientGone();
  });
  if (!is_finished_) Begin();
}

void ProxiedRequest::StartSpans() {
  const sdk::Tracer& tracer = shared().tracer;
  parent_ = sdk::Extract(head().headers, tracer.propagation());
  if (!tracer.is_on()) return;
  server_span_ = tracer.Start(ServerSpanName(head().method, head().path), otlp::SpanKind::kServer, parent_);
  DescribeServer(head(), server_span_);
  if (!api().has_value()) return;
  request_span_ = tracer.Start(wire::span_name::kRequest, otlp::SpanKind::kServer, server_span_.context());
  request_span_.SetString(key::kConnector, NameOf(shared().options.connector));
  request_span_.SetString(key::kRequestPath, head().path);
}

const sdk::TraceContext& ProxiedRequest::context() const {
  if (request_span_.context().IsValid()) return request_span_.context();
  return server_span_.context().IsValid() ? server_span_.context() : parent_;
}

bool ProxiedRequest::HoldBytes(size_t bytes) {
  std::atomic<size_t>& held = loop_.shared.metrics.held_bytes;
  if (held.fetch_add(bytes, std::memory_order_relaxed) + bytes > shared().options.held_bytes_max) {
    held.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  held_bytes_ += bytes;
  return true;
}

void ProxiedRequest::ReleaseBytes() {
  loop_.shared.metrics.held_bytes.fetch_sub(std::exchange(held_bytes_, 0), std::memory_order_relaxed);
}

void ProxiedRequest::ReadBody(size_t bytes_max, absl::AnyInvocable<void(Bytes)> on_body) {
  body_bytes_max_ = bytes_max;
  on_body_ = std::move(on_body);
  arrival_.reader.Read([self = shared_from_this()](StatusOr<Bytes> piece) { self->OnBodyPiece(std::move(piece)); });
}

void ProxiedRequest::OnBodyPiece(StatusOr<Bytes> piece) {
  if (is_finished_) return;
  if (absl::IsCancelled(piece.status())) return OnClientGone();
  if (!piece.ok()) {
    const int status = absl::IsDeadlineExceeded(piece.status()) ? 408 : 400;
    const auto text = StdView(piece.status().message());
    return Answer(ErrorAnswer(status, StrCat("the request's body: ", text)), "bad_request", text);
  }
  if (piece->empty()) return std::exchange(on_body_, nullptr)(Bytes(std::move(body_)));
  if (piece->size() > body_bytes_max_ - body_.size()) {
    shared().metrics.refused_bodies.Add(1);
    const std::string text = StrCat("the request's body is larger than ", body_bytes_max_, " bytes");
    return Answer(ErrorAnswer(413, text), "body_too_large", text);
  }
  if (!HoldBytes(piece->size())) {
    shared().metrics.refused_bodies.Add(1);
    return Overloaded();
  }
  body_.append(piece->view());
  arrival_.reader.Read([self = shared_from_this()](StatusOr<Bytes> next) { self->OnBodyPiece(std::move(next)); });
}

void ProxiedRequest::Overloaded() {
  net::HttpResponse answer = ErrorAnswer(503, "the proxy holds too many large requests; send again later");
  answer.headers.Add("retry-after", "1");
  Answer(std::move(answer), "body_too_large", "too many large requests");
}

net::HttpRequest ProxiedRequest::RequestWith(Bytes body) const {
  net::HttpRequest request;
  request.method = head().method;
  request.path = head().path;
  request.query = head().query;
  request.headers = ForwardedHeaders(head(), request_id_);
  request.body = std::move(body);
  return request;
}

void ProxiedRequest::Decode(Bytes body) {
  OpenDecode(RequestWith(std::move(body)), {}, [this](net::HttpResponseHead head) { Relay(std::move(head)); });
}

void ProxiedRequest::DecodeWith(Bytes body, OnHead on_head) {
  net::HttpRequest request = RequestWith(std::move(body));
  request.headers.Set("accept-encoding", "");  // it is read here
  OpenDecode(std::move(request), {}, std::move(on_head));
}

void ProxiedRequest::DecodeStreamed(std::optional<uint64_t> body_bytes) {
  net::HttpStreamOptions options;
  options.streams_request = true;
  options.request_bytes = body_bytes;
  OpenDecode(RequestWith({}), options, [this](net::HttpResponseHead head) { Relay(std::move(head)); });
  Upload();
}

void ProxiedRequest::DecodeSwitched(std::string_view protocol) {
  net::HttpRequest request = RequestWith({});
  request.headers.Add("upgrade", std::string(protocol));
  OpenDecode(std::move(request), {}, [this](net::HttpResponseHead head) {
    const bool is_switched = head.status == net::kSwitchingProtocols;
    Relay(std::move(head));
    if (is_switched && !is_finished_) Upload();
  });
}

void ProxiedRequest::OpenDecode(net::HttpRequest request, net::HttpStreamOptions options, OnHead on_head) {
  const Upstream& decoder = loop_.upstreams->Decoder(arrival_.rank);
  decode_start_ns_ = NowNs();
  decode_end_ns_ = 0;
  DescribeDecode(decoder);
  const sdk::TraceContext& parent = decode_span_.context().IsValid() ? decode_span_.context() : context();
  decode_leg_ =
      std::make_unique<Leg>(shared().tracer, parent, decoder, std::move(request), options,
                            [this, on_head = std::move(on_head)](StatusOr<net::HttpResponseHead> answer) mutable {
                              OnDecodeHead(std::move(answer), on_head);
                            });
}

void ProxiedRequest::DescribeDecode(const Upstream& decoder) {
  if (!request_span_.context().IsValid()) return;
  decode_span_ = shared().tracer.Start(wire::span_name::kDecode, otlp::SpanKind::kInternal, request_span_.context());
  if (!decode_span_.is_recording()) return;
  if (!request_id_.empty()) decode_span_.SetString(key::kRequestId, request_id_);
  decode_span_.SetString(key::kConnector, NameOf(shared().options.connector));
  decode_span_.SetString(key::kDecodeTarget, decoder.target);
  decode_span_.SetBool(key::kDecodeDataParallel, arrival_.names_rank);
  if (is_concurrent_) decode_span_.SetBool(key::kConcurrentWithPrefill, true);
}

void ProxiedRequest::OnDecodeHead(StatusOr<net::HttpResponseHead> answer, OnHead& on_head) {
  const auto keep = shared_from_this();
  if (!answer.ok()) {
    shared().metrics.decode_errors.Add(1);
    const std::string text(answer.status().message());
    const net::HttpResponse failed = DecodeFailed(answer.status());
    EndDecode(text);
    return Answer(failed, "decode_failed", text);
  }
  decode_span_.SetInt(key::kDecodeStatus, answer->status);
  auto next = std::move(on_head);  // what it lies in may go
  next(*std::move(answer));
}

void ProxiedRequest::DropDecode() {
  decode_leg_.reset();
  whole_.reset();
  whole_body_.clear();
  first_byte_ns_ = 0;
  EndDecode("");
}

void ProxiedRequest::EndDecode(std::string_view failure) {
  if (decode_start_ns_ == 0 || decode_end_ns_ != 0) return;
  decode_end_ns_ = NowNs();
  shared().metrics.decode_seconds.AddNs(decode_end_ns_ - decode_start_ns_);
  if (!decode_span_.is_recording()) return;
  if (is_streaming_.has_value()) decode_span_.SetBool(key::kDecodeStreaming, *is_streaming_);
  decode_span_.SetDouble(key::kDecodeMs, Ms(decode_end_ns_ - decode_start_ns_));
  if (!failure.empty()) decode_span_.SetStatus(otlp::StatusCode::kError, failure);
  decode_span_.End();
}

void ProxiedRequest::Upload() {
  arrival_.reader.Read([self = shared_from_this()](const StatusOr<Bytes>& piece) { self->OnUpload(piece); });
}

// The answer may be under way already; what it says goes on.
void ProxiedRequest::OnUpload(const StatusOr<Bytes>& piece) {
  if (is_finished_ || decode_leg_ == nullptr) return;
  if (absl::IsCancelled(piece.status())) return OnClientGone();
  if (!piece.ok()) {
    const int status = absl::IsDeadlineExceeded(piece.status()) ? 408 : 400;
    const auto text = StdView(piece.status().message());
    return Answer(ErrorAnswer(status, StrCat("the request's body: ", text)), "bad_request", text);
  }
  if (piece->empty()) return decode_leg_->exchange().Finish();
  decode_leg_->exchange().Write(*piece, [this](const Status& sent) {
    if (sent.ok()) Upload();  // else the answer says what is wrong
  });
}

void ProxiedRequest::Relay(net::HttpResponseHead answer, Bytes begun, bool is_read) {
  is_answer_read_ = is_read;
  const bool is_stream = IsEventStream(answer.headers);
  if (!is_streaming_.has_value()) is_streaming_ = is_stream;
  status_ = answer.status;
  net::HttpResponse response;
  response.status = answer.status;
  response.headers = std::move(answer.headers);
  response.body_bytes = answer.content_length;
  const bool is_small = answer.content_length.value_or(kWholeBytesMax + 1) <= kWholeBytesMax;
  if (is_small && !is_stream && head().method != "HEAD") {
    whole_ = std::move(response);
  } else {
    writer_ = std::move(*std::exchange(responder_, std::nullopt)).Stream(std::move(response));
    OnAnswerBegun();
    arrival_.head.headers = {};
    ReleaseBytes();
  }
  if (begun.empty()) return ReadOn();
  OnPiece(std::move(begun));
}

void ProxiedRequest::ReadOn() {
  if (is_answer_read_) return EndRelay();
  if (burst_pieces_ < kBurstPiecesMin) return ReadNow();
  pause_ = loop_.loop().PostAfter(kBurstPause, [this] {
    last_piece_ns_ = NowNs();
    ReadNow();
  });
}

void ProxiedRequest::ReadNow() {
  decode_leg_->Read([this](StatusOr<Bytes> piece) { OnPiece(std::move(piece)); });
}

// Whether the pieces come in a burst.
void ProxiedRequest::NoteSpeed(size_t bytes) {
  const int64_t now_ns = NowNs();
  const bool is_fast = now_ns - last_piece_ns_ < kBurstGapNs && bytes < kBurstPieceBytes;
  burst_pieces_ = is_fast ? burst_pieces_ + 1 : 0;
  last_piece_ns_ = now_ns;
}

void ProxiedRequest::OnPiece(StatusOr<Bytes> piece) {
  const auto keep = shared_from_this();
  if (!piece.ok()) {
    shared().metrics.decode_errors.Add(1);
    shared().metrics.cut.Add(1);
    const std::string text(piece.status().message());
    EndDecode(text);
    if (whole_.has_value()) return Answer(DecodeFailed(piece.status()), "decode_cut", text);
    Fail("decode_cut", text);
    return Finish(false);  // without its end the answer tells the client that it was cut
  }
  if (piece->empty()) return EndRelay();
  if (first_byte_ns_ == 0) {
    first_byte_ns_ = NowNs();
    shared().metrics.first_byte_seconds.AddNs(first_byte_ns_ - arrival_ns_);
  }
  answer_bytes_ += piece->size();
  shared().metrics.forwarded_bytes.Add(piece->size());
  PassOn(*std::move(piece));
}

void ProxiedRequest::PassOn(Bytes piece) {
  if (whole_.has_value()) {
    whole_body_.append(piece.view());
    return ReadOn();
  }
  if (status_ != net::kSwitchingProtocols) NoteSpeed(piece.size());  // who knows what waits for what
  writer_->Write(std::move(piece), [self = shared_from_this()](const Status& written) { self->OnRelayed(written); });
}

void ProxiedRequest::OnRelayed(const Status& written) {
  if (is_finished_) return;
  if (!written.ok()) return OnClientGone();
  ReadOn();
}

void ProxiedRequest::EndRelay() {
  EndDecode("");
  if (whole_.has_value()) {
    whole_->body = Bytes(std::move(whole_body_));
    std::move(*std::exchange(responder_, std::nullopt)).Respond(*std::move(whole_));
  } else {
    std::move(*std::exchange(writer_, std::nullopt)).Finish();
  }
  Finish(true);
}

void ProxiedRequest::Answer(net::HttpResponse response, std::string_view error, std::string_view message) {
  if (is_finished_) return;
  const auto keep = shared_from_this();
  if (!error.empty()) Fail(error, message);
  if (responder_.has_value()) {
    status_ = response.status;
    answer_bytes_ = response.body.size();
    std::move(*std::exchange(responder_, std::nullopt)).Respond(std::move(response));
  }
  Finish(true);
}

void ProxiedRequest::Fail(std::string_view error, std::string_view message) {
  sdk::Span& span = request_span_.is_recording() ? request_span_ : server_span_;
  span.SetString(key::kError, error);
  span.SetStatus(otlp::StatusCode::kError, message);
}

void ProxiedRequest::OnClientGone() {
  if (is_finished_) return;
  const auto keep = shared_from_this();
  shared().metrics.clients_gone.Add(1);
  decode_leg_.reset();
  EndDecode("the client is gone");
  Fail("client_gone", "the client is gone");
  server_span_.SetString(http_key::kErrorType, "client_gone");
  server_span_.SetStatus(otlp::StatusCode::kError, "the client is gone");
  Finish(false);
}

void ProxiedRequest::Finish(bool is_complete) {
  CHECK(!std::exchange(is_finished_, true));
  OnFinish(is_complete);
  decode_leg_.reset();
  pause_.Cancel();
  EndDecode("given up");
  writer_.reset();  // an answer without its end is broken off
  responder_.reset();
  on_body_ = nullptr;
  ReleaseBytes();
  loop_.shared.metrics.active.fetch_sub(1, std::memory_order_relaxed);
  EndSpans(NowNs());
  loop_.loop().Post([self = std::move(self_)] {});  // those who called us may still look at the request
}

void ProxiedRequest::EndSpans(int64_t now_ns) {
  if (request_span_.is_recording()) {
    if (first_byte_ns_ != 0) request_span_.SetDouble(key::kTtftMs, Ms(first_byte_ns_ - arrival_ns_));
    request_span_.SetDouble(key::kTotalMs, Ms(now_ns - arrival_ns_));
    if (decode_start_ns_ != 0) {
      request_span_.SetDouble(key::kTrueTtftMs, Ms(decode_start_ns_ - arrival_ns_));
      request_span_.SetDouble(key::kDecodeTotalMs, Ms(decode_end_ns_ - decode_start_ns_));
    }
    if (prefill_end_ns_ != 0) {
      request_span_.SetDouble(key::kPrefillTotalMs, Ms(prefill_ns_));
      const bool is_after = decode_start_ns_ >= prefill_end_ns_;
      if (is_after) request_span_.SetDouble(key::kCoordinatorMs, Ms(decode_start_ns_ - prefill_end_ns_));
    }
    if (is_concurrent_) request_span_.SetBool(key::kConcurrent, true);
  }
  request_span_.End();
  if (server_span_.is_recording() && status_ != 0) {
    server_span_.SetInt(http_key::kStatusCode, status_);
    server_span_.SetInt(http_key::kResponseBodySize, static_cast<int64_t>(answer_bytes_));
    if (status_ >= 500) {
      server_span_.SetString(http_key::kErrorType, StrCat(status_));
      server_span_.SetStatus(otlp::StatusCode::kError);
    }
  }
  server_span_.End();
}

}  // namespace spanloom::llmd::routing_proxy
