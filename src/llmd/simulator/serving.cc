// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/serving.h"

#include <absl/strings/str_join.h>

#include <string>
#include <utility>

#include "base/text.h"
#include "llmd/wire/request_error.h"

namespace spanloom::llmd::simulator {

net::HttpResponse JsonAnswer(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.headers.Add("content-type", "application/json");
  response.headers.Add("vary", "Origin");
  response.body = Bytes(std::move(body));
  return response;
}

net::HttpResponse ErrorAnswer(const wire::ApiError& error) {
  return JsonAnswer(error.status, wire::ErrorBody(error));
}

wire::ApiError ErrorOf(const Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument: {
      const std::string type = wire::ErrorTypeOf(status);
      return {400, type.empty() ? "BadRequestError" : type, message, wire::ErrorParamOf(status)};
    }
    case absl::StatusCode::kAlreadyExists:
      return {400, "InvalidUserInput", message, ""};
    case absl::StatusCode::kNotFound:
      return {404, "NotFoundError", message, ""};
    case absl::StatusCode::kResourceExhausted:
      return {429, "RateLimitError", message, ""};
    default:
      return {500, "InternalServerError", message, ""};
  }
}

Status NoModel(const ModelNames& names, std::string_view name) {
  return absl::NotFoundError(
      StrCat("The model `", name, "` does not exist. Valid aliases: ", absl::StrJoin(names.served(), ", "), "."));
}

std::string RequestId(const net::HttpHeaders& headers, const std::string& of_body, const SimulatorOptions& options,
                      uint64_t number) {
  const std::string_view of_header = headers.Get("x-request-id");
  if (!of_header.empty()) return std::string(of_header);
  if (!of_body.empty()) return of_body;
  Rng rng(options.seed ? Rng(*options.seed ^ Rng(number).Next()).Next() : Rng::SystemSeed());
  return StrCat(absl::Hex(rng.Next(), absl::kZeroPad16));
}

Outcome OutcomeOf(SequenceEnd end, const SimulatorOptions& options) {
  switch (end) {
    case SequenceEnd::kFinished:
    case SequenceEnd::kBelowThreshold:
      return {};
    case SequenceEnd::kAborted:
      return {.error = "abort"};
    case SequenceEnd::kRefused:
      return {"queue_full", ErrorOf(absl::ResourceExhaustedError(
                                StrCat("The waiting queue is full: ", options.engine.waiting_max,
                                       " requests are waiting (--max-waiting-queue-length); try again later.")))};
    case SequenceEnd::kTooLong:
      return {"too_long",
              ErrorOf(absl::InvalidArgumentError(StrCat("The request needs more than the ", options.engine.blocks,
                                                        " blocks of the KV cache (--kv-cache-size).")))};
    case SequenceEnd::kTransferFailed:
      return {"kv_load_failure",
              ErrorOf(absl::InternalError(
                  "The KV blocks of the prompt could not be loaded from the engine that prefilled it."))};
  }
  return {};
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
