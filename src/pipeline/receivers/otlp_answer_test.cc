// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/otlp_answer.h"

#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

// Scenario: content types as clients send them.
// Guarantees: parameters and case do not matter; anything else is unknown.
TEST(OtlpAnswer, KnowsTwoContentTypes) {
  EXPECT_EQ(EncodingOf("application/x-protobuf"), OtlpEncoding::kProtobuf);
  EXPECT_EQ(EncodingOf("Application/JSON; charset=utf-8"), OtlpEncoding::kJson);
  EXPECT_EQ(EncodingOf("application/protobuf"), std::nullopt);
  EXPECT_EQ(EncodingOf(""), std::nullopt);
}

// Scenario: success in both encodings.
// Guarantees: the Collector's bytes.
TEST(OtlpAnswer, SuccessIsTheCollectorsToTheByte) {
  const net::HttpResponse json = OtlpResponse(absl::OkStatus(), OtlpEncoding::kJson);
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(json.headers.Get("content-type"), "application/json");
  EXPECT_EQ(json.body.view(), R"({"partialSuccess":{}})");
  const net::HttpResponse protobuf = OtlpResponse(absl::OkStatus(), OtlpEncoding::kProtobuf);
  EXPECT_EQ(protobuf.headers.Get("content-type"), "application/x-protobuf");
  EXPECT_EQ(protobuf.body.view(), std::string_view("\x0a\x00", 2));
}

// Scenario: errors of each kind.
// Guarantees: the Collector's HTTP status for each.
TEST(OtlpAnswer, MapsCodesAsTheCollectorDoes) {
  const auto status_of = [](absl::StatusCode code) {
    return OtlpResponse(Status(code, "x"), OtlpEncoding::kJson).status;
  };
  EXPECT_EQ(status_of(absl::StatusCode::kUnavailable), 503);
  EXPECT_EQ(status_of(absl::StatusCode::kDeadlineExceeded), 503);
  EXPECT_EQ(status_of(absl::StatusCode::kResourceExhausted), 429);
  EXPECT_EQ(status_of(absl::StatusCode::kInvalidArgument), 400);
  EXPECT_EQ(status_of(absl::StatusCode::kUnauthenticated), 401);
  EXPECT_EQ(status_of(absl::StatusCode::kPermissionDenied), 403);
  EXPECT_EQ(status_of(absl::StatusCode::kUnimplemented), 404);
  EXPECT_EQ(status_of(absl::StatusCode::kInternal), 500);
}

// Scenario: an error in both encodings.
// Guarantees: a google.rpc.Status in the request's encoding.
TEST(OtlpAnswer, ErrorsAreStatusMessages) {
  const Status error = absl::UnavailableError("full");
  EXPECT_EQ(OtlpResponse(error, OtlpEncoding::kJson).body.view(), R"({"code":14,"message":"full"})");
  EXPECT_EQ(OtlpResponse(error, OtlpEncoding::kProtobuf).body.view(),
            "\x08\x0e\x12\x04"
            "full");
}

// Scenario: delays of less and more than a second; a final error with one.
// Guarantees: whole seconds, at least one, and only where the client may come back.
TEST(OtlpAnswer, RetryAfterIsInWholeSeconds) {
  const auto retry_after = [](const Status& status) {
    return std::string(OtlpResponse(status, OtlpEncoding::kJson).headers.Get("retry-after"));
  };
  EXPECT_EQ(retry_after(WithRetryDelay(absl::UnavailableError(""), milliseconds(20))), "1");
  EXPECT_EQ(retry_after(WithRetryDelay(absl::UnavailableError(""), milliseconds(2001))), "3");
  EXPECT_EQ(retry_after(WithRetryDelay(absl::InternalError(""), milliseconds(20))), "");
  EXPECT_EQ(retry_after(absl::UnavailableError("")), "");
}

}  // namespace
}  // namespace spanloom::pipeline
