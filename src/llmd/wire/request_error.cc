// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/request_error.h"

#include <absl/strings/cord.h>

#include "base/text.h"
#include "llmd/wire/python_text.h"

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

std::string PlaceOf(const FormError& error) {
  return error.place.empty() ? "body" : StrCat("body.", error.place);
}

}  // namespace

Status WrongForm(std::span<const FormError> errors) {
  std::string message = StrCat(errors.size(), " validation error", errors.size() == 1 ? "" : "s", ":");
  for (const FormError& error : errors) {
    StrAppend(message, "\n  {'type': '", error.type, "', 'loc': '", PlaceOf(error),
              "', 'msg': ", PythonQuoted(error.what), ", 'input': ", PythonQuoted(error.input), error.extra, "}");
  }
  return Error(message, "Bad Request", PlaceOf(errors.front()));
}

Status WrongForm(const FormError& error) {
  return WrongForm(std::span(&error, 1));
}

Status WrongValue(std::string_view key, std::string_view what, std::string_view value) {
  const std::string tail = value.empty() ? "" : StrCat(", value=", value);
  return Error(StrCat(what, " (parameter=", key, tail, ")"), "BadRequestError", key);
}

Status WrongRequest(std::string_view what) {
  return Error(what, "BadRequestError", "");
}

Status WrongText() {
  return Error("There was an error parsing the body", kDetailType, "");
}

std::string ErrorTypeOf(const Status& status) {
  return PayloadOf(status, kTypeUrl);
}

std::string ErrorParamOf(const Status& status) {
  return PayloadOf(status, kParamUrl);
}

}  // namespace spanloom::llmd::wire
