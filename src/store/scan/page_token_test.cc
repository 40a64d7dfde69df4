// SPDX-License-Identifier: Apache-2.0

#include "store/scan/page_token.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace spanloom::store::scan {
namespace {

// Scenario: places with each kind of value, and without one.
// Guarantees: what was written is read.
TEST(PageToken, IsReadBack) {
  for (const Value& value : {Value(), Value::Bool(true), Value::Int(-5), Value::Double(0.5), Value::String("a\"b"),
                             Value::Bytes(std::string_view("\0\xff", 2))}) {
    const std::string token = EncodePageToken({.value = value, .key = "key"}, 3, true);
    const auto place = DecodePageToken(token, 3, true);
    ASSERT_TRUE(place.ok()) << place.status();
    EXPECT_EQ(place->value, value);
    EXPECT_EQ(place->key, "key");
  }
}

// Scenario: a token for another order, random text, and tokens with a digit changed.
// Guarantees: kInvalidArgument for each.
TEST(PageToken, RefusesWhatIsNoneProperty) {
  const std::string token = EncodePageToken({.value = Value::String("text"), .key = "key"}, 3, true);
  EXPECT_EQ(DecodePageToken(token, 2, true).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodePageToken(token, 3, false).status().code(), absl::StatusCode::kInvalidArgument);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string wrong = token;
    wrong[i] = wrong[i] == '0' ? '1' : '0';
    EXPECT_FALSE(DecodePageToken(wrong, 3, true).ok()) << i;
    EXPECT_FALSE(DecodePageToken(token.substr(0, i), 3, true).ok()) << i;
  }
  Rng rng(5);
  for (int round = 0; round < 1'000; ++round) {
    std::string text(rng.Below(60), ' ');
    for (char& letter : text) letter = static_cast<char>(rng.Next());
    EXPECT_FALSE(DecodePageToken(text, 3, true).ok());
  }
}

// Scenario: places with and without a value, equal ones, in both directions.
// Guarantees: without one they come last either way; ties go by key, ascending, either way.
TEST(RowPlace, IsOrdered) {
  const RowPlace one = {.value = Value::Int(1), .key = "b"};
  const RowPlace one_again = {.value = Value::Int(1), .key = "c"};
  const RowPlace two = {.value = Value::Int(2), .key = "a"};
  const RowPlace none = {.value = {}, .key = "a"};
  EXPECT_TRUE(ComesBefore(one, two, false));
  EXPECT_TRUE(ComesBefore(two, one, true));
  for (const bool is_descending : {false, true}) {
    EXPECT_TRUE(ComesBefore(one, none, is_descending));
    EXPECT_FALSE(ComesBefore(none, two, is_descending));
    EXPECT_TRUE(ComesBefore(one, one_again, is_descending));
    EXPECT_FALSE(ComesBefore(one, one, is_descending));
  }
}

}  // namespace
}  // namespace spanloom::store::scan
