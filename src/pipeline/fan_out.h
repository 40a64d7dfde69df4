// SPDX-License-Identifier: Apache-2.0
//
// One batch for several consumers, and one answer out of theirs: a pipeline with several destinations, a receiver or
// connector that feeds several pipelines.

#pragma once

#include <memory>
#include <vector>

#include "base/metrics.h"
#include "pipeline/component.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct FanOutTarget {
  Consumer* consumer = nullptr;  // outlives the fan-out
  MetricLabels owner;            // of what it refuses: {{"exporter", "otlp_grpc"}}
  bool stores = false;           // its OK means kStored
  bool follows = false;          // its OK says nothing of the spans (PassingConnector::derives)
};

// The rule, by what the targets promise:
//  - Targets that store decide. All of them reserve first; if one refuses, nothing is taken, and the answer is
//    kUnavailable with the longest delay, or the refusal that is final. Then they commit together, and the answer waits
//    for all. If some fail for the moment the sender is told to send again; what the others took meanwhile counts in
//    spanloom_pipeline_repeated_spans. One that fails for good, while others took it, has dropped it.
//  - The other targets are offered the batch once those that store have it, so a refused request, sent again, reaches
//  no
//    destination twice. What they refuse then is dropped and counted.
//  - Without targets that store those decide that do not follow, or all if all do: OK if at least one of them took it,
//    and what the others refused is dropped and counted. If none did, a retryable refusal is passed on if there is one,
//    else the first error. Then those that follow are offered it, if it was taken.
// Thread-safe. Slices are shared, not copied.
class FanOut final : public Consumer {
 public:
  // `targets` must not be empty. Of `context` metrics and clock are used; they outlive the answers.
  FanOut(std::vector<FanOutTarget> targets, const BuildContext& context);
  ~FanOut() override;

  void Consume(otlp::Batch batch, Done done) override;
  // Reserves at every target that stores; without one, nothing.
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override;

 private:
  struct Target;
  struct Offer;
  class ReservedFanOut;
  // Shared with callbacks, which may come after the fan-out's end.
  using Targets = std::vector<std::shared_ptr<Target>>;

  [[nodiscard]] bool Stores() const;
  // Lets several destinations share what they encode `batch` to.
  void ShareForms(otlp::Batch& batch) const;
  StatusOr<std::vector<std::unique_ptr<Admission>>> ReserveAll(const otlp::Batch& batch);
  void CommitAll(const std::vector<std::unique_ptr<Admission>>& admissions, const otlp::Batch& batch, Done done);
  // `done`, before which the following targets are offered the batch if it was taken.
  Done ThenFollow(otlp::Batch batch, Done done);
  void OfferUnanswered(const otlp::Batch& batch);

  Targets deciding_;   // those that store; if none does, those that do not follow; all if all do
  Targets following_;  // the others
};

}  // namespace spanloom::pipeline
