// SPDX-License-Identifier: Apache-2.0

#include "pipeline/fan_out.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kAdvice = "another destination has them; see why this one refuses, or enlarge its queue";
constexpr milliseconds kRetryDelay{1'000};  // after a refusal without a delay of its own; guess

bool IsFinal(const Status& status) {
  return !status.ok() && !IsRetryable(status);
}

bool IsForTheMoment(const Status& status) {
  return !status.ok() && IsRetryable(status);
}

// "Send again", for a batch that all of several must take. `answers` holds at least one that is for the moment.
Status SendAgain(const std::vector<Status>& answers) {
  milliseconds delay{0};
  for (const Status& status : answers) {
    if (IsForTheMoment(status)) delay = std::max(delay, RetryDelay(status).value_or(kRetryDelay));
  }
  const auto first = absl::c_find_if(answers, IsForTheMoment);
  return WithRetryDelay(absl::UnavailableError(first->message()), delay);
}

// Of a batch that nobody took. A final refusal stays final: the batch will never be taken by all.
Status JointRefusal(const std::vector<Status>& answers) {
  const auto final_one = absl::c_find_if(answers, IsFinal);
  return final_one == answers.end() ? SendAgain(answers) : *final_one;
}

}  // namespace

struct FanOut::Target {
  Target(FanOutTarget described, const BuildContext& context)
      : target(std::move(described)),
        drops(target.owner, context.metrics, context.clock, context.signal),
        repeated(context.metrics.GetCounter(
            StrCat("spanloom_pipeline_repeated_", otlp::ItemsText(context.signal)),
            "Items that were taken although their sender was told to send them again, because another destination "
            "failed.",
            target.owner)) {}

  const FanOutTarget target;
  DropCounter drops;
  Counter& repeated;
};

// One batch on its way to several targets. Shared by their callbacks, which run on any thread; each writes its own
// answer, the last one decides.
struct FanOut::Offer {
  Offer(Targets offered, size_t spans, Done on_answer)
      : targets(std::move(offered)),
        answers(targets.size()),
        unanswered(targets.size()),
        span_count(spans),
        done(std::move(on_answer)) {}

  void Answer(size_t index, Status status) {
    answers[index] = std::move(status);
    if (unanswered.fetch_sub(1) == 1)
      std::move(done)(targets[0]->target.stores ? DecideTogether() : DecideAnyIsEnough());
  }

  // Only the caller of the last Answer gets here.
  Status DecideAnyIsEnough() {
    if (!AnyOk()) {
      const auto retryable = absl::c_find_if(answers, IsForTheMoment);
      return retryable == answers.end() ? answers[0] : *retryable;
    }
    CountRefusals();
    return absl::OkStatus();
  }

  Status DecideTogether() {
    if (!AnyOk()) return JointRefusal(answers);
    if (absl::c_any_of(answers, IsForTheMoment)) {
      CountRepetition();
      return SendAgain(answers);
    }
    CountRefusals();
    return absl::OkStatus();
  }

  [[nodiscard]] bool AnyOk() const {
    return absl::c_any_of(answers, [](const Status& status) { return status.ok(); });
  }

  void CountRefusals() {
    for (size_t i = 0; i < targets.size(); ++i) {
      if (!answers[i].ok()) targets[i]->drops.Count(span_count, answers[i], kAdvice);
    }
  }

  void CountRepetition() {
    for (size_t i = 0; i < targets.size(); ++i) {
      if (answers[i].ok()) targets[i]->repeated.Add(span_count);
    }
  }

  const Targets targets;
  std::vector<Status> answers;  // [targets]
  std::atomic<size_t> unanswered;
  const size_t span_count;
  Done done;
};

class FanOut::ReservedFanOut final : public Admission {
 public:
  ReservedFanOut(FanOut& fan_out, std::vector<std::unique_ptr<Admission>> admissions)
      : fan_out_(fan_out), admissions_(std::move(admissions)) {}
  void Commit(otlp::Batch batch, Done done) override {
    fan_out_.ShareForms(batch);
    fan_out_.CommitAll(admissions_, batch, std::move(done));
  }

 private:
  FanOut& fan_out_;
  const std::vector<std::unique_ptr<Admission>> admissions_;  // [deciding targets]
};

FanOut::FanOut(std::vector<FanOutTarget> targets, const BuildContext& context) {
  CHECK(!targets.empty());
  const bool any_stores = absl::c_any_of(targets, [](const FanOutTarget& target) { return target.stores; });
  for (FanOutTarget& described : targets) {
    const auto target = std::make_shared<Target>(std::move(described), context);
    const bool decides = any_stores ? target->target.stores : !target->target.follows;
    (decides ? deciding_ : following_).push_back(target);
  }
  if (deciding_.empty()) deciding_.swap(following_);
}

FanOut::~FanOut() = default;

bool FanOut::Stores() const {
  return deciding_[0]->target.stores;
}

void FanOut::ShareForms(otlp::Batch& batch) const {
  if (deciding_.size() + following_.size() > 1) batch.ShareForms();
}

void FanOut::Consume(otlp::Batch batch, Done done) {
  ShareForms(batch);
  if (Stores() && deciding_.size() == 1) {
    return deciding_[0]->target.consumer->Consume(batch, ThenFollow(batch, std::move(done)));
  }
  if (Stores()) {
    const auto admissions = ReserveAll(batch);
    if (!admissions.ok()) return std::move(done)(admissions.status());
    return CommitAll(*admissions, batch, std::move(done));
  }
  const auto offer = std::make_shared<Offer>(deciding_, batch.span_count(), ThenFollow(batch, std::move(done)));
  for (size_t i = 0; i < offer->targets.size(); ++i) {
    offer->targets[i]->target.consumer->Consume(batch,
                                                [offer, i](Status status) { offer->Answer(i, std::move(status)); });
  }
}

StatusOr<std::unique_ptr<Admission>> FanOut::Reserve(const otlp::Batch& batch) {
  if (!Stores()) return Consumer::Reserve(batch);
  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<Admission>> admissions, ReserveAll(batch));
  return std::make_unique<ReservedFanOut>(*this, std::move(admissions));
}

StatusOr<std::vector<std::unique_ptr<Admission>>> FanOut::ReserveAll(const otlp::Batch& batch) {
  std::vector<std::unique_ptr<Admission>> admissions;
  std::vector<Status> refusals;
  for (const auto& target : deciding_) {
    StatusOr<std::unique_ptr<Admission>> admission = target->target.consumer->Reserve(batch);
    if (admission.ok()) {
      admissions.push_back(*std::move(admission));
    } else {
      refusals.push_back(admission.status());
    }
  }
  if (!refusals.empty()) return JointRefusal(refusals);
  return admissions;
}

void FanOut::CommitAll(const std::vector<std::unique_ptr<Admission>>& admissions, const otlp::Batch& batch, Done done) {
  const auto offer = std::make_shared<Offer>(deciding_, batch.span_count(), ThenFollow(batch, std::move(done)));
  for (size_t i = 0; i < admissions.size(); ++i) {
    admissions[i]->Commit(batch, [offer, i](Status status) { offer->Answer(i, std::move(status)); });
  }
}

Done FanOut::ThenFollow(otlp::Batch batch, Done done) {
  if (following_.empty()) return done;
  return [this, batch = std::move(batch), done = std::move(done)](Status status) mutable {
    if (status.ok()) OfferUnanswered(batch);
    std::move(done)(std::move(status));
  };
}

void FanOut::OfferUnanswered(const otlp::Batch& batch) {
  for (const auto& target : following_) {
    target->target.consumer->Consume(batch, [target, spans = batch.span_count()](const Status& status) {
      if (!status.ok()) target->drops.Count(spans, status, kAdvice);
    });
  }
}

}  // namespace spanloom::pipeline
