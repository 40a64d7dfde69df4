// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/report.h"

#include <absl/strings/str_format.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "cli/console/text_format.h"

namespace spanloom::cli::tracegen {
namespace {

using console::CountOf;

double Seconds(int64_t duration_ns) {
  return static_cast<double>(duration_ns) / 1e9;
}
double Milliseconds(int64_t duration_ns) {
  return static_cast<double>(duration_ns) / 1e6;
}

double SpansPerSecond(const RunReport& report) {
  return report.wall_ns > 0 ? static_cast<double>(report.delivery.acknowledged_spans) / Seconds(report.wall_ns) : 0;
}

void AppendProblems(std::string_view label, const Problems& problems, std::string& out) {
  for (const auto& [code, problem] : problems) {
    StrAppend(out, label, CountOf(problem.spans, "span"), " in ", CountOf(problem.requests, "request"), ", ", code);
    if (!problem.message.empty()) StrAppend(out, ": ", problem.message);
    out += '\n';
  }
}

std::string FormatText(const RunReport& report, const TracegenOptions& options) {
  const DeliveryStats& delivery = report.delivery;
  std::string out;
  StrAppend(out, "generated     ", CountOf(report.traces, "trace"), ", ", CountOf(report.spans, "span"), " (shape ",
            ShapeName(options.shape), ", seed ", options.seed, ")\n");
  StrAppend(out, "sent          ", CountOf(delivery.requests, "request"), " in ", CountOf(delivery.attempts, "attempt"),
            " to ", options.endpoint, ", ", console::FormatBytes(delivery.plain_bytes), ", ",
            console::FormatBytes(delivery.wire_bytes), " on the wire\n");
  StrAppend(out, "acknowledged  ", CountOf(delivery.acknowledged_spans, "span"), "\n");
  if (delivery.rejected_spans > 0) {
    StrAppend(out, "rejected      ", CountOf(delivery.rejected_spans, "span"),
              " of accepted requests: ", delivery.rejected_reason, "\n");
  }
  AppendProblems("refused       ", delivery.refused, out);
  AppendProblems(StrCat("lost          after ", options.retries, options.retries == 1 ? " retry: " : " retries: "),
                 delivery.exhausted, out);
  AppendProblems("abandoned     ", delivery.abandoned, out);
  if (report.was_interrupted) StrAppend(out, "interrupted   ", CountOf(report.unsent_spans, "span"), " not sent\n");
  StrAppend(out, absl::StrFormat("took          %.2f s, %.0f spans/s acknowledged\n", Seconds(report.wall_ns),
                                 SpansPerSecond(report)));
  StrAppend(out, absl::StrFormat("answers       p50 %.2f ms, p99 %.2f ms (accepted requests)\n",
                                 Milliseconds(delivery.latency.QuantileNs(0.5)),
                                 Milliseconds(delivery.latency.QuantileNs(0.99))));
  return out;
}

void WriteProblems(std::string_view key, const Problems& problems, JsonWriter& json) {
  json.Key(key);
  json.BeginArray();
  for (const auto& [code, problem] : problems) {
    json.BeginObject();
    json.Field("code", code);
    json.Field("message", problem.message);
    json.Field("requests", problem.requests);
    json.Field("spans", problem.spans);
    json.EndObject();
  }
  json.EndArray();
}

void WriteDelivery(const DeliveryStats& delivery, JsonWriter& json) {
  json.Field("requests", delivery.requests);
  json.Field("attempts", delivery.attempts);
  json.Field("plain_bytes", delivery.plain_bytes);
  json.Field("wire_bytes", delivery.wire_bytes);
  json.Field("acknowledged_spans", delivery.acknowledged_spans);
  json.Field("lost_spans", delivery.lost_spans());
  json.Field("rejected_spans", delivery.rejected_spans);
  json.Field("rejected_reason", delivery.rejected_reason);
  WriteProblems("refused", delivery.refused, json);
  WriteProblems("exhausted", delivery.exhausted, json);
  WriteProblems("abandoned", delivery.abandoned, json);
}

void WriteDouble(std::string_view key, double value, JsonWriter& json) {
  json.Key(key);
  json.Double(value);
}

std::string FormatJson(const RunReport& report, const TracegenOptions& options) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Field("shape", ShapeName(options.shape));
  json.Field("seed", options.seed);
  json.Field("endpoint", options.endpoint);
  json.Field("traces", report.traces);
  json.Field("spans", report.spans);
  json.Field("unsent_spans", report.unsent_spans);
  json.Field("interrupted", report.was_interrupted);
  WriteDelivery(report.delivery, json);
  WriteDouble("wall_s", Seconds(report.wall_ns), json);
  WriteDouble("spans_per_s", SpansPerSecond(report), json);
  WriteDouble("answer_p50_ms", Milliseconds(report.delivery.latency.QuantileNs(0.5)), json);
  WriteDouble("answer_p99_ms", Milliseconds(report.delivery.latency.QuantileNs(0.99)), json);
  json.EndObject();
  return out + '\n';
}

}  // namespace

std::string FormatReport(const RunReport& report, const TracegenOptions& options) {
  return options.report == ReportFormat::kJson ? FormatJson(report, options) : FormatText(report, options);
}

}  // namespace spanloom::cli::tracegen
