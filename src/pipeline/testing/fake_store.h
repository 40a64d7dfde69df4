// SPDX-License-Identifier: Apache-2.0
//
// For tests: a store that remembers the names of its spans, and refuses when it is told to.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <functional>
#include <memory>
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

  // Each append and each reservation from now on, in turn. Called under a lock.
  void AnswerBy(std::function<Status()> append, std::function<Status()> reserve) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    append_mood_ = std::move(append);
    reserve_mood_ = std::move(reserve);
  }

  // Reservations from now on.
  void RefuseReservations(Status status) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    refusal_ = std::move(status);
  }

  // Leaves appends from now on without an answer, until Release.
  void Hold() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    holds_ = true;
  }
  // Takes what is held and answers OK.
  void Release() ABSL_LOCKS_EXCLUDED(mutex_) {
    std::vector<std::pair<otlp::Batch, store::AppendDone>> held;
    {
      MutexLock lock(mutex_);
      holds_ = false;
      held.swap(held_);
    }
    for (auto& [batch, done] : held) Take(std::move(batch), std::move(done));
  }
  // Waits until that many appends are held.
  bool AwaitHeld(size_t count) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return held_.size() >= count; };
    MutexLock lock(mutex_);
    return mutex_.AwaitFor(there, std::chrono::seconds(20));
  }

  // In order of arrival.
  [[nodiscard]] std::vector<std::string> names() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return names_;
  }

  [[nodiscard]] store::Capabilities capabilities() const override { return {}; }
  StatusOr<std::unique_ptr<store::Reservation>> Reserve(const otlp::Batch&) override ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    if (Status refusal = reserve_mood_ ? reserve_mood_() : refusal_; !refusal.ok()) return refusal;
    return std::make_unique<TakeAtCommit>(*this);
  }

  StatusOr<store::Trace> GetTrace(const otlp::TraceId&, const store::TimeRange&,
                                  const store::ReadLimits&) const override {
    return Unanswered();
  }
  StatusOr<std::unique_ptr<store::SpanCursor>> Fetch(store::FetchPlan) const override { return Unanswered(); }
  StatusOr<store::RowPage<store::TraceRow>> Traces(const store::RowQuery<store::TraceColumn>&) const override {
    return Unanswered();
  }
  StatusOr<store::AggregateAnswer> GroupTraces(const store::RowGroupQuery<store::TraceColumn>&) const override {
    return Unanswered();
  }
  StatusOr<std::vector<store::ServiceName>> Services(const store::NameQuery&) const override { return Unanswered(); }
  StatusOr<std::vector<store::OperationName>> Operations(const std::string&, const store::NameQuery&) const override {
    return Unanswered();
  }
  StatusOr<std::vector<store::KeyName>> Keys(const store::NameQuery&) const override { return Unanswered(); }
  StatusOr<std::vector<store::FieldValue>> Values(const store::ValueQuery&) const override { return Unanswered(); }
  StatusOr<store::Removed> SetRetention(const store::RetentionPolicy&) override { return Unanswered(); }
  store::StoreStats Stats() const override { return {}; }

 private:
  class TakeAtCommit final : public store::Reservation {
   public:
    explicit TakeAtCommit(FakeStore& store) : store_(store) {}
    void Commit(otlp::Batch batch, store::AppendDone done) override { store_.Take(std::move(batch), std::move(done)); }

   private:
    FakeStore& store_;
  };

  void Take(otlp::Batch batch, store::AppendDone done) ABSL_LOCKS_EXCLUDED(mutex_) {
    Status answer;
    {
      MutexLock lock(mutex_);
      if (holds_) return held_.emplace_back(std::move(batch), std::move(done)), void();
      answer = append_mood_ ? append_mood_() : answer_;
      if (answer.ok()) {
        for (std::string& name : NamesOf(batch)) names_.push_back(std::move(name));
      }
    }
    std::move(done)(std::move(answer));
  }

  static Status Unanswered() { return absl::UnimplementedError("this store answers no queries"); }

  mutable Mutex mutex_;
  Status answer_ ABSL_GUARDED_BY(mutex_);
  Status refusal_ ABSL_GUARDED_BY(mutex_);
  bool holds_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::pair<otlp::Batch, store::AppendDone>> held_ ABSL_GUARDED_BY(mutex_);
  std::function<Status()> append_mood_ ABSL_GUARDED_BY(mutex_);
  std::function<Status()> reserve_mood_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::pipeline
