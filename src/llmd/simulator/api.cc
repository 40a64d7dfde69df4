// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/api.h"

#include <absl/hash/hash.h>
#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "llmd/simulator/embedding.h"
#include "llmd/simulator/generation.h"
#include "llmd/simulator/tokenizer.h"
#include "llmd/wire/embedding_request.h"
#include "llmd/wire/engine_rpc.h"
#include "llmd/wire/openai_request.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr std::string_view kRankHeader = "x-data-parallel-rank";

// Whether failures are injected there: where tokens are made.
bool MayFail(std::string_view path) {
  return path == "/v1/chat/completions" || path == "/v1/completions" || path == "/v1/responses" ||
         path == "/v1/messages" || path == "/inference/v1/generate" || path == "/v1/embeddings";
}

// Routes whose body becomes a Generation.
template <typename Parse>
void Generate(const Serving& serving, Parse parse, const net::HttpRequest& request, net::HttpResponder responder) {
  StatusOr<wire::GenerationRequest> parsed = parse(request.body.view());
  if (!parsed.ok()) return std::move(responder).Respond(ErrorAnswer(ErrorOf(parsed.status())));
  Generation::Start(serving, *std::move(parsed), request.headers, std::make_unique<HttpWay>(std::move(responder)));
}

// All may do all but what nobody can.
void WritePermission(const Serving& serving, std::string_view id, JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("id", StrCat("modelperm-", absl::Hex(absl::HashOf(std::string(id)), absl::kZeroPad16)));
  writer.Field("object", "model_permission");
  writer.Field("created", serving.clock.UnixNs() / 1'000'000'000);
  writer.Field("allow_create_engine", false);
  for (const char* const key : {"allow_sampling", "allow_logprobs"}) writer.Field(key, true);
  writer.Field("allow_search_indices", false);
  writer.Field("allow_view", true);
  writer.Field("allow_fine_tuning", false);
  writer.Field("organization", "*");
  writer.Key("group");
  writer.Null();
  writer.Field("is_blocking", false);
  writer.EndObject();
}

void WriteModel(const Serving& serving, std::string_view id, std::string_view root, std::string_view parent,
                JsonWriter& writer) {
  writer.BeginObject();
  writer.Field("id", id);
  writer.Field("object", "model");
  writer.Field("created", serving.clock.UnixNs() / 1'000'000'000);
  writer.Field("owned_by", "vllm");
  writer.Field("root", root);
  writer.Key("parent");
  parent.empty() ? writer.Null() : writer.String(parent);
  writer.Key("max_model_len");
  parent.empty() ? writer.Int(serving.options.model_tokens_max) : writer.Null();
  writer.Key("permission");
  writer.BeginArray();
  WritePermission(serving, id, writer);
  writer.EndArray();
  writer.EndObject();
}

net::HttpResponse ModelList(const Serving& serving) {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field("object", "list");
  writer.Key("data");
  writer.BeginArray();
  for (const std::string& name : serving.names.served()) WriteModel(serving, name, serving.options.model, "", writer);
  for (const Adapter& adapter : serving.names.adapters()) {
    WriteModel(serving, adapter.name, adapter.path, serving.names.served().front(), writer);
  }
  writer.EndArray();
  writer.EndObject();
  return JsonAnswer(200, std::move(body));
}

net::HttpResponse Tokenized(const Serving& serving, const net::HttpRequest& request) {
  const StatusOr<wire::TokenizeRequest> parsed = wire::ParseTokenizeRequest(request.body.view());
  if (!parsed.ok()) return ErrorAnswer(ErrorOf(parsed.status()));
  const std::vector<TokenId> tokens =
      Tokenize(parsed->messages.empty() ? parsed->prompt : ApplyChatTemplate(parsed->messages));
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field("count", static_cast<int64_t>(tokens.size()));
  writer.Field("max_model_len", serving.options.model_tokens_max);
  writer.Key("tokens");
  writer.BeginArray();
  for (const TokenId token : tokens) writer.Uint(token);
  writer.EndArray();
  writer.Key("token_strs");
  if (parsed->returns_texts) {
    writer.BeginArray();
    for (const TokenId token : tokens) writer.String(TokenText(token));
    writer.EndArray();
  } else {
    writer.Null();
  }
  writer.EndObject();
  return JsonAnswer(200, std::move(body));
}

net::HttpResponse Counted(const net::HttpRequest& request) {
  const StatusOr<wire::GenerationRequest> parsed = wire::ParseCountTokensRequest(request.body.view());
  if (!parsed.ok()) return ErrorAnswer(ErrorOf(parsed.status()));
  const size_t tokens = CountTokens(ApplyChatTemplate(parsed->messages));
  return JsonAnswer(200, StrCat("{\"input_tokens\":", tokens, "}"));
}

// What a request becomes before it is generated, as /inference/v1/generate takes it.
void WriteRendered(const Serving& serving, const net::HttpRequest& http, const wire::GenerationRequest& request,
                   const std::vector<TokenId>& tokens, JsonWriter& writer) {
  const uint64_t number = serving.request_count.fetch_add(1, std::memory_order_relaxed);
  writer.BeginObject();
  writer.Field("request_id", RequestId(http.headers, request.request_id, serving.options, number));
  writer.Key("token_ids");
  writer.BeginArray();
  for (const TokenId token : tokens) writer.Uint(token);
  writer.EndArray();
  writer.EndObject();
}

net::HttpResponse RenderedChat(const Serving& serving, const net::HttpRequest& request) {
  const StatusOr<wire::GenerationRequest> parsed = wire::ParseChatRequest(request.body.view());
  if (!parsed.ok()) return ErrorAnswer(ErrorOf(parsed.status()));
  std::string body;
  JsonWriter writer(body);
  WriteRendered(serving, request, *parsed, Tokenize(ApplyChatTemplate(parsed->messages)), writer);
  return JsonAnswer(200, std::move(body));
}

net::HttpResponse RenderedCompletion(const Serving& serving, const net::HttpRequest& request) {
  const StatusOr<wire::GenerationRequest> parsed = wire::ParseCompletionRequest(request.body.view());
  if (!parsed.ok()) return ErrorAnswer(ErrorOf(parsed.status()));
  std::string body;
  JsonWriter writer(body);
  writer.BeginArray();
  for (const wire::Prompt& prompt : parsed->prompts) {
    const auto* text = std::get_if<std::string>(&prompt);
    WriteRendered(serving, request, *parsed, text != nullptr ? Tokenize(*text) : std::get<std::vector<TokenId>>(prompt),
                  writer);
  }
  writer.EndArray();
  return JsonAnswer(200, std::move(body));
}

net::HttpResponse Detokenized(const net::HttpRequest& request) {
  const StatusOr<wire::DetokenizeRequest> parsed = wire::ParseDetokenizeRequest(request.body.view());
  if (!parsed.ok()) return ErrorAnswer(ErrorOf(parsed.status()));
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field("prompt", Detokenize(parsed->tokens));
  writer.EndObject();
  return JsonAnswer(200, std::move(body));
}

net::HttpResponse Loaded(const Serving& serving, const net::HttpRequest& request, bool is_load) {
  StatusOr<wire::LoraRequest> parsed = wire::ParseLoraRequest(request.body.view());
  if (!parsed.ok()) return ErrorAnswer(ErrorOf(parsed.status()));
  const std::string name = parsed->name;
  const Status status = is_load ? serving.names.Load({name, std::move(parsed->path)}) : serving.names.Unload(name);
  if (!status.ok()) return ErrorAnswer(ErrorOf(status));
  const std::string_view verb = is_load ? "added" : "removed";
  return net::TextResponse(200, StrCat("Success: LoRA adapter '", name, "' ", verb, " successfully."));
}

net::HttpResponse Object(std::string_view key, bool value) {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field(key, value);
  writer.EndObject();
  return JsonAnswer(200, std::move(body));
}

// vLLM's: at 1 the weights go to the host's memory, at 2 they are let go.
int SleepLevel(std::string_view query) {
  for (const auto& [name, value] : net::ParseQuery(query)) {
    if (name == "level" && value == "2") return 2;
  }
  return 1;
}

net::HttpResponse Nothing() {
  net::HttpResponse response;
  response.headers.Add("vary", "Origin");
  return response;
}

net::HttpResponse Version() {
  std::string body;
  JsonWriter writer(body);
  writer.BeginObject();
  writer.Field("version", kVllmVersion);
  writer.EndObject();
  return JsonAnswer(200, std::move(body));
}

// The page of metrics that is not true, at a time that goes on in steps.
std::string FakePage(const Serving& serving, const SimulatorOptions& options, int64_t start_ns) {
  const auto interval = options.fake_metrics_interval;
  const std::chrono::nanoseconds elapsed(serving.clock.SteadyNs() - start_ns);
  const FakeMetricsFacts facts{serving.names.served().front(), options.engine.loras_max, options.model_tokens_max};
  return options.fake_metrics->Render(facts, elapsed - elapsed % interval,
                                      static_cast<double>(serving.clock.UnixNs()) / 1e9);
}

net::HttpResponse MetricsPage(std::string page) {
  net::HttpResponse response;
  response.headers.Add("content-type", "text/plain; version=0.0.4; charset=utf-8");
  response.body = Bytes(std::move(page));
  return response;
}

}  // namespace

Api::Api(const Serving& serving, const MetricRegistry& metrics)
    : serving_(serving),
      metrics_(metrics),
      naming_{.python_created_unix_s = static_cast<double>(serving.clock.UnixNs()) / 1e9},
      start_ns_(serving.clock.SteadyNs()) {
  if (serving.options.runner != Runner::kPooling) AddGeneration();
  if (serving.options.runner != Runner::kGenerate) AddEmbeddings();
  AddModels();
  AddTokens();
  AddAdapters();
  if (serving.options.has_sleep_mode) AddSleep();
  AddState();
  AddConfig();
}

void Api::Add(std::string method, std::string path, Route route) {
  routes_[std::move(path)][std::move(method)] = std::move(route);
}

void Api::AddAnswer(std::string method, std::string path, Answer answer) {
  Add(std::move(method), std::move(path),
      [answer = std::move(answer)](const Serving&, const net::HttpRequest& request, net::HttpResponder responder) {
        std::move(responder).Respond(answer(request));
      });
}

void Api::AddGeneration() {
  using Parse = StatusOr<wire::GenerationRequest> (*)(std::string_view body);
  for (const auto& [path, parse] :
       std::initializer_list<std::pair<const char*, Parse>>{{"/v1/chat/completions", wire::ParseChatRequest},
                                                            {"/v1/completions", wire::ParseCompletionRequest},
                                                            {"/v1/responses", wire::ParseResponseRequest},
                                                            {"/v1/messages", wire::ParseMessagesRequest},
                                                            {"/inference/v1/generate", wire::ParseGenerateRequest}}) {
    Add("POST", path,
        [parse = parse](const Serving& serving, const net::HttpRequest& request, net::HttpResponder responder) {
          Generate(serving, parse, request, std::move(responder));
        });
  }
}

void Api::AddEmbeddings() {
  using Parse = StatusOr<wire::EmbeddingRequest> (*)(std::string_view body);
  for (const auto& [path, parse] :
       std::initializer_list<std::pair<const char*, Parse>>{{"/v1/embeddings", wire::ParseEmbeddingRequest},
                                                            {"/pooling", wire::ParsePoolingRequest},
                                                            {"/score", wire::ParseScoreRequest},
                                                            {"/v1/score", wire::ParseScoreRequest},
                                                            {"/rerank", wire::ParseRerankRequest},
                                                            {"/v1/rerank", wire::ParseRerankRequest},
                                                            {"/v2/rerank", wire::ParseRerankRequest}}) {
    Add("POST", path,
        [parse = parse](const Serving& serving, const net::HttpRequest& request, net::HttpResponder responder) {
          const StatusOr<wire::EmbeddingRequest> parsed = parse(request.body.view());
          if (!parsed.ok()) return std::move(responder).Respond(ErrorAnswer(ErrorOf(parsed.status())));
          Embedding::Start(serving, *parsed, request, std::move(responder));
        });
  }
}

void Api::AddModels() {
  AddAnswer("GET", "/v1/models", [this](const net::HttpRequest&) { return ModelList(serving_); });
}

void Api::AddTokens() {
  AddAnswer("POST", "/tokenize", [this](const net::HttpRequest& request) { return Tokenized(serving_, request); });
  AddAnswer("POST", "/v1/messages/count_tokens", [](const net::HttpRequest& request) { return Counted(request); });
  AddAnswer("POST", "/v1/chat/completions/render",
            [this](const net::HttpRequest& request) { return RenderedChat(serving_, request); });
  AddAnswer("POST", "/v1/completions/render",
            [this](const net::HttpRequest& request) { return RenderedCompletion(serving_, request); });
  AddAnswer("POST", "/detokenize", [](const net::HttpRequest& request) { return Detokenized(request); });
}

void Api::AddAdapters() {
  AddAnswer("POST", "/v1/load_lora_adapter",
            [this](const net::HttpRequest& request) { return Loaded(serving_, request, true); });
  AddAnswer("POST", "/v1/unload_lora_adapter",
            [this](const net::HttpRequest& request) { return Loaded(serving_, request, false); });
}

void Api::AddSleep() {
  const auto set = [this](bool sleeps) {
    return [this, sleeps](const net::HttpRequest& request) {
      is_sleeping_.store(sleeps, std::memory_order_relaxed);
      if (sleeps) serving_.engine.ClearCache([](bool) {});
      serving_.metrics.gauges.sleep_level.store(sleeps ? SleepLevel(request.query) : 0, std::memory_order_relaxed);
      serving_.engine.SetSleeping(sleeps);
      return net::TextResponse(200, "");
    };
  };
  AddAnswer("POST", "/sleep", set(true));
  AddAnswer("POST", "/wake_up", set(false));
  AddAnswer("GET", "/is_sleeping", [this](const net::HttpRequest&) {
    return Object("is_sleeping", is_sleeping_.load(std::memory_order_relaxed));
  });
}

void Api::AddState() {
  for (const char* path : {"/health", "/ping"}) {
    AddAnswer("GET", path, [](const net::HttpRequest&) { return Nothing(); });
  }
  AddAnswer("GET", "/health/ready", [this](const net::HttpRequest&) {
    const bool is_ready = IsReady();
    return net::TextResponse(is_ready ? 200 : 503, is_ready ? "" : "The model is being loaded.\n");
  });
  AddAnswer("GET", "/load", [this](const net::HttpRequest&) {
    const EngineGauges& gauges = serving_.metrics.gauges;
    const size_t load = gauges.running.load(std::memory_order_relaxed) +
                        gauges.waiting_capacity.load(std::memory_order_relaxed) +
                        gauges.waiting_deferred.load(std::memory_order_relaxed);
    return JsonAnswer(200, StrCat("{\"server_load\":", load, "}"));
  });
  AddAnswer("GET", "/version", [](const net::HttpRequest&) { return Version(); });
  AddAnswer("GET", "/metrics", [this](const net::HttpRequest&) {
    if (!serving_.options.fake_metrics) return MetricsPage(metrics_.Render(naming_));
    return MetricsPage(FakePage(serving_, *serving_.live->Get(), start_ns_));
  });
  Add("POST", "/reset_prefix_cache", [this](const Serving&, const net::HttpRequest&, net::HttpResponder responder) {
    const auto shared = std::make_shared<net::HttpResponder>(std::move(responder));
    serving_.engine.ClearCache([shared](bool) { std::move(*shared).Respond(net::TextResponse(200, "")); });
  });
}

// Of all ranks, whichever is asked.
void Api::AddConfig() {
  AddAnswer("GET", "/admin/config",
            [this](const net::HttpRequest&) { return JsonAnswer(200, OptionsJson(*serving_.live->Get())); });
  AddAnswer("POST", "/admin/config", [this](const net::HttpRequest& request) {
    std::string json;
    const Status status = serving_.live->Change(request.body.view(), [&](const SimulatorOptions& options) {
      for (const Serving* const rank : ranks_) rank->engine.SetLatency(options.engine.latency);
      json = OptionsJson(options);
    });
    return status.ok() ? JsonAnswer(200, std::move(json)) : ErrorAnswer(ErrorOf(status));
  });
}

// What vLLM's dependencies look at before a body is read.
std::optional<wire::ApiError> Api::WrongHeader(const net::HttpRequest& request) const {
  const bool is_asked = request.path == "/v1/chat/completions" || request.path == "/v1/completions";
  if (!serving_.options.is_strict || !is_asked) return std::nullopt;
  const std::string type = absl::AsciiStrToLower(AbslView(request.headers.Get("content-type")));
  if (type.substr(0, type.find(';')) == "application/json") return std::nullopt;
  return wire::ApiError{400, "Bad Request",
                        "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed", ""};
}

std::optional<wire::ApiError> Api::Failure(const net::HttpRequest& request) {
  if (auto wrong = WrongHeader(request)) return wrong;
  if (!MayFail(request.path)) return std::nullopt;
  if (auto wanted = RequestedFailure(request.headers.Get(kReturnErrorHeader))) return wanted;
  if (!serving_.live->may_fail()) return std::nullopt;
  const uint64_t draw = failure_draws_.fetch_add(1, std::memory_order_relaxed);
  Rng rng(serving_.options.seed.value_or(serving_.clock.SteadyNs()) ^ Rng(draw).Next());
  return DrawFailure(serving_.live->Get()->failures, serving_.names.served().front(), rng);
}

void Api::Handle(net::HttpRequest request, net::HttpResponder responder) {
  const auto path = routes_.find(request.path);
  if (path == routes_.end()) return std::move(responder).Respond(JsonAnswer(404, "{\"detail\":\"Not Found\"}"));
  const auto route = path->second.find(request.method);
  if (route == path->second.end()) {
    net::HttpResponse answer = JsonAnswer(405, "{\"detail\":\"Method Not Allowed\"}");
    answer.headers.Add("allow", path->second.begin()->first);
    return std::move(responder).Respond(std::move(answer));
  }
  if (const auto failure = Failure(request)) return std::move(responder).Respond(ErrorAnswer(*failure));
  const StatusOr<const Serving*> rank = RankOf(request.headers);
  if (!rank.ok()) return std::move(responder).Respond(ErrorAnswer(ErrorOf(rank.status())));
  route->second(**rank, request, std::move(responder));
}

net::GrpcMethods Api::Rpcs() const {
  net::GrpcMethods methods;
  methods.emplace(wire::kHealthRpc, [this](const net::GrpcRequest&, net::GrpcResponder responder) {
    const bool is_ready = IsReady();
    std::move(responder).Respond(
        Bytes(wire::HealthMessage(is_ready, is_ready ? "Healthy" : "The model is being loaded.")));
  });
  methods.emplace(wire::kModelInfoRpc, [this](const net::GrpcRequest&, net::GrpcResponder responder) {
    const SimulatorOptions& options = serving_.options;
    std::move(responder).Respond(Bytes(wire::ModelInfoMessage({.path = options.model,
                                                               .is_generation = options.runner != Runner::kPooling,
                                                               .context_tokens_max = options.model_tokens_max,
                                                               .vocabulary_tokens = kVocabularyTokens})));
  });
  if (serving_.options.runner == Runner::kPooling) return methods;
  methods.emplace(wire::kGenerateRpc, [this](const net::GrpcRequest& request, net::GrpcWriter writer) {
    const StatusOr<const Serving*> rank = RankOf(request.metadata);
    if (!rank.ok()) return std::move(writer).Finish(rank.status());
    StatusOr<wire::GenerationRequest> parsed = wire::ParseGenerateRpc(request.message.view());
    if (!parsed.ok()) return std::move(writer).Finish(parsed.status());
    Generation::Start(**rank, *std::move(parsed), request.metadata, std::make_unique<RpcWay>(std::move(writer)));
  });
  return methods;
}

bool Api::IsReady() const {
  return std::chrono::nanoseconds(serving_.clock.SteadyNs() - start_ns_) >= serving_.options.startup_duration;
}

// What is no number counts as none, as in vLLM.
StatusOr<const Serving*> Api::RankOf(const net::HttpHeaders& headers) const {
  const std::string_view header = headers.Get(kRankHeader);
  int64_t rank = 0;
  if (header.empty() || !absl::SimpleAtoi(AbslView(header), &rank)) return &serving_;
  const auto first = static_cast<int64_t>(ranks_.front()->options.rank);
  const auto count = static_cast<int64_t>(ranks_.size());
  if (rank >= first && rank < first + count) return ranks_[static_cast<size_t>(rank - first)];
  return absl::InvalidArgumentError(
      StrCat("data_parallel_rank ", rank, " is out of range [", first, ", ", first + count, ")."));
}

}  // namespace spanloom::llmd::simulator
