// SPDX-License-Identifier: Apache-2.0
//
// A Status as gRPC's trailers, and back: grpc-status, grpc-message (percent-encoded) and, if it has details,
// grpc-status-details-bin (base64 of a google.rpc.Status). A detail is a payload of the Status whose type URL begins
// with "type.googleapis.com/" and whose bytes are that message, or its retry delay, which is a google.rpc.RetryInfo.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "net/http.h"

namespace spanloom::net::grpc {

using Trailers = std::vector<std::pair<std::string, std::string>>;

// The trailers that say `status`. Since clients refuse long header blocks, a message is cut after 2 KiB, and details
// are left out that would make more than 4 KiB together.
[[nodiscard]] Trailers StatusToTrailers(const Status& status);

// What an answer's headers or trailers say; a code out of range is kUnknown. `fields` must hold grpc-status.
[[nodiscard]] Status StatusFromTrailers(const HttpHeaders& fields);

// The status of an answer without grpc-status (doc/http-grpc-status-mapping.md of grpc/grpc).
[[nodiscard]] Status StatusFromHttp(int http_status);

// grpc-message: bytes outside 0x20 to 0x7e, and "%", become "%XX".
[[nodiscard]] std::string EncodeGrpcMessage(std::string_view message);

// `status` as a google.rpc.Status, the retry delay as its last detail; "" if it has no details.
[[nodiscard]] std::string EncodeStatusDetails(const Status& status);

// The details in the bytes of a google.rpc.Status, added to `status`; what follows broken bytes is left out.
[[nodiscard]] Status WithStatusDetails(Status status, std::string_view details);

}  // namespace spanloom::net::grpc
