// SPDX-License-Identifier: Apache-2.0

#include "store/span_matcher.h"

#include <algorithm>

#include "store/span_tags.h"
#include "store/value_text.h"

namespace spanloom::store {
namespace {

using otlp::AttributeView;
using otlp::SpanView;
using otlp::StatusCode;

template <typename Attributes>
bool AnyHas(const Attributes& attributes, const AttributeCondition& condition) {
  for (const AttributeView attribute : attributes) {
    if (attribute.key() == condition.key && ValueHasText(attribute.value(), condition.value)) return true;
  }
  return false;
}

bool AnyHas(const SpanTags& tags, const AttributeCondition& condition) {
  return std::any_of(tags.begin(), tags.end(), [&condition](const SpanTag& tag) {
    return tag.key == condition.key && tag.text == condition.value;
  });
}

bool AnyEventHas(const SpanView& span, const AttributeCondition& condition) {
  for (const otlp::EventView event : span.events()) {
    if (AnyHas(event.attributes(), condition)) return true;
  }
  return false;
}

bool IsErrorFree(const SpanView& span, const AttributeCondition& condition) {
  return condition.key == "error" && condition.value == "false" && span.status_code() != StatusCode::kError;
}

bool IsInRange(const SpanView& span, const TraceQuery& query) {
  const uint64_t start = span.start_unix_ns();
  const int64_t duration = span.duration_ns();
  return start >= query.start_min_unix_ns && start <= query.start_max_unix_ns && duration >= query.duration_min_ns &&
         duration <= query.duration_max_ns;
}

}  // namespace

bool SpanMatcher::Matches(const StoredSpan& span, const SpanView& view) {
  if (!IsInRange(view, query_)) return false;
  if (query_.operation && view.name() != *query_.operation) return false;
  if (query_.service && !IsOfService(span)) return false;
  return std::all_of(query_.attributes.begin(), query_.attributes.end(),
                     [&](const AttributeCondition& condition) { return HasAttribute(span, view, condition); });
}

bool SpanMatcher::IsOfService(const StoredSpan& span) {
  if (span.origin != last_origin_) {
    last_origin_ = span.origin;
    last_origin_matches_ = span.resource().service_name() == *query_.service;
  }
  return last_origin_matches_;
}

bool SpanMatcher::HasAttribute(const StoredSpan& span, const SpanView& view, const AttributeCondition& condition) {
  return AnyHas(view.attributes(), condition) || AnyHas(TagsOf(view), condition) || IsErrorFree(view, condition) ||
         AnyHas(span.resource().attributes(), condition) || AnyHas(span.scope().attributes(), condition) ||
         AnyHas(TagsOf(span.scope()), condition) || AnyEventHas(view, condition);
}

}  // namespace spanloom::store
