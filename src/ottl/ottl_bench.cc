// SPDX-License-Identifier: Apache-2.0
//
// What conditions cost: `./dev bench ottl`. Each is asked of 512 spans of 14 attributes, and holds for none of them.
// Every benchmark checks its answer. The time is that of all 512.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "otlp/batch.h"
#include "otlp/writer.h"
#include "ottl/condition.h"
#include "ottl/statement.h"

namespace spanloom::ottl {
namespace {

constexpr size_t kSpans = 512;  // of a full batch of an SDK

otlp::Slice Spans() {
  std::string wire;
  otlp::RequestWriter request(wire);
  request.BeginResource(otlp::EncodeResource([](otlp::AttributeWriter& a) {
    a.String("service.name", "vllm-decode").String("k8s.pod.name", "decode-7").Int("process.pid", 17);
  }));
  request.BeginScope(otlp::EncodeScope({.name = "vllm.llm_engine"}));
  for (size_t i = 0; i < kSpans; ++i) {
    otlp::SpanWriter span = request.BeginSpan({.name = "llm_request", .kind = otlp::SpanKind::kServer});
    otlp::AttributeWriter attributes = span.attributes();
    attributes.String("gen_ai.response.model", "meta-llama/Llama-3.1-8B-Instruct")
        .String("http.request.method", "POST");
    for (int number = 0; number < 10; ++number) attributes.Int("gen_ai.usage.number." + std::to_string(number), number);
    attributes.String("server.address", "10.244.3.17").String("url.path", "/v1/completions");
    span.End();
  }
  request.End();
  return {Bytes(std::move(wire)), kSpans};
}

void Ask(benchmark::State& state, const std::vector<std::string>& texts) {
  const auto conditions = Conditions::Compile(Context::kSpan, texts);
  CHECK(conditions.ok());
  const otlp::Slice spans = Spans();
  for (auto _ : state) {
    size_t matches = 0;
    spans.ForEach([&](const otlp::SpanContext& span) {
      matches += conditions->Match(Scene(span), [](std::string_view, const Status&) { return true; }) ? 1 : 0;
    });
    CHECK(matches == 0);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSpans));
}

// What walking the spans costs, before anything is asked of them.
void BM_NoCondition(benchmark::State& state) {
  Ask(state, {});
}
BENCHMARK(BM_NoCondition);

// `attributes["url.path"] == ".."` and `name == ".."` by turns.
void BM_EqualTexts(benchmark::State& state) {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < state.range(0); ++i) {
    const std::string literal = "\"/path/" + std::to_string(i) + "\"";
    texts.push_back((i % 2 == 0 ? R"(attributes["url.path"] == )" : "name == ") + literal);
  }
  Ask(state, texts);
}
BENCHMARK(BM_EqualTexts)->Arg(4)->Arg(40)->Arg(400);

// Conditions on as many attributes as there are conditions.
void BM_ManyAttributes(benchmark::State& state) {
  std::vector<std::string> texts;
  for (int64_t i = 0; i < state.range(0); ++i) {
    texts.push_back("attributes[\"gen_ai.usage.number." + std::to_string(i) + "\"] == \"none\"");
  }
  Ask(state, texts);
}
BENCHMARK(BM_ManyAttributes)->Arg(4)->Arg(40);

void BM_Converters(benchmark::State& state) {
  Ask(state, {R"~(IsMatch(name, "^GET /(metrics|health)"))~", R"(HasPrefix(attributes["url.path"], "/metrics"))",
              R"(Len(attributes["url.path"]) > 100)", R"(attributes["gen_ai.usage.number.3"] * 2 > 100)"});
}
BENCHMARK(BM_Converters);

void BM_SetAttribute(benchmark::State& state) {
  const std::vector<std::string> texts = {
      R"(set(attributes["seen"], true) where attributes["url.path"] == "/v1/completions")"};
  const auto statements = StatementList::Compile(Context::kSpan, texts);
  CHECK(statements.ok());
  const otlp::Slice spans = Spans();
  for (auto _ : state) {
    otlp::Slice edited = spans;
    const size_t replaced = edited.EditSpans([&](otlp::SpanEditContext& span) {
      statements->Execute(Scene(span), [](std::string_view, const Status&) { return true; });
    });
    CHECK(replaced == kSpans);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSpans));
}
BENCHMARK(BM_SetAttribute);

}  // namespace
}  // namespace spanloom::ottl

BENCHMARK_MAIN();
