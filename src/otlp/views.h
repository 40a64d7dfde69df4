// SPDX-License-Identifier: Apache-2.0
//
// Spans as views over the bytes they arrived in: nothing is unmarshalled. A request is checked once (validate.h);
// afterwards views cannot fail, so they have no error paths. Field numbers:
// opentelemetry/proto/trace/v1/trace.proto 1.x, and proto/otlp.md of this repository.
//
// A view borrows; it must not outlive its bytes. Every accessor that is not a stored field walks the message again, so
// a caller that needs many fields reads them once into locals. Protobuf's rules hold: the last value of a repeated
// scalar wins, unknown fields are skipped (and still there in wire()). One exception: of a resource, scope or value
// that occurs twice in its message the last one counts, where protobuf would merge them; no exporter writes such
// messages.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "otlp/ids.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {

class ValueView;
class AttributeView;

// Visits the elements of repeated message field `kField` of a message; `View` is constructible from the element's
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
  [[nodiscard]] RepeatedView<ValueView, 1> array() const { return RepeatedView<ValueView, 1>(bytes_); }
  [[nodiscard]] RepeatedView<AttributeView, 1> map() const;

 private:
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

 private:
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

class ResourceView {
 public:
  ResourceView() = default;
  explicit ResourceView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] RepeatedView<AttributeView, 1> attributes() const { return RepeatedView<AttributeView, 1>(wire_); }
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
  [[nodiscard]] RepeatedView<AttributeView, 3> attributes() const { return RepeatedView<AttributeView, 3>(wire_); }
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
  [[nodiscard]] RepeatedView<AttributeView, 3> attributes() const { return RepeatedView<AttributeView, 3>(wire_); }
  [[nodiscard]] uint32_t dropped_attributes_count() const;

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
  [[nodiscard]] RepeatedView<AttributeView, 4> attributes() const { return RepeatedView<AttributeView, 4>(wire_); }
  [[nodiscard]] uint32_t dropped_attributes_count() const;
  [[nodiscard]] uint32_t flags() const;

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
  [[nodiscard]] RepeatedView<AttributeView, 9> attributes() const { return RepeatedView<AttributeView, 9>(wire_); }
  [[nodiscard]] RepeatedView<EventView, 11> events() const { return RepeatedView<EventView, 11>(wire_); }
  [[nodiscard]] RepeatedView<LinkView, 13> links() const { return RepeatedView<LinkView, 13>(wire_); }
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
  [[nodiscard]] RepeatedView<SpanView, 2> spans() const { return RepeatedView<SpanView, 2>(wire_); }
  [[nodiscard]] std::string_view schema_url() const;

 private:
  std::string_view wire_;
};

// ResourceSpans.
class ResourceSpansView {
 public:
  explicit ResourceSpansView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] ResourceView resource() const;
  [[nodiscard]] RepeatedView<ScopeSpansView, 2> scope_spans() const { return RepeatedView<ScopeSpansView, 2>(wire_); }
  [[nodiscard]] std::string_view schema_url() const;

 private:
  std::string_view wire_;
};

// ExportTraceServiceRequest, TracesData: both are `repeated ResourceSpans resource_spans = 1`.
class TracesView {
 public:
  explicit TracesView(std::string_view wire) : wire_(wire) {}
  [[nodiscard]] RepeatedView<ResourceSpansView, 1> resource_spans() const {
    return RepeatedView<ResourceSpansView, 1>(wire_);
  }

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

inline RepeatedView<AttributeView, 1> ValueView::map() const {
  return RepeatedView<AttributeView, 1>(bytes_);
}

}  // namespace spanloom::otlp
