// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/text_presence.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "otlp/views.h"
#include "store/columnar/segment/text_index.h"

namespace spanloom::store::columnar {

TextPresence::TextPresence(const SegmentIndex& index) : texts_(0) {
  const std::vector<Shape>& shapes = index.shapes();
  has_raw_ = std::ranges::any_of(index.shapes_in_use(), [&](uint32_t shape) { return shapes[shape].is_raw(); });
  std::vector<uint64_t> hashes;
  for (uint32_t column = 0; column < index.columns().size(); ++column) {
    const ColumnKey& key = index.columns()[column];
    if (key.type == ColumnType::kArray || key.type == ColumnType::kMap) nested_.insert(key.key);
    for (const std::string_view text : index.Dictionary(column)) hashes.push_back(HashOf(text));
  }
  for (const auto& origin : index.origins()) AddOrigin(*origin, hashes);
  texts_ = HashFilter(hashes.size());
  for (const uint64_t hash : hashes) texts_.Add(hash);
}

void TextPresence::AddOrigin(const SpanOrigin& origin, std::vector<uint64_t>& hashes) {
  const auto add = [&](const auto& attributes) {
    for (const otlp::AttributeView attribute : attributes) {
      const otlp::ValueView& value = attribute.value();
      switch (value.kind()) {
        case otlp::ValueView::Kind::kString:
          hashes.push_back(HashOf(value.string_value()));
          break;
        case otlp::ValueView::Kind::kBytes:
          hashes.push_back(HashOf(value.bytes_value()));
          break;
        case otlp::ValueView::Kind::kArray:
        case otlp::ValueView::Kind::kMap:
          nested_.insert(std::string(attribute.key()));
          break;
        default:
          break;
      }
    }
  };
  add(otlp::ResourceView(origin.resource.view()).attributes());
  add(otlp::ScopeView(origin.scope.view()).attributes());
}

}  // namespace spanloom::store::columnar
