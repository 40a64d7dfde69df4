// SPDX-License-Identifier: Apache-2.0
//
// Errors on purpose: a share of the requests fails in one of several ways, or one that asks for it by a header.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/status.h"
#include "llmd/wire/openai_answer.h"

namespace spanloom::llmd::simulator {

inline constexpr std::string_view kReturnErrorHeader = "x-return-error";  // llm-d-inference-sim: a status of HTTP

struct FailureOptions {
  double rate = 0;                      // percent of the requests
  std::vector<std::string> types = {};  // of FailureTypes(); empty: all
};

// "rate_limit", "invalid_api_key", "context_length", "server_error", "invalid_request", "model_not_found".
[[nodiscard]] const std::vector<std::string>& FailureTypes();

// What a failure of `type` is answered with. `type` is one of the above.
[[nodiscard]] wire::ApiError FailureOf(std::string_view type, std::string_view model);

// An error by chance; nullopt if this request is to be served.
[[nodiscard]] std::optional<wire::ApiError> DrawFailure(const FailureOptions& options, std::string_view model,
                                                        Rng& rng);

// The error that `header` asks for: any status from 400 to 599. nullopt if it is empty or none.
[[nodiscard]] std::optional<wire::ApiError> RequestedFailure(std::string_view header);

}  // namespace spanloom::llmd::simulator
