// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/output_plan.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr size_t kSentenceWords = 9;  // guess
constexpr std::array<std::string_view, 64> kWordList = {
    "the",    "a",     "model", "token",  "cache", "block", "time",   "queue", "of",     "and",   "to",
    "in",     "is",    "that",  "it",     "with",  "for",   "as",     "was",   "on",     "are",   "by",
    "this",   "from",  "which", "one",    "span",  "trace", "router", "first", "second", "long",  "short",
    "answer", "word",  "line",  "number", "when",  "where", "often",  "then",  "there",  "may",   "more",
    "other",  "some",  "what",  "about",  "into",  "only",  "over",   "such",  "after",  "light", "water",
    "stone",  "river", "small", "large",  "early", "late",  "north",  "south", "quiet"};

// Words in sentences, one token after the other.
class SentenceSource {
 public:
  explicit SentenceSource(Rng rng) : rng_(rng) {}

  TokenId Next() {
    while (next_ == pending_.size()) NextWord();
    return pending_[next_++];
  }

 private:
  void NextWord() {
    std::string word(kWordList[rng_.Below(kWordList.size())]);
    if (words_ % kSentenceWords == 0) word[0] = static_cast<char>(word[0] - 'a' + 'A');
    if (words_ > 0) word = StrCat(" ", word);
    ++words_;
    if (words_ % kSentenceWords == 0) word += '.';
    pending_ = Tokenize(word);
    next_ = 0;
  }

  Rng rng_;
  size_t words_ = 0;
  std::vector<TokenId> pending_;
  size_t next_ = 0;
};

// Geometric: every token may be the last.
int64_t RandomLength(Rng& rng) {
  const double length = -std::log1p(-rng.Unit()) * static_cast<double>(kAnswerTokensMean);
  return 1 + static_cast<int64_t>(std::min(length, 1e9));
}

// Where the first stop string that may count begins, and which it is; text that ends before `earliest` bytes is kept.
struct Stop {
  size_t begin = std::string::npos;
  const std::string* text = nullptr;
};

Stop FindStop(const std::vector<std::string>& stops, std::string_view text, size_t earliest) {
  Stop found;
  for (const std::string& stop : stops) {
    const size_t from = earliest > stop.size() ? earliest - stop.size() : 0;
    const size_t begin = text.find(stop, from);
    if (begin < found.begin) found = {begin, &stop};
  }
  return found;
}

// Cuts the plan at the first stop string: its last token is the one that completes it.
void CutAtStop(const wire::Sampling& sampling, OutputPlan& plan) {
  std::string text;
  std::vector<size_t> ends;  // [tokens], bytes
  for (size_t i = 0; i < plan.tokens.size(); ++i) {
    plan.texts.empty() ? AppendTokenText(plan.tokens[i], text) : static_cast<void>(text += plan.texts[i]);
    ends.push_back(text.size());
  }
  plan.text_bytes = text.size();
  if (sampling.stop.empty()) return;
  const auto kept = std::min<size_t>(static_cast<size_t>(sampling.min_tokens), ends.size());
  const Stop stop = FindStop(sampling.stop, text, kept == 0 ? 0 : ends[kept - 1]);
  if (stop.text == nullptr) return;
  const size_t stop_end = stop.begin + stop.text->size();
  const auto last = std::lower_bound(ends.begin(), ends.end(), stop_end);
  plan.tokens.resize(static_cast<size_t>(last - ends.begin()) + 1);
  if (!plan.texts.empty()) plan.texts.resize(plan.tokens.size());
  plan.text_bytes = sampling.includes_stop ? stop_end : stop.begin;
  plan.finish_reason = "stop";
  plan.stop_reason = *stop.text;
}

}  // namespace

OutputPlan PlanText(const wire::Sampling& sampling, AnswerMode mode, std::string_view prompt_text, int64_t tokens_max,
                    Rng rng) {
  OutputPlan plan;
  if (mode == AnswerMode::kEcho) plan.tokens = Tokenize(prompt_text);
  int64_t wanted = mode == AnswerMode::kEcho ? static_cast<int64_t>(plan.tokens.size()) : RandomLength(rng);
  wanted = std::max({wanted, sampling.min_tokens, int64_t{1}});
  if (sampling.ignores_eos) wanted = tokens_max;
  plan.finish_reason =
      wanted < tokens_max || (wanted == tokens_max && !sampling.ignores_eos && mode == AnswerMode::kEcho) ? "stop"
                                                                                                          : "length";
  const auto count = static_cast<size_t>(std::min(wanted, tokens_max));
  SentenceSource source(rng);
  while (plan.tokens.size() < count) plan.tokens.push_back(source.Next());
  plan.tokens.resize(count);
  CutAtStop(sampling, plan);
  return plan;
}

OutputPlan PlanRecorded(const wire::Sampling& sampling, RecordedAnswer answer, int64_t tokens_max, Rng rng) {
  const auto most = static_cast<size_t>(tokens_max);
  OutputPlan plan{.tokens = std::move(answer.tokens), .texts = std::move(answer.texts)};
  const size_t least = sampling.ignores_eos ? most : std::min(most, static_cast<size_t>(sampling.min_tokens));
  SentenceSource source(rng);
  while (plan.tokens.size() < std::max<size_t>(least, 1)) {
    plan.tokens.push_back(source.Next());
    plan.texts.push_back(TokenText(plan.tokens.back()));
  }
  plan.finish_reason = plan.tokens.size() < most ? "stop" : "length";
  plan.tokens.resize(std::min(most, plan.tokens.size()));
  plan.texts.resize(plan.tokens.size());
  CutAtStop(sampling, plan);
  return plan;
}

OutputPlan PlanToolCalls(std::vector<wire::ToolCall> calls, int64_t tokens_max) {
  OutputPlan plan;
  std::string text;
  for (const wire::ToolCall& call : calls) StrAppend(text, call.name, call.arguments);
  plan.tokens = Tokenize(text);
  plan.finish_reason = "tool_calls";
  if (static_cast<int64_t>(plan.tokens.size()) > tokens_max) {
    plan.tokens.resize(static_cast<size_t>(tokens_max));
    plan.finish_reason = "length";
  }
  plan.tool_calls = std::move(calls);
  return plan;
}

}  // namespace spanloom::llmd::simulator
