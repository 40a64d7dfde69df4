// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/passed_request.h"

#include <absl/strings/numbers.h>

#include "base/text.h"
#include "llmd/wire/span_names.h"

namespace spanloom::llmd::routing_proxy {
namespace {

namespace key = wire::span_key;

// False if the request ends with its header. Over HTTP/2 only the method can tell.
bool MayHaveBody(const net::HttpRequest& request) {
  if (!request.headers.Get("transfer-encoding").empty()) return true;
  return request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
}

}  // namespace

void PassedRequest::Begin() {
  if (api().has_value() && request_span().is_recording()) {
    request_span().SetBool(key::kDisaggregationUsed, false);
    request_span().SetString(key::kReason, "no_prefill_header");
  }
  uint64_t bytes = 0;
  const bool is_declared = absl::SimpleAtoi(AbslView(head().headers.Get("content-length")), &bytes);
  if (is_declared && bytes == 0) return Decode({});
  if (!is_declared && !MayHaveBody(head())) return Decode({});
  if (!is_declared) return DecodeStreamed(std::nullopt);
  if (bytes > kSmallBytesMax) return DecodeStreamed(bytes);
  ReadBody(kSmallBytesMax, [this](Bytes body) { Decode(std::move(body)); });
}

}  // namespace spanloom::llmd::routing_proxy
