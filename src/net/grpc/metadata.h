// SPDX-License-Identifier: Apache-2.0
//
// Metadata of a call as fields of HTTP/2, and back. The values of names that end with "-bin" are bytes, in base64 on
// the wire; others are printable ASCII ("Custom-Metadata" in doc/PROTOCOL-HTTP2.md of grpc/grpc).

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "net/http.h"

namespace spanloom::net::grpc {

using Fields = std::vector<std::pair<std::string, std::string>>;

// Of what one side sends in a block, encoded. Half of what we take; grpc-go and C-core take 8 to 16 KiB unless told
// otherwise, which their users do. Guess.
inline constexpr size_t kMetadataBytesMax = 32 << 10;

// True if `name`, in lower case, is the protocol's: a pseudo header, one that begins with "grpc-", or one that says how
// HTTP carries the call.
[[nodiscard]] bool IsReservedMetadata(std::string_view name);

// As it is sent: names in lower case; of other values than bytes, control characters become spaces. kInvalidArgument
// names a reserved name or one that HTTP/2 does not allow; kResourceExhausted for more than kMetadataBytesMax.
[[nodiscard]] StatusOr<Fields> EncodeMetadata(const HttpHeaders& metadata);

// Decodes the values that are bytes; several that a peer has joined by commas are taken apart. kInternal if one is not
// base64.
[[nodiscard]] Status DecodeBinaryMetadata(HttpHeaders& fields);

// The metadata among the fields of an answer. Errors: as DecodeBinaryMetadata.
[[nodiscard]] StatusOr<HttpHeaders> MetadataOf(const HttpHeaders& fields);

}  // namespace spanloom::net::grpc
