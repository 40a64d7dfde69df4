// SPDX-License-Identifier: Apache-2.0
//
// The client's part of the cases of doc/interop-test-descriptions.md (grpc/grpc), and a few of our own.

#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/client.h"

namespace spanloom::interop {

// Calls of one connection, made from a thread that is not the loop's.
class Caller {
 public:
  Caller(net::Loop& loop, const std::string& endpoint, size_t calls_max);
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // Makes a call and waits for its end.
  StatusOr<Bytes> Call(const std::string& method, std::string message, net::GrpcCallOptions options = {});

  // Makes `count` calls at once; the first error, or OK.
  Status CallAtOnce(size_t count, const std::string& method, const std::string& message);

 private:
  net::Loop& loop_;
  std::unique_ptr<net::GrpcChannel> channel_;
};

// OK, or what was not as it should be.
using Case = std::function<Status(Caller&)>;
std::map<std::string, Case> Cases();

}  // namespace spanloom::interop
