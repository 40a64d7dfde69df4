// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/debug.h"

#include <memory>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "otlp/json/write.h"
#include "pipeline/exporters/export_counters.h"

namespace spanloom::pipeline {
namespace {

using otlp::ValueView;

void WriteValue(const ValueView& value, JsonWriter& json) {
  switch (value.kind()) {
    case ValueView::Kind::kNone:
      return json.Null();
    case ValueView::Kind::kString:
      return json.String(value.string_value());
    case ValueView::Kind::kBool:
      return json.Bool(value.bool_value());
    case ValueView::Kind::kInt:
      return json.Int(value.int_value());
    case ValueView::Kind::kDouble:
      return json.Double(value.double_value());
    case ValueView::Kind::kBytes:
      return json.Base64(value.bytes_value());
    case ValueView::Kind::kArray:
      json.BeginArray();
      for (const ValueView item : value.array()) WriteValue(item, json);
      return json.EndArray();
    case ValueView::Kind::kMap:
      json.BeginObject();
      for (const otlp::AttributeView item : value.map()) {
        json.Key(item.key());
        WriteValue(item.value(), json);
      }
      return json.EndObject();
  }
}

std::string ValueText(const ValueView& value) {
  std::string text;
  JsonWriter json(text);
  WriteValue(value, json);
  return text;
}

template <typename Attributes>
void WriteAttributes(std::string_view of, const Attributes& attributes, const DebugExporter::WriteLine& write) {
  for (const otlp::AttributeView attribute : attributes) {
    write("  attribute", {{"of", of}, {"key", attribute.key()}, {"value", ValueText(attribute.value())}});
  }
}

// How the Collector speaks of a batch.
struct SignalWords {
  std::string_view title;
  std::string_view resources;
  std::string_view items;
};

SignalWords WordsOf(otlp::Signal signal) {
  switch (signal) {
    case otlp::Signal::kTraces:
      return {"Traces", "resource spans", "spans"};
    case otlp::Signal::kMetrics:
      return {"Metrics", "resource metrics", "data points"};
    case otlp::Signal::kLogs:
      return {"Logs", "resource logs", "log records"};
  }
  return {};
}

constexpr ComponentDoc kDoc = {
    .words = "Writes what passes to the log, at level info.",
    .example = R"(exporters:
  debug:
    verbosity: detailed
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
)",
};

}  // namespace

void DebugOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, Verbosity> kVerbosities[] = {
      {"basic", Verbosity::kBasic}, {"normal", Verbosity::kNormal}, {"detailed", Verbosity::kDetailed}};
  r.Choice<Verbosity>("verbosity", verbosity, kVerbosities, "How much is written of each batch.");
  r.Field("sampling_initial", sampling_initial, "Batches that are written in each second before some are left out.",
          {.min = 0, .unit = "batches"});
  r.Field("sampling_thereafter", sampling_thereafter,
          "Of those that follow in that second, one in so many is written; 0 means none.",
          {.min = 0, .unit = "batches"});
  r.Unsupported("use_internal_logger", "remove it; batches are written to the log", "true");
  r.Unsupported("output_paths", "remove it; batches are written to the log");
  r.Unsupported("sending_queue", "remove it; nothing waits before the log");
}

DebugExporter::DebugExporter(const ComponentId& id, const DebugOptions& options, const BuildContext& context,
                             WriteLine write)
    : id_(id.ToString()),
      options_(options),
      write_(std::move(write)),
      signal_(context.signal),
      sent_(SentItems(context.metrics, id_, signal_)),
      clock_(context.clock) {}

bool DebugExporter::IsWritten() {
  constexpr int64_t kSecondNs = 1'000'000'000;
  const int64_t second = clock_.SteadyNs() / kSecondNs;
  const MutexLock lock(mutex_);
  if (std::exchange(second_, second) != second) count_ = 0;
  const int64_t beyond = ++count_ - options_.sampling_initial;
  return beyond <= 0 || (options_.sampling_thereafter > 0 && beyond % options_.sampling_thereafter == 0);
}

void DebugExporter::Consume(otlp::Batch batch, Done done) {
  if (IsWritten()) Write(batch);
  sent_.Add(batch.span_count());
  std::move(done)(absl::OkStatus());
}

void DebugExporter::Write(const otlp::Batch& batch) const {
  size_t resources = 0;  // in all three signals they stand in the same field
  for (const otlp::Slice& slice : batch.slices()) {
    resources += otlp::TracesView(slice.wire().view()).resource_spans().Count();
  }
  const SignalWords words = WordsOf(signal_);
  write_(words.title, {{"exporter", id_}, {words.resources, resources}, {words.items, batch.span_count()}});
  const bool is_basic = options_.verbosity == DebugOptions::Verbosity::kBasic;
  if (!is_basic && signal_ != otlp::Signal::kTraces) {
    std::string json;
    otlp::WriteJson(batch, json);
    write_("  request", {{"json", json}});
  } else if (!is_basic) {
    for (const otlp::Slice& slice : batch.slices()) {
      slice.ForEach([this](const otlp::SpanContext& context) { WriteSpan(context); });
    }
  }
}

void DebugExporter::WriteSpan(const otlp::SpanContext& context) const {
  const otlp::SpanView& span = context.span;
  write_("span", {{"name", span.name()},
                  {"service", context.resource.service_name()},
                  {"trace_id", span.trace_id().Hex()},
                  {"span_id", span.span_id().Hex()},
                  {"parent_span_id", span.parent_span_id().IsZero() ? "" : span.parent_span_id().Hex()},
                  {"duration_ns", span.duration_ns()},
                  {"status", static_cast<int>(span.status_code())}});
  if (options_.verbosity == DebugOptions::Verbosity::kDetailed) WriteDetails(context);
}

void DebugExporter::WriteDetails(const otlp::SpanContext& context) const {
  WriteAttributes("resource", context.resource.attributes(), write_);
  WriteAttributes("span", context.span.attributes(), write_);
  for (const otlp::EventView event : context.span.events()) {
    write_("  event", {{"name", event.name()}, {"time_unix_ns", event.time_unix_ns()}});
    WriteAttributes("event", event.attributes(), write_);
  }
  for (const otlp::LinkView link : context.span.links()) {
    write_("  link", {{"trace_id", link.trace_id().Hex()}, {"span_id", link.span_id().Hex()}});
  }
}

void RegisterDebugExporter(Registry& registry) {
  registry.exporters.Add<DebugOptions>(
      "debug", kDoc,
      [](const ComponentId& id, const DebugOptions& options, const BuildContext& context) {
        return std::make_unique<DebugExporter>(id, options, context,
                                               [](std::string_view message, std::initializer_list<LogField> fields) {
                                                 Log(LogLevel::kInfo, message, fields);
                                               });
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
