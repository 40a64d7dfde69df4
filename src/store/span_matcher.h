// SPDX-License-Identifier: Apache-2.0
//
// What the conditions of a TraceQuery mean for one span. The one definition: stores that scan use it as it is, stores
// with columns are tested against it.

#pragma once

#include <memory>

#include "store/span_store.h"

namespace spanloom::store {

// Thread-compatible. `query` must outlive it.
//
// An attribute condition is met by any attribute of that key on the span, its resource, its scope or one of its events
// (all occurrences count, should a key occur twice), and by the tags of span_tags.h. `error` = "false" is met by every
// span whose status is not an error, as people mean it when they type it.
class SpanMatcher {
 public:
  explicit SpanMatcher(const TraceQuery& query) : query_(query) {}

  // True if `span` meets all conditions together; the limit is not one of them. `view` is span.span().
  [[nodiscard]] bool Matches(const StoredSpan& span, const otlp::SpanView& view);

 private:
  [[nodiscard]] bool IsOfService(const StoredSpan& span);
  [[nodiscard]] static bool HasAttribute(const StoredSpan& span, const otlp::SpanView& view,
                                         const AttributeCondition& condition);

  const TraceQuery& query_;
  // The last origin looked at and its verdict; neighbours share their origin. Held, so that no new one takes its
  // address.
  std::shared_ptr<const SpanOrigin> last_origin_;
  bool last_origin_matches_ = false;
};

}  // namespace spanloom::store
