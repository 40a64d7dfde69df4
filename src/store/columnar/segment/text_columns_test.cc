// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_columns.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace spanloom::store::columnar {
namespace {

// Scenario: texts of one column, of which those that are long have memory of their own; then columns that are new,
// which makes room for them; then the same texts again, in other memory. Guarantees: they keep their numbers.
TEST(TextColumns, TextsKeepTheirNumbersWhenColumnsAreAdded) {
  constexpr uint32_t kTexts = 50;
  const auto make_texts = [] {
    std::vector<std::string> texts;
    for (uint32_t i = 0; i < kTexts; ++i)
      texts.push_back(StrCat(i % 2 == 0 ? "short" : "a text with its own memory ", i));
    return texts;
  };
  TextColumns columns;
  ASSERT_TRUE(columns.UsesDictionary(0, {}));
  const std::vector<std::string> texts = make_texts();
  for (uint32_t i = 0; i < kTexts; ++i) ASSERT_EQ(columns.Code(0, texts[i]), i);
  columns.EndPage();
  for (uint32_t column = 1; column < 300; ++column) ASSERT_TRUE(columns.UsesDictionary(column, {}));
  const std::vector<std::string> again = make_texts();
  for (uint32_t i = 0; i < kTexts; ++i) ASSERT_EQ(columns.Code(0, again[i]), i);
}

}  // namespace
}  // namespace spanloom::store::columnar
