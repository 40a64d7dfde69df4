// SPDX-License-Identifier: Apache-2.0
//
// Edits and splits of slices; batch_test.cc has the rest.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "otlp/batch.h"
#include "otlp/request.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/writer.h"

namespace spanloom::otlp {
namespace {

using Strings = std::vector<std::string>;

Slice Read(std::string wire) {
  auto slice = ReadTraces(Bytes(std::move(wire)));
  EXPECT_TRUE(slice.ok()) << slice.status();
  return *std::move(slice);
}

// The services a and b with the scopes 1 and 2 each, with two spans each: "a11" to "b22".
Slice TwoServices() {
  std::string wire;
  RequestWriter request(wire);
  for (const std::string service : {"a", "b"}) {
    request.BeginResource(EncodeResource([&](AttributeWriter& w) { w.String("service.name", service); }));
    for (const std::string scope : {"1", "2"}) {
      request.BeginScope(EncodeScope({.name = scope}));
      for (const char* span : {"1", "2"}) {
        const std::string name = service + scope + span;
        SpanWriter writer = request.BeginSpan({.name = name});
        writer.attributes().String("name", name);
        writer.End();
      }
    }
  }
  request.End();
  return Read(std::move(wire));
}

// "service/scope/span" of each span.
Strings Names(const Slice& slice) {
  Strings names;
  slice.ForEach([&](const SpanContext& context) {
    std::string name(context.resource.service_name());
    names.push_back(name.append("/").append(context.scope.name()).append("/").append(context.span.name()));
  });
  return names;
}

std::string Copy(const Slice& slice) {
  std::string out;
  slice.AppendTo(out);
  return out;
}

// What an exporter would send is what a visit shows.
void ExpectCopyShowsTheSame(const Slice& slice) {
  EXPECT_EQ(Names(Read(Copy(slice))), Names(slice));
}

size_t RenameSpans(Slice& slice, std::string_view from, std::string_view to) {
  return slice.EditSpans([&](SpanEditContext& context) {
    if (context.span().view().name() == from) context.span().SetName(to);
  });
}

TEST(SliceEdit, ReplacesOneSpanAndNothingElse) {
  Slice slice = TwoServices();
  EXPECT_EQ(RenameSpans(slice, "a12", "renamed"), 1u);
  EXPECT_EQ(Names(slice),
            (Strings{"a/1/a11", "a/1/renamed", "a/2/a21", "a/2/a22", "b/1/b11", "b/1/b12", "b/2/b21", "b/2/b22"}));
  EXPECT_FALSE(slice.is_whole());
  ExpectCopyShowsTheSame(slice);
}

TEST(SliceEdit, LeavesASliceAsItWasWithoutAnEffectiveEdit) {
  Slice slice = TwoServices();
  const size_t held = slice.held_bytes();
  EXPECT_EQ(RenameSpans(slice, "none", "x"), 0u);
  EXPECT_EQ(RenameSpans(slice, "a11", "a11"), 0u);
  EXPECT_EQ(slice.EditResources([](ResourceEditor& resource) { resource.DeleteAttribute("none"); }), 0u);
  EXPECT_TRUE(slice.is_whole());
  EXPECT_EQ(slice.held_bytes(), held);
}

TEST(SliceEdit, ChangesAResourceForAllOfItsSpans) {
  Slice slice = TwoServices();
  EXPECT_EQ(slice.EditResources([](ResourceEditor& resource) {
    if (resource.view().service_name() == "a") resource.SetString("service.name", "A");
  }),
            1u);
  EXPECT_EQ(Names(slice),
            (Strings{"A/1/a11", "A/1/a12", "A/2/a21", "A/2/a22", "b/1/b11", "b/1/b12", "b/2/b21", "b/2/b22"}));
  ExpectCopyShowsTheSame(slice);
}

// Each schema URL, of resources and then of scopes, with a space behind it.
std::string SchemaUrls(std::string_view request) {
  std::string resources;
  std::string scopes;
  for (const ResourceSpansView resource : TracesView(request).resource_spans()) {
    resources.append(resource.schema_url()).append(" ");
    for (const ScopeSpansView scope : resource.scope_spans()) scopes.append(scope.schema_url()).append(" ");
  }
  return resources + "| " + scopes;
}

// Scenario: the schema URLs of a resource and a scope are set, changed and taken away, in edits of their own.
// Guarantees: a visit and what an exporter would send have the new ones, all others stay, and so do the messages; one
//   that is as it was costs nothing.
TEST(SliceEdit, ChangesSchemaUrls) {
  Slice slice = TwoServices();
  const auto set = [&](std::string_view resource_url, std::string_view scope_url) {
    return slice.EditSpans([&](SpanEditContext& context) {
      if (context.begins_resource() && context.resource().view().service_name() == "a") {
        context.resource_schema_url().Set(resource_url);
      }
      if (context.begins_scope() && context.scope().view().name() == "2") context.scope_schema_url().Set(scope_url);
    });
  };
  EXPECT_EQ(set("", ""), 0u);
  EXPECT_TRUE(slice.is_whole());
  EXPECT_EQ(set("r", "s"), 3u);
  EXPECT_EQ(SchemaUrls(Copy(slice)), "r  |  s  s ");
  std::string seen;
  slice.ForEach([&](const SpanContext& context) {
    seen.append(context.resource_schema_url).append(context.scope_schema_url).append(",");
  });
  EXPECT_EQ(seen, "r,r,rs,rs,,,s,s,");
  ExpectCopyShowsTheSame(slice);

  Slice received = Read(Copy(slice));
  std::swap(slice, received);
  EXPECT_EQ(set("r", "s"), 0u);
  EXPECT_TRUE(slice.is_whole());
  EXPECT_EQ(set("", "longer"), 3u);
  EXPECT_EQ(SchemaUrls(Copy(slice)), "  |  longer  longer ");
  ExpectCopyShowsTheSame(slice);
  EXPECT_EQ(SchemaUrls(received.wire().view()), "  |     ");
}

TEST(SliceEdit, ChangesScopes) {
  Slice slice = TwoServices();
  EXPECT_EQ(slice.EditScopes([](ScopeEditor& scope) {
    if (scope.view().name() == "2") scope.SetName("two");
  }),
            2u);
  EXPECT_EQ(Names(slice).at(2), "a/two/a21");
  ExpectCopyShowsTheSame(slice);
}

TEST(SliceEdit, AddsAResourceAndAScopeWhereThereWereNone) {
  std::string wire;
  wire::Writer writer(wire);
  const auto resource_spans = writer.Begin(1);
  const auto scope_spans = writer.Begin(2);
  SpanWriter(writer, {.name = "s"}).End();
  writer.End(scope_spans);
  writer.End(resource_spans);
  Slice slice = Read(wire);
  slice.EditResources([](ResourceEditor& resource) { resource.SetString("service.name", "new"); });
  slice.EditScopes([](ScopeEditor& scope) { scope.SetName("lib"); });
  EXPECT_EQ(Names(slice), (Strings{"new/lib/s"}));
  ExpectCopyShowsTheSame(slice);
}

TEST(SliceEdit, EditsResourceAndScopeFromTheirSpans) {
  Slice slice = TwoServices();
  Strings seen;
  slice.EditSpans([&](SpanEditContext& context) {
    const SpanContext now = context.context();
    seen.push_back(std::string(now.resource.service_name()) + std::string(now.scope.name()));
    if (now.span.name() == "a12") context.resource().SetString("service.name", "A");
    if (now.span.name() == "b21") context.scope().SetName("two");
  });
  EXPECT_EQ(seen, (Strings{"a1", "a1", "A2", "A2", "b1", "b1", "b2", "btwo"})) << "later spans see earlier edits";
  EXPECT_EQ(Names(slice),
            (Strings{"A/1/a11", "A/1/a12", "A/2/a21", "A/2/a22", "b/1/b11", "b/1/b12", "b/two/b21", "b/two/b22"}));
  ExpectCopyShowsTheSame(slice);
}

// Scenario: a slice whose first span is not left.
// Guarantees: the first span that is visited of a resource and of a scope says so.
TEST(SliceEdit, TellsWhereResourcesAndScopesBegin) {
  Slice slice = TwoServices();
  EXPECT_EQ(slice.DropIf([](const SpanContext& context) { return context.span.name() == "a11"; }), 1u);
  Strings resources;
  Strings scopes;
  slice.EditSpans([&](SpanEditContext& context) {
    const std::string name(context.span().view().name());
    if (context.begins_resource()) resources.push_back(name);
    if (context.begins_scope()) scopes.push_back(name);
  });
  EXPECT_EQ(resources, (Strings{"a12", "b11"}));
  EXPECT_EQ(scopes, (Strings{"a12", "a21", "b11", "b21"}));
}

TEST(SliceEdit, EditsWhatWasEdited) {
  Slice slice = TwoServices();
  RenameSpans(slice, "a11", std::string(1000, 'x'));
  const size_t held = slice.held_bytes();
  RenameSpans(slice, std::string(1000, 'x'), "short");
  EXPECT_EQ(Names(slice).at(0), "a/1/short");
  EXPECT_LT(slice.held_bytes(), held) << "the first edit is held though nothing uses it";
  RenameSpans(slice, "b22", "last");
  EXPECT_EQ(Names(slice).at(0), "a/1/short");
  EXPECT_EQ(Names(slice).at(7), "b/2/last");
  ExpectCopyShowsTheSame(slice);
}

// Scenario: two slices made from one, as a fan-out makes them; both are edited.
// Guarantees: each sees its own edits and those made before the copy; the received bytes are shared and unchanged.
TEST(SliceEdit, IsNotSeenInOtherSlices) {
  Slice original = TwoServices();
  const std::string received(original.wire().view());
  RenameSpans(original, "a11", "common");
  Slice copy = original;
  RenameSpans(copy, "a12", "only in the copy");
  RenameSpans(original, "common", "only in the original");
  EXPECT_EQ(Names(copy).at(0), "a/1/common");
  EXPECT_EQ(Names(copy).at(1), "a/1/only in the copy");
  EXPECT_EQ(Names(original).at(0), "a/1/only in the original");
  EXPECT_EQ(Names(original).at(1), "a/1/a12");
  EXPECT_EQ(copy.wire().data(), original.wire().data());
  EXPECT_EQ(original.wire().view(), received);
}

TEST(SliceEdit, DropsEditedSpansAndEditsWhatIsLeft) {
  Slice slice = TwoServices();
  RenameSpans(slice, "a11", "edited");
  EXPECT_EQ(slice.DropIf([](const SpanContext& context) { return context.span.name() == "edited"; }), 1u);
  size_t visited = 0;
  slice.EditSpans([&](SpanEditContext& context) {
    ++visited;
    context.span().SetName("all");
  });
  EXPECT_EQ(visited, 7u);
  EXPECT_EQ(Names(slice).at(0), "a/1/all");
  ExpectCopyShowsTheSame(slice);
}

TEST(SliceEdit, VisitsOnlyResourcesWithSpansLeft) {
  Slice slice = TwoServices();
  slice.DropIf([](const SpanContext& context) { return context.resource.service_name() == "a"; });
  Strings visited;
  slice.EditResources([&](ResourceEditor& resource) { visited.emplace_back(resource.view().service_name()); });
  EXPECT_EQ(visited, (Strings{"b"}));
}

TEST(SliceSplit, TakesSpansFromTheFront) {
  Slice rest = TwoServices();
  const char* bytes = rest.wire().data();
  const Slice front = rest.TakeFront(3);
  EXPECT_EQ(Names(front), (Strings{"a/1/a11", "a/1/a12", "a/2/a21"}));
  EXPECT_EQ(rest.span_count(), 5u);
  const Slice second = rest.TakeFront(3);
  EXPECT_EQ(Names(second), (Strings{"a/2/a22", "b/1/b11", "b/1/b12"}));
  const Slice third = rest.TakeFront(100);
  EXPECT_EQ(Names(third), (Strings{"b/2/b21", "b/2/b22"}));
  EXPECT_EQ(rest.span_count(), 0u);
  EXPECT_EQ(third.wire().data(), bytes);
  for (const Slice& slice : {front, second, third}) ExpectCopyShowsTheSame(slice);
}

TEST(SliceSplit, TakesAllAsAWhole) {
  Slice rest = TwoServices();
  EXPECT_TRUE(rest.TakeFront(8).is_whole());
  EXPECT_EQ(rest.span_count(), 0u);
}

TEST(SliceSplit, GroupsSpansByAFunctionOfThem) {
  Slice slice = TwoServices();
  RenameSpans(slice, "b11", "edited2");
  const std::vector<Slice> parts =
      slice.Split(3, [](const SpanContext& context) { return context.span.name().ends_with('2') ? 1u : 0u; });
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(Names(parts[0]), (Strings{"a/1/a11", "a/2/a21", "b/2/b21"}));
  EXPECT_EQ(Names(parts[1]), (Strings{"a/1/a12", "a/2/a22", "b/1/edited2", "b/1/b12", "b/2/b22"}));
  EXPECT_EQ(parts[2].span_count(), 0u);
  EXPECT_EQ(Copy(parts[2]), "");
  for (const Slice& part : parts) EXPECT_EQ(part.wire().data(), slice.wire().data());
}

TEST(SliceSplit, KeepsASliceWholeIfAllGoesOneWay) {
  EXPECT_TRUE(TwoServices().Split(2, [](const SpanContext&) { return 1u; })[1].is_whole());
}

TEST(BatchSplit, LeavesEmptySlicesOut) {
  Batch batch(TwoServices());
  batch.Add(TwoServices());
  batch.slices()[1].DropIf([](const SpanContext& context) { return context.resource.service_name() == "a"; });
  const std::vector<Batch> parts =
      batch.Split(2, [](const SpanContext& context) { return context.resource.service_name() == "a" ? 0u : 1u; });
  EXPECT_EQ(parts[0].slices().size(), 1u);
  EXPECT_EQ(parts[0].span_count(), 4u);
  EXPECT_EQ(parts[1].slices().size(), 2u);
  EXPECT_EQ(parts[1].span_count(), 8u);
}

// Scenario: every recorded request; at random, from a seed, spans are dropped and get an attribute set or deleted.
// Guarantees: the copy is valid and shows the spans byte for byte as the visit of the edited slice does; the received
// bytes stay as they were; and the spans that were not touched are among them.
TEST(SliceEditProperty, CopiesWhatAVisitShows) {
  Rng rng(11);
  for (const RecordedRequest& request : ReadRecordedRequests(".pb")) {
    Slice slice = Read(request.body);
    for (int round = 0; round < 3; ++round) {
      slice.DropIf([&](const SpanContext&) { return rng.Below(8) == 0; });
      slice.EditSpans([&](SpanEditContext& context) {
        if (rng.Below(4) == 0) context.span().SetInt("set", static_cast<int64_t>(rng.Below(3)));
        if (rng.Below(4) == 0) context.span().DeleteAttribute("set");
        if (rng.Below(20) == 0) context.resource().SetString("host.name", "h");
      });
    }
    const auto wires_of = [](const Slice& of) {
      Strings wires;
      of.ForEach([&](const SpanContext& context) {
        wires.emplace_back(context.resource.wire());
        wires.emplace_back(context.scope.wire());
        wires.emplace_back(context.span.wire());
      });
      return wires;
    };
    ASSERT_EQ(wires_of(Read(Copy(slice))), wires_of(slice)) << request.name;
    ASSERT_EQ(slice.wire().view(), request.body);
  }
}

}  // namespace
}  // namespace spanloom::otlp
