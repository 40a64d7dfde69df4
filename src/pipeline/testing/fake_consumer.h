// SPDX-License-Identifier: Apache-2.0
//
// For tests: the end of a pipeline that answers as it is told, and waiting with a deadline instead of sleeping.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "pipeline/consumer.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {

inline constexpr std::chrono::seconds kPatience{20};  // far more than anything here takes

// Answers each offer: with the next scripted status, else with the default. Thread-safe.
class FakeConsumer final : public Consumer {
 public:
  // All offers from now on, unless scripted.
  void AnswerWith(Status status) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    default_ = std::move(status);
  }
  // The next offer that is not scripted yet.
  void Script(Status status) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    script_.push_back(std::move(status));
  }
  // Leaves offers from now on without an answer, until Release.
  void Hold() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    holds_ = true;
  }
  // Answers what is held, and goes back to answering at once.
  void Release(const Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    std::vector<std::pair<otlp::Batch, Done>> held;
    {
      MutexLock lock(mutex_);
      holds_ = false;
      held.swap(held_);
      if (status.ok()) {
        for (const auto& [batch, done] : held) Take(batch);
      }
    }
    for (auto& [batch, done] : held) std::move(done)(status);
  }

  // Room for that many spans from now on: Reserve refuses what exceeds it, with a delay, and committing uses it up.
  void KeepRoomFor(size_t spans, std::chrono::milliseconds delay = std::chrono::milliseconds(1))
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    room_spans_ = spans;
    refusal_delay_ = delay;
  }
  // Reservations from now on.
  void RefuseReservations(Status status) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    reservation_refusal_ = std::move(status);
  }
  // Room that is not reserved.
  [[nodiscard]] size_t room_spans() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return room_spans_;
  }

  StatusOr<std::unique_ptr<Admission>> Reserve(const otlp::Batch& batch) override ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    if (!reservation_refusal_.ok()) return reservation_refusal_;
    if (batch.span_count() > room_spans_) return WithRetryDelay(absl::UnavailableError("no room"), refusal_delay_);
    room_spans_ -= batch.span_count();
    return std::make_unique<ReservedRoom>(*this, batch.span_count());
  }

  void Consume(otlp::Batch batch, Done done) override ABSL_LOCKS_EXCLUDED(mutex_) {
    Status status;
    {
      MutexLock lock(mutex_);
      ++offers_;
      if (holds_) return held_.emplace_back(std::move(batch), std::move(done)), void();
      status = NextAnswer();
      if (status.ok()) Take(batch);
    }
    std::move(done)(std::move(status));
  }

  // Names of the spans taken, in order.
  [[nodiscard]] std::vector<std::string> names() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return names_;
  }
  // The last one taken.
  [[nodiscard]] otlp::Batch last_batch() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return last_batch_;
  }
  // Spans of each batch taken.
  [[nodiscard]] std::vector<size_t> sizes() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return sizes_;
  }
  [[nodiscard]] size_t offers() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return offers_;
  }
  // Waits until that many spans were taken; false if they were not in time.
  bool AwaitSpans(size_t count) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return names_.size() >= count; };
    MutexLock lock(mutex_);
    return mutex_.AwaitFor(there, kPatience);
  }
  bool AwaitOffers(size_t count) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return offers_ >= count; };
    MutexLock lock(mutex_);
    return mutex_.AwaitFor(there, kPatience);
  }

 private:
  class ReservedRoom final : public Admission {
   public:
    ReservedRoom(FakeConsumer& consumer, size_t spans) : consumer_(consumer), spans_(spans) {}
    ~ReservedRoom() override {
      MutexLock lock(consumer_.mutex_);
      consumer_.room_spans_ += spans_;
    }
    void Commit(otlp::Batch batch, Done done) override {
      spans_ -= batch.span_count();
      consumer_.Consume(std::move(batch), std::move(done));
    }

   private:
    FakeConsumer& consumer_;
    size_t spans_;
  };

  Status NextAnswer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (script_.empty()) return default_;
    Status status = std::move(script_.front());
    script_.pop_front();
    return status;
  }
  void Take(const otlp::Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    last_batch_ = batch;
    sizes_.push_back(batch.span_count());
    for (std::string& name : NamesOf(batch)) names_.push_back(std::move(name));
  }

  mutable Mutex mutex_;
  Status default_ ABSL_GUARDED_BY(mutex_);
  std::deque<Status> script_ ABSL_GUARDED_BY(mutex_);
  bool holds_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::pair<otlp::Batch, Done>> held_ ABSL_GUARDED_BY(mutex_);
  otlp::Batch last_batch_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> names_ ABSL_GUARDED_BY(mutex_);
  std::vector<size_t> sizes_ ABSL_GUARDED_BY(mutex_);
  size_t offers_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t room_spans_ ABSL_GUARDED_BY(mutex_) = 1'000'000;
  std::chrono::milliseconds refusal_delay_ ABSL_GUARDED_BY(mutex_){1};
  Status reservation_refusal_ ABSL_GUARDED_BY(mutex_);
};

// The answer to a batch, which may come later and on another thread.
class Answer {
 public:
  // To be called once; may outlive this.
  [[nodiscard]] Done done() {
    return [state = state_](Status status) {
      state->status = std::move(status);
      state->there.Notify();
    };
  }
  [[nodiscard]] bool HasCome() const { return state_->there.HasBeenNotified(); }
  // Stops the test process if it does not come.
  [[nodiscard]] Status Wait() const {
    CHECK(state_->there.WaitFor(kPatience));
    return state_->status;
  }

 private:
  struct State {
    Notification there;
    Status status;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Offers `batch` and waits for the answer; stops the test process if there is none.
inline Status Deliver(Consumer& consumer, otlp::Batch batch) {
  Answer answer;
  consumer.Consume(std::move(batch), answer.done());
  return answer.Wait();
}

}  // namespace spanloom::pipeline
