// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/error_answer.h"

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "net/client.h"

namespace spanloom::llmd::routing_proxy {
namespace {

constexpr std::string_view kNotReady =
    "The decode node is not ready. Please check that the vLLM service is running and the port configuration is "
    "correct.";

std::string_view TypeOf(int status) {
  switch (status) {
    case 400:
      return "BadRequestError";
    case 403:
      return "Forbidden";
    case 408:
      return "RequestTimeout";
    case 413:
      return "RequestEntityTooLarge";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "GatewayTimeout";
    default:
      return "BadGateway";
  }
}

}  // namespace

net::HttpResponse ErrorAnswer(int status, std::string_view message) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Field("object", "error");
  json.Field("message", message);
  json.Field("type", TypeOf(status));
  json.Key("param");
  json.Null();
  json.Field("code", status);
  json.EndObject();
  net::HttpResponse response;
  response.status = status;
  response.headers.Add("content-type", "application/json");
  response.body = Bytes(std::move(body));
  return response;
}

net::HttpResponse DecodeFailed(const Status& failure) {
  if (net::IsConnectFailure(failure)) return ErrorAnswer(503, kNotReady);
  return ErrorAnswer(502, StrCat("the decode node did not answer: ", StdView(failure.message())));
}

net::HttpResponse TargetDenied() {
  return ErrorAnswer(403, "Forbidden: prefill target not allowed by SSRF protection");
}

}  // namespace spanloom::llmd::routing_proxy
