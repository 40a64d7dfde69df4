// SPDX-License-Identifier: Apache-2.0
//
// What a run of load is, and what came of it. Each connection keeps `in_flight` requests under way until `requests` are
// answered over all of them; or, with a rate, requests are sent when they are due, and late only if so many are under
// way.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "request_body.h"

namespace spanloom::bench {

struct LoadOptions {
  uint16_t port = 0;
  uint64_t requests = 0;
  int connections = 1;
  int in_flight = 1;  // of each connection; HTTP/1.1 has one
  double rate = 0;    // requests a second over all connections, evenly spaced; 0: as fast as they are answered
  std::string path;
  std::string content_type;  // of HTTP/1.1
};

// Thread-compatible.
class LoadResult {
 public:
  using Clock = std::chrono::steady_clock;

  // A request was answered as it should be, `begin` is when it was sent.
  void Answered(Clock::time_point begin) {
    ++answered_;
    latencies_us_.push_back(std::chrono::duration<float, std::micro>(Clock::now() - begin).count());
  }
  // A request was answered otherwise, or not at all. The first reason is kept.
  void Failed(std::string reason) {
    if (failed_++ == 0) reason_ = std::move(reason);
  }
  [[nodiscard]] uint64_t count() const { return answered_ + failed_; }
  [[nodiscard]] uint64_t failed() const { return failed_; }

  // One line of JSON.
  void Print(double seconds);

 private:
  uint64_t answered_ = 0;
  uint64_t failed_ = 0;
  std::string reason_;
  std::vector<float> latencies_us_;  // [answered_], in order of arrival
};

// gRPC over HTTP/2, unary: every answer must be 200 with grpc-status 0.
LoadResult RunGrpc(const LoadOptions& options, RequestBody& body);

// POST over HTTP/1.1 with kept-alive connections: every answer must be 200. Has no rate.
LoadResult RunHttp1(const LoadOptions& options, RequestBody& body);

}  // namespace spanloom::bench
