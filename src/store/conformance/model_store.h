// SPDX-License-Identifier: Apache-2.0
//
// For tests: the contract of span_store.h in as few words as possible, without indices, limits or locks. What other
// stores answer is compared with what it answers.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/span_store.h"

namespace spanloom::store {

// Thread-compatible. Every query looks at every span.
class ModelStore final : public SpanStore {
 public:
  void Append(otlp::Batch batch, Done done) override;
  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id) const override;
  [[nodiscard]] StatusOr<std::vector<Trace>> FindTraces(const TraceQuery& query) const override;
  [[nodiscard]] StatusOr<std::vector<std::string>> Services() const override;
  [[nodiscard]] StatusOr<std::vector<Operation>> Operations(const std::string& service) const override;
  [[nodiscard]] StoreStats Stats() const override;

 private:
  [[nodiscard]] bool Has(const StoredSpan& span) const;

  std::map<otlp::TraceId, std::vector<StoredSpan>> traces_;  // spans in order of arrival
  StoreStats stats_;
};

}  // namespace spanloom::store
