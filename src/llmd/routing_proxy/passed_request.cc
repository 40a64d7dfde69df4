// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/passed_request.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
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

// What the connection is to change to, or "". Over cleartext or TLS, HTTP/2 is not begun by an upgrade (RFC 9113, 3.1):
// who asks for that is answered in HTTP/1.1.
std::string_view ProtocolAskedFor(const net::HttpRequest& request) {
  const std::string_view protocol = request.headers.Get("upgrade");
  const bool is_http = absl::StrContains(absl::AsciiStrToLower(AbslView(protocol)), "h2c");
  return request.method != "GET" || is_http ? std::string_view() : protocol;
}

}  // namespace

void PassedRequest::Begin() {
  if (api().has_value() && request_span().is_recording()) {
    request_span().SetBool(key::kDisaggregationUsed, false);
    request_span().SetString(key::kReason, "no_prefill_header");
  }
  if (const std::string_view protocol = ProtocolAskedFor(head()); !protocol.empty()) return DecodeSwitched(protocol);
  uint64_t bytes = 0;
  const bool is_declared = absl::SimpleAtoi(AbslView(head().headers.Get("content-length")), &bytes);
  if (is_declared && bytes == 0) return Decode({});
  if (!is_declared && !MayHaveBody(head())) return Decode({});
  if (!is_declared) return DecodeStreamed(std::nullopt);
  if (bytes > kSmallBytesMax) return DecodeStreamed(bytes);
  ReadBody(kSmallBytesMax, [this](Bytes body) { Decode(std::move(body)); });
}

}  // namespace spanloom::llmd::routing_proxy
