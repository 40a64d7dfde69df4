// SPDX-License-Identifier: Apache-2.0

#include "tests/interop/caller.h"

#include <future>
#include <utility>
#include <vector>

#include "base/check.h"

namespace spanloom::interop {
namespace {

// Runs `function` on `loop` and waits until it has run.
template <typename Function>
void RunOn(net::Loop& loop, Function function) {
  std::promise<void> done;
  loop.Post([&] {
    function();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace

Conversation::Conversation(net::Loop& loop, net::GrpcChannel& channel, const std::string& method,
                           net::GrpcCallOptions options)
    : loop_(loop) {
  RunOn(loop_, [&] { stream_ = channel.Open(method, std::move(options)); });
}

Conversation::Conversation(net::Loop& loop, net::GrpcChannel& channel, const std::string& method, std::string message,
                           net::GrpcCallOptions options)
    : loop_(loop) {
  RunOn(loop_, [&] { stream_ = channel.Open(method, Bytes(std::move(message)), std::move(options)); });
}

Conversation::~Conversation() {
  RunOn(loop_, [this] { stream_.reset(); });
}

StatusOr<std::optional<net::GrpcMessage>> Conversation::Read() {
  std::promise<StatusOr<std::optional<net::GrpcMessage>>> promise;
  RunOn(loop_, [&] {
    stream_->Read(
        [&promise](StatusOr<std::optional<net::GrpcMessage>> message) { promise.set_value(std::move(message)); });
  });
  return promise.get_future().get();
}

Status Conversation::Write(std::string message) {
  std::promise<Status> promise;
  RunOn(loop_, [&] {
    stream_->Write(Bytes(std::move(message)), [&promise](Status status) { promise.set_value(std::move(status)); });
  });
  return promise.get_future().get();
}

void Conversation::Finish() {
  RunOn(loop_, [this] { stream_->Finish(); });
}

net::HttpHeaders Conversation::initial_metadata() const {
  net::HttpHeaders metadata;
  RunOn(loop_, [&] { metadata = stream_->initial_metadata(); });
  return metadata;
}

net::HttpHeaders Conversation::trailing_metadata() const {
  net::HttpHeaders metadata;
  RunOn(loop_, [&] { metadata = stream_->trailing_metadata(); });
  return metadata;
}

Caller::Caller(net::Loop& loop, const std::string& endpoint, size_t calls_max) : loop_(loop) {
  net::GrpcChannelOptions options;
  options.endpoint = endpoint;
  options.user_agent = "spanloom-interop";
  options.calls_max = calls_max;
  auto channel = net::GrpcChannel::Create(loop, std::move(options));
  CHECK(channel.ok());
  channel_ = *std::move(channel);
}

Caller::~Caller() {
  RunOn(loop_, [this] { channel_.reset(); });
}

StatusOr<Bytes> Caller::Call(const std::string& method, std::string message, net::GrpcCallOptions options) {
  std::promise<StatusOr<Bytes>> promise;
  std::future<StatusOr<Bytes>> answer = promise.get_future();
  loop_.Post([&, message = Bytes(std::move(message))]() mutable {
    channel_->Call(method, ByteChain(std::move(message)), std::move(options),
                   [&promise](StatusOr<Bytes> result) { promise.set_value(std::move(result)); });
  });
  return answer.get();
}

Status Caller::CallAtOnce(size_t count, const std::string& method, const std::string& message) {
  net::GrpcCallOptions options;
  options.deadline = std::chrono::seconds(20);
  std::vector<std::promise<Status>> promises(count);
  loop_.Post([&] {
    for (std::promise<Status>& promise : promises) {
      channel_->Call(method, ByteChain(Bytes::CopyOf(message)), options,
                     [&promise](const StatusOr<Bytes>& result) { promise.set_value(result.status()); });
    }
  });
  Status first;
  for (std::promise<Status>& promise : promises) first.Update(promise.get_future().get());
  return first;
}

std::unique_ptr<Conversation> Caller::Open(const std::string& method, net::GrpcCallOptions options) {
  return std::make_unique<Conversation>(loop_, *channel_, method, std::move(options));
}

std::unique_ptr<Conversation> Caller::Open(const std::string& method, std::string message,
                                           net::GrpcCallOptions options) {
  return std::make_unique<Conversation>(loop_, *channel_, method, std::move(message), std::move(options));
}

}  // namespace spanloom::interop
