// SPDX-License-Identifier: Apache-2.0
//
// What clients are told when something is wrong, in the shape that vLLM and llm-d's sidecar have for it.

#pragma once

#include <string_view>

#include "base/status.h"
#include "net/http.h"

namespace spanloom::llmd::routing_proxy {

// {"object":"error","message":...,"type":...,"param":null,"code":...} with that status. The type follows from it:
// BadRequestError, ServiceUnavailable, BadGateway and so on.
[[nodiscard]] net::HttpResponse ErrorAnswer(int status, std::string_view message);

// What a client is told when the decode pod could not be asked: 503 if it is not there, with the sidecar's words; else
// 502.
[[nodiscard]] net::HttpResponse DecodeFailed(const Status& failure);

// 403, in the sidecar's words.
[[nodiscard]] net::HttpResponse TargetDenied();

}  // namespace spanloom::llmd::routing_proxy
