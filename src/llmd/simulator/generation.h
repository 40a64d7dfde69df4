// SPDX-License-Identifier: Apache-2.0
//
// One request for tokens, from its body to the last byte of its answer: chat completions, completions and
// what else makes some, whole or streamed. It lives on its connection's loop, and in the engine as one sequence for
// each prompt and choice.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmd/simulator/answer_way.h"
#include "llmd/simulator/output_plan.h"
#include "llmd/simulator/request_spans.h"
#include "llmd/simulator/serving.h"
#include "llmd/wire/messages_answer.h"
#include "llmd/wire/openai_answer.h"
#include "llmd/wire/openai_request.h"
#include "llmd/wire/responses_answer.h"
#include "sdk/trace_context.h"

namespace spanloom::llmd::simulator {

// Bound to the connection's loop. Keeps itself alive by its sequences; ends with the answer, or when the client goes.
class Generation final : public SequenceListener, public std::enable_shared_from_this<Generation> {
 public:
  // Starts to answer what was read as `request`, with `headers`, by `way`; refuses it at once if it can't be answered.
  static void Start(const Serving& serving, wire::GenerationRequest request, const net::HttpHeaders& headers,
                    std::unique_ptr<AnswerWay> way);

  Generation(const Serving& serving, wire::GenerationRequest request, const net::HttpHeaders& headers,
             std::unique_ptr<AnswerWay> way);

  void OnToken(size_t index, int64_t at_ns) override;
  void OnEnd(size_t index, const SequenceReport& report) override;

 private:
  // One sequence: what it will say, and how far it has come.
  struct Answer {
    SequenceId id = 0;
    size_t prompt = 0;  // its index
    OutputPlan plan = {};
    size_t tokens = 0;          // that have come
    size_t told_tokens = 0;     // that the client knows of
    size_t text_bytes = 0;      // of their text
    int64_t logprob_bytes = 0;  // of the text of tokens whose logprobs were told
    std::string unsent = {};    // text that has come: all of it, or what a stream has not sent yet
    sdk::Span span = {};
    FrontendTimes times = {};
    bool has_ended = false;
  };

  Status Prepare();
  Status AddPrompt(std::vector<TokenId> tokens, std::string_view text);
  StatusOr<int64_t> AnswerTokensMax(size_t prompt_tokens) const;
  OutputPlan Plan(std::string_view prompt_text, const std::vector<TokenId>& prompt, int64_t tokens_max,
                  size_t index) const;
  std::vector<wire::ToolCall> PlanCalls(const Rng& rng) const;
  void Run();
  void FetchAndAdd();
  void EndFetch(bool was_there);
  void MeetAndAdd(const std::string& bootstrap, const std::string& name);
  [[nodiscard]] bool IsOnlyPrefilled() const;
  void OfferBlocks(const Answer& answer, const SequenceReport& report);
  void AddTransfer(SequenceSpec& spec) const;
  [[nodiscard]] wire::Choice TakeChoice(size_t index);
  void AddPromptFacts(const Answer& answer, wire::Choice& choice) const;
  void AddLogprobs(Answer& answer, size_t first_token, wire::Choice& choice) const;
  [[nodiscard]] wire::Usage CountUsage() const;
  void OpenStream(bool has_roles);
  void Decline(Answer& answer, size_t index);
  void RecordRequest() const;
  [[nodiscard]] std::string ChunkOf(const wire::Choice& choice);
  [[nodiscard]] std::string StreamEnd();
  [[nodiscard]] std::string RpcEnd() const;
  [[nodiscard]] bool TellsUsage() const;
  [[nodiscard]] bool HasToldAll() const;
  [[nodiscard]] wire::ResponseRequest AskedFor() const;
  [[nodiscard]] std::string WholeBody(const std::vector<wire::Choice>& choices) const;
  [[nodiscard]] std::string ErrorText(const wire::ApiError& error) const;
  void SendToken(size_t index);
  void Fail(const wire::ApiError& error);
  void KeepTransfer(const Answer& answer, const SequenceReport& report);
  void Complete();
  void AbortRest();
  void Record(const Answer& answer, const SequenceReport& report, std::string_view error) const;
  [[nodiscard]] std::string SpanId(const Answer& answer) const;

  const Serving& serving_;
  const wire::GenerationRequest request_;
  const sdk::TraceContext trace_context_;
  net::HttpHeaders answer_headers_;
  const std::unique_ptr<AnswerWay> way_;
  std::string load_format_;  // of the report of load that is wanted; "": none
  bool declines_ = false;    // it is to end as if nothing were in the cache
  wire::AnswerHead head_;
  wire::ResponseStream response_stream_;  // of the Responses API
  wire::MessageStream message_stream_;    // of the Messages API
  std::string lora_name_;
  const uint64_t number_;  // of requests
  int64_t arrival_ns_ = 0;
  std::vector<size_t> prompt_tokens_;          // [prompts]
  std::vector<std::vector<TokenId>> prompts_;  // where the answer tells of their tokens; else empty
  int64_t max_tokens_ = 0;
  std::vector<Answer> answers_;
  std::vector<SequenceSpec> specs_;  // until they are in the engine
  size_t left_ = 0;                  // answers that have not ended
  size_t cached_tokens_ = 0;
  std::optional<wire::KvTransferParams> transfer_answer_;
  bool is_over_ = false;  // answered, or given up
};

}  // namespace spanloom::llmd::simulator
