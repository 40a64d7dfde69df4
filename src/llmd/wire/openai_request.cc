// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/openai_request.h"

#include <absl/algorithm/container.h>

#include <limits>
#include <utility>

#include "base/text.h"
#include "kube/json.h"
#include "llmd/wire/request_error.h"

namespace spanloom::llmd::wire {
namespace {

using simdjson::dom::element;

constexpr size_t kStopsMax = 64;     // strings of `stop`; guess
constexpr size_t kToolsMax = 1'024;  // guess

// In the words of vLLM's web framework, or in its own.
Status Invalid(std::string_view key, std::string_view what) {
  constexpr std::string_view kForms[] = {"Input should be", "Field required", "List should have"};
  const bool is_form = absl::c_any_of(kForms, [&](std::string_view form) { return what.find(form) != what.npos; });
  if (is_form) return WrongForm(key, what);
  const bool is_told = what.find(key) != what.npos || what.starts_with("Stream options");  // vLLM's own words
  return WrongValue(key, is_told ? std::string(what) : StrCat(key, ": ", what));
}

// One parser a thread: it keeps its memory from request to request.
StatusOr<element> ReadBody(std::string_view body) {
  thread_local kube::JsonReader reader;
  StatusOr<element> root = reader.Read(body);
  if (!root.ok()) return WrongForm("body", StrCat("JSON decode error: ", StdView(root.status().message())));
  if (!root->is_object()) return Invalid("body", "Input should be a valid dictionary");
  return root;
}

// Reads the value of `key` into `target` if it is there and not null.
template <typename Value>
Status Read(const element& object, std::string_view key, std::string_view what, Value& target) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return absl::OkStatus();
  return value.get(target) == simdjson::SUCCESS ? absl::OkStatus() : Invalid(key, what);
}

Status ReadBool(const element& object, std::string_view key, bool& target) {
  return Read(object, key, "Input should be a valid boolean", target);
}

Status ReadText(const element& object, std::string_view key, std::string& target) {
  std::string_view text;
  RETURN_IF_ERROR(Read(object, key, "Input should be a valid string", text));
  target = text;
  return absl::OkStatus();
}

Status ReadInt(const element& object, std::string_view key, std::optional<int64_t>& target, int64_t min,
               int64_t max = std::numeric_limits<int64_t>::max()) {
  element value;
  if (object[key].get(value) != simdjson::SUCCESS || value.is_null()) return absl::OkStatus();
  int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS) return Invalid(key, "Input should be a valid integer");
  if (number < min) {
    // vLLM's words differ where 0 is the least.
    const std::string_view rule = min == 0 ? "greater than or equal to " : "at least ";
    return Invalid(key, StrCat(key, " must be ", rule, min, ", got ", number, "."));
  }
  if (number > max) return Invalid(key, StrCat(key, " must be at most ", max, ", got ", number, "."));
  target = number;
  return absl::OkStatus();
}

// A number that `is_allowed`, as `rule` says in words.
Status ReadNumber(const element& object, std::string_view key, double& target, bool is_allowed(double),
                  std::string_view rule) {
  RETURN_IF_ERROR(Read(object, key, "Input should be a valid number", target));
  if (is_allowed(target)) return absl::OkStatus();
  return Invalid(key, StrCat(key, " must be ", rule, ", got ", target, "."));
}

// One text, or a list of them, where a text ends.
Status ReadTexts(const element& root, std::string_view key, std::vector<std::string>& target) {
  element value;
  if (root[key].get(value) != simdjson::SUCCESS || value.is_null()) return absl::OkStatus();
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    target.emplace_back(text);
  } else {
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS) return Invalid(key, "Input should be a string or a list of strings");
    for (const element each : list) {
      if (each.get(text) != simdjson::SUCCESS) return Invalid(key, "Input should be a string or a list of strings");
      target.emplace_back(text);
    }
  }
  if (target.size() > kStopsMax) return Invalid(key, StrCat("at most ", kStopsMax, " strings, got ", target.size()));
  for (const std::string& stop : target) {
    if (stop.empty()) return Invalid("stop", "stop cannot contain an empty string.");
  }
  return absl::OkStatus();
}

// Chat says `logprobs: true` and how many beside; completions say how many at once.
Status ReadLogprobs(const element& root, bool is_chat, Sampling& sampling) {
  if (!is_chat) return ReadInt(root, "logprobs", sampling.top_logprobs, 0, kTopLogprobsMax);
  bool is_wanted = false;
  RETURN_IF_ERROR(ReadBool(root, "logprobs", is_wanted));
  std::optional<int64_t> top;
  RETURN_IF_ERROR(ReadInt(root, "top_logprobs", top, 0, kTopLogprobsMax));
  if (top && !is_wanted) return Invalid("top_logprobs", "when using `top_logprobs`, `logprobs` must be set to true.");
  if (is_wanted) sampling.top_logprobs = top.value_or(0);
  return absl::OkStatus();
}

Status ReadSampling(const element& root, bool is_chat, Sampling& sampling) {
  std::optional<int64_t> n;
  RETURN_IF_ERROR(ReadInt(root, "n", n, 1, kChoicesMax));
  sampling.n = n.value_or(1);
  RETURN_IF_ERROR(ReadInt(root, "max_tokens", sampling.max_tokens, 1));
  if (is_chat) RETURN_IF_ERROR(ReadInt(root, "max_completion_tokens", sampling.max_tokens, 1));
  std::optional<int64_t> min_tokens;
  RETURN_IF_ERROR(ReadInt(root, "min_tokens", min_tokens, 0));
  sampling.min_tokens = min_tokens.value_or(0);
  if (sampling.max_tokens && sampling.min_tokens > *sampling.max_tokens) {
    return Invalid("min_tokens", StrCat("min_tokens must be less than or equal to max_tokens=", *sampling.max_tokens,
                                        ", got ", sampling.min_tokens, "."));
  }
  RETURN_IF_ERROR(ReadNumber(
      root, "temperature", sampling.temperature, [](double value) { return value >= 0; }, "non-negative"));
  RETURN_IF_ERROR(ReadNumber(
      root, "top_p", sampling.top_p, [](double value) { return value > 0 && value <= 1; }, "in (0, 1]"));
  RETURN_IF_ERROR(ReadInt(root, "seed", sampling.seed, std::numeric_limits<int64_t>::min()));
  RETURN_IF_ERROR(ReadTexts(root, "stop", sampling.stop));
  RETURN_IF_ERROR(ReadBool(root, "include_stop_str_in_output", sampling.includes_stop));
  RETURN_IF_ERROR(ReadBool(root, "ignore_eos", sampling.ignores_eos));
  return ReadLogprobs(root, is_chat, sampling);
}

Status ReadStreaming(const element& root, GenerationRequest& request) {
  RETURN_IF_ERROR(ReadBool(root, "stream", request.is_streamed));
  element options;
  if (root["stream_options"].get(options) != simdjson::SUCCESS || options.is_null()) return absl::OkStatus();
  if (!request.is_streamed) {
    return Invalid("stream_options", "Stream options can only be defined when `stream=True`.");
  }
  if (!options.is_object()) return Invalid("stream_options", "Input should be a valid dictionary");
  RETURN_IF_ERROR(ReadBool(options, "include_usage", request.includes_usage));
  return ReadBool(options, "continuous_usage_stats", request.continuous_usage);
}

Status ReadTransfer(const element& root, GenerationRequest& request) {
  element params;
  if (root["kv_transfer_params"].get(params) == simdjson::SUCCESS && !params.is_null()) {
    ASSIGN_OR_RETURN(request.kv_transfer_params, ParseKvTransferParams(simdjson::minify(params)));
  }
  Bootstrap bootstrap;
  RETURN_IF_ERROR(ReadText(root, "bootstrap_host", bootstrap.host));
  RETURN_IF_ERROR(ReadInt(root, "bootstrap_port", bootstrap.port, 0, 65'535));
  RETURN_IF_ERROR(ReadInt(root, "bootstrap_room", bootstrap.room, 0));
  if (!bootstrap.host.empty() || bootstrap.room) request.bootstrap = std::move(bootstrap);
  return absl::OkStatus();
}

Status ReadShared(const element& root, GenerationRequest& request) {
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  RETURN_IF_ERROR(ReadSampling(root, request.is_chat, request.sampling));
  RETURN_IF_ERROR(ReadStreaming(root, request));
  RETURN_IF_ERROR(ReadBool(root, "echo", request.echoes));
  RETURN_IF_ERROR(ReadBool(root, "return_token_ids", request.returns_token_ids));
  RETURN_IF_ERROR(ReadText(root, "request_id", request.request_id));
  RETURN_IF_ERROR(ReadText(root, "cache_salt", request.cache_salt));
  double threshold = -1;
  element given;
  if (root["cache_hit_threshold"].get(given) == simdjson::SUCCESS && !given.is_null()) {
    RETURN_IF_ERROR(ReadNumber(
        root, "cache_hit_threshold", threshold, [](double value) { return value >= 0 && value <= 1; }, "in [0, 1]"));
    request.cache_hit_threshold = threshold;
  }
  return ReadTransfer(root, request);
}

Status ReadContent(const element& message, std::string& content) {
  element value;
  if (message["content"].get(value) != simdjson::SUCCESS || value.is_null()) return absl::OkStatus();
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    content = text;
    return absl::OkStatus();
  }
  simdjson::dom::array parts;
  if (value.get(parts) != simdjson::SUCCESS) return Invalid("messages", "content is to be a string or a list of parts");
  for (const element part : parts) {
    const std::string_view type = kube::TextAt(part, "type");
    if (type != "text" && type != "input_text" && type != "output_text") {
      return Invalid("messages", StrCat("the model takes text alone, not a part of type \"", type, "\""));
    }
    content.append(kube::TextAt(part, "text"));
  }
  return absl::OkStatus();
}

StatusOr<std::vector<ChatMessage>> ReadMessages(const element& root, std::string_view key = "messages") {
  simdjson::dom::array list;
  if (root[key].get(list) != simdjson::SUCCESS) return Invalid(key, "Field required");
  if (list.size() == 0) return Invalid(key, "List should have at least 1 item");
  std::vector<ChatMessage> messages;
  for (const element each : list) {
    ChatMessage message{.role = std::string(kube::TextAt(each, "role"))};
    if (message.role.empty()) return Invalid("messages", "role: Field required");
    RETURN_IF_ERROR(ReadContent(each, message.content));
    messages.push_back(std::move(message));
  }
  return messages;
}

Status ReadToolChoice(const element& root, GenerationRequest& request) {
  element choice;
  if (root["tool_choice"].get(choice) != simdjson::SUCCESS || choice.is_null()) return absl::OkStatus();
  std::string_view word;
  if (choice.get(word) == simdjson::SUCCESS) {
    request.forbids_tools = word == "none";
    request.requires_tool = word == "required";
    if (word == "auto" || request.forbids_tools || request.requires_tool) return absl::OkStatus();
  } else {
    element function;
    if (choice["function"].get(function) == simdjson::SUCCESS) request.forced_tool = kube::TextAt(function, "name");
  }
  request.requires_tool = true;
  for (const std::string& tool : request.tools) {
    if (!request.forced_tool.empty() && tool == request.forced_tool) return absl::OkStatus();
  }
  return Invalid("tool_choice", "is to be \"none\", \"auto\", \"required\", or to name a function of `tools`");
}

Status ReadToolNames(const element& root, std::vector<std::string>& names) {
  element value;
  if (root["tools"].get(value) != simdjson::SUCCESS || value.is_null()) return absl::OkStatus();
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return Invalid("tools", "Input should be a valid list");
  if (list.size() > kToolsMax) return Invalid("tools", StrCat("at most ", kToolsMax, " tools"));
  for (const element tool : list) {
    element function;
    const bool has_function = tool["function"].get(function) == simdjson::SUCCESS;
    const std::string_view name = has_function ? kube::TextAt(function, "name") : std::string_view();
    if (name.empty()) return Invalid("tools", "function.name: Field required");
    names.emplace_back(name);
  }
  return absl::OkStatus();
}

Status ReadTools(const element& root, GenerationRequest& request) {
  RETURN_IF_ERROR(ReadToolNames(root, request.tools));
  RETURN_IF_ERROR(ReadToolChoice(root, request));
  if (request.requires_tool && request.tools.empty()) {
    return Invalid("tool_choice", "When using `tool_choice`, `tools` must be set.");
  }
  return absl::OkStatus();
}

StatusOr<std::vector<TokenId>> ReadTokens(std::string_view key, const simdjson::dom::array& list) {
  std::vector<TokenId> tokens;
  tokens.reserve(list.size());
  for (const element each : list) {
    uint64_t id = 0;
    if (each.get(id) != simdjson::SUCCESS || id > std::numeric_limits<TokenId>::max()) {
      return Invalid(key, "token ids are to be integers of 32 bits");
    }
    tokens.push_back(static_cast<TokenId>(id));
  }
  return tokens;
}

// A text, a list of texts, a list of token ids, or a list of such lists.
StatusOr<std::vector<Prompt>> ReadPrompts(const element& root, std::string_view key) {
  element value;
  if (root[key].get(value) != simdjson::SUCCESS || value.is_null()) return Invalid(key, "Field required");
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::vector<Prompt>{std::string(text)};
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return Invalid(key, "Input should be a string or a list");
  if (list.size() == 0) return Invalid(key, "please provide at least one prompt");
  if (list.at(0).is_int64()) {
    ASSIGN_OR_RETURN(std::vector<TokenId> tokens, ReadTokens(key, list));
    return std::vector<Prompt>{std::move(tokens)};
  }
  if (list.size() > kPromptsMax) return Invalid(key, StrCat("at most ", kPromptsMax, " prompts, got ", list.size()));
  std::vector<Prompt> prompts;
  for (const element each : list) {
    simdjson::dom::array inner;
    if (each.get(text) == simdjson::SUCCESS) {
      prompts.emplace_back(std::string(text));
    } else if (each.get(inner) == simdjson::SUCCESS) {
      ASSIGN_OR_RETURN(std::vector<TokenId> tokens, ReadTokens(key, inner));
      prompts.emplace_back(std::move(tokens));
    } else {
      return Invalid(key, "Input should be a string or a list");
    }
  }
  return prompts;
}

// A text or a list of them, at least one and at most kPromptsMax.
StatusOr<std::vector<std::string>> ReadTextList(const element& root, std::string_view key) {
  element value;
  if (root[key].get(value) != simdjson::SUCCESS || value.is_null()) return Invalid(key, "Field required");
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::vector{std::string(text)};
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return Invalid(key, "Input should be a string or a list of strings");
  if (list.size() == 0) return Invalid(key, "List should have at least 1 item");
  if (list.size() > kPromptsMax) return Invalid(key, StrCat("at most ", kPromptsMax, " texts, got ", list.size()));
  std::vector<std::string> texts;
  for (const element each : list) {
    if (each.get(text) != simdjson::SUCCESS) return Invalid(key, "Input should be a string or a list of strings");
    texts.emplace_back(text);
  }
  return texts;
}

Status ReadPooled(const element& root, EmbeddingRequest& request) {
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  return ReadText(root, "request_id", request.request_id);
}

// A model that scores reads both texts at once.
void AddPair(const std::string& left, const std::string& right, EmbeddingRequest& request) {
  request.inputs.emplace_back(StrCat(left, "\n", right));
  request.pairs.emplace_back(left, right);
}

// Text of Anthropic's content: a text, or blocks of which those of text, calls of tools and their results count.
Status AppendBlocks(const element& owner, std::string_view key, std::string& text) {
  element content;
  if (owner[key].get(content) != simdjson::SUCCESS || content.is_null()) return absl::OkStatus();
  std::string_view plain;
  if (content.get(plain) == simdjson::SUCCESS) {
    text.append(plain);
    return absl::OkStatus();
  }
  simdjson::dom::array blocks;
  if (content.get(blocks) != simdjson::SUCCESS) return Invalid(key, "Input should be a string or a list of blocks");
  for (const element block : blocks) {
    const std::string_view type = kube::TextAt(block, "type");
    element input;
    if (type == "text") {
      text.append(kube::TextAt(block, "text"));
    } else if (type == "tool_use" && block["input"].get(input) == simdjson::SUCCESS) {
      StrAppend(text, kube::TextAt(block, "name"), simdjson::minify(input));
    } else if (type == "tool_result") {
      RETURN_IF_ERROR(AppendBlocks(block, "content", text));
    } else if (type != "tool_use" && type != "thinking" && type != "redacted_thinking" && type != "tool_reference") {
      return Invalid(key, StrCat("the model takes text alone, not a block of type \"", type, "\""));
    }
  }
  return absl::OkStatus();
}

// All that is said to the model stands in front of what is said with it.
Status ReadAnthropicMessages(const element& root, GenerationRequest& request) {
  simdjson::dom::array list;
  if (root["messages"].get(list) != simdjson::SUCCESS) return Invalid("messages", "Field required");
  std::string system;
  RETURN_IF_ERROR(AppendBlocks(root, "system", system));
  for (const element each : list) {
    const std::string_view role = kube::TextAt(each, "role");
    if (role != "user" && role != "assistant" && role != "system")
      return Invalid("messages", "role: Input should be 'user', 'assistant' or 'system'");
    ChatMessage message{.role = std::string(role)};
    RETURN_IF_ERROR(AppendBlocks(each, "content", role == "system" ? system : message.content));
    if (role != "system") request.messages.push_back(std::move(message));
  }
  if (!system.empty()) {
    request.messages.insert(request.messages.begin(), {.role = "system", .content = std::move(system)});
  }
  return request.messages.empty() ? Invalid("messages", "List should have at least 1 item") : absl::OkStatus();
}

Status ReadAnthropicTools(const element& root, GenerationRequest& request) {
  kube::ForEachAt(root, "tools", [&](const element& tool) { request.tools.emplace_back(kube::TextAt(tool, "name")); });
  if (request.tools.size() > kToolsMax) return Invalid("tools", StrCat("at most ", kToolsMax, " tools"));
  element choice;
  if (root["tool_choice"].get(choice) != simdjson::SUCCESS || choice.is_null()) return absl::OkStatus();
  const std::string_view type = kube::TextAt(choice, "type");
  request.forbids_tools = type == "none";
  request.requires_tool = type == "any" || type == "tool";
  if (type == "tool") request.forced_tool = kube::TextAt(choice, "name");
  if (type != "auto" && !request.forbids_tools && !request.requires_tool)
    return Invalid("tool_choice", "type: Input should be 'auto', 'any', 'tool' or 'none'");
  const bool is_there = request.forced_tool.empty() ? type != "tool" && !request.tools.empty()
                                                    : absl::c_linear_search(request.tools, request.forced_tool);
  if (!request.requires_tool || is_there) return absl::OkStatus();
  return Invalid("tool_choice", "is to name a tool of `tools`");
}

StatusOr<GenerationRequest> ReadAnthropic(std::string_view body, bool needs_limit) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  GenerationRequest request{.is_chat = true, .is_message = true};
  RETURN_IF_ERROR(ReadAnthropicMessages(root, request));
  RETURN_IF_ERROR(ReadAnthropicTools(root, request));
  RETURN_IF_ERROR(ReadShared(root, request));
  RETURN_IF_ERROR(ReadTexts(root, "stop_sequences", request.sampling.stop));
  if (request.model.empty()) return Invalid("model", "Field required");
  if (needs_limit && !request.sampling.max_tokens) return Invalid("max_tokens", "Field required");
  if (request.sampling.n != 1) return Invalid("n", "there is one answer to a request of the Messages API");
  return request;
}

}  // namespace

StatusOr<GenerationRequest> ParseMessagesRequest(std::string_view body) {
  return ReadAnthropic(body, true);
}

StatusOr<GenerationRequest> ParseCountTokensRequest(std::string_view body) {
  return ReadAnthropic(body, false);
}

StatusOr<GenerationRequest> ParseChatRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  GenerationRequest request{.is_chat = true};
  ASSIGN_OR_RETURN(request.messages, ReadMessages(root));
  RETURN_IF_ERROR(ReadShared(root, request));
  RETURN_IF_ERROR(ReadTools(root, request));
  return request;
}

StatusOr<GenerationRequest> ParseResponseRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  GenerationRequest request{.is_chat = true, .is_response = true};
  std::string_view input;
  if (root["input"].get(input) == simdjson::SUCCESS) {
    request.messages.push_back({.role = "user", .content = std::string(input)});
  } else {
    ASSIGN_OR_RETURN(request.messages, ReadMessages(root, "input"));
  }
  std::string instructions;
  RETURN_IF_ERROR(ReadText(root, "instructions", instructions));
  if (!instructions.empty()) {
    request.messages.insert(request.messages.begin(), {.role = "system", .content = std::move(instructions)});
  }
  RETURN_IF_ERROR(ReadShared(root, request));
  RETURN_IF_ERROR(ReadInt(root, "max_output_tokens", request.sampling.max_tokens, 1));
  if (request.sampling.n != 1) return Invalid("n", "there is one answer to a request of the Responses API");
  return request;
}

StatusOr<GenerationRequest> ParseGenerateRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  GenerationRequest request{.is_tokens = true};
  simdjson::dom::array list;
  if (root["token_ids"].get(list) != simdjson::SUCCESS) return Invalid("token_ids", "Field required");
  ASSIGN_OR_RETURN(std::vector<TokenId> tokens, ReadTokens("token_ids", list));
  request.prompts.emplace_back(std::move(tokens));
  element sampling;
  if (root["sampling_params"].get(sampling) != simdjson::SUCCESS || !sampling.is_object())
    return Invalid("sampling_params", "Field required");
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  RETURN_IF_ERROR(ReadSampling(sampling, false, request.sampling));
  RETURN_IF_ERROR(ReadText(root, "request_id", request.request_id));
  RETURN_IF_ERROR(ReadText(root, "cache_salt", request.cache_salt));
  RETURN_IF_ERROR(ReadStreaming(root, request));
  if (request.is_streamed) return Invalid("stream", "the simulator answers token ids whole; leave it out");
  request.returns_token_ids = true;
  RETURN_IF_ERROR(ReadTransfer(root, request));
  return request;
}

StatusOr<GenerationRequest> ParseCompletionRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  GenerationRequest request;
  ASSIGN_OR_RETURN(request.prompts, ReadPrompts(root, "prompt"));
  RETURN_IF_ERROR(ReadShared(root, request));
  return request;
}

StatusOr<EmbeddingRequest> ParseEmbeddingRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  EmbeddingRequest request;
  ASSIGN_OR_RETURN(request.inputs, ReadPrompts(root, "input"));
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  RETURN_IF_ERROR(ReadText(root, "request_id", request.request_id));
  RETURN_IF_ERROR(ReadInt(root, "dimensions", request.dimensions, 1, 65'536));
  std::string format = "float";
  RETURN_IF_ERROR(ReadText(root, "encoding_format", format));
  if (!format.empty() && format != "float" && format != "base64") {
    return Invalid("encoding_format", "Input should be 'float' or 'base64'");
  }
  request.is_base64 = format == "base64";
  return request;
}

StatusOr<EmbeddingRequest> ParsePoolingRequest(std::string_view body) {
  ASSIGN_OR_RETURN(EmbeddingRequest request, ParseEmbeddingRequest(body));
  request.kind = PooledKind::kPooling;
  return request;
}

StatusOr<EmbeddingRequest> ParseScoreRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  EmbeddingRequest request{.kind = PooledKind::kScore};
  ASSIGN_OR_RETURN(const std::vector<std::string> left, ReadTextList(root, "text_1"));
  ASSIGN_OR_RETURN(const std::vector<std::string> right, ReadTextList(root, "text_2"));
  if (left.size() != 1 && left.size() != right.size())
    return WrongValue("text_1", "Input lengths must be either 1:1, 1:N or N:N");
  RETURN_IF_ERROR(ReadPooled(root, request));
  for (size_t i = 0; i < right.size(); ++i) AddPair(left.size() == 1 ? left.front() : left[i], right[i], request);
  return request;
}

StatusOr<EmbeddingRequest> ParseRerankRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  EmbeddingRequest request{.kind = PooledKind::kRerank};
  std::string query;
  RETURN_IF_ERROR(ReadText(root, "query", query));
  if (query.empty()) return Invalid("query", "Field required");
  ASSIGN_OR_RETURN(const std::vector<std::string> documents, ReadTextList(root, "documents"));
  std::optional<int64_t> best;
  RETURN_IF_ERROR(ReadInt(root, "top_n", best, 0));
  request.best_count = static_cast<size_t>(best.value_or(0));
  RETURN_IF_ERROR(ReadPooled(root, request));
  for (const std::string& document : documents) AddPair(query, document, request);
  return request;
}

StatusOr<TokenizeRequest> ParseTokenizeRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  TokenizeRequest request;
  element unused;
  if (root["prompt"].get(unused) == simdjson::SUCCESS) {
    RETURN_IF_ERROR(ReadText(root, "prompt", request.prompt));
  } else {
    ASSIGN_OR_RETURN(request.messages, ReadMessages(root));
  }
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  RETURN_IF_ERROR(ReadBool(root, "return_token_strs", request.returns_texts));
  return request;
}

StatusOr<DetokenizeRequest> ParseDetokenizeRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  DetokenizeRequest request;
  simdjson::dom::array list;
  if (root["tokens"].get(list) != simdjson::SUCCESS) return Invalid("tokens", "Field required");
  ASSIGN_OR_RETURN(request.tokens, ReadTokens("tokens", list));
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  return request;
}

StatusOr<LoraRequest> ParseLoraRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  LoraRequest request;
  RETURN_IF_ERROR(ReadText(root, "lora_name", request.name));
  RETURN_IF_ERROR(ReadText(root, "lora_path", request.path));
  if (request.name.empty()) return Invalid("lora_name", "Field required");
  return request;
}

}  // namespace spanloom::llmd::wire
