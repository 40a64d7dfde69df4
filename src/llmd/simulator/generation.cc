// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/generation.h"

#include <absl/hash/hash.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "llmd/simulator/load_report.h"
#include "llmd/simulator/logprobs.h"
#include "llmd/simulator/tool_call.h"
#include "llmd/wire/engine_rpc.h"
#include "llmd/wire/request_error.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr std::string_view kDeclineHeader = "x-cache-threshold-finish-reason";  // llm-d-inference-sim
constexpr double kNeverReached = 2;                                             // a share
constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr size_t kSequencesMax = 4'096;  // of one request: prompts times choices; guess

// What the same seed always gives, and another one does not.
uint64_t Mix(uint64_t seed, uint64_t value) {
  return Rng(seed ^ Rng(value).Next()).Next();
}

uint64_t HashTokens(const std::vector<TokenId>& tokens) {
  uint64_t hash = 0;
  for (const TokenId token : tokens) hash = Mix(hash, token);
  return hash;
}

// The longest part of `text` from its begin that does not end within a character.
size_t WholeCharacters(std::string_view text) {
  size_t tail = 0;  // bytes of the last character
  while (tail < text.size() && tail < 4) {
    const auto byte = static_cast<uint8_t>(text[text.size() - ++tail]);
    if ((byte & 0xc0) == 0x80) continue;  // a character goes on
    const size_t wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return wanted > tail ? text.size() - tail : text.size();
  }
  return text.size();
}

// What SGLang's room is called among meetings.
std::string RoomName(int64_t room) {
  return StrCat("room-", room);
}

}  // namespace

void Generation::Start(const Serving& serving, wire::GenerationRequest request, const net::HttpHeaders& headers,
                       std::unique_ptr<AnswerWay> way) {
  const auto generation = std::make_shared<Generation>(serving, std::move(request), headers, std::move(way));
  if (const Status status = generation->Prepare(); !status.ok()) {
    wire::ApiError error = ErrorOf(status);
    if (error.status == 404) error.param = "model";
    net::HttpResponse answer = JsonAnswer(error.status, generation->ErrorText(error));
    return generation->way_->Refuse(error, std::move(answer));
  }
  generation->Run();
}

Generation::Generation(const Serving& serving, wire::GenerationRequest request, const net::HttpHeaders& headers,
                       std::unique_ptr<AnswerWay> way)
    : serving_(serving),
      request_(std::move(request)),
      trace_context_(serving.tracer.is_on() ? sdk::Extract(headers, serving.tracer.propagation())
                                            : sdk::TraceContext()),
      way_(std::move(way)),
      number_(serving.request_count.fetch_add(1, std::memory_order_relaxed)),
      arrival_ns_(serving.clock.SteadyNs()) {
  const std::string id = RequestId(headers, request_.request_id, serving.options, number_);
  head_ = {.is_chat = request_.is_chat,
           .id = StrCat(request_.is_response ? "resp_"
                        : request_.is_rpc    ? ""
                        : request_.is_tokens ? "generate-tokens-"
                        : request_.is_chat   ? "chatcmpl-"
                                             : "cmpl-",
                        id),
           .model = request_.model.empty() ? serving.names.served().front() : request_.model,
           .created = serving.clock.UnixNs() / kNsPerSecond,
           .fingerprint = serving.fingerprint};
  AddAnswerHeaders(serving.options, headers, answer_headers_);
  if (request_.is_response || request_.is_message || request_.is_tokens) return;
  load_format_ = headers.Get(kLoadFormatHeader);
  declines_ = headers.Get(kDeclineHeader) == "true";
}

// Reads the request as far as it depends on the model, and plans its answers.
Status Generation::Prepare() {
  const std::optional<std::string> adapter = serving_.names.Find(request_.model);
  if (!adapter) return NoModel(serving_.names, request_.model);
  lora_name_ = *adapter;
  const size_t prompts = request_.is_chat ? 1 : request_.prompts.size();
  if (prompts * static_cast<size_t>(request_.sampling.n) > kSequencesMax) {
    return absl::InvalidArgumentError(StrCat(prompts, " prompts with n=", request_.sampling.n, " are more than ",
                                             kSequencesMax, " sequences, which is the limit"));
  }
  if (request_.is_chat) {
    const std::string text = ApplyChatTemplate(request_.messages);
    return AddPrompt(Tokenize(text), request_.messages.back().content);
  }
  for (const wire::Prompt& prompt : request_.prompts) {
    const auto* text = std::get_if<std::string>(&prompt);
    std::vector<TokenId> tokens = text != nullptr ? Tokenize(*text) : std::get<std::vector<TokenId>>(prompt);
    const std::string spelled = text != nullptr ? std::string() : Detokenize(tokens);
    RETURN_IF_ERROR(AddPrompt(std::move(tokens), text != nullptr ? *text : spelled));
  }
  return absl::OkStatus();
}

// Whether another server decodes what is prefilled here.
bool Generation::IsOnlyPrefilled() const {
  if (request_.kv_transfer_params) return request_.kv_transfer_params->do_remote_decode;
  return request_.bootstrap && serving_.options.role == Role::kPrefill;
}

// How many tokens an answer may have. Errors in vLLM's words.
StatusOr<int64_t> Generation::AnswerTokensMax(size_t prompt_tokens) const {
  constexpr int64_t kCompletionTokens = 16;  // OpenAI's default
  const int64_t model_max = serving_.options.model_tokens_max;
  const auto prompt = static_cast<int64_t>(prompt_tokens);
  if (prompt == 0) return absl::InvalidArgumentError("The decoder prompt cannot be empty");
  if (prompt >= model_max) {
    return wire::WrongValue("input_tokens", StrCat("This model's maximum context length is ", model_max,
                                                   " tokens. However, your request has ", prompt,
                                                   " input tokens. Please reduce the length of the input messages."));
  }
  if (IsOnlyPrefilled()) return 1;
  const int64_t room = model_max - prompt;
  if (!request_.sampling.max_tokens)
    return request_.is_chat || request_.is_rpc ? room : std::min(room, kCompletionTokens);
  const int64_t wanted = *request_.sampling.max_tokens;
  if (wanted <= room) return wanted;
  const std::string what =
      wanted > model_max
          ? StrCat("max_tokens=", wanted, " cannot be greater than max_model_len=", model_max,
                   ". Please request fewer output tokens.")
          : StrCat("'max_tokens' or 'max_completion_tokens' is too large: ", wanted,
                   ". This model's maximum context length is ", model_max, " tokens and your request has ", prompt,
                   " input tokens (", wanted, " > ", model_max, " - ", prompt, ").");
  return wire::WrongValue("max_tokens", what, StrCat(wanted));
}

OutputPlan Generation::Plan(std::string_view prompt_text, const std::vector<TokenId>& prompt, int64_t tokens_max,
                            size_t index) const {
  const bool is_repeatable = serving_.options.seed || request_.sampling.seed;
  uint64_t seed = Mix(serving_.options.seed.value_or(0), HashTokens(prompt));
  seed = Mix(seed, is_repeatable ? static_cast<uint64_t>(request_.sampling.seed.value_or(0)) : number_);
  Rng rng(Mix(seed, index));
  std::vector<wire::ToolCall> calls = PlanCalls(Rng(rng.Next()));
  if (!calls.empty()) return PlanToolCalls(std::move(calls), tokens_max);
  const Dataset* const dataset = serving_.options.dataset.get();
  if (dataset == nullptr) return PlanText(request_.sampling, serving_.options.mode, prompt_text, tokens_max, rng);
  RecordedAnswer recorded = dataset->Choose(prompt, tokens_max, rng);
  return PlanRecorded(request_.sampling, std::move(recorded), tokens_max, rng);
}

// A function that is named is called once; with "auto" it is all left to chance.
std::vector<wire::ToolCall> Generation::PlanCalls(const Rng& rng) const {
  if (request_.tools.empty() || request_.forbids_tools) return {};
  const ToolOptions& options = serving_.options.tools;
  if (!request_.forced_tool.empty()) {
    const auto named = std::find_if(request_.tools.begin(), request_.tools.end(),
                                    [&](const wire::ToolFunction& tool) { return tool.name == request_.forced_tool; });
    return MakeUpCalls(options, {*named}, 1, 1, rng);
  }
  const size_t most = request_.allows_several_calls ? request_.tools.size() : 1;
  return MakeUpCalls(options, request_.tools, request_.requires_tool ? 1 : 0, most, rng);
}

Status Generation::AddPrompt(std::vector<TokenId> tokens, std::string_view text) {
  ASSIGN_OR_RETURN(max_tokens_, AnswerTokensMax(tokens.size()));
  const size_t prompt = prompt_tokens_.size();
  prompt_tokens_.push_back(tokens.size());
  const bool shows_prompt = request_.returns_token_ids || request_.sampling.prompt_logprobs ||
                            (request_.echoes && request_.sampling.top_logprobs);
  if (shows_prompt) prompts_.push_back(tokens);
  const double threshold = request_.cache_hit_threshold.value_or(serving_.options.cache_hit_threshold);
  for (int64_t choice = 0; choice < request_.sampling.n; ++choice) {
    Answer answer{.id = serving_.engine.NextId(),
                  .prompt = prompt,
                  .plan = Plan(text, tokens, max_tokens_, static_cast<size_t>(choice)),
                  .times = {.arrival_ns = arrival_ns_}};
    if (request_.echoes) answer.unsent = text;
    SequenceSpec spec{.id = answer.id,
                      .tokens = tokens,
                      .prompt_tokens = tokens.size(),
                      .lora_name = lora_name_,
                      .cache_hit_threshold = declines_ ? kNeverReached : threshold,
                      .index = answers_.size()};
    spec.tokens.insert(spec.tokens.end(), answer.plan.tokens.begin(), answer.plan.tokens.end());
    if (serving_.options.engine.finds_blocks) {
      const std::vector<std::string> lora = lora_name_.empty() ? std::vector<std::string>() : std::vector{lora_name_};
      const std::vector<std::string> salt =
          request_.cache_salt.empty() ? std::vector<std::string>() : std::vector{request_.cache_salt};
      spec.hashes = serving_.hasher.Hash(spec.tokens, lora, salt);
    }
    AddTransfer(spec);
    specs_.push_back(std::move(spec));
    answers_.push_back(std::move(answer));
  }
  return absl::OkStatus();
}

// What the connectors' fields ask of the engine.
void Generation::AddTransfer(SequenceSpec& spec) const {
  const Role role = serving_.options.role;
  if (request_.bootstrap && role != Role::kBoth) {
    spec.keeps_blocks = role == Role::kPrefill && spec.index == 0;
    if (role == Role::kDecode) spec.remote_tokens = spec.prompt_tokens;
  }
  if (!request_.kv_transfer_params) return;
  const wire::KvTransferParams& params = *request_.kv_transfer_params;
  spec.keeps_blocks = params.do_remote_decode && spec.index == 0;  // others are told of one
  if (!params.do_remote_prefill) return;
  const int64_t there = params.remote_num_tokens.value_or(static_cast<int64_t>(spec.prompt_tokens));
  spec.remote_tokens = static_cast<size_t>(std::clamp<int64_t>(there, 0, static_cast<int64_t>(spec.prompt_tokens)));
}

void Generation::Run() {
  left_ = answers_.size();
  std::vector<SequenceId> ids;
  for (Answer& answer : answers_) {
    answer.span = serving_.tracer.Start("llm_request", otlp::SpanKind::kServer, trace_context_);
    ids.push_back(answer.id);
  }
  for (SequenceSpec& spec : specs_) spec.listener = shared_from_this();
  way_->cancel_signal().OnCancel(
      [&engine = serving_.engine, ids = std::move(ids)]() mutable { engine.Abort(std::move(ids)); });
  FetchAndAdd();
}

// Asks the engine that prefilled for its blocks, if it can be asked, and then ours.
void Generation::FetchAndAdd() {
  const auto& params = request_.kv_transfer_params;
  if (params && params->do_remote_prefill && !params->remote_bootstrap_addr.empty()) {
    return MeetAndAdd(std::string(absl::StripPrefix(params->remote_bootstrap_addr, "http://")), params->transfer_id);
  }
  const bool decodes_for_other = request_.bootstrap && serving_.options.role == Role::kDecode;
  if (!params && decodes_for_other && !request_.bootstrap->host.empty() && request_.bootstrap->port) {
    return MeetAndAdd(StrCat(request_.bootstrap->host, ":", *request_.bootstrap->port),
                      RoomName(request_.bootstrap->room.value_or(0)));
  }
  const bool fetches = request_.kv_transfer_params && request_.kv_transfer_params->do_remote_prefill;
  if (!fetches || serving_.side_channel == nullptr || request_.kv_transfer_params->remote_port == 0) {
    return serving_.engine.Add(std::exchange(specs_, {}));
  }
  net::Loop* loop = &serving_.loops.At(0);
  for (size_t i = 0; i < serving_.loops.size(); ++i) {
    if (serving_.loops.At(i).IsCurrent()) loop = &serving_.loops.At(i);
  }
  serving_.side_channel->Fetch(*request_.kv_transfer_params, [self = shared_from_this(), loop](bool was_there) {
    loop->Post([self, was_there] { self->EndFetch(was_there); });
  });
}

// The request is with the engine, where it waits as vLLM's does, until prefill has its blocks.
void Generation::MeetAndAdd(const std::string& bootstrap, const std::string& name) {
  std::vector<SequenceId> ids;
  for (SequenceSpec& spec : specs_) {
    spec.awaits_peer = serving_.side_channel != nullptr;
    ids.push_back(spec.id);
  }
  serving_.engine.Add(std::exchange(specs_, {}));
  if (serving_.side_channel == nullptr) return;
  const std::string engine = request_.kv_transfer_params ? request_.kv_transfer_params->remote_engine_id : "";
  const auto otherwise = serving_.options.fails_without_blocks ? Engine::PeerNews::kFail : Engine::PeerNews::kCompute;
  const auto done = [&serving = serving_, ids = std::move(ids), otherwise](bool was_there) mutable {
    if (!was_there) serving.metrics.failed_transfers.Add(1);
    serving.engine.ResolvePeer(std::move(ids), was_there ? Engine::PeerNews::kReady : otherwise);
  };
  serving_.side_channel->Meet(bootstrap, name, engine, done);
}

// A decode server may ask for the blocks of the first answer by the name that the proxy gave both.
void Generation::OfferBlocks(const Answer& answer, const SequenceReport& report) {
  if (serving_.meetings == nullptr || !IsOnlyPrefilled() || &answer != &answers_.front()) return;
  const auto& params = request_.kv_transfer_params;
  const std::string name = params ? params->transfer_id : RoomName(request_.bootstrap->room.value_or(0));
  if (name.empty()) return;
  report.end == SequenceEnd::kFinished ? serving_.meetings->Offer(name, serving_.engine, answer.id)
                                       : serving_.meetings->Withdraw(name);
}

// What could not be fetched is computed here, or the request fails: vLLM's kv_load_failure_policy.
void Generation::EndFetch(bool was_there) {
  if (!was_there) serving_.metrics.failed_transfers.Add(1);
  if (was_there || !serving_.options.fails_without_blocks) {
    if (!was_there) {
      for (SequenceSpec& spec : specs_) spec.remote_tokens.reset();
    }
    return serving_.engine.Add(std::exchange(specs_, {}));
  }
  specs_.clear();
  SequenceReport report{.end = SequenceEnd::kTransferFailed};
  report.times.queued_ns = serving_.clock.SteadyNs();
  for (size_t i = 0; i < answers_.size(); ++i) OnEnd(i, report);
}

void Generation::OnToken(size_t index, int64_t) {
  Answer& answer = answers_[index];
  answer.times.end_ns = serving_.clock.SteadyNs();
  if (answer.tokens == 0) answer.times.first_token_ns = answer.times.end_ns;
  std::string piece = answer.plan.TextOf(answer.tokens++);
  piece.resize(std::min(piece.size(), answer.plan.text_bytes - std::min(answer.plan.text_bytes, answer.text_bytes)));
  answer.text_bytes += piece.size();
  if (answer.plan.tool_calls.empty()) answer.unsent += piece;
  if (request_.is_streamed && !is_over_) SendToken(index);
}

// What there is to tell of an answer since the last time.
wire::Choice Generation::TakeChoice(size_t index) {
  Answer& answer = answers_[index];
  const bool is_last = answer.tokens == answer.plan.tokens.size();
  const size_t whole = is_last ? answer.unsent.size() : WholeCharacters(answer.unsent);
  wire::Choice choice{.index = static_cast<int64_t>(index),
                      .text = answer.unsent.substr(0, whole),
                      .has_logprobs = request_.sampling.top_logprobs.has_value()};
  answer.unsent.erase(0, whole);
  const size_t first_token = std::exchange(answer.told_tokens, answer.tokens);
  const bool is_first = first_token == 0;
  if (is_first) AddPromptFacts(answer, choice);
  if (choice.has_logprobs) AddLogprobs(answer, first_token, choice);
  if (request_.returns_token_ids) {
    choice.token_ids.emplace(answer.plan.tokens.begin() + static_cast<ptrdiff_t>(first_token),
                             answer.plan.tokens.begin() + static_cast<ptrdiff_t>(answer.tokens));
  }
  if (!is_last) return choice;
  choice.finish_reason = answer.plan.finish_reason;
  choice.stop_reason = answer.plan.stop_reason;
  if (answer.plan.finish_reason == "tool_calls") choice.tool_calls = answer.plan.tool_calls;
  return choice;
}

// What is told of the prompt, with the first piece of an answer.
void Generation::AddPromptFacts(const Answer& answer, wire::Choice& choice) const {
  if (request_.returns_token_ids) choice.prompt_token_ids = prompts_[answer.prompt];
  const bool echoes_logprobs = request_.echoes && choice.has_logprobs;
  const std::optional<int64_t> asked = request_.sampling.prompt_logprobs || !echoes_logprobs
                                           ? request_.sampling.prompt_logprobs
                                           : request_.sampling.top_logprobs;
  if (asked) {
    const auto top = static_cast<size_t>(std::max<int64_t>(*asked, 1));
    choice.prompt_logprobs = MakeUpPromptLogprobs(prompts_[answer.prompt], top);
  }
  if (!echoes_logprobs) return;
  choice.logprobs = MakeUpPromptLogprobs(prompts_[answer.prompt], static_cast<size_t>(*request_.sampling.top_logprobs));
}

void Generation::AddLogprobs(Answer& answer, size_t first_token, wire::Choice& choice) const {
  const auto top = static_cast<size_t>(*request_.sampling.top_logprobs);
  for (size_t i = first_token; i < answer.tokens; ++i)
    choice.logprobs.push_back(MakeUpLogprob(answer.plan.tokens[i], answer.plan.TextOf(i), top));
  choice.text_offset = answer.logprob_bytes;
  for (const wire::TokenLogprob& token : choice.logprobs)
    answer.logprob_bytes += static_cast<int64_t>(token.token.size());
}

wire::Usage Generation::CountUsage() const {
  wire::Usage usage;
  for (const size_t tokens : prompt_tokens_) usage.prompt_tokens += static_cast<int64_t>(tokens);
  for (const Answer& answer : answers_) usage.completion_tokens += static_cast<int64_t>(answer.tokens);
  // The Responses API and gRPC say it always.
  if (serving_.options.shows_cached_tokens || request_.is_response || request_.is_rpc)
    usage.cached_tokens = static_cast<int64_t>(cached_tokens_);
  return usage;
}

void Generation::OpenStream(bool has_roles) {
  way_->Open(answer_headers_);
  std::string begin;
  const std::optional<wire::Usage> usage = request_.continuous_usage ? std::optional(CountUsage()) : std::nullopt;
  if (request_.is_response) {
    response_stream_.AppendBegin(head_, AskedFor(), begin);
  } else if (request_.is_message) {
    message_stream_.AppendBegin(head_, CountUsage(), begin);
  } else if (request_.is_chat && has_roles) {
    const auto ids = request_.returns_token_ids ? std::optional(prompts_.front()) : std::nullopt;
    for (size_t i = 0; i < answers_.size(); ++i)
      wire::AppendRoleChunk(head_, static_cast<int64_t>(i), ids, usage, begin);
  }
  way_->Write(std::move(begin));
}

std::string Generation::ChunkOf(const wire::Choice& choice) {
  if (request_.is_rpc) return wire::GenerateChunk(*choice.token_ids, CountUsage());
  std::string chunk;
  if (request_.is_response) {
    response_stream_.AppendDelta(head_, choice.text, chunk);
    return chunk;
  }
  if (request_.is_message) {
    message_stream_.AppendChoice(choice, chunk);
    return chunk;
  }
  const std::optional<wire::Usage> usage = request_.continuous_usage ? std::optional(CountUsage()) : std::nullopt;
  const bool is_last = !choice.finish_reason.empty() && !TellsUsage() && HasToldAll();
  wire::AppendChunk(head_, choice, is_last, usage, chunk);
  return chunk;
}

bool Generation::TellsUsage() const {
  return request_.includes_usage || serving_.options.forces_usage;
}

bool Generation::HasToldAll() const {
  return std::all_of(answers_.begin(), answers_.end(),
                     [](const Answer& answer) { return answer.told_tokens == answer.plan.tokens.size(); });
}

wire::ResponseRequest Generation::AskedFor() const {
  return {request_.sampling, request_.echoed, max_tokens_};
}

// All tokens of the one answer, whether they were told one by one or not.
std::string Generation::RpcEnd() const {
  const OutputPlan& plan = answers_.front().plan;
  return wire::GenerateComplete(plan.tokens, plan.finish_reason, CountUsage());
}

std::string Generation::StreamEnd() {
  if (request_.is_rpc) return RpcEnd();
  std::string end;
  if (request_.is_response) {
    response_stream_.AppendEnd(head_, AskedFor(), answers_.front().plan.finish_reason, CountUsage(), end);
    return end;
  }
  if (request_.is_message) {
    message_stream_.AppendEnd(CountUsage(), end);
    return end;
  }
  if (TellsUsage()) wire::AppendUsageChunk(head_, CountUsage(), end);
  wire::AppendStreamEnd(end);
  return end;
}

void Generation::SendToken(size_t index) {
  if (!way_->is_open()) OpenStream(true);
  const wire::Choice choice = TakeChoice(index);
  // A call of a tool comes as a whole; a character that is not complete waits.
  if (choice.finish_reason.empty() && choice.text.empty() && choice.logprobs.empty() && !choice.token_ids) return;
  if (way_->Write(ChunkOf(choice))) return;
  is_over_ = true;
  AbortRest();
}

std::string Generation::SpanId(const Answer& answer) const {
  return request_.is_chat || request_.is_tokens ? head_.id : StrCat(head_.id, "-", answer.prompt);
}

// What another engine needs to fetch the blocks of the first answer that has any.
void Generation::KeepTransfer(const Answer& answer, const SequenceReport& report) {
  // Mooncake's prefill says nothing: the proxy has told decode already.
  const auto& params = request_.kv_transfer_params;
  const bool is_wanted = params && params->do_remote_decode && params->transfer_id.empty();
  if (!is_wanted || transfer_answer_ || report.end != SequenceEnd::kFinished) return;
  transfer_answer_ = {.do_remote_prefill = true,
                      .remote_engine_id = serving_.options.engine_id,
                      .remote_request_id = RemoteRequestId(SpanId(answer), answer.id),
                      .remote_block_ids = {report.kept_blocks.begin(), report.kept_blocks.end()},
                      .remote_host = serving_.options.side_channel_host,
                      .remote_port = serving_.side_channel == nullptr ? 0 : serving_.side_channel->port(),
                      .tp_size = serving_.options.tensor_parallel_size,
                      .remote_num_tokens = static_cast<int64_t>(prompt_tokens_[answer.prompt])};
  // vLLM's chat tells it; its completions do not.
  if (request_.is_chat) transfer_answer_->cached_tokens = static_cast<int64_t>(report.cached_tokens);
}

void Generation::OnEnd(size_t index, const SequenceReport& report) {
  Answer& answer = answers_[index];
  answer.has_ended = true;
  if (answer.times.end_ns == 0) answer.times.end_ns = serving_.clock.SteadyNs();
  cached_tokens_ += report.cached_tokens;
  KeepTransfer(answer, report);
  OfferBlocks(answer, report);
  if (report.end == SequenceEnd::kBelowThreshold) Decline(answer, index);
  const Outcome outcome = OutcomeOf(report.end, serving_.options);
  if (!outcome.answer.message.empty()) Fail(outcome.answer);
  Record(answer, report, outcome.error);
  const RequestFacts facts{SpanId(answer), prompt_tokens_[answer.prompt], max_tokens_, request_.sampling};
  EndRequestSpan(answer.span, facts, answer.times, report, outcome.error, serving_.options.is_faithful);
  if (--left_ == 0) Complete();
}

// Nothing is answered for want of cached blocks. A proxy looks for that in the first event of a stream.
void Generation::Decline(Answer& answer, size_t index) {
  answer.plan = {.finish_reason = "cache_threshold"};
  answer.unsent.clear();
  if (!request_.is_streamed || is_over_) return;
  if (!way_->is_open()) OpenStream(false);
  way_->Write(ChunkOf(TakeChoice(index)));
}

// One sequence can't be answered: then none of the request is.
void Generation::Fail(const wire::ApiError& error) {
  if (std::exchange(is_over_, true)) return;
  if (way_->is_open()) {
    way_->Break(error, request_.is_message ? StrCat("event: error\ndata: ", ErrorText(error), "\n\n")
                                           : StrCat("data: ", ErrorText(error), "\n\ndata: [DONE]\n\n"));
  } else {
    net::HttpResponse answer = JsonAnswer(error.status, ErrorText(error));
    if (error.status == 429) answer.headers.Add("retry-after", "1");
    way_->Refuse(error, std::move(answer));
  }
  AbortRest();
}

void Generation::AbortRest() {
  std::vector<SequenceId> ids;
  for (const Answer& answer : answers_) {
    if (!answer.has_ended) ids.push_back(answer.id);
  }
  if (!ids.empty()) serving_.engine.Abort(std::move(ids));
}

std::string Generation::WholeBody(const std::vector<wire::Choice>& choices) const {
  const wire::Choice& first = choices.front();
  if (request_.is_response)
    return wire::ResponseBody(head_, AskedFor(), {first.text, first.finish_reason}, CountUsage(), transfer_answer_);
  if (request_.is_message) return wire::MessageBody(head_, first, CountUsage(), transfer_answer_);
  if (request_.is_rpc) return RpcEnd();
  if (request_.is_tokens) return wire::TokensBody(head_, choices, transfer_answer_);
  return wire::AnswerBody(head_, choices, CountUsage(), transfer_answer_);
}

std::string Generation::ErrorText(const wire::ApiError& error) const {
  return request_.is_message ? wire::MessageErrorBody(error) : wire::ErrorBody(error);
}

void Generation::Complete() {
  if (std::exchange(is_over_, true)) return;
  RecordRequest();
  if (way_->is_open()) {
    way_->Write(StreamEnd());
    return way_->Finish();
  }
  if (way_->cancel_signal().is_cancelled()) return;
  std::vector<wire::Choice> choices;
  for (size_t i = 0; i < answers_.size(); ++i) choices.push_back(TakeChoice(i));
  net::HttpResponse answer = JsonAnswer(200, WholeBody(choices));
  for (const auto& [name, value] : answer_headers_.fields()) answer.headers.Add(name, value);
  if (std::string load = LoadReport(load_format_, serving_.metrics.gauges); !load.empty()) {
    answer.headers.Add(std::string(kLoadHeader), std::move(load));
  }
  way_->Respond(std::move(answer));
}

void Generation::Record(const Answer& answer, const SequenceReport& report, std::string_view error) const {
  EngineMetrics& metrics = serving_.metrics;
  if (!error.empty()) return metrics.CountEnd(error == "abort" ? "abort" : "error");
  const SequenceTimes& times = report.times;
  metrics.e2e_latency.AddNs(answer.times.end_ns - arrival_ns_);
  metrics.queue_time.AddNs(times.scheduled_ns - times.queued_ns);
  if (report.end == SequenceEnd::kBelowThreshold) return metrics.CountEnd(answer.plan.finish_reason);
  metrics.CountEnd(answer.plan.finish_reason == "length" ? "length" : "stop");
  metrics.time_to_first_token.AddNs(answer.times.first_token_ns - arrival_ns_);
  metrics.prefill_time.AddNs(times.first_token_ns - times.scheduled_ns);
  metrics.decode_time.AddNs(times.last_token_ns - times.first_token_ns);
  metrics.inference_time.AddNs(times.last_token_ns - times.scheduled_ns);
  if (report.generated > 1) {
    metrics.time_per_output_token.AddNs((times.last_token_ns - times.first_token_ns) /
                                        static_cast<int64_t>(report.generated - 1));
  }
  metrics.request_prompt_tokens.Add(static_cast<double>(prompt_tokens_[answer.prompt]));
  metrics.request_generation_tokens.Add(static_cast<double>(report.generated));
  metrics.request_max_tokens.Add(static_cast<double>(max_tokens_));
  metrics.request_preemptions.Add(static_cast<double>(report.preemptions));
}

void Generation::RecordRequest() const {
  size_t longest = 0;
  for (const Answer& answer : answers_) longest = std::max(longest, answer.tokens);
  serving_.metrics.request_n.Add(static_cast<double>(request_.sampling.n));
  serving_.metrics.request_max_generation_tokens.Add(static_cast<double>(longest));
}

}  // namespace spanloom::llmd::simulator
