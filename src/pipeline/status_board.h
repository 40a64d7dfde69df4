// SPDX-License-Identifier: Apache-2.0
//
// How every component is doing: what the health check answers from, and what the page shows. The states and their
// transitions are those of the Collector's component status.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace spanloom::pipeline {

enum class ComponentState : uint8_t {
  kStarting,
  kOk,
  kRecoverableError,  // it goes on trying
  kPermanentError,    // it does not do its work until it is made anew
  kFatalError,        // the process should end
  kStopping,
  kStopped,
};

// "StatusOK", "StatusRecoverableError", ...: the Collector's words.
[[nodiscard]] std::string_view StateText(ComponentState state);

enum class ComponentKind : uint8_t { kReceiver, kProcessor, kConnector, kExporter, kExtension };

// "receiver", ...
[[nodiscard]] std::string_view KindText(ComponentKind kind);

struct ComponentStatus {
  ComponentKind kind = ComponentKind::kReceiver;
  std::string id;        // "otlp/second"
  std::string pipeline;  // of a processor; the signal of an exporter of metrics or logs; else ""
  ComponentState state = ComponentState::kStarting;
  std::string message;        // of an error state; else ""
  int64_t since_unix_ns = 0;  // when it came into this state
};

class StatusReporter;

// One entry a component. Thread-safe; outlives nothing that it handed out.
class StatusBoard {
 public:
  // `clock` must outlive the board and its reporters.
  explicit StatusBoard(const Clock& clock);

  // Adds an entry in state kStarting. It stays on the board as long as a copy of its reporter lives.
  [[nodiscard]] StatusReporter Add(ComponentKind kind, std::string id, std::string pipeline)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // In the order in which they were added.
  [[nodiscard]] std::vector<ComponentStatus> Snapshot() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  friend class StatusReporter;
  struct Entry;

  const Clock& clock_;
  mutable Mutex mutex_;
  mutable std::list<std::weak_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);  // the dead are removed in passing
};

// Reports for one component. Copies report to the same entry; a default one reports to nobody. Thread-safe.
class StatusReporter {
 public:
  StatusReporter() = default;

  // A transition that the Collector's state machine does not know is ignored: after a permanent error only stopping
  // counts, after kStopped nothing. Reporting the same state again changes its message, not its time.
  void Report(ComponentState state, std::string_view message = "") const;
  void ReportOk() const { Report(ComponentState::kOk); }
  // "CODE: message" of `error`.
  void ReportRecoverable(const Status& error) const;
  void ReportPermanent(const Status& error) const;

  [[nodiscard]] ComponentState state() const;  // kOk of a default one

 private:
  friend class StatusBoard;
  explicit StatusReporter(std::shared_ptr<StatusBoard::Entry> entry) : entry_(std::move(entry)) {}
  std::shared_ptr<StatusBoard::Entry> entry_;  // shared by the copies, which keep it on the board
};

}  // namespace spanloom::pipeline
