// SPDX-License-Identifier: Apache-2.0
//
// How a batch is passed on: with its answer, and where several destinations must agree, in two steps. Whoever takes
// responsibility for the spans calls `done`, and the receiver answers its client with that.

#pragma once

#include <absl/functional/any_invocable.h>

#include <memory>

#include "base/status.h"
#include "otlp/batch.h"

namespace spanloom::pipeline {

// Called exactly once, on any thread, perhaps before the call that was given it returns. OK: the spans are in the
// callee's care. An error for which IsRetryable holds: nothing was taken, the same batch may be offered again (after
// RetryDelay, if given). Another error: nothing was taken, and never will be.
using Done = absl::AnyInvocable<void(Status)>;

// Room that a consumer keeps for one batch. Destroying it gives the room back. Thread-compatible; must not outlive the
// consumer.
class Admission {
 public:
  virtual ~Admission() = default;

  // Takes the spans of `batch`, which are those of the batch reserved for, or some of them. Must not block. Fails only
  // for what could not be foreseen. Call at most once; the admission may be destroyed as soon as it returns.
  virtual void Commit(otlp::Batch batch, Done done) = 0;
};

// Thread-safe.
class Consumer {
 public:
  virtual ~Consumer() = default;

  // Must not block: it is called on loops.
  virtual void Consume(otlp::Batch batch, Done done) = 0;

  // Keeps room for `batch`, so that committing will not find it full. Errors: those that Consume would answer, and
  // nothing is kept. Must not block. A consumer that keeps nothing admits everything; committing is consuming then.
  virtual StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch);
};

}  // namespace spanloom::pipeline
