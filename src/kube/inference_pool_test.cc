// SPDX-License-Identifier: Apache-2.0

#include "kube/inference_pool.h"

#include <gtest/gtest.h>

#include "kube/json.h"

namespace spanloom::kube {
namespace {

std::string SelectorOf(std::string_view json) {
  JsonReader reader;
  const auto object = reader.Read(json);
  EXPECT_TRUE(object.ok());
  return LabelSelectorOf(ReadInferencePool(*object).selector);
}

// Scenario: the selector as v1 writes it, as v1alpha2 does, and pools without one.
// Guarantees: both are labels; none is nothing.
TEST(InferencePool, HasASelectorInEitherShape) {
  EXPECT_EQ(SelectorOf(R"({"metadata":{"name":"p"},"spec":{"selector":{"matchLabels":{"app":"vllm","role":"p"}}}})"),
            "app=vllm,role=p");
  EXPECT_EQ(SelectorOf(R"({"metadata":{"name":"p"},"spec":{"selector":{"app":"vllm"}}})"), "app=vllm");
  EXPECT_EQ(SelectorOf(R"({"metadata":{"name":"p"},"spec":{}})"), "");
  EXPECT_EQ(SelectorOf(R"({"metadata":{"name":"p"},"spec":{"selector":{"matchLabels":{}}}})"), "");
}

}  // namespace
}  // namespace spanloom::kube
