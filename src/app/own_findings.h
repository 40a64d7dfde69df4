// SPDX-License-Identifier: Apache-2.0
//
// What the doctor finds in this process itself: the configuration that it runs, its own metrics, and where it has a
// store, a sample of the traces in it. The rules are those of `spanloom doctor` and `spanloom doctor live`.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "app/store_sample.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/mutex.h"
#include "base/status.h"
#include "config/node.h"
#include "findings/findings_source.h"
#include "pipeline/exporters/spanloom_store.h"

namespace spanloom::app {

struct OwnFindingsOptions {
  std::string listen_host = "localhost";  // of receivers whose endpoint is not written out
  bool is_in_pod = false;                 // localhost is then nobody else's
  std::chrono::seconds kept{30};          // an examination is answered again so long; guess
  StoreSampleLimits sample = {};
};

// True in a container that Kubernetes has started: it sets KUBERNETES_SERVICE_HOST.
[[nodiscard]] bool RunsInPod();

// Thread-safe. Examines on the thread that asks, one at a time, within the limits of the sample; whoever asks meanwhile
// is given the examination before.
class OwnFindings final : public findings::FindingsSource {
 public:
  // `store` is called when somebody asks; null where there is none: traces are then left out. `metrics` and `clock`
  // (the store's) must outlive this.
  OwnFindings(const MetricRegistry& metrics, pipeline::StoreSource store, const Clock& clock,
              OwnFindingsOptions options);

  // What is examined from now on, with ${...} replaced. An examination of what ran before is not answered again, unless
  // the next one is under way.
  void SetConfig(config::Node root) ABSL_LOCKS_EXCLUDED(mutex_);

  [[nodiscard]] StatusOr<findings::FindingsReport> Find(std::stop_token stop) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  [[nodiscard]] StatusOr<findings::FindingsReport> Examine(const config::Node& config,
                                                           const std::stop_token& stop) const;

  const MetricRegistry& metrics_;
  const pipeline::StoreSource store_;
  const Clock& clock_;
  const OwnFindingsOptions options_;
  Mutex mutex_;
  config::Node config_ ABSL_GUARDED_BY(mutex_);
  bool is_looking_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_changed_ ABSL_GUARDED_BY(mutex_) = false;  // since the last examination began, or it was broken off
  std::optional<findings::FindingsReport> last_ ABSL_GUARDED_BY(mutex_);
  int64_t last_steady_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // when it ended
};

}  // namespace spanloom::app
