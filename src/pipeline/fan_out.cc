// SPDX-License-Identifier: Apache-2.0

#include "pipeline/fan_out.h"

#include <absl/algorithm/container.h>

#include <atomic>
#include <utility>

#include "base/check.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kAdvice = "another destination has them; see why this one refuses, or enlarge its queue";

}  // namespace

struct FanOut::Target {
  Target(std::string_view kind, FanOutTarget described, const BuildContext& context)
      : target(std::move(described)), drops(kind, target.name, context.metrics, context.clock) {}

  const FanOutTarget target;
  DropCounter drops;
};

// One batch on its way to several targets. Shared by their callbacks, which run on any thread; each writes its own
// answer, the last one decides.
struct FanOut::Offer {
  Offer(const std::vector<Target*>& offered, size_t spans, Done on_answer)
      : targets(offered),
        answers(offered.size()),
        unanswered(offered.size()),
        span_count(spans),
        done(std::move(on_answer)) {}

  void Answer(size_t index, Status status) {
    answers[index] = std::move(status);
    if (unanswered.fetch_sub(1) == 1) std::move(done)(Decide());
  }

  // Only the caller of the last Answer gets here.
  Status Decide() {
    const bool any_ok = absl::c_any_of(answers, [](const Status& status) { return status.ok(); });
    const bool all_must = targets[0]->target.stores;
    const auto refusal = absl::c_find_if(answers, [](const Status& status) { return !status.ok(); });
    if (refusal == answers.end()) return absl::OkStatus();
    if (any_ok && !all_must) {
      CountRefusals();
      return absl::OkStatus();
    }
    const auto retryable = absl::c_find_if(answers, [](const Status& status) { return IsRetryable(status); });
    return retryable == answers.end() ? *refusal : *retryable;
  }

  void CountRefusals() {
    for (size_t i = 0; i < targets.size(); ++i) {
      if (!answers[i].ok()) targets[i]->drops.Count(span_count, answers[i], kAdvice);
    }
  }

  const std::vector<Target*>& targets;
  std::vector<Status> answers;  // [targets]
  std::atomic<size_t> unanswered;
  const size_t span_count;
  Done done;
};

FanOut::FanOut(std::string_view kind, std::vector<FanOutTarget> targets, const BuildContext& context) {
  CHECK(!targets.empty());
  for (FanOutTarget& target : targets) {
    targets_.push_back(std::make_unique<Target>(kind, std::move(target), context));
  }
  for (const auto& target : targets_) (target->target.stores ? deciding_ : following_).push_back(target.get());
  if (deciding_.empty()) deciding_.swap(following_);
}

FanOut::~FanOut() = default;

void FanOut::OfferTo(const std::vector<Target*>& targets, const otlp::Batch& batch, Done done) {
  auto offer = std::make_shared<Offer>(targets, batch.span_count(), std::move(done));
  for (size_t i = 0; i < targets.size(); ++i) {
    targets[i]->target.consumer->Consume(batch, [offer, i](Status status) { offer->Answer(i, std::move(status)); });
  }
}

void FanOut::OfferUnanswered(otlp::Batch batch) {
  const size_t spans = batch.span_count();
  for (Target* target : following_) {
    target->target.consumer->Consume(batch, [target, spans](const Status& status) {
      if (!status.ok()) target->drops.Count(spans, status, kAdvice);
    });
  }
}

void FanOut::Consume(otlp::Batch batch, Done done) {
  if (following_.empty()) return OfferTo(deciding_, batch, std::move(done));
  OfferTo(deciding_, batch, [this, batch, done = std::move(done)](Status status) mutable {
    if (status.ok()) OfferUnanswered(std::move(batch));
    std::move(done)(std::move(status));
  });
}

}  // namespace spanloom::pipeline
