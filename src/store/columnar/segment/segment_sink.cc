// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_sink.h"

#include "store/crc32c.h"

namespace spanloom::store::columnar {

BlockRef SegmentSink::Append(std::string_view block) {
  return {.offset = AppendParts(block), .bytes = block.size(), .crc = Crc32c(block)};
}

uint64_t SegmentSink::AppendParts(std::string_view block) {
  const uint64_t offset = offset_;
  offset_ += block.size();
  buffer_.append(block);
  if (buffer_.size() >= kBufferBytes) Flush().IgnoreError();  // kept in status_
  return offset;
}

Status SegmentSink::Flush() {
  if (status_.ok() && !buffer_.empty()) {
    const std::string_view parts[] = {buffer_};
    status_ = file_.Append(parts);
  }
  buffer_.clear();
  return status_;
}

}  // namespace spanloom::store::columnar
