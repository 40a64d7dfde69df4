// SPDX-License-Identifier: Apache-2.0
//
// The place of a connector that chooses: sends each share of a batch its way, and makes one answer of theirs. Part of
// the wiring: a reload that changes what stands behind the connector builds another one.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "pipeline/component.h"
#include "pipeline/drops.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// The pipelines of one way, as one consumer.
struct JunctionWay {
  Consumer* consumer = nullptr;           // outlives the junction
  std::vector<MetricLabels> owners = {};  // of what it refuses, each of its pipelines: {{"pipeline", "traces/a"}}
  bool stores = false;                    // its OK means kStored
  bool follows = false;                   // its OK says nothing of the spans (PassingConnector::derives)
};

// The rule. A way decides if it stores, or if spans would be lost without its share: if it neither follows nor gets
// copies alone.
//  - Shares that go to ways that store come first: all are reserved, or the batch is refused, then committed together.
//    If none of them is refused for the moment, the others that decide are offered theirs.
//  - If one of them is refused for the moment, the sender is told to send again; what other ways took meanwhile counts
//    in spanloom_pipeline_repeated_spans. (Shares are different spans: nobody else has those that were refused.) What
//    is refused for good, while others were taken, is dropped and counted; if all is, the first refusal is the answer.
//  - Then ways that do not decide are offered theirs, and what they refuse is dropped and counted.
//  - Spans that go no way are dropped, and counted as unrouted of the connector when the rest was answered OK.
// Thread-safe. Slices are shared, not copied.
class Junction final : public Consumer {
 public:
  // [ways] as chooser.ways(); not empty. `chooser` outlives the junction. Of `context` metrics, clock and signal are
  // used; they outlive the answers.
  Junction(const std::string& connector, ChoosingConnector& chooser, std::vector<JunctionWay> ways,
           const BuildContext& context);
  ~Junction() override;

  void Consume(otlp::Batch batch, Done done) override;
  // What is chosen may depend on processors that edit the batch before it is committed, so room for all of it is kept
  // at every way that stores, and it is chosen at commit.
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override;

 private:
  struct Way;
  class Journey;
  class ReservedJunction;
  using Admissions = std::vector<std::unique_ptr<Admission>>;  // [ways]; null where nothing is reserved

  // Chooses, and sends the shares their ways.
  void Send(const otlp::Batch& batch, Admissions admissions, Done done);

  ChoosingConnector& chooser_;
  // Shared with callbacks, which may come after the junction's end.
  std::vector<std::shared_ptr<Way>> ways_;
  DropCounter drops_;
};

}  // namespace spanloom::pipeline
