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

OriginTable::Found OriginTable::FindOrAdd(const std::shared_ptr<const SpanOrigin>& origin) {
  const auto [place, is_new] = known_.try_emplace(origin.get());
  if (is_new) {
    place->second = std::make_unique<KnownOrigin>(KnownOrigin{.origin = origin, .bytes = OriginBytes(*origin)});
  }
  return {.known = *place->second, .is_new = is_new};
}

void OriginTable::RemoveUnused(KnownOrigin& known) {
  if (known.traces == 0) known_.erase(known_.find(known.origin.get()));
}

void OriginTable::Acquire(KnownOrigin& known) {
  if (known.traces++ == 0) bytes_ += known.bytes;
}

void OriginTable::Release(KnownOrigin& known) {
  CHECK(known.traces > 0);
  if (--known.traces > 0) return;
  bytes_ -= known.bytes;
  RemoveUnused(known);
}

}  // namespace spanloom::store::head
