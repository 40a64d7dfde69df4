// SPDX-License-Identifier: Apache-2.0
//
// What an OTLP/HTTP client is answered, byte for byte as the Collector answers. Specification: OTLP 1.x, "OTLP/HTTP
// Response".

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "net/http.h"

namespace spanloom::pipeline {

// How a request is written, and hence its answer.
enum class OtlpEncoding : uint8_t { kProtobuf, kJson };

// From Content-Type, whose parameters do not matter; nullopt if it is neither application/x-protobuf nor
// application/json.
[[nodiscard]] std::optional<OtlpEncoding> EncodingOf(std::string_view content_type);

// ExportTraceServiceResponse with an empty partial_success, as the Collector writes it: 0a 00.
[[nodiscard]] Bytes SuccessMessage();

// 200 for OK; else the HTTP status of the error with a google.rpc.Status body, and Retry-After in whole seconds (at
// least 1) if the answer is 429 or 503 and the error carries a delay.
[[nodiscard]] net::HttpResponse OtlpResponse(const Status& status, OtlpEncoding encoding);

// Without a charset.
[[nodiscard]] net::HttpResponse PlainResponse(int status, std::string_view text);
// 404, for a path that nobody takes.
[[nodiscard]] net::HttpResponse NotFound();
// 307: the client sends its request again, to `path`.
[[nodiscard]] net::HttpResponse Redirect(std::string path, std::string_view query);

// `path` without empty segments, "." and ".."; a slash at its end stays.
[[nodiscard]] std::string ShortestPath(std::string_view path);

}  // namespace spanloom::pipeline
