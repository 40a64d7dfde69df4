// SPDX-License-Identifier: Apache-2.0
//
// Whatever bytes a client calls a request: no crash, and of what was taken the promises of openai_request.h hold.

#include <cmath>

#include "base/check.h"
#include "llmd/wire/embedding_request.h"
#include "llmd/wire/engine_rpc.h"
#include "llmd/wire/openai_request.h"

namespace {

using namespace spanloom::llmd::wire;

void CheckSampling(const Sampling& sampling) {
  CHECK(sampling.n >= 1 && sampling.n <= kChoicesMax);
  CHECK(!sampling.max_tokens || (*sampling.max_tokens >= 1 && sampling.min_tokens <= *sampling.max_tokens));
  CHECK(sampling.min_tokens >= 0 && sampling.temperature >= 0 && sampling.top_p > 0 && sampling.top_p <= 1);
  CHECK(!sampling.top_logprobs || *sampling.top_logprobs <= kTopLogprobsMax);
  for (const std::string& stop : sampling.stop) CHECK(!stop.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (const auto chat = ParseChatRequest(body); chat.ok()) {
    CHECK(chat->is_chat && !chat->messages.empty());
    CHECK(!chat->requires_tool || !chat->tools.empty());
    CheckSampling(chat->sampling);
  }
  if (const auto completion = ParseCompletionRequest(body); completion.ok()) {
    CHECK(!completion->prompts.empty() && completion->prompts.size() <= kPromptsMax);
    CheckSampling(completion->sampling);
  }
  if (const auto embedding = ParseEmbeddingRequest(body); embedding.ok()) CHECK(!embedding->inputs.empty());
  for (const auto parse : {ParsePoolingRequest, ParseScoreRequest, ParseRerankRequest}) {
    const auto pooled = parse(body);
    if (!pooled.ok()) continue;
    CHECK(!pooled->inputs.empty() && pooled->inputs.size() <= kPromptsMax);
    CHECK(pooled->kind == PooledKind::kPooling || pooled->pairs.size() == pooled->inputs.size());
  }
  if (const auto response = ParseResponseRequest(body); response.ok()) {
    CHECK(response->is_response && !response->messages.empty() && response->sampling.n == 1);
    CheckSampling(response->sampling);
  }
  if (const auto message = ParseMessagesRequest(body); message.ok()) {
    CHECK(message->is_message && !message->messages.empty() && message->sampling.max_tokens.has_value());
    CHECK(!message->requires_tool || !message->tools.empty());
    CheckSampling(message->sampling);
  }
  if (const auto tokens = ParseGenerateRequest(body); tokens.ok()) {
    CHECK(tokens->prompts.size() == 1 && !tokens->is_streamed);
    CheckSampling(tokens->sampling);
  }
  if (const auto call = ParseGenerateRpc(body); call.ok()) {
    CHECK(call->prompts.size() == 1 && call->sampling.n == 1);
    CheckSampling(call->sampling);
  }
  (void)ParseTokenizeRequest(body).ok();
  (void)ParseDetokenizeRequest(body).ok();
  if (const auto lora = ParseLoraRequest(body); lora.ok()) CHECK(!lora->name.empty());
  (void)ParseKvTransferParams(body).ok();
  return 0;
}
