// SPDX-License-Identifier: Apache-2.0
//
// How many sequences a request asks for. One transfer of KV blocks is of one sequence: vLLM answers a request for
// several with the blocks of the first, and a decode server given them takes them for all of its own, without a word.

#pragma once

#include <string_view>

#include "llmd/routing_proxy/api.h"
#include "llmd/wire/json_edit.h"

namespace spanloom::llmd::routing_proxy {

// The span's word for why such a request has no prefill leg.
inline constexpr std::string_view kSeveralSequences = "several_sequences";

// Whether there are several prompts in `request`, or several answers to one are asked for. True of what is no number.
[[nodiscard]] bool AsksForSeveralSequences(Api api, const wire::JsonObject& request);

}  // namespace spanloom::llmd::routing_proxy
