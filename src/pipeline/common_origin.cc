// SPDX-License-Identifier: Apache-2.0

#include "pipeline/common_origin.h"

#include <string>
#include <string_view>
#include <vector>

namespace spanloom::pipeline {
namespace {

using otlp::RequestOrigin;

std::vector<std::string_view> ValuesOf(const RequestOrigin::Pairs& pairs, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : pairs) {
    if (key == name) values.push_back(value);
  }
  return values;
}

void KeepCommon(const RequestOrigin::Pairs& others, RequestOrigin::Pairs& pairs) {
  const RequestOrigin::Pairs before = pairs;
  std::erase_if(pairs, [&](const auto& pair) { return ValuesOf(before, pair.first) != ValuesOf(others, pair.first); });
}

const std::shared_ptr<const RequestOrigin>& Unknown() {
  static const auto unknown = std::make_shared<const RequestOrigin>();
  return unknown;
}

}  // namespace

std::shared_ptr<const RequestOrigin> CommonOrigin(const otlp::Batch& batch) {
  std::shared_ptr<const RequestOrigin> common;
  for (const otlp::Slice& slice : batch.slices()) {
    const std::shared_ptr<const RequestOrigin>& origin = slice.origin();
    if (origin == nullptr) return Unknown();
    if (common == nullptr) common = origin;
    if (common == origin) continue;
    auto narrowed = std::make_shared<RequestOrigin>(*common);
    if (narrowed->peer_address != origin->peer_address) narrowed->peer_address.clear();
    KeepCommon(origin->metadata, narrowed->metadata);
    KeepCommon(origin->auth, narrowed->auth);
    if (narrowed->peer_address.empty() && narrowed->metadata.empty() && narrowed->auth.empty()) return Unknown();
    common = std::move(narrowed);
  }
  return common == nullptr ? Unknown() : common;
}

}  // namespace spanloom::pipeline
