// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/same_texts.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "base/rng.h"

namespace spanloom::store::columnar {
namespace {

// Scenario: texts of all sizes come again, often with the same ends and another middle.
// Guarantees: what is found equals what was asked for, always; and is where it stood before, if nothing came between.
TEST(SameTexts, FindsEqualTextsProperty) {
  Rng rng(5);
  SameTexts same;
  std::deque<std::string> texts;  // stay where they are
  for (int i = 0; i < 5'000; ++i) {
    std::string& text = texts.emplace_back(rng.Below(30), 'a');
    if (!text.empty()) text[text.size() / 2] = static_cast<char>('a' + rng.Below(3));
    const std::string_view found = same.Find(text);
    EXPECT_EQ(found, text);
    const std::string again = text;
    EXPECT_EQ(same.Find(again).data(), found.data());
  }
}

// Scenario: a text comes, all is forgotten, and it comes again.
// Guarantees: it is not found where it was.
TEST(SameTexts, ForgetsWhatWasBefore) {
  SameTexts same;
  const std::string before = "a text";
  const std::string later = "a text";
  same.Find(before);
  same.Clear();
  EXPECT_EQ(same.Find(later).data(), later.data());
}

}  // namespace
}  // namespace spanloom::store::columnar
