// SPDX-License-Identifier: Apache-2.0
//
// One name for a request in all components: the value of `x-request-id`, which Envoy and the scheduler write on their
// spans as it is, and a vLLM with something before and behind it.

#pragma once

#include <string_view>

namespace spanloom::doctor {

// An attribute of a span that holds a request's id: `gen_ai.request.id` or Envoy's `guid:x-request-id`. The routing
// proxy's `llm_d.pd_proxy.request_id` is not one: it makes up its own.
[[nodiscard]] bool IsRequestIdKey(std::string_view key);

// The id within the value of such an attribute. vLLM 0.32 writes `chatcmpl-<id>`, `generate-tokens-<id>`,
// `cmpl-<id>-<i>` and `embd-<id>-<i>`, where i counts the request's prompts from 0; of a number of at most four digits
// at the end it is taken to be i. Borrows from `value`; anything else is its own id.
[[nodiscard]] std::string_view BaseRequestId(std::string_view value);

}  // namespace spanloom::doctor
