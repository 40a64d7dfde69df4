// SPDX-License-Identifier: Apache-2.0
//
// Whom a client's connection gives the answer to one call while it arrives.

#pragma once

#include <string_view>

#include "base/status.h"
#include "net/http.h"

namespace spanloom::net::http2 {

// Called on the loop, never from inside a function of the connection that the sink calls. A sink may cancel its call,
// or close the connection, from inside these.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;

  // The answer's headers, if it has HTTP status 200 and goes on. At most once.
  virtual void OnHeaders(const HttpHeaders& headers) = 0;

  // Bytes of the answer. The sink gives the stream's window back, by ClientConnection::ConsumeOnStream. An error aborts
  // the call, which then ends with it.
  virtual Status OnBody(std::string_view piece) = 0;

  // The request's body, which is open, wants more.
  virtual void OnDrained() = 0;

  // The last one: what the peer said, or what became of it. `trailers` are the fields that it ended with.
  virtual void OnEnd(Status status, HttpHeaders trailers) = 0;

  // The last one, in place of OnEnd: the peer has certainly not looked at the call, which may be sent again.
  virtual void OnUnprocessed() = 0;
};

}  // namespace spanloom::net::http2
