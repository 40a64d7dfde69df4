// SPDX-License-Identifier: Apache-2.0
//
// Which pipelines run, in words: what pages about the process show.

#pragma once

#include <absl/base/thread_annotations.h>

#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "otlp/signal.h"

namespace spanloom::pipeline {

struct PipelineDescription {
  std::string id;  // "traces/payloads"
  otlp::Signal signal = otlp::Signal::kTraces;
  // Ids in order. Connectors stand among receivers and exporters.
  std::vector<std::string> receivers = {};
  std::vector<std::string> processors = {};
  std::vector<std::string> exporters = {};
  bool changes_items = false;  // a processor of it edits or drops what passes
};

// Thread-safe.
class PipelineList {
 public:
  // From now on.
  void Show(std::vector<PipelineDescription> pipelines) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    pipelines_ = std::move(pipelines);
  }

  // In the order of the configuration.
  [[nodiscard]] std::vector<PipelineDescription> Snapshot() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return pipelines_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<PipelineDescription> pipelines_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::pipeline
