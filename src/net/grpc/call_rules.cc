// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/call_rules.h"

#include "base/text.h"

namespace spanloom::net::grpc {
namespace {

constexpr std::string_view kContentType = "application/grpc";

// True if a name of `methods` starts with "/service/".
bool HasService(const GrpcMethods& methods, std::string_view service_prefix) {
  const auto found = methods.lower_bound(service_prefix);
  return found != methods.end() && found->first.starts_with(service_prefix);
}

}  // namespace

bool IsGrpcContentType(std::string_view content_type) {
  if (!content_type.starts_with(kContentType)) return false;
  const std::string_view rest = content_type.substr(kContentType.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';';
}

StatusOr<const GrpcMethod*> FindMethod(const GrpcMethods& methods, std::string_view method) {
  const auto found = methods.find(method);
  if (found != methods.end()) return &found->second;
  const size_t slash = method.rfind('/');
  if (!method.starts_with('/') || slash == 0 || slash == std::string_view::npos) {
    return absl::UnimplementedError(StrCat("malformed method name: \"", method, "\""));
  }
  const std::string_view service = method.substr(1, slash - 1);
  if (!HasService(methods, method.substr(0, slash + 1))) {
    return absl::UnimplementedError(StrCat("unknown service ", service));
  }
  return absl::UnimplementedError(StrCat("unknown method ", method.substr(slash + 1), " for service ", service));
}

StatusOr<Compression> MessageCompression(const HttpHeaders& headers) {
  const std::string_view encoding = headers.Get("grpc-encoding");
  if (encoding.empty() || encoding == EncodingName(Compression::kNone)) return Compression::kNone;
  for (const Compression compression : kGrpcCompressions) {
    if (encoding == EncodingName(compression)) return compression;
  }
  return absl::UnimplementedError(StrCat("grpc: Decompressor is not installed for grpc-encoding \"", encoding, "\""));
}

Compression CompressionOfAnswer(AnswerCompression wanted, Compression request, std::string_view accepted) {
  const auto is_accepted = [&](Compression coding) {
    return accepted.find(EncodingName(coding)) != std::string_view::npos;
  };
  if (wanted == AnswerCompression::kAsRequest) return is_accepted(request) ? request : Compression::kNone;
  if (wanted == AnswerCompression::kOff) return Compression::kNone;
  if (is_accepted(Compression::kGzip)) return Compression::kGzip;
  return is_accepted(Compression::kDeflate) ? Compression::kDeflate : Compression::kNone;
}

std::string_view EncodingName(Compression compression) {
  return compression == Compression::kSnappyFramed ? "snappy" : ContentEncoding(compression);
}

}  // namespace spanloom::net::grpc
