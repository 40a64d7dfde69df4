// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/responses_answer.h"

#include "base/json_writer.h"
#include "base/text.h"
#include "llmd/wire/python_text.h"

namespace spanloom::llmd::wire {
namespace {

std::string MessageId(const AnswerHead& head) {
  return StrCat("msg_", head.id);
}

void WriteNothing(JsonWriter&) {}

void WriteNull(std::string_view key, JsonWriter& writer) {
  writer.Key(key);
  writer.Null();
}

void WriteEmptyList(std::string_view key, JsonWriter& writer) {
  writer.Key(key);
  writer.BeginArray();
  writer.EndArray();
}

void WriteJson(std::string_view key, std::string_view json, JsonWriter& writer) {
  writer.Key(key);
  writer.Raw(json);
}

// Its logprobs are an empty list while it is made, and nothing afterwards.
void WritePart(std::string_view text, bool has_begun, JsonWriter& writer) {
  writer.BeginObject();
  WriteEmptyList("annotations", writer);
  writer.Field("text", text);
  writer.Field("type", "output_text");
  has_begun ? WriteNull("logprobs", writer) : WriteEmptyList("logprobs", writer);
  writer.EndObject();
}

void WriteMessage(const AnswerHead& head, const ResponseText& text, bool has_content, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("id", MessageId(head));
  writer.Key("content");
  writer.BeginArray();
  if (has_content) WritePart(text.text, true, writer);
  writer.EndArray();
  writer.Field("role", "assistant");
  writer.Field("status", has_content ? "completed" : "in_progress");
  writer.Field("type", "message");
  WriteNull("phase", writer);
  writer.EndObject();
}

void WriteUsage(const Usage& usage, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("input_tokens", usage.prompt_tokens);
  writer.Key("input_tokens_details");
  writer.BeginObject();
  writer.Field("cached_tokens", usage.cached_tokens.value_or(0));
  writer.Field("cache_write_tokens", 0);
  WriteEmptyList("input_tokens_per_turn", writer);
  WriteEmptyList("cached_tokens_per_turn", writer);
  writer.EndObject();
  writer.Field("output_tokens", usage.completion_tokens);
  writer.Key("output_tokens_details");
  writer.BeginObject();
  writer.Field("reasoning_tokens", 0);
  writer.Field("tool_output_tokens", 0);
  WriteEmptyList("output_tokens_per_turn", writer);
  WriteEmptyList("tool_output_tokens_per_turn", writer);
  writer.EndObject();
  writer.Field("total_tokens", usage.prompt_tokens + usage.completion_tokens);
  writer.EndObject();
}

void WriteDetails(bool is_cut, JsonWriter& writer) {
  if (!is_cut) return WriteNull("incomplete_details", writer);
  writer.Key("incomplete_details");
  writer.BeginObject();
  writer.Field("reason", "max_output_tokens");
  writer.EndObject();
}

// How it was asked for.
void WriteRequest(const ResponseRequest& request, JsonWriter& writer) {
  writer.Field("parallel_tool_calls", true);
  WriteJson("temperature", PythonFloat(request.sampling.temperature), writer);
  writer.Field("tool_choice", "none");
  WriteEmptyList("tools", writer);
  WriteJson("top_p", PythonFloat(request.sampling.top_p), writer);
  writer.Field("background", false);
  writer.Field("max_output_tokens", request.tokens_max);
  WriteNull("max_tool_calls", writer);
  if (request.echoed.previous_response_id.empty()) {
    WriteNull("previous_response_id", writer);
  } else {
    writer.Field("previous_response_id", request.echoed.previous_response_id);
  }
  for (const std::string_view key : {"prompt", "reasoning"}) WriteNull(key, writer);
  writer.Field("service_tier", request.echoed.service_tier);
}

// The answer as an object; `usage` is null until it has ended.
void WriteResponse(const AnswerHead& head, const ResponseRequest& request, const ResponseText& text, const Usage* usage,
                   const std::optional<KvTransferParams>& kv_transfer_params, JsonWriter& writer) {
  const bool has_ended = usage != nullptr;
  const bool is_cut = has_ended && text.finish_reason == "length";
  writer.BeginObject();
  writer.Field("id", head.id);
  writer.Field("created_at", head.created);
  WriteDetails(is_cut, writer);
  WriteJson("instructions", request.echoed.instructions, writer);
  WriteJson("metadata", request.echoed.metadata, writer);
  writer.Field("model", head.model);
  writer.Field("object", "response");
  writer.Key("output");
  writer.BeginArray();
  if (has_ended) WriteMessage(head, text, true, writer);
  writer.EndArray();
  WriteRequest(request, writer);
  writer.Field("status", !has_ended ? "in_progress" : is_cut ? "incomplete" : "completed");
  for (const std::string_view key : {"text", "top_logprobs"}) WriteNull(key, writer);
  writer.Field("truncation", request.echoed.truncation);
  writer.Key("usage");
  has_ended ? WriteUsage(*usage, writer) : writer.Null();
  WriteJson("user", request.echoed.user, writer);
  WriteJson("presence_penalty", PythonFloat(request.echoed.presence_penalty), writer);
  WriteJson("frequency_penalty", PythonFloat(request.echoed.frequency_penalty), writer);
  writer.Key("kv_transfer_params");
  kv_transfer_params ? WriteKvTransferParams(*kv_transfer_params, writer) : writer.Null();
  for (const std::string_view key : {"ec_transfer_params", "input_messages", "output_messages"}) WriteNull(key, writer);
  writer.EndObject();
}

}  // namespace

std::string ResponseBody(const AnswerHead& head, const ResponseRequest& request, const ResponseText& text,
                         const Usage& usage, const std::optional<KvTransferParams>& kv_transfer_params) {
  std::string body;
  JsonWriter writer(body);
  WriteResponse(head, request, text, &usage, kv_transfer_params, writer);
  return body;
}

// Its members stand in alphabetical order, and the number and the type among them.
template <typename WriteFirst, typename WriteLast>
void ResponseStream::AppendEvent(std::string_view type, WriteFirst write_first, WriteLast write_last,
                                 std::string& out) {
  StrAppend(out, "event: ", type, "\ndata: ");
  JsonWriter writer(out);
  writer.BeginObject();
  write_first(writer);
  writer.Field("sequence_number", next_number_++);
  write_last(writer);
  writer.Field("type", type);
  writer.EndObject();
  out += "\n\n";
}

void ResponseStream::AppendBegin(const AnswerHead& head, const ResponseRequest& request, std::string& out) {
  const auto write_response = [&](JsonWriter& writer) {
    writer.Key("response");
    WriteResponse(head, request, {}, nullptr, {}, writer);
  };
  AppendEvent("response.created", write_response, WriteNothing, out);
  AppendEvent("response.in_progress", write_response, WriteNothing, out);
  const auto write_item = [&](JsonWriter& writer) {
    writer.Key("item");
    WriteMessage(head, {}, false, writer);
    writer.Field("output_index", 0);
  };
  AppendEvent("response.output_item.added", write_item, WriteNothing, out);
  const auto write_part = [&](JsonWriter& writer) {
    writer.Field("content_index", 0);
    writer.Field("item_id", MessageId(head));
    writer.Field("output_index", 0);
    writer.Key("part");
    WritePart("", false, writer);
  };
  AppendEvent("response.content_part.added", write_part, WriteNothing, out);
}

void ResponseStream::AppendDelta(const AnswerHead& head, std::string_view piece, std::string& out) {
  text_ += piece;
  const auto write = [&](JsonWriter& writer) {
    writer.Field("content_index", 0);
    writer.Field("delta", piece);
    writer.Field("item_id", MessageId(head));
    WriteEmptyList("logprobs", writer);
    writer.Field("output_index", 0);
  };
  AppendEvent("response.output_text.delta", write, WriteNothing, out);
}

// vLLM says "completed" of an answer that was cut as well: its status tells.
void ResponseStream::AppendEnd(const AnswerHead& head, const ResponseRequest& request, std::string_view finish_reason,
                               const Usage& usage, std::string& out) {
  const ResponseText text{.text = text_, .finish_reason = finish_reason};
  const auto write_place = [&](JsonWriter& writer) {
    writer.Field("content_index", 0);
    writer.Field("item_id", MessageId(head));
    WriteEmptyList("logprobs", writer);
    writer.Field("output_index", 0);
  };
  AppendEvent(
      "response.output_text.done", write_place, [&](JsonWriter& writer) { writer.Field("text", text_); }, out);
  const auto write_part = [&](JsonWriter& writer) {
    writer.Field("content_index", 0);
    writer.Field("item_id", MessageId(head));
    writer.Field("output_index", 0);
    writer.Key("part");
    WritePart(text_, true, writer);
  };
  AppendEvent("response.content_part.done", write_part, WriteNothing, out);
  const auto write_item = [&](JsonWriter& writer) {
    writer.Key("item");
    WriteMessage(head, text, true, writer);
    writer.Field("output_index", 0);
  };
  AppendEvent("response.output_item.done", write_item, WriteNothing, out);
  const auto write_response = [&](JsonWriter& writer) {
    writer.Key("response");
    WriteResponse(head, request, text, &usage, {}, writer);
  };
  AppendEvent("response.completed", write_response, WriteNothing, out);
}

}  // namespace spanloom::llmd::wire
