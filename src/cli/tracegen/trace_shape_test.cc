// SPDX-License-Identifier: Apache-2.0
//
// Property tests over all shapes, and the comparison of the llmd shapes with recordings of the real software.

#include "cli/tracegen/trace_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "base/testing/test_data.h"
#include "base/text.h"
#include "cli/tracegen/trace_batcher.h"
#include "otlp/validate.h"
#include "otlp/views.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

namespace gen_ai = semconv::gen_ai;
namespace span_name = semconv::span_name;

constexpr uint64_t kSeed = 20'260'131;
constexpr int64_t kEndUnixNs = 1'770'000'000'123'456'789;
constexpr double kClockNoiseSeconds = 1e-6;
constexpr uint64_t kTraces = 2'000;  // enough for every outcome

// A span with what it stands in, taken out of a request.
struct FlatSpan {
  std::string service;
  std::string resource_keys;  // in order, and the resource's schema URL
  std::string scope;          // name, version, attribute keys and the scope's schema URL
  std::string wire;
  [[nodiscard]] otlp::SpanView view() const { return otlp::SpanView(wire); }
};

template <typename Attributes>
std::string KeysAndTypes(const Attributes& attributes) {
  std::string text;
  for (otlp::AttributeView attribute : attributes) {
    StrAppend(text, attribute.key(), ":", static_cast<int>(attribute.value().kind()), " ");
  }
  return text;
}

void AppendSpans(std::string_view request, std::vector<FlatSpan>& spans) {
  ASSERT_TRUE(otlp::ValidateTraces(request).ok());
  for (otlp::ResourceSpansView resource_spans : otlp::TracesView(request).resource_spans()) {
    const otlp::ResourceView resource = resource_spans.resource();
    for (otlp::ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      const otlp::ScopeView scope = scope_spans.scope();
      for (otlp::SpanView span : scope_spans.spans()) {
        spans.push_back({.service = std::string(resource.service_name()),
                         .resource_keys = StrCat(KeysAndTypes(resource.attributes()), resource_spans.schema_url()),
                         .scope = StrCat(scope.name(), " ", scope.version(), " ", KeysAndTypes(scope.attributes()),
                                         scope_spans.schema_url()),
                         .wire = std::string(span.wire())});
      }
    }
  }
}

std::vector<FlatSpan> SpansOfTrace(const TraceShape& shape, uint64_t index) {
  GeneratedTrace trace;
  shape.Generate(index, kEndUnixNs, trace);
  TraceBatcher batcher(shape.emitters(), {.spans_max = 512, .age_max_ns = std::nullopt});
  std::vector<FlatSpan> spans;
  const auto collect = [&](ExportRequest request) { AppendSpans(request.wire, spans); };
  batcher.Add(trace, kEndUnixNs, collect);
  batcher.FlushAll(collect);
  EXPECT_EQ(spans.size(), trace.spans.size());
  return spans;
}

std::vector<FlatSpan> RecordedSpans(std::string_view set) {
  std::vector<FlatSpan> spans;
  const std::filesystem::path folder = TestData() / "recorded" / set;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".pb") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    AppendSpans(std::string(std::istreambuf_iterator<char>(file), {}), spans);
  }
  EXPECT_FALSE(spans.empty()) << set;
  return spans;
}

bool IsScrape(const otlp::SpanView& span) {
  return span.name().ends_with("/metrics") || span.name() == "HTTP GET";
}

// Everything about a span that its software, not its request, decides.
std::string Anatomy(const FlatSpan& span, std::string_view name) {
  const otlp::SpanView view = span.view();
  std::string text = StrCat(name, " | ", static_cast<int>(view.kind()), " | ", span.service, " | ", span.resource_keys,
                            " | ", span.scope, " | ", view.flags(), " | ", KeysAndTypes(view.attributes()));
  for (otlp::EventView event : view.events()) {
    StrAppend(text, " | ", event.name(), " ", KeysAndTypes(event.attributes()));
  }
  return text;
}

std::set<std::string> RecordedAnatomies(const std::vector<std::string>& sets) {
  std::set<std::string> anatomies;
  for (const std::string& set : sets) {
    for (const FlatSpan& span : RecordedSpans(set)) {
      anatomies.insert(Anatomy(span, span.view().name()));
      // A refused connection was recorded while a sidecar scraped; the client library is the same for both methods.
      if (span.view().name() == "HTTP GET") anatomies.insert(Anatomy(span, span_name::kHttpPost));
    }
  }
  return anatomies;
}

using SpansById = std::map<otlp::SpanId, const FlatSpan*>;

SpansById ById(const std::vector<FlatSpan>& spans) {
  SpansById by_id;
  for (const FlatSpan& span : spans) by_id[span.view().span_id()] = &span;
  return by_id;
}

// "parent > child" by name, of the spans whose parent is known.
std::set<std::string> Edges(const std::vector<FlatSpan>& spans) {
  const SpansById by_id = ById(spans);
  std::set<std::string> edges;
  for (const FlatSpan& span : spans) {
    const auto parent = by_id.find(span.view().parent_span_id());
    if (parent != by_id.end()) edges.insert(StrCat(parent->second->view().name(), " > ", span.view().name()));
  }
  return edges;
}

double DoubleOf(const otlp::SpanView& span, std::string_view key) {
  const auto value = otlp::FindAttribute(span.attributes(), key);
  EXPECT_TRUE(value.has_value()) << key;
  return value ? value->double_value() : 0;
}

int64_t IntOf(const otlp::SpanView& span, std::string_view key) {
  const auto value = otlp::FindAttribute(span.attributes(), key);
  EXPECT_TRUE(value.has_value()) << key;
  return value ? value->int_value() : 0;
}

class TraceShapeProperty : public testing::TestWithParam<ShapeKind> {};

INSTANTIATE_TEST_SUITE_P(Shapes, TraceShapeProperty,
                         testing::Values(ShapeKind::kLlmd, ShapeKind::kLlmdPrefix, ShapeKind::kLlmdHead,
                                         ShapeKind::kPlain, ShapeKind::kLoad),
                         [](const auto& shape) {
                           std::string name(ShapeName(shape.param));
                           std::erase(name, '-');
                           return name;
                         });

// Scenario: many traces of a shape.
// Guarantees: each is one valid trace: one root, every parent in it, every id its own.
TEST_P(TraceShapeProperty, EveryTraceIsOneTree) {
  const auto shape = MakeTraceShape(GetParam(), kSeed);
  std::set<otlp::TraceId> trace_ids;
  for (uint64_t index = 0; index < kTraces; ++index) {
    const std::vector<FlatSpan> spans = SpansOfTrace(*shape, index);
    ASSERT_GE(spans.size(), 5u);
    const SpansById by_id = ById(spans);
    ASSERT_EQ(by_id.size(), spans.size());
    size_t roots = 0;
    for (const FlatSpan& span : spans) {
      const otlp::SpanView view = span.view();
      ASSERT_EQ(view.trace_id(), spans.front().view().trace_id());
      if (view.parent_span_id().IsZero()) {
        ++roots;
      } else {
        ASSERT_TRUE(by_id.contains(view.parent_span_id())) << view.name();
      }
    }
    ASSERT_EQ(roots, 1u);
    trace_ids.insert(spans.front().view().trace_id());
  }
  EXPECT_EQ(trace_ids.size(), kTraces);
}

// Scenario: many traces of a shape.
// Guarantees: no span ends before it starts or starts before its parent, and the trace ends when it was asked to.
TEST_P(TraceShapeProperty, TimesAreOrdered) {
  const auto shape = MakeTraceShape(GetParam(), kSeed);
  for (uint64_t index = 0; index < kTraces; ++index) {
    const std::vector<FlatSpan> spans = SpansOfTrace(*shape, index);
    const SpansById by_id = ById(spans);
    uint64_t end_unix_ns = 0;
    for (const FlatSpan& span : spans) {
      const otlp::SpanView view = span.view();
      ASSERT_GE(view.duration_ns(), 0) << view.name();
      end_unix_ns = std::max(end_unix_ns, view.end_unix_ns());
      const auto parent = by_id.find(view.parent_span_id());
      if (parent == by_id.end()) continue;
      ASSERT_GE(view.start_unix_ns(), parent->second->view().start_unix_ns()) << view.name();
    }
    ASSERT_EQ(end_unix_ns, static_cast<uint64_t>(kEndUnixNs));
  }
}

// Scenario: the same trace generated twice from one seed, and from another seed.
// Guarantees: the same bytes; other bytes.
TEST_P(TraceShapeProperty, TheSeedDecidesEveryByte) {
  const auto first = MakeTraceShape(GetParam(), kSeed);
  const auto again = MakeTraceShape(GetParam(), kSeed);
  const auto other = MakeTraceShape(GetParam(), kSeed + 1);
  GeneratedTrace first_trace, again_trace, other_trace;
  for (uint64_t index : {0, 1, 77, 1'000'000}) {
    again->Generate(index + 1, kEndUnixNs, again_trace);  // no state may be left behind
    first->Generate(index, kEndUnixNs, first_trace);
    again->Generate(index, kEndUnixNs, again_trace);
    other->Generate(index, kEndUnixNs, other_trace);
    EXPECT_EQ(first_trace.wire, again_trace.wire);
    EXPECT_NE(first_trace.wire, other_trace.wire);
  }
  EXPECT_EQ(first->emitters()[0].resource_wire, again->emitters()[0].resource_wire);
}

struct RecordedRelease {
  ShapeKind shape;
  std::vector<std::string> sets;
};

class LlmdShapeProperty : public testing::TestWithParam<RecordedRelease> {};

INSTANTIATE_TEST_SUITE_P(
    Releases, LlmdShapeProperty,
    testing::Values(RecordedRelease{ShapeKind::kLlmd, {"llmd-sched-0.6.0"}},
                    RecordedRelease{ShapeKind::kLlmdPrefix, {"llmd-sched-0.6.0", "llmd-sched-0.6.0-precise-prefix"}},
                    RecordedRelease{ShapeKind::kLlmdHead, {"llmd-router-head", "llmd-router-head-scrape-noise"}}),
    [](const auto& release) {
      std::string name(ShapeName(release.param.shape));
      std::erase(name, '-');
      return name;
    });

// Scenario: generated traces of a release beside recordings of the real software.
// Guarantees: every generated span has a recorded one of the same name whose kind, resource keys, scope, schema URLs,
// flags, attribute keys, their types and order, and events are the same.
TEST_P(LlmdShapeProperty, EverySpanLooksLikeARecordedOne) {
  const std::set<std::string> recorded = RecordedAnatomies(GetParam().sets);
  const auto shape = MakeTraceShape(GetParam().shape, kSeed);
  for (uint64_t index = 0; index < kTraces; ++index) {
    for (const FlatSpan& span : SpansOfTrace(*shape, index)) {
      const std::string anatomy = Anatomy(span, span.view().name());
      ASSERT_TRUE(recorded.contains(anatomy)) << anatomy;
    }
  }
}

// Scenario: as above.
// Guarantees: every span hangs where a recorded one hangs, and no kind of span that was recorded is missing.
TEST_P(LlmdShapeProperty, EverySpanHangsWhereARecordedOneHangs) {
  std::set<std::string> recorded_edges;
  std::set<std::string> recorded_names;
  for (const std::string& set : GetParam().sets) {
    const std::vector<FlatSpan> spans = RecordedSpans(set);
    recorded_edges.merge(Edges(spans));
    for (const FlatSpan& span : spans) {
      if (!IsScrape(span.view())) recorded_names.emplace(span.view().name());
    }
  }
  const auto shape = MakeTraceShape(GetParam().shape, kSeed);
  std::set<std::string> names;
  for (uint64_t index = 0; index < kTraces; ++index) {
    const std::vector<FlatSpan> spans = SpansOfTrace(*shape, index);
    for (const std::string& edge : Edges(spans)) ASSERT_TRUE(recorded_edges.contains(edge)) << edge;
    for (const FlatSpan& span : spans) names.emplace(span.view().name());
  }
  EXPECT_EQ(names, recorded_names);
}

// Scenario: vLLM's spans of many requests.
// Guarantees: what vLLM reports adds up as it does in vLLM: the parts fit into time to first token, that into the end
// to end latency, that into the span; and the span starts on a step of vLLM's clock.
TEST_P(LlmdShapeProperty, EngineLatenciesAddUp) {
  const auto shape = MakeTraceShape(GetParam().shape, kSeed);
  for (uint64_t index = 0; index < kTraces; ++index) {
    for (const FlatSpan& flat : SpansOfTrace(*shape, index)) {
      const otlp::SpanView span = flat.view();
      if (span.name() != span_name::kLlmRequest) continue;
      const double first_token_s = DoubleOf(span, gen_ai::kTimeToFirstToken);
      const double end_to_end_s = DoubleOf(span, gen_ai::kEndToEnd);
      const double decode_s = DoubleOf(span, gen_ai::kTimeInDecode);
      ASSERT_GT(DoubleOf(span, gen_ai::kTimeInQueue), 0);
      ASSERT_GE(first_token_s + kClockNoiseSeconds,
                DoubleOf(span, gen_ai::kTimeInQueue) + DoubleOf(span, gen_ai::kTimeInPrefill));
      ASSERT_GE(end_to_end_s + kClockNoiseSeconds, first_token_s + decode_s);
      ASSERT_GE(static_cast<double>(span.duration_ns()) / 1e9 + kClockNoiseSeconds, end_to_end_s);
      ASSERT_EQ(span.start_unix_ns() % 256, 0u);
      ASSERT_EQ(decode_s == 0, IntOf(span, gen_ai::kCompletionTokens) == 1);
    }
  }
}

const FlatSpan* FindSpan(const std::vector<FlatSpan>& spans, std::string_view name, std::string_view service = {}) {
  for (const FlatSpan& span : spans) {
    if (span.view().name() == name && (service.empty() || span.service == service)) return &span;
  }
  return nullptr;
}

// Scenario: requests of v0.6.
// Guarantees: as recorded, decode hangs under prefill although prefill has ended, and the engines' spans lie within the
// sidecar's steps without hanging there.
TEST(LlmdShape, DecodeFollowsItsParent) {
  const auto shape = MakeTraceShape(ShapeKind::kLlmd, kSeed);
  size_t requests = 0;
  for (uint64_t index = 0; index < kTraces; ++index) {
    const std::vector<FlatSpan> spans = SpansOfTrace(*shape, index);
    const FlatSpan* prefill = FindSpan(spans, span_name::kProxyPrefill);
    const FlatSpan* decode = FindSpan(spans, span_name::kProxyDecode);
    const FlatSpan* engine = FindSpan(spans, span_name::kLlmRequest, "vllm-decode");
    if (decode == nullptr || engine == nullptr) continue;
    ++requests;
    ASSERT_EQ(decode->view().parent_span_id(), prefill->view().span_id());
    const int64_t gap_ns = static_cast<int64_t>(decode->view().start_unix_ns() - prefill->view().end_unix_ns());
    ASSERT_GE(gap_ns, 40'000);
    ASSERT_LE(gap_ns, 200'000);
    ASSERT_GE(engine->view().start_unix_ns(), decode->view().start_unix_ns());
    ASSERT_LE(engine->view().end_unix_ns(), decode->view().end_unix_ns());
  }
  EXPECT_GT(requests, kTraces * 9 / 10);
}

// Scenario: many requests.
// Guarantees: every way a request can end occurs, none too often, with the spans it leaves behind in v0.6.
TEST(LlmdShape, SomeRequestsFail) {
  const auto shape = MakeTraceShape(ShapeKind::kLlmd, kSeed);
  std::map<std::string, int> outcomes;
  for (uint64_t index = 0; index < kTraces; ++index) {
    const std::vector<FlatSpan> spans = SpansOfTrace(*shape, index);
    const otlp::SpanView prefill = FindSpan(spans, span_name::kProxyPrefill)->view();
    const FlatSpan* decode = FindSpan(spans, span_name::kProxyDecode);
    const bool has_decode_engine = FindSpan(spans, span_name::kLlmRequest, "vllm-decode") != nullptr;
    if (prefill.status_code() != otlp::StatusCode::kError) {
      ASSERT_NE(decode, nullptr);
      ++outcomes[has_decode_engine ? "served" : "aborted"];
      ASSERT_EQ(decode->view().events().empty(), has_decode_engine);
    } else {
      ASSERT_EQ(decode, nullptr);
      ++outcomes[has_decode_engine ? "fallback" : "rejected"];
      ASSERT_EQ(prefill.status_message(), "prefill request failed");
    }
  }
  for (const char* outcome : {"aborted", "fallback", "rejected"}) {
    EXPECT_GT(outcomes[outcome], 5) << outcome;
    EXPECT_LT(outcomes[outcome], static_cast<int>(kTraces) / 20) << outcome;
  }
}

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Scenario: prefill spans of short and of long prompts, of requests that had to wait and of others.
// Guarantees: the time to first token grows with the prompt and with the queue.
TEST(LlmdShape, TimeToFirstTokenGrowsWithPromptAndQueue) {
  const auto shape = MakeTraceShape(ShapeKind::kLlmd, kSeed);
  std::map<std::string, std::vector<double>> first_token_s;
  for (uint64_t index = 0; index < kTraces; ++index) {
    const std::vector<FlatSpan> spans = SpansOfTrace(*shape, index);
    const FlatSpan* engine = FindSpan(spans, span_name::kLlmRequest, "vllm-prefill");
    if (engine == nullptr) continue;
    const bool has_waited = DoubleOf(engine->view(), gen_ai::kTimeInQueue) > 0.001;
    const bool is_long = IntOf(engine->view(), gen_ai::kPromptTokens) > 1'500;
    first_token_s[has_waited ? "waited"
                  : is_long  ? "long"
                             : "short"]
        .push_back(DoubleOf(engine->view(), gen_ai::kTimeToFirstToken));
  }
  for (const auto& [group, values] : first_token_s) ASSERT_GT(values.size(), 100u) << group;
  EXPECT_GT(Mean(first_token_s["long"]), 2 * Mean(first_token_s["short"]));
  EXPECT_GT(Mean(first_token_s["waited"]), 1.2 * Mean(first_token_s["short"]));
}

// Scenario: the precise prefix-cache scorer.
// Guarantees: some requests find blocks in the cache, some find none, and the spans agree with each other.
TEST(LlmdShape, SomeRequestsHitThePrefixCache) {
  const auto shape = MakeTraceShape(ShapeKind::kLlmdPrefix, kSeed);
  std::map<bool, int> hits;
  for (uint64_t index = 0; index < kTraces; ++index) {
    const std::vector<FlatSpan> spans = SpansOfTrace(*shape, index);
    const otlp::SpanView scores = FindSpan(spans, span_name::kKvGetScores)->view();
    const otlp::SpanView lookup = FindSpan(spans, span_name::kKvIndex)->view();
    const int64_t found = IntOf(scores, semconv::llm_d::kKvBlocksFound);
    ASSERT_LE(found, IntOf(scores, semconv::llm_d::kKvBlockKeys));
    const auto is_hit = otlp::FindAttribute(lookup.attributes(), semconv::llm_d::kIndexHit);
    ASSERT_EQ(is_hit && is_hit->bool_value(), found > 0);
    ++hits[found > 0];
  }
  EXPECT_GT(hits[true], static_cast<int>(kTraces) / 10);
  EXPECT_GT(hits[false], static_cast<int>(kTraces) / 10);
}

// Scenario: the load that stores are measured with.
// Guarantees: what was said of it: 82 traces of six spans and 4 of five in 512, 12 to 14 attributes a span and 8 a
// resource, one request id in all spans of a trace and in no other one.
TEST(LoadShape, IsTheLoadThatIsDescribed) {
  const auto shape = MakeTraceShape(ShapeKind::kLoad, kSeed);
  std::map<size_t, int> sizes;
  std::set<std::string> request_ids;
  std::set<std::string> services;
  for (uint64_t index = 0; index < 86; ++index) {
    const std::vector<FlatSpan> spans = SpansOfTrace(*shape, index);
    ++sizes[spans.size()];
    std::set<std::string> ids;
    for (const FlatSpan& flat : spans) {
      const otlp::SpanView span = flat.view();
      const auto attributes = static_cast<size_t>(span.attributes().Count());
      ASSERT_GE(attributes, 12u) << span.name();
      ASSERT_LE(attributes, 14u) << span.name();
      ASSERT_EQ(std::ranges::count(flat.resource_keys, ' '), 8) << flat.resource_keys;
      services.insert(flat.service);
      for (const std::string_view key : {gen_ai::kRequestId, semconv::llm_d::kProxyRequestId}) {
        if (const auto id = otlp::FindAttribute(span.attributes(), key)) ids.emplace(id->string_value());
      }
    }
    ASSERT_EQ(ids.size(), 1u);
    request_ids.merge(ids);
  }
  EXPECT_EQ(sizes, (std::map<size_t, int>{{5, 4}, {6, 82}}));
  EXPECT_EQ(request_ids.size(), 86u);
  EXPECT_EQ(services.size(), 4u);
}

TEST(TraceShape, NamesAreParsedAndPrinted) {
  for (const char* name : {"llmd", "llmd-prefix", "llmd-head", "plain", "load"}) {
    const auto kind = ParseShapeKind(name);
    ASSERT_TRUE(kind.ok());
    EXPECT_EQ(ShapeName(*kind), name);
  }
  EXPECT_EQ(ParseShapeKind("zipkin").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace spanloom::cli::tracegen
