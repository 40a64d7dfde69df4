// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/metadata.h"

#include <absl/strings/escaping.h>

#include <algorithm>

#include "base/text.h"
#include "net/client.h"
#include "net/detail/http_rules.h"

namespace spanloom::net::grpc {
namespace {

constexpr size_t kFieldOverheadBytes = 32;  // RFC 9113, 6.5.2: what a field counts beyond its text

bool IsBinary(std::string_view name) {
  return name.ends_with("-bin");
}

// "Header-Name" of the specification.
bool IsName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '.';
  });
}

std::string UnpaddedBase64(std::string_view bytes) {
  std::string encoded = absl::Base64Escape(AbslView(bytes));
  encoded.erase(encoded.find_last_not_of('=') + 1);
  return encoded;
}

// Adds each value of a "-bin" field that may hold several.
Status AddDecoded(const std::string& name, std::string_view value, HttpHeaders& out) {
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find(',', begin), value.size());
    std::string bytes;
    if (!absl::Base64Unescape(AbslView(value.substr(begin, end - begin)), &bytes)) {
      return absl::InternalError(StrCat("grpc: the metadata \"", name, "\" is not base64"));
    }
    out.Add(name, std::move(bytes));
    begin = end + 1;
  }
  return absl::OkStatus();
}

}  // namespace

bool IsReservedMetadata(std::string_view name) {
  static constexpr std::string_view kOfHttp[] = {"content-type", "user-agent", "te", "host", "content-length"};
  const bool is_https = std::find(std::begin(kOfHttp), std::end(kOfHttp), name) != std::end(kOfHttp);
  return name.starts_with(':') || name.starts_with("grpc-") || is_https || IsConnectionHeader(name);
}

StatusOr<Fields> EncodeMetadata(const HttpHeaders& metadata) {
  Fields fields;
  size_t bytes = 0;
  for (const auto& [given_name, value] : metadata.fields()) {
    std::string name = ToLower(given_name);
    if (IsReservedMetadata(name)) {
      return absl::InvalidArgumentError(StrCat("metadata: \"", name, "\" is a name of the protocol's own"));
    }
    if (!IsName(name)) {
      return absl::InvalidArgumentError(
          StrCat("metadata: a name has letters, digits, \"-\", \"_\" and \".\", not \"", given_name, "\""));
    }
    std::string sent = IsBinary(name) ? UnpaddedBase64(value) : CleanHeaderValue(value);
    bytes += name.size() + sent.size() + kFieldOverheadBytes;
    fields.emplace_back(std::move(name), std::move(sent));
  }
  if (bytes <= kMetadataBytesMax) return fields;
  return absl::ResourceExhaustedError(StrCat("metadata: ", bytes, " bytes, at most ", kMetadataBytesMax, " are sent"));
}

Status DecodeBinaryMetadata(HttpHeaders& fields) {
  const auto& given = fields.fields();
  if (std::none_of(given.begin(), given.end(), [](const auto& field) { return IsBinary(field.first); })) {
    return absl::OkStatus();
  }
  HttpHeaders decoded;
  for (const auto& [name, value] : given) {
    if (!IsBinary(name)) {
      decoded.Add(name, value);
      continue;
    }
    RETURN_IF_ERROR(AddDecoded(name, value, decoded));
  }
  fields = std::move(decoded);
  return absl::OkStatus();
}

StatusOr<HttpHeaders> MetadataOf(const HttpHeaders& fields) {
  HttpHeaders metadata;
  for (const auto& [name, value] : fields.fields()) {
    if (!IsReservedMetadata(name)) metadata.Add(name, value);
  }
  RETURN_IF_ERROR(DecodeBinaryMetadata(metadata));
  return metadata;
}

}  // namespace spanloom::net::grpc

namespace spanloom::net {

Status ValidateMetadata(const HttpHeaders& metadata) {
  return grpc::EncodeMetadata(metadata).status();
}

}  // namespace spanloom::net
