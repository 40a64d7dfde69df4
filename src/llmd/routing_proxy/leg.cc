// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/leg.h"

#include <absl/strings/numbers.h>

#include <utility>

#include "base/text.h"
#include "llmd/wire/span_names.h"
#include "net/host_port.h"
#include "sdk/trace_context.h"
#include "semconv/names.h"

namespace spanloom::llmd::routing_proxy {
namespace {

namespace key = semconv::http;

void Describe(const Upstream& upstream, const net::HttpRequest& request, sdk::Span& span) {
  if (!span.is_recording()) return;
  const std::string_view target = upstream.target;
  int64_t port = 0;
  const bool has_port = absl::SimpleAtoi(AbslView(target.substr(target.rfind(':') + 1)), &port);
  span.SetString(key::kRequestMethod, request.method);
  span.SetString(key::kUrlFull, StrCat(upstream.is_tls ? "https://" : "http://", target, request.path));
  span.SetString(key::kUrlPath, request.path);
  span.SetString(key::kServerAddress, net::HostOf(target));
  if (has_port) span.SetInt(key::kServerPort, port);
  span.SetString(key::kProtocolVersion, "1.1");
}

}  // namespace

Leg::Leg(const sdk::Tracer& tracer, const sdk::TraceContext& parent, const Upstream& upstream, net::HttpRequest request,
         net::HttpStreamOptions options, OnHead on_head)
    : client_(upstream.client), on_head_(std::move(on_head)) {
  if (tracer.is_on()) {
    span_ = tracer.Start(StrCat(wire::span_name::kClientPrefix, request.method), otlp::SpanKind::kClient, parent);
    Describe(upstream, request, span_);
  }
  sdk::Inject(span_.context().IsValid() ? span_.context() : parent, request.headers, tracer.propagation());
  exchange_ = client_->Open(std::move(request), options,
                            [this](StatusOr<net::HttpResponseHead> head) { TakeHead(std::move(head)); });
}

Leg::~Leg() {
  if (!span_.is_recording()) return;
  span_.SetString(key::kErrorType, "cancelled");
  span_.SetStatus(otlp::StatusCode::kError, "given up");
}

void Leg::Fail(const Status& failure) {
  span_.SetString(key::kErrorType, absl::StatusCodeToString(failure.code()));
  span_.SetStatus(otlp::StatusCode::kError, StdView(failure.message()));
  span_.End();
}

void Leg::TakeHead(StatusOr<net::HttpResponseHead> head) {
  if (!head.ok()) {
    Fail(head.status());
  } else if (span_.is_recording()) {
    span_.SetInt(key::kStatusCode, head->status);
    if (head->status >= 400) {
      span_.SetString(key::kErrorType, StrCat(head->status));
      span_.SetStatus(otlp::StatusCode::kError);
    }
  }
  auto on_head = std::exchange(on_head_, nullptr);
  on_head(std::move(head));  // may destroy this
}

void Leg::Read(OnPiece on_piece) {
  on_piece_ = std::move(on_piece);
  exchange_->Read([this](StatusOr<Bytes> piece) { TakePiece(std::move(piece)); });
}

void Leg::TakePiece(StatusOr<Bytes> piece) {
  if (!piece.ok()) {
    Fail(piece.status());
  } else if (piece->empty()) {
    span_.End();
  }
  auto on_piece = std::exchange(on_piece_, nullptr);
  on_piece(std::move(piece));  // may destroy this
}

void Leg::ReadAll(net::HttpResponseHead head, size_t bytes_max, OnAnswer on_answer) {
  answer_.status = head.status;
  answer_.headers = std::move(head.headers);
  body_bytes_max_ = bytes_max;
  on_answer_ = std::move(on_answer);
  Read([this](StatusOr<Bytes> piece) { TakeRest(std::move(piece)); });
}

void Leg::TakeRest(StatusOr<Bytes> piece) {
  Status failure = piece.status();
  if (piece.ok() && piece->size() > body_bytes_max_ - body_.size()) {
    failure = absl::ResourceExhaustedError(StrCat("the answer is larger than ", body_bytes_max_, " bytes"));
    Fail(failure);
  }
  if (failure.ok() && !piece->empty()) {
    body_.append(piece->view());
    return Read([this](StatusOr<Bytes> next) { TakeRest(std::move(next)); });
  }
  auto on_answer = std::exchange(on_answer_, nullptr);
  if (!failure.ok()) return on_answer(std::move(failure));  // may destroy this
  answer_.body = Bytes(std::move(body_));
  on_answer(std::move(answer_));  // may destroy this
}

}  // namespace spanloom::llmd::routing_proxy
