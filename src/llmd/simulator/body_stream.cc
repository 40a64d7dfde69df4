// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/body_stream.h"

namespace spanloom::llmd::simulator {

bool BodyStream::Write(std::string_view events) {
  if (is_closed_) return false;
  if (waiting_.size() + events.size() > kStreamBytesMax) {
    is_closed_ = true;
    { const net::HttpBodyWriter cut_off = std::move(writer_); }
    return false;
  }
  waiting_ += events;
  Pump();
  return true;
}

void BodyStream::Finish() {
  is_finishing_ = true;
  Pump();
}

void BodyStream::Pump() {
  if (is_writing_ || is_closed_) return;
  if (waiting_.empty()) {
    if (!is_finishing_) return;
    is_closed_ = true;
    return std::move(writer_).Finish();
  }
  is_writing_ = true;
  writer_.Write(Bytes(std::exchange(waiting_, {})), [self = shared_from_this()](const Status& status) {
    self->is_writing_ = false;
    if (!status.ok()) self->is_closed_ = true;
    self->Pump();
  });
}

}  // namespace spanloom::llmd::simulator
