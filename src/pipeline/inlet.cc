// SPDX-License-Identifier: Apache-2.0

#include "pipeline/inlet.h"

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

void Inlet::Lead(Consumer& target, PassagePtr passage) {
  Way old{&target, std::move(passage)};  // ends outside of the lock
  MutexLock lock(mutex_);
  way_.swap(old);
}

void Inlet::LeadAs(const Inlet& other) {
  const auto [target, passage] = other.Current();
  Lead(*target, passage);
}

void Inlet::HoldBy(PassagePtr passage) {
  MutexLock lock(mutex_);
  way_.second.swap(passage);
}

Inlet::Way Inlet::Current() const {
  MutexLock lock(mutex_);
  DCHECK(way_.first != nullptr);
  return way_;
}

void Inlet::Consume(otlp::Batch batch, Done done) {
  // Kept beyond the answer: the callees below are part of the wiring.
  const auto [target, passage] = Current();
  target->Consume(std::move(batch), Passing(passage, std::move(done)));
}

StatusOr<std::unique_ptr<Admission>> Inlet::Reserve(const otlp::Batch& batch) {
  const auto [target, passage] = Current();
  ASSIGN_OR_RETURN(std::unique_ptr<Admission> next, target->Reserve(batch));
  return std::make_unique<PassingAdmission>(passage, std::move(next));
}

}  // namespace spanloom::pipeline
