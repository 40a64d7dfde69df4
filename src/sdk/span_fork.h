// SPDX-License-Identifier: Apache-2.0
//
// Hands each ended span to several sinks, so that spans go to several destinations.

#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sdk/span_record.h"

namespace spanloom::sdk {

// Thread-safe, as its sinks are. All but the last get a copy.
class SpanFork final : public SpanSink {
 public:
  // At least one; they must outlive the fork.
  explicit SpanFork(std::vector<SpanSink*> sinks) : sinks_(std::move(sinks)) {}

  void Take(std::unique_ptr<SpanRecord> span) override {
    for (size_t i = 0; i + 1 < sinks_.size(); ++i) sinks_[i]->Take(std::make_unique<SpanRecord>(*span));
    sinks_.back()->Take(std::move(span));
  }

 private:
  const std::vector<SpanSink*> sinks_;
};

}  // namespace spanloom::sdk
