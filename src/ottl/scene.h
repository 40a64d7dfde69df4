// SPDX-License-Identifier: Apache-2.0
//
// What a condition or statement is evaluated on: a resource, scope, span or event with all that it stands in, as views
// or under edit.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "otlp/batch.h"
#include "otlp/editor.h"
#include "otlp/views.h"

namespace spanloom::ottl {

// Where paths without a prefix begin. Each has what stands in front of it, too.
enum class Context : uint8_t { kResource, kScope, kSpan, kSpanEvent };

// "resource", "scope", "span", "spanevent".
[[nodiscard]] constexpr std::string_view ContextName(Context context) {
  constexpr std::string_view kNames[] = {"resource", "scope", "span", "spanevent"};
  return kNames[static_cast<size_t>(context)];
}

// Borrows all it is made of. What it gives out is as it is now, and valid until the next edit.
class Scene {
 public:
  // Of nothing: what constants are evaluated on.
  Scene() = default;
  explicit Scene(const otlp::SpanContext& span)
      : resource_(&span.resource),
        scope_(&span.scope),
        span_(&span.span),
        resource_schema_url_(span.resource_schema_url),
        scope_schema_url_(span.scope_schema_url) {}
  Scene(const otlp::SpanContext& span, const otlp::EventView& event, size_t event_index) : Scene(span) {
    event_ = &event;
    event_index_ = event_index;
  }
  // Of the span, its resource and its scope, as `edited` is in this moment; all of them can be edited.
  explicit Scene(otlp::SpanEditContext& edited) : Scene(edited.context()) {
    resource_editor_ = &edited.resource();
    scope_editor_ = &edited.scope();
    span_editor_ = &edited.span();
    resource_schema_url_editor_ = &edited.resource_schema_url();
    scope_schema_url_editor_ = &edited.scope_schema_url();
  }
  Scene(otlp::SpanEditContext& edited, otlp::EventEditor& event, size_t event_index) : Scene(edited) {
    event_editor_ = &event;
    event_index_ = event_index;
  }

  // Those that the context has.
  [[nodiscard]] const otlp::ResourceView& resource() const {
    return resource_editor_ != nullptr ? resource_editor_->view() : *resource_;
  }
  [[nodiscard]] const otlp::ScopeView& scope() const {
    return scope_editor_ != nullptr ? scope_editor_->view() : *scope_;
  }
  [[nodiscard]] const otlp::SpanView& span() const { return span_editor_ != nullptr ? span_editor_->view() : *span_; }
  [[nodiscard]] const otlp::EventView& event() const {
    return event_editor_ != nullptr ? event_editor_->view() : *event_;
  }
  [[nodiscard]] size_t event_index() const { return event_index_; }
  [[nodiscard]] std::string_view resource_schema_url() const {
    return resource_schema_url_editor_ != nullptr ? resource_schema_url_editor_->view() : resource_schema_url_;
  }
  [[nodiscard]] std::string_view scope_schema_url() const {
    return scope_schema_url_editor_ != nullptr ? scope_schema_url_editor_->view() : scope_schema_url_;
  }

  // Null unless they can be edited.
  [[nodiscard]] otlp::ResourceEditor* resource_editor() const { return resource_editor_; }
  [[nodiscard]] otlp::ScopeEditor* scope_editor() const { return scope_editor_; }
  [[nodiscard]] otlp::SpanEditor* span_editor() const { return span_editor_; }
  [[nodiscard]] otlp::EventEditor* event_editor() const { return event_editor_; }
  [[nodiscard]] otlp::SchemaUrlEditor* resource_schema_url_editor() const { return resource_schema_url_editor_; }
  [[nodiscard]] otlp::SchemaUrlEditor* scope_schema_url_editor() const { return scope_schema_url_editor_; }

 private:
  const otlp::ResourceView* resource_ = nullptr;
  const otlp::ScopeView* scope_ = nullptr;
  const otlp::SpanView* span_ = nullptr;
  const otlp::EventView* event_ = nullptr;
  size_t event_index_ = 0;
  std::string_view resource_schema_url_;
  std::string_view scope_schema_url_;
  otlp::ResourceEditor* resource_editor_ = nullptr;
  otlp::ScopeEditor* scope_editor_ = nullptr;
  otlp::SpanEditor* span_editor_ = nullptr;
  otlp::EventEditor* event_editor_ = nullptr;
  otlp::SchemaUrlEditor* resource_schema_url_editor_ = nullptr;
  otlp::SchemaUrlEditor* scope_schema_url_editor_ = nullptr;
};

}  // namespace spanloom::ottl
