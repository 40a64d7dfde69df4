// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <memory>

#include "store/conformance/store_conformance.h"
#include "store/memory/memory_store.h"

namespace spanloom::store {
namespace {

// A store and the registry that must outlive it.
class OwnedMemoryStore final : public SpanStore {
 public:
  void Append(otlp::Batch batch, Done done) override { store_.Append(std::move(batch), std::move(done)); }
  [[nodiscard]] StatusOr<Trace> GetTrace(const otlp::TraceId& id) const override { return store_.GetTrace(id); }
  [[nodiscard]] StatusOr<std::vector<Trace>> FindTraces(const TraceQuery& query) const override {
    return store_.FindTraces(query);
  }
  [[nodiscard]] StatusOr<std::vector<std::string>> Services() const override { return store_.Services(); }
  [[nodiscard]] StatusOr<std::vector<Operation>> Operations(const std::string& service) const override {
    return store_.Operations(service);
  }
  [[nodiscard]] StoreStats Stats() const override { return store_.Stats(); }

 private:
  MetricRegistry metrics_;
  memory::MemoryStore store_{{}, metrics_};
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         testing::Values(StoreFactory{.name = "Memory", .make = std::make_unique<OwnedMemoryStore>}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace spanloom::store
