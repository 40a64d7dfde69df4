// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "store/columnar/segment/testing/memory_file.h"

namespace spanloom::store::columnar {
namespace {

// An index as it is written, and as it is read again.
class Written {
 public:
  explicit Written(TextIndexWriter& writer) {
    MemoryFile target(content_);
    SegmentSink sink(target);
    const std::string section = writer.Finish(sink);
    EXPECT_TRUE(sink.Flush().ok());
    ByteReader reader(section);
    index_ = TextIndex(content_->size(), reader);
    EXPECT_TRUE(reader.AtEnd());
  }

  StatusOr<std::vector<uint32_t>> PagesOf(std::string_view text) const {
    return index_.PagesOf(text, MemoryFile(content_));
  }
  std::string& content() { return *content_; }
  const TextIndex& index() const { return index_; }

 private:
  std::shared_ptr<std::string> content_ = std::make_shared<std::string>();  // shared with files
  TextIndex index_;
};

TEST(TextIndex, TheHashIsPartOfTheFormat) {
  EXPECT_EQ(HashOf(""), 0x2d06800538d394c2);
  EXPECT_EQ(HashOf("chatcmpl-0123456789abcdef"), 0x17ae14abf41e3da9);
}

TEST(TextIndex, AnEmptyOneHasNothing) {
  TextIndexWriter writer;
  const Written written(writer);
  EXPECT_TRUE(written.PagesOf("x")->empty());
}

TEST(TextIndex, EveryTextIsFoundOnItsPages) {
  TextIndexWriter writer;
  constexpr uint32_t kTexts = 20'000;
  std::deque<std::string> texts;  // stay where they are
  for (uint32_t i = 0; i < kTexts; ++i) {
    const std::string& text = texts.emplace_back(StrCat("text-", i));
    writer.Add(text, i / 300);
    writer.Add(text, i / 300);
    writer.Add(texts.emplace_back(text), i / 300);
    if (i % 7 == 0) writer.Add(text, i / 300 + 1);
  }
  const Written written(writer);
  size_t others = 0;
  for (uint32_t i = 0; i < kTexts; ++i) {
    const auto pages = written.PagesOf(StrCat("text-", i));
    ASSERT_TRUE(pages.ok()) << pages.status();
    ASSERT_TRUE(std::ranges::binary_search(*pages, i / 300));
    if (i % 7 == 0) {
      ASSERT_TRUE(std::ranges::binary_search(*pages, i / 300 + 1));
    }
    others += pages->size() - (i % 7 == 0 ? 2 : 1);
  }
  EXPECT_LT(others, kTexts / 500);
}

TEST(TextIndex, WhatIsNotThereIsRarelyTakenForSomethingThatIs) {
  TextIndexWriter writer;
  std::deque<std::string> texts;  // stay where they are
  for (uint32_t i = 0; i < 5'000; ++i) writer.Add(texts.emplace_back(StrCat("text-", i)), 0);
  const Written written(writer);
  size_t found = 0;
  for (uint32_t i = 0; i < 100'000; ++i) found += written.PagesOf(StrCat("other-", i))->empty() ? 0 : 1;
  EXPECT_LT(found, 200);  // 1 in 1,024 at most, and the hash is fixed: the count is always the same
  EXPECT_GT(found, 0);
}

TEST(TextIndex, ATextOfManyPagesGoesOverSeveralBlocks) {
  TextIndexWriter writer;
  constexpr uint32_t kPages = 3 * TextBlockRef::kEntriesMax;
  std::deque<std::string> texts;  // stay where they are
  for (uint32_t page = 0; page < kPages; ++page) {
    writer.Add("everywhere", page);
    writer.Add(texts.emplace_back(StrCat("only-", page)), page);
  }
  const Written written(writer);
  EXPECT_GT(written.index().blocks().size(), 3);
  EXPECT_EQ(written.PagesOf("everywhere")->size(), kPages);
}

TEST(TextIndex, ADamagedBlockIsSaid) {
  TextIndexWriter writer;
  writer.Add("x", 1);
  writer.Add("y", 2);
  Written written(writer);
  written.content()[0] = static_cast<char>(written.content()[0] ^ 1);
  EXPECT_TRUE(absl::IsDataLoss(written.PagesOf("x").status()));
}

}  // namespace
}  // namespace spanloom::store::columnar
