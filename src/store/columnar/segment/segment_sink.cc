// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_sink.h"

#include "store/crc32c.h"

namespace spanloom::store::columnar {

BlockRef SegmentSink::Append(std::string_view block) {
  const BlockRef ref = {.offset = offset_, .bytes = block.size(), .crc = Crc32c(block)};
  offset_ += block.size();
  buffer_.append(block);
  if (buffer_.size() >= kBufferBytes) Flush().IgnoreError();  // kept in status_
  return ref;
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
