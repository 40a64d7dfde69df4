// SPDX-License-Identifier: Apache-2.0
//
// Answers of the OpenAI API as vLLM writes them: errors, completions and chat completions, whole or as the chunks of a
// stream of server-sent events, and their usage.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmd/wire/block_hash.h"
#include "llmd/wire/kv_transfer_params.h"

namespace spanloom::llmd::wire {

// {"error": {"message", "type", "param", "code"}}; with the type kDetailType (request_error.h), {"detail": message}.
struct ApiError {
  int status = 400;  // of HTTP, and the code
  std::string type = "BadRequestError";
  std::string message = {};
  std::string param = {};  // "": null
};

[[nodiscard]] std::string ErrorBody(const ApiError& error);

// What every part of one answer says. Texts must outlive it.
struct AnswerHead {
  bool is_chat = false;
  std::string id = {};                // "chatcmpl-..." or "cmpl-..."
  std::string model = {};             // as the request names it
  int64_t created = 0;                // seconds since 1970
  std::string_view fingerprint = {};  // system_fingerprint: what the server is; outlives it
};

struct Usage {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  std::optional<int64_t> cached_tokens = {};  // set: with prompt_tokens_details
};

// A token with its logarithmic probability, and those that were likelier or next.
struct TokenLogprob {
  std::string token = {};
  std::optional<double> logprob = {};  // unset: nothing stands before it that it could follow from
  TokenId id = 0;
  int64_t rank = 1;  // among all that might have stood there
  std::vector<TokenLogprob> top = {};
};

struct ToolCall {
  std::string id = {};
  std::string name = {};
  std::string arguments = {};  // JSON
};

struct Choice {
  int64_t index = 0;
  std::string text = {};
  std::string_view finish_reason = {};          // "": null, of a chunk that is not the last
  std::optional<std::string> stop_reason = {};  // the stop string
  bool has_logprobs = false;
  int64_t text_offset = 0;  // of completions' logprobs: bytes of the text in front of the first
  std::vector<TokenLogprob> logprobs = {};
  std::vector<ToolCall> tool_calls = {};
  std::optional<std::vector<TokenId>> token_ids = {};
  std::optional<std::vector<TokenId>> prompt_token_ids = {};
  std::optional<std::vector<TokenLogprob>> prompt_logprobs = {};  // of a whole answer
};

// A whole answer.
[[nodiscard]] std::string AnswerBody(const AnswerHead& head, const std::vector<Choice>& choices, const Usage& usage,
                                     const std::optional<KvTransferParams>& kv_transfer_params);

// A whole answer of /inference/v1/generate, whose choices have token ids.
[[nodiscard]] std::string TokensBody(const AnswerHead& head, const std::vector<Choice>& choices,
                                     const std::optional<KvTransferParams>& kv_transfer_params);

// Events of a stream, each "data: {...}\n\n", appended to `out`. A chat stream begins, choice by choice, with the role;
// the usage alone comes last before the end.
void AppendRoleChunk(const AnswerHead& head, int64_t index, const std::optional<std::vector<TokenId>>& prompt_token_ids,
                     const std::optional<Usage>& usage, std::string& out);
// `is_last`: nothing but the end follows.
void AppendChunk(const AnswerHead& head, const Choice& choice, bool is_last, const std::optional<Usage>& usage,
                 std::string& out);
void AppendUsageChunk(const AnswerHead& head, const Usage& usage, std::string& out);
void AppendStreamEnd(std::string& out);

}  // namespace spanloom::llmd::wire
