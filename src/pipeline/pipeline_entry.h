// SPDX-License-Identifier: Apache-2.0
//
// The beginning of a pipeline: counts what it was offered and what it answered.

#pragma once

#include <memory>
#include <string>

#include "base/metrics.h"
#include "pipeline/consumer.h"

namespace spanloom::pipeline {

// Counts into spanloom_pipeline_accepted_spans{pipeline} what was answered OK, and into spanloom_pipeline_refused_spans
// what was answered with an error. Thread-safe.
class PipelineEntry final : public Consumer {
 public:
  // `next` outlives the entry, `metrics` its answers.
  PipelineEntry(const std::string& pipeline, Consumer& next, MetricRegistry& metrics,
                otlp::Signal signal = otlp::Signal::kTraces);

  void Consume(otlp::Batch batch, Done done) override;
  // A reservation that is refused counts as refused.
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override;

 private:
  class ReservedEntry;
  Done Counted(size_t spans, Done done);

  Consumer& next_;
  Counter& accepted_;
  Counter& refused_;
};

}  // namespace spanloom::pipeline
