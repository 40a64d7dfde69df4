// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/api.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "llmd/wire/span_names.h"

namespace spanloom::llmd::routing_proxy {
namespace {

constexpr std::array<std::pair<std::string_view, Api>, 5> kPaths = {{{"/v1/chat/completions", Api::kChat},
                                                                     {"/v1/completions", Api::kCompletions},
                                                                     {"/v1/responses", Api::kResponses},
                                                                     {"/v1/messages", Api::kMessages},
                                                                     {"/inference/v1/generate", Api::kGenerate}}};

// What else vLLM and SGLang serve, in their documents of 2026.
constexpr std::array<std::string_view, 18> kKnownPaths = {"/metrics",
                                                          "/v1/models",
                                                          "/v1/embeddings",
                                                          "/v1/score",
                                                          "/v1/rerank",
                                                          "/tokenize",
                                                          "/detokenize",
                                                          "/version",
                                                          "/ping",
                                                          "/load",
                                                          "/server_info",
                                                          "/generate",
                                                          "/get_model_info",
                                                          "/v1/load_lora_adapter",
                                                          "/v1/unload_lora_adapter",
                                                          "/pooling",
                                                          "/v1/audio/transcriptions",
                                                          "/classify"};

constexpr std::array<std::string_view, 8> kMethods = {"GET",    "POST",    "HEAD",  "PUT",
                                                      "DELETE", "OPTIONS", "PATCH", "TRACE"};

constexpr std::array<std::string_view, 2> kChatLimits = {"max_tokens", "max_completion_tokens"};
constexpr std::array<std::string_view, 1> kResponseLimits = {"max_output_tokens"};
constexpr std::array<std::string_view, 1> kTokenLimits = {"max_tokens"};

template <typename List>
bool Contains(const List& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

std::optional<Api> GenerationApi(std::string_view method, std::string_view path) {
  if (method != "POST") return std::nullopt;
  for (const auto& [known, api] : kPaths) {
    if (known == path) return api;
  }
  return std::nullopt;
}

std::string_view NameOf(Api api) {
  switch (api) {
    case Api::kChat:
      return "chat_completions";
    case Api::kCompletions:
      return "completions";
    case Api::kResponses:
      return "responses";
    case Api::kMessages:
      return "messages";
    case Api::kGenerate:
      return "generate";
  }
  return "";
}

std::span<const std::string_view> TokenLimits(Api api) {
  if (api == Api::kResponses) return kResponseLimits;
  if (api == Api::kMessages || api == Api::kGenerate) return kTokenLimits;
  return kChatLimits;
}

std::string ServerSpanName(std::string_view method, std::string_view path) {
  const bool is_known =
      Contains(kKnownPaths, path) ||
      std::any_of(kPaths.begin(), kPaths.end(), [&](const auto& entry) { return entry.first == path; });
  const std::string_view shown = Contains(kMethods, method) ? method : "HTTP";  // the conventions' word for others
  return is_known ? StrCat(wire::span_name::kServerPrefix, shown, " ", path)
                  : StrCat(wire::span_name::kServerPrefix, shown);
}

}  // namespace spanloom::llmd::routing_proxy
