// SPDX-License-Identifier: Apache-2.0
//
// Where a component passes on to what stands behind it: a consumer that can be exchanged while requests are under way.
// A reload builds new wiring beside the old and switches every inlet; what entered before leaves through the old.

#pragma once

#include <absl/base/thread_annotations.h>

#include <memory>
#include <utility>

#include "base/mutex.h"
#include "pipeline/consumer.h"

namespace spanloom::pipeline {

// What joins components: stages, fan-outs, entries; kept alive by those that pass through it.
class Wiring;

// Held by everything that is on its way through one wiring, and by the inlets that lead into it. When the last lets go,
// nothing is under way there any more. Immutable.
class Passage {
 public:
  // `ended` is notified at the end; shared with whoever waits for it.
  Passage(std::shared_ptr<const Wiring> wiring, std::shared_ptr<Notification> ended)
      : wiring_(std::move(wiring)), ended_(std::move(ended)) {}
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;
  ~Passage() { ended_->Notify(); }

 private:
  const std::shared_ptr<const Wiring> wiring_;  // shared with the engine
  const std::shared_ptr<Notification> ended_;
};

// Thread-safe.
class Inlet final : public Consumer {
 public:
  // What is offered from now on goes to `target`, which lives as long as `passage`. To be called before the first
  // offer.
  void Lead(Consumer& target, std::shared_ptr<const Passage> passage) ABSL_LOCKS_EXCLUDED(mutex_);

  // What is offered from now on goes where `other` leads.
  void LeadAs(const Inlet& other) ABSL_LOCKS_EXCLUDED(mutex_);

  // Keeps its target, but lets go of its passage for another one of the same wiring.
  void HoldBy(std::shared_ptr<const Passage> passage) ABSL_LOCKS_EXCLUDED(mutex_);

  void Consume(otlp::Batch batch, Done done) override ABSL_LOCKS_EXCLUDED(mutex_);
  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Way = std::pair<Consumer*, std::shared_ptr<const Passage>>;
  [[nodiscard]] Way Current() const ABSL_LOCKS_EXCLUDED(mutex_);

  mutable Mutex mutex_;
  Way way_ ABSL_GUARDED_BY(mutex_) = {nullptr, nullptr};
};

}  // namespace spanloom::pipeline
