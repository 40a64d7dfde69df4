// SPDX-License-Identifier: Apache-2.0
//
// What answers mean. How they travel is tested in tracegen_test.cc against a real server.

#include "cli/tracegen/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "otlp/wire/writer.h"

namespace spanloom::cli::tracegen {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string PartialSuccess(int64_t rejected, std::string_view reason) {
  std::string wire;
  otlp::wire::Writer writer(wire);
  const auto mark = writer.Begin(1);
  writer.Varint(1, static_cast<uint64_t>(rejected));
  writer.Bytes(2, reason);
  writer.End(mark);
  return wire;
}

net::HttpResponse HttpAnswer(int status, std::string_view content_type, std::string_view body) {
  net::HttpResponse response;
  response.status = status;
  if (!content_type.empty()) response.headers.Add("content-type", std::string(content_type));
  response.body = Bytes::CopyOf(body);
  return response;
}

TEST(ExportResponse, EmptyMeansAllAccepted) {
  const ExportAnswer answer = ReadExportResponse("");
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.rejected_spans, 0u);
}

TEST(ExportResponse, PartialSuccessIsRead) {
  const ExportAnswer answer = ReadExportResponse(PartialSuccess(7, "too\nold"));
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.rejected_spans, 7u);
  EXPECT_EQ(answer.rejected_reason, "too old");
}

TEST(ExportResponse, NegativeRejectionIsNone) {
  EXPECT_EQ(ReadExportResponse(PartialSuccess(-1, "")).rejected_spans, 0u);
}

// Scenario: bytes that are no ExportTraceServiceResponse.
// Guarantees: not taken for an acknowledgement.
TEST(ExportResponse, OtherBytesAreNoAcknowledgement) {
  for (std::string_view wire : {"\x0a\x7f", "\x0a", "\x08\x01", "<html>"}) {
    EXPECT_EQ(ReadExportResponse(wire).status.code(), absl::StatusCode::kInternal) << wire;
  }
}

TEST(HttpAnswer, OkNeedsToSpeakOtlp) {
  EXPECT_TRUE(ReadHttpAnswer(HttpAnswer(200, "", "")).status.ok());
  EXPECT_EQ(ReadHttpAnswer(HttpAnswer(200, "application/x-protobuf", PartialSuccess(3, "x"))).rejected_spans, 3u);
  const ExportAnswer page = ReadHttpAnswer(HttpAnswer(200, "text/html", "<html>welcome</html>"));
  EXPECT_EQ(page.status.code(), absl::StatusCode::kInternal);
  EXPECT_FALSE(IsRetryable(page.status));
}

// Scenario: every HTTP status that OTLP/HTTP speaks of, and others.
// Guarantees: retryable are 429, 502, 503 and 504, and these alone.
TEST(HttpAnswer, OnlyFourCodesAreRetryable) {
  for (int status = 201; status < 600; ++status) {
    const ExportAnswer answer = ReadHttpAnswer(HttpAnswer(status, "text/plain", "no"));
    EXPECT_FALSE(answer.status.ok()) << status;
    EXPECT_EQ(IsRetryable(answer.status), status == 429 || status == 502 || status == 503 || status == 504) << status;
    EXPECT_EQ(answer.code, StrCat("HTTP ", status));
  }
}

TEST(HttpAnswer, RetryAfterIsKept) {
  net::HttpResponse response = HttpAnswer(503, "", "");
  response.headers.Add("retry-after", "17");
  EXPECT_EQ(RetryDelay(ReadHttpAnswer(response).status), std::chrono::seconds(17));
  net::HttpResponse dated = HttpAnswer(503, "", "");
  dated.headers.Add("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT");
  EXPECT_EQ(RetryDelay(ReadHttpAnswer(dated).status), std::chrono::seconds(0));
}

TEST(HttpAnswer, MessageOfAnErrorIsShown) {
  std::string status_wire;
  otlp::wire::Writer writer(status_wire);
  writer.Varint(1, 3);
  writer.Bytes(2, "field 9 is malformed");
  EXPECT_EQ(ReadHttpAnswer(HttpAnswer(400, "application/x-protobuf", status_wire)).status.message(),
            "field 9 is malformed");
  const std::string hostile = StrCat("\x1b[2J", std::string(5'000, 'x'));
  const std::string shown(ReadHttpAnswer(HttpAnswer(400, "text/plain", hostile)).status.message());
  EXPECT_THAT(shown, Not(HasSubstr("\x1b")));
  EXPECT_LT(shown.size(), 400u);
}

}  // namespace
}  // namespace spanloom::cli::tracegen
