// SPDX-License-Identifier: Apache-2.0
//
// Requests for what a model makes of a text without an answer: embeddings, scores and ranks, as vLLM reads them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "llmd/wire/openai_request.h"

namespace spanloom::llmd::wire {

// What a model without answers is asked for.
enum class PooledKind : uint8_t {
  kEmbedding,
  kPooling,  // what the model has before it becomes an embedding
  kScore,    // how much two texts have to do with each other
  kRerank,   // the same of one text and many, the best first
};

struct EmbeddingRequest {
  PooledKind kind = PooledKind::kEmbedding;
  std::string model = {};
  std::vector<Prompt> inputs = {};                              // at least one
  std::vector<std::pair<std::string, std::string>> pairs = {};  // of scores: what each of the inputs is made of
  size_t best_count = 0;                                        // of kRerank: top_n; 0: all
  bool is_base64 = false;                                       // encoding_format
  std::optional<int64_t> dimensions = {};
  std::string request_id = {};
};

// The bodies of /v1/embeddings, /pooling, /score and /rerank.
StatusOr<EmbeddingRequest> ParseEmbeddingRequest(std::string_view body);
StatusOr<EmbeddingRequest> ParsePoolingRequest(std::string_view body);
StatusOr<EmbeddingRequest> ParseScoreRequest(std::string_view body);
StatusOr<EmbeddingRequest> ParseRerankRequest(std::string_view body);

}  // namespace spanloom::llmd::wire
