// SPDX-License-Identifier: Apache-2.0

#include "sdk/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"
#include "base/utf8.h"
#include "otlp/validate.h"
#include "otlp/views.h"
#include "sdk/testing/kept_spans.h"

namespace spanloom::sdk {
namespace {

using otlp::SpanKind;
using otlp::StatusCode;

class TracerTest : public testing::Test {
 protected:
  SimClock clock_;
  KeptSpans kept_;
};

TraceContext Remote(uint8_t flags) {
  TraceContext context = *ParseTraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  context.flags = flags;
  context.is_remote = true;
  context.trace_state = "a=1";
  context.baggage = "k=v";
  return context;
}

// Scenario: a root with every kind of content, and a child.
// Guarantees: the sink gets them as they were set, in time by the clock, the child in the root's trace.
TEST_F(TracerTest, RecordsWhatIsSet) {
  const Tracer tracer(Sampler::AlwaysOn(), clock_, Rng(7), kept_);
  Span root = tracer.Start("root", SpanKind::kServer);
  clock_.Advance(5);
  Span child = tracer.Start("child", SpanKind::kInternal, root.context());
  child.SetString("s", "text").SetInt("i", -1).SetDouble("d", 0.5).SetBool("b", true).SetInt("i", 2);
  child.AddEvent("happened", {{"n", int64_t{3}}}).AddLink(Remote(0)).AddLink({});
  child.SetStatus(StatusCode::kError, "broken");
  clock_.Advance(10);
  child.End();
  root.End();

  ASSERT_EQ(kept_.spans().size(), 2u);
  const SpanRecord& record = *kept_.spans()[0];
  EXPECT_EQ(record.name, "child");
  EXPECT_EQ(record.context.trace_id, root.context().trace_id);
  EXPECT_EQ(record.parent, root.context().span_id);
  EXPECT_FALSE(record.parent_is_remote);
  EXPECT_EQ(record.end_unix_ns - record.start_unix_ns, 10);
  EXPECT_EQ(record.start_unix_ns, clock_.UnixNs() - 10);
  ASSERT_EQ(record.attributes.size(), 4u);
  EXPECT_EQ(std::get<int64_t>(record.attributes[1].value), 2);
  EXPECT_EQ(record.events.size(), 1u);
  EXPECT_EQ(record.links.size(), 1u);
  EXPECT_EQ(record.status_message, "broken");
  EXPECT_TRUE(kept_.spans()[1]->parent.IsZero());
  EXPECT_EQ(record.context.flags, kSampledFlag | kRandomFlag);  // our trace ids are random
  EXPECT_TRUE(root.context().IsValid());                        // still, for whoever was slow
}

// Scenario: a parent from another process, sampled and not, under a sampler that follows it.
// Guarantees: the child is in its trace with its tracestate and baggage, and what goes on says whether it is sampled.
TEST_F(TracerTest, ContinuesARemoteTrace) {
  const Tracer tracer(Sampler::ParentBased(Sampler::AlwaysOff()), clock_, Rng(7), kept_);
  Span sampled = tracer.Start("a", SpanKind::kServer, Remote(kSampledFlag | kRandomFlag));
  EXPECT_TRUE(sampled.is_recording());
  EXPECT_EQ(sampled.context().flags, kSampledFlag | kRandomFlag);
  EXPECT_EQ(sampled.context().trace_state, "a=1");
  EXPECT_EQ(sampled.context().baggage, "k=v");
  EXPECT_FALSE(sampled.context().is_remote);
  sampled.End();
  EXPECT_TRUE(kept_.spans()[0]->parent_is_remote);

  Span dropped = tracer.Start("b", SpanKind::kServer, Remote(0));
  EXPECT_FALSE(dropped.is_recording());
  EXPECT_EQ(dropped.context().trace_id, Remote(0).trace_id);
  EXPECT_NE(dropped.context().span_id, Remote(0).span_id);
  EXPECT_FALSE(dropped.context().is_sampled());
  dropped.SetInt("i", 1).AddEvent("e").End();
  EXPECT_EQ(kept_.spans().size(), 1u);
}

// Scenario: a tracer that is off; spans that are moved, and one that is never ended.
// Guarantees: nothing from the first; each of the others ends once.
TEST_F(TracerTest, EndsEachSpanOnce) {
  EXPECT_FALSE(Tracer::None().Start("x", SpanKind::kServer, Remote(kSampledFlag)).is_recording());
  const Tracer tracer(Sampler::AlwaysOn(), clock_, Rng(7), kept_);
  Span span = tracer.Start("a", SpanKind::kInternal);
  Span moved = std::move(span);
  moved = tracer.Start("b", SpanKind::kInternal);
  EXPECT_EQ(kept_.spans().size(), 1u);
  { const Span forgotten = std::move(moved); }
  EXPECT_EQ(kept_.spans().size(), 2u);
}

// Scenario: more attributes, events and links than a span may have.
// Guarantees: the limits hold and what is missing is counted.
TEST_F(TracerTest, KeepsToItsLimits) {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> names;
    for (size_t i = 0; i < SpanLimits().attributes + 3; ++i) names.push_back(StrCat("k", i));
    return names;
  }();
  const Tracer tracer(Sampler::AlwaysOn(), clock_, Rng(7), kept_);
  Span span = tracer.Start("a", SpanKind::kInternal);
  for (const std::string& key : keys) span.SetBool(key, true);
  for (size_t i = 0; i < SpanLimits().events + 2; ++i) span.AddEvent("e");
  for (size_t i = 0; i < SpanLimits().links + 1; ++i) span.AddLink(Remote(0));
  span.End();
  const SpanRecord& record = *kept_.spans()[0];
  EXPECT_EQ(record.attributes.size(), SpanLimits().attributes);
  EXPECT_EQ(record.dropped.attributes, 3u);
  EXPECT_EQ(record.dropped.events, 2u);
  EXPECT_EQ(record.dropped.links, 1u);
}

// Scenario: four threads start spans of one tracer.
// Guarantees: no id comes twice.
TEST_F(TracerTest, GivesEachSpanItsOwnIds) {
  const Tracer tracer(Sampler::AlwaysOn(), clock_, Rng(7), kept_);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) tracer.Start("x", SpanKind::kInternal).End();
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<otlp::SpanId> span_ids;
  std::set<otlp::TraceId> trace_ids;
  for (const auto& span : kept_.spans()) {
    span_ids.insert(span->context.span_id);
    trace_ids.insert(span->context.trace_id);
  }
  EXPECT_EQ(span_ids.size(), 2'000u);
  EXPECT_EQ(trace_ids.size(), 2'000u);
}

// Scenario: a full record is encoded.
// Guarantees: a valid request that says the same: ids, parent, remote flag, times, attributes, event, link, status.
TEST_F(TracerTest, EncodesWhatWasRecorded) {
  const Tracer tracer(Sampler::AlwaysOn(), clock_, Rng(7), kept_);
  Span span = tracer.Start("a", SpanKind::kServer, Remote(kSampledFlag));
  span.SetString("receiver", "otlp").SetInt("accepted_spans", 12).AddEvent("e").AddLink(Remote(0));
  span.SetStatus(StatusCode::kError, "m").End();
  const std::vector<std::string> scopes = {otlp::EncodeScope({.name = "spanloom"})};
  const std::string wire = EncodeRequest(kept_.spans(), otlp::EncodeResource(otlp::WriteNoAttributes), scopes);
  const auto stats = otlp::ValidateTraces(wire);
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->spans, 1u);
  for (const otlp::ResourceSpansView resource_spans : otlp::TracesView(wire).resource_spans()) {
    for (const otlp::ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      for (const otlp::SpanView view : scope_spans.spans()) {
        EXPECT_EQ(view.trace_id(), Remote(0).trace_id);
        EXPECT_EQ(view.parent_span_id(), Remote(0).span_id);
        EXPECT_EQ(view.trace_state(), "a=1");
        EXPECT_EQ(view.flags(), 0x301u);
        EXPECT_EQ(view.kind(), SpanKind::kServer);
        EXPECT_EQ(view.attributes().Count(), 2u);
        EXPECT_EQ(view.events().Count(), 1u);
        EXPECT_EQ(view.links().Count(), 1u);
        EXPECT_EQ(view.status_message(), "m");
      }
    }
  }
}

// Scenario: a tracer that is off, below a parent from another process.
// Guarantees: what goes on is what came in, so that the trace does not end here.
TEST_F(TracerTest, PassesTheContextOnWhereItIsOff) {
  const Tracer off(Propagation{.has_b3 = true});
  EXPECT_FALSE(off.is_on());
  EXPECT_TRUE(off.propagation().has_b3);
  const Span span = off.Start("x", SpanKind::kServer, Remote(kSampledFlag));
  EXPECT_FALSE(span.is_recording());
  EXPECT_EQ(span.context(), Remote(kSampledFlag));
  EXPECT_FALSE(off.Start("x", SpanKind::kServer).context().IsValid());
}

// Scenario: limits of one or two of everything, and of three characters for a text, wherever it stands.
// Guarantees: they hold, what is missing is counted where it is missing, and no character is cut in two.
TEST_F(TracerTest, KeepsToTheLimitsThatItIsGiven) {
  const SpanLimits limits = {.attributes = 2,
                             .events = 1,
                             .links = 1,
                             .event_attributes = 1,
                             .link_attributes = 0,
                             .text_length = 3,
                             .other_text_length = 2};
  const Tracer tracer(Sampler::AlwaysOn(), clock_, Rng(7), kept_, {.limits = limits});
  Span span = tracer.Start("a", SpanKind::kInternal);
  const std::vector<std::string> list = {"abcd", "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"};
  span.SetString("text", "\xC3\xA9zzz").SetStrings("list", list).SetInt("more", 1).SetInt("", 1);
  span.AddEvent("e", {{"t", std::string("xyz")}, {"u", int64_t{1}}}).AddEvent("f");
  span.AddLink(Remote(0), {{"t", true}}).AddLink(Remote(0));
  span.End();
  const SpanRecord& record = *kept_.spans()[0];
  ASSERT_EQ(record.attributes.size(), 2u);
  EXPECT_EQ(std::get<std::string>(record.attributes[0].value), "\xC3\xA9zz");
  const std::vector<std::string> cut = {"abc", "\xC3\xA9\xC3\xA9\xC3\xA9"};
  EXPECT_EQ(std::get<ListValue>(record.attributes[1].value).any_value, ListValue::Of(cut, 99).any_value);
  EXPECT_EQ(record.dropped.attributes, 2u);
  EXPECT_EQ(record.dropped.events, 1u);
  EXPECT_EQ(record.dropped.links, 1u);
  EXPECT_EQ(std::get<std::string>(record.events[0].attributes[0].value), "xy");
  EXPECT_EQ(record.events[0].dropped_attributes, 1u);
  EXPECT_EQ(record.links[0].dropped_attributes, 1u);
}

// Scenario: statuses one after the other.
// Guarantees: OpenTelemetry's order: unset changes nothing, an error may be mended, what is OK stays so.
TEST_F(TracerTest, KeepsTheStatusThatCounts) {
  const Tracer tracer(Sampler::AlwaysOn(), clock_, Rng(7), kept_);
  Span span = tracer.Start("a", SpanKind::kInternal);
  span.SetStatus(StatusCode::kError, "broken").SetStatus(StatusCode::kUnset).End();
  span = tracer.Start("b", SpanKind::kInternal);
  span.SetStatus(StatusCode::kError, "broken").SetStatus(StatusCode::kOk, "x").SetStatus(StatusCode::kError, "y").End();
  EXPECT_EQ(kept_.spans()[0]->status, StatusCode::kError);
  EXPECT_EQ(kept_.spans()[0]->status_message, "broken");
  EXPECT_EQ(kept_.spans()[1]->status, StatusCode::kOk);
  EXPECT_EQ(kept_.spans()[1]->status_message, "");
}

// Scenario: 500 spans that are started on one thread, get a child and an attribute on a second, and end on a third,
// while others do the same.
// Guarantees: each ends once, with what was set; ThreadSanitizer sees no race.
TEST_F(TracerTest, SpansWanderFromThreadToThread) {
  const Tracer tracer(Sampler::AlwaysOn(), clock_, Rng(7), kept_);
  std::vector<Span> spans;
  for (int i = 0; i < 500; ++i) spans.push_back(tracer.Start("stream", SpanKind::kServer));
  const auto on_threads = [&](auto&& work) {
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = t; i < spans.size(); i += 2) work(spans[i]);
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  on_threads([&](Span& span) {
    tracer.Start("leg", SpanKind::kClient, span.context()).SetInt("n", 1).End();
    span.SetString("k", "v").AddEvent("first byte");
  });
  on_threads([](Span& span) { span.End(); });
  ASSERT_EQ(kept_.spans().size(), 1'000u);
  for (const auto& record : kept_.spans()) EXPECT_EQ(record->attributes.size(), 1u);
}

// Scenario: spans of two scopes of three, with lists, links with attributes, and bytes that are not UTF-8 in every
// text. Guarantees: a request that is valid, texts included; each span below its own scope, none below the third.
TEST_F(TracerTest, EncodesScopesListsAndReadableTexts) {
  const Tracer first(Sampler::AlwaysOn(), clock_, Rng(7), kept_, {.scope = 0});
  const Tracer third(Sampler::AlwaysOn(), clock_, Rng(8), kept_, {.scope = 2});
  const std::vector<int64_t> numbers = {1, -1};
  first.Start("\xFF", SpanKind::kInternal).SetInts("list", numbers).AddLink(Remote(0), {{"why", true}}).End();
  Span bad = third.Start("b", SpanKind::kInternal);
  bad.SetString("t", "\xC3").AddEvent("\xFE", {{"t", std::string("\xFD")}}).SetStatus(StatusCode::kError, "\xFC");
  bad.End();
  first.Start("c", SpanKind::kInternal).End();
  const std::vector<std::string> scopes = {otlp::EncodeScope({.name = "one"}), otlp::EncodeScope({.name = "two"}),
                                           otlp::EncodeScope({.name = "three"})};
  const std::string wire = EncodeRequest(kept_.spans(), "", scopes);
  ASSERT_TRUE(otlp::ValidateTraces(wire).ok());
  std::vector<std::string> found;
  for (const otlp::ResourceSpansView resource_spans : otlp::TracesView(wire).resource_spans()) {
    for (const otlp::ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      for (const otlp::SpanView view : scope_spans.spans()) {
        found.push_back(StrCat(scope_spans.scope().name(), ":", view.name()));
        EXPECT_TRUE(IsUtf8(view.status_message()));
      }
    }
  }
  EXPECT_EQ(found, (std::vector<std::string>{"one:\xEF\xBF\xBD", "one:c", "three:b"}));
  size_t replaced = 0;
  for (size_t at = wire.find("\xEF\xBF\xBD"); at != std::string::npos; at = wire.find("\xEF\xBF\xBD", at + 1))
    ++replaced;
  EXPECT_EQ(replaced, 5u);  // name, attribute, event, its attribute, message
}

}  // namespace
}  // namespace spanloom::sdk
