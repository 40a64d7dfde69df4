// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "store/columnar/segment/testing/memory_file.h"

namespace spanloom::store::columnar {
namespace {

// Scenario: a trace goes on over several pages, with few texts and with many; the memory of a page's texts is used for
// others when the page has ended.
// Guarantees: each text keeps its number, and is one entry.
TEST(TextPool, KnowsTheTextsOfEarlierPages) {
  for (const size_t texts : {3, 40}) {
    MemoryFile file(std::make_shared<std::string>());
    SegmentSink sink(file);
    TextPool pool(sink);
    pool.BeginTrace();
    for (int page = 0; page < 3; ++page) {
      std::vector<std::string> of_page;
      for (size_t i = 0; i < texts; ++i) of_page.push_back(StrCat("a text of the trace, number ", i));
      for (size_t i = 0; i < texts; ++i) EXPECT_EQ(pool.Code(of_page[i]), i) << page;
      pool.EndPage();
      for (std::string& text : of_page) text.assign(text.size(), 'x');
    }
    EXPECT_EQ(pool.entries(), texts);
  }
}

}  // namespace
}  // namespace spanloom::store::columnar
