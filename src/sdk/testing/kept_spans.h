// SPDX-License-Identifier: Apache-2.0
//
// For tests: a sink that keeps the spans it is given.

#pragma once

#include <absl/base/thread_annotations.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "sdk/span_record.h"

namespace spanloom::sdk {

// Thread-safe; spans() while nobody else uses it.
class KeptSpans final : public SpanSink {
 public:
  void Take(std::unique_ptr<SpanRecord> span) override ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    spans_.push_back(std::move(span));
  }

  [[nodiscard]] const std::vector<std::unique_ptr<SpanRecord>>& spans() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return spans_;
  }

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<SpanRecord>> spans_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::sdk
