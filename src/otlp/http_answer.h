// SPDX-License-Identifier: Apache-2.0
//
// What the answer to an OTLP/HTTP request means. Specification: OTLP 1.x, "OTLP/HTTP Response".

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "otlp/partial_success.h"

namespace spanloom::otlp {

// The fields of an answer that count. Borrows.
struct HttpAnswer {
  int status = 200;
  std::string_view content_type = {};
  std::string_view retry_after = {};  // seconds, or a date (RFC 9110, 10.2.3)
  std::string_view date = {};         // when it was sent, by its sender's clock (RFC 9110, 6.6.1)
  std::string_view body = {};
};

// Of net::HttpResponse, which is not to be known here.
template <typename Response>
HttpAnswer HttpAnswerOf(const Response& response) {
  return {.status = response.status,
          .content_type = response.headers.Get("content-type"),
          .retry_after = response.headers.Get("retry-after"),
          .date = response.headers.Get("date"),
          .body = response.body.view()};
}

// The error that an answer whose status is not 2xx stands for, with its text (or its number) and the Collector's code.
// Retryable are those after which the same may be sent again ("Retryable Response Codes": 429, 502, 503, 504), with the
// delay of Retry-After, an hour at most; a 429 without one has a delay of 0. The text of a 413 says "too large". A date
// counts from that of the answer, as clocks may differ; from `now_unix_ns` if the answer has none.
[[nodiscard]] Status StatusOfHttpAnswer(const HttpAnswer& answer, int64_t now_unix_ns);

// What an error's body says: the message of a google.rpc.Status in protobuf, else the text as it is. Fit for a log
// line: no control characters, at most 256 bytes.
[[nodiscard]] std::string ErrorText(const HttpAnswer& answer);

// Of an answer with status 2xx; protobuf, or JSON where its content type says so.
[[nodiscard]] PartialSuccess PartialSuccessOf(const HttpAnswer& answer);

}  // namespace spanloom::otlp
