// SPDX-License-Identifier: Apache-2.0
//
// Spans as views over the bytes they arrived in: nothing is unmarshalled. A request is checked once (request.h);
// afterwards views cannot fail, so they have no error paths. Messages: opentelemetry/proto/trace/v1, OTLP 1.x; field
// numbers: fields.h.
//
// A view borrows; it must not outlive its bytes. Every accessor that is not a stored field walks the message again, so
// a caller that needs many fields reads them once into locals. Protobuf's rules hold: the last value of a repeated
// scalar wins, unknown fields are skipped (and still there in wire()). A message that may stand once in its parent
// (resource, scope, status, attribute value) does so: merge.h saw to it before the first view was made.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "otlp/fields.h"
#include "otlp/ids.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {

class ValueView;
class AttributeView;

// Visits the elements of a repeated field `kField` of messages or strings; `View` is constructible from the element's
// bytes.
//   for (SpanView span : scope.spans()) ...
template <typename View, uint32_t kField>
class RepeatedView {
 public:
  explicit RepeatedView(std::string_view message) : message_(message) {}

  class Iterator {
   public:
    Iterator() = default;
    explicit Iterator(std::string_view message) : cursor_(message) { Advance(); }
    View operator*() const { return View(element_); }
    Iterator& operator++() {
      Advance();
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_end_ == other.at_end_; }

   private:
    void Advance() {
      if constexpr (kField < 16) {
        if (cursor_.NextShortBytes(kField << 3 | static_cast<uint8_t>(wire::Type::kBytes))) {
          element_ = cursor_.bytes();
          at_end_ = false;
          return;
        }
      }
      while (cursor_.Next()) {
        if (cursor_.field() == kField && cursor_.type() == wire::Type::kBytes) {
          element_ = cursor_.bytes();
          at_end_ = false;
          return;
        }
      }
      at_end_ = true;
    }
    wire::Cursor cursor_;
    std::string_view element_;
    bool at_end_ = true;
  };

  [[nodiscard]] Iterator begin() const { return Iterator(message_); }
  [[nodiscard]] Iterator end() const { return Iterator(); }
  [[nodiscard]] bool empty() const { return begin() == end(); }
  [[nodiscard]] size_t Count() const;
  // The elements' bytes, unread.
  [[nodiscard]] RepeatedView<std::string_view, kField> raw() const {
    return RepeatedView<std::string_view, kField>(message_);
  }

 private:
  std::string_view message_;
};

// AnyValue. kNone: no value set (OTLP's "empty value"). The other kinds have the numbers of the fields.
class ValueView {
 public:
  enum class Kind : uint8_t { kNone, kString, kBool, kInt, kDouble, kArray, kMap, kBytes };

  ValueView() = default;
  explicit ValueView(std::string_view wire);

  [[nodiscard]] Kind kind() const { return kind_; }
  // Each is meaningful for its own kind only.
  [[nodiscard]] std::string_view string_value() const { return bytes_; }  // as sent: perhaps not UTF-8
  [[nodiscard]] std::string_view bytes_value() const { return bytes_; }
  [[nodiscard]] bool bool_value() const { return scalar_ != 0; }
  [[nodiscard]] int64_t int_value() const { return static_cast<int64_t>(scalar_); }
  [[nodiscard]] double double_value() const;
  [[nodiscard]] RepeatedView<ValueView, field::Array::kValues> array() const {
    return RepeatedView<ValueView, field::Array::kValues>(bytes_);
  }
  [[nodiscard]] RepeatedView<AttributeView, field::Map::kValues> map() const;
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  bool ReadPlain();  // false if it takes a walk over the fields

  std::string_view wire_;
  std::string_view bytes_;
  uint64_t scalar_ = 0;
  Kind kind_ = Kind::kNone;
};

// KeyValue.
class AttributeView {
 public:
  explicit AttributeView(std::string_view wire);
  [[nodiscard]] std::string_view key() const { return key_; }
  [[nodiscard]] const ValueView& value() const { return value_; }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
  std::string_view key_;
  ValueView value_;
};

// The first attribute called `key` of any attribute list; nullopt if absent.
template <typename Attributes>
std::optional<ValueView> FindAttribute(const Attributes& attributes, std::string_view key) {
  for (AttributeView attribute : attributes) {
    if (attribute.key() == key) return attribute.value();
  }
  return std::nullopt;
}

// EntityRef: names those attributes of a resource that identify an entity, such as a service or a host.
class EntityRefView {
 public:
  explicit EntityRefView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] std::string_view schema_url() const;
  [[nodiscard]] std::string_view type() const;  // "service", "host"
  // Keys of the resource's attributes: those that identify the entity, and those that describe it.
  [[nodiscard]] RepeatedView<std::string_view, field::EntityRef::kIdKeys> id_keys() const {
    return RepeatedView<std::string_view, field::EntityRef::kIdKeys>(wire_);
  }
  [[nodiscard]] RepeatedView<std::string_view, field::EntityRef::kDescriptionKeys> description_keys() const {
    return RepeatedView<std::string_view, field::EntityRef::kDescriptionKeys>(wire_);
  }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
};

class ResourceView {
 public:
  ResourceView() = default;
  explicit ResourceView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] RepeatedView<AttributeView, field::Resource::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::Resource::kAttributes>(wire_);
  }
  [[nodiscard]] RepeatedView<EntityRefView, field::Resource::kEntityRefs> entity_refs() const {
    return RepeatedView<EntityRefView, field::Resource::kEntityRefs>(wire_);
  }
  [[nodiscard]] uint32_t dropped_attributes_count() const;
  // The attribute service.name if it is a string that is not empty, else "unknown_service".
  [[nodiscard]] std::string_view service_name() const;
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
};

// InstrumentationScope.
class ScopeView {
 public:
  ScopeView() = default;
  explicit ScopeView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] std::string_view version() const;
  [[nodiscard]] RepeatedView<AttributeView, field::Scope::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::Scope::kAttributes>(wire_);
  }
  [[nodiscard]] uint32_t dropped_attributes_count() const;
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
};

// Span.Event.
class EventView {
 public:
  explicit EventView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] uint64_t time_unix_ns() const;
  [[nodiscard]] std::string_view name() const;
  [[nodiscard]] RepeatedView<AttributeView, field::Event::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::Event::kAttributes>(wire_);
  }
  [[nodiscard]] uint32_t dropped_attributes_count() const;
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
};

// Span.Link.
class LinkView {
 public:
  explicit LinkView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] TraceId trace_id() const;
  [[nodiscard]] SpanId span_id() const;
  [[nodiscard]] std::string_view trace_state() const;
  [[nodiscard]] RepeatedView<AttributeView, field::Link::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::Link::kAttributes>(wire_);
  }
  [[nodiscard]] uint32_t dropped_attributes_count() const;
  [[nodiscard]] uint32_t flags() const;
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
};

enum class SpanKind : int32_t { kUnspecified, kInternal, kServer, kClient, kProducer, kConsumer };
enum class StatusCode : int32_t { kUnset, kOk, kError };

// Span. The scalar fields are read once, at construction; repeated ones are walked on demand.
class SpanView {
 public:
  explicit SpanView(std::string_view wire);

  [[nodiscard]] const TraceId& trace_id() const { return trace_id_; }
  [[nodiscard]] const SpanId& span_id() const { return span_id_; }
  [[nodiscard]] const SpanId& parent_span_id() const { return parent_span_id_; }
  [[nodiscard]] std::string_view trace_state() const { return trace_state_; }
  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] SpanKind kind() const { return kind_; }  // values outside the enum are kept as they came
  [[nodiscard]] uint64_t start_unix_ns() const { return start_unix_ns_; }
  [[nodiscard]] uint64_t end_unix_ns() const { return end_unix_ns_; }  // may be before the start
  // end - start in nanoseconds; negative where the sender said so.
  [[nodiscard]] int64_t duration_ns() const { return static_cast<int64_t>(end_unix_ns_ - start_unix_ns_); }
  [[nodiscard]] StatusCode status_code() const { return status_code_; }
  [[nodiscard]] std::string_view status_message() const { return status_message_; }
  [[nodiscard]] uint32_t flags() const { return flags_; }
  [[nodiscard]] uint32_t dropped_attributes_count() const { return dropped_attributes_count_; }
  [[nodiscard]] uint32_t dropped_events_count() const { return dropped_events_count_; }
  [[nodiscard]] uint32_t dropped_links_count() const { return dropped_links_count_; }
  [[nodiscard]] RepeatedView<AttributeView, field::Span::kAttributes> attributes() const {
    return RepeatedView<AttributeView, field::Span::kAttributes>(wire_);
  }
  [[nodiscard]] RepeatedView<EventView, field::Span::kEvents> events() const {
    return RepeatedView<EventView, field::Span::kEvents>(wire_);
  }
  [[nodiscard]] RepeatedView<LinkView, field::Span::kLinks> links() const {
    return RepeatedView<LinkView, field::Span::kLinks>(wire_);
  }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  void ReadField(const wire::Cursor& cursor);
  void ReadStatus(std::string_view status);

  std::string_view wire_;
  TraceId trace_id_;
  SpanId span_id_;
  SpanId parent_span_id_;
  std::string_view trace_state_;
  std::string_view name_;
  std::string_view status_message_;
  uint64_t start_unix_ns_ = 0;
  uint64_t end_unix_ns_ = 0;
  SpanKind kind_ = SpanKind::kUnspecified;
  StatusCode status_code_ = StatusCode::kUnset;
  uint32_t flags_ = 0;
  uint32_t dropped_attributes_count_ = 0;
  uint32_t dropped_events_count_ = 0;
  uint32_t dropped_links_count_ = 0;
};

// ScopeSpans.
class ScopeSpansView {
 public:
  explicit ScopeSpansView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] ScopeView scope() const;
  [[nodiscard]] RepeatedView<SpanView, field::ScopeSpans::kSpans> spans() const {
    return RepeatedView<SpanView, field::ScopeSpans::kSpans>(wire_);
  }
  [[nodiscard]] std::string_view schema_url() const;
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
};

// ResourceSpans.
class ResourceSpansView {
 public:
  explicit ResourceSpansView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] ResourceView resource() const;
  [[nodiscard]] RepeatedView<ScopeSpansView, field::ResourceSpans::kScopeSpans> scope_spans() const {
    return RepeatedView<ScopeSpansView, field::ResourceSpans::kScopeSpans>(wire_);
  }
  [[nodiscard]] std::string_view schema_url() const;
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
};

// ExportTraceServiceRequest, TracesData: both are `repeated ResourceSpans resource_spans = 1`.
class TracesView {
 public:
  explicit TracesView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] RepeatedView<ResourceSpansView, field::Request::kResourceSpans> resource_spans() const {
    return RepeatedView<ResourceSpansView, field::Request::kResourceSpans>(wire_);
  }
  [[nodiscard]] std::string_view wire() const { return wire_; }

 private:
  std::string_view wire_;
};

template <typename View, uint32_t kField>
size_t RepeatedView<View, kField>::Count() const {
  size_t count = 0;
  for (wire::Cursor cursor(message_); cursor.Next();) {
    count += cursor.field() == kField && cursor.type() == wire::Type::kBytes ? 1 : 0;
  }
  return count;
}

inline RepeatedView<AttributeView, field::Map::kValues> ValueView::map() const {
  return RepeatedView<AttributeView, field::Map::kValues>(bytes_);
}

}  // namespace spanloom::otlp
