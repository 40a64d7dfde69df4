// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/failure.h"

#include <absl/strings/numbers.h>

#include "base/text.h"

namespace spanloom::llmd::simulator {

const std::vector<std::string>& FailureTypes() {
  static const std::vector<std::string> types = {"rate_limit",   "invalid_api_key", "context_length",
                                                 "server_error", "invalid_request", "model_not_found"};
  return types;
}

wire::ApiError FailureOf(std::string_view type, std::string_view model) {
  if (type == "rate_limit") return {429, "RateLimitError", StrCat("Rate limit reached for ", model, ": injected."), ""};
  if (type == "invalid_api_key") return {401, "AuthenticationError", "Incorrect API key provided: injected.", ""};
  if (type == "context_length") {
    return {400, "BadRequestError", "This model's maximum context length was exceeded: injected.", "messages"};
  }
  if (type == "invalid_request") return {400, "BadRequestError", "Invalid request: injected.", ""};
  if (type == "model_not_found") {
    return {404, "NotFoundError", StrCat("The model `", model, "-nonexistent` does not exist."), "model"};
  }
  return {500, "InternalServerError", "The server had an error while processing the request: injected.", ""};
}

std::optional<wire::ApiError> DrawFailure(const FailureOptions& options, std::string_view model, Rng& rng) {
  constexpr double kPercent = 100;
  if (options.rate <= 0 || rng.Unit() * kPercent >= options.rate) return std::nullopt;
  const std::vector<std::string>& types = options.types.empty() ? FailureTypes() : options.types;
  return FailureOf(types[rng.Below(types.size())], model);
}

std::optional<wire::ApiError> RequestedFailure(std::string_view header) {
  int status = 0;
  if (header.empty() || !absl::SimpleAtoi(AbslView(header), &status) || status < 400 || status > 599)
    return std::nullopt;
  return wire::ApiError{status, status < 500 ? "BadRequestError" : "InternalServerError",
                        StrCat("This answer was asked for by ", kReturnErrorHeader, "."), ""};
}

}  // namespace spanloom::llmd::simulator
