// SPDX-License-Identifier: Apache-2.0
//
// What of the options may change while the server runs: latencies, failures and fake metrics, by POST /admin/config as
// llm-d-inference-sim has it. The rest holds from start to stop.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/function_ref.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/status.h"
#include "llmd/simulator/options.h"

namespace spanloom::llmd::simulator {

// Thread-safe; one for all ranks. Whoever asks sees one state or the next, never a mix.
class LiveOptions {
 public:
  // `options` are valid.
  explicit LiveOptions(const SimulatorOptions& options);

  [[nodiscard]] std::shared_ptr<const SimulatorOptions> Get() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether any request is to fail; cheaper than Get.
  [[nodiscard]] bool may_fail() const { return may_fail_.load(std::memory_order_relaxed); }

  // Changes what the JSON object `json` names: failure-injection-rate, failure-types, fake-metrics (where there are
  // any), the latencies by their flags' names (Go's durations, or nanoseconds), time-factor-under-load,
  // latency-calculator. What is null stays. `apply` is called with what holds then, changes one after the other.
  // kInvalidArgument names the key, and what may be changed; then nothing is.
  Status Change(std::string_view json, absl::FunctionRef<void(const SimulatorOptions&)> apply)
      ABSL_LOCKS_EXCLUDED(changing_, mutex_);

 private:
  Mutex changing_;  // held through a change
  mutable Mutex mutex_;
  std::shared_ptr<const SimulatorOptions> options_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> may_fail_;
};

// The options as one JSON object, by their flags' names, with durations as Go writes them: what GET /admin/config says.
[[nodiscard]] std::string OptionsJson(const SimulatorOptions& options);

}  // namespace spanloom::llmd::simulator
