// SPDX-License-Identifier: Apache-2.0

#include "otlp/views.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using wire::Writer;
using Kind = ValueView::Kind;

// An attribute value as a plain tree; what views must show after it was written.
struct Value {
  struct Entry;
  Kind kind = Kind::kNone;
  std::string bytes;            // kString, kBytes
  uint64_t scalar = 0;          // kBool, kInt, kDouble: the bits
  std::vector<Entry> children;  // kArray (keys unused), kMap

  void WriteFields(Writer& writer) const;
  void WriteChildren(Writer& writer) const;
  static void WriteAttributeFields(Writer& writer, std::string_view key, const Value& value);
};

struct Value::Entry {
  std::string key;
  Value value;
};

void Value::WriteFields(Writer& writer) const {
  switch (kind) {
    case Kind::kNone:
      break;
    case Kind::kString:
      writer.Bytes(1, bytes);
      break;
    case Kind::kBool:
      writer.Varint(2, scalar);
      break;
    case Kind::kInt:
      writer.Varint(3, scalar);
      break;
    case Kind::kDouble:
      writer.Fixed64(4, scalar);
      break;
    case Kind::kArray:
    case Kind::kMap:
      WriteChildren(writer);
      break;
    case Kind::kBytes:
      writer.Bytes(7, bytes);
      break;
  }
}

void Value::WriteChildren(Writer& writer) const {
  const auto list = writer.Begin(kind == Kind::kArray ? 5 : 6);
  for (const auto& [key, child] : children) {
    const auto element = writer.Begin(1);
    if (kind == Kind::kArray) {
      child.WriteFields(writer);
    } else {
      WriteAttributeFields(writer, key, child);
    }
    writer.End(element);
  }
  writer.End(list);
}

void Value::WriteAttributeFields(Writer& writer, std::string_view key, const Value& value) {
  writer.Bytes(1, key);
  const auto mark = writer.Begin(2);
  value.WriteFields(writer);
  writer.End(mark);
}

using Attributes = std::vector<Value::Entry>;

void WriteAttributes(Writer& writer, uint32_t field, const Attributes& attributes) {
  for (const auto& [key, value] : attributes) {
    const auto mark = writer.Begin(field);
    Value::WriteAttributeFields(writer, key, value);
    writer.End(mark);
  }
}

Value Read(const ValueView& view) {
  Value value{.kind = view.kind(), .bytes = {}, .scalar = 0, .children = {}};
  switch (view.kind()) {
    case Kind::kNone:
      break;
    case Kind::kString:
      value.bytes = view.string_value();
      break;
    case Kind::kBool:
      value.scalar = view.bool_value() ? 1 : 0;
      break;
    case Kind::kInt:
      value.scalar = static_cast<uint64_t>(view.int_value());
      break;
    case Kind::kDouble:
      value.scalar = std::bit_cast<uint64_t>(view.double_value());
      break;
    case Kind::kArray:
      for (const ValueView element : view.array()) value.children.push_back({"", Read(element)});
      break;
    case Kind::kMap:
      for (const AttributeView entry : view.map())
        value.children.push_back({std::string(entry.key()), Read(entry.value())});
      break;
    case Kind::kBytes:
      value.bytes = view.bytes_value();
      break;
  }
  return value;
}

template <typename AttributeViews>
Attributes Read(const AttributeViews& views) {
  Attributes attributes;
  for (const AttributeView attribute : views)
    attributes.push_back({std::string(attribute.key()), Read(attribute.value())});
  return attributes;
}

bool operator==(const Value::Entry& a, const Value::Entry& b);
bool operator==(const Value& a, const Value& b) {
  return a.kind == b.kind && a.bytes == b.bytes && a.scalar == b.scalar && a.children == b.children;
}
bool operator==(const Value::Entry& a, const Value::Entry& b) {
  return a.key == b.key && a.value == b.value;
}

std::string RandomText(Rng& rng, uint64_t size_max) {
  std::string text(rng.Below(size_max + 1), '\0');
  for (char& c : text) c = static_cast<char>(rng.Next());
  return text;
}

Attributes RandomAttributes(Rng& rng, int depth);

Value RandomValue(Rng& rng, int depth) {
  Value value;
  value.kind = static_cast<Kind>(rng.Below(depth > 4 ? 5 : 8));
  if (depth > 4 && value.kind == Kind::kArray) value.kind = Kind::kBytes;
  switch (value.kind) {
    case Kind::kString:
    case Kind::kBytes:
      value.bytes = RandomText(rng, 300);
      break;
    case Kind::kBool:
      value.scalar = rng.Below(2);
      break;
    case Kind::kInt:
    case Kind::kDouble:
      value.scalar = rng.Next() >> rng.Below(64);
      break;
    case Kind::kArray:
    case Kind::kMap:
      value.children = RandomAttributes(rng, depth + 1);
      break;
    case Kind::kNone:
      break;
  }
  if (value.kind == Kind::kArray) {
    for (auto& [key, child] : value.children) key.clear();
  }
  return value;
}

Attributes RandomAttributes(Rng& rng, int depth) {
  Attributes attributes;
  for (uint64_t i = rng.Below(6); i > 0; --i) attributes.push_back({RandomText(rng, 20), RandomValue(rng, depth)});
  return attributes;
}

// Writes one request around a span.
template <typename WriteSpan>
std::string Request(WriteSpan write_span) {
  std::string out;
  Writer writer(out);
  const auto resource_spans = writer.Begin(1);
  const auto scope_spans = writer.Begin(2);
  const auto span = writer.Begin(2);
  write_span(writer);
  writer.End(span);
  writer.End(scope_spans);
  writer.End(resource_spans);
  return out;
}

SpanView FirstSpan(std::string_view request) {
  return *(*(*TracesView(request).resource_spans().begin()).scope_spans().begin()).spans().begin();
}

// Scenario: spans with random fields, attributes, events and links, nested values included, from a seed.
// Guarantees: what the writer wrote is valid, and views show exactly that.
TEST(ViewsProperty, ShowWhatTheWriterWrote) {
  Rng rng(1);
  for (int round = 0; round < 500; ++round) {
    const std::string trace_id = RandomText(rng, 0) + std::string(16, static_cast<char>(rng.Next()));
    const std::string span_id(8, static_cast<char>(rng.Next()));
    const std::string name = RandomText(rng, 200);
    const uint64_t start = rng.Next();
    const uint64_t end = rng.Next();
    const auto kind = static_cast<int32_t>(rng.Next());
    const auto flags = static_cast<uint32_t>(rng.Next());
    const Attributes attributes = RandomAttributes(rng, 0);
    const Attributes event_attributes = RandomAttributes(rng, 0);
    const Attributes link_attributes = RandomAttributes(rng, 0);

    const std::string request = Request([&](Writer& writer) {
      writer.Bytes(1, trace_id);
      writer.Bytes(2, span_id);
      writer.Bytes(5, name);
      writer.Varint(6, static_cast<uint64_t>(int64_t{kind}));
      writer.Fixed64(7, start);
      writer.Fixed64(8, end);
      WriteAttributes(writer, 9, attributes);
      const auto event = writer.Begin(11);
      writer.Fixed64(1, start);
      writer.Bytes(2, name);
      WriteAttributes(writer, 3, event_attributes);
      writer.End(event);
      const auto link = writer.Begin(13);
      writer.Bytes(1, trace_id);
      writer.Bytes(2, span_id);
      WriteAttributes(writer, 4, link_attributes);
      writer.Fixed32(6, flags);
      writer.End(link);
      writer.Fixed32(16, flags);
    });

    ASSERT_TRUE(ValidateTraces(request).ok()) << ValidateTraces(request).status();
    const SpanView span = FirstSpan(request);
    ASSERT_EQ(span.trace_id().view(), trace_id);
    ASSERT_EQ(span.span_id().view(), span_id);
    ASSERT_TRUE(span.parent_span_id().IsZero());
    ASSERT_EQ(span.name(), name);
    ASSERT_EQ(static_cast<int32_t>(span.kind()), kind);
    ASSERT_EQ(span.start_unix_ns(), start);
    ASSERT_EQ(span.end_unix_ns(), end);
    ASSERT_EQ(span.flags(), flags);
    ASSERT_TRUE(Read(span.attributes()) == attributes) << "round " << round;
    const EventView event = *span.events().begin();
    ASSERT_EQ(event.time_unix_ns(), start);
    ASSERT_EQ(event.name(), name);
    ASSERT_TRUE(Read(event.attributes()) == event_attributes) << "round " << round;
    const LinkView link = *span.links().begin();
    ASSERT_EQ(link.trace_id().view(), trace_id);
    ASSERT_EQ(link.span_id().view(), span_id);
    ASSERT_EQ(link.flags(), flags);
    ASSERT_TRUE(Read(link.attributes()) == link_attributes) << "round " << round;
  }
}

TEST(Views, LetTheLastOfARepeatedScalarWin) {
  const std::string request = Request([](Writer& writer) {
    writer.Bytes(5, "first");
    writer.Varint(6, 1);
    writer.Bytes(5, "last");
    writer.Varint(6, 2);
  });
  EXPECT_EQ(FirstSpan(request).name(), "last");
  EXPECT_EQ(FirstSpan(request).kind(), SpanKind::kServer);
}

// Scenario: a span has two status messages; the second sets only the code.
// Guarantees: they are merged, as protobuf merges them.
TEST(Views, MergeAStatusThatOccursTwice) {
  std::string first;
  Writer(first).Bytes(2, "boom");
  Writer(first).Varint(3, 1);
  std::string second;
  Writer(second).Varint(3, 2);
  const std::string request = Request([&](Writer& writer) {
    writer.Bytes(15, first);
    writer.Bytes(15, second);
  });
  EXPECT_EQ(FirstSpan(request).status_code(), StatusCode::kError);
  EXPECT_EQ(FirstSpan(request).status_message(), "boom");
}

TEST(Views, ShowTheEntitiesOfAResource) {
  std::string ref;
  Writer ref_writer(ref);
  ref_writer.Bytes(1, "url");
  ref_writer.Bytes(2, "service");
  ref_writer.Bytes(3, "service.name");
  ref_writer.Bytes(3, "service.instance.id");
  ref_writer.Bytes(4, "service.version");
  std::string resource;
  Writer(resource).Bytes(3, ref);
  const ResourceView view(resource);
  ASSERT_EQ(view.entity_refs().Count(), 1u);
  const EntityRefView entity = *view.entity_refs().begin();
  EXPECT_EQ(entity.schema_url(), "url");
  EXPECT_EQ(entity.type(), "service");
  std::vector<std::string> id_keys;
  for (const std::string_view key : entity.id_keys()) id_keys.emplace_back(key);
  EXPECT_EQ(id_keys, (std::vector<std::string>{"service.name", "service.instance.id"}));
  EXPECT_EQ(*entity.description_keys().begin(), "service.version");
}

TEST(Views, TellAnEmptyStringFromNoValue) {
  std::string text;
  Writer(text).Bytes(1, "");
  EXPECT_EQ(ValueView(text).kind(), Kind::kString);
  EXPECT_EQ(ValueView(std::string_view()).kind(), Kind::kNone);
}

TEST(Views, GiveNegativeDurationsAsSent) {
  const std::string request = Request([](Writer& writer) {
    writer.Fixed64(7, 10);
    writer.Fixed64(8, 4);
  });
  EXPECT_EQ(FirstSpan(request).duration_ns(), -6);
}

TEST(Views, FindTheFirstAttributeOfAName) {
  const Value one{.kind = Kind::kInt, .bytes = {}, .scalar = 1, .children = {}};
  const Value two{.kind = Kind::kInt, .bytes = {}, .scalar = 2, .children = {}};
  const std::string request = Request([&](Writer& writer) { WriteAttributes(writer, 9, {{"k", one}, {"k", two}}); });
  const SpanView span = FirstSpan(request);
  ASSERT_TRUE(FindAttribute(span.attributes(), "k"));
  EXPECT_EQ(FindAttribute(span.attributes(), "k")->int_value(), 1);
  EXPECT_FALSE(FindAttribute(span.attributes(), "absent"));
  EXPECT_EQ(span.attributes().Count(), 2u);
  EXPECT_TRUE(span.events().empty());
}

TEST(Views, CallAServiceUnknownThatHasNoName) {
  const auto service_name = [](const Value& value) {
    std::string resource;
    Writer writer(resource);
    WriteAttributes(writer, 1, {{"service.name", value}});
    return std::string(ResourceView(resource).service_name());
  };
  EXPECT_EQ(service_name({.kind = Kind::kString, .bytes = "shop", .scalar = 0, .children = {}}), "shop");
  EXPECT_EQ(service_name({.kind = Kind::kString, .bytes = "", .scalar = 0, .children = {}}), "unknown_service");
  EXPECT_EQ(service_name({.kind = Kind::kInt, .bytes = "", .scalar = 7, .children = {}}), "unknown_service");
  EXPECT_EQ(ResourceView().service_name(), "unknown_service");
}

// The attributes of the recorded span `name` of a file, by key.
std::map<std::string, Value> RecordedAttributes(const std::string& file, std::string_view name) {
  static const auto* const requests = new std::vector<RecordedRequest>(ReadRecordedRequests(".pb"));
  std::map<std::string, Value> found;
  for (const RecordedRequest& request : *requests) {
    if (request.name != file) continue;
    for (const ResourceSpansView resource_spans : TracesView(request.body).resource_spans()) {
      for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) {
        for (const SpanView span : scope_spans.spans()) {
          if (span.name() != name) continue;
          for (const auto& [key, value] : Read(span.attributes())) found[key] = value;
        }
      }
    }
  }
  return found;
}

// Scenario: the span in which the Python SDK sent every kind of value and every limit of each.
// Guarantees: the views give what the script set.
TEST(Views, ReadEveryKindOfValueOfThePythonSdk) {
  auto attributes = RecordedAttributes("sdk-python-grpc/001-checkout.pb", "POST /checkout");
  ASSERT_EQ(attributes.size(), 26u);
  EXPECT_EQ(attributes["s"].bytes, "plain");
  EXPECT_EQ(attributes["empty"].kind, Kind::kString);
  EXPECT_EQ(attributes["b.true"].scalar, 1u);
  EXPECT_EQ(attributes["b.false"].kind, Kind::kBool);
  EXPECT_EQ(static_cast<int64_t>(attributes["i.neg"].scalar), -1);
  EXPECT_EQ(static_cast<int64_t>(attributes["i.min"].scalar), INT64_MIN);
  EXPECT_EQ(std::bit_cast<double>(attributes["d"].scalar), 3.141592653589793);
  EXPECT_TRUE(std::signbit(std::bit_cast<double>(attributes["d.negzero"].scalar)));
  EXPECT_TRUE(std::isnan(std::bit_cast<double>(attributes["d.nan"].scalar)));
  EXPECT_EQ(attributes["arr.s"].children.size(), 3u);
  EXPECT_EQ(attributes["arr.empty"].kind, Kind::kArray);
  EXPECT_EQ(attributes["long"].bytes.size(), 20'000u);
  EXPECT_EQ(attributes["bytes"].bytes, std::string("\0\xff\xfe raw", 7));
}

}  // namespace
}  // namespace spanloom::otlp
