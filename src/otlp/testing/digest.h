// SPDX-License-Identifier: Apache-2.0
//
// For tests and fuzz targets: reads all that views can give of a request, down to the last attribute value, and folds
// it into one number. Two requests that mean the same have the same digest; under AddressSanitizer it proves that views
// stay in bounds.

#pragma once

#include <absl/hash/hash.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "otlp/views.h"

namespace spanloom::otlp {

class Digest {
 public:
  // Adds every span with its resource and scope; returns how many spans there were.
  size_t Add(const TracesView& traces) {
    size_t spans = 0;
    for (const ResourceSpansView resource_spans : traces.resource_spans()) {
      Mix(resource_spans.schema_url(), resource_spans.resource().service_name());
      Mix(resource_spans.resource().dropped_attributes_count());
      Add(resource_spans.resource().attributes());
      for (const EntityRefView entity : resource_spans.resource().entity_refs()) Add(entity);
      for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) spans += Add(scope_spans);
    }
    return spans;
  }

  [[nodiscard]] uint64_t value() const { return value_; }

 private:
  size_t Add(const ScopeSpansView& scope_spans) {
    const ScopeView scope = scope_spans.scope();
    Mix(scope_spans.schema_url(), scope.name(), scope.version(), scope.dropped_attributes_count());
    Add(scope.attributes());
    size_t spans = 0;
    for (const SpanView span : scope_spans.spans()) {
      Add(span);
      ++spans;
    }
    return spans;
  }

  void Add(const EntityRefView& entity) {
    Mix(entity.schema_url(), entity.type(), entity.id_keys().Count());
    for (const std::string_view key : entity.id_keys()) Mix(key);
    for (const std::string_view key : entity.description_keys()) Mix(key);
  }

  void Add(const SpanView& span) {
    Mix(span.trace_id(), span.span_id(), span.parent_span_id(), span.trace_state(), span.name());
    Mix(static_cast<int32_t>(span.kind()), span.start_unix_ns(), span.end_unix_ns(), span.flags());
    Mix(static_cast<int32_t>(span.status_code()), span.status_message(), span.dropped_attributes_count());
    Mix(span.dropped_events_count(), span.dropped_links_count());
    Add(span.attributes());
    for (const EventView event : span.events()) {
      Mix(event.time_unix_ns(), event.name(), event.dropped_attributes_count());
      Add(event.attributes());
    }
    for (const LinkView link : span.links()) {
      Mix(link.trace_id(), link.span_id(), link.trace_state(), link.dropped_attributes_count(), link.flags());
      Add(link.attributes());
    }
  }

  template <typename Attributes>
  void Add(const Attributes& attributes) {
    Mix(attributes.Count());
    for (const AttributeView attribute : attributes) {
      Mix(attribute.key());
      Add(attribute.value());
    }
  }

  void Add(const ValueView& value) {
    Mix(static_cast<uint8_t>(value.kind()));
    switch (value.kind()) {
      case ValueView::Kind::kNone:
        break;
      case ValueView::Kind::kString:
      case ValueView::Kind::kBytes:
        Mix(value.bytes_value());
        break;
      case ValueView::Kind::kBool:
        Mix(value.bool_value());
        break;
      case ValueView::Kind::kInt:
        Mix(value.int_value());
        break;
      case ValueView::Kind::kDouble:
        Mix(std::isnan(value.double_value()) ? kNan : std::bit_cast<uint64_t>(value.double_value()));
        break;
      case ValueView::Kind::kArray:
        Mix(value.array().Count());
        for (const ValueView element : value.array()) Add(element);
        break;
      case ValueView::Kind::kMap:
        Add(value.map());
        break;
    }
  }

  static constexpr uint64_t kNan = 0x7ff8000000000000;  // all NaNs mean the same

  template <typename... Values>
  void Mix(const Values&... values) {
    value_ = absl::HashOf(value_, values...);
  }

  uint64_t value_ = 0;
};

}  // namespace spanloom::otlp
