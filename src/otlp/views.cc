// SPDX-License-Identifier: Apache-2.0

#include "otlp/views.h"

#include <bit>
#include <cstring>

#include "otlp/plain_attribute.h"

namespace spanloom::otlp {
namespace {

using wire::Cursor;

constexpr std::string_view kUnknownService = "unknown_service";  // OpenTelemetry semantic conventions, "service.name"

// The last field `field` of a message; zero or empty if there is none.
uint64_t LastScalar(std::string_view message, uint32_t field) {
  uint64_t value = 0;
  for (Cursor cursor(message); cursor.Next();) {
    if (cursor.field() == field) value = cursor.scalar();
  }
  return value;
}

std::string_view LastBytes(std::string_view message, uint32_t field) {
  std::string_view value;
  for (Cursor cursor(message); cursor.Next();) {
    if (cursor.field() == field) value = cursor.bytes();
  }
  return value;
}

template <typename IdType>
IdType ToId(std::string_view raw) {
  return IdType::FromBytes(raw).value_or(IdType{});
}

uint32_t LastUint32(std::string_view message, uint32_t field) {
  return static_cast<uint32_t>(LastScalar(message, field));
}

}  // namespace

// The members of AnyValue's oneof have the numbers of Kind, from string_value = 1 to bytes_value = 7.
ValueView::ValueView(std::string_view wire) : wire_(wire) {
  static_assert(static_cast<uint32_t>(Kind::kString) == field::Value::kString &&
                static_cast<uint32_t>(Kind::kBytes) == field::Value::kBytes);
  if (ReadPlain()) [[likely]]
    return;
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.field() > static_cast<uint32_t>(Kind::kBytes)) continue;
    kind_ = static_cast<Kind>(cursor.field());
    if (cursor.type() == wire::Type::kBytes) {
      bytes_ = cursor.bytes();
    } else {
      scalar_ = cursor.scalar();
    }
  }
}

bool ValueView::ReadPlain() {
  if (!IsPlainValue(wire_)) return false;
  if (wire_.empty()) return true;
  const auto tag = static_cast<uint8_t>(wire_[0]);
  kind_ = static_cast<Kind>(tag >> 3);
  if ((tag & 7) == static_cast<uint8_t>(wire::Type::kBytes)) {
    bytes_ = wire_.substr(2);
  } else if ((tag & 7) == static_cast<uint8_t>(wire::Type::kFixed64)) {
    std::memcpy(&scalar_, wire_.data() + 1, sizeof(scalar_));
  } else {
    for (size_t at = 1; at < wire_.size(); ++at) {
      scalar_ |= static_cast<uint64_t>(wire_[at] & 0x7f) << (7 * (at - 1));
    }
  }
  return true;
}

double ValueView::double_value() const {
  return std::bit_cast<double>(scalar_);
}

AttributeView::AttributeView(std::string_view wire) : wire_(wire) {
  if (PlainAttribute plain; plain.Read(wire)) [[likely]] {
    key_ = plain.key;
    value_ = ValueView(plain.value);
    return;
  }
  for (Cursor cursor(wire); cursor.Next();) {
    if (cursor.field() == field::KeyValue::kKey) {
      key_ = cursor.bytes();
    } else if (cursor.field() == field::KeyValue::kValue) {
      value_ = ValueView(cursor.bytes());
    }
  }
}

std::string_view EntityRefView::schema_url() const {
  return LastBytes(wire_, field::EntityRef::kSchemaUrl);
}
std::string_view EntityRefView::type() const {
  return LastBytes(wire_, field::EntityRef::kType);
}

uint32_t ResourceView::dropped_attributes_count() const {
  return LastUint32(wire_, field::Resource::kDroppedAttributesCount);
}

std::string_view ResourceView::service_name() const {
  const auto value = FindAttribute(attributes(), "service.name");
  if (!value || value->kind() != ValueView::Kind::kString || value->string_value().empty()) return kUnknownService;
  return value->string_value();
}

std::string_view ScopeView::name() const {
  return LastBytes(wire_, field::Scope::kName);
}
std::string_view ScopeView::version() const {
  return LastBytes(wire_, field::Scope::kVersion);
}
uint32_t ScopeView::dropped_attributes_count() const {
  return LastUint32(wire_, field::Scope::kDroppedAttributesCount);
}

uint64_t EventView::time_unix_ns() const {
  return LastScalar(wire_, field::Event::kTime);
}
std::string_view EventView::name() const {
  return LastBytes(wire_, field::Event::kName);
}
uint32_t EventView::dropped_attributes_count() const {
  return LastUint32(wire_, field::Event::kDroppedAttributesCount);
}

TraceId LinkView::trace_id() const {
  return ToId<TraceId>(LastBytes(wire_, field::Link::kTraceId));
}
SpanId LinkView::span_id() const {
  return ToId<SpanId>(LastBytes(wire_, field::Link::kSpanId));
}
std::string_view LinkView::trace_state() const {
  return LastBytes(wire_, field::Link::kTraceState);
}
uint32_t LinkView::dropped_attributes_count() const {
  return LastUint32(wire_, field::Link::kDroppedAttributesCount);
}
uint32_t LinkView::flags() const {
  return LastUint32(wire_, field::Link::kFlags);
}

SpanView::SpanView(std::string_view wire) : wire_(wire) {
  constexpr uint8_t kAttribute = TagByte(field::Span::kAttributes, wire::Type::kBytes);
  Cursor cursor(wire);
  while (true) {
    while (cursor.NextShortBytes(kAttribute)) {
    }
    if (!cursor.Next()) return;
    ReadField(cursor);
  }
}

void SpanView::ReadField(const Cursor& cursor) {
  switch (cursor.field()) {
    case field::Span::kTraceId:
      trace_id_ = ToId<TraceId>(cursor.bytes());
      break;
    case field::Span::kSpanId:
      span_id_ = ToId<SpanId>(cursor.bytes());
      break;
    case field::Span::kTraceState:
      trace_state_ = cursor.bytes();
      break;
    case field::Span::kParentSpanId:
      parent_span_id_ = ToId<SpanId>(cursor.bytes());
      break;
    case field::Span::kName:
      name_ = cursor.bytes();
      break;
    case field::Span::kKind:
      kind_ = static_cast<SpanKind>(cursor.scalar());
      break;
    case field::Span::kStartTime:
      start_unix_ns_ = cursor.scalar();
      break;
    case field::Span::kEndTime:
      end_unix_ns_ = cursor.scalar();
      break;
    case field::Span::kDroppedAttributesCount:
      dropped_attributes_count_ = static_cast<uint32_t>(cursor.scalar());
      break;
    case field::Span::kDroppedEventsCount:
      dropped_events_count_ = static_cast<uint32_t>(cursor.scalar());
      break;
    case field::Span::kDroppedLinksCount:
      dropped_links_count_ = static_cast<uint32_t>(cursor.scalar());
      break;
    case field::Span::kStatus:
      ReadStatus(cursor.bytes());
      break;
    case field::Span::kFlags:
      flags_ = static_cast<uint32_t>(cursor.scalar());
      break;
    default:
      break;
  }
}

void SpanView::ReadStatus(std::string_view status) {
  for (Cursor cursor(status); cursor.Next();) {
    if (cursor.field() == field::Status::kMessage) {
      status_message_ = cursor.bytes();
    } else if (cursor.field() == field::Status::kCode) {
      status_code_ = static_cast<StatusCode>(cursor.scalar());
    }
  }
}

ScopeView ScopeSpansView::scope() const {
  return ScopeView(LastBytes(wire_, field::ScopeSpans::kScope));
}
std::string_view ScopeSpansView::schema_url() const {
  return LastBytes(wire_, field::ScopeSpans::kSchemaUrl);
}

ResourceView ResourceSpansView::resource() const {
  return ResourceView(LastBytes(wire_, field::ResourceSpans::kResource));
}
std::string_view ResourceSpansView::schema_url() const {
  return LastBytes(wire_, field::ResourceSpans::kSchemaUrl);
}

}  // namespace spanloom::otlp
