// SPDX-License-Identifier: Apache-2.0
//
// Requests to an API server: whole answers, and answers that go on, as a watch's do. What is listed and watched, and
// what is done when it fails, is reflector.h's.

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/status.h"
#include "kube/cluster_access.h"
#include "net/loop.h"

namespace spanloom::kube {

inline constexpr size_t kAnswerBytesMax = 16 << 20;    // of a whole answer: 500 objects of 32 KiB; guess
inline constexpr std::chrono::seconds kAnswerMax{60};  // until it is there; the API server's own --request-timeout

struct ApiRequest {
  std::string path;  // "/api/v1/pods"
  std::string query;
  std::string accept = "application/json";
  std::string permission = {};  // the rule that it takes, for the message of a refusal
};

// How long an answer that goes on may be silent, and how long it may last. 0: no limit.
struct StreamLimits {
  std::chrono::milliseconds silence_max{0};
  std::chrono::milliseconds total_max{0};
};

// An answer that comes piece by piece. Bound to the client's loop, which it must not outlive. Destroying it ends it.
class ApiStream {
 public:
  class State;
  explicit ApiStream(std::shared_ptr<State> state);
  ~ApiStream();
  ApiStream(const ApiStream&) = delete;
  ApiStream& operator=(const ApiStream&) = delete;

  // The next piece; empty at the end. One at a time, on the loop, perhaps inside this call. Errors: those of ApiError
  // if the server refused, kUnavailable if it is not there or the connection was lost, kDeadlineExceeded if it was
  // silent for too long.
  void Read(absl::AnyInvocable<void(StatusOr<Bytes>)> done);

 private:
  std::shared_ptr<State> state_;  // shared with what is under way
};

// Bound to a loop. Destroying it fails what is under way with kCancelled.
class ApiClient {
 public:
  // On the loop. `loops` and `clock` outlive it. Errors as net::HttpClient::Create; reads files, which blocks.
  static StatusOr<std::unique_ptr<ApiClient>> Create(net::LoopPool& loops, net::Loop& loop, const Clock& clock,
                                                     ClusterAccess access);
  ~ApiClient();

  // The body of the answer. `done` is called on the loop. Errors as of ApiStream::Read.
  void Get(ApiRequest request, absl::AnyInvocable<void(StatusOr<Bytes>)> done);

  // `on_open`, if any, is called on the loop when the server has accepted the request.
  std::unique_ptr<ApiStream> Open(ApiRequest request, StreamLimits limits, absl::AnyInvocable<void()> on_open = {});

  [[nodiscard]] net::LoopPool& loops() const;
  [[nodiscard]] net::Loop& loop() const;
  [[nodiscard]] const Clock& clock() const;
  // "https://10.96.0.1:443".
  [[nodiscard]] std::string url() const;

 private:
  struct State;
  friend class ApiStream;
  explicit ApiClient(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;  // shared with requests that wait for a token
};

}  // namespace spanloom::kube
