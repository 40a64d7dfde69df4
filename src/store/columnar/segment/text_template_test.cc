// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_template.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::store::columnar {
namespace {

std::string Again(TemplateTable& table, std::string_view text, size_t* payload_bytes = nullptr) {
  std::string payload;
  const uint32_t number = table.Split(text, payload);
  if (payload_bytes != nullptr) *payload_bytes = payload.size();
  std::string out;
  const TextTemplate pattern(table.patterns()[number]);
  EXPECT_TRUE(number == 0 || pattern.payload_bytes() == payload.size());
  pattern.Expand(payload, out);
  return out;
}

TEST(TextTemplate, AUuidTakesSixteenBytes) {
  TemplateTable table;
  size_t bytes = 0;
  EXPECT_EQ(Again(table, "6f2c1f0c-9d7a-4c0f-b7b1-f2a3c4d5e6f7", &bytes), "6f2c1f0c-9d7a-4c0f-b7b1-f2a3c4d5e6f7");
  EXPECT_EQ(bytes, 16);
  EXPECT_EQ(Again(table, "cmpl-6f2c1f0c9d7a4c0fb7b1f2a3c4d5e6f7", &bytes), "cmpl-6f2c1f0c9d7a4c0fb7b1f2a3c4d5e6f7");
  EXPECT_EQ(bytes, 16);
  EXPECT_EQ(table.patterns().size(), 3);
  Again(table, "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(table.patterns().size(), 3);
}

TEST(TextTemplate, OtherTextsAreLeftAsTheyAre) {
  TemplateTable table;
  for (const std::string_view text : {"", "plain", "DEADBEEF00", "abc", "\x01", "\x01\x04zzzz", "1234\x01"}) {
    EXPECT_EQ(Again(table, text), text);
  }
  EXPECT_EQ(table.patterns().size(), 1);
  EXPECT_EQ(Again(table, "abcde"), "abcde");
  const std::string digits(1001, 'a');
  EXPECT_EQ(Again(table, digits), digits);
}

TEST(TextTemplate, AnyTextComesBackAndTemplatesHaveALimit) {
  TemplateTable table;
  Rng rng(3);
  constexpr std::string_view kLetters = "0123456789abcdefxyzABC-\x01\xff";
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (uint64_t left = rng.Below(24); left > 0; --left) text.push_back(kLetters[rng.Below(kLetters.size())]);
    ASSERT_EQ(Again(table, text), text);
  }
  EXPECT_EQ(table.patterns().size(), TemplateTable::kTemplatesMax);
}

}  // namespace
}  // namespace spanloom::store::columnar
