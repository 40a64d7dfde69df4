// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/embedding.h"

#include <absl/algorithm/container.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "llmd/simulator/tokenizer.h"

namespace spanloom::llmd::simulator {
namespace {

std::vector<float> UnitVector(const std::vector<TokenId>& tokens, int64_t dimensions) {
  uint64_t seed = 0;
  for (const TokenId token : tokens) seed = Rng(seed ^ token).Next();
  Rng rng(seed);
  std::vector<float> vector;
  double square = 0;
  for (int64_t i = 0; i < dimensions; ++i) {
    vector.push_back(static_cast<float>(rng.Unit() * 2 - 1));
    square += static_cast<double>(vector.back()) * vector.back();
  }
  const auto length = static_cast<float>(std::sqrt(square));
  if (length == 0) vector[0] = 1;
  for (float& value : vector) value /= length == 0 ? 1 : length;
  return vector;
}

void WriteVector(const std::vector<float>& vector, bool is_base64, JsonWriter& writer) {
  if (is_base64) return writer.Base64({reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
  writer.BeginArray();
  for (const float value : vector) writer.Double(value);
  writer.EndArray();
}

// What answers of each kind call themselves and their values.
struct KindFacts {
  std::string_view prefix;  // of ids
  std::string_view object;
  std::string_view value;
};

KindFacts FactsOf(wire::PooledKind kind) {
  switch (kind) {
    case wire::PooledKind::kEmbedding:
      return {"embd-", "embedding", "embedding"};
    case wire::PooledKind::kPooling:
      return {"pool-", "pooling", "data"};
    case wire::PooledKind::kScore:
      return {"score-", "score", "score"};
    case wire::PooledKind::kRerank:
      return {"rerank-", "", ""};
  }
  return {};
}

}  // namespace

void Embedding::Start(const Serving& serving, const wire::EmbeddingRequest& request, const net::HttpRequest& http,
                      net::HttpResponder responder) {
  const auto embedding = std::make_shared<Embedding>(serving, request, http, std::move(responder));
  if (const Status status = embedding->Prepare(); !status.ok()) {
    return std::move(*embedding->responder_).Respond(ErrorAnswer(ErrorOf(status)));
  }
  embedding->Run(http);
}

Embedding::Embedding(const Serving& serving, const wire::EmbeddingRequest& request, const net::HttpRequest& http,
                     net::HttpResponder responder)
    : serving_(serving), request_(request), responder_(std::move(responder)), arrival_ns_(serving.clock.SteadyNs()) {
  const uint64_t number = serving.request_count.fetch_add(1, std::memory_order_relaxed);
  id_ = StrCat(FactsOf(request.kind).prefix, RequestId(http.headers, request.request_id, serving.options, number));
  AddAnswerHeaders(serving.options, http.headers, answer_headers_);
}

Status Embedding::Prepare() {
  if (!serving_.names.Find(request_.model)) {
    return NoModel(serving_.names, request_.model);
  }
  const auto model_max = static_cast<size_t>(serving_.options.model_tokens_max);
  for (const wire::Prompt& prompt : request_.inputs) {
    const auto* text = std::get_if<std::string>(&prompt);
    Input input{.id = serving_.engine.NextId(), .times = {.arrival_ns = arrival_ns_}};
    input.tokens = text != nullptr ? Tokenize(*text) : std::get<std::vector<TokenId>>(prompt);
    if (input.tokens.empty()) return absl::InvalidArgumentError("The decoder prompt cannot be empty");
    if (input.tokens.size() >= model_max) {
      return absl::InvalidArgumentError(StrCat("This model's maximum context length is ", model_max,
                                               " tokens. However, your request has ", input.tokens.size(),
                                               " input tokens. Please reduce the length of the input."));
    }
    inputs_.push_back(std::move(input));
  }
  return absl::OkStatus();
}

void Embedding::Run(const net::HttpRequest& http) {
  const sdk::Tracer& tracer = serving_.tracer;
  const sdk::TraceContext parent =
      tracer.is_on() ? sdk::Extract(http.headers, tracer.propagation()) : sdk::TraceContext();
  std::vector<SequenceSpec> specs;
  std::vector<SequenceId> ids;
  for (Input& input : inputs_) {
    input.span = tracer.Start("llm_request", otlp::SpanKind::kServer, parent);
    SequenceSpec spec{
        .id = input.id, .tokens = input.tokens, .prompt_tokens = input.tokens.size(), .index = ids.size()};
    spec.tokens.push_back(0);  // its end is the end of the prefill
    spec.is_pooled = true;
    spec.listener = shared_from_this();
    ids.push_back(input.id);
    specs.push_back(std::move(spec));
  }
  left_ = inputs_.size();
  responder_->cancel_signal().OnCancel(
      [&engine = serving_.engine, ids = std::move(ids)]() mutable { engine.Abort(std::move(ids)); });
  serving_.engine.Add(std::move(specs));
}

void Embedding::OnToken(size_t index, int64_t) {
  FrontendTimes& times = inputs_[index].times;
  times.first_token_ns = times.end_ns = serving_.clock.SteadyNs();
}

void Embedding::OnEnd(size_t index, const SequenceReport& report) {
  Input& input = inputs_[index];
  if (input.times.end_ns == 0) input.times.end_ns = serving_.clock.SteadyNs();
  SequenceReport pooled = report;
  pooled.generated = 0;
  const Outcome outcome = OutcomeOf(report.end, serving_.options);
  const RequestFacts facts{
      .request_id = StrCat(id_, "-", index), .prompt_tokens = input.tokens.size(), .is_pooled = true};
  EndRequestSpan(input.span, facts, input.times, pooled, outcome.error, serving_.options.is_faithful);
  serving_.metrics.CountEnd(outcome.error.empty() ? "stop" : outcome.error == "abort" ? "abort" : "error");
  if (!outcome.answer.message.empty() && responder_) {
    std::move(*std::exchange(responder_, std::nullopt)).Respond(ErrorAnswer(outcome.answer));
  }
  if (--left_ == 0 && responder_ && !responder_->cancel_signal().is_cancelled()) Respond();
}

// Made up: the share of the first text's tokens that the second has too.
double Embedding::Score(size_t index) const {
  const auto& [left, right] = request_.pairs[index];
  const std::vector<TokenId> wanted = Tokenize(left);
  const std::vector<TokenId> there = Tokenize(right);
  const auto found = absl::c_count_if(wanted, [&](TokenId token) { return absl::c_linear_search(there, token); });
  return wanted.empty() ? 0 : static_cast<double>(found) / static_cast<double>(wanted.size());
}

void Embedding::WriteData(JsonWriter& writer) const {
  writer.Key("data");
  writer.BeginArray();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    writer.BeginObject();
    writer.Field("index", static_cast<int64_t>(i));
    writer.Field("object", FactsOf(request_.kind).object);
    writer.Key(FactsOf(request_.kind).value);
    if (request_.kind == wire::PooledKind::kScore) {
      writer.Double(Score(i));
    } else {
      WriteVector(UnitVector(inputs_[i].tokens, request_.dimensions.value_or(serving_.options.embedding_dimensions)),
                  request_.is_base64, writer);
    }
    writer.EndObject();
  }
  writer.EndArray();
}

void Embedding::WriteRanking(JsonWriter& writer) const {
  std::vector<std::pair<double, size_t>> best;  // negative scores, so that the best come first, in their order
  for (size_t i = 0; i < inputs_.size(); ++i) best.emplace_back(-Score(i), i);
  absl::c_sort(best);
  if (request_.best_count > 0 && request_.best_count < best.size()) best.resize(request_.best_count);
  writer.Key("results");
  writer.BeginArray();
  for (const auto& [score, i] : best) {
    writer.BeginObject();
    writer.Field("index", static_cast<int64_t>(i));
    writer.Key("document");
    writer.BeginObject();
    writer.Field("text", request_.pairs[i].second);
    writer.EndObject();
    writer.Key("relevance_score");
    writer.Double(-score);
    writer.EndObject();
  }
  writer.EndArray();
}

void Embedding::WriteUsage(JsonWriter& writer) const {
  int64_t tokens = 0;
  for (const Input& input : inputs_) tokens += static_cast<int64_t>(input.tokens.size());
  writer.Key("usage");
  writer.BeginObject();
  writer.Field("prompt_tokens", tokens);
  writer.Field("total_tokens", tokens);
  if (request_.kind != wire::PooledKind::kRerank) writer.Field("completion_tokens", 0);
  writer.EndObject();
}

void Embedding::Respond() {
  const bool is_ranking = request_.kind == wire::PooledKind::kRerank;
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field("id", id_);
  if (!is_ranking) {
    writer.Field("object", "list");
    writer.Field("created", serving_.clock.UnixNs() / 1'000'000'000);
  }
  writer.Field("model", request_.model.empty() ? serving_.names.served().front() : request_.model);
  is_ranking ? WriteRanking(writer) : WriteData(writer);
  WriteUsage(writer);
  writer.EndObject();
  net::HttpResponse answer = JsonAnswer(200, std::move(body));
  for (const auto& [name, value] : answer_headers_.fields()) answer.headers.Add(name, value);
  std::move(*std::exchange(responder_, std::nullopt)).Respond(std::move(answer));
}

}  // namespace spanloom::llmd::simulator
