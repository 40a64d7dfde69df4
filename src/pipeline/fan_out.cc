// SPDX-License-Identifier: Apache-2.0

#include "pipeline/fan_out.h"

#include <absl/algorithm/container.h>

#include <atomic>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "pipeline/joint_answer.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kAdvice = "another destination has them; see why this one refuses, or enlarge its queue";

}  // namespace

struct FanOut::Target {
  Target(FanOutTarget described, const BuildContext& context)
      : target(std::move(described)), counters(std::vector<MetricLabels>{target.owner}, context, kAdvice) {}

  const FanOutTarget target;
  TargetCounters counters;
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
    if (unanswered.fetch_sub(1) == 1) std::move(done)(Decide());
  }

  // Only the caller of the last Answer gets here.
  Status Decide() {
    const bool stores = targets[0]->target.stores;
    if (!AnyOk()) return stores ? JointRefusal(answers) : RefusalOfAll();
    if (stores) return DecideTogether(answers, [this](size_t index) { return ShareOf(index); });
    CountRefusals();
    return absl::OkStatus();
  }

  // Of those of whom one would have been enough.
  [[nodiscard]] Status RefusalOfAll() const {
    const auto retryable = absl::c_find_if(answers, IsForTheMoment);
    return retryable == answers.end() ? answers[0] : *retryable;
  }

  [[nodiscard]] bool AnyOk() const {
    return absl::c_any_of(answers, [](const Status& status) { return status.ok(); });
  }

  void CountRefusals() {
    for (size_t i = 0; i < targets.size(); ++i) {
      if (!answers[i].ok()) targets[i]->counters.CountDrop(span_count, answers[i]);
    }
  }

  TargetShare ShareOf(size_t index) { return {targets[index]->counters, span_count}; }

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
      if (!status.ok()) target->counters.CountDrop(spans, status);
    });
  }
}

}  // namespace spanloom::pipeline
