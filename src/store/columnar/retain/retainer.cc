// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/retain/retainer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "store/columnar/retain/expired_removal.h"

namespace spanloom::store::columnar {
namespace {

// Between looks. At a full rate more takes more memory at once, and lets the store grow beyond its bound; less reads
// again and again what is not old enough yet. Guess.
constexpr std::chrono::seconds kInterval{2};
constexpr size_t kStepTraces = 16'384;  // taken out at once: some milliseconds without an append. Guess

}  // namespace

Retainer::Retainer(SegmentDirectory& segments, PartsTable& parts, SegmentExchange& exchange, Counter& spans_expired,
                   const Clock& clock, RunInBackground run_in_background, RunBetweenAdds run_between_adds)
    : segments_(segments),
      parts_(parts),
      exchange_(exchange),
      spans_expired_(spans_expired),
      clock_(clock),
      run_in_background_(std::move(run_in_background)),
      run_between_adds_(std::move(run_between_adds)),
      time_(clock),
      thread_("spanloom-retain", 1, 64) {}

StatusOr<Removed> Retainer::SetPolicy(const RetentionPolicy& policy) {
  has_policy_ = policy.age_max_ns.has_value() || policy.bytes_max.has_value();
  applied_ns_ = clock_.SteadyNs();
  StatusOr<Removed> removed;
  Notification done;
  const auto apply = [&] {
    policy_ = policy;
    removed = Apply();
    done.Notify();
  };
  while (!thread_.Submit(apply)) std::this_thread::yield();  // it has room for far more than ever waits
  done.Wait();
  return removed;
}

void Retainer::ApplySoon() {
  const int64_t now = clock_.SteadyNs();
  if (!has_policy_ || is_stopped_ || now - applied_ns_ < std::chrono::nanoseconds(kInterval).count()) return;
  if (is_queued_.exchange(true)) return;
  applied_ns_ = now;
  const bool is_taken = thread_.Submit([this] {
    const Status status = Apply().status();
    if (!status.ok()) Log(LogLevel::kError, "the retention policy could not be applied", {{"why", status.message()}});
    is_queued_ = false;
  });
  if (!is_taken) is_queued_ = false;
}

StatusOr<Removed> Retainer::Apply() {
  Removed all;
  if (!policy_.age_max_ns && !policy_.bytes_max) return all;
  for (SegmentCount count; !is_stopped_;) {
    const Parts seen = parts_.Now();
    const uint64_t now_unix_ns = time_.NowUnixNs();
    ASSIGN_OR_RETURN(const Expired expired, FindExpired(seen, parts_.split(), policy_, now_unix_ns, count));
    ASSIGN_OR_RETURN(const Removed removed, RemoveAll(seen, expired.traces));
    all.traces += removed.traces;
    all.spans += removed.spans;
    all.bytes += removed.bytes;
    const bool has_stalled = !expired.traces.empty() && removed.traces == 0;  // all have got spans; the next look
    if (expired.is_all || has_stalled) return all;
    // Traces that have younger spans elsewhere stay: then more segments have to be looked at.
    if (expired.traces.empty()) count = {.min = count.max * 2, .max = count.max * 2};
  }
  return all;
}

StatusOr<Removed> Retainer::RemoveAll(const Parts& seen, std::span<const ExpiredTrace> traces) {
  Removed removed;
  while (!traces.empty() && !is_stopped_) {
    const auto step = traces.first(std::min(traces.size(), kStepTraces));
    Status status;
    run_in_background_([&] { status = RemoveSome(seen, step, removed); });
    RETURN_IF_ERROR(status);
    traces = traces.subspan(step.size());
  }
  return removed;
}

Status Retainer::RemoveSome(const Parts& seen, std::span<const ExpiredTrace> traces, Removed& removed) {
  RETURN_IF_ERROR(exchange_.Settle());
  std::optional<ExpiredRemoval> removal;
  run_between_adds_([&] {
    removal.emplace(seen, parts_);
    removal->Remove(traces, clock_.SteadyNs());
  });
  parts_.ForgetSplits(removal->ids());
  removed.traces += removal->removed().traces;
  removed.spans += removal->removed().spans;
  removed.bytes += removal->removed().bytes;
  spans_expired_.Add(removal->removed().spans);
  for (const auto& segment : removal->emptied()) RETURN_IF_ERROR(segments_.Remove(*segment));
  return absl::OkStatus();
}

}  // namespace spanloom::store::columnar
