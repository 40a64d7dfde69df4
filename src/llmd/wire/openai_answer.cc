// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/openai_answer.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "llmd/wire/python_text.h"
#include "llmd/wire/request_error.h"

namespace spanloom::llmd::wire {
namespace {

void WriteNull(std::string_view key, JsonWriter& writer) {
  writer.Key(key);
  writer.Null();
}

void WriteIds(std::string_view key, const std::optional<std::vector<TokenId>>& ids, JsonWriter& writer) {
  if (!ids) return WriteNull(key, writer);
  writer.Key(key);
  writer.BeginArray();
  for (const TokenId id : *ids) writer.Uint(id);
  writer.EndArray();
}

void WriteLogprob(const TokenLogprob& token, JsonWriter& writer) {
  token.logprob ? writer.Raw(PythonFloat(*token.logprob)) : writer.Null();
}

// What vLLM writes of details: whole answers and those that run on say that there are none.
enum class UsageForm : uint8_t { kWhole, kRunning, kLast };

void WriteUsage(const Usage& usage, UsageForm form, JsonWriter& writer) {
  writer.Key("usage");
  writer.BeginObject();
  writer.Field("prompt_tokens", usage.prompt_tokens);
  writer.Field("total_tokens", usage.prompt_tokens + usage.completion_tokens);
  writer.Field("completion_tokens", usage.completion_tokens);
  if (usage.cached_tokens) {
    writer.Key("prompt_tokens_details");
    writer.BeginObject();
    writer.Field("cached_tokens", *usage.cached_tokens);
    writer.EndObject();
  } else if (form == UsageForm::kWhole) {
    WriteNull("prompt_tokens_details", writer);
  }
  if (form != UsageForm::kLast) WriteNull("completion_tokens_details", writer);
  writer.EndObject();
}

void WriteHead(const AnswerHead& head, bool is_chunk, JsonWriter& writer) {
  writer.Field("id", head.id);
  if (head.is_chat) {
    writer.Field("object", is_chunk ? "chat.completion.chunk" : "chat.completion");
  } else {
    writer.Field("object", "text_completion");
  }
  writer.Field("created", head.created);
  writer.Field("model", head.model);
}

void WriteTextOrNull(std::string_view key, const std::string_view* text, JsonWriter& writer) {
  writer.Key(key);
  text != nullptr ? writer.String(*text) : writer.Null();
}

void WriteBytes(std::string_view text, JsonWriter& writer) {
  writer.Key("bytes");
  writer.BeginArray();
  for (const char byte : text) writer.Int(static_cast<uint8_t>(byte));
  writer.EndArray();
}

void WriteChatLogprob(const TokenLogprob& token, bool has_top, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("token", token.token);
  writer.Key("logprob");
  WriteLogprob(token, writer);
  WriteBytes(token.token, writer);
  if (has_top) {
    writer.Key("top_logprobs");
    writer.BeginArray();
    for (const TokenLogprob& each : token.top) WriteChatLogprob(each, false, writer);
    writer.EndArray();
  }
  writer.EndObject();
}

void WriteChatLogprobs(const Choice& choice, JsonWriter& writer) {
  writer.BeginObject();
  writer.Key("content");
  writer.BeginArray();
  for (const TokenLogprob& token : choice.logprobs) WriteChatLogprob(token, true, writer);
  writer.EndArray();
  writer.EndObject();
}

// Completions have lists side by side.
void WriteCompletionLogprobs(const Choice& choice, JsonWriter& writer) {
  const auto list = [&](std::string_view key, auto write) {
    writer.Key(key);
    writer.BeginArray();
    for (const TokenLogprob& token : choice.logprobs) write(token);
    writer.EndArray();
  };
  writer.BeginObject();
  int64_t offset = choice.text_offset;
  list("text_offset", [&](const TokenLogprob& token) {
    writer.Int(offset);
    offset += static_cast<int64_t>(token.token.size());
  });
  list("token_logprobs", [&](const TokenLogprob& token) { WriteLogprob(token, writer); });
  list("tokens", [&](const TokenLogprob& token) { writer.String(token.token); });
  list("top_logprobs", [&](const TokenLogprob& token) {
    if (!token.logprob) return writer.Null();
    writer.BeginObject();
    for (const TokenLogprob& each : token.top) {
      writer.Key(each.token);
      WriteLogprob(each, writer);
    }
    writer.EndObject();
  });
  writer.EndObject();
}

void WriteLogprobs(const AnswerHead& head, const Choice& choice, JsonWriter& writer) {
  writer.Key("logprobs");
  if (!choice.has_logprobs) return writer.Null();
  head.is_chat ? WriteChatLogprobs(choice, writer) : WriteCompletionLogprobs(choice, writer);
}

void WriteToolCalls(const Choice& choice, bool is_chunk, JsonWriter& writer) {
  if (choice.tool_calls.empty()) return;
  writer.Key("tool_calls");
  writer.BeginArray();
  int64_t index = 0;
  for (const ToolCall& call : choice.tool_calls) {
    writer.BeginObject();
    if (is_chunk) writer.Field("index", index++);
    writer.Field("id", call.id);
    writer.Field("type", "function");
    writer.Key("function");
    writer.BeginObject();
    writer.Field("name", call.name);
    writer.Field("arguments", call.arguments);
    writer.EndObject();
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteMessage(const Choice& choice, JsonWriter& writer) {
  writer.Key("message");
  writer.BeginObject();
  writer.Field("role", "assistant");
  const std::string_view text = choice.text;
  WriteTextOrNull("content", choice.tool_calls.empty() ? &text : nullptr, writer);
  for (const std::string_view key : {"refusal", "annotations", "audio", "function_call"}) WriteNull(key, writer);
  WriteToolCalls(choice, false, writer);
  WriteNull("reasoning", writer);
  writer.EndObject();
}

void WriteDelta(const Choice& choice, JsonWriter& writer) {
  writer.Key("delta");
  writer.BeginObject();
  if (choice.tool_calls.empty()) writer.Field("content", choice.text);
  WriteToolCalls(choice, true, writer);
  writer.EndObject();
}

void WriteEnd(const Choice& choice, bool has_stop_reason, JsonWriter& writer) {
  const bool is_last = !choice.finish_reason.empty();
  WriteTextOrNull("finish_reason", is_last ? &choice.finish_reason : nullptr, writer);
  if (!is_last && !has_stop_reason) return;
  const std::string_view reason = choice.stop_reason ? *choice.stop_reason : std::string_view();
  WriteTextOrNull("stop_reason", choice.stop_reason ? &reason : nullptr, writer);
}

// [null, {"5": {"logprob", "rank", "decoded_token"}, ...}, ...]: each token and, unless it is one of them, the
// likeliest.
void WritePromptLogprobs(const std::optional<std::vector<TokenLogprob>>& tokens, JsonWriter& writer) {
  if (!tokens) return WriteNull("prompt_logprobs", writer);
  writer.Key("prompt_logprobs");
  writer.BeginArray();
  for (const TokenLogprob& token : *tokens) {
    if (!token.logprob) {
      writer.Null();
      continue;
    }
    writer.BeginObject();
    for (const TokenLogprob& each : token.top) {
      writer.Key(StrCat(each.id));
      writer.BeginObject();
      writer.Key("logprob");
      WriteLogprob(each, writer);
      writer.Field("rank", each.rank);
      writer.Field("decoded_token", each.token);
      writer.EndObject();
    }
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteChoice(const AnswerHead& head, const Choice& choice, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("index", choice.index);
  head.is_chat ? WriteMessage(choice, writer) : writer.Field("text", choice.text);
  WriteLogprobs(head, choice, writer);
  WriteEnd(choice, true, writer);
  WriteIds("token_ids", choice.token_ids, writer);
  if (!head.is_chat) {
    WritePromptLogprobs(choice.prompt_logprobs, writer);
    WriteIds("prompt_token_ids", choice.prompt_token_ids, writer);
  }
  WriteNull("routed_experts", writer);
  writer.EndObject();
}

void WriteChunkChoice(const AnswerHead& head, const Choice& choice, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("index", choice.index);
  head.is_chat ? WriteDelta(choice, writer) : writer.Field("text", choice.text);
  WriteLogprobs(head, choice, writer);
  WriteEnd(choice, !head.is_chat, writer);
  if (!head.is_chat) WriteIds("prompt_token_ids", choice.prompt_token_ids, writer);
  WriteIds("token_ids", choice.token_ids, writer);
  writer.EndObject();
}

// One event around what `write_choices` writes, and behind that `write_rest`.
template <typename WriteChoices, typename WriteRest>
void AppendEvent(const AnswerHead& head, WriteChoices write_choices, WriteRest write_rest, std::string& out) {
  out += "data: ";
  JsonWriter writer(out);
  writer.BeginObject();
  WriteHead(head, true, writer);
  writer.Key("choices");
  writer.BeginArray();
  write_choices(writer);
  writer.EndArray();
  write_rest(writer);
  writer.EndObject();
  out += "\n\n";
}

}  // namespace

std::string ErrorBody(const ApiError& error) {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  if (error.type == kDetailType) {
    writer.Field("detail", error.message);
    writer.EndObject();
    return body;
  }
  writer.Key("error");
  writer.BeginObject();
  writer.Field("message", error.message);
  writer.Field("type", error.type);
  const std::string_view param = error.param;
  WriteTextOrNull("param", param.empty() ? nullptr : &param, writer);
  writer.Field("code", error.status);
  writer.EndObject();
  writer.EndObject();
  return body;
}

std::string AnswerBody(const AnswerHead& head, const std::vector<Choice>& choices, const Usage& usage,
                       const std::optional<KvTransferParams>& kv_transfer_params) {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  WriteHead(head, false, writer);
  writer.Key("choices");
  writer.BeginArray();
  for (const Choice& choice : choices) WriteChoice(head, choice, writer);
  writer.EndArray();
  WriteNull("service_tier", writer);
  writer.Field("system_fingerprint", head.fingerprint);
  WriteUsage(usage, UsageForm::kWhole, writer);
  if (head.is_chat) {
    WritePromptLogprobs(choices.front().prompt_logprobs, writer);
    WriteIds("prompt_token_ids", choices.front().prompt_token_ids, writer);
    WriteNull("prompt_text", writer);
  }
  writer.Key("kv_transfer_params");
  kv_transfer_params ? WriteKvTransferParams(*kv_transfer_params, writer) : writer.Null();
  WriteNull("ec_transfer_params", writer);
  WriteNull("metrics", writer);
  writer.EndObject();
  return body;
}

std::string TokensBody(const AnswerHead& head, const std::vector<Choice>& choices,
                       const std::optional<KvTransferParams>& kv_transfer_params) {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field("request_id", head.id);
  writer.Key("choices");
  writer.BeginArray();
  for (const Choice& choice : choices) {
    writer.BeginObject();
    writer.Field("index", choice.index);
    WriteLogprobs({.is_chat = true}, choice, writer);
    WriteEnd(choice, false, writer);
    WriteIds("token_ids", choice.token_ids, writer);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("prompt_logprobs");
  writer.Null();
  writer.Key("kv_transfer_params");
  kv_transfer_params ? WriteKvTransferParams(*kv_transfer_params, writer) : writer.Null();
  writer.EndObject();
  return body;
}

void AppendRoleChunk(const AnswerHead& head, int64_t index, const std::optional<std::vector<TokenId>>& prompt_token_ids,
                     const std::optional<Usage>& usage, std::string& out) {
  const auto write_choice = [&](JsonWriter& writer) {
    writer.BeginObject();
    writer.Field("index", index);
    writer.Key("delta");
    writer.BeginObject();
    writer.Field("role", "assistant");
    writer.Field("content", "");
    writer.EndObject();
    WriteNull("logprobs", writer);
    WriteNull("finish_reason", writer);
    writer.EndObject();
  };
  const auto write_rest = [&](JsonWriter& writer) {
    if (usage) WriteUsage(*usage, UsageForm::kRunning, writer);
    WriteIds("prompt_token_ids", prompt_token_ids, writer);
    WriteNull("prompt_text", writer);
  };
  AppendEvent(head, write_choice, write_rest, out);
}

void AppendChunk(const AnswerHead& head, const Choice& choice, bool is_last, const std::optional<Usage>& usage,
                 std::string& out) {
  const auto write_choice = [&](JsonWriter& writer) { WriteChunkChoice(head, choice, writer); };
  const auto write_rest = [&](JsonWriter& writer) {
    if (usage) WriteUsage(*usage, UsageForm::kRunning, writer);
    if (is_last) writer.Field("system_fingerprint", head.fingerprint);
  };
  AppendEvent(head, write_choice, write_rest, out);
}

void AppendUsageChunk(const AnswerHead& head, const Usage& usage, std::string& out) {
  const auto write_rest = [&](JsonWriter& writer) {
    WriteUsage(usage, UsageForm::kLast, writer);
    writer.Field("system_fingerprint", head.fingerprint);
  };
  AppendEvent(
      head, [](JsonWriter&) {}, write_rest, out);
}

void AppendStreamEnd(std::string& out) {
  out += "data: [DONE]\n\n";
}

}  // namespace spanloom::llmd::wire
