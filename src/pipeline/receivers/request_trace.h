// SPDX-License-Identifier: Apache-2.0
//
// The spans about one received request, as the Collector makes them: a SERVER span for the call, which continues the
// trace of its sender, and below it one for what became of the spans in it.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http.h"
#include "sdk/tracer.h"

namespace spanloom::pipeline {

// Movable by its owner's pointer; its calls are for one thread at a time.
class RequestTrace {
 public:
  // Both return null if nobody asks for the spans: the tracer is off, the trace is not sampled, or the request carries
  // spans about a process of ours, whose spans would otherwise cause the next ones for ever.
  static std::unique_ptr<RequestTrace> OfGrpc(const sdk::Tracer& tracer, const net::HttpHeaders& metadata);
  static std::unique_ptr<RequestTrace> OfHttp(const sdk::Tracer& tracer, const net::HttpRequest& request);

  // Begins "receiver/ID/TraceDataReceived".
  void BeginReceive(const std::string& receiver, std::string_view transport, std::string_view format);
  // `spans` were accepted or refused, as `status` says.
  void EndReceive(size_t spans, const Status& status);

  // Ends the SERVER span with what the sender was answered.
  void AnswerGrpc(const Status& status);
  void AnswerHttp(int http_status);

 private:
  static std::unique_ptr<RequestTrace> Start(const sdk::Tracer& tracer, std::string_view name,
                                             const net::HttpHeaders& headers);
  RequestTrace(const sdk::Tracer& tracer, sdk::Span server) : tracer_(tracer), server_(std::move(server)) {}

  const sdk::Tracer& tracer_;
  sdk::Span server_;
  sdk::Span receive_;
};

}  // namespace spanloom::pipeline
