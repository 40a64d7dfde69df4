// SPDX-License-Identifier: Apache-2.0
//
// Requests of the OpenAI API as a model server reads them: chat completions, completions and what else is about tokens,
// with the fields that vLLM adds. What a request asks for is checked here as far as it is the request's own business;
// what depends on the model (its name, its context length) is the server's.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "llmd/wire/block_hash.h"
#include "llmd/wire/kv_transfer_params.h"

namespace spanloom::llmd::wire {

inline constexpr size_t kPromptsMax = 2'048;    // of one request, as OpenAI has it for inputs of embeddings
inline constexpr size_t kStopsMax = 64;         // strings of `stop`; guess
inline constexpr int64_t kChoicesMax = 128;     // `n`, as OpenAI has it
inline constexpr int64_t kTopLogprobsMax = 20;  // vLLM's --max-logprobs

struct ChatMessage {
  std::string role = {};
  std::string content = {};  // its text parts, one after the other
};

using Prompt = std::variant<std::string, std::vector<TokenId>>;

// How tokens are chosen and where they end; the same for all ways to ask for them.
struct Sampling {
  int64_t n = 1;
  std::optional<int64_t> max_tokens = {};  // also max_completion_tokens, which goes first
  int64_t min_tokens = 0;
  double temperature = 1;
  double top_p = 1;
  std::optional<int64_t> seed = {};
  std::vector<std::string> stop = {};
  bool includes_stop = false;  // include_stop_str_in_output
  bool ignores_eos = false;
  std::optional<int64_t> top_logprobs = {};     // nullopt: no logprobs; 0: of the chosen tokens alone
  std::optional<int64_t> prompt_logprobs = {};  // the same of the prompt's tokens
};

// Of SGLang's way to join prefill and decode; kept for whoever looks at them.
struct Bootstrap {
  std::string host = {};
  std::optional<int64_t> port = {};
  std::optional<int64_t> room = {};
};

struct ToolFunction {
  std::string name = {};
  std::string parameters = {};  // its JSON schema; "" if there is none
};

// What an answer of the Responses API says again as it was asked. Texts of JSON are "null" where nothing was said.
struct EchoedFields {
  std::string service_tier = "auto";
  std::string truncation = "disabled";
  std::string previous_response_id = {};  // "": null
  std::string instructions = "null";      // JSON
  std::string metadata = "null";          // JSON
  std::string user = "null";              // JSON
  double presence_penalty = 0;
  double frequency_penalty = 0;
};

struct GenerationRequest {
  bool is_chat = false;                    // messages make the prompt
  bool is_response = false;                // of the Responses API, which is chat with another answer
  bool is_message = false;                 // of Anthropic's Messages API, the same
  bool is_tokens = false;                  // of vLLM's /inference/v1/generate: token ids in and out
  bool is_rpc = false;                     // of vLLM's gRPC service, which is about tokens as well
  std::string model = {};                  // "" if the request names none
  std::vector<ChatMessage> messages = {};  // of chat
  std::vector<Prompt> prompts = {};        // of completions, at least one
  Sampling sampling = {};
  bool is_streamed = false;
  bool includes_usage = false;    // stream_options.include_usage
  bool continuous_usage = false;  // stream_options.continuous_usage_stats
  bool echoes = false;            // completions: the prompt in front of the answer
  bool returns_token_ids = false;
  std::vector<ToolFunction> tools = {};
  bool allows_several_calls = true;  // parallel_tool_calls
  std::string forced_tool = {};      // of tool_choice; "" if none is
  bool requires_tool = false;        // tool_choice "required", or a forced one
  bool forbids_tools = false;        // tool_choice "none"
  EchoedFields echoed = {};          // of the Responses API
  std::string request_id = {};
  std::string cache_salt = {};
  std::optional<KvTransferParams> kv_transfer_params = {};
  std::optional<Bootstrap> bootstrap = {};
  std::optional<double> cache_hit_threshold = {};  // 0 to 1; unset: the server's
};

// The body of /v1/chat/completions and of /v1/completions. kInvalidArgument says what is wrong, for an answer 400.
StatusOr<GenerationRequest> ParseChatRequest(std::string_view body);
StatusOr<GenerationRequest> ParseCompletionRequest(std::string_view body);

// The body of /v1/responses: text in, text out. Tools, stored answers and other parts than text are not known.
StatusOr<GenerationRequest> ParseResponseRequest(std::string_view body);

// The body of /v1/messages, of Anthropic's API, and of /v1/messages/count_tokens, where max_tokens may be left out:
// text, calls of tools and their results as text; no images.
StatusOr<GenerationRequest> ParseMessagesRequest(std::string_view body);
StatusOr<GenerationRequest> ParseCountTokensRequest(std::string_view body);

// The body of /inference/v1/generate: one prompt of token ids, answered whole.
StatusOr<GenerationRequest> ParseGenerateRequest(std::string_view body);

// The body of /tokenize: a prompt, or messages.
struct TokenizeRequest {
  std::string model = {};
  std::string prompt = {};
  std::vector<ChatMessage> messages = {};  // empty: `prompt` counts
  bool returns_texts = false;              // return_token_strs
};

StatusOr<TokenizeRequest> ParseTokenizeRequest(std::string_view body);

struct DetokenizeRequest {
  std::string model = {};
  std::vector<TokenId> tokens = {};
};

StatusOr<DetokenizeRequest> ParseDetokenizeRequest(std::string_view body);

// The body of /v1/load_lora_adapter and /v1/unload_lora_adapter.
struct LoraRequest {
  std::string name = {};  // not empty
  std::string path = {};
};

StatusOr<LoraRequest> ParseLoraRequest(std::string_view body);

}  // namespace spanloom::llmd::wire
