// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/status_trailers.h"

#include <absl/strings/cord.h>
#include <absl/strings/escaping.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace spanloom::net::grpc {
namespace {

using testing::ElementsAre;
using testing::Pair;

Status RoundTrip(const Status& status) {
  HttpHeaders fields;
  for (auto& [name, value] : StatusToTrailers(status)) fields.Add(name, value);
  return StatusFromTrailers(fields);
}

// The delay that a peer's grpc-status-details-bin says.
auto DelayIn(std::string_view details_bin) {
  const Trailers trailers = {{"grpc-status", "14"}, {"grpc-status-details-bin", std::string(details_bin)}};
  HttpHeaders fields;
  for (const auto& [name, value] : trailers) fields.Add(name, value);
  return RetryDelay(StatusFromTrailers(fields));
}

TEST(StatusTrailers, OkIsOneField) {
  EXPECT_THAT(StatusToTrailers(absl::OkStatus()), ElementsAre(Pair("grpc-status", "0")));
}

TEST(StatusTrailers, RoundTripKeepsCodeMessageAndDelayProperty) {
  for (int code = 1; code <= 16; ++code) {
    const Status plain(static_cast<absl::StatusCode>(code), "100 % \n \x7f \xc3\xbc");
    EXPECT_EQ(RoundTrip(plain), plain);
    const Status delayed = WithRetryDelay(plain, std::chrono::milliseconds(61'001 * code));
    EXPECT_EQ(RoundTrip(delayed), delayed);
  }
}

// Scenario: grpc-status-details-bin as grpc-go writes it for RetryInfo of 1.5 s: the bytes of google.rpc.Status{14,
// "full", [Any{RetryInfo{Duration{1, 500000000}}}]}, encoded by protobuf. Guarantees: our encoder writes the same, and
// our decoder reads it with padding and without.
TEST(StatusTrailers, DetailsAreGoogleRpcStatus) {
  std::string expected(
      "\x08\x0e\x12\x04"
      "full\x1a\x36\x0a\x28"
      "type.googleapis.com/google.rpc.RetryInfo\x12\x0a\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01");
  const Status status = WithRetryDelay(absl::UnavailableError("full"), std::chrono::milliseconds(1'500));
  EXPECT_EQ(absl::CHexEscape(EncodeStatusDetails(status)), absl::CHexEscape(expected));
  const std::string padded = absl::Base64Escape(expected);
  const std::string unpadded = padded.substr(0, padded.find('='));
  EXPECT_NE(padded, unpadded);
  EXPECT_EQ(DelayIn(padded), std::chrono::milliseconds(1'500));
  EXPECT_EQ(DelayIn(unpadded), std::chrono::milliseconds(1'500));
}

// Scenario: a RetryInfo without a delay, behind RESOURCE_EXHAUSTED.
// Guarantees: the same may be sent again at once, as the Collector has it.
TEST(StatusTrailers, RetryInfoWithoutADelayIsADelayOfNothing) {
  const std::string details("\x08\x08\x1a\x2a\x0a\x28type.googleapis.com/google.rpc.RetryInfo");
  const Status status = WithStatusDetails(absl::ResourceExhaustedError("full"), details);
  EXPECT_EQ(RetryDelay(status), std::chrono::milliseconds(0));
  EXPECT_TRUE(IsRetryable(status));
}

// Scenario: google.rpc.Status{9, "50 % of ünits\n", [Any{ErrorInfo{reason, domain}}, Any{RetryInfo{2.5 s}}]} as
// protobuf for Python encodes it.
// Guarantees: read, it is a Status with both details; written again, the same bytes.
TEST(StatusTrailers, CarriesAnyDetailsBothWays) {
  const std::string bytes =
      "CAkSDzUwICUgb2Ygw7xuaXRzCho9Cih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEhEKBVFVT1RBEghzcGFubG9v"
      "bRo2Cih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuUmV0cnlJbmZvEgoKCAgCEIDKte4B";
  HttpHeaders fields;
  fields.Add("grpc-status", "9");
  fields.Add("grpc-message", "50 %25 of %C3%BCnits%0A");
  fields.Add("grpc-status-details-bin", bytes);
  const Status status = StatusFromTrailers(fields);
  EXPECT_EQ(status.message(), "50 % of \xc3\xbcnits\n");
  EXPECT_EQ(RetryDelay(status), std::chrono::milliseconds(2'500));
  const auto info = status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo");
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(std::string(*info), "\n\x05QUOTA\x12\x08spanloom");
  EXPECT_THAT(StatusToTrailers(status),
              ElementsAre(Pair("grpc-status", "9"), Pair("grpc-message", "50 %25 of %C3%BCnits%0A"),
                          Pair("grpc-status-details-bin", bytes)));
}

TEST(StatusTrailers, LeavesOutDetailsThatAreTooLong) {
  Status status = WithRetryDelay(absl::UnavailableError("full"), std::chrono::milliseconds(1'500));
  status.SetPayload("type.googleapis.com/google.rpc.DebugInfo", absl::Cord(std::string(5'000, 'x')));
  EXPECT_EQ(StatusToTrailers(status), StatusToTrailers(RoundTrip(status)));
  EXPECT_EQ(RetryDelay(RoundTrip(status)), std::chrono::milliseconds(1'500));
}

// Scenario: every prefix of good details, and details with every byte changed.
// Guarantees: broken details give no delay or some delay, and nothing worse.
TEST(StatusTrailers, BrokenDetailsAreHarmless) {
  const Status status = WithRetryDelay(absl::UnavailableError("full"), std::chrono::milliseconds(1'500));
  const std::string details = EncodeStatusDetails(status);
  for (size_t i = 0; i < details.size(); ++i) {
    EXPECT_FALSE(RetryDelay(WithStatusDetails(absl::UnavailableError("x"), details.substr(0, i))).has_value());
    for (const char byte : {'\0', '\x7f', '\xff'}) {
      std::string changed = details;
      changed[i] = byte;
      const auto delay = RetryDelay(WithStatusDetails(absl::UnavailableError("x"), changed));
      EXPECT_GE(delay.value_or(std::chrono::milliseconds(0)).count(), 0);
    }
  }
}

TEST(StatusTrailers, AnUnknownCodeIsUnknown) {
  for (const char* code : {"17", "-1", "x", "99999999999"}) {
    HttpHeaders fields;
    fields.Add("grpc-status", code);
    EXPECT_TRUE(absl::IsUnknown(StatusFromTrailers(fields))) << code;
  }
}

TEST(StatusTrailers, CutsLongMessages) {
  for (const auto& [name, value] : StatusToTrailers(absl::InternalError(std::string(1 << 20, '\n')))) {
    EXPECT_LE(value.size(), 8U << 10) << name;
  }
}

TEST(StatusFromHttp, FollowsTheTableOfGrpc) {
  EXPECT_TRUE(absl::IsInternal(StatusFromHttp(400)));
  EXPECT_TRUE(absl::IsUnauthenticated(StatusFromHttp(401)));
  EXPECT_TRUE(absl::IsPermissionDenied(StatusFromHttp(403)));
  EXPECT_TRUE(absl::IsUnimplemented(StatusFromHttp(404)));
  for (const int status : {429, 502, 503, 504}) EXPECT_TRUE(absl::IsUnavailable(StatusFromHttp(status))) << status;
  for (const int status : {0, 200, 500}) EXPECT_TRUE(absl::IsUnknown(StatusFromHttp(status))) << status;
}

}  // namespace
}  // namespace spanloom::net::grpc
