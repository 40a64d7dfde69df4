// SPDX-License-Identifier: Apache-2.0

#include "pipeline/pipeline_entry.h"

#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {

class PipelineEntry::ReservedEntry final : public Admission {
 public:
  ReservedEntry(PipelineEntry& entry, std::unique_ptr<Admission> next) : entry_(entry), next_(std::move(next)) {}
  void Commit(otlp::Batch batch, Done done) override {
    const size_t spans = batch.span_count();
    next_->Commit(std::move(batch), entry_.Counted(spans, std::move(done)));
  }

 private:
  PipelineEntry& entry_;
  const std::unique_ptr<Admission> next_;
};

PipelineEntry::PipelineEntry(const std::string& pipeline, Consumer& next, MetricRegistry& metrics, otlp::Signal signal)
    : next_(next),
      accepted_(metrics.GetCounter(StrCat("spanloom_pipeline_accepted_", otlp::ItemsText(signal)),
                                   "Spans that a pipeline was given and answered OK.", {{"pipeline", pipeline}})),
      refused_(metrics.GetCounter(StrCat("spanloom_pipeline_refused_", otlp::ItemsText(signal)),
                                  "Spans that a pipeline was given and answered with an error; offered again, they "
                                  "count again.",
                                  {{"pipeline", pipeline}})) {}

Done PipelineEntry::Counted(size_t spans, Done done) {
  return [&accepted = accepted_, &refused = refused_, spans, done = std::move(done)](Status status) mutable {
    (status.ok() ? accepted : refused).Add(spans);
    std::move(done)(std::move(status));
  };
}

void PipelineEntry::Consume(otlp::Batch batch, Done done) {
  const size_t spans = batch.span_count();
  next_.Consume(std::move(batch), Counted(spans, std::move(done)));
}

StatusOr<std::unique_ptr<Admission>> PipelineEntry::Reserve(const otlp::Batch& batch) {
  StatusOr<std::unique_ptr<Admission>> next = next_.Reserve(batch);
  if (!next.ok()) {
    refused_.Add(batch.span_count());
    return next.status();
  }
  return std::make_unique<ReservedEntry>(*this, *std::move(next));
}

}  // namespace spanloom::pipeline
