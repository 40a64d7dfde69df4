// SPDX-License-Identifier: Apache-2.0

#include "store/span_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Describe(const SpanTags& tags) {
  std::vector<std::string> described;
  for (const SpanTag& tag : tags) described.push_back(StrCat(tag.key, "=", tag.text, tag.is_bool ? " (bool)" : ""));
  return described;
}

std::vector<std::string> TagsOfSpan(const SpanSpec& span) {
  const std::string wire = Encode(span);
  return Describe(TagsOf(otlp::SpanView(wire)));
}

// Scenario: a failed server span with a message and a trace state; a plain one; one that is explicitly OK.
// Guarantees: names, values and order that Jaeger shows; nothing for what is not set.
TEST(SpanTags, SayWhatIsSet) {
  EXPECT_THAT(TagsOfSpan({.trace_id = {},
                          .span_id = {},
                          .kind = otlp::SpanKind::kServer,
                          .status_code = otlp::StatusCode::kError,
                          .status_message = "boom",
                          .trace_state = "a=b"}),
              ElementsAre("span.kind=server", "otel.status_code=ERROR", "error=true (bool)",
                          "otel.status_description=boom", "w3c.tracestate=a=b"));
  EXPECT_THAT(TagsOfSpan({.trace_id = {}, .span_id = {}}), IsEmpty());
  EXPECT_THAT(TagsOfSpan({.trace_id = {}, .span_id = {}, .status_code = otlp::StatusCode::kOk}),
              ElementsAre("otel.status_code=OK"));
}

// Scenario: kinds within and outside the enum.
// Guarantees: lower-case words, and none for what OTLP does not know.
TEST(SpanTags, NamesKinds) {
  EXPECT_EQ(SpanKindText(otlp::SpanKind::kInternal), "internal");
  EXPECT_EQ(SpanKindText(otlp::SpanKind::kConsumer), "consumer");
  EXPECT_EQ(SpanKindText(static_cast<otlp::SpanKind>(99)), "");
}

}  // namespace
}  // namespace spanloom::store
