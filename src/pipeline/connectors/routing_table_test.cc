// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/routing_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/text.h"
#include "config/yaml.h"
#include "otlp/writer.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The spans of one service.
struct Group {
  std::string service;
  std::vector<std::string> names;
};

// One request, which a sender with the header x-tenant `tenant` sent ("": without it).
otlp::Slice Request(const std::vector<Group>& groups, const std::string& tenant = "") {
  std::string wire;
  otlp::RequestWriter request(wire);
  size_t spans = 0;
  for (const Group& group : groups) {
    request.BeginResource(otlp::EncodeResource([&](otlp::AttributeWriter& writer) {
      writer.String("service.name", group.service);
      writer.String("secret", "s");
    }));
    request.BeginScope({});
    for (const std::string& name : group.names) {
      otlp::SpanFields fields = {.name = name};
      fields.trace_id.bytes.fill(1);
      fields.span_id.bytes.fill(static_cast<uint8_t>(++spans));
      otlp::SpanWriter span = request.BeginSpan(fields);
      span.attributes().String("secret", "t");
      span.End();
    }
  }
  request.End();
  otlp::Slice slice(Bytes(std::move(wire)), spans);
  if (!tenant.empty()) {
    slice.set_origin(std::make_shared<otlp::RequestOrigin>(otlp::RequestOrigin{.metadata = {{"x-tenant", tenant}}}));
  }
  return slice;
}

RoutingOptions OptionsOf(const std::string& yaml) {
  const auto node = config::ParseYaml(yaml, "f");
  EXPECT_TRUE(node.ok()) << node.status();
  config::Problems problems;
  RoutingOptions options = config::ReadOptions<RoutingOptions>(*node, "connectors::routing", problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
  return options;
}

class RoutingTableTest : public testing::Test {
 protected:
  // A line a share: "traces/a traces/b: x y", with "(extra)" behind those that are; then "unrouted 2".
  static std::vector<std::string> Shown(const RoutingTable& table, const WayShares& all) {
    std::vector<std::string> lines;
    for (const WayShare& share : all.shares) {
      std::string line;
      for (const ComponentId& pipeline : table.ways()[share.way]) StrAppend(line, pipeline.ToString(), " ");
      line.back() = ':';
      for (const std::string& name : NamesOf(share.batch)) StrAppend(line, " ", name);
      lines.push_back(line + (share.is_extra ? " (extra)" : ""));
    }
    if (all.unrouted_spans > 0) lines.push_back(StrCat("unrouted ", all.unrouted_spans));
    return lines;
  }

  static std::vector<std::string> Route(const std::string& yaml, const otlp::Batch& batch) {
    RoutingTable table("routing", OptionsOf(yaml), Clock::System());
    const auto all = table.Choose(batch);
    EXPECT_TRUE(all.ok()) << all.status();
    return all.ok() ? Shown(table, *all) : std::vector<std::string>();
  }
};

const std::vector<Group> kTwoServices = {{"a", {"a1", "error", "a2"}}, {"b", {"b1", "error"}}};

// Scenario: routes of resources, written without context, with it, and by what paths begin with.
// Guarantees: whole resources go the first way that matches; the rest takes the default.
TEST_F(RoutingTableTest, MovesResources) {
  for (const std::string route : {"condition: 'attributes[\"service.name\"] == \"b\"'",
                                  "context: resource, condition: 'attributes[\"service.name\"] == \"b\"'",
                                  "condition: 'resource.attributes[\"service.name\"] == \"b\"'",
                                  "statement: 'route() where attributes[\"service.name\"] == \"b\"'"}) {
    EXPECT_THAT(Route(StrCat("{default_pipelines: [traces/rest], table: [{", route, ", pipelines: [traces/b]}]}"),
                      otlp::Batch(Request(kTwoServices))),
                ElementsAre("traces/b: b1 error", "traces/rest: a1 error a2"))
        << route;
  }
}

// Scenario: a route of spans in front of one of resources, without a default.
// Guarantees: what the first has moved is not there for the second; what no route has moved is unrouted.
TEST_F(RoutingTableTest, MovesSpansOnce) {
  EXPECT_THAT(Route("{table: [{context: span, condition: 'name == \"error\"', pipelines: [traces/errors]}, "
                    "{condition: 'attributes[\"service.name\"] == \"b\"', pipelines: [traces/b]}]}",
                    otlp::Batch(Request(kTwoServices))),
              ElementsAre("traces/errors: error error", "traces/b: b1", "unrouted 2"));
}

// Scenario: a batch of two requests of two tenants, and one of none.
// Guarantees: each is routed whole, by what it came with.
TEST_F(RoutingTableTest, MovesRequests) {
  otlp::Batch batch(Request({{"a", {"acme"}}}, "acme"));
  batch.Add(Request({{"a", {"ecorp"}}}, "ecorp"));
  batch.Add(Request({{"a", {"nobody"}}}));
  EXPECT_THAT(
      Route("{default_pipelines: [traces/rest], table: [{context: request, condition: 'request[\"X-Tenant\"] == "
            "\"acme\"', pipelines: [traces/acme]}, {context: request, condition: 'request[\"X-Tenant\"] != \"acme\"', "
            "pipelines: [traces/others]}]}",
            batch),
      ElementsAre("traces/acme: acme", "traces/others: ecorp", "traces/rest: nobody"));
}

// Scenario: requests of metrics, of which nothing is read.
// Guarantees: they are routed by request, all points of one together, and what has no way is counted.
TEST_F(RoutingTableTest, RoutesWhatIsUnreadByRequest) {
  const std::string options =
      "{table: [{context: request, condition: 'request[\"X-Tenant\"] == \"acme\"', pipelines: [metrics/acme]}]}";
  RoutingTable table("routing", OptionsOf(options), Clock::System());
  otlp::Slice known(Bytes("never read"), 3, otlp::Signal::kMetrics);
  known.set_origin(std::make_shared<otlp::RequestOrigin>(otlp::RequestOrigin{.metadata = {{"x-tenant", "acme"}}}));
  otlp::Batch batch(known);
  batch.Add(otlp::Slice(Bytes("nor this"), 2, otlp::Signal::kMetrics));
  const auto all = table.Choose(batch);
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->shares.size(), 1u);
  EXPECT_EQ(all->shares[0].batch.span_count(), 3u);
  EXPECT_EQ(all->unrouted_spans, 2u);
}

// Scenario: copies in front of a move and the default, to pipelines of their own and to one that spans are moved to.
// Guarantees: later routes are asked about what was copied; a span goes to a pipeline once; copies of what went on are
// extra.
TEST_F(RoutingTableTest, CopiesAndGoesOn) {
  EXPECT_THAT(
      Route("{default_pipelines: [traces/rest], table: ["
            "{context: span, condition: 'name == \"error\"', action: copy, pipelines: [traces/errors]}, "
            "{context: span, condition: 'name == \"error\" or name == \"a2\"', action: copy, "
            "pipelines: [traces/rest]}, "
            "{condition: 'attributes[\"service.name\"] == \"b\"', pipelines: [traces/b]}]}",
            otlp::Batch(Request(kTwoServices))),
      ElementsAre("traces/errors: error error (extra)", "traces/rest: a1 error a2 error", "traces/b: b1 error"));
}

// Scenario: copies alone, and no default.
// Guarantees: what was copied is not lost, so it is neither extra nor unrouted; what matched nothing is unrouted.
TEST_F(RoutingTableTest, WhatIsOnlyCopiedIsNotExtra) {
  EXPECT_THAT(Route("{table: [{context: span, condition: 'name == \"error\"', action: copy, pipelines: [traces/a]}, "
                    "{context: span, condition: 'name == \"error\" or name == \"b1\"', action: copy, pipelines: "
                    "[traces/b]}]}",
                    otlp::Batch(Request(kTwoServices))),
              ElementsAre("traces/a: error error", "traces/b: error b1 error", "unrouted 2"));
}

// Scenario: a route to several pipelines, another to the same, and one to them in another number.
// Guarantees: what goes to the same pipelines is one share.
TEST_F(RoutingTableTest, TheSamePipelinesAreOneWay) {
  EXPECT_THAT(
      Route("{default_pipelines: [traces/x, traces/y], table: [{context: span, condition: 'name == \"a1\"', pipelines: "
            "[traces/x, traces/y, traces/x]}, {context: span, condition: 'name == \"b1\"', pipelines: [traces/x]}]}",
            otlp::Batch(Request(kTwoServices))),
      ElementsAre("traces/x traces/y: a1 error a2 error", "traces/x: b1"));
}

// Scenario: a route that is written twice, once as a statement.
// Guarantees: the first counts, as in the Collector, and the other can be told of.
TEST_F(RoutingTableTest, LeavesOutWhatAsksTheSame) {
  const RoutingOptions options = OptionsOf(
      "{table: [{context: span, condition: 'name == \"error\"', action: copy, pipelines: [traces/a]}, {context: span, "
      "statement: 'route() where name == \"error\"', pipelines: [traces/b]}]}");
  RoutingTable table("routing", options, Clock::System());
  const auto all = table.Choose(otlp::Batch(Request(kTwoServices)));
  ASSERT_TRUE(all.ok());
  EXPECT_THAT(Shown(table, *all), ElementsAre("traces/a: error error", "unrouted 3"));
  EXPECT_THAT(table.left_out(), ElementsAre("route() where name == \"error\""));
}

// The value of the attribute "secret"; "none" if it is not there.
template <typename Attributes>
std::string SecretIn(const Attributes& attributes) {
  for (const otlp::AttributeView attribute : attributes) {
    if (attribute.key() == "secret") return std::string(attribute.value().string_value());
  }
  return "none";
}

// "RESOURCE SPAN" of the last span of a batch.
std::string SecretsOf(const otlp::Batch& batch) {
  std::string text;
  batch.slices().front().ForEach([&](const otlp::SpanContext& context) {
    text = StrCat(SecretIn(context.resource.attributes()), " ", SecretIn(context.span.attributes()));
  });
  return text;
}

// Scenario: statements that delete, of spans and of resources, one copying, each beside a route to the same pipeline.
// Guarantees: what takes the route has lost the attribute, there alone.
TEST_F(RoutingTableTest, DeletesOfWhatTakesTheRoute) {
  const RoutingOptions options = OptionsOf(
      "{default_pipelines: [traces/rest], table: ["
      "{context: span, statement: 'delete_key(attributes, \"secret\") where name == \"a1\"', action: copy, pipelines: "
      "[traces/x]}, "
      "{statement: 'delete_matching_keys(attributes, \"^sec\") where attributes[\"service.name\"] == \"b\"', "
      "pipelines: "
      "[traces/x]}]}");
  RoutingTable table("routing", options, Clock::System());
  const auto all = table.Choose(otlp::Batch(Request(kTwoServices)));
  ASSERT_TRUE(all.ok());
  EXPECT_THAT(Shown(table, *all),
              ElementsAre("traces/x: a1 (extra)", "traces/x: b1 error", "traces/rest: a1 error a2"));
  EXPECT_EQ(SecretsOf(all->shares[0].batch), "s none");
  EXPECT_EQ(SecretsOf(all->shares[1].batch), "none t");
  EXPECT_EQ(SecretsOf(all->shares[2].batch), "s t");
}

// Scenario: a condition that fails on each span, in each mode.
// Guarantees: by default the batch is refused; else the route does not match.
TEST_F(RoutingTableTest, ErrorModesDecideAboutWhatFails) {
  const std::string table =
      "default_pipelines: [traces/rest], table: [{context: span, condition: 'ParseJSON(name) != nil', pipelines: "
      "[traces/a]}]}";
  for (const std::string mode : {"", "error_mode: propagate, "}) {
    RoutingTable refusing("routing", OptionsOf(StrCat("{", mode, table)), Clock::System());
    const Status refusal = refusing.Choose(otlp::Batch(Request(kTwoServices))).status();
    EXPECT_EQ(refusal.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(refusal.message()), HasSubstr("failed to eval condition: ParseJSON(name)"));
  }
  for (const std::string mode : {"ignore", "silent"}) {
    EXPECT_THAT(Route(StrCat("{error_mode: ", mode, ", ", table), otlp::Batch(Request({{"a", {"x", "y"}}}))),
                ElementsAre("traces/rest: x y"));
  }
}

// Scenario: a slice that a filter has left some spans of, and one that it has left none of.
// Guarantees: what was dropped before stays so, and the bytes of the request are shared, not copied.
TEST_F(RoutingTableTest, RoutesWhatIsLeftAndCopiesNoBytes) {
  otlp::Slice slice = Request(kTwoServices);
  slice.DropIf([](const otlp::SpanContext& context) { return context.span.name() == "a1"; });
  otlp::Batch batch(slice);
  slice.DropIf([](const otlp::SpanContext&) { return true; });
  batch.Add(slice);
  RoutingTable table("routing",
                     OptionsOf("{default_pipelines: [traces/rest], table: [{context: span, condition: 'name == "
                               "\"a2\"', pipelines: [traces/a]}]}"),
                     Clock::System());
  const auto all = table.Choose(batch);
  ASSERT_TRUE(all.ok());
  EXPECT_THAT(Shown(table, *all), ElementsAre("traces/a: a2", "traces/rest: error b1 error"));
  for (const WayShare& share : all->shares) {
    EXPECT_EQ(share.batch.slices().front().wire().view().data(), slice.wire().view().data());
  }
}

}  // namespace
}  // namespace spanloom::pipeline
