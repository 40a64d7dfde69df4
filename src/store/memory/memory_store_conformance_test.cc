// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>

#include <memory>

#include "store/conformance/store_conformance.h"
#include "store/memory/memory_store.h"

namespace spanloom::store {
namespace {

// A store and the registry that must outlive it.
struct OwnedRegistry {
  MetricRegistry metrics;
};
class OwnedMemoryStore final : private OwnedRegistry, public memory::MemoryStore {
 public:
  OwnedMemoryStore(const Clock& clock, const RequestDeriver& deriver)
      : memory::MemoryStore({}, metrics, clock, deriver) {}
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         testing::Values(StoreFactory{.name = "Memory",
                                                      .make =
                                                          [](const Clock& clock, const RequestDeriver& deriver) {
                                                            return std::make_unique<OwnedMemoryStore>(clock, deriver);
                                                          }}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace spanloom::store
