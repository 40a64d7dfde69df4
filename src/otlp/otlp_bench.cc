// SPDX-License-Identifier: Apache-2.0
//
// What otlp costs: `./dev bench otlp`. A request of 512 spans of about 650 bytes, as vLLM and llm-d send them, is
// checked, walked, edited, copied and translated. Every benchmark checks its answer.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/rng.h"
#include "otlp/batch.h"
#include "otlp/json/transcode.h"
#include "otlp/json/write.h"
#include "otlp/request.h"
#include "otlp/testing/digest.h"
#include "otlp/testing/recorded_requests.h"
#include "otlp/validate.h"
#include "otlp/writer.h"

namespace spanloom::otlp {
namespace {

constexpr size_t kSpans = 512;       // of a full batch of an SDK
constexpr size_t kAttributes = 14;   // of a span
constexpr size_t kJsonSpans = 1000;  // about 1 MB of JSON

std::string RandomHex(Rng& rng) {
  TraceId id;
  for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(rng.Next());
  return id.Hex();
}

void WriteSpan(Rng& rng, RequestWriter& request) {
  SpanFields fields = {.name = "llm_request", .kind = SpanKind::kServer, .flags = 0x101};
  for (uint8_t& byte : fields.trace_id.bytes) byte = static_cast<uint8_t>(rng.Next());
  for (uint8_t& byte : fields.span_id.bytes) byte = static_cast<uint8_t>(rng.Next());
  for (uint8_t& byte : fields.parent_span_id.bytes) byte = static_cast<uint8_t>(rng.Next());
  fields.start_unix_ns = 1'700'000'000'000'000'000 + rng.Below(1'000'000'000);
  fields.end_unix_ns = fields.start_unix_ns + rng.Below(1'000'000'000);
  SpanWriter span = request.BeginSpan(fields);
  AttributeWriter attributes = span.attributes();
  attributes.String("gen_ai.response.model", "meta-llama/Llama-3.1-8B-Instruct")
      .String("gen_ai.request.id", RandomHex(rng));
  for (const char* key : {"gen_ai.request.max_tokens", "gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens",
                          "http.response.status_code"}) {
    attributes.Int(key, static_cast<int64_t>(rng.Below(5000)));
  }
  for (const char* key : {"gen_ai.latency.time_in_queue", "gen_ai.latency.time_to_first_token", "gen_ai.latency.e2e",
                          "gen_ai.request.temperature", "gen_ai.latency.time_in_model_prefill"}) {
    attributes.Double(key, static_cast<double>(rng.Below(1'000'000)) / 1000);
  }
  attributes.String("server.address", "10.244.3.17")
      .String("url.path", "/v1/completions")
      .Bool("llm_d.streaming", true);
  span.SetStatus(StatusCode::kUnset);
  span.End();
}

std::string Request(size_t spans) {
  Rng rng(1);
  std::string wire;
  RequestWriter request(wire);
  request.BeginResource(EncodeResource([](AttributeWriter& w) {
    w.String("service.name", "vllm-decode").String("k8s.pod.name", "decode-5d9c7bd4f-x2x7k").Int("process.pid", 7);
  }));
  request.BeginScope(EncodeScope({.name = "vllm.llm_engine", .version = "0.32"}));
  for (size_t i = 0; i < spans; ++i) WriteSpan(rng, request);
  request.End();
  return wire;
}

Slice ReadSlice(size_t spans) {
  auto slice = ReadTraces(Bytes(Request(spans)));
  CHECK(slice.ok() && slice->span_count() == spans);
  return *std::move(slice);
}

// Time a span and bytes a second.
void Report(benchmark::State& state, size_t spans, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
  state.counters["span"] = benchmark::Counter(static_cast<double>(state.iterations() * spans),
                                              benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

uint64_t SumOf(const ValueView& value) {
  switch (value.kind()) {
    case ValueView::Kind::kString:
      return value.string_value().size();
    case ValueView::Kind::kDouble:
      return value.double_value() > 0 ? 1 : 0;
    default:
      return static_cast<uint64_t>(value.int_value());
  }
}

// Every field and attribute of every span; returns the attributes.
size_t WalkAll(std::string_view request, uint64_t& sum) {
  size_t attributes = 0;
  for (const ResourceSpansView resource_spans : TracesView(request).resource_spans()) {
    sum += resource_spans.resource().service_name().size();
    for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      for (const SpanView span : scope_spans.spans()) {
        sum += span.trace_id().bytes[0] + span.name().size() + static_cast<uint64_t>(span.duration_ns());
        for (const AttributeView attribute : span.attributes()) {
          sum += attribute.key().size() + SumOf(attribute.value());
          ++attributes;
        }
      }
    }
  }
  return attributes;
}

void Validate(benchmark::State& state) {
  const std::string request = Request(kSpans);
  CHECK(request.size() / kSpans > 600 && request.size() / kSpans < 700);
  for (auto _ : state) {
    const auto stats = ValidateTraces(request);
    CHECK(stats.ok() && stats->spans == kSpans);
  }
  Report(state, kSpans, request.size());
}
BENCHMARK(Validate);

void ValidateAndWalkEveryAttribute(benchmark::State& state) {
  const std::string request = Request(kSpans);
  for (auto _ : state) {
    uint64_t sum = 0;
    CHECK(ValidateTraces(request).ok());
    CHECK(WalkAll(request, sum) == kSpans * kAttributes);
    benchmark::DoNotOptimize(sum);
  }
  Report(state, kSpans, request.size());
}
BENCHMARK(ValidateAndWalkEveryAttribute);

void AppendWithATenthDropped(benchmark::State& state) {
  Slice slice = ReadSlice(kSpans);
  size_t number = 0;
  CHECK(slice.DropIf([&](const SpanContext&) { return number++ % 10 == 0; }) == kSpans / 10 + 1);
  std::string out;
  for (auto _ : state) {
    out.clear();
    slice.AppendTo(out);
    benchmark::DoNotOptimize(out.data());
  }
  CHECK(ValidateTraces(out)->spans == slice.span_count());
  Report(state, kSpans, slice.wire().size());
}
BENCHMARK(AppendWithATenthDropped);

void SetAnAttributeOnEachSpan(benchmark::State& state) {
  const Slice original = ReadSlice(kSpans);
  for (auto _ : state) {
    Slice slice = original;
    CHECK(slice.EditSpans([](SpanEditContext& context) { context.span().SetString("deployment", "blue"); }) == kSpans);
  }
  Report(state, kSpans, original.wire().size());
}
BENCHMARK(SetAnAttributeOnEachSpan);

void SetAnAttributeOnEachSpanAndAppend(benchmark::State& state) {
  const Slice original = ReadSlice(kSpans);
  std::string out;
  for (auto _ : state) {
    Slice slice = original;
    slice.EditSpans([](SpanEditContext& context) { context.span().SetString("deployment", "blue"); });
    out.clear();
    slice.AppendTo(out);
  }
  uint64_t sum = 0;
  CHECK(WalkAll(out, sum) == kSpans * (kAttributes + 1));
  Report(state, kSpans, original.wire().size());
}
BENCHMARK(SetAnAttributeOnEachSpanAndAppend);

void EditTheResourceOnly(benchmark::State& state) {
  const Slice original = ReadSlice(kSpans);
  for (auto _ : state) {
    Slice slice = original;
    CHECK(slice.EditResources([](ResourceEditor& resource) { resource.SetString("k8s.node.name", "n"); }) == 1);
  }
  Report(state, kSpans, original.wire().size());
}
BENCHMARK(EditTheResourceOnly);

void WriteARequest(benchmark::State& state) {
  const size_t size = Request(kSpans).size();
  for (auto _ : state) CHECK(Request(kSpans).size() == size);
  Report(state, kSpans, size);
}
BENCHMARK(WriteARequest);

std::string GeneratedJson() {
  std::string json;
  WriteJson(Batch(ReadSlice(kJsonSpans)), json);
  return json;
}

void TranscodeGeneratedJson(benchmark::State& state) {
  const std::string json = GeneratedJson();
  Digest original;
  original.Add(TracesView(Request(kJsonSpans)));
  for (auto _ : state) {
    const auto wire = TranscodeTracesJson(json);
    CHECK(wire.ok());
    benchmark::DoNotOptimize(wire->data());
  }
  Digest again;
  CHECK(again.Add(TracesView(*TranscodeTracesJson(json))) == kJsonSpans && again.value() == original.value());
  Report(state, kJsonSpans, json.size());
}
BENCHMARK(TranscodeGeneratedJson);

void TranscodeRecordedJson(benchmark::State& state) {
  const std::vector<RecordedRequest> requests = ReadRecordedRequests(".json");
  size_t bytes = 0;
  size_t spans = 0;
  for (const RecordedRequest& request : requests) {
    bytes += request.body.size();
    spans += request.spans;
    CHECK(ValidateTraces(*TranscodeTracesJson(request.body))->spans == request.spans);
  }
  for (auto _ : state) {
    for (const RecordedRequest& request : requests) CHECK(TranscodeTracesJson(request.body).ok());
  }
  Report(state, spans, bytes);
}
BENCHMARK(TranscodeRecordedJson);

void WriteJson(benchmark::State& state) {
  const Batch batch(ReadSlice(kJsonSpans));
  const size_t size = GeneratedJson().size();
  for (auto _ : state) {
    std::string json;
    WriteJson(batch, json);
    CHECK(json.size() == size);
  }
  Report(state, kJsonSpans, size);
}
BENCHMARK(WriteJson);

}  // namespace
}  // namespace spanloom::otlp

BENCHMARK_MAIN();
