// SPDX-License-Identifier: Apache-2.0
//
// A Status as gRPC's trailers, and back: grpc-status, grpc-message (percent-encoded) and, if it has a retry delay,
// grpc-status-details-bin (base64 of a google.rpc.Status that holds a google.rpc.RetryInfo).

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "net/http.h"

namespace spanloom::net::grpc {

using Trailers = std::vector<std::pair<std::string, std::string>>;

// The trailers that say `status`. A message is cut after 2 KiB, since clients refuse long header blocks.
[[nodiscard]] Trailers StatusToTrailers(const Status& status);

// What an answer's headers or trailers say; a code out of range is kUnknown. `fields` must hold grpc-status.
[[nodiscard]] Status StatusFromTrailers(const HttpHeaders& fields);

// The status of an answer without grpc-status (doc/http-grpc-status-mapping.md of grpc/grpc).
[[nodiscard]] Status StatusFromHttp(int http_status);

// grpc-message: bytes outside 0x20 to 0x7e, and "%", become "%XX".
[[nodiscard]] std::string EncodeGrpcMessage(std::string_view message);

// A google.rpc.Status with one detail, RetryInfo. `status` must have a retry delay.
[[nodiscard]] std::string EncodeStatusDetails(const Status& status);

// The retry delay in the bytes of a google.rpc.Status; nullopt if there is none or the bytes are broken.
[[nodiscard]] std::optional<std::chrono::milliseconds> RetryDelayFromDetails(std::string_view details);

}  // namespace spanloom::net::grpc
