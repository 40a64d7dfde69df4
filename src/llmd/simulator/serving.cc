// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/serving.h"

#include <string>
#include <utility>

#include "base/text.h"

namespace spanloom::llmd::simulator {

net::HttpResponse JsonAnswer(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.headers.Add("content-type", "application/json");
  response.body = Bytes(std::move(body));
  return response;
}

net::HttpResponse ErrorAnswer(const wire::ApiError& error) {
  return JsonAnswer(error.status, wire::ErrorBody(error));
}

wire::ApiError ErrorOf(const Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
      return {400, "BadRequestError", message, ""};
    case absl::StatusCode::kNotFound:
      return {404, "NotFoundError", message, ""};
    case absl::StatusCode::kResourceExhausted:
      return {429, "RateLimitError", message, ""};
    default:
      return {500, "InternalServerError", message, ""};
  }
}

void AddAnswerHeaders(const SimulatorOptions& options, const net::HttpHeaders& request, net::HttpHeaders& answer) {
  const std::string_view id = request.Get("x-request-id");
  if (options.echoes_request_id && !id.empty()) answer.Add("x-request-id", std::string(id));
  if (!options.pod_name.empty()) answer.Add("x-inference-pod", options.pod_name);
  if (!options.pod_namespace.empty()) answer.Add("x-inference-namespace", options.pod_namespace);
  if (options.pod_name.empty()) return;
  answer.Add("x-inference-port", options.endpoint.substr(options.endpoint.rfind(':') + 1));
}

}  // namespace spanloom::llmd::simulator
