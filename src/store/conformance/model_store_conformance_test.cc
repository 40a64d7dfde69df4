// SPDX-License-Identifier: Apache-2.0
//
// The model keeps the contract too: it declares nothing that may be left out, so this is how refusals are tested.

#include <gtest/gtest.h>

#include <memory>

#include "store/conformance/model_store.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

INSTANTIATE_TEST_SUITE_P(Model, StoreConformance,
                         testing::Values(StoreFactory{
                             .name = "Model",
                             .make = [](const Clock& clock,
                                        const RequestDeriver&) { return std::make_unique<ModelStore>(clock); },
                             .runs_large_tests = false}),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace spanloom::store
