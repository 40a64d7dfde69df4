// SPDX-License-Identifier: Apache-2.0
//
// Editors of resources, scopes, spans, events and links, for processors that change what they pass on. Slice::Edit
// (batch.h) hands them out and keeps what they write as patches beside the received request. What all of them can do
// with attributes is in message_editor.h.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "otlp/fields.h"
#include "otlp/ids.h"
#include "otlp/message_editor.h"
#include "otlp/views.h"

namespace spanloom::otlp {

// A MessageEditor that gives the message as a `View`.
template <typename View, uint32_t kAttributesField>
class ViewEditor : public MessageEditor {
 public:
  ViewEditor() : MessageEditor(kAttributesField) {}

  // Begins with another message, which must outlive the edits.
  void Begin(std::string_view message) { MessageEditor::Begin(message); }

  // The message with all edits. Valid until the next one.
  [[nodiscard]] const View& view() {
    const std::string_view message = wire();
    if (!view_ || view_version_ != version()) view_.emplace(message);
    view_version_ = version();
    return *view_;
  }

 protected:
  // A field whose value is the default is left out, as proto3 does.
  void SetText(uint32_t field, std::string_view value) {
    SetField(field, [&](wire::Writer& writer) {
      if (!value.empty()) writer.Bytes(field, value);
    });
  }
  template <typename Id>
  void SetId(uint32_t field, const Id& id) {
    SetText(field, id.IsZero() ? std::string_view() : id.view());
  }
  void SetVarint(uint32_t field, uint64_t value) {
    SetField(field, [&](wire::Writer& writer) {
      if (value != 0) writer.Varint(field, value);
    });
  }
  void SetFixed64(uint32_t field, uint64_t value) {
    SetField(field, [&](wire::Writer& writer) {
      if (value != 0) writer.Fixed64(field, value);
    });
  }
  void SetFixed32(uint32_t field, uint32_t value) {
    SetField(field, [&](wire::Writer& writer) {
      if (value != 0) writer.Fixed32(field, value);
    });
  }

 private:
  std::optional<View> view_;
  size_t view_version_ = 0;
};

class ResourceEditor : public ViewEditor<ResourceView, field::Resource::kAttributes> {
 public:
  void SetDroppedAttributesCount(uint32_t count) { SetVarint(field::Resource::kDroppedAttributesCount, count); }
};

class ScopeEditor : public ViewEditor<ScopeView, field::Scope::kAttributes> {
 public:
  void SetName(std::string_view name) { SetText(field::Scope::kName, name); }
  void SetVersion(std::string_view version) { SetText(field::Scope::kVersion, version); }
  void SetDroppedAttributesCount(uint32_t count) { SetVarint(field::Scope::kDroppedAttributesCount, count); }
};

// The schema URL that stands beside a resource or scope. To be used again and again.
class SchemaUrlEditor {
 public:
  SchemaUrlEditor() = default;
  SchemaUrlEditor(const SchemaUrlEditor&) = delete;
  SchemaUrlEditor& operator=(const SchemaUrlEditor&) = delete;

  // Begins with another one, which must outlive the edits.
  void Begin(std::string_view received) {
    received_ = received;
    current_ = received;
  }
  void Set(std::string_view url) {
    std::string text(url);  // which may lie in text_
    text_.swap(text);
    current_ = text_;
  }
  // With all edits; "" is none. Valid until the next edit.
  [[nodiscard]] std::string_view view() const { return current_; }
  // True if it differs from what the editor began with.
  [[nodiscard]] bool is_changed() const { return current_ != received_; }

 private:
  std::string_view received_;
  std::string_view current_;  // received_, or text_
  std::string text_;
};

class EventEditor : public ViewEditor<EventView, field::Event::kAttributes> {
 public:
  void SetName(std::string_view name) { SetText(field::Event::kName, name); }
  void SetTime(uint64_t unix_ns) { SetFixed64(field::Event::kTime, unix_ns); }
  void SetDroppedAttributesCount(uint32_t count) { SetVarint(field::Event::kDroppedAttributesCount, count); }
};

class LinkEditor : public ViewEditor<LinkView, field::Link::kAttributes> {
 public:
  void SetTraceState(std::string_view trace_state) { SetText(field::Link::kTraceState, trace_state); }
  void SetDroppedAttributesCount(uint32_t count) { SetVarint(field::Link::kDroppedAttributesCount, count); }
};

// What becomes of an event or link that an edit has seen.
enum class Fate : uint8_t { kKeep, kDrop };

class SpanEditor : public ViewEditor<SpanView, field::Span::kAttributes> {
 public:
  void SetTraceId(const TraceId& id) { SetId(field::Span::kTraceId, id); }
  void SetSpanId(const SpanId& id) { SetId(field::Span::kSpanId, id); }
  void SetParentSpanId(const SpanId& id) { SetId(field::Span::kParentSpanId, id); }
  void SetTraceState(std::string_view trace_state) { SetText(field::Span::kTraceState, trace_state); }
  void SetName(std::string_view name) { SetText(field::Span::kName, name); }
  void SetKind(SpanKind kind) { SetVarint(field::Span::kKind, static_cast<uint64_t>(static_cast<int64_t>(kind))); }
  void SetStartTime(uint64_t unix_ns) { SetFixed64(field::Span::kStartTime, unix_ns); }
  void SetEndTime(uint64_t unix_ns) { SetFixed64(field::Span::kEndTime, unix_ns); }
  void SetFlags(uint32_t flags) { SetFixed32(field::Span::kFlags, flags); }
  void SetDroppedAttributesCount(uint32_t count) { SetVarint(field::Span::kDroppedAttributesCount, count); }
  void SetDroppedEventsCount(uint32_t count) { SetVarint(field::Span::kDroppedEventsCount, count); }
  void SetDroppedLinksCount(uint32_t count) { SetVarint(field::Span::kDroppedLinksCount, count); }
  void SetStatusCode(StatusCode code);
  void SetStatusMessage(std::string_view message);

  // Calls `edit` for each event (link) in order. The editor is good for the call only. A dropped one is not counted in
  // the span's dropped_events_count (dropped_links_count): that is the SDK's.
  void EditEvents(absl::FunctionRef<Fate(EventEditor&)> edit);
  void EditLinks(absl::FunctionRef<Fate(LinkEditor&)> edit);
  // For whoever edits events and the span at once, and so has the events elsewhere meanwhile: calls `rewrite` for each
  // event in order, which gives the event that takes its place, or nullopt to leave it.
  void ReplaceEvents(absl::FunctionRef<std::optional<std::string_view>(std::string_view event)> rewrite);

 private:
  // Replaces field `field` of the status by what `write` writes.
  void SetStatusField(uint32_t field, absl::FunctionRef<void(wire::Writer&)> write);
  template <typename Editor>
  void EditMessages(uint32_t field, absl::FunctionRef<Fate(Editor&)> edit);
};

}  // namespace spanloom::otlp
