// SPDX-License-Identifier: Apache-2.0
//
// The same bytes, read by libprotobuf and by us.

#include <absl/strings/escaping.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>

#include "base/rng.h"
#include "otlp/differential/messages.h"
#include "otlp/request.h"
#include "otlp/schema.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/validate.h"
#include "otlp/writer.h"

namespace spanloom::otlp {
namespace {

// Compares one message of schema.h with its declaration, and those below it.
void ExpectAsDeclared(const MessageSchema& schema, const google::protobuf::Descriptor& declared,
                      std::set<std::string_view>& visited) {
  if (!visited.insert(schema.name).second) return;
  EXPECT_EQ(schema.name, declared.name());
  int fields = 0;
  for (const FieldSchema& field : schema.fields) {
    if (field.kind == FieldKind::kUnknown) continue;
    ++fields;
    const auto* declaration = declared.FindFieldByNumber(static_cast<int>(field.number));
    ASSERT_NE(declaration, nullptr) << schema.name << "." << field.json_name;
    EXPECT_EQ(field.json_name, declaration->json_name());
    EXPECT_EQ(field.kind == FieldKind::kRepeatedMessage || field.kind == FieldKind::kRepeatedString,
              declaration->is_repeated());
    if (field.message != nullptr) ExpectAsDeclared(*field.message, *declaration->message_type(), visited);
    for (size_t value = 0; value < field.enum_names.size(); ++value) {
      EXPECT_EQ(field.enum_names[value], declaration->enum_type()->FindValueByNumber(static_cast<int>(value))->name());
    }
  }
  EXPECT_EQ(fields, declared.field_count()) << schema.name;
}

TEST(Schema, HasTheFieldsThatAreDeclared) {
  std::set<std::string_view> visited;
  ExpectAsDeclared(kTracesSchema, *RequestMessage::descriptor(), visited);
  EXPECT_EQ(visited.size(), 14u);
}

// Scenario: random requests with every oddity that the wire format allows, from a seed.
// Guarantees: every field that views show is what libprotobuf reads, and merging split messages keeps all that
// libprotobuf reads, unknown fields included.
TEST(DifferentialProperty, ViewsShowWhatLibprotobufReads) {
  Rng rng(1);
  size_t spans = 0;
  size_t split = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string wire = RandomRequest(rng, Oddities::kAll);
    RequestMessage theirs = Parse(wire);
    const auto slice = ReadTraces(Bytes::CopyOf(wire));
    ASSERT_TRUE(slice.ok()) << "round " << round << ": " << slice.status();
    ASSERT_EQ(Difference(theirs, Parse(slice->wire().view())), "") << "round " << round;
    theirs.DiscardUnknownFields();
    MakePresent(theirs);
    ASSERT_EQ(Difference(theirs, ToMessage(TracesView(slice->wire().view()))), "") << "round " << round;
    spans += slice->span_count();
    split += slice->wire().view() != wire ? 1 : 0;
  }
  EXPECT_GT(spans, 5'000u);
  EXPECT_GT(split, 500u);
}

TEST(DifferentialProperty, ViewsShowWhatLibprotobufReadsOfRecordedRequests) {
  for (const RecordedRequest& request : ReadRecordedRequests(".pb")) {
    RequestMessage theirs = Parse(request.body);
    theirs.DiscardUnknownFields();
    MakePresent(theirs);
    ASSERT_EQ(Difference(theirs, ToMessage(TracesView(request.body))), "") << request.name;
  }
}

// The request message with every string declared as bytes: libprotobuf refuses strings that are not UTF-8, we do not.
class LenientLibprotobuf {
 public:
  LenientLibprotobuf() {
    Add(*RequestMessage::descriptor()->file());
    const auto* descriptor = pool_.FindMessageTypeByName(RequestMessage::descriptor()->full_name());
    message_.reset(factory_.GetPrototype(descriptor)->New());
  }

  bool Accepts(std::string_view wire) {
    message_->Clear();
    return Parse(wire, *message_);
  }

 private:
  void Add(const google::protobuf::FileDescriptor& file) {
    for (int i = 0; i < file.dependency_count(); ++i) Add(*file.dependency(i));
    if (pool_.FindFileByName(file.name()) != nullptr) return;
    google::protobuf::FileDescriptorProto declaration;
    file.CopyTo(&declaration);
    for (auto& message : *declaration.mutable_message_type()) AllowAnyBytes(message);
    EXPECT_NE(pool_.BuildFile(declaration), nullptr);
  }

  static void AllowAnyBytes(google::protobuf::DescriptorProto& message) {
    for (auto& field : *message.mutable_field()) {
      if (field.type() == google::protobuf::FieldDescriptorProto::TYPE_STRING) {
        field.set_type(google::protobuf::FieldDescriptorProto::TYPE_BYTES);
      }
    }
    for (auto& nested : *message.mutable_nested_type()) AllowAnyBytes(nested);
  }

  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
  std::unique_ptr<google::protobuf::Message> message_;
};

std::string Damaged(std::string wire, Rng& rng) {
  for (uint64_t i = rng.Below(4); i > 0 && !wire.empty(); --i) {
    wire[rng.Below(wire.size())] = static_cast<char>(rng.Next());
  }
  if (rng.Below(3) == 0) wire.resize(rng.Below(wire.size() + 1));
  return wire;
}

// True if the five bytes of a tag with more than 32 bits lie somewhere behind `offset`: libprotobuf reads such tags.
bool MayHaveWideTag(std::string_view wire, size_t offset) {
  const auto is_continued = [&](size_t at) { return (wire[at] & 0x80) != 0; };
  for (size_t at = offset; at + 5 <= wire.size(); ++at) {
    const bool has_five = is_continued(at) && is_continued(at + 1) && is_continued(at + 2) && is_continued(at + 3);
    if (has_five && static_cast<uint8_t>(wire[at + 4]) > 0x0f) return true;
  }
  return false;
}

// The number after "at byte" in an error.
size_t OffsetIn(const Status& error) {
  const std::string message(error.message());
  return std::strtoull(message.c_str() + message.find("at byte ") + 8, nullptr, 10);
}

// Scenario: random requests, damaged.
// Guarantees: what we accept, libprotobuf accepts; what we call malformed, libprotobuf refuses, but for tags of more
// than 32 bits. The other differences that validate.h states are refused by other words.
TEST(DifferentialProperty, AgreesWithLibprotobufOnWhatIsMalformed) {
  Rng rng(2);
  LenientLibprotobuf libprotobuf;
  size_t accepted = 0;
  size_t refused = 0;
  for (int round = 0; round < 12'000; ++round) {
    const std::string wire = Damaged(RandomRequest(rng, Oddities::kAll), rng);
    const auto ours = ValidateTraces(wire);
    if (ours.ok()) {
      ASSERT_TRUE(libprotobuf.Accepts(wire)) << "round " << round;
      ++accepted;
    } else if (ours.status().message().find("malformed or cut short") != std::string::npos) {
      if (MayHaveWideTag(wire, OffsetIn(ours.status()))) continue;
      ASSERT_FALSE(libprotobuf.Accepts(wire))
          << "round " << round << ": " << ours.status() << ": " << absl::CHexEscape(wire);
      ++refused;
    }
  }
  EXPECT_GT(accepted, 500u);
  EXPECT_GT(refused, 500u);
}

// ---- the writer

void Write(const AnyValueMessage& value, std::string_view key, AttributeWriter& writer);

void WriteElement(const AnyValueMessage& value, ArrayWriter& writer) {
  switch (value.value_case()) {
    case AnyValueMessage::kStringValue:
      writer.String(value.string_value());
      return;
    case AnyValueMessage::kBoolValue:
      writer.Bool(value.bool_value());
      return;
    case AnyValueMessage::kIntValue:
      writer.Int(value.int_value());
      return;
    case AnyValueMessage::kDoubleValue:
      writer.Double(value.double_value());
      return;
    case AnyValueMessage::kBytesValue:
      writer.Bytes(value.bytes_value());
      return;
    case AnyValueMessage::kArrayValue:
      writer.Array([&](ArrayWriter& array) {
        for (const auto& element : value.array_value().values()) WriteElement(element, array);
      });
      return;
    case AnyValueMessage::kKvlistValue:
      writer.Map([&](AttributeWriter& map) {
        for (const auto& entry : value.kvlist_value().values()) Write(entry.value(), entry.key(), map);
      });
      return;
    case AnyValueMessage::VALUE_NOT_SET:
      writer.Encoded({});
  }
}

void Write(const AnyValueMessage& value, std::string_view key, AttributeWriter& writer) {
  switch (value.value_case()) {
    case AnyValueMessage::kStringValue:
      writer.String(key, value.string_value());
      return;
    case AnyValueMessage::kBoolValue:
      writer.Bool(key, value.bool_value());
      return;
    case AnyValueMessage::kIntValue:
      writer.Int(key, value.int_value());
      return;
    case AnyValueMessage::kDoubleValue:
      writer.Double(key, value.double_value());
      return;
    case AnyValueMessage::kBytesValue:
      writer.Bytes(key, value.bytes_value());
      return;
    case AnyValueMessage::kArrayValue:
      writer.Array(key, [&](ArrayWriter& array) {
        for (const auto& element : value.array_value().values()) WriteElement(element, array);
      });
      return;
    case AnyValueMessage::kKvlistValue:
      writer.Map(key, [&](AttributeWriter& map) {
        for (const auto& entry : value.kvlist_value().values()) Write(entry.value(), entry.key(), map);
      });
      return;
    case AnyValueMessage::VALUE_NOT_SET:
      writer.Encoded(key, {});
  }
}

template <typename Attributes>
auto WriterOf(const Attributes& attributes) {
  return [&attributes](AttributeWriter& writer) {
    for (const auto& attribute : attributes) Write(attribute.value(), attribute.key(), writer);
  };
}

void WriteSpan(const SpanMessage& span, RequestWriter& request) {
  SpanWriter writer = request.BeginSpan({.trace_id = *TraceId::FromBytes(span.trace_id()),
                                         .span_id = *SpanId::FromBytes(span.span_id()),
                                         .trace_state = span.trace_state(),
                                         .parent_span_id = *SpanId::FromBytes(span.parent_span_id()),
                                         .name = span.name(),
                                         .kind = static_cast<SpanKind>(span.kind()),
                                         .start_unix_ns = span.start_time_unix_nano(),
                                         .end_unix_ns = span.end_time_unix_nano(),
                                         .flags = span.flags()});
  AttributeWriter attributes = writer.attributes();
  WriterOf(span.attributes())(attributes);
  for (const auto& event : span.events()) {
    writer.AddEvent(event.time_unix_nano(), event.name(), WriterOf(event.attributes()),
                    event.dropped_attributes_count());
  }
  for (const auto& link : span.links()) {
    writer.AddLink({.trace_id = *TraceId::FromBytes(link.trace_id()),
                    .span_id = *SpanId::FromBytes(link.span_id()),
                    .trace_state = link.trace_state(),
                    .flags = link.flags()},
                   WriterOf(link.attributes()), link.dropped_attributes_count());
  }
  writer.SetDropped({.attributes = span.dropped_attributes_count(),
                     .events = span.dropped_events_count(),
                     .links = span.dropped_links_count()});
  writer.SetStatus(static_cast<StatusCode>(span.status().code()), span.status().message());
  writer.End();
}

// Scenario: random messages, written by our writer from what libprotobuf says is in them.
// Guarantees: libprotobuf reads the same message from what we wrote.
TEST(DifferentialProperty, LibprotobufReadsWhatTheWriterWrites) {
  Rng rng(3);
  for (int round = 0; round < 3000; ++round) {
    RequestMessage message = Parse(RandomRequest(rng, Oddities::kNone));
    for (auto& resource_spans : *message.mutable_resource_spans()) {
      // The writer has no words for these; EncodeResource and EncodeScope write attributes only.
      resource_spans.mutable_resource()->clear_entity_refs();
      resource_spans.mutable_resource()->clear_dropped_attributes_count();
      for (auto& scope_spans : *resource_spans.mutable_scope_spans()) {
        scope_spans.mutable_scope()->clear_dropped_attributes_count();
      }
    }
    MakePresent(message);

    std::string wire;
    RequestWriter request(wire);
    for (const auto& resource_spans : message.resource_spans()) {
      request.BeginResource(EncodeResource(WriterOf(resource_spans.resource().attributes())),
                            resource_spans.schema_url());
      for (const auto& scope_spans : resource_spans.scope_spans()) {
        request.BeginScope(EncodeScope({.name = scope_spans.scope().name(), .version = scope_spans.scope().version()},
                                       WriterOf(scope_spans.scope().attributes())),
                           scope_spans.schema_url());
        for (const SpanMessage& span : scope_spans.spans()) WriteSpan(span, request);
      }
    }
    request.End();
    ASSERT_EQ(Difference(message, Parse(wire)), "") << "round " << round;
  }
}

}  // namespace
}  // namespace spanloom::otlp
