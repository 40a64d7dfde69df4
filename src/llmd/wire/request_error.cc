// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/request_error.h"

#include <absl/strings/cord.h>

#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

constexpr char kTypeUrl[] = "type.spanloom/request_error_type";
constexpr char kParamUrl[] = "type.spanloom/request_error_param";

std::string PayloadOf(const Status& status, const char* url) {
  const auto payload = status.GetPayload(url);
  return payload ? std::string(*payload) : std::string();
}

Status Error(std::string_view message, std::string_view type, std::string_view param) {
  Status status = absl::InvalidArgumentError(AbslView(message));
  status.SetPayload(kTypeUrl, absl::Cord(AbslView(type)));
  status.SetPayload(kParamUrl, absl::Cord(AbslView(param)));
  return status;
}

}  // namespace

Status WrongForm(std::string_view key, std::string_view what) {
  const bool is_whole = key == "body";
  const std::string place = is_whole ? "'body'," : StrCat("'body', '", key, "'");
  return Error(StrCat("1 validation error:\n  {'loc': (", place, "), 'msg': '", what, "'}"), "Bad Request",
               is_whole ? "body" : StrCat("body.", key));
}

Status WrongValue(std::string_view key, std::string_view what) {
  return Error(what, "BadRequestError", key);
}

std::string ErrorTypeOf(const Status& status) {
  return PayloadOf(status, kTypeUrl);
}

std::string ErrorParamOf(const Status& status) {
  return PayloadOf(status, kParamUrl);
}

}  // namespace spanloom::llmd::wire
