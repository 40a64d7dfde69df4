// SPDX-License-Identifier: Apache-2.0

#include "otlp/http_answer.h"

#include <gtest/gtest.h>

#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using namespace std::chrono_literals;

constexpr int64_t kNow = 784'111'777LL * 1'000'000'000;  // Sun, 06 Nov 1994 08:49:37 GMT

Status StatusOf(int status, std::string_view retry_after = "", std::string_view body = "") {
  return StatusOfHttpAnswer({.status = status, .content_type = "text/plain", .retry_after = retry_after, .body = body},
                            kNow);
}

// Scenario: statuses of OTLP's table.
// Guarantees: those that it calls retryable are, the others are not; one about size says so; the Collector's codes.
TEST(HttpAnswer, KnowsWhatMayBeSentAgain) {
  for (const int status : {429, 502, 503, 504}) EXPECT_TRUE(IsRetryable(StatusOf(status))) << status;
  for (const int status : {400, 401, 403, 404, 413, 500, 501}) EXPECT_FALSE(IsRetryable(StatusOf(status))) << status;
  EXPECT_NE(StatusOf(413).message().find("too large"), absl::string_view::npos);
  const std::pair<int, absl::StatusCode> recorded[] = {
      {300, absl::StatusCode::kUnknown},         {308, absl::StatusCode::kUnknown},
      {400, absl::StatusCode::kInvalidArgument}, {401, absl::StatusCode::kUnauthenticated},
      {402, absl::StatusCode::kUnknown},         {403, absl::StatusCode::kPermissionDenied},
      {404, absl::StatusCode::kUnimplemented},   {408, absl::StatusCode::kUnknown},
      {413, absl::StatusCode::kUnknown},         {429, absl::StatusCode::kResourceExhausted},
      {500, absl::StatusCode::kUnknown},         {501, absl::StatusCode::kUnknown},
      {502, absl::StatusCode::kUnavailable},     {503, absl::StatusCode::kUnavailable},
      {504, absl::StatusCode::kUnavailable},     {599, absl::StatusCode::kUnknown}};
  for (const auto& [status, code] : recorded) EXPECT_EQ(StatusOf(status).code(), code) << status;
}

// Scenario: Retry-After in seconds, as a date, in the past, far away, and as nonsense.
// Guarantees: the delay that it means, an hour at most; none for nonsense.
TEST(HttpAnswer, ReadsRetryAfter) {
  EXPECT_EQ(RetryDelay(StatusOf(503, "3")), 3s);
  EXPECT_EQ(RetryDelay(StatusOf(429, "Sun, 06 Nov 1994 08:49:47 GMT")), 10s);
  EXPECT_EQ(RetryDelay(StatusOf(429, "Sun, 06 Nov 1994 08:00:00 GMT")), 0s);
  EXPECT_EQ(RetryDelay(StatusOf(503, "999999")), 3600s);
  EXPECT_EQ(RetryDelay(StatusOf(503, "soon")), std::nullopt);
  EXPECT_EQ(RetryDelay(StatusOf(503, "-1")), std::nullopt);
  EXPECT_EQ(RetryDelay(StatusOf(429, "soon")), 0s);
  EXPECT_EQ(RetryDelay(StatusOf(400, "3")), std::nullopt);
}

// Scenario: Retry-After as a date, from a peer whose clock is a day ahead or a day behind, and says what time it has.
// Guarantees: the delay that the peer means.
TEST(HttpAnswer, ReadsRetryAfterByThePeersClock) {
  const auto delay = [](std::string_view date, std::string_view retry_after) {
    return RetryDelay(StatusOfHttpAnswer({.status = 503, .retry_after = retry_after, .date = date}, kNow));
  };
  EXPECT_EQ(delay("Mon, 07 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:47 GMT"), 10s);
  EXPECT_EQ(delay("Sat, 05 Nov 1994 08:49:37 GMT", "Sat, 05 Nov 1994 08:49:47 GMT"), 10s);
  EXPECT_EQ(delay("nonsense", "Sun, 06 Nov 1994 08:49:47 GMT"), 10s);
}

// Scenario: an error as a Status in protobuf, as text with a line break, and a long one.
// Guarantees: its words, fit for one line.
TEST(HttpAnswer, SaysWhatTheErrorSays) {
  std::string status;
  wire::Writer writer(status);
  writer.Varint(1, 3);
  writer.Bytes(2, "bad data");
  EXPECT_EQ(ErrorText({.status = 400, .content_type = "application/x-protobuf", .body = status}), "bad data");
  EXPECT_EQ(ErrorText({.status = 400, .content_type = "text/plain", .body = "a\nb"}), "a b");
  EXPECT_EQ(ErrorText({.status = 400, .body = std::string(1'000, 'x')}).size(), 256u);
}

// Scenario: a partial success in protobuf, in JSON with the number in either form, and bodies that are neither.
// Guarantees: both say how many were rejected and why; the others say nothing.
TEST(HttpAnswer, ReadsPartialSuccess) {
  std::string wire;
  wire::Writer writer(wire);
  const auto mark = writer.Begin(1);
  writer.Varint(1, 2);
  writer.Bytes(2, "late");
  writer.End(mark);
  EXPECT_EQ(PartialSuccessOf({.content_type = "application/x-protobuf", .body = wire}).rejected_spans, 2u);
  const auto json = [](std::string_view body) {
    return PartialSuccessOf({.content_type = "application/json; charset=utf-8", .body = body});
  };
  EXPECT_EQ(json(R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"late"}})").rejected_spans, 2u);
  EXPECT_EQ(json(R"({"partialSuccess":{"rejectedSpans":3}})").rejected_spans, 3u);
  EXPECT_EQ(json(R"({"partialSuccess":{"errorMessage":"late","rejectedDataPoints":"4"}})").rejected_spans, 4u);
  EXPECT_EQ(json(R"({"partialSuccess":{"rejectedLogRecords":"5"}})").rejected_spans, 5u);
  EXPECT_EQ(json(R"({"partialSuccess":{"errorMessage":"late"}})").message, "late");
  for (const char* body : {"", "{}", "{\"partialSuccess\":{}}", "<html>", "[1"}) {
    EXPECT_EQ(json(body).rejected_spans, 0u) << body;
    EXPECT_EQ(json(body).message, "") << body;
  }
}

}  // namespace
}  // namespace spanloom::otlp
