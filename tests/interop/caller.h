// SPDX-License-Identifier: Apache-2.0
//
// Calls over one channel, made from a thread that is not the loop's: each waits for its end.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "net/client.h"

namespace spanloom::interop {

// One streamed call. Destroying it cancels it.
class Conversation {
 public:
  Conversation(net::Loop& loop, net::GrpcChannel& channel, const std::string& method, net::GrpcCallOptions options);
  Conversation(net::Loop& loop, net::GrpcChannel& channel, const std::string& method, std::string message,
               net::GrpcCallOptions options);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // The next message; nullopt at the end.
  StatusOr<std::optional<net::GrpcMessage>> Read();
  Status Write(std::string message);
  void Finish();

  // What came with the headers and with the status; see net::GrpcStream.
  [[nodiscard]] net::HttpHeaders initial_metadata() const;
  [[nodiscard]] net::HttpHeaders trailing_metadata() const;

 private:
  net::Loop& loop_;
  std::unique_ptr<net::GrpcStream> stream_;
};

class Caller {
 public:
  Caller(net::Loop& loop, const std::string& endpoint, size_t calls_max);
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  StatusOr<Bytes> Call(const std::string& method, std::string message, net::GrpcCallOptions options = {});

  // Makes `count` calls at once; the first error, or OK.
  Status CallAtOnce(size_t count, const std::string& method, const std::string& message);

  // Begins a call whose client streams, and one that sends `message` alone.
  std::unique_ptr<Conversation> Open(const std::string& method, net::GrpcCallOptions options = {});
  std::unique_ptr<Conversation> Open(const std::string& method, std::string message, net::GrpcCallOptions options = {});

 private:
  net::Loop& loop_;
  std::unique_ptr<net::GrpcChannel> channel_;
};

}  // namespace spanloom::interop
