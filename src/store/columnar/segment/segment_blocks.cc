// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_blocks.h"

#include <algorithm>

namespace spanloom::store::columnar {

PageView& SegmentBlocks::Page(uint64_t number) {
  const auto found = std::ranges::find(pages_, number, [](const auto& page) { return page.first; });
  if (found != pages_.end()) {
    pages_.splice(pages_.begin(), pages_, found);
    return pages_.front().second;
  }
  if (pages_.size() == kPagesMax) pages_.pop_back();
  pages_.emplace_front(number, PageView(file_, index_, index_.pages()[number]));
  return pages_.front().second;
}

}  // namespace spanloom::store::columnar
