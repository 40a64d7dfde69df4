// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/sequences.h"

#include <optional>
#include <string_view>

namespace spanloom::llmd::routing_proxy {
namespace {

// The value of `key`, or "" if there is none.
std::string_view ValueOf(const wire::JsonObject& object, std::string_view key) {
  const std::string_view value = object.Find(key).value_or("");
  return value == wire::kJsonNull ? std::string_view() : value;
}

bool HasSeveralAnswers(const wire::JsonObject& parameters) {
  const std::string_view n = ValueOf(parameters, "n");
  return !n.empty() && n != "1";
}

// A prompt is a text or a list of token ids; a list of those is several.
bool IsSeveralPrompts(std::string_view prompt) {
  const std::optional<std::string_view> first = wire::FirstElement(prompt);
  if (!first.has_value()) return false;
  const bool is_prompt = first->starts_with('"') || first->starts_with('[');
  return is_prompt && wire::HasSeveralElements(prompt);
}

bool HasSeveralPrompts(const wire::JsonObject& request) {
  const std::string_view prompt = ValueOf(request, "prompt");
  const std::string_view embedded = ValueOf(request, "prompt_embeds");
  return IsSeveralPrompts(prompt) || IsSeveralPrompts(embedded) || (!prompt.empty() && !embedded.empty());
}

}  // namespace

bool AsksForSeveralSequences(Api api, const wire::JsonObject& request) {
  switch (api) {
    case Api::kChat:
      return HasSeveralAnswers(request);
    case Api::kCompletions:
      return HasSeveralAnswers(request) || HasSeveralPrompts(request);
    case Api::kGenerate: {
      const StatusOr<wire::JsonObject> parameters = wire::JsonObject::Parse(ValueOf(request, "sampling_params"));
      return parameters.ok() && HasSeveralAnswers(*parameters);
    }
    case Api::kResponses:
    case Api::kMessages:
      return false;  // they know one alone
  }
  return false;
}

}  // namespace spanloom::llmd::routing_proxy
