// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/messages_answer.h"

#include "base/json_writer.h"
#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

std::string_view StopReason(std::string_view finish_reason) {
  if (finish_reason == "length") return "max_tokens";
  return finish_reason == "tool_calls" ? "tool_use" : "end_turn";
}

void WriteUsage(const Usage& usage, JsonWriter& writer) {
  writer.Key("usage");
  writer.BeginObject();
  writer.Field("input_tokens", usage.prompt_tokens);
  writer.Field("output_tokens", usage.completion_tokens);
  writer.EndObject();
}

void WriteText(std::string_view text, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("type", "text");
  writer.Field("text", text);
  writer.EndObject();
}

void WriteToolUse(const ToolCall& call, std::string_view input, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("type", "tool_use");
  writer.Field("id", call.id);
  writer.Field("name", call.name);
  writer.Key("input");
  writer.Raw(input);
  writer.EndObject();
}

template <typename Write>
void AppendEvent(std::string_view type, Write write, std::string& out) {
  StrAppend(out, "event: ", type, "\ndata: ");
  JsonWriter writer(out);
  writer.BeginObject();
  writer.Field("type", type);
  write(writer);
  writer.EndObject();
  out += "\n\n";
}

template <typename WriteDelta>
void AppendDelta(int64_t index, WriteDelta write, std::string& out) {
  AppendEvent(
      "content_block_delta",
      [&](JsonWriter& writer) {
        writer.Field("index", index);
        writer.Key("delta");
        writer.BeginObject();
        write(writer);
        writer.EndObject();
      },
      out);
}

template <typename WriteBlock>
void AppendBlockStart(int64_t index, WriteBlock write, std::string& out) {
  AppendEvent(
      "content_block_start",
      [&](JsonWriter& writer) {
        writer.Field("index", index);
        writer.Key("content_block");
        write(writer);
      },
      out);
}

}  // namespace

std::string MessageErrorBody(const ApiError& error) {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field("type", "error");
  writer.Key("error");
  writer.BeginObject();
  writer.Field("type", error.type);
  writer.Field("message", error.message);
  writer.EndObject();
  writer.EndObject();
  return body;
}

std::string MessageBody(const AnswerHead& head, const Choice& choice, const Usage& usage,
                        const std::optional<KvTransferParams>& kv_transfer_params) {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field("id", head.id);
  writer.Field("type", "message");
  writer.Field("role", "assistant");
  writer.Key("content");
  writer.BeginArray();
  if (choice.tool_calls.empty() && !choice.text.empty()) WriteText(choice.text, writer);
  for (const ToolCall& call : choice.tool_calls) WriteToolUse(call, call.arguments, writer);
  writer.EndArray();
  writer.Field("model", head.model);
  writer.Field("stop_reason", StopReason(choice.finish_reason));
  WriteUsage(usage, writer);
  if (kv_transfer_params) {
    writer.Key("kv_transfer_params");
    WriteKvTransferParams(*kv_transfer_params, writer);
  }
  writer.EndObject();
  return body;
}

void MessageStream::AppendBegin(const AnswerHead& head, const Usage& usage, std::string& out) {
  const auto write = [&](JsonWriter& writer) {
    writer.Key("message");
    writer.BeginObject();
    writer.Field("id", head.id);
    writer.Field("type", "message");
    writer.Field("role", "assistant");
    writer.Key("content");
    writer.BeginArray();
    writer.EndArray();
    writer.Field("model", head.model);
    writer.Key("stop_reason");
    writer.Null();
    writer.Key("stop_sequence");
    writer.Null();
    WriteUsage({.prompt_tokens = usage.prompt_tokens}, writer);
    writer.EndObject();
  };
  AppendEvent("message_start", write, out);
}

void MessageStream::StopBlock(std::string& out) {
  AppendEvent(
      "content_block_stop", [&](JsonWriter& writer) { writer.Field("index", block_); }, out);
  ++block_;
  is_in_text_ = false;
}

void MessageStream::AppendChoice(const Choice& choice, std::string& out) {
  if (!choice.finish_reason.empty()) finish_reason_ = choice.finish_reason;
  if (choice.tool_calls.empty() && !choice.text.empty()) {
    if (!is_in_text_) {
      AppendBlockStart(
          block_, [](JsonWriter& writer) { WriteText("", writer); }, out);
    }
    is_in_text_ = true;
    const auto write = [&](JsonWriter& writer) {
      writer.Field("type", "text_delta");
      writer.Field("text", choice.text);
    };
    return AppendDelta(block_, write, out);
  }
  for (const ToolCall& call : choice.tool_calls) {
    if (is_in_text_) StopBlock(out);
    AppendBlockStart(
        block_, [&](JsonWriter& writer) { WriteToolUse(call, "{}", writer); }, out);
    const auto write = [&](JsonWriter& writer) {
      writer.Field("type", "input_json_delta");
      writer.Field("partial_json", call.arguments);
    };
    AppendDelta(block_, write, out);
    StopBlock(out);
  }
}

void MessageStream::AppendEnd(const Usage& usage, std::string& out) {
  if (is_in_text_) StopBlock(out);
  const auto write = [&](JsonWriter& writer) {
    writer.Key("delta");
    writer.BeginObject();
    writer.Field("stop_reason", StopReason(finish_reason_));
    writer.EndObject();
    WriteUsage(usage, writer);
  };
  AppendEvent("message_delta", write, out);
  AppendEvent(
      "message_stop", [](JsonWriter&) {}, out);
}

}  // namespace spanloom::llmd::wire
