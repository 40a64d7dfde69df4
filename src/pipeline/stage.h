// SPDX-License-Identifier: Apache-2.0
//
// A transform processor's place in a pipeline: runs it, counts what goes in and out, and passes on what is left.

#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "pipeline/component.h"

namespace spanloom::pipeline {

// Counts, under the Collector's names, what was processed: a batch that is offered again counts again. What it dropped
// counts in spanloom_pipeline_filtered_spans{processor,pipeline} when the rest was answered OK, so exactly once.
// Thread-safe.
class Stage final : public Consumer {
 public:
  // `transform` and `next` outlive the stage, `metrics` its answers.
  Stage(const std::string& processor, const std::string& pipeline, TransformProcessor& transform, Consumer& next,
        MetricRegistry& metrics, otlp::Signal signal = otlp::Signal::kTraces);

  // The processor's refusal, OK at once if no span is left, else what the next consumer answers.
  void Consume(otlp::Batch batch, Done done) override;
  // The processor's refusal, or room for the whole batch behind it; processes at commit.
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override;

 private:
  class ReservedStage;

  // Asks the processor; what it refuses counts as come in.
  Status Admit(const otlp::Batch& batch);
  // Processes `batch`. False if `done` has been answered, because of an error or because nothing is left; else `done`
  // counts what was dropped when it is called.
  bool Process(otlp::Batch& batch, Done& done);

  TransformProcessor& transform_;
  Consumer& next_;
  Counter& incoming_;
  Counter& outgoing_;
  Counter& filtered_;
  Histogram* const duration_;  // of the processor's work; null unless metrics are detailed
};

}  // namespace spanloom::pipeline
