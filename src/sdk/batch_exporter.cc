// SPDX-License-Identifier: Apache-2.0

#include "sdk/batch_exporter.h"

#include <utility>

#include "sdk/batch_queue.h"

namespace spanloom::sdk {
namespace {

constexpr BatchQueue<std::unique_ptr<SpanRecord>>::Words kWords = {
    .exported = "spanloom_own_spans_exported",
    .exported_help = "Spans about this process that were delivered.",
    .dropped = "spanloom_own_spans_dropped",
    .dropped_help = "Spans about this process that were lost, by cause.",
    .warning = "spans about this process can't be delivered"};

}  // namespace

class BatchExporter::State final : public BatchQueue<std::unique_ptr<SpanRecord>> {
 public:
  using BatchQueue::BatchQueue;
};

BatchExporter::BatchExporter(const BatchExporterOptions& options, std::string resource, std::vector<std::string> scopes,
                             net::Loop& loop, const Clock& clock, MetricRegistry& metrics, Rng rng, SendRequest send)
    : state_(std::make_shared<State>(
          options,
          [resource = std::move(resource), scopes = std::move(scopes)](
              const std::vector<std::unique_ptr<SpanRecord>>& spans) { return EncodeRequest(spans, resource, scopes); },
          kWords, loop, clock, metrics, rng, std::move(send))) {}

BatchExporter::~BatchExporter() {
  Stop(std::chrono::milliseconds(0));
}

void BatchExporter::Take(std::unique_ptr<SpanRecord> span) {
  state_->Take(std::move(span));
}

void BatchExporter::Flush(std::chrono::milliseconds grace) {
  state_->Flush(grace);
}

void BatchExporter::Stop(std::chrono::milliseconds grace) {
  state_->Stop(grace);
}

}  // namespace spanloom::sdk
