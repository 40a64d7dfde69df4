// SPDX-License-Identifier: Apache-2.0

#include "otlp/editor.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/wire/writer.h"
#include "otlp/writer.h"

namespace spanloom::otlp {
namespace {

using Kind = ValueView::Kind;
using Strings = std::vector<std::string>;

// A Span message with the attributes that `write` writes, and more.
std::string SpanOf(absl::FunctionRef<void(AttributeWriter&)> write) {
  std::string field;
  SpanWriter writer(wire::Writer(field), {.name = "work", .kind = SpanKind::kServer, .start_unix_ns = 1});
  AttributeWriter attributes = writer.attributes();
  write(attributes);
  writer.AddEvent(1, "first", [](AttributeWriter& w) { w.String("secret", "x"); });
  writer.AddEvent(2, "second");
  writer.AddLink({.trace_state = "t"});
  writer.SetStatus(StatusCode::kError, "boom");
  writer.End();
  return std::string((*ScopeSpansView(field).spans().begin()).wire());
}

std::string PlainSpan() {
  return SpanOf([](AttributeWriter& w) { w.Int("a", 1).String("b", "two").Bool("c", true); });
}

// "a=1 b=two": the attributes with integers and strings.
template <typename View>
std::string Attributes(const View& view) {
  std::string text;
  for (const AttributeView attribute : view.attributes()) {
    const ValueView& value = attribute.value();
    text.append(text.empty() ? "" : " ").append(attribute.key()).append("=");
    if (value.kind() == Kind::kString) text.append(value.string_value());
    if (value.kind() == Kind::kInt) text.append(std::to_string(value.int_value()));
    if (value.kind() == Kind::kBool) text.append(value.bool_value() ? "true" : "false");
  }
  return text;
}

TEST(Editor, ChangesNothingWithoutAnEdit) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  EXPECT_FALSE(editor.is_changed());
  EXPECT_EQ(editor.wire().data(), span.data()) << "not even copied";
}

TEST(Editor, SetsAttributesInTheirPlaceOrBehindAllElse) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  editor.SetString("d", "new");
  editor.SetInt("b", 2);
  EXPECT_EQ(Attributes(editor.view()), "a=1 b=2 c=true d=new");
  EXPECT_TRUE(editor.is_changed());
  EXPECT_EQ(Attributes(SpanView(span)), "a=1 b=two c=true") << "the original was changed";
}

TEST(Editor, FindsThatAnEditHasChangedNothing) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  editor.SetInt("a", 1);
  editor.SetName("work");
  editor.SetStatusCode(StatusCode::kError);
  editor.SetStatusMessage("boom");
  EXPECT_FALSE(editor.DeleteAttribute("none"));
  EXPECT_FALSE(editor.is_changed());
  editor.SetInt("a", 2);
  EXPECT_TRUE(editor.is_changed());
  editor.SetInt("a", 1);
  EXPECT_FALSE(editor.is_changed()) << "back as it was";
}

TEST(Editor, SetsEveryKindOfValue) {
  const std::string span = SpanOf([](AttributeWriter&) {});
  SpanEditor editor;
  editor.Begin(span);
  editor.SetBool("bool", true);
  editor.SetDouble("double", 0.5);
  editor.SetBytes("bytes", "raw");
  editor.SetEncoded("none", {});
  editor.SetEncoded("array", EncodeArray([](ArrayWriter& w) { w.Int(1).Int(2); }));
  editor.SetEncoded("map", EncodeMap([](AttributeWriter& w) { w.Int("k", 3); }));
  const auto& attributes = editor.view().attributes();
  EXPECT_TRUE(FindAttribute(attributes, "bool")->bool_value());
  EXPECT_EQ(FindAttribute(attributes, "double")->double_value(), 0.5);
  EXPECT_EQ(FindAttribute(attributes, "bytes")->bytes_value(), "raw");
  EXPECT_EQ(FindAttribute(attributes, "none")->kind(), Kind::kNone);
  EXPECT_EQ(FindAttribute(attributes, "array")->array().Count(), 2u);
  EXPECT_EQ(FindAttribute(FindAttribute(attributes, "map")->map(), "k")->int_value(), 3);
}

TEST(Editor, ReadsWhatItWasToldBeforeItIsApplied) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  EXPECT_EQ(editor.FindAttribute("a")->int_value(), 1);
  editor.SetInt("a", 5);
  EXPECT_EQ(editor.FindAttribute("a")->int_value(), 5);
  EXPECT_TRUE(editor.DeleteAttribute("a"));
  EXPECT_FALSE(editor.FindAttribute("a"));
  EXPECT_FALSE(editor.DeleteAttribute("a"));
  editor.SetInt("a", 6);
  EXPECT_EQ(editor.FindAttribute("a")->int_value(), 6);
  EXPECT_EQ(Attributes(editor.view()), "a=6 b=two c=true");
}

TEST(Editor, DeletesAndReplacesAllAttributesOfAName) {
  const std::string span = SpanOf([](AttributeWriter& w) { w.Int("k", 1).Int("x", 0).Int("k", 2).Int("k", 3); });
  SpanEditor editor;
  editor.Begin(span);
  editor.SetInt("k", 9);
  EXPECT_EQ(Attributes(editor.view()), "k=9 x=0");
  editor.Begin(span);
  EXPECT_TRUE(editor.DeleteAttribute("k"));
  EXPECT_EQ(Attributes(editor.view()), "x=0");
}

TEST(Editor, Renames) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  EXPECT_TRUE(editor.RenameAttribute("a", "z"));
  EXPECT_TRUE(editor.RenameAttribute("b", "c"));
  EXPECT_FALSE(editor.RenameAttribute("none", "y"));
  EXPECT_TRUE(editor.RenameAttribute("z", "z"));
  EXPECT_EQ(Attributes(editor.view()), "c=two z=1");
}

// Scenario: what an editor has given out, both before and after edits are applied, is what the next edit sets.
// Guarantees: it is copied before anything moves.
TEST(Editor, TakesItsOwnValues) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  editor.SetString("long", std::string(5000, 'l'));
  for (int i = 0; i < 20; ++i) {
    editor.SetEncoded("copy" + std::to_string(i), editor.FindAttribute("long")->wire());
    if (i % 3 == 0) editor.SetName(FindAttribute(editor.view().attributes(), "long")->string_value());
    editor.SetString("long", editor.FindAttribute("long")->string_value());
  }
  EXPECT_EQ(editor.view().name(), std::string(5000, 'l'));
  EXPECT_EQ(FindAttribute(editor.view().attributes(), "copy19")->string_value(), std::string(5000, 'l'));
}

TEST(Editor, RewritesAllAttributes) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  editor.SetInt("d", 4);
  editor.RewriteAttributes([](const AttributeView& attribute, AttributeWriter& writer) {
    if (attribute.key() == "a") return;
    if (attribute.key() == "b") {
      writer.String("b", "short").String("b2", "added");
    } else {
      writer.Copy(attribute);
    }
  });
  EXPECT_EQ(Attributes(editor.view()), "b=short b2=added c=true d=4");
}

TEST(Editor, SetsAndClearsTheFieldsOfASpan) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  TraceId trace_id;
  trace_id.bytes.fill(1);
  SpanId span_id;
  span_id.bytes.fill(2);
  editor.SetTraceId(trace_id);
  editor.SetSpanId(span_id);
  editor.SetParentSpanId(span_id);
  editor.SetTraceState("k=v");
  editor.SetName("");
  editor.SetKind(static_cast<SpanKind>(-1));
  editor.SetStartTime(7);
  editor.SetEndTime(8);
  editor.SetFlags(9);
  editor.SetDroppedAttributesCount(10);
  editor.SetDroppedEventsCount(11);
  editor.SetDroppedLinksCount(12);
  const SpanView& view = editor.view();
  EXPECT_EQ(view.trace_id(), trace_id);
  EXPECT_EQ(view.span_id(), span_id);
  EXPECT_EQ(view.parent_span_id(), span_id);
  EXPECT_EQ(view.trace_state(), "k=v");
  EXPECT_EQ(view.name(), "");
  EXPECT_EQ(static_cast<int>(view.kind()), -1);
  EXPECT_EQ(view.start_unix_ns(), 7u);
  EXPECT_EQ(view.end_unix_ns(), 8u);
  EXPECT_EQ(view.flags(), 9u);
  EXPECT_EQ(view.dropped_attributes_count(), 10u);
  EXPECT_EQ(view.dropped_events_count(), 11u);
  EXPECT_EQ(view.dropped_links_count(), 12u);
  EXPECT_EQ(Attributes(view), "a=1 b=two c=true");
}

TEST(Editor, SetsPartsOfAStatus) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  editor.SetStatusMessage("other");
  EXPECT_EQ(editor.view().status_code(), StatusCode::kError);
  EXPECT_EQ(editor.view().status_message(), "other");
  editor.SetStatusCode(StatusCode::kUnset);
  EXPECT_EQ(editor.view().status_code(), StatusCode::kUnset);
  EXPECT_EQ(editor.view().status_message(), "other");
  editor.Begin({});
  editor.SetStatusCode(StatusCode::kOk);
  editor.SetStatusMessage("m");
  EXPECT_EQ(editor.view().status_code(), StatusCode::kOk);
  EXPECT_EQ(editor.view().status_message(), "m");
}

TEST(Editor, EditsAndDropsEventsAndLinks) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  editor.EditEvents([](EventEditor& event) {
    event.DeleteAttribute("secret");
    return event.view().name() == "second" ? Fate::kDrop : Fate::kKeep;
  });
  editor.EditLinks([](LinkEditor& link) {
    link.SetString("k", "v");
    return Fate::kKeep;
  });
  ASSERT_EQ(editor.view().events().Count(), 1u);
  const EventView event = *editor.view().events().begin();
  EXPECT_EQ(event.name(), "first");
  EXPECT_TRUE(event.attributes().empty());
  const LinkView link = *editor.view().links().begin();
  EXPECT_EQ(link.trace_state(), "t");
  EXPECT_EQ(Attributes(link), "k=v");
}

TEST(Editor, ReplacesEvents) {
  const std::string span = PlainSpan();
  SpanEditor events;
  events.Begin(span);
  EventEditor event;
  const std::string first((*events.view().events().begin()).wire());
  event.Begin(first);
  event.SetName("new");
  const std::string replacement(event.wire());
  size_t seen = 0;
  events.ReplaceEvents([&](std::string_view) -> std::optional<std::string_view> {
    return seen++ == 0 ? std::optional<std::string_view>(replacement) : std::nullopt;
  });
  std::vector<std::string> names;
  for (const EventView left : events.view().events()) names.emplace_back(left.name());
  EXPECT_EQ(names, (std::vector<std::string>{"new", "second"}));
}

TEST(Editor, FindsThatNoEventHasChanged) {
  const std::string span = PlainSpan();
  SpanEditor editor;
  editor.Begin(span);
  editor.EditEvents([](EventEditor& event) {
    event.DeleteAttribute("none");
    return Fate::kKeep;
  });
  EXPECT_FALSE(editor.is_changed());
}

// Scenario: a span with unknown fields of every wire type between the known ones, and in its event and status.
// Guarantees: after edits around them, all are there, as they were, in the same order.
TEST(Editor, KeepsUnknownFields) {
  const std::string unknown = std::string("\xa0\x06\x01") + "\xaa\x06\x01x" + "\xb3\x06\x08\x01\xb4\x06" +
                              "\xbd\x06"
                              "1234" +
                              "\xc1\x06"
                              "12345678";
  std::string span = unknown;
  wire::Writer writer(span);
  writer.Bytes(field::Span::kName, "n");
  writer.Raw(unknown);
  AttributeWriter(writer, field::Span::kAttributes).Int("a", 1);
  writer.Raw(unknown);
  writer.Bytes(field::Span::kStatus, unknown);
  writer.Bytes(field::Span::kEvents, unknown);

  SpanEditor editor;
  editor.Begin(span);
  editor.SetName("m");
  editor.SetInt("a", 2);
  editor.SetStatusMessage("s");
  editor.EditEvents([](EventEditor& event) {
    event.SetName("e");
    return Fate::kKeep;
  });

  std::string expected = unknown;
  wire::Writer expected_writer(expected);
  expected_writer.Bytes(field::Span::kName, "m");
  expected_writer.Raw(unknown);
  AttributeWriter(expected_writer, field::Span::kAttributes).Int("a", 2);
  expected_writer.Raw(unknown);
  expected_writer.Bytes(field::Span::kStatus, unknown + "\x12\x01s");
  expected_writer.Bytes(field::Span::kEvents, unknown +
                                                  "\x12\x01"
                                                  "e");
  EXPECT_EQ(editor.wire(), expected);
}

TEST(Editor, EditsResourcesAndScopes) {
  const std::string resource = EncodeResource([](AttributeWriter& w) { w.String("service.name", "a"); });
  ResourceEditor resource_editor;
  resource_editor.Begin(resource);
  resource_editor.SetString("service.name", "b");
  resource_editor.SetString("k8s.pod.name", "p");
  resource_editor.SetDroppedAttributesCount(3);
  EXPECT_EQ(resource_editor.view().service_name(), "b");
  EXPECT_EQ(Attributes(resource_editor.view()), "service.name=b k8s.pod.name=p");
  EXPECT_EQ(resource_editor.view().dropped_attributes_count(), 3u);

  const std::string scope = EncodeScope({.name = "lib", .version = "1"});
  ScopeEditor scope_editor;
  scope_editor.Begin(scope);
  scope_editor.SetVersion("2");
  scope_editor.SetBool("k", true);
  EXPECT_EQ(scope_editor.view().name(), "lib");
  EXPECT_EQ(scope_editor.view().version(), "2");
  EXPECT_EQ(Attributes(scope_editor.view()), "k=true");
}

}  // namespace
}  // namespace spanloom::otlp
