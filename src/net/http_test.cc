// SPDX-License-Identifier: Apache-2.0

#include "net/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace spanloom::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(HttpHeaders, GetReturnsTheFirstValue) {
  HttpHeaders headers;
  headers.Add("accept", "a");
  headers.Add("accept", "b");
  EXPECT_EQ(headers.Get("accept"), "a");
  EXPECT_EQ(headers.Get("host"), "");
}

TEST(PercentDecode, UndoesEscapes) {
  EXPECT_EQ(PercentDecode("a%20b%2Fc%c3%a9"), "a b/c\xc3\xa9");
  EXPECT_EQ(PercentDecode("%00"), std::string(1, '\0'));
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
  EXPECT_EQ(PercentDecode("a+b", true), "a b");
}

TEST(PercentDecode, LeavesMalformedEscapesAlone) {
  EXPECT_EQ(PercentDecode("100%"), "100%");
  EXPECT_EQ(PercentDecode("%2"), "%2");
  EXPECT_EQ(PercentDecode("%zz%41"), "%zzA");
}

TEST(ParseQuery, KeepsOrderAndRepetition) {
  EXPECT_THAT(ParseQuery("q=%7B%7D&limit=20&tag=a&tag=b+c"),
              ElementsAre(Pair("q", "{}"), Pair("limit", "20"), Pair("tag", "a"), Pair("tag", "b c")));
}

TEST(ParseQuery, TakesWhatBrowsersSend) {
  EXPECT_THAT(ParseQuery(""), IsEmpty());
  EXPECT_THAT(ParseQuery("&&"), IsEmpty());
  EXPECT_THAT(ParseQuery("flag&x=&y=a=b&"), ElementsAre(Pair("flag", ""), Pair("x", ""), Pair("y", "a=b")));
}

TEST(HttpResponder, AnswersOnce) {
  std::optional<HttpResponse> answer;
  HttpResponder responder([&](HttpResponse response) { answer = std::move(response); });
  HttpResponder moved = std::move(responder);
  std::move(moved).Respond(TextResponse(200, "ok"));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
}

TEST(HttpResponder, AnswersInternalErrorWhenItIsDropped) {
  int status = 0;
  {
    const HttpResponder responder([&](const HttpResponse& response) { status = response.status; });
  }
  EXPECT_EQ(status, 500);
}

// Scenario: a name that is there twice is set, then set to nothing.
// Guarantees: one value, at the end; then none; others stay.
TEST(HttpHeaders, SetLeavesOneValueOrNone) {
  HttpHeaders headers;
  for (const char* name : {"a", "b", "a"}) headers.Add(name, "1");
  headers.Set("a", "2");
  EXPECT_EQ(headers.fields().size(), 2u);
  EXPECT_EQ(headers.Get("a"), "2");
  headers.Set("a", "");
  ASSERT_EQ(headers.fields().size(), 1u);
  EXPECT_EQ(headers.fields()[0].first, "b");
}

}  // namespace
}  // namespace spanloom::net
