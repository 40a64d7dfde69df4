// SPDX-License-Identifier: Apache-2.0
//
// For tests: a store that remembers the names of its spans, and refuses when it is told to.

#pragma once

#include <absl/base/thread_annotations.h>

#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "pipeline/testing/requests.h"
#include "store/span_store.h"

namespace spanloom::pipeline {

// Thread-safe. It answers no queries: pipelines ask none.
class FakeStore final : public store::SpanStore {
 public:
  // Appends from now on.
  void AnswerWith(Status status) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    answer_ = std::move(status);
  }

  // In order of arrival.
  [[nodiscard]] std::vector<std::string> names() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return names_;
  }

  void Append(otlp::Batch batch, Done done) override ABSL_LOCKS_EXCLUDED(mutex_) {
    Status answer;
    {
      MutexLock lock(mutex_);
      answer = answer_;
      if (answer.ok()) {
        for (std::string& name : NamesOf(batch)) names_.push_back(std::move(name));
      }
    }
    std::move(done)(std::move(answer));
  }
  StatusOr<store::Trace> GetTrace(const otlp::TraceId&) const override { return Unanswered(); }
  StatusOr<std::vector<store::Trace>> FindTraces(const store::TraceQuery&) const override { return Unanswered(); }
  StatusOr<std::vector<std::string>> Services() const override { return Unanswered(); }
  StatusOr<std::vector<store::Operation>> Operations(const std::string&) const override { return Unanswered(); }
  store::StoreStats Stats() const override { return {}; }

 private:
  static Status Unanswered() { return absl::UnimplementedError("this store answers no queries"); }

  mutable Mutex mutex_;
  Status answer_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::pipeline
