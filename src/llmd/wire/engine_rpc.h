// SPDX-License-Identifier: Apache-2.0
//
// Messages of vLLM's gRPC service vllm.grpc.engine.VllmEngine (vllm_engine.proto): tokens in and out, for routers that
// have a tokenizer of their own.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "llmd/wire/block_hash.h"
#include "llmd/wire/openai_answer.h"
#include "llmd/wire/openai_request.h"

namespace spanloom::llmd::wire {

inline constexpr std::string_view kGenerateRpc = "/vllm.grpc.engine.VllmEngine/Generate";
inline constexpr std::string_view kModelInfoRpc = "/vllm.grpc.engine.VllmEngine/GetModelInfo";
inline constexpr std::string_view kHealthRpc = "/vllm.grpc.engine.VllmEngine/HealthCheck";

// A GenerateRequest, with is_rpc: one prompt, of token ids or a text, and one answer. Constraints on the form of an
// answer and logprobs are not looked at, as nothing is said of them. kInvalidArgument says what is wrong.
StatusOr<GenerationRequest> ParseGenerateRpc(std::string_view message);

// A GenerateResponse: the tokens that have come since the last one, or, at the end, all of them.
[[nodiscard]] std::string GenerateChunk(const std::vector<TokenId>& tokens, const Usage& usage);
[[nodiscard]] std::string GenerateComplete(const std::vector<TokenId>& tokens, std::string_view finish_reason,
                                           const Usage& usage);

// A GetModelInfoResponse.
struct ModelInfo {
  std::string_view path = {};
  bool is_generation = true;
  int64_t context_tokens_max = 0;
  uint32_t vocabulary_tokens = 0;
};
[[nodiscard]] std::string ModelInfoMessage(const ModelInfo& info);

// A HealthCheckResponse.
[[nodiscard]] std::string HealthMessage(bool is_healthy, std::string_view text);

}  // namespace spanloom::llmd::wire
