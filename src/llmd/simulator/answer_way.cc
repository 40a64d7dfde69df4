// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/answer_way.h"

#include <utility>

#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

Status StatusOf(const wire::ApiError& error) {
  const absl::StatusCode code = error.status == 404   ? absl::StatusCode::kNotFound
                                : error.status == 429 ? absl::StatusCode::kResourceExhausted
                                : error.status < 500  ? absl::StatusCode::kInvalidArgument
                                                      : absl::StatusCode::kInternal;
  return {code, error.message};
}

}  // namespace

void HttpWay::Respond(net::HttpResponse answer) {
  if (!responder_ || responder_->cancel_signal().is_cancelled()) return;
  std::move(*std::exchange(responder_, std::nullopt)).Respond(std::move(answer));
}

void HttpWay::Refuse(const wire::ApiError& /*error*/, net::HttpResponse answer) {
  Respond(std::move(answer));
}

void HttpWay::Open(net::HttpHeaders headers) {
  net::HttpResponse head;
  head.headers = std::move(headers);
  head.headers.Add("content-type", "text/event-stream; charset=utf-8");
  head.headers.Add("vary", "Origin");
  stream_ = std::make_shared<BodyStream>(std::move(*std::exchange(responder_, std::nullopt)).Stream(std::move(head)));
}

void HttpWay::Break(const wire::ApiError& /*error*/, std::string text) {
  stream_->Write(text);
  stream_->Finish();
}

// Messages that wait for a slow client, and how the call ends behind them.
class RpcWay::Messages : public std::enable_shared_from_this<Messages> {
 public:
  explicit Messages(net::GrpcWriter writer) : writer_(std::move(writer)) {}

  bool Add(std::string message) {
    if (is_closed_) return false;
    waiting_bytes_ += message.size();
    if (waiting_bytes_ > kStreamBytesMax) {
      Close(absl::ResourceExhaustedError("the client is too slow for the answer"));
      return false;
    }
    waiting_.push_back(std::move(message));
    Pump();
    return true;
  }

  void End(Status status) {
    if (end_) return;
    end_ = std::move(status);
    Pump();
  }

 private:
  void Close(Status status) {
    is_closed_ = true;
    std::move(writer_).Finish(std::move(status));
  }

  void Pump() {
    if (is_writing_ || is_closed_) return;
    if (waiting_.empty()) {
      if (end_) Close(*end_);
      return;
    }
    std::string message = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= message.size();
    is_writing_ = true;
    writer_.Write(Bytes(std::move(message)), [self = shared_from_this()](const Status& status) {
      self->is_writing_ = false;
      if (!status.ok()) self->is_closed_ = true;
      self->Pump();
    });
  }

  net::GrpcWriter writer_;
  std::deque<std::string> waiting_;
  size_t waiting_bytes_ = 0;
  std::optional<Status> end_;  // once no more are added
  bool is_writing_ = false;
  bool is_closed_ = false;  // ended, or the client is gone
};

RpcWay::RpcWay(net::GrpcWriter writer)
    : cancel_signal_(writer.cancel_signal()), messages_(std::make_shared<Messages>(std::move(writer))) {}

void RpcWay::Respond(net::HttpResponse answer) {
  messages_->Add(std::string(answer.body.view()));
  messages_->End(absl::OkStatus());
}

void RpcWay::Refuse(const wire::ApiError& error, net::HttpResponse /*answer*/) {
  messages_->End(StatusOf(error));
}

void RpcWay::Open(net::HttpHeaders /*headers*/) {
  is_open_ = true;
}

bool RpcWay::Write(std::string piece) {
  return piece.empty() || messages_->Add(std::move(piece));
}

void RpcWay::Break(const wire::ApiError& error, std::string /*text*/) {
  messages_->End(StatusOf(error));
}

void RpcWay::Finish() {
  messages_->End(absl::OkStatus());
}

}  // namespace spanloom::llmd::simulator
