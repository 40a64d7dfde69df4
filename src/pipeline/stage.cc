// SPDX-License-Identifier: Apache-2.0

#include "pipeline/stage.h"

#include <string_view>
#include <utility>

#include "base/clock.h"

namespace spanloom::pipeline {
namespace {

Counter& ItemCounter(MetricRegistry& metrics, std::string_view name, std::string_view help,
                     const std::string& processor, otlp::Signal signal) {
  return metrics.GetCounter(name, help,
                            {{"otel_signal", std::string(otlp::SignalText(signal))}, {"processor", processor}});
}

// In seconds, by the bounds that the Collector has for it.
Histogram* DurationOf(MetricRegistry& metrics, const std::string& processor, otlp::Signal signal) {
  if (!metrics.is_detailed()) return nullptr;
  return &metrics.GetHistogram("otelcol_processor_internal_duration",
                               "How long the processor worked on a batch, in seconds.",
                               {0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1'000, 2'500, 5'000, 7'500, 10'000},
                               {{"otel_signal", std::string(otlp::SignalText(signal))}, {"processor", processor}});
}

Done CountedWhenOk(Counter& counter, size_t spans, Done done) {
  return [&counter, spans, done = std::move(done)](Status status) mutable {
    if (status.ok()) counter.Add(spans);
    std::move(done)(std::move(status));
  };
}

}  // namespace

class Stage::ReservedStage final : public Admission {
 public:
  ReservedStage(Stage& stage, std::unique_ptr<Admission> next) : stage_(stage), next_(std::move(next)) {}
  void Commit(otlp::Batch batch, Done done) override {
    if (stage_.Process(batch, done)) next_->Commit(std::move(batch), std::move(done));
  }

 private:
  Stage& stage_;
  const std::unique_ptr<Admission> next_;
};

Stage::Stage(const std::string& processor, const std::string& pipeline, TransformProcessor& transform, Consumer& next,
             MetricRegistry& metrics, otlp::Signal signal)
    : transform_(transform),
      next_(next),
      incoming_(ItemCounter(metrics, "otelcol_processor_incoming_items", "Number of items passed to the processor.",
                            processor, signal)),
      outgoing_(ItemCounter(metrics, "otelcol_processor_outgoing_items", "Number of items emitted from the processor.",
                            processor, signal)),
      filtered_(metrics.GetCounter("spanloom_pipeline_filtered_spans",
                                   "Spans that a processor dropped as it was told to, in batches that were accepted.",
                                   {{"processor", processor}, {"pipeline", pipeline}})),
      duration_(DurationOf(metrics, processor, signal)) {}

bool Stage::Process(otlp::Batch& batch, Done& done) {
  const size_t incoming = batch.span_count();
  incoming_.Add(incoming);
  const int64_t begin_ns = duration_ == nullptr ? 0 : Clock::System().SteadyNs();
  Status status = transform_.Process(batch);
  if (duration_ != nullptr) duration_->AddNs(Clock::System().SteadyNs() - begin_ns);
  if (!status.ok()) {
    std::move(done)(std::move(status));
    return false;
  }
  const size_t outgoing = batch.span_count();
  outgoing_.Add(outgoing);
  if (outgoing == 0) {
    filtered_.Add(incoming);
    std::move(done)(absl::OkStatus());
    return false;
  }
  if (outgoing < incoming) done = CountedWhenOk(filtered_, incoming - outgoing, std::move(done));
  return true;
}

Status Stage::Admit(const otlp::Batch& batch) {
  Status status = transform_.Admit(batch);
  if (!status.ok()) incoming_.Add(batch.span_count());
  return status;
}

void Stage::Consume(otlp::Batch batch, Done done) {
  if (Status status = Admit(batch); !status.ok()) return std::move(done)(std::move(status));
  if (Process(batch, done)) next_.Consume(std::move(batch), std::move(done));
}

StatusOr<std::unique_ptr<Admission>> Stage::Reserve(const otlp::Batch& batch) {
  RETURN_IF_ERROR(Admit(batch));
  ASSIGN_OR_RETURN(std::unique_ptr<Admission> next, next_.Reserve(batch));
  return std::make_unique<ReservedStage>(*this, std::move(next));
}

}  // namespace spanloom::pipeline
