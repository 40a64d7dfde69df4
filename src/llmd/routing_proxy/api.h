// SPDX-License-Identifier: Apache-2.0
//
// Which of a model server's APIs a request is for: those that generate can be done in two legs.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spanloom::llmd::routing_proxy {

enum class Api : uint8_t { kChat, kCompletions, kResponses, kMessages, kGenerate };

// The API that generates behind `path`; nullopt: what is asked for is passed through.
[[nodiscard]] std::optional<Api> GenerationApi(std::string_view method, std::string_view path);

// "chat_completions"; as llm-d calls it.
[[nodiscard]] std::string_view NameOf(Api api);

// The members of a request that limit how many tokens are generated. Of kGenerate they are in "sampling_params".
[[nodiscard]] std::span<const std::string_view> TokenLimits(Api api);

// "llm_d.pd_proxy.POST /v1/chat/completions": with the path if it is one that model servers are known for, so that
// there are few names whatever is asked.
[[nodiscard]] std::string ServerSpanName(std::string_view method, std::string_view path);

}  // namespace spanloom::llmd::routing_proxy
