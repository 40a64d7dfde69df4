// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/openai_answer.h"

#include "base/json_writer.h"

namespace spanloom::llmd::wire {
namespace {

void WriteUsage(const Usage& usage, JsonWriter& writer) {
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
  }
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
  writer.Double(token.logprob);
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
  int64_t offset = 0;
  list("text_offset", [&](const TokenLogprob& token) {
    writer.Int(offset);
    offset += static_cast<int64_t>(token.token.size());
  });
  list("token_logprobs", [&](const TokenLogprob& token) { writer.Double(token.logprob); });
  list("tokens", [&](const TokenLogprob& token) { writer.String(token.token); });
  list("top_logprobs", [&](const TokenLogprob& token) {
    writer.BeginObject();
    for (const TokenLogprob& each : token.top) {
      writer.Key(each.token);
      writer.Double(each.logprob);
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
  writer.Key("refusal");
  writer.Null();
  WriteToolCalls(choice, false, writer);
  writer.EndObject();
}

void WriteDelta(const Choice& choice, JsonWriter& writer) {
  writer.Key("delta");
  writer.BeginObject();
  if (choice.tool_calls.empty()) writer.Field("content", choice.text);
  WriteToolCalls(choice, true, writer);
  writer.EndObject();
}

void WriteEnd(const Choice& choice, bool is_chunk, JsonWriter& writer) {
  const bool is_last = !choice.finish_reason.empty();
  WriteTextOrNull("finish_reason", is_last ? &choice.finish_reason : nullptr, writer);
  if (is_last || !is_chunk) {
    const std::string_view reason = choice.stop_reason ? *choice.stop_reason : std::string_view();
    WriteTextOrNull("stop_reason", choice.stop_reason ? &reason : nullptr, writer);
  }
  if (!choice.token_ids) return;
  writer.Key("token_ids");
  writer.BeginArray();
  for (const TokenId id : *choice.token_ids) writer.Uint(id);
  writer.EndArray();
}

void WriteChoice(const AnswerHead& head, const Choice& choice, bool is_chunk, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("index", choice.index);
  if (!head.is_chat) {
    writer.Field("text", choice.text);
  } else {
    is_chunk ? WriteDelta(choice, writer) : WriteMessage(choice, writer);
  }
  WriteLogprobs(head, choice, writer);
  WriteEnd(choice, is_chunk, writer);
  writer.EndObject();
}

// One event around what `write_choices` writes.
template <typename WriteChoices>
void AppendEvent(const AnswerHead& head, const Usage* usage, WriteChoices write_choices, std::string& out) {
  out += "data: ";
  JsonWriter writer(out);
  writer.BeginObject();
  WriteHead(head, true, writer);
  writer.Key("choices");
  writer.BeginArray();
  write_choices(writer);
  writer.EndArray();
  if (usage != nullptr) WriteUsage(*usage, writer);
  writer.EndObject();
  out += "\n\n";
}

const Usage* Pointer(const std::optional<Usage>& usage) {
  return usage ? &*usage : nullptr;
}

}  // namespace

std::string ErrorBody(const ApiError& error) {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
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
  for (const Choice& choice : choices) WriteChoice(head, choice, false, writer);
  writer.EndArray();
  WriteUsage(usage, writer);
  writer.Key("kv_transfer_params");
  kv_transfer_params ? WriteKvTransferParams(*kv_transfer_params, writer) : writer.Null();
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
    WriteEnd(choice, true, writer);
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

void AppendRoleChunk(const AnswerHead& head, int64_t index, const std::optional<Usage>& usage, std::string& out) {
  const auto write = [&](JsonWriter& writer) {
    writer.BeginObject();
    writer.Field("index", index);
    writer.Key("delta");
    writer.BeginObject();
    writer.Field("role", "assistant");
    writer.Field("content", "");
    writer.EndObject();
    writer.Key("logprobs");
    writer.Null();
    writer.Key("finish_reason");
    writer.Null();
    writer.EndObject();
  };
  AppendEvent(head, Pointer(usage), write, out);
}

void AppendChunk(const AnswerHead& head, const Choice& choice, const std::optional<Usage>& usage, std::string& out) {
  AppendEvent(
      head, Pointer(usage), [&](JsonWriter& writer) { WriteChoice(head, choice, true, writer); }, out);
}

void AppendUsageChunk(const AnswerHead& head, const Usage& usage, std::string& out) {
  AppendEvent(
      head, &usage, [](JsonWriter&) {}, out);
}

void AppendStreamEnd(std::string& out) {
  out += "data: [DONE]\n\n";
}

}  // namespace spanloom::llmd::wire
