// SPDX-License-Identifier: Apache-2.0

#include "pipeline/consumer.h"

#include <utility>

namespace spanloom::pipeline {
namespace {

// Of a consumer that keeps no room.
class ConsumeAtCommit final : public Admission {
 public:
  explicit ConsumeAtCommit(Consumer& consumer) : consumer_(consumer) {}
  void Commit(otlp::Batch batch, Done done) override { consumer_.Consume(std::move(batch), std::move(done)); }

 private:
  Consumer& consumer_;
};

}  // namespace

StatusOr<std::unique_ptr<Admission>> Consumer::Reserve(const otlp::Batch&) {
  return std::make_unique<ConsumeAtCommit>(*this);
}

}  // namespace spanloom::pipeline
