// SPDX-License-Identifier: Apache-2.0

#include "otlp/differential/messages.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/util/field_comparator.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "otlp/schema.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using google::protobuf::RepeatedPtrField;
using wire::Writer;

constexpr int kRandomDepthMax = 6;       // of values; deeper ones are scalars
constexpr int kRecursionLimit = 10'000;  // of libprotobuf; its default of 100 is less than kValueDepthMax needs

uint64_t RandomScalar(Rng& rng) {
  constexpr uint64_t kExtremes[] = {0,           1,           2,          0x7f,       0x80,       0x7fffffff,
                                    0x80000000u, 0xffffffffu, 1ull << 32, 1ull << 63, ~0ull >> 1, ~0ull};
  return rng.Below(2) == 0 ? kExtremes[rng.Below(std::size(kExtremes))] : rng.Next() >> rng.Below(64);
}

std::string RandomText(Rng& rng) {
  constexpr std::string_view kPieces[] = {"a", "key", "\"", "\\", "\n", "\x7f", "\u00e9", "\u20ac", "\U0001f600"};
  std::string text;
  const uint64_t pieces = rng.Below(30) == 0 ? rng.Below(300) : rng.Below(6);
  for (uint64_t i = 0; i < pieces; ++i) text += kPieces[rng.Below(std::size(kPieces))];
  return text;
}

std::string RandomBytes(Rng& rng, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(rng.Next());
  return bytes;
}

class Generator {
 public:
  Generator(Rng& rng, Oddities oddities, std::string& out)
      : rng_(rng), odd_(oddities == Oddities::kAll), out_(out), writer_(out) {}

  // `depth` counts the values around the message.
  void Message(const MessageSchema& schema, int depth) {
    std::vector<const FieldSchema*> fields;
    for (const FieldSchema& field : schema.fields) {
      if (field.kind != FieldKind::kUnknown) fields.push_back(&field);
    }
    if (&schema == &kValueSchema) return Value(fields, depth);
    if (odd_) return Shuffled(fields, depth);
    for (const FieldSchema* field : fields) {
      for (uint64_t i = Count(*field); i > 0; --i) Field(*field, depth);
    }
  }

 private:
  // 0 or 1, or any small number of a repeated field.
  uint64_t Count(const FieldSchema& field) {
    const bool is_repeated = field.kind == FieldKind::kRepeatedMessage || field.kind == FieldKind::kRepeatedString;
    return rng_.Below(is_repeated ? 4 : 2);
  }

  void Shuffled(const std::vector<const FieldSchema*>& fields, int depth) {
    for (uint64_t i = rng_.Below(2 * fields.size() + 2); i > 0; --i) {
      if (rng_.Below(8) == 0) Unknown();
      Field(*fields[rng_.Below(fields.size())], depth);
    }
  }

  void Value(const std::vector<const FieldSchema*>& fields, int depth) {
    for (uint64_t i = odd_ ? rng_.Below(4) : 1; i > 0; --i) {
      const FieldSchema* field = fields[rng_.Below(fields.size())];
      if (depth >= kRandomDepthMax && field->message != nullptr) continue;
      if (odd_ && rng_.Below(8) == 0) Unknown();
      Field(*field, depth + 1);
    }
  }

  void Field(const FieldSchema& field, int depth) {
    switch (field.kind) {
      case FieldKind::kMessage:
      case FieldKind::kRepeatedMessage: {
        const Writer::Mark mark = writer_.Begin(field.number);
        Message(*field.message, depth);
        return writer_.End(mark);
      }
      case FieldKind::kString:
      case FieldKind::kRepeatedString:
        return writer_.Bytes(field.number, RandomText(rng_));
      case FieldKind::kBytes:
        return writer_.Bytes(field.number, RandomBytes(rng_, rng_.Below(20)));
      case FieldKind::kTraceId:
        return writer_.Bytes(field.number, RandomBytes(rng_, rng_.Below(8) == 0 ? 0 : 16));
      case FieldKind::kSpanId:
        return writer_.Bytes(field.number, RandomBytes(rng_, rng_.Below(8) == 0 ? 0 : 8));
      case FieldKind::kDouble:
      case FieldKind::kFixed64:
      case FieldKind::kSfixed64:
        return writer_.Fixed64(field.number, RandomScalar(rng_));
      case FieldKind::kFixed32:
        return writer_.Fixed32(field.number, static_cast<uint32_t>(RandomScalar(rng_)));
      case FieldKind::kEnum:
      case FieldKind::kUint32:
      case FieldKind::kInt64:
      case FieldKind::kBool:
        return Varint(field);
      case FieldKind::kSint32:
        return writer_.Varint(field.number, static_cast<uint32_t>(RandomScalar(rng_)));
      case FieldKind::kPackedFixed64:
      case FieldKind::kPackedDouble:
      case FieldKind::kPackedUint64:
        return Packed(field);
      case FieldKind::kUnknown:
        return;
    }
  }

  void Packed(const FieldSchema& field) {
    std::string numbers;
    Writer writer(numbers);
    for (uint64_t i = rng_.Below(5); i > 0; --i) {
      const uint64_t number = RandomScalar(rng_);
      field.kind == FieldKind::kPackedUint64 ? writer.PackedVarint(number) : writer.PackedFixed64(number);
    }
    writer_.Bytes(field.number, numbers);
  }

  // Without oddities, enums and bools are such as writers of messages write them.
  void Varint(const FieldSchema& field) {
    uint64_t value = RandomScalar(rng_);
    if (!odd_ && field.kind == FieldKind::kBool) value &= 1;
    if (!odd_ && field.kind == FieldKind::kUint32) value &= UINT32_MAX;
    if (!odd_ && field.kind == FieldKind::kEnum) value &= INT32_MAX;
    writer_.Varint(field.number, value);
    if (odd_ && rng_.Below(8) == 0 && value < 0x80) {  // one byte more than it needs
      out_.back() = static_cast<char>(out_.back() | 0x80);
      out_.push_back('\0');
    }
  }

  void Unknown() {
    const auto number = static_cast<uint32_t>(17 + rng_.Below(rng_.Below(2) == 0 ? 10 : (1u << 29) - 17));
    switch (rng_.Below(5)) {
      case 0:
        return writer_.Varint(number, RandomScalar(rng_));
      case 1:
        return writer_.Fixed64(number, RandomScalar(rng_));
      case 2:
        return writer_.Fixed32(number, static_cast<uint32_t>(RandomScalar(rng_)));
      case 3:
        return writer_.Bytes(number, RandomBytes(rng_, rng_.Below(10)));
      default:
        Group(number);
    }
  }

  void Group(uint32_t number) {
    Tag(number, 3);
    writer_.Varint(1 + static_cast<uint32_t>(rng_.Below(5)), RandomScalar(rng_));
    if (rng_.Below(3) == 0) Group(number);
    Tag(number, 4);
  }

  void Tag(uint32_t number, uint32_t type) {
    uint32_t tag = number << 3 | type;
    for (; tag >= 0x80; tag >>= 7) out_.push_back(static_cast<char>(tag | 0x80));
    out_.push_back(static_cast<char>(tag));
  }

  Rng& rng_;
  const bool odd_;
  std::string& out_;
  Writer writer_;
};

// ---- views to messages

template <typename Attributes>
void Copy(const Attributes& attributes, RepeatedPtrField<KeyValueMessage>& out);

void Copy(const ValueView& value, AnyValueMessage& out) {
  switch (value.kind()) {
    case ValueView::Kind::kNone:
      return;
    case ValueView::Kind::kString:
      return out.set_string_value(std::string(value.string_value()));
    case ValueView::Kind::kBool:
      return out.set_bool_value(value.bool_value());
    case ValueView::Kind::kInt:
      return out.set_int_value(value.int_value());
    case ValueView::Kind::kDouble:
      return out.set_double_value(value.double_value());
    case ValueView::Kind::kBytes:
      return out.set_bytes_value(std::string(value.bytes_value()));
    case ValueView::Kind::kArray:
      out.mutable_array_value();
      for (const ValueView element : value.array()) Copy(element, *out.mutable_array_value()->add_values());
      return;
    case ValueView::Kind::kMap:
      return Copy(value.map(), *out.mutable_kvlist_value()->mutable_values());
  }
}

template <typename Attributes>
void Copy(const Attributes& attributes, RepeatedPtrField<KeyValueMessage>& out) {
  for (const AttributeView attribute : attributes) {
    KeyValueMessage& message = *out.Add();
    message.set_key(std::string(attribute.key()));
    Copy(attribute.value(), *message.mutable_value());
  }
}

template <typename Id>
std::string IdText(const Id& id) {
  return id.IsZero() ? "" : std::string(id.view());
}

void Copy(const EventView& event, SpanMessage::Event& out) {
  out.set_time_unix_nano(event.time_unix_ns());
  out.set_name(std::string(event.name()));
  Copy(event.attributes(), *out.mutable_attributes());
  out.set_dropped_attributes_count(event.dropped_attributes_count());
}

void Copy(const LinkView& link, SpanMessage::Link& out) {
  out.set_trace_id(IdText(link.trace_id()));
  out.set_span_id(IdText(link.span_id()));
  out.set_trace_state(std::string(link.trace_state()));
  Copy(link.attributes(), *out.mutable_attributes());
  out.set_dropped_attributes_count(link.dropped_attributes_count());
  out.set_flags(link.flags());
}

void Copy(const SpanView& span, SpanMessage& out) {
  out.set_trace_id(IdText(span.trace_id()));
  out.set_span_id(IdText(span.span_id()));
  out.set_trace_state(std::string(span.trace_state()));
  out.set_parent_span_id(IdText(span.parent_span_id()));
  out.set_name(std::string(span.name()));
  out.set_kind(static_cast<SpanMessage::SpanKind>(span.kind()));
  out.set_start_time_unix_nano(span.start_unix_ns());
  out.set_end_time_unix_nano(span.end_unix_ns());
  Copy(span.attributes(), *out.mutable_attributes());
  out.set_dropped_attributes_count(span.dropped_attributes_count());
  for (const EventView event : span.events()) Copy(event, *out.add_events());
  out.set_dropped_events_count(span.dropped_events_count());
  for (const LinkView link : span.links()) Copy(link, *out.add_links());
  out.set_dropped_links_count(span.dropped_links_count());
  out.mutable_status()->set_message(std::string(span.status_message()));
  out.mutable_status()->set_code(static_cast<opentelemetry::proto::trace::v1::Status::StatusCode>(span.status_code()));
  out.set_flags(span.flags());
}

void Copy(const ResourceView& resource, opentelemetry::proto::resource::v1::Resource& out) {
  Copy(resource.attributes(), *out.mutable_attributes());
  out.set_dropped_attributes_count(resource.dropped_attributes_count());
  for (const EntityRefView entity : resource.entity_refs()) {
    auto& message = *out.add_entity_refs();
    message.set_schema_url(std::string(entity.schema_url()));
    message.set_type(std::string(entity.type()));
    for (const std::string_view key : entity.id_keys()) message.add_id_keys(std::string(key));
    for (const std::string_view key : entity.description_keys()) message.add_description_keys(std::string(key));
  }
}

void Copy(const ScopeView& scope, opentelemetry::proto::common::v1::InstrumentationScope& out) {
  out.set_name(std::string(scope.name()));
  out.set_version(std::string(scope.version()));
  Copy(scope.attributes(), *out.mutable_attributes());
  out.set_dropped_attributes_count(scope.dropped_attributes_count());
}

// Views show an id of zeros as none.
void ClearZeroId(const google::protobuf::FieldDescriptor& field, google::protobuf::Message& message) {
  const std::string id = message.GetReflection()->GetString(message, &field);
  if (id.find_first_not_of('\0') == std::string::npos) message.GetReflection()->ClearField(&message, &field);
}

void MakePresentBelow(google::protobuf::Message& message) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const auto& field = *message.GetDescriptor()->field(i);
    const bool is_message = field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE;
    if (field.name().ends_with("_id") && field.type() == google::protobuf::FieldDescriptor::TYPE_BYTES) {
      ClearZeroId(field, message);
    } else if (is_message && field.is_repeated()) {
      for (int j = 0; j < reflection->FieldSize(message, &field); ++j) {
        MakePresentBelow(*reflection->MutableRepeatedMessage(&message, &field, j));
      }
    } else if (is_message && (field.real_containing_oneof() == nullptr || reflection->HasField(message, &field))) {
      MakePresentBelow(*reflection->MutableMessage(&message, &field));
    }
  }
}

}  // namespace

std::string RandomRequest(Rng& rng, Oddities oddities, Signal signal) {
  std::string out;
  Generator(rng, oddities, out).Message(RequestSchema(signal), 0);
  return out;
}

bool Parse(std::string_view wire, google::protobuf::Message& message) {
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(wire.data()),
                                               static_cast<int>(wire.size()));
  input.SetRecursionLimit(kRecursionLimit);
  return message.ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

RequestMessage Parse(std::string_view wire) {
  RequestMessage message;
  EXPECT_TRUE(Parse(wire, message)) << "libprotobuf refuses a request of " << wire.size() << " bytes";
  return message;
}

RequestMessage ToMessage(const TracesView& traces) {
  RequestMessage request;
  for (const ResourceSpansView resource_spans : traces.resource_spans()) {
    auto& resource_message = *request.add_resource_spans();
    Copy(resource_spans.resource(), *resource_message.mutable_resource());
    resource_message.set_schema_url(std::string(resource_spans.schema_url()));
    for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      auto& scope_message = *resource_message.add_scope_spans();
      Copy(scope_spans.scope(), *scope_message.mutable_scope());
      scope_message.set_schema_url(std::string(scope_spans.schema_url()));
      for (const SpanView span : scope_spans.spans()) Copy(span, *scope_message.add_spans());
    }
  }
  return request;
}

void MakePresent(RequestMessage& request) {
  MakePresentBelow(request);
}

std::string Difference(const google::protobuf::Message& a, const google::protobuf::Message& b) {
  google::protobuf::util::DefaultFieldComparator comparator;
  comparator.set_treat_nan_as_equal(true);
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_field_comparator(&comparator);
  std::string difference;
  differencer.ReportDifferencesToString(&difference);
  return differencer.Compare(a, b) ? "" : "different: " + difference;
}

}  // namespace spanloom::otlp
