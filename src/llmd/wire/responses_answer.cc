// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/responses_answer.h"

#include "base/json_writer.h"
#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

std::string MessageId(const AnswerHead& head) {
  return StrCat("msg_", head.id);
}

void WritePart(std::string_view text, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("type", "output_text");
  writer.Field("text", text);
  writer.Key("annotations");
  writer.BeginArray();
  writer.EndArray();
  writer.EndObject();
}

void WriteMessage(const AnswerHead& head, const ResponseText& text, bool has_content, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("id", MessageId(head));
  writer.Field("type", "message");
  writer.Field("role", "assistant");
  writer.Field("status", text.finish_reason.empty()       ? "in_progress"
                         : text.finish_reason == "length" ? "incomplete"
                                                          : "completed");
  writer.Key("content");
  writer.BeginArray();
  if (has_content) WritePart(text.text, writer);
  writer.EndArray();
  writer.EndObject();
}

void WriteUsage(const Usage& usage, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("input_tokens", usage.prompt_tokens);
  writer.Key("input_tokens_details");
  writer.BeginObject();
  writer.Field("cached_tokens", usage.cached_tokens.value_or(0));
  writer.EndObject();
  writer.Field("output_tokens", usage.completion_tokens);
  writer.Key("output_tokens_details");
  writer.BeginObject();
  writer.Field("reasoning_tokens", 0);
  writer.EndObject();
  writer.Field("total_tokens", usage.prompt_tokens + usage.completion_tokens);
  writer.EndObject();
}

// The answer as an object; `usage` is null until it has ended.
void WriteResponse(const AnswerHead& head, const ResponseText& text, const Usage* usage,
                   const std::optional<KvTransferParams>& kv_transfer_params, JsonWriter& writer) {
  const bool has_ended = usage != nullptr;
  const bool is_cut = has_ended && text.finish_reason == "length";
  writer.BeginObject();
  writer.Field("id", head.id);
  writer.Field("object", "response");
  writer.Field("created_at", head.created);
  writer.Field("model", head.model);
  writer.Field("status", !has_ended ? "in_progress" : is_cut ? "incomplete" : "completed");
  writer.Key("incomplete_details");
  if (is_cut) {
    writer.BeginObject();
    writer.Field("reason", "max_output_tokens");
    writer.EndObject();
  } else {
    writer.Null();
  }
  writer.Key("output");
  writer.BeginArray();
  if (has_ended) WriteMessage(head, text, true, writer);
  writer.EndArray();
  writer.Field("parallel_tool_calls", true);
  writer.Field("tool_choice", "auto");
  writer.Key("tools");
  writer.BeginArray();
  writer.EndArray();
  writer.Key("usage");
  has_ended ? WriteUsage(*usage, writer) : writer.Null();
  if (kv_transfer_params) {
    writer.Key("kv_transfer_params");
    WriteKvTransferParams(*kv_transfer_params, writer);
  }
  writer.EndObject();
}

// Which part of the answer an event is about: there is one message, with one part.
void WritePlace(const AnswerHead& head, JsonWriter& writer) {
  writer.Field("item_id", MessageId(head));
  writer.Field("output_index", 0);
  writer.Field("content_index", 0);
}

}  // namespace

std::string ResponseBody(const AnswerHead& head, const ResponseText& text, const Usage& usage,
                         const std::optional<KvTransferParams>& kv_transfer_params) {
  std::string body;
  JsonWriter writer(body);
  WriteResponse(head, text, &usage, kv_transfer_params, writer);
  return body;
}

template <typename Write>
void ResponseStream::AppendEvent(std::string_view type, Write write, std::string& out) {
  StrAppend(out, "event: ", type, "\ndata: ");
  JsonWriter writer(out);
  writer.BeginObject();
  writer.Field("type", type);
  writer.Field("sequence_number", next_number_++);
  write(writer);
  writer.EndObject();
  out += "\n\n";
}

void ResponseStream::AppendBegin(const AnswerHead& head, std::string& out) {
  const auto write_response = [&](JsonWriter& writer) {
    writer.Key("response");
    WriteResponse(head, {}, nullptr, {}, writer);
  };
  AppendEvent("response.created", write_response, out);
  AppendEvent("response.in_progress", write_response, out);
  const auto write_item = [&](JsonWriter& writer) {
    writer.Field("output_index", 0);
    writer.Key("item");
    WriteMessage(head, {}, false, writer);
  };
  AppendEvent("response.output_item.added", write_item, out);
  const auto write_part = [&](JsonWriter& writer) {
    WritePlace(head, writer);
    writer.Key("part");
    WritePart("", writer);
  };
  AppendEvent("response.content_part.added", write_part, out);
}

void ResponseStream::AppendDelta(const AnswerHead& head, std::string_view piece, std::string& out) {
  text_ += piece;
  const auto write = [&](JsonWriter& writer) {
    WritePlace(head, writer);
    writer.Field("delta", piece);
    writer.Key("logprobs");
    writer.BeginArray();
    writer.EndArray();
  };
  AppendEvent("response.output_text.delta", write, out);
}

void ResponseStream::AppendEnd(const AnswerHead& head, std::string_view finish_reason, const Usage& usage,
                               std::string& out) {
  const ResponseText text{.text = text_, .finish_reason = finish_reason};
  const auto write_text = [&](JsonWriter& writer) {
    WritePlace(head, writer);
    writer.Field("text", text_);
    writer.Key("logprobs");
    writer.BeginArray();
    writer.EndArray();
  };
  AppendEvent("response.output_text.done", write_text, out);
  const auto write_part = [&](JsonWriter& writer) {
    WritePlace(head, writer);
    writer.Key("part");
    WritePart(text_, writer);
  };
  AppendEvent("response.content_part.done", write_part, out);
  const auto write_item = [&](JsonWriter& writer) {
    writer.Field("output_index", 0);
    writer.Key("item");
    WriteMessage(head, text, true, writer);
  };
  AppendEvent("response.output_item.done", write_item, out);
  const auto write_response = [&](JsonWriter& writer) {
    writer.Key("response");
    WriteResponse(head, text, &usage, {}, writer);
  };
  AppendEvent(finish_reason == "length" ? "response.incomplete" : "response.completed", write_response, out);
}

}  // namespace spanloom::llmd::wire
