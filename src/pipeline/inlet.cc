// SPDX-License-Identifier: Apache-2.0

#include "pipeline/inlet.h"

#include <atomic>

#include "base/check.h"

namespace spanloom::pipeline {
namespace {

using PassagePtr = std::shared_ptr<const Passage>;

// `done`, after which `passage` is let go.
Done Passing(PassagePtr passage, Done done) {
  return [passage = std::move(passage), done = std::move(done)](Status status) mutable {
    const PassagePtr ends_here = std::move(passage);
    std::move(done)(std::move(status));
  };
}

// Alone in its cache lines, as is the reference count that std::make_shared puts in front of it.
struct alignas(64) Holder {
  PassagePtr passage;
};

// The same passage, kept alive by a reference count of its own.
PassagePtr CountedApart(const PassagePtr& passage) {
  return PassagePtr(std::make_shared<Holder>(passage), passage.get());
}

class PassingAdmission final : public Admission {
 public:
  PassingAdmission(PassagePtr passage, std::unique_ptr<Admission> next)
      : passage_(std::move(passage)), next_(std::move(next)) {}
  void Commit(otlp::Batch batch, Done done) override {
    next_->Commit(std::move(batch), Passing(passage_, std::move(done)));
  }

 private:
  const PassagePtr passage_;  // outlives next_
  const std::unique_ptr<Admission> next_;
};

}  // namespace

void Inlet::Lead(Consumer& target, const PassagePtr& passage) {
  for (Sign& sign : signs_) {
    Way way{&target, CountedApart(passage)};  // what it was ends outside of the lock
    const MutexLock lock(sign.mutex);
    std::swap(sign.way, way);
  }
}

void Inlet::LeadAs(const Inlet& other) {
  const Way way = other.Current();
  Lead(*way.target, way.passage);
}

void Inlet::HoldBy(const PassagePtr& passage) {
  for (Sign& sign : signs_) {
    PassagePtr held = CountedApart(passage);
    const MutexLock lock(sign.mutex);
    sign.way.passage.swap(held);
  }
}

Inlet::Way Inlet::Current() const {
  static std::atomic<size_t> threads = 0;
  thread_local const size_t number = threads.fetch_add(1) % kSigns;
  const Sign& sign = signs_[number];
  const MutexLock lock(sign.mutex);
  DCHECK(sign.way.target != nullptr);
  return sign.way;
}

void Inlet::Consume(otlp::Batch batch, Done done) {
  // Kept beyond the answer: the callees below are part of the wiring.
  const Way way = Current();
  way.target->Consume(std::move(batch), Passing(way.passage, std::move(done)));
}

StatusOr<std::unique_ptr<Admission>> Inlet::Reserve(const otlp::Batch& batch) {
  const Way way = Current();
  ASSIGN_OR_RETURN(std::unique_ptr<Admission> next, way.target->Reserve(batch));
  return std::make_unique<PassingAdmission>(way.passage, std::move(next));
}

}  // namespace spanloom::pipeline
