// SPDX-License-Identifier: Apache-2.0

#include "otlp/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/rng.h"
#include "otlp/testing/digest.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using wire::Writer;

// One request with one span, whose fields are `span_fields`.
std::string RequestWithSpan(std::string_view span_fields) {
  std::string out;
  Writer writer(out);
  const auto resource_spans = writer.Begin(1);
  const auto scope_spans = writer.Begin(2);
  writer.Bytes(2, span_fields);
  writer.End(scope_spans);
  writer.End(resource_spans);
  return out;
}

template <typename WriteField>
std::string Fields(WriteField write) {
  std::string out;
  Writer writer(out);
  write(writer);
  return out;
}

// A span with one attribute whose value is `depth` arrays around an integer.
std::string SpanWithNestedArrays(int depth) {
  std::string value = Fields([](Writer& w) { w.Varint(3, 1); });
  for (int i = 0; i < depth; ++i) {
    const std::string array = Fields([&](Writer& w) { w.Bytes(1, value); });
    value = Fields([&](Writer& w) { w.Bytes(5, array); });
  }
  const std::string attribute = Fields([&](Writer& w) {
    w.Bytes(1, "deep");
    w.Bytes(2, value);
  });
  return Fields([&](Writer& w) { w.Bytes(9, attribute); });
}

// The number after "at byte" in an error.
size_t OffsetIn(const Status& error) {
  const std::string message(error.message());
  const size_t at = message.find("at byte ");
  return at == std::string::npos ? std::string::npos : std::strtoull(message.c_str() + at + 8, nullptr, 10);
}

// Scenario: every protobuf body that real vLLM, llm-d and SDKs sent.
// Guarantees: all of them are accepted and their spans counted, and views reach each span.
TEST(Validate, AcceptsEveryRecordedRequest) {
  size_t total = 0;
  for (const RecordedRequest& request : ReadRecordedRequests(".pb")) {
    const auto stats = ValidateTraces(request.body);
    ASSERT_TRUE(stats.ok()) << request.name << ": " << stats.status();
    EXPECT_EQ(stats->spans, request.spans) << request.name;
    EXPECT_EQ(Digest().Add(TracesView(request.body)), request.spans) << request.name;
    total += stats->spans;
  }
  EXPECT_EQ(total, 3754u);  // tests/data/recorded: all sets but sdk-js-json
}

TEST(Validate, CountsEventsAndLinks) {
  const auto stats = ValidateTraces(RequestWithSpan(Fields([](Writer& w) {
    w.Bytes(11, {});
    w.Bytes(11, {});
    w.Bytes(13, {});
  })));
  ASSERT_TRUE(stats.ok());
  EXPECT_EQ(stats->spans, 1u);
  EXPECT_EQ(stats->events, 2u);
  EXPECT_EQ(stats->links, 1u);
}

TEST(Validate, AcceptsAnEmptyRequestAndUnknownFields) {
  EXPECT_TRUE(ValidateTraces({}).ok());
  EXPECT_TRUE(ValidateTraces(Fields([](Writer& w) { w.Varint(1000, 1); })).ok());
  EXPECT_TRUE(ValidateTraces(RequestWithSpan(Fields([](Writer& w) { w.Bytes(17, "\xff\xff"); }))).ok());
}

TEST(Validate, AcceptsTextThatIsNotUtf8) {
  EXPECT_TRUE(ValidateTraces(RequestWithSpan(Fields([](Writer& w) { w.Bytes(5, "\xff\xfe"); }))).ok());
}

TEST(Validate, AcceptsIdsOfTheirSizeOrEmptyAndRefusesOthers) {
  const std::string sixteen(16, 't');
  const std::string eight(8, 's');
  const auto is_valid = [](uint32_t field, std::string_view id) {
    const auto stats = ValidateTraces(RequestWithSpan(Fields([&](Writer& w) { w.Bytes(field, id); })));
    return stats.ok() || stats.status().code() != absl::StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(is_valid(1, sixteen));
  EXPECT_TRUE(is_valid(1, ""));
  EXPECT_FALSE(is_valid(1, eight));
  EXPECT_TRUE(is_valid(2, eight));
  EXPECT_FALSE(is_valid(2, sixteen));
  EXPECT_TRUE(is_valid(4, ""));
  EXPECT_FALSE(is_valid(4, "1234567"));
}

TEST(Validate, ChecksTheIdsOfLinks) {
  const std::string link = Fields([](Writer& w) { w.Bytes(1, "short"); });
  const auto stats = ValidateTraces(RequestWithSpan(Fields([&](Writer& w) { w.Bytes(13, link); })));
  EXPECT_EQ(stats.status().code(), absl::StatusCode::kInvalidArgument);
}

// Scenario: a known field arrives with another wire type, at a known place behind a good field.
// Guarantees: the error names message, field and the field's byte offset in the whole request.
TEST(Validate, NamesTheFieldWithTheWrongWireType) {
  const std::string request = RequestWithSpan(Fields([](Writer& w) {
    w.Bytes(5, "name");
    w.Varint(7, 1);
  }));
  const auto stats = ValidateTraces(request);
  ASSERT_EQ(stats.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(stats.status().message(),
              testing::HasSubstr("resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano at byte"));
  EXPECT_EQ(OffsetIn(stats.status()), request.size() - 2);
}

TEST(Validate, NamesTheOffsetWhereARequestIsCutShort) {
  std::string broken = RequestWithSpan(Fields([](Writer& w) {
    w.Varint(6, 1);
    w.Bytes(5, "name");
  }));
  broken[broken.size() - 5] = 5;  // the length of "name"
  const auto stats = ValidateTraces(broken);
  ASSERT_EQ(stats.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OffsetIn(stats.status()), broken.size() - 6);
}

// Scenario: the second attribute of the second event has a key of another wire type; then its bytes are cut short.
// Guarantees: the path names every message on the way with its index, as far as it could be read.
TEST(Validate, NamesThePathToTheFault) {
  const auto message_of = [](const std::string& attribute) {
    const std::string event = Fields([&](Writer& w) {
      w.Bytes(3, {});
      w.Varint(100, 1);
      w.Bytes(3, attribute);
    });
    const auto stats = ValidateTraces(RequestWithSpan(Fields([&](Writer& w) {
      w.Bytes(11, {});
      w.Bytes(11, event);
    })));
    EXPECT_EQ(stats.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(stats.status().message());
  };
  EXPECT_THAT(message_of(Fields([](Writer& w) { w.Varint(1, 1); })),
              testing::HasSubstr("spans[0].events[1].attributes[1].key at byte"));
  EXPECT_THAT(message_of("\x0a\x05"), testing::HasSubstr("spans[0].events[1].attributes[1] at byte"));
}

TEST(Validate, BoundsTheNestingOfValues) {
  EXPECT_TRUE(ValidateTraces(RequestWithSpan(SpanWithNestedArrays(kValueDepthMax))).ok());
  const auto stats = ValidateTraces(RequestWithSpan(SpanWithNestedArrays(kValueDepthMax + 1)));
  EXPECT_EQ(stats.status().code(), absl::StatusCode::kInvalidArgument);
}

// A real body with a few bytes overwritten, and perhaps cut off.
std::string Mutate(std::string body, Rng& rng) {
  for (uint64_t i = 1 + rng.Below(8); i > 0; --i) body[rng.Below(body.size())] = static_cast<char>(rng.Next());
  if (rng.Below(2) == 0) body.resize(rng.Below(body.size()));
  return body;
}

// Scenario: real bodies, damaged at random by a seeded generator.
// Guarantees: nothing crashes; a body is either valid, and then all views can be walked and count the same spans, or it
// is refused with an offset inside the body.
TEST(ValidateProperty, RefusesOrWalksDamagedRequests) {
  Rng rng(20260822);
  size_t refused = 0;
  const auto requests = ReadRecordedRequests(".pb");
  for (int round = 0; round < 20'000; ++round) {
    const std::string body = Mutate(requests[rng.Below(requests.size())].body.substr(0, 20'000), rng);
    const auto stats = ValidateTraces(body);
    if (stats.ok()) {
      ASSERT_EQ(Digest().Add(TracesView(body)), stats->spans) << "round " << round;
      continue;
    }
    ++refused;
    ASSERT_EQ(stats.status().code(), absl::StatusCode::kInvalidArgument) << "round " << round;
    ASSERT_LE(OffsetIn(stats.status()), body.size()) << "round " << round;
  }
  EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace spanloom::otlp
