// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/span_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "config/yaml.h"
#include "pipeline/testing/attributed_spans.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/metrics_sink.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::SizeIs;

constexpr uint64_t kMs = 1'000'000;

StatusOr<SpanMetricsOptions> Read(const std::string& yaml) {
  config::Problems problems;
  auto options = config::ReadOptions<SpanMetricsOptions>(*config::ParseYaml(yaml, "f"), "c", problems);
  RETURN_IF_ERROR(problems.ToStatus());
  return options;
}

using Texts = std::vector<std::pair<std::string, std::string>>;

// A span with attributes that are texts, but for `code`.
struct TestSpan {
  otlp::SpanFields fields = {};
  otlp::ScopeFields scope = {.name = "scope", .version = "1.0"};
  Texts resource = {{"service.name", "shop"}};
  Texts attributes = {};
  std::optional<int64_t> code = {};
  std::optional<Texts> event = {};
};

// One of the service "shop" called "pay" that took `duration_ms`.
TestSpan Span(uint64_t duration_ms = 5) {
  TestSpan span;
  span.fields.name = "pay";
  span.fields.kind = otlp::SpanKind::kServer;
  span.fields.trace_id.bytes.fill(1);
  span.fields.start_unix_ns = 100 * kMs;
  span.fields.end_unix_ns = (100 + duration_ms) * kMs;
  return span;
}

void WriteTexts(const Texts& texts, otlp::AttributeWriter& writer) {
  for (const auto& [key, value] : texts) writer.String(key, value);
}

otlp::Batch BatchOf(const TestSpan& span) {
  const auto resource = [&](otlp::AttributeWriter& w) { WriteTexts(span.resource, w); };
  const auto attributes = [&](otlp::AttributeWriter& w) {
    WriteTexts(span.attributes, w);
    if (span.code) w.Int("code", *span.code);
  };
  const auto event = [&](otlp::AttributeWriter& w) { WriteTexts(span.event.value_or(Texts{}), w); };
  return BatchOfSpan({.fields = span.fields,
                      .scope = span.scope,
                      .resource_attributes = resource,
                      .attributes = attributes,
                      .event_attributes = event,
                      .has_event = span.event.has_value()});
}

class SpanMetricsTest : public testing::Test {
 protected:
  SpanMetricsConnector& Make(const std::string& yaml = "", const std::string& instance_id = "") {
    const auto options = Read(yaml);
    CHECK(options.ok());
    BuildContext context{.loops = loops_, .metrics = metrics_, .clock = clock_, .seed = 1};
    context.instance_id = instance_id;
    connector_ = std::make_unique<SpanMetricsConnector>(ComponentId{"span_metrics", ""}, *options, context, sink_);
    return *connector_;
  }
  void Send(const TestSpan& span) { EXPECT_TRUE(Deliver(*connector_, BatchOf(span)).ok()); }
  ShownPoints Flush() {
    clock_.Advance(1'000'000'000);
    connector_->Flush();
    return sink_.TakePoints();
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  SimClock clock_;
  MetricsSink sink_;
  std::unique_ptr<SpanMetricsConnector> connector_;
};

constexpr char kPay[] = "service.name=shop,span.name=pay,span.kind=SPAN_KIND_SERVER,status.code=STATUS_CODE_UNSET";
std::string Calls(const std::string& more = "", const std::string& series = kPay) {
  return "traces.span.metrics.calls{" + series + more + "}";
}
std::string Duration(const std::string& more = "") {
  return StrCat("traces.span.metrics.duration{", kPay, more, "}");
}

// Scenario: three spans of one kind, with the defaults of the Collector.
// Guarantees: names, dimensions in its order, its buckets in milliseconds, and a sum that begins with 0.
TEST_F(SpanMetricsTest, CountsAndMeasuresSpans) {
  Make("", "i-1");
  for (const uint64_t ms : {2, 3, 20'000}) Send(Span(ms));
  const std::string more = ",collector.instance.id=i-1";
  ShownPoints points = Flush();
  ASSERT_THAT(points, SizeIs(2));
  EXPECT_EQ(points[Calls(more)].value, 0);
  const ShownPoint& duration = points[Duration(more)];
  EXPECT_EQ(duration.value, 3);
  EXPECT_EQ(duration.sum, 20'005);
  EXPECT_THAT(duration.bounds,
              ElementsAre(2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000));
  EXPECT_THAT(duration.buckets, ElementsAre(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
  EXPECT_LT(duration.times.start_unix_ns, duration.times.time_unix_ns);
  Send(Span());
  EXPECT_EQ(Flush()[Calls(more)].value, 4);
}

// Scenario: delta points over three intervals, the second of them silent.
// Guarantees: each counts its interval alone and begins where the one before ended; silence makes no point.
TEST_F(SpanMetricsTest, CountsByIntervalWhereAsked) {
  Make("aggregation_temporality: AGGREGATION_TEMPORALITY_DELTA");
  Send(Span());
  Send(Span());
  const ShownPoint first = Flush()[Calls()];
  EXPECT_EQ(first.value, 2);
  EXPECT_THAT(Flush(), IsEmpty());
  Send(Span());
  ShownPoints points = Flush();
  EXPECT_EQ(points[Calls()].value, 1);
  EXPECT_EQ(points[Calls()].times.start_unix_ns, first.times.time_unix_ns);
  EXPECT_EQ(points[Duration()].value, 1);
}

// Scenario: a dimension of the span, one of the resource, one by default, one that is nowhere; numbers beside texts.
// Guarantees: the span's value goes before the resource's, the default is used, what is missing is left out; 7 and "7"
// are one series.
TEST_F(SpanMetricsTest, TakesDimensionsFromSpanResourceAndDefault) {
  Make("dimensions: [{name: code}, {name: region}, {name: method, default: GET}, {name: nowhere}]");
  TestSpan span = Span();
  span.resource = {{"service.name", "shop"}, {"region", "eu"}, {"code", "r"}};
  span.code = 7;
  Send(span);
  span.code.reset();
  span.attributes = {{"code", "7"}};
  Send(span);
  Flush();
  ShownPoints points = Flush();
  EXPECT_THAT(points, SizeIs(2));
  EXPECT_EQ(points[Calls(",code=7,region=eu,method=GET")].value, 2);
}

// Scenario: dimensions of calls and of durations of their own; excluded ones.
// Guarantees: each metric has its own; what is excluded keeps nothing apart.
TEST_F(SpanMetricsTest, HasDimensionsByMetric) {
  Make("calls_dimensions: [{name: user}]\nexclude_dimensions: [span.name, span.kind]");
  TestSpan span = Span();
  span.attributes = {{"user", "ann"}};
  Send(span);
  span.attributes = {{"user", "bob"}};
  span.fields.name = "refund";
  span.fields.kind = otlp::SpanKind::kClient;
  Send(span);
  Flush();
  ShownPoints points = Flush();
  EXPECT_THAT(points, SizeIs(3));
  const std::string series = "service.name=shop,status.code=STATUS_CODE_UNSET";
  EXPECT_EQ(points[Calls(",user=ann", series)].value, 1);
  EXPECT_EQ(points[Calls(",user=bob", series)].value, 1);
  EXPECT_EQ(points["traces.span.metrics.duration{" + series + "}"].value, 2);
}

// Scenario: a span with two events, which have the attribute that is asked for.
// Guarantees: events are counted by it, on top of the span's dimensions.
TEST_F(SpanMetricsTest, CountsEvents) {
  Make("events: {enabled: true, dimensions: [{name: exception.type}]}\nhistogram: {disable: true}");
  TestSpan span = Span();
  span.event = Texts{{"exception.type", "Timeout"}};
  Send(span);
  Send(span);
  Flush();
  ShownPoints points = Flush();
  EXPECT_THAT(points, SizeIs(2));
  EXPECT_EQ(points[StrCat("traces.span.metrics.events{", kPay, ",exception.type=Timeout}")].value, 2);
}

// Scenario: three names where two series may be.
// Guarantees: what came first keeps counting; the rest is in the series that overflows, and nothing is lost.
TEST_F(SpanMetricsTest, OverflowsAtTheLimit) {
  Make("aggregation_cardinality_limit: 2");
  TestSpan span = Span();
  for (const char* name : {"a", "b", "c", "d", "a"}) {
    span.fields.name = name;
    Send(span);
  }
  Flush();
  ShownPoints points = Flush();
  EXPECT_THAT(points, SizeIs(6));
  const auto calls = [](const std::string& name) {
    return "traces.span.metrics.calls{service.name=shop,span.name=" + name +
           ",span.kind=SPAN_KIND_SERVER,status.code=STATUS_CODE_UNSET}";
  };
  EXPECT_EQ(points[calls("a")].value, 2);
  EXPECT_EQ(points[calls("b")].value, 1);
  EXPECT_EQ(points["traces.span.metrics.calls{otel.metric.overflow=true}"].value, 2);
  EXPECT_EQ(points["traces.span.metrics.duration{otel.metric.overflow=true}"].value, 2);
}

// Scenario: exemplars, two at most.
// Guarantees: points name that many spans, once.
TEST_F(SpanMetricsTest, NamesSpans) {
  Make("exemplars: {enabled: true, max_per_data_point: 2}");
  for (int i = 0; i < 3; ++i) Send(Span());
  ShownPoints points = Flush();
  EXPECT_EQ(points[Calls()].exemplars, 2u);
  EXPECT_EQ(points[Duration()].exemplars, 2u);
  EXPECT_EQ(Flush()[Duration()].exemplars, 0u);
}

// Scenario: a span that was taken with a probability of 1/4, and one that says nothing of it.
// Guarantees: the first counts for four, in a series of its own where that is asked for.
TEST_F(SpanMetricsTest, CountsForSpansThatWereNotSampled) {
  Make("enable_metrics_sampling_method: true");
  TestSpan span = Span();
  Send(span);
  span.fields.trace_state = "ot=th:c";
  Send(span);
  Flush();
  ShownPoints points = Flush();
  EXPECT_EQ(points[Calls(",sampling.method=counted")].value, 1);
  EXPECT_EQ(points[Calls(",sampling.method=extrapolated")].value, 4);
  EXPECT_EQ(points[Duration(",sampling.method=extrapolated")].value, 4);
}

// Scenario: scopes, one of them asked for.
// Guarantees: it is a dimension.
TEST_F(SpanMetricsTest, NamesScopesThatAreAskedFor) {
  Make("include_instrumentation_scope: [scope]");
  Send(Span());
  EXPECT_THAT(Flush(),
              Contains(Key(Calls(",span.instrumentation.scope.name=scope,span.instrumentation.scope.version=1.0"))));
}

// Scenario: a scope without a version, and one without a name that is asked for.
// Guarantees: what is empty is no dimension (recorded from the Collector).
TEST_F(SpanMetricsTest, LeavesOutWhatAScopeHasNot) {
  Make("include_instrumentation_scope: [scope, '']");
  TestSpan span = Span();
  span.scope.version = "";
  Send(span);
  span.scope.name = "";
  Send(span);
  const ShownPoints points = Flush();
  EXPECT_THAT(points, Contains(Key(Calls(",span.instrumentation.scope.name=scope"))));
  EXPECT_THAT(points, Contains(Key(Calls())));
}

// Scenario: a dimension of all metrics that is one of `calls` too, with a default there.
// Guarantees: it is written once, and where the span has none, `calls` has the default.
TEST_F(SpanMetricsTest, TakesADimensionTwice) {
  Make("{dimensions: [{name: none}], calls_dimensions: [{name: none, default: n}]}");
  Send(Span());
  const ShownPoints points = Flush();
  EXPECT_THAT(points, Contains(Key(Calls(",none=n"))));
  EXPECT_THAT(points, Contains(Key(Duration())));
}

// Scenario: a list of buckets that is empty.
// Guarantees: one bucket for everything, as in the Collector.
TEST_F(SpanMetricsTest, MeasuresWithoutBounds) {
  Make("histogram: {explicit: {buckets: []}}");
  Send(Span());
  EXPECT_THAT(Flush()[Duration()].buckets, ElementsAre(1));
}

// Scenario: an exponential histogram in seconds.
// Guarantees: its unit, size and sum.
TEST_F(SpanMetricsTest, MeasuresExponentially) {
  Make("histogram: {unit: s, exponential: {max_size: 4}}");
  for (const uint64_t ms : {1, 1'000, 100'000}) Send(Span(ms));
  const ShownPoint point = Flush()[Duration()];
  EXPECT_EQ(point.value, 3);
  EXPECT_NEAR(point.sum, 101.001, 1e-9);
  EXPECT_LE(point.buckets.size(), 4u);
}

// Scenario: a span whose end is before its start, and one of a resource without a name.
// Guarantees: the first took no time; the second is not counted, which is.
TEST_F(SpanMetricsTest, StandsOddSpans) {
  Make();
  TestSpan span = Span();
  span.fields.end_unix_ns = 1;
  Send(span);
  span.resource = {};
  Send(span);
  const ShownPoint point = Flush()[Duration()];
  EXPECT_EQ(point.value, 1);
  EXPECT_EQ(point.sum, 0);
  EXPECT_EQ(metrics_.Sum("spanloom_connector_skipped_spans", {{"connector", "span_metrics"}}), 1u);
}

// Scenario: a series falls silent, then its resource.
// Guarantees: series_expiration ends the series, metrics_expiration the resource; a new one begins anew.
TEST_F(SpanMetricsTest, EndsSilentSeries) {
  Make("series_expiration: 2s\nmetrics_expiration: 10s");
  Send(Span());
  TestSpan other = Span();
  other.fields.name = "refund";
  Flush();
  Send(other);
  EXPECT_THAT(Flush(), SizeIs(4));
  EXPECT_THAT(Flush(), SizeIs(2));  // "pay" was told for the last time
  EXPECT_EQ(metrics_.SumGauges("spanloom_connector_series"), 0);
  Send(Span());
  EXPECT_EQ(Flush()[Calls()].value, 0);
}

// Scenario: more resources than are kept; resources that differ in what is no key.
// Guarantees: the one silent for longest is told once more and forgotten; the others are one.
TEST_F(SpanMetricsTest, KeepsSomeResources) {
  Make("resource_metrics_cache_size: 1\nresource_metrics_key_attributes: [service.name]");
  TestSpan span = Span();
  Send(span);
  span.resource = {{"service.name", "shop"}, {"pod", "p"}};
  Send(span);
  EXPECT_EQ(Flush()[Duration()].value, 2);
  clock_.Advance(1);
  span.resource = {{"service.name", "bank"}};
  Send(span);
  EXPECT_THAT(Flush(), SizeIs(4));
  EXPECT_THAT(Flush(), SizeIs(2));
}

// Scenario: what stands behind refuses; the connector is stopped; a batch comes later.
// Guarantees: spans are taken all the same, the points are counted as dropped; the end tells all there is; later spans
// are refused.
TEST_F(SpanMetricsTest, TellsAllAtTheEnd) {
  SpanMetricsConnector& connector = Make();
  ASSERT_TRUE(connector.Start().ok());
  sink_.AnswerWith(absl::UnavailableError("full"));
  Send(Span());
  Flush();
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_metric_points", {{"connector", "span_metrics"}}), 2u);
  sink_.AnswerWith(absl::OkStatus());
  Send(Span());
  TestSpan other = Span();
  other.fields.name = "refund";
  Send(other);
  connector.Stop(1s);
  ShownPoints points = sink_.TakePoints();
  EXPECT_EQ(points[Calls()].value, 2);
  EXPECT_EQ(points["traces.span.metrics.calls{service.name=shop,span.name=refund,span.kind=SPAN_KIND_SERVER,"
                   "status.code=STATUS_CODE_UNSET}"]
                .value,
            1);
  EXPECT_EQ(Deliver(connector, BatchOf(Span())).code(), absl::StatusCode::kUnavailable);
}

// Scenario: an interval of a millisecond.
// Guarantees: metrics come by themselves.
TEST_F(SpanMetricsTest, FlushesByItself) {
  SpanMetricsConnector& connector = Make("metrics_flush_interval: 1ms");
  ASSERT_TRUE(connector.Start().ok());
  Send(Span());
  EXPECT_TRUE(sink_.AwaitBatches(2));
  connector.Stop(1s);
}

// Scenario: many series with exemplars, more than a request may hold.
// Guarantees: they come in several requests, each below 4 MiB, and none is missing.
TEST_F(SpanMetricsTest, SplitsLargeRequests) {
  Make();
  TestSpan span = Span();
  constexpr size_t kNames = 12'000;
  for (size_t i = 0; i < kNames; ++i) {
    const std::string name = "name " + std::to_string(i);
    span.fields.name = name;
    Send(span);
  }
  connector_->Flush();
  const std::vector<otlp::Batch> batches = sink_.Take();
  EXPECT_GT(batches.size(), 1u);
  size_t points = 0;
  for (const otlp::Batch& batch : batches) {
    EXPECT_LT(batch.wire_bytes(), size_t{4} << 20);
    EXPECT_EQ(ShowRequest(batch.Encode().view()).size(), batch.span_count());
    points += batch.span_count();
  }
  EXPECT_EQ(points, 2 * kNames);
}

// Scenario: options that contradict each other or are wrong.
// Guarantees: they are refused, in the Collector's words.
TEST(SpanMetricsOptions, RefusesWhatCannotBe) {
  const auto message = [](const std::string& yaml) { return std::string(Read(yaml).status().message()); };
  EXPECT_THAT(message("dimensions: [{name: service.name}]"), HasSubstr("duplicate dimension name service.name"));
  EXPECT_THAT(message("dimensions: [{name: a}, {name: a}]"), HasSubstr("duplicate dimension name a"));
  EXPECT_THAT(message("calls_dimensions: [{name: a}, {name: a}]"), HasSubstr("duplicate dimension name a"));
  EXPECT_THAT(message("dimensions: [{name: collector.instance.id}]"), HasSubstr("duplicate dimension name collector"));
  EXPECT_THAT(message("metric_timestamp_cache_size: 0"), IsEmpty());
  EXPECT_THAT(message("events: {enabled: true}"), HasSubstr("no dimensions configured for events"));
  EXPECT_THAT(message("histogram: {explicit: {}, exponential: {}}"),
              HasSubstr("use either `explicit` or `exponential` buckets histogram"));
  EXPECT_THAT(message("histogram: {explicit: {buckets: [2ms, 1ms]}}"), HasSubstr("ascending"));
  EXPECT_THAT(message("histogram: {explicit: {buckets: [soon]}}"), HasSubstr("soon"));
  EXPECT_THAT(message("dimensions: [{name: a, default: 5}]"), HasSubstr("default must be a string"));
  EXPECT_THAT(message("dimensions: [{glob: 'a.*'}]"), HasSubstr("glob"));
}

// Random spans, counted by a map of texts.
struct Model {
  struct Count {
    double count = 0;
    double sum = 0;
  };
  using Counts = std::map<std::string, Count>;

  void Add(const std::string& series, double duration_ms) {
    for (Counts* counts : {&all, &interval}) {
      (*counts)[series].count += 1;
      (*counts)[series].sum += duration_ms;
    }
  }

  Counts all;
  Counts interval;
};

// Scenario: random spans of several services, names, kinds, states and values, flushed at random, in both ways of
// counting.
// Guarantees: at each flush there are the series, counts and sums that a plain map has; counts by interval chain.
TEST(SpanMetricsProperty, CountsAsAPlainMapDoes) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Rng rng(seed);
    const bool is_delta = seed % 2 == 1;
    const auto options = Read(StrCat("dimensions: [{name: d}]\naggregation_temporality: AGGREGATION_TEMPORALITY_",
                                     is_delta ? "DELTA" : "CUMULATIVE"));
    ASSERT_TRUE(options.ok());
    SimClock clock;
    SpanTally tally(*options, "", clock, seed);
    Model model;
    std::map<std::string, uint64_t> ends;
    for (int step = 0; step < 300; ++step) {
      clock.Advance(1'000'000);
      if (rng.Below(10) == 0) {
        ShownPoints points;
        for (const MetricsRequest& request : tally.Collect(true)) points.merge(ShowRequest(request.wire));
        auto& expected = is_delta ? model.interval : model.all;
        ASSERT_EQ(points.size(), 2 * expected.size()) << "seed " << seed;
        for (const auto& [series, count] : expected) {
          const ShownPoint& calls = points["traces.span.metrics.calls{" + series + "}"];
          EXPECT_EQ(calls.value, count.count) << series << " seed " << seed;
          EXPECT_NEAR(points["traces.span.metrics.duration{" + series + "}"].sum, count.sum, 1e-6) << "seed " << seed;
          if (is_delta && ends.contains(series)) {
            EXPECT_EQ(calls.times.start_unix_ns, ends[series]) << "seed " << seed;
          }
          ends[series] = calls.times.time_unix_ns;
        }
        model.interval.clear();
        continue;
      }
      const std::string service = "s" + std::to_string(rng.Below(3));
      const std::string name = "n" + std::to_string(rng.Below(4));
      const std::string value = "v" + std::to_string(rng.Below(3));
      const uint64_t ms = rng.Below(20'000);
      TestSpan span = Span(ms);
      span.resource = {{"service.name", service}};
      if (value != "v0") span.attributes = {{"d", value}};
      span.fields.name = name;
      span.fields.kind = rng.Below(2) == 0 ? otlp::SpanKind::kClient : otlp::SpanKind::kServer;
      EXPECT_EQ(tally.Count(BatchOf(span)), 0u);
      model.Add(StrCat("service.name=", service, ",span.name=", name, ",span.kind=SPAN_KIND_",
                       span.fields.kind == otlp::SpanKind::kClient ? "CLIENT" : "SERVER",
                       ",status.code=STATUS_CODE_UNSET", value == "v0" ? "" : ",d=" + value),
                static_cast<double>(ms));
    }
  }
}

}  // namespace
}  // namespace spanloom::pipeline
