// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/parent_rows.h"

#include <absl/container/flat_hash_map.h>

namespace spanloom::store::columnar {
namespace {

constexpr size_t kLinearMax = 16;  // so many ids are compared one by one; guess

int64_t Distance(size_t row, size_t parent) {
  return static_cast<int64_t>(row) - static_cast<int64_t>(parent);
}

void FindLinear(std::span<const SpanLink> spans, std::vector<int64_t>& parents) {
  for (size_t row = 0; row < spans.size(); ++row) {
    for (size_t other = 0; other < spans.size(); ++other) {
      if (other == row || spans[other].id != spans[row].parent_id) continue;
      parents[row] = Distance(row, other);
      break;
    }
  }
}

void FindHashed(std::span<const SpanLink> spans, std::vector<int64_t>& parents) {
  absl::flat_hash_map<otlp::SpanId, size_t> rows;
  rows.reserve(spans.size());
  for (size_t row = 0; row < spans.size(); ++row) rows.try_emplace(spans[row].id, row);
  for (size_t row = 0; row < spans.size(); ++row) {
    const auto found = rows.find(spans[row].parent_id);
    if (found != rows.end()) parents[row] = Distance(row, found->second);  // 0 for itself
  }
}

}  // namespace

void ParentRows(std::span<const SpanLink> spans, std::vector<int64_t>& parents) {
  parents.assign(spans.size(), 0);
  if (spans.size() <= kLinearMax) {
    FindLinear(spans, parents);
  } else {
    FindHashed(spans, parents);
  }
}

}  // namespace spanloom::store::columnar
