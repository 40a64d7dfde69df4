// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/inferred_pod.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "otlp/writer.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

otlp::Batch From(const std::string& address, otlp::Batch batch) {
  auto origin = std::make_shared<otlp::RequestOrigin>();
  origin->peer_address = address;
  batch.slices().front().set_origin(std::move(origin));
  return batch;
}

otlp::Batch OfPod(const std::string& key) {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(otlp::EncodeResource([&](otlp::AttributeWriter& writer) { writer.String(key, "decode-0"); }));
  request.BeginScope({});
  request.BeginSpan({.name = "llm_request"}).End();
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), 1));
}

std::map<std::string, std::string> ResourceOf(const otlp::Batch& batch) {
  std::map<std::string, std::string> attributes;
  for (const otlp::Slice& slice : batch.slices()) {
    slice.ForEach([&](const otlp::SpanContext& context) {
      for (const otlp::AttributeView attribute : context.resource.attributes()) {
        attributes.emplace(attribute.key(), attribute.value().string_value());
      }
    });
  }
  return attributes;
}

std::map<std::string, std::string> Inferred(otlp::Batch batch) {
  InferPod(batch);
  return ResourceOf(batch);
}

// Scenario: spans that say their service alone, from another machine.
// Guarantees: the address is their pod's, and is marked as a guess; what they said stays.
TEST(InferPod, TakesTheAddressOfTheSender) {
  const auto attributes = Inferred(From("10.0.0.7", BatchOf({"a"})));
  EXPECT_THAT(attributes, Contains(Pair("k8s.pod.ip", "10.0.0.7")));
  EXPECT_THAT(attributes, Contains(Pair("spanloom.inferred", "k8s.pod.ip")));
  EXPECT_THAT(attributes, Contains(Pair("service.name", "vllm-decode")));
}

// Scenario: spans that say their pod, in one of three ways.
// Guarantees: nothing is added.
TEST(InferPod, LeavesWhatSaysItsPod) {
  for (const char* key : {"k8s.pod.name", "k8s.pod.uid", "k8s.pod.ip"}) {
    const auto attributes = Inferred(From("10.0.0.7", OfPod(key)));
    EXPECT_THAT(attributes, Contains(Pair(key, "decode-0")));
    EXPECT_THAT(attributes, Not(Contains(Key("spanloom.inferred"))));
    EXPECT_EQ(attributes.size(), 1U);
  }
}

// Scenario: spans from this machine, over a unix socket, and of nobody knows whom.
// Guarantees: the batch is as it was, bytes included.
TEST(InferPod, LeavesWhatHasNoAddressOfItsOwn) {
  for (const char* address : {"127.0.0.1", "::1", "::ffff:127.0.0.1", ""}) {
    otlp::Batch batch = From(address, BatchOf({"a"}));
    InferPod(batch);
    EXPECT_TRUE(batch.slices().front().is_whole()) << address;
  }
  otlp::Batch unknown = BatchOf({"a"});
  InferPod(unknown);
  EXPECT_TRUE(unknown.slices().front().is_whole());
}

}  // namespace
}  // namespace spanloom::pipeline
