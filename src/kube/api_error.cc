// SPDX-License-Identifier: Apache-2.0

#include "kube/api_error.h"

#include "base/text.h"
#include "kube/json.h"

namespace spanloom::kube {
namespace {

constexpr size_t kTextMax = 300;  // of a body that is no Status object; guess

std::string MessageOf(std::string_view body) {
  JsonReader reader;
  const auto root = reader.Read(body);
  if (root.ok()) {
    const std::string_view message = TextAt(*root, "message");
    if (!message.empty()) return std::string(message);
  }
  return std::string(body.substr(0, kTextMax));
}

absl::StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 400:
    case 406:
    case 422:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 410:
      return absl::StatusCode::kOutOfRange;
    case 429:
      return absl::StatusCode::kUnavailable;
    default:
      return http_status >= 500 ? absl::StatusCode::kUnavailable : absl::StatusCode::kUnknown;
  }
}

std::string AdviceOf(int http_status, std::string_view permission) {
  if (http_status == 401) return "; the token or certificate is not known to this server, or has expired";
  if (http_status != 403) return "";
  return StrCat("; bind the account to a role with this rule: ", permission);
}

}  // namespace

Status ApiError(int http_status, std::string_view body, std::string_view what, std::string_view permission) {
  return {CodeOf(http_status),
          StrCat(what, ": ", http_status, ": ", MessageOf(body), AdviceOf(http_status, permission))};
}

}  // namespace spanloom::kube
