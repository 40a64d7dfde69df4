// SPDX-License-Identifier: Apache-2.0

#include "doctor/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "config/yaml.h"

namespace spanloom::doctor {
namespace {

using Kind = Document::Kind;
using testing::ElementsAre;

std::vector<Kind> Kinds(std::string_view text) {
  const std::vector<Document> documents = *ReadDocuments(text, "f.yaml");
  std::vector<Kind> kinds;
  for (const Document& document : documents) kinds.push_back(document.kind);
  return kinds;
}

TEST(Documents, AreToldByTheirKeys) {
  EXPECT_THAT(Kinds("tracing: {enabled: true}\n"), ElementsAre(Kind::kModelService));
  EXPECT_THAT(Kinds("decode: {}\n"), ElementsAre(Kind::kModelService));
  EXPECT_THAT(Kinds("global: {tracing: {}}\n"), ElementsAre(Kind::kModelService));
  EXPECT_THAT(Kinds("inferenceExtension: {}\n"), ElementsAre(Kind::kRouter));
  EXPECT_THAT(Kinds("receivers: {}\nservice: {}\n"), ElementsAre(Kind::kCollector));
  EXPECT_THAT(Kinds("apiVersion: v1\nkind: Pod\n"), ElementsAre(Kind::kManifest));
  EXPECT_THAT(Kinds("- 1\n"), ElementsAre(Kind::kUnknown));
}

// Scenario: a stream with an empty document, a List and an object.
// Guarantees: one document for each object, the items of the List among them.
TEST(Documents, AreTakenApart) {
  EXPECT_THAT(
      Kinds("---\n---\napiVersion: v1\nkind: PodList\nitems:\n- {apiVersion: v1, kind: Pod}\n- {apiVersion: v1, "
            "kind: Pod}\n---\nx: 1\n"),
      ElementsAre(Kind::kManifest, Kind::kManifest, Kind::kUnknown));
}

// Guarantees: as Go's templates have it.
TEST(Truth, IsThatOfATemplate) {
  const auto truth = [](std::string_view text) {
    const config::Node node = *config::ParseYaml(text, "f");
    return IsTruthy(&node);
  };
  for (const char* text : {"false", "null", "\"\"", "0", "0.0", "[]", "{}"}) EXPECT_FALSE(truth(text)) << text;
  for (const char* text : {"true", "\"false\"", "1", "x", "[0]", "{a: 1}"}) EXPECT_TRUE(truth(text)) << text;
  EXPECT_FALSE(IsTruthy(nullptr));
}

}  // namespace
}  // namespace spanloom::doctor
