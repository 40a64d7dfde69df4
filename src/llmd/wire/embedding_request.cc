// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/embedding_request.h"

#include "base/text.h"
#include "llmd/wire/request_fields.h"
#include "llmd/wire/request_prompts.h"

namespace spanloom::llmd::wire {
namespace {

Status ReadPooled(const element& root, EmbeddingRequest& request) {
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  return ReadText(root, "request_id", request.request_id);
}

// A model that scores reads both texts at once.
void AddPair(const std::string& left, const std::string& right, EmbeddingRequest& request) {
  request.inputs.emplace_back(StrCat(left, "\n", right));
  request.pairs.emplace_back(left, right);
}

}  // namespace

StatusOr<EmbeddingRequest> ParseEmbeddingRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  EmbeddingRequest request;
  if (!FindField(root, "input")) return MissingField(root, "input");
  ASSIGN_OR_RETURN(request.inputs, ReadPrompts(root, "input"));
  RETURN_IF_ERROR(ReadText(root, "model", request.model));
  RETURN_IF_ERROR(ReadText(root, "request_id", request.request_id));
  RETURN_IF_ERROR(ReadInt(root, "dimensions", request.dimensions, {.min = 1, .max = 65'536}));
  std::string format = "float";
  RETURN_IF_ERROR(ReadText(root, "encoding_format", format));
  if (!format.empty() && format != "float" && format != "base64") {
    return WrongForm({"literal_error", "encoding_format", "Input should be 'float' or 'base64'", format, ""});
  }
  request.is_base64 = format == "base64";
  return request;
}

StatusOr<EmbeddingRequest> ParsePoolingRequest(std::string_view body) {
  ASSIGN_OR_RETURN(EmbeddingRequest request, ParseEmbeddingRequest(body));
  request.kind = PooledKind::kPooling;
  return request;
}

StatusOr<EmbeddingRequest> ParseScoreRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  EmbeddingRequest request{.kind = PooledKind::kScore};
  ASSIGN_OR_RETURN(const std::vector<std::string> left, ReadTextList(root, "text_1"));
  ASSIGN_OR_RETURN(const std::vector<std::string> right, ReadTextList(root, "text_2"));
  if (left.size() != 1 && left.size() != right.size())
    return WrongRequest("Input lengths must be either 1:1, 1:N or N:N");
  RETURN_IF_ERROR(ReadPooled(root, request));
  for (size_t i = 0; i < right.size(); ++i) AddPair(left.size() == 1 ? left.front() : left[i], right[i], request);
  return request;
}

StatusOr<EmbeddingRequest> ParseRerankRequest(std::string_view body) {
  ASSIGN_OR_RETURN(const element root, ReadBody(body));
  EmbeddingRequest request{.kind = PooledKind::kRerank};
  std::string query;
  RETURN_IF_ERROR(ReadText(root, "query", query));
  if (query.empty()) return MissingField(root, "query");
  ASSIGN_OR_RETURN(const std::vector<std::string> documents, ReadTextList(root, "documents"));
  std::optional<int64_t> best;
  RETURN_IF_ERROR(ReadInt(root, "top_n", best, {.min = 0}));
  request.best_count = static_cast<size_t>(best.value_or(0));
  RETURN_IF_ERROR(ReadPooled(root, request));
  for (const std::string& document : documents) AddPair(query, document, request);
  return request;
}

}  // namespace spanloom::llmd::wire
