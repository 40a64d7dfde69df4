// SPDX-License-Identifier: Apache-2.0
//
// One batch for several consumers, and one answer out of theirs: a pipeline with several exporters, a receiver that
// feeds several pipelines.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/drops.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct FanOutTarget {
  Consumer* consumer = nullptr;  // outlives the fan-out
  std::string name;              // of the exporter or pipeline
  bool stores = false;           // its OK means kStored
};

// The rule, by what the targets promise:
//  - Targets that store decide. They are offered the batch first; it goes on to the others only once all of them have
//  it,
//    so a refused request, sent again, reaches no destination twice. What the others refuse then is dropped and
//    counted.
//  - Without such targets: OK if at least one took it, and what the others refused is dropped and counted. If none did,
//  a
//    retryable refusal is passed on if there is one, else the first error.
// Thread-safe. Slices are shared, not copied.
class FanOut final : public Consumer {
 public:
  // `kind` is the label of its drops: "exporter" or "pipeline". `targets` must not be empty.
  FanOut(std::string_view kind, std::vector<FanOutTarget> targets, const BuildContext& context);
  ~FanOut() override;

  void Consume(otlp::Batch batch, Done done) override;

 private:
  struct Target;
  struct Offer;
  void OfferTo(const std::vector<Target*>& targets, const otlp::Batch& batch, Done done);
  void OfferUnanswered(otlp::Batch batch);

  std::vector<std::unique_ptr<Target>> targets_;
  std::vector<Target*> deciding_;   // those that store; all if none does
  std::vector<Target*> following_;  // the others
};

}  // namespace spanloom::pipeline
