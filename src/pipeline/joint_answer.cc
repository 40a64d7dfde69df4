// SPDX-License-Identifier: Apache-2.0

#include "pipeline/joint_answer.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "otlp/signal.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRetryDelay{1'000};  // after a refusal without a delay of its own; guess

bool IsFinal(const Status& status) {
  return !status.ok() && !IsRetryable(status);
}

}  // namespace

bool IsForTheMoment(const Status& status) {
  return !status.ok() && IsRetryable(status);
}

Status SendAgain(const std::vector<Status>& answers) {
  milliseconds delay{0};
  for (const Status& status : answers) {
    if (IsForTheMoment(status)) delay = std::max(delay, RetryDelay(status).value_or(kRetryDelay));
  }
  const auto first = absl::c_find_if(answers, IsForTheMoment);
  return WithRetryDelay(absl::UnavailableError(first->message()), delay);
}

Status JointRefusal(const std::vector<Status>& refusals) {
  const auto final_one = absl::c_find_if(refusals, IsFinal);
  return final_one == refusals.end() ? SendAgain(refusals) : *final_one;
}

TargetCounters::TargetCounters(const std::vector<MetricLabels>& owners, const BuildContext& context,
                               std::string_view advice)
    : advice_(advice) {
  for (const MetricLabels& owner : owners) {
    drops_.push_back(std::make_unique<DropCounter>(owner, context.metrics, context.clock, context.signal));
    repeated_.push_back(&context.metrics.GetCounter(
        StrCat("spanloom_pipeline_repeated_", otlp::ItemsText(context.signal)),
        "Items that were taken although their sender was told to send them again, because another destination failed.",
        owner));
  }
}

void TargetCounters::CountDrop(size_t spans, const Status& status) {
  for (const auto& drops : drops_) drops->Count(spans, status, advice_);
}

void TargetCounters::CountRepetition(size_t spans) {
  for (Counter* const repeated : repeated_) repeated->Add(spans);
}

Status DecideTogether(const std::vector<Status>& answers, absl::FunctionRef<TargetShare(size_t)> share_of) {
  const bool again = absl::c_any_of(answers, IsForTheMoment);
  if (!again && absl::c_none_of(answers, [](const Status& status) { return status.ok(); })) return answers.front();
  for (size_t i = 0; i < answers.size(); ++i) {
    const TargetShare share = share_of(i);
    if (again && answers[i].ok()) share.counters.CountRepetition(share.spans);
    if (!again && !answers[i].ok()) share.counters.CountDrop(share.spans, answers[i]);
  }
  return again ? SendAgain(answers) : absl::OkStatus();
}

}  // namespace spanloom::pipeline
