// SPDX-License-Identifier: Apache-2.0

#include "store/head/origin_table.h"

#include <functional>
#include <string_view>

#include "base/check.h"

namespace spanloom::store::head {

size_t OriginBytes(const SpanOrigin& origin) {
  return origin.resource.size() + origin.scope.size() + origin.resource_schema_url.size() +
         origin.scope_schema_url.size();
}

size_t OriginTable::ContentHash::operator()(const SpanOrigin* origin) const {
  const std::hash<std::string_view> hash;
  // Resource and scope tell origins apart; schema URLs hardly ever do.
  return hash(origin->resource.view()) ^ (hash(origin->scope.view()) * 0x9e3779b97f4a7c15ULL);
}

bool OriginTable::ContentEqual::operator()(const SpanOrigin* a, const SpanOrigin* b) const {
  return a == b || AreEqual(*a, *b);
}

std::shared_ptr<const SpanOrigin> OriginTable::Find(const std::shared_ptr<const SpanOrigin>& origin) const {
  const auto use = uses_.find(origin.get());
  return use == uses_.end() ? origin : use->second.origin;
}

void OriginTable::Acquire(const std::shared_ptr<const SpanOrigin>& origin) {
  const auto [use, is_new] = uses_.try_emplace(origin.get(), Use{.origin = origin});
  CHECK(use->first == origin.get());
  if (is_new) bytes_ += OriginBytes(*origin);
  ++use->second.traces;
}

void OriginTable::Release(const SpanOrigin& origin) {
  const auto use = uses_.find(&origin);
  CHECK(use != uses_.end() && use->second.traces > 0);
  if (--use->second.traces > 0) return;
  bytes_ -= OriginBytes(origin);
  uses_.erase(use);
}

}  // namespace spanloom::store::head
