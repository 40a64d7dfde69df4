// SPDX-License-Identifier: Apache-2.0

#include "pipeline/status_board.h"

#include <utility>

#include "base/text.h"
#include "pipeline/drops.h"

namespace spanloom::pipeline {
namespace {

bool MayFollow(ComponentState from, ComponentState to) {
  switch (from) {
    case ComponentState::kStarting:
    case ComponentState::kOk:
    case ComponentState::kRecoverableError:
      return to != ComponentState::kStarting && to != ComponentState::kStopped;
    case ComponentState::kPermanentError:
      return to == ComponentState::kStopping;
    case ComponentState::kStopping:
      return to == ComponentState::kRecoverableError || to == ComponentState::kPermanentError ||
             to == ComponentState::kFatalError || to == ComponentState::kStopped;
    case ComponentState::kFatalError:
    case ComponentState::kStopped:
      return false;
  }
  return false;
}

std::string ErrorText(const Status& error) {
  return StrCat(CauseOf(error), ": ", StdView(error.message()));
}

}  // namespace

std::string_view StateText(ComponentState state) {
  switch (state) {
    case ComponentState::kStarting:
      return "StatusStarting";
    case ComponentState::kOk:
      return "StatusOK";
    case ComponentState::kRecoverableError:
      return "StatusRecoverableError";
    case ComponentState::kPermanentError:
      return "StatusPermanentError";
    case ComponentState::kFatalError:
      return "StatusFatalError";
    case ComponentState::kStopping:
      return "StatusStopping";
    case ComponentState::kStopped:
      return "StatusStopped";
  }
  return "";
}

std::string_view KindText(ComponentKind kind) {
  switch (kind) {
    case ComponentKind::kReceiver:
      return "receiver";
    case ComponentKind::kProcessor:
      return "processor";
    case ComponentKind::kConnector:
      return "connector";
    case ComponentKind::kExporter:
      return "exporter";
    case ComponentKind::kExtension:
      return "extension";
  }
  return "";
}

struct StatusBoard::Entry {
  Entry(const Clock& board_clock, ComponentStatus begin)
      : clock(board_clock), status(std::move(begin)), since_steady_ns(clock.SteadyNs()) {}

  // Tells since when by the wall clock as it is set now: it may have jumped, the time that has passed has not.
  [[nodiscard]] ComponentStatus Look() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    ComponentStatus seen = status;
    seen.since_unix_ns = clock.UnixNs() - (clock.SteadyNs() - since_steady_ns);
    return seen;
  }

  const Clock& clock;
  mutable Mutex mutex;
  ComponentStatus status ABSL_GUARDED_BY(mutex);  // since_unix_ns is not kept
  int64_t since_steady_ns ABSL_GUARDED_BY(mutex);
};

StatusBoard::StatusBoard(const Clock& clock) : clock_(clock) {}

StatusReporter StatusBoard::Add(ComponentKind kind, std::string id, std::string pipeline) {
  ComponentStatus status{kind, std::move(id), std::move(pipeline), ComponentState::kStarting, "", 0};
  auto entry = std::make_shared<Entry>(clock_, std::move(status));
  MutexLock lock(mutex_);
  entries_.push_back(entry);
  return StatusReporter(std::move(entry));
}

std::vector<ComponentStatus> StatusBoard::Snapshot() const {
  std::vector<ComponentStatus> statuses;
  MutexLock lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const std::shared_ptr<Entry> alive = entry->lock();
    if (alive == nullptr) {
      entry = entries_.erase(entry);
      continue;
    }
    MutexLock entry_lock(alive->mutex);
    statuses.push_back(alive->Look());
    ++entry;
  }
  return statuses;
}

void StatusReporter::Report(ComponentState state, std::string_view message) const {
  if (entry_ == nullptr) return;
  MutexLock lock(entry_->mutex);
  ComponentStatus& status = entry_->status;
  if (status.state != state) {
    if (!MayFollow(status.state, state)) return;
    status.state = state;
    entry_->since_steady_ns = entry_->clock.SteadyNs();
  }
  status.message = message;
}

void StatusReporter::ReportRecoverable(const Status& error) const {
  Report(ComponentState::kRecoverableError, ErrorText(error));
}

void StatusReporter::ReportPermanent(const Status& error) const {
  Report(ComponentState::kPermanentError, ErrorText(error));
}

ComponentState StatusReporter::state() const {
  if (entry_ == nullptr) return ComponentState::kOk;
  MutexLock lock(entry_->mutex);
  return entry_->status.state;
}

}  // namespace spanloom::pipeline
