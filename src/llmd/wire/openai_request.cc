// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/openai_request.h"

#include <absl/algorithm/container.h>

#include <limits>
#include <utility>

#include "base/text.h"
#include "llmd/wire/python_text.h"
#include "llmd/wire/request_error.h"
#include "llmd/wire/request_fields.h"
#include "llmd/wire/request_prompts.h"

namespace spanloom::llmd::wire {
namespace {

constexpr size_t kToolsMax = 1'024;  // guess

// A text that is alone, or those of a list, behind those of `target`.
Status ReadTexts(const element& root, std::string_view key, std::vector<std::string>& target) {
  const auto value = FindField(root, key);
  if (!value) return absl::OkStatus();
  std::string_view text;
  simdjson::dom::array list;
  if (value->get(text) == simdjson::SUCCESS) {
    target.emplace_back(text);
    return absl::OkStatus();
  }
  if (value->get(list) != simdjson::SUCCESS) {
    const FormError errors[] = {TypeError(key, *value, "string_type"), TypeError(key, *value, "list_type")};
    return WrongForm(errors);
  }
  size_t index = 0;
  for (const element each : list) {
    if (each.get(text) != simdjson::SUCCESS) {
      const FormError errors[] = {TypeError(key, *value, "string_type"),
                                  TypeError(StrCat(key, ".", index), each, "string_type")};
      return WrongForm(errors);
    }
    target.emplace_back(text);
    ++index;
  }
  return absl::OkStatus();
}

// Where a text ends.
Status ReadStops(const element& root, std::string_view key, std::vector<std::string>& stops) {
  RETURN_IF_ERROR(ReadTexts(root, key, stops));
  if (stops.size() > kStopsMax) return WrongValue(key, StrCat("at most ", kStopsMax, " strings, got ", stops.size()));
  if (absl::c_linear_search(stops, "")) return WrongRequest("stop cannot contain an empty string.");
  return absl::OkStatus();
}

Status CheckLogprobs(std::string_view kind, std::string_view key, const std::optional<int64_t>& wanted) {
  if (!wanted || *wanted <= kTopLogprobsMax) return absl::OkStatus();
  return WrongValue(
      key,
      StrCat("Requested ", kind, " logprobs of ", *wanted, ", which is greater than max allowed: ", kTopLogprobsMax),
      StrCat(*wanted));
}

// Chat says `logprobs: true` and how many beside; completions say how many at once.
Status ReadLogprobs(const element& root, bool is_chat, Sampling& sampling) {
  RETURN_IF_ERROR(ReadInt(root, "prompt_logprobs", sampling.prompt_logprobs, {.min = 0}));
  RETURN_IF_ERROR(CheckLogprobs("prompt", "prompt_logprobs", sampling.prompt_logprobs));
  if (!is_chat) {
    RETURN_IF_ERROR(ReadInt(root, "logprobs", sampling.top_logprobs, {.min = 0}));
    return CheckLogprobs("sample", "logprobs", sampling.top_logprobs);
  }
  bool is_wanted = false;
  RETURN_IF_ERROR(ReadBool(root, "logprobs", is_wanted));
  std::optional<int64_t> top;
  RETURN_IF_ERROR(ReadInt(root, "top_logprobs", top, {.min = 0}));
  if (top && *top > 0 && !is_wanted)
    return WrongValue("top_logprobs", "when using `top_logprobs`, `logprobs` must be set to true.");
  RETURN_IF_ERROR(CheckLogprobs("sample", "logprobs", top));
  if (is_wanted) sampling.top_logprobs = top.value_or(0);
  return absl::OkStatus();
}

// How likely tokens are made is all one to what is made up; that it can be is not.
Status CheckChances(const element& root) {
  double ignored = 0;
  const auto is_penalty = [](double value) { return value >= -2 && value <= 2; };
  RETURN_IF_ERROR(ReadNumber(root, "presence_penalty", ignored, is_penalty, "in [-2, 2]"));
  ignored = 0;
  RETURN_IF_ERROR(ReadNumber(root, "frequency_penalty", ignored, is_penalty, "in [-2, 2]"));
  ignored = 1;
  RETURN_IF_ERROR(ReadNumber(
      root, "repetition_penalty", ignored, [](double value) { return value > 0; }, "greater than zero"));
  ignored = 0;
  RETURN_IF_ERROR(ReadNumber(
      root, "min_p", ignored, [](double value) { return value >= 0 && value <= 1; }, "in [0, 1]"));
  std::optional<int64_t> top_k;
  RETURN_IF_ERROR(ReadInt(root, "top_k", top_k));
  if (top_k.value_or(0) >= -1) return absl::OkStatus();
  return WrongRequest(StrCat("top_k must be 0 (disable), or at least 1, got ", *top_k, "."));
}

Status ReadCounts(const element& root, bool is_chat, Sampling& sampling) {
  std::optional<int64_t> n;
  RETURN_IF_ERROR(ReadInt(root, "n", n, {.min = 1, .max = kChoicesMax, .is_named = false}));
  sampling.n = n.value_or(1);
  RETURN_IF_ERROR(ReadInt(root, "max_tokens", sampling.max_tokens, {.min = 1}));
  if (is_chat) RETURN_IF_ERROR(ReadInt(root, "max_completion_tokens", sampling.max_tokens, {.min = 1}));
  std::optional<int64_t> min_tokens;
  RETURN_IF_ERROR(ReadInt(root, "min_tokens", min_tokens, {.min = 0, .is_named = false}));
  sampling.min_tokens = min_tokens.value_or(0);
  if (!sampling.max_tokens || sampling.min_tokens <= *sampling.max_tokens) return absl::OkStatus();
  return WrongRequest(StrCat("min_tokens must be less than or equal to max_tokens=", *sampling.max_tokens, ", got ",
                             sampling.min_tokens, "."));
}

Status ReadSampling(const element& root, bool is_chat, Sampling& sampling) {
  RETURN_IF_ERROR(ReadCounts(root, is_chat, sampling));
  RETURN_IF_ERROR(ReadNumber(
      root, "temperature", sampling.temperature, [](double value) { return value >= 0; }, "non-negative"));
  RETURN_IF_ERROR(ReadNumber(
      root, "top_p", sampling.top_p, [](double value) { return value > 0 && value <= 1; }, "in (0, 1]"));
  RETURN_IF_ERROR(CheckChances(root));
  if (sampling.temperature == 0 && sampling.n > 1)
    return WrongRequest(StrCat("n must be 1 when using greedy sampling, got ", sampling.n, "."));
  RETURN_IF_ERROR(ReadInt(root, "seed", sampling.seed));
  RETURN_IF_ERROR(ReadStops(root, "stop", sampling.stop));
  RETURN_IF_ERROR(ReadBool(root, "include_stop_str_in_output", sampling.includes_stop));
  RETURN_IF_ERROR(ReadBool(root, "ignore_eos", sampling.ignores_eos));
  return ReadLogprobs(root, is_chat, sampling);
}

Status ReadStreaming(const element& root, GenerationRequest& request) {
  RETURN_IF_ERROR(ReadBool(root, "stream", request.is_streamed));
  if (request.is_streamed && request.sampling.prompt_logprobs) {
    return WrongValue("prompt_logprobs", "`prompt_logprobs` are not available when `stream=True`.");
  }
  const auto options = FindField(root, "stream_options");
  if (!options) return absl::OkStatus();
  if (!request.is_streamed)
    return WrongValue("stream_options", "Stream options can only be defined when `stream=True`.");
  if (!options->is_object()) return WrongType("stream_options", *options, "dict_type");
  RETURN_IF_ERROR(ReadBool(*options, "include_usage", request.includes_usage));
  return ReadBool(*options, "continuous_usage_stats", request.continuous_usage);
}

// A form of answers that is none, as the framework tells it: it might have been any of three kinds.
Status WrongFormat(const element& format, const element* type) {
  const std::string all = PythonInput(format);
  const auto missing = [&](std::string_view key) {
    return FormError{"missing", StrCat("response_format.", key), "Field required", all, ""};
  };
  const auto literal = [&](const std::string& wanted) {
    if (type == nullptr) return missing("type");
    return FormError{"literal_error", "response_format.type", StrCat("Input should be ", wanted), PythonInput(*type),
                     StrCat(", 'ctx': {'expected': ", PythonQuoted(wanted), "}")};
  };
  const FormError errors[] = {literal("'text', 'json_object' or 'json_schema'"),
                              literal("'structural_tag'"),
                              missing("format"),
                              literal("'structural_tag'"),
                              missing("structures"),
                              missing("triggers")};
  return WrongForm(errors);
}

// Answers have no form here; that there is one of the name is looked at.
Status CheckFormat(const element& root) {
  constexpr std::string_view kFormats[] = {"text", "json_object", "json_schema", "structural_tag"};
  const auto format = FindField(root, "response_format");
  if (!format) return absl::OkStatus();
  if (!format->is_object()) return WrongType("response_format", *format, "dict_type");
  const auto type = FindField(*format, "type");
  std::string_view name;
  const bool is_text = type && type->get(name) == simdjson::SUCCESS;
  if (is_text && absl::c_linear_search(kFormats, name)) return absl::OkStatus();
  return WrongFormat(*format, type ? &*type : nullptr);
}

Status ReadTransfer(const element& root, GenerationRequest& request) {
  if (const auto params = FindField(root, "kv_transfer_params")) {
    if (!params->is_object()) return WrongType("kv_transfer_params", *params, "dict_type");
    ASSIGN_OR_RETURN(request.kv_transfer_params, ParseKvTransferParams(simdjson::minify(*params)));
  }
  Bootstrap bootstrap;
  RETURN_IF_ERROR(ReadText(root, "bootstrap_host", bootstrap.host));
  RETURN_IF_ERROR(ReadInt(root, "bootstrap_port", bootstrap.port, {.min = 0, .max = 65'535}));
  RETURN_IF_ERROR(ReadInt(root, "bootstrap_room", bootstrap.room, {.min = 0}));
  if (!bootstrap.host.empty() || bootstrap.room) request.bootstrap = std::move(bootstrap);
  return absl::OkStatus();
}

Status ReadShared(const element& root, GenerationRequest& request) {
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  RETURN_IF_ERROR(ReadSampling(root, request.is_chat, request.sampling));
  RETURN_IF_ERROR(ReadStreaming(root, request));
  RETURN_IF_ERROR(CheckFormat(root));
  RETURN_IF_ERROR(ReadBool(root, "echo", request.echoes));
  RETURN_IF_ERROR(ReadBool(root, "return_token_ids", request.returns_token_ids));
  RETURN_IF_ERROR(ReadText(root, "request_id", request.request_id));
  RETURN_IF_ERROR(ReadText(root, "cache_salt", request.cache_salt));
  double threshold = -1;
  if (FindField(root, "cache_hit_threshold")) {
    RETURN_IF_ERROR(ReadNumber(
        root, "cache_hit_threshold", threshold, [](double value) { return value >= 0 && value <= 1; }, "in [0, 1]"));
    request.cache_hit_threshold = threshold;
  }
  return ReadTransfer(root, request);
}

Status ReadContent(const element& message, std::string& content) {
  const auto value = FindField(message, "content");
  if (!value) return absl::OkStatus();
  std::string_view text;
  if (value->get(text) == simdjson::SUCCESS) {
    content = text;
    return absl::OkStatus();
  }
  simdjson::dom::array parts;
  if (value->get(parts) != simdjson::SUCCESS) return WrongType("messages.content", *value, "string_type");
  for (const element part : parts) {
    const std::string_view type = kube::TextAt(part, "type");
    if (type != "text" && type != "input_text" && type != "output_text") {
      return WrongValue("messages", StrCat("the model takes text alone, not a part of type \"", type, "\""));
    }
    content.append(kube::TextAt(part, "text"));
  }
  return absl::OkStatus();
}

StatusOr<std::vector<ChatMessage>> ReadMessages(const element& root, std::string_view key = "messages") {
  const auto value = FindField(root, key);
  if (!value) return MissingField(root, key);
  simdjson::dom::array list;
  if (value->get(list) != simdjson::SUCCESS) {
    const std::string_view type = value->is_int64()    ? "int"
                                  : value->is_double() ? "float"
                                  : value->is_bool()   ? "bool"
                                                       : "";
    if (type.empty()) return WrongType(key, *value, "list_type");
    return WrongRequest(StrCat("'", type, "' object is not iterable"));
  }
  if (list.size() == 0)
    return WrongRequest("Cannot apply chat template to an empty conversation. Provide at least one message.");
  std::vector<ChatMessage> messages;
  for (const element each : list) {
    ChatMessage message{.role = std::string(kube::TextAt(each, "role"))};
    if (message.role.empty()) return MissingField(each, StrCat(key, ".", messages.size(), ".role"));
    RETURN_IF_ERROR(ReadContent(each, message.content));
    messages.push_back(std::move(message));
  }
  return messages;
}

Status ReadFunctions(const element& root, std::vector<ToolFunction>& tools) {
  const auto value = FindField(root, "tools");
  if (!value) return absl::OkStatus();
  simdjson::dom::array list;
  if (value->get(list) != simdjson::SUCCESS) return WrongType("tools", *value, "list_type");
  if (list.size() > kToolsMax) return WrongValue("tools", StrCat("at most ", kToolsMax, " tools"));
  for (const element tool : list) {
    const std::string place = StrCat("tools.", tools.size(), ".function");
    const auto function = tool.is_object() ? FindField(tool, "function") : std::nullopt;
    if (!function) return MissingField(tool, place);
    ToolFunction read{.name = std::string(kube::TextAt(*function, "name"))};
    if (read.name.empty()) return MissingField(*function, StrCat(place, ".name"));
    if (const auto schema = FindField(*function, "parameters")) read.parameters = simdjson::minify(*schema);
    tools.push_back(std::move(read));
  }
  return absl::OkStatus();
}

bool HasTool(const GenerationRequest& request, std::string_view name) {
  return absl::c_any_of(request.tools, [&](const ToolFunction& tool) { return tool.name == name; });
}

Status ReadToolChoice(const element& root, GenerationRequest& request) {
  RETURN_IF_ERROR(ReadBool(root, "parallel_tool_calls", request.allows_several_calls));
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
  if (!request.forced_tool.empty() && HasTool(request, request.forced_tool)) return absl::OkStatus();
  return WrongValue("tool_choice",
                    "tool_choice is to be \"none\", \"auto\", \"required\", or to name a function of `tools`");
}

Status ReadTools(const element& root, GenerationRequest& request) {
  RETURN_IF_ERROR(ReadFunctions(root, request.tools));
  RETURN_IF_ERROR(ReadToolChoice(root, request));
  if (request.requires_tool && request.tools.empty()) {
    return WrongValue("tool_choice", "When using `tool_choice`, `tools` must be set.");
  }
  return absl::OkStatus();
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
  if (content.get(blocks) != simdjson::SUCCESS) return WrongType(StrCat("messages.", key), content, "string_type");
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
      return WrongValue(key, StrCat("the model takes text alone, not a block of type \"", type, "\""));
    }
  }
  return absl::OkStatus();
}

// All that is said to the model stands in front of what is said with it.
Status ReadAnthropicMessages(const element& root, GenerationRequest& request) {
  simdjson::dom::array list;
  const auto messages = FindField(root, "messages");
  if (!messages) return MissingField(root, "messages");
  if (messages->get(list) != simdjson::SUCCESS) return WrongType("messages", *messages, "list_type");
  std::string system;
  RETURN_IF_ERROR(AppendBlocks(root, "system", system));
  for (const element each : list) {
    const std::string_view role = kube::TextAt(each, "role");
    if (role != "user" && role != "assistant" && role != "system")
      return WrongForm(
          {"literal_error", "messages.role", "Input should be 'user', 'assistant' or 'system'", std::string(role), ""});
    ChatMessage message{.role = std::string(role)};
    RETURN_IF_ERROR(AppendBlocks(each, "content", role == "system" ? system : message.content));
    if (role != "system") request.messages.push_back(std::move(message));
  }
  if (!system.empty()) {
    request.messages.insert(request.messages.begin(), {.role = "system", .content = std::move(system)});
  }
  return request.messages.empty() ? WrongValue("messages", "messages is to have at least one message.")
                                  : absl::OkStatus();
}

Status ReadAnthropicTools(const element& root, GenerationRequest& request) {
  kube::ForEachAt(root, "tools", [&](const element& tool) {
    ToolFunction read{.name = std::string(kube::TextAt(tool, "name"))};
    if (const auto schema = FindField(tool, "input_schema")) read.parameters = simdjson::minify(*schema);
    request.tools.push_back(std::move(read));
  });
  if (request.tools.size() > kToolsMax) return WrongValue("tools", StrCat("at most ", kToolsMax, " tools"));
  element choice;
  if (root["tool_choice"].get(choice) != simdjson::SUCCESS || choice.is_null()) return absl::OkStatus();
  const std::string_view type = kube::TextAt(choice, "type");
  request.forbids_tools = type == "none";
  request.requires_tool = type == "any" || type == "tool";
  if (type == "tool") request.forced_tool = kube::TextAt(choice, "name");
  if (type != "auto" && !request.forbids_tools && !request.requires_tool) {
    return WrongForm({"literal_error", "tool_choice.type", "Input should be 'auto', 'any', 'tool' or 'none'",
                      std::string(type), ""});
  }
  const bool is_there =
      request.forced_tool.empty() ? type != "tool" && !request.tools.empty() : HasTool(request, request.forced_tool);
  if (!request.requires_tool || is_there) return absl::OkStatus();
  return WrongValue("tool_choice", "tool_choice is to name a tool of `tools`");
}

StatusOr<GenerationRequest> ReadAnthropic(std::string_view body, bool needs_limit) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  GenerationRequest request{.is_chat = true, .is_message = true};
  RETURN_IF_ERROR(ReadAnthropicMessages(root, request));
  RETURN_IF_ERROR(ReadAnthropicTools(root, request));
  RETURN_IF_ERROR(ReadShared(root, request));
  RETURN_IF_ERROR(ReadStops(root, "stop_sequences", request.sampling.stop));
  if (request.model.empty()) return MissingField(root, "model");
  if (needs_limit && !request.sampling.max_tokens) return MissingField(root, "max_tokens");
  if (request.sampling.n != 1) return WrongValue("n", "there is one answer to a request of the Messages API");
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

// What an answer of the Responses API says again of its request.
Status ReadEchoed(const element& root, EchoedFields& echoed) {
  RETURN_IF_ERROR(ReadText(root, "service_tier", echoed.service_tier));
  RETURN_IF_ERROR(ReadText(root, "truncation", echoed.truncation));
  RETURN_IF_ERROR(ReadText(root, "previous_response_id", echoed.previous_response_id));
  for (const auto& [key, json] : {std::pair<std::string_view, std::string*>{"instructions", &echoed.instructions},
                                  {"metadata", &echoed.metadata},
                                  {"user", &echoed.user}}) {
    if (const auto value = FindField(root, key)) *json = simdjson::minify(*value);
  }
  const auto any = [](double) { return true; };
  RETURN_IF_ERROR(ReadNumber(root, "presence_penalty", echoed.presence_penalty, any, ""));
  return ReadNumber(root, "frequency_penalty", echoed.frequency_penalty, any, "");
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
  RETURN_IF_ERROR(ReadEchoed(root, request.echoed));
  if (!instructions.empty()) {
    request.messages.insert(request.messages.begin(), {.role = "system", .content = std::move(instructions)});
  }
  RETURN_IF_ERROR(ReadShared(root, request));
  RETURN_IF_ERROR(ReadInt(root, "max_output_tokens", request.sampling.max_tokens, {.min = 1}));
  if (request.sampling.n != 1) return WrongValue("n", "there is one answer to a request of the Responses API");
  return request;
}

StatusOr<GenerationRequest> ParseGenerateRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  GenerationRequest request{.is_tokens = true};
  ASSIGN_OR_RETURN(std::vector<TokenId> tokens, ReadTokens(root, "token_ids"));
  request.prompts.emplace_back(std::move(tokens));
  element sampling;
  if (root["sampling_params"].get(sampling) != simdjson::SUCCESS || !sampling.is_object())
    return MissingField(root, "sampling_params");
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  RETURN_IF_ERROR(ReadSampling(sampling, false, request.sampling));
  RETURN_IF_ERROR(ReadText(root, "request_id", request.request_id));
  RETURN_IF_ERROR(ReadText(root, "cache_salt", request.cache_salt));
  RETURN_IF_ERROR(ReadStreaming(root, request));
  if (request.is_streamed) return WrongValue("stream", "the simulator answers token ids whole; leave it out");
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

StatusOr<TokenizeRequest> ParseTokenizeRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  TokenizeRequest request;
  if (FindField(root, "prompt")) {
    RETURN_IF_ERROR(ReadText(root, "prompt", request.prompt));
  } else if (!FindField(root, "messages")) {
    const std::string all = PythonInput(root);
    const FormError errors[] = {{"missing", "prompt", "Field required", all, ""},
                                {"missing", "messages", "Field required", all, ""}};
    return WrongForm(errors);
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
  ASSIGN_OR_RETURN(request.tokens, ReadTokens(root, "tokens"));
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  return request;
}

StatusOr<LoraRequest> ParseLoraRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  LoraRequest request;
  RETURN_IF_ERROR(ReadText(root, "lora_name", request.name));
  RETURN_IF_ERROR(ReadText(root, "lora_path", request.path));
  if (request.name.empty()) return MissingField(root, "lora_name");
  return request;
}

}  // namespace spanloom::llmd::wire
