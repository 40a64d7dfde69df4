// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/engine_rpc.h"

#include <bit>
#include <utility>

#include "base/text.h"
#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::llmd::wire {
namespace {

using otlp::wire::Cursor;
using otlp::wire::PackedVarints;
using otlp::wire::Type;
using otlp::wire::Writer;

// Numbers of fields, message by message.
namespace request {
enum : uint32_t { kId = 1, kTokenized = 2, kText = 3, kSampling = 4, kStream = 5 };
}  // namespace request
namespace tokenized {
enum : uint32_t { kIds = 2 };
}  // namespace tokenized
namespace sampling {
enum : uint32_t {
  kTemperature = 1,
  kTopP = 2,
  kMaxTokens = 8,
  kMinTokens = 9,
  kStop = 10,
  kIgnoreEos = 14,
  kN = 15,
  kSeed = 24,
  kIncludeStop = 25
};
}  // namespace sampling
namespace response {
enum : uint32_t { kChunk = 1, kComplete = 2 };
}  // namespace response

Status Malformed(std::string_view message) {
  return absl::InvalidArgumentError(StrCat(message, " is malformed"));
}

double FloatOf(const Cursor& cursor) {
  return std::bit_cast<float>(static_cast<uint32_t>(cursor.scalar()));
}

// Packed or one by one, as protobuf allows both.
StatusOr<std::vector<TokenId>> ReadTokenized(std::string_view message) {
  std::vector<TokenId> ids;
  Cursor cursor(message);
  while (cursor.Next()) {
    if (cursor.field() != tokenized::kIds) continue;
    if (cursor.type() == Type::kVarint) ids.push_back(static_cast<TokenId>(cursor.scalar()));
    if (cursor.type() != Type::kBytes) continue;
    PackedVarints numbers(cursor.bytes());
    while (numbers.Next()) ids.push_back(static_cast<TokenId>(numbers.value()));
  }
  if (!cursor.ok()) return Malformed("TokenizedInput");
  return ids;
}

void ReadSamplingField(const Cursor& cursor, Sampling& target) {
  const auto number = static_cast<int64_t>(static_cast<uint32_t>(cursor.scalar()));
  if (cursor.type() == Type::kFixed32 && cursor.field() == sampling::kTemperature) target.temperature = FloatOf(cursor);
  if (cursor.type() == Type::kFixed32 && cursor.field() == sampling::kTopP) target.top_p = FloatOf(cursor);
  if (cursor.type() == Type::kBytes && cursor.field() == sampling::kStop) target.stop.emplace_back(cursor.bytes());
  if (cursor.type() != Type::kVarint) return;
  if (cursor.field() == sampling::kMaxTokens) target.max_tokens = number;
  if (cursor.field() == sampling::kMinTokens) target.min_tokens = number;
  if (cursor.field() == sampling::kIgnoreEos) target.ignores_eos = number != 0;
  if (cursor.field() == sampling::kN) target.n = number;
  if (cursor.field() == sampling::kSeed) target.seed = static_cast<int32_t>(number);
  if (cursor.field() == sampling::kIncludeStop) target.includes_stop = number != 0;
}

// A number that is 0 was not given, but for those that have presence.
Status ReadSampling(std::string_view message, Sampling& target) {
  Cursor cursor(message);
  while (cursor.Next()) ReadSamplingField(cursor, target);
  if (!cursor.ok()) return Malformed("SamplingParams");
  if (target.n == 0) target.n = 1;
  if (target.top_p == 0) target.top_p = 1;
  if (target.n != 1) return absl::InvalidArgumentError("n: there is one answer to a call of Generate");
  if (!(target.temperature >= 0)) return absl::InvalidArgumentError("temperature must be non-negative");
  if (!(target.top_p > 0 && target.top_p <= 1)) return absl::InvalidArgumentError("top_p must be in (0, 1]");
  if (target.max_tokens && *target.max_tokens < 1) return absl::InvalidArgumentError("max_tokens must be at least 1");
  if (target.max_tokens && target.min_tokens > *target.max_tokens)
    return absl::InvalidArgumentError("min_tokens must be less than or equal to max_tokens");
  if (target.stop.size() > kStopsMax)
    return absl::InvalidArgumentError(StrCat("stop: at most ", kStopsMax, " strings"));
  for (const std::string& stop : target.stop) {
    if (stop.empty()) return absl::InvalidArgumentError("stop cannot contain an empty string.");
  }
  return absl::OkStatus();
}

Status ReadField(const Cursor& cursor, GenerationRequest& target) {
  if (cursor.field() == request::kStream && cursor.type() == Type::kVarint) target.is_streamed = cursor.scalar() != 0;
  if (cursor.type() != Type::kBytes) return absl::OkStatus();
  if (cursor.field() == request::kId) target.request_id = cursor.bytes();
  if (cursor.field() == request::kSampling) return ReadSampling(cursor.bytes(), target.sampling);
  if (cursor.field() == request::kText) target.prompts = {std::string(cursor.bytes())};
  if (cursor.field() != request::kTokenized) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<TokenId> ids, ReadTokenized(cursor.bytes()));
  target.prompts = {std::move(ids)};
  return absl::OkStatus();
}

void WriteTokens(uint32_t field, const std::vector<TokenId>& tokens, Writer& writer) {
  if (tokens.empty()) return;
  constexpr size_t kLengthSize = 2;
  const Writer::Mark mark = writer.Begin(field, kLengthSize);
  for (const TokenId token : tokens) writer.PackedVarint(token);
  writer.End(mark);
}

// The counts, which both kinds of answers have, from the field `first` on.
void WriteUsage(uint32_t first, const Usage& usage, Writer& writer) {
  writer.Varint(first, static_cast<uint64_t>(usage.prompt_tokens));
  writer.Varint(first + 1, static_cast<uint64_t>(usage.completion_tokens));
  writer.Varint(first + 2, static_cast<uint64_t>(usage.cached_tokens.value_or(0)));
}

}  // namespace

StatusOr<GenerationRequest> ParseGenerateRpc(std::string_view message) {
  GenerationRequest request{.is_tokens = true, .is_rpc = true};
  Cursor cursor(message);
  while (cursor.Next()) RETURN_IF_ERROR(ReadField(cursor, request));
  if (!cursor.ok()) return Malformed("GenerateRequest");
  if (request.prompts.empty()) return absl::InvalidArgumentError("there is no input; give tokenized or text");
  request.returns_token_ids = true;
  return request;
}

std::string GenerateChunk(const std::vector<TokenId>& tokens, const Usage& usage) {
  std::string message;
  Writer writer(message);
  const Writer::Mark mark = writer.Begin(response::kChunk);
  WriteTokens(1, tokens, writer);
  WriteUsage(2, usage, writer);
  writer.End(mark);
  return message;
}

std::string GenerateComplete(const std::vector<TokenId>& tokens, std::string_view finish_reason, const Usage& usage) {
  std::string message;
  Writer writer(message);
  constexpr size_t kLengthSize = 2;
  const Writer::Mark mark = writer.Begin(response::kComplete, kLengthSize);
  WriteTokens(1, tokens, writer);
  writer.Bytes(2, finish_reason);
  WriteUsage(3, usage, writer);
  writer.End(mark);
  return message;
}

std::string ModelInfoMessage(const ModelInfo& info) {
  std::string message;
  Writer writer(message);
  writer.Bytes(1, info.path);
  writer.Varint(2, info.is_generation ? 1 : 0);
  writer.Varint(3, static_cast<uint64_t>(info.context_tokens_max));
  writer.Varint(4, info.vocabulary_tokens);
  return message;
}

std::string HealthMessage(bool is_healthy, std::string_view text) {
  std::string message;
  Writer writer(message);
  writer.Varint(1, is_healthy ? 1 : 0);
  writer.Bytes(2, text);
  return message;
}

}  // namespace spanloom::llmd::wire
