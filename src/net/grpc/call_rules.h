// SPDX-License-Identifier: Apache-2.0
//
// What a server can say about a gRPC call from its headers alone: which method it is for, and how it is compressed.

#pragma once

#include <string_view>

#include "base/status.h"
#include "net/compression.h"
#include "net/grpc.h"
#include "net/http.h"

namespace spanloom::net::grpc {

// True for "application/grpc" and its subtypes "application/grpc+proto"; not for grpc-web.
[[nodiscard]] bool IsGrpcContentType(std::string_view content_type);

// The one of `methods` that `method` names. kUnimplemented, in grpc-go's words, if there is none.
StatusOr<const GrpcMethod*> FindMethod(const GrpcMethods& methods, std::string_view method);

// The stream's grpc-encoding. kUnimplemented, in grpc-go's words, if it is unknown.
StatusOr<Compression> MessageCompression(const HttpHeaders& headers);

// The coding for an answer as `wanted`. `request` is that of the request, `accepted` the client's grpc-accept-encoding.
[[nodiscard]] Compression CompressionOfAnswer(AnswerCompression wanted, Compression request, std::string_view accepted);

inline constexpr size_t kCompressedAnswerBytesMin = 1024;  // below, the coding costs more than it saves; guess

// As grpc-encoding names it: "gzip", "deflate", "zstd", "identity", and "snappy" for kSnappyFramed, which is what
// grpc-go's clients send by that name.
[[nodiscard]] std::string_view EncodingName(Compression compression);

// What this implementation takes: the value of grpc-accept-encoding.
inline constexpr std::string_view kAcceptedEncodings = "identity,deflate,gzip,snappy,zstd";

}  // namespace spanloom::net::grpc
