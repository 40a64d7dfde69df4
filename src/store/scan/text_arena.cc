// SPDX-License-Identifier: Apache-2.0

#include "store/scan/text_arena.h"

#include <algorithm>
#include <cstring>

namespace spanloom::store::scan {

std::string_view TextArena::Keep(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > left_) AddBlock(std::max(text.size(), kBlockBytes));
  std::memcpy(next_, text.data(), text.size());
  const std::string_view kept(next_, text.size());
  next_ += text.size();
  left_ -= text.size();
  return kept;
}

void TextArena::AddBlock(size_t size) {
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
  next_ = blocks_.back().get();
  left_ = size;
  bytes_ += size;
}

void TextArena::Clear() {
  if (bytes_ == 0) return;
  if (bytes_ > kBlockBytes) {
    blocks_.clear();
    bytes_ = 0;
    AddBlock(kBlockBytes);
    return;
  }
  next_ = blocks_.front().get();
  left_ = kBlockBytes;
}

}  // namespace spanloom::store::scan
