// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/openai_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llmd/wire/embedding_request.h"
#include "llmd/wire/request_error.h"

namespace spanloom::llmd::wire {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Chat(std::string_view fields) {
  return R"({"messages": [{"role": "user", "content": "Hi"}])" + std::string(fields.empty() ? "" : ", ") +
         std::string(fields) + "}";
}

TEST(OpenAiRequest, ReadsChat) {
  const auto request = ParseChatRequest(R"({
    "model": "m", "n": 2, "max_tokens": 5, "max_completion_tokens": 7, "temperature": 0.25, "top_p": 0.5, "seed": -1,
    "stop": "x", "stream": true, "stream_options": {"include_usage": true}, "logprobs": true, "top_logprobs": 3,
    "messages": [{"role": "system", "content": null},
                 {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
    "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required",
    "kv_transfer_params": {"do_remote_prefill": true, "remote_block_ids": [[1, 2]], "remote_host": "p", "remote_port": 5600},
    "anything": {"else": []}})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->model, "m");
  EXPECT_EQ(request->sampling.n, 2);
  EXPECT_EQ(request->sampling.max_tokens, 7);
  EXPECT_EQ(request->sampling.temperature, 0.25);
  EXPECT_EQ(request->sampling.seed, -1);
  EXPECT_THAT(request->sampling.stop, ElementsAre("x"));
  EXPECT_EQ(request->sampling.top_logprobs, 3);
  EXPECT_TRUE(request->is_streamed && request->includes_usage && request->requires_tool);
  ASSERT_EQ(request->messages.size(), 2);
  EXPECT_EQ(request->messages[1].content, "ab");
  EXPECT_TRUE(request->kv_transfer_params->do_remote_prefill);
  EXPECT_THAT(request->kv_transfer_params->remote_block_ids, ElementsAre(1, 2));
}

TEST(OpenAiRequest, ReadsEachKindOfPrompt) {
  const auto prompts = [](std::string_view prompt) {
    return ParseCompletionRequest("{\"prompt\": " + std::string(prompt) + "}")->prompts;
  };
  EXPECT_THAT(prompts(R"("a")"), ElementsAre(Prompt("a")));
  EXPECT_THAT(prompts(R"(["a", "b"])"), ElementsAre(Prompt("a"), Prompt("b")));
  EXPECT_THAT(prompts("[1, 2]"), ElementsAre(Prompt(std::vector<TokenId>{1, 2})));
  EXPECT_THAT(prompts("[[1], [2]]"), ElementsAre(Prompt(std::vector<TokenId>{1}), Prompt(std::vector<TokenId>{2})));
}

// Guarantees: each mistake is refused with the name of the field.
TEST(OpenAiRequest, NamesWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "body"},
      {"[]", "body"},
      {"{}", "messages"},
      {R"({"messages": []})", "Cannot apply chat template to an empty conversation"},
      {R"({"messages": 1})", "'int' object is not iterable"},
      {R"({"messages": [{"content": "x"}]})", "role"},
      {R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})", "image_url"},
      {Chat(R"("n": 0)"), "n must be at least 1, got 0"},
      {Chat(R"("n": "two")"), "'loc': 'body.n'"},
      {Chat(R"("n": 2, "temperature": 0)"), "n must be 1 when using greedy sampling, got 2."},
      {Chat(R"("top_k": -2)"), "top_k must be 0 (disable), or at least 1, got -2."},
      {Chat(R"("presence_penalty": 2.5)"), "presence_penalty must be in [-2, 2], got 2.5."},
      {Chat(R"("min_p": -1)"), "min_p must be in [0, 1], got -1.0."},
      {Chat(R"("response_format": {"type": "x"})"), "6 validation errors"},
      {Chat(R"("response_format": {})"), "body.response_format.type"},
      {Chat(R"("stream": true, "prompt_logprobs": 1)"), "not available when"},
      {Chat(R"("logprobs": true, "top_logprobs": 21)"), "Requested sample logprobs of 21"},
      {Chat(R"("max_tokens": 0)"), "max_tokens must be at least 1, got 0"},
      {Chat(R"("max_tokens": 1, "min_tokens": 2)"), "min_tokens"},
      {Chat(R"("temperature": -1)"), "temperature"},
      {Chat(R"("top_p": 0)"), "top_p"},
      {Chat(R"("stop": [1])"), "stop"},
      {Chat(R"("stop": "")"), "stop"},
      {Chat(R"("stream": 2)"), "bool_parsing"},
      {Chat(R"("stream_options": {})"), "Stream options"},
      {Chat(R"("top_logprobs": 1)"), "top_logprobs"},
      {Chat(R"("tool_choice": "required")"), "tools"},
      {Chat(R"("tools": [{}])"), "body.tools.0.function"},
      {Chat(R"("tools": [{"function": {}}])"), "body.tools.0.function.name"},
      {Chat(R"("tools": [{"function": {"name": "f"}}], "tool_choice": {"function": {"name": "g"}})"), "tool_choice"},
      {Chat(R"("kv_transfer_params": 1)"), "kv_transfer_params"},
      {Chat(R"("kv_transfer_params": {"remote_block_ids": ["a"]})"), "remote_block_ids"},
      {Chat(R"("bootstrap_port": 65536)"), "bootstrap_port"},
  };
  for (const auto& [body, wanted] : cases) {
    const auto request = ParseChatRequest(body);
    ASSERT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument) << body;
    EXPECT_THAT(std::string(request.status().message()), HasSubstr(wanted)) << body;
  }
}

// Guarantees: errors of form are told as the web framework of vLLM does, those of values as vLLM itself.
TEST(OpenAiRequest, TellsErrorsAsVllm) {
  const Status form = ParseChatRequest("{}").status();
  EXPECT_EQ(ErrorTypeOf(form), "Bad Request");
  EXPECT_EQ(ErrorParamOf(form), "body.messages");
  EXPECT_EQ(form.message(),
            "1 validation error:\n  {'type': 'missing', 'loc': 'body.messages', 'msg': 'Field required', 'input': "
            "'<dict of 0 items>'}");
  const Status value = ParseChatRequest(Chat(R"("top_p": 2)")).status();
  EXPECT_EQ(ErrorTypeOf(value), "BadRequestError");
  EXPECT_EQ(ErrorParamOf(value), "top_p");
  EXPECT_EQ(value.message(), "top_p must be in (0, 1], got 2.0. (parameter=top_p, value=2.0)");
  const Status request = ParseChatRequest(Chat(R"("n": 0)")).status();
  EXPECT_EQ(ErrorTypeOf(request), "BadRequestError");
  EXPECT_EQ(ErrorParamOf(request), "");
  EXPECT_EQ(ErrorParamOf(ParseChatRequest("{").status()), "body.1");
  EXPECT_EQ(ErrorTypeOf(ParseChatRequest("{\"model\": \"\xff\"}").status()), kDetailType);
  EXPECT_EQ(ErrorTypeOf(absl::InternalError("x")), "");
}

// Scenario: a prompt of token ids one of which is none, which the framework might have read in four ways.
// Guarantees: what is wrong with it is told of each of them.
TEST(OpenAiRequest, TellsWhatAPromptMightHaveBeen) {
  const Status status = ParseCompletionRequest(R"({"prompt": [5, -1]})").status();
  EXPECT_EQ(ErrorParamOf(status), "body.prompt.1");
  EXPECT_EQ(
      status.message(),
      "6 validation errors:\n"
      "  {'type': 'greater_than_equal', 'loc': 'body.prompt.1', 'msg': 'Input should be greater than or equal to "
      "0', 'input': '-1', 'ctx': {'ge': 0}}\n"
      "  {'type': 'list_type', 'loc': 'body.prompt.0', 'msg': 'Input should be a valid list', 'input': '5'}\n"
      "  {'type': 'list_type', 'loc': 'body.prompt.1', 'msg': 'Input should be a valid list', 'input': '-1'}\n"
      "  {'type': 'string_type', 'loc': 'body.prompt', 'msg': 'Input should be a valid string', 'input': '<list of "
      "2 items>'}\n"
      "  {'type': 'string_type', 'loc': 'body.prompt.0', 'msg': 'Input should be a valid string', 'input': '5'}\n"
      "  {'type': 'string_type', 'loc': 'body.prompt.1', 'msg': 'Input should be a valid string', 'input': "
      "'-1'}");
}

// Guarantees: values that the framework takes for what is wanted are taken, as "5" for 5; connectors' flags are true if
// Python says so.
TEST(OpenAiRequest, TakesWhatCanBeMeant) {
  const auto request =
      ParseChatRequest(Chat(R"("max_tokens": "5", "min_tokens": 2.0, "top_p": "0.5", "ignore_eos": 1, "stream": "true",
              "kv_transfer_params": {"do_remote_decode": "x", "do_remote_prefill": 0})"));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->sampling.max_tokens, 5);
  EXPECT_EQ(request->sampling.min_tokens, 2);
  EXPECT_EQ(request->sampling.top_p, 0.5);
  EXPECT_TRUE(request->sampling.ignores_eos && request->is_streamed);
  EXPECT_TRUE(request->kv_transfer_params->do_remote_decode && !request->kv_transfer_params->do_remote_prefill);
}

// Scenario: a message of Anthropic's API with blocks of every kind that is text; with a tool that must be called.
// Guarantees: what is said to the model stands first, blocks become text, tools are known by their names.
TEST(OpenAiRequest, ReadsMessages) {
  const auto request = ParseMessagesRequest(R"({
    "model": "m", "max_tokens": 5, "system": [{"type": "text", "text": "a"}], "stop_sequences": ["x"], "stream": true,
    "messages": [{"role": "user", "content": "b"}, {"role": "system", "content": "c"},
                 {"role": "assistant", "content": [{"type": "thinking", "thinking": "t"},
                                                   {"type": "tool_use", "name": "f", "input": {"k": 1}}]},
                 {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "d"}]}]}],
    "tools": [{"name": "f"}], "tool_choice": {"type": "any"}})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_TRUE(request->is_chat && request->is_message && request->is_streamed && request->requires_tool);
  ASSERT_EQ(request->messages.size(), 4);
  EXPECT_EQ(request->messages[0].content, "ac");
  EXPECT_EQ(request->messages[2].content, "f{\"k\":1}");
  EXPECT_EQ(request->messages[3].content, "d");
  EXPECT_THAT(request->sampling.stop, ElementsAre("x"));
  EXPECT_FALSE(ParseMessagesRequest(R"({"model": "m", "messages": [{"role": "user", "content": "a"}]})").ok());
  EXPECT_TRUE(ParseCountTokensRequest(R"({"model": "m", "messages": [{"role": "user", "content": "a"}]})").ok());
}

TEST(OpenAiRequest, RefusesPromptsThatAreNone) {
  for (const char* prompt : {"[]", "[{}]", "1", "[-1]", "[4294967296]", "null"}) {
    EXPECT_FALSE(ParseCompletionRequest(std::string("{\"prompt\": ") + prompt + "}").ok()) << prompt;
  }
  EXPECT_FALSE(ParseCompletionRequest("{}").ok());
  EXPECT_FALSE(ParseEmbeddingRequest(R"({"input": "a", "encoding_format": "hex"})").ok());
  EXPECT_FALSE(ParseDetokenizeRequest(R"({"tokens": ["a"]})").ok());
  EXPECT_FALSE(ParseLoraRequest("{}").ok());
}

}  // namespace
}  // namespace spanloom::llmd::wire
