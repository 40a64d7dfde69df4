// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/service_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/yaml.h"
#include "pipeline/testing/attributed_spans.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/metrics_sink.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint64_t kMs = 1'000'000;

// A span of trace 1.
struct GraphSpan {
  std::string service = "web";
  otlp::SpanKind kind = otlp::SpanKind::kClient;
  uint8_t id = 1;
  uint8_t parent = 0;
  uint64_t duration_ms = 10;
  std::vector<std::pair<std::string, std::string>> attributes = {};
  bool is_error = false;
};

otlp::Batch BatchOf(const GraphSpan& span) {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(
      otlp::EncodeResource([&](otlp::AttributeWriter& w) { w.String("service.name", span.service); }));
  request.BeginScope("");
  otlp::SpanFields fields = {.name = "call", .kind = span.kind, .start_unix_ns = kMs};
  fields.trace_id.bytes.fill(1);
  if (span.id != 0) fields.span_id.bytes.fill(span.id);
  if (span.parent != 0) fields.parent_span_id.bytes.fill(span.parent);
  fields.end_unix_ns = (1 + span.duration_ms) * kMs;
  otlp::SpanWriter writer = request.BeginSpan(fields);
  otlp::AttributeWriter attributes = writer.attributes();
  for (const auto& [key, value] : span.attributes) attributes.String(key, value);
  if (span.is_error) writer.SetStatus(otlp::StatusCode::kError);
  writer.End();
  request.End();
  return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), 1));
}

class ServiceGraphTest : public testing::Test {
 protected:
  ServiceGraphConnector& Make(const std::string& yaml = "") {
    config::Problems problems;
    const auto options = config::ReadOptions<ServiceGraphOptions>(*config::ParseYaml(yaml, "f"), "c", problems);
    CHECK(problems.empty());
    connector_ = std::make_unique<ServiceGraphConnector>(
        ComponentId{"service_graph", ""}, options, BuildContext{.loops = loops_, .metrics = metrics_, .clock = clock_},
        sink_);
    return *connector_;
  }
  void Send(const GraphSpan& span) { EXPECT_TRUE(Deliver(*connector_, BatchOf(span)).ok()); }
  void Pass(std::chrono::nanoseconds time) {
    clock_.Advance(time.count());
    connector_->ExpireEdges();
  }
  ShownPoints Flush() {
    connector_->Flush();
    return sink_.TakePoints();
  }
  uint64_t Own(const std::string& name) const { return metrics_.Sum("otelcol_connector_servicegraph_" + name); }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  SimClock clock_;
  MetricsSink sink_;
  std::unique_ptr<ServiceGraphConnector> connector_;
};

std::string Total(const std::string& labels) {
  return "traces_service_graph_request_total{" + labels + "}";
}

// Scenario: a request of web to shop, the server's span first; it fails.
// Guarantees: one edge, counted as failed too, with the seconds of either side.
TEST_F(ServiceGraphTest, PairsClientAndServer) {
  Make("dimensions: [zone]");
  Send({.service = "shop", .kind = otlp::SpanKind::kServer, .id = 2, .parent = 1, .duration_ms = 3, .is_error = true});
  EXPECT_THAT(Flush(), IsEmpty());
  Send({.duration_ms = 30, .attributes = {{"zone", "a"}}});
  ShownPoints points = Flush();
  const std::string labels = "client=web,server=shop,connection_type=,failed=true,client_zone=a";
  EXPECT_THAT(points, SizeIs(4));
  EXPECT_EQ(points[Total(labels)].value, 1);
  EXPECT_EQ(points["traces_service_graph_request_failed_total{" + labels + "}"].value, 1);
  EXPECT_NEAR(points["traces_service_graph_request_client{" + labels + "}"].sum, 0.03, 1e-9);
  EXPECT_NEAR(points["traces_service_graph_request_server{" + labels + "}"].sum, 0.003, 1e-9);
  EXPECT_EQ(Own("total_edges"), 1u);
}

// Scenario: a message, a call of a database, a span within a service.
// Guarantees: the type of connection; a database needs no other half; the last is no edge.
TEST_F(ServiceGraphTest, KnowsMessagesAndDatabases) {
  Make();
  Send({.kind = otlp::SpanKind::kProducer});
  Send({.service = "mailer", .kind = otlp::SpanKind::kConsumer, .id = 2, .parent = 1});
  Send({.id = 3, .attributes = {{"db.name", "carts"}}});
  Send({.kind = otlp::SpanKind::kInternal, .id = 4});
  ShownPoints points = Flush();
  EXPECT_EQ(points[Total("client=web,server=mailer,connection_type=messaging_system,failed=false")].value, 1);
  EXPECT_EQ(points[Total("client=web,server=carts,connection_type=database,failed=false")].value, 1);
  EXPECT_EQ(Own("total_edges"), 2u);
}

// Scenario: halves that stay alone: a root on the server's side, a call of something that sends no spans, a server
// whose client is not known.
// Guarantees: after the ttl, and not before, the first two have a virtual node; the third counts as unpaired.
TEST_F(ServiceGraphTest, PairsWithVirtualNodes) {
  Make("virtual_node_extra_label: true");
  Send({.service = "shop", .kind = otlp::SpanKind::kServer, .id = 2});
  Send({.id = 3, .attributes = {{"peer.service", "bank"}}});
  Send({.id = 4});
  Send({.service = "shop", .kind = otlp::SpanKind::kServer, .id = 5, .parent = 9});
  Pass(1s);
  EXPECT_THAT(Flush(), IsEmpty());
  Pass(1s);
  ShownPoints points = Flush();
  EXPECT_EQ(Own("expired_edges"), 4u);
  const std::string more = ",connection_type=virtual_node,failed=false,virtual_node=";
  EXPECT_EQ(points[Total("client=user,server=shop" + more + "client")].value, 1);
  EXPECT_EQ(points[Total("client=web,server=bank" + more + "server")].value, 1);
  EXPECT_EQ(points[Total("client=web,server=unknown" + more + "server")].value, 1);
  EXPECT_EQ(points["traces_service_graph_unpaired_spans_total{client=,server=shop,connection_type=}"].value, 1);
  EXPECT_THAT(points, SizeIs(10));
}

// Scenario: more halves than may wait; later the time of the first has run out.
// Guarantees: what does not fit is counted as dropped, and the first one as unpaired, in the connector's own counters
// and in what it tells; room comes back.
TEST_F(ServiceGraphTest, KeepsSomeHalves) {
  Make("{store: {max_items: 1}, virtual_node_peer_attributes: []}");
  Send({.id = 1});
  Send({.id = 2});
  EXPECT_EQ(Own("dropped_spans"), 1u);
  clock_.Advance(std::chrono::nanoseconds(2s).count());
  Send({.id = 3});
  EXPECT_EQ(Own("dropped_spans"), 1u);
  EXPECT_EQ(Own("expired_edges"), 1u);
  Send({.service = "shop", .kind = otlp::SpanKind::kServer, .id = 4, .parent = 3});
  ShownPoints points = Flush();
  const std::string lost = "_spans_total{client=web,server=,connection_type=}";
  EXPECT_EQ(points["traces_service_graph_dropped" + lost].value, 1);
  EXPECT_EQ(points["traces_service_graph_unpaired" + lost].value, 1);
  EXPECT_THAT(points, SizeIs(5));
}

// Scenario: more edges than one request may hold.
// Guarantees: several requests, none larger than a receiver takes, with each point once.
TEST_F(ServiceGraphTest, TellsManyEdgesInParts) {
  Make();
  constexpr int kEdges = 6'000;
  for (int i = 0; i < kEdges; ++i) Send({.attributes = {{"db.name", StrCat("shard-", i)}}});
  connector_->Flush();
  const std::vector<otlp::Batch> batches = sink_.Take();
  EXPECT_GT(batches.size(), 1u);
  ShownPoints points;
  for (const otlp::Batch& batch : batches) {
    const Bytes wire = batch.Encode();
    EXPECT_LT(wire.size(), size_t{4} << 20);
    ShownPoints some = ShowRequest(wire.view());
    points.merge(some);
    EXPECT_THAT(some, IsEmpty());  // none of them was there before
  }
  EXPECT_THAT(points, SizeIs(3 * kEdges));
}

// Scenario: an interval of 0; then a series that is silent for long.
// Guarantees: points come with the batch; the series ends.
TEST_F(ServiceGraphTest, TellsAtOnceWhereAsked) {
  ServiceGraphConnector& connector = Make("{metrics_flush_interval: 0, exponential_histogram_max_size: 10}");
  Send({.attributes = {{"db.name", "carts"}}});
  EXPECT_THAT(sink_.TakePoints(), SizeIs(3));
  clock_.Advance(std::chrono::nanoseconds(16min).count());
  connector.DropSilentSeries();
  EXPECT_THAT(Flush(), IsEmpty());
}

// Scenario: it is started, stopped, and offered more.
// Guarantees: the end tells what there is; later spans are refused.
TEST_F(ServiceGraphTest, TellsAllAtTheEnd) {
  ServiceGraphConnector& connector = Make();
  ASSERT_TRUE(connector.Start().ok());
  Send({.attributes = {{"db.name", "carts"}}});
  connector.Stop(1s);
  EXPECT_THAT(sink_.TakePoints(), SizeIs(3));
  EXPECT_EQ(Deliver(connector, BatchOf(GraphSpan{})).code(), absl::StatusCode::kUnavailable);
}

// Scenario: buckets of both kinds.
// Guarantees: they are refused, in the Collector's words.
TEST(ServiceGraphOptions, RefusesTwoKindsOfBuckets) {
  ServiceGraphOptions options;
  options.latency_histogram_buckets = {"1s"};
  options.exponential_histogram_max_size = 5;
  EXPECT_THAT(std::string(options.Validate().message()), HasSubstr("use either `latency_histogram_buckets`"));
}

}  // namespace
}  // namespace spanloom::pipeline
