// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/queue_intake.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace spanloom::pipeline {
namespace {

std::shared_ptr<RequestEncoder> PlainEncoder(otlp::Signal signal) {
  return std::make_shared<RequestEncoder>(net::Compression::kNone, RequestEncoding::kProtobuf, signal);
}

}  // namespace

QueueIntake::QueueIntake(std::shared_ptr<RequestEncoder> encoder, Sizer sizer, const std::optional<Grouping>& grouping,
                         bool counts_groups)
    : is_plain_(grouping.has_value()),
      encoder_(is_plain_ ? PlainEncoder(encoder->form().signal) : std::move(encoder)),
      sizer_(sizer),
      keys_(grouping ? MetadataKeys(grouping->metadata_keys) : MetadataKeys()),
      counted_(counts_groups ? grouping : std::nullopt) {}

std::vector<ExportRequest> QueueIntake::Encode(const otlp::Batch& batch) const {
  if (keys_.empty()) return encoder_->Encode(batch);
  std::vector<ExportRequest> requests;
  for (MetadataKeys::Part& part : keys_.Split(batch)) {
    absl::c_move(encoder_->Encode(std::move(part.batch)), std::back_inserter(requests));
  }
  return requests;
}

// What is neither compressed nor written anew is sent from where it lies, but for slices that are small or changed.
bool QueueIntake::IsQuick(const otlp::Batch& batch) const {
  const RequestForm form = encoder_->form();
  const bool is_as_received =
      form.encoding == RequestEncoding::kProtobuf && form.compression == net::Compression::kNone;
  return is_plain_ || (is_as_received ? batch.copied_bytes() : batch.wire_bytes()) <= kEncodedOnLoopBytesMax;
}

size_t QueueIntake::SizeOf(size_t spans, size_t bytes) const {
  switch (sizer_) {
    case Sizer::kRequests: {
      const size_t units = UnitsOf(sizer_);
      if (!counted_ || counted_->spans_min == 0) return units;
      return std::max({size_t{1}, spans * units / counted_->spans_min, bytes * units / counted_->bytes_min});
    }
    case Sizer::kItems:
      return spans;
    case Sizer::kBytes:
      return bytes;
  }
  return 1;
}

}  // namespace spanloom::pipeline
