// SPDX-License-Identifier: Apache-2.0

#include "doctor/seen_trace.h"

#include <absl/strings/numbers.h>

#include <map>
#include <utility>

#include "base/text.h"
#include "doctor/request_id.h"
#include "kube/json.h"
#include "semconv/names.h"

namespace spanloom::doctor {
namespace {

using simdjson::dom::element;

int64_t NumberAt(const element& object, std::string_view key) {
  int64_t number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}

bool IsTrueAt(const element& object, std::string_view key) {
  bool is_true = false;
  return object[key].get(is_true) == simdjson::SUCCESS && is_true;
}

// The names of a trace's processes, by their ids.
std::map<std::string_view, std::string> Services(const element& trace) {
  std::map<std::string_view, std::string> services;
  simdjson::dom::object processes;
  if (trace["processes"].get(processes) != simdjson::SUCCESS) return services;
  for (const auto& [id, process] : processes) services[id] = kube::TextAt(process, "serviceName");
  return services;
}

void ReadTag(const element& tag, SeenSpan& span) {
  const std::string_view key = kube::TextAt(tag, "key");
  const std::string_view text = kube::TextAt(tag, "value");
  if (key == "span.kind") span.kind = text;
  if (key == "error") span.is_error = text == "true" || IsTrueAt(tag, "value");
  SeeAttribute(key, text, NumberAt(tag, "value"), span);
}

SeenSpan ReadSpan(const element& json, const std::map<std::string_view, std::string>& services) {
  SeenSpan span;
  span.id = kube::TextAt(json, "spanID");
  span.name = kube::TextAt(json, "operationName");
  span.start_us = NumberAt(json, "startTime");
  span.end_us = span.start_us + NumberAt(json, "duration");
  const auto service = services.find(kube::TextAt(json, "processID"));
  if (service != services.end()) span.service = service->second;
  kube::ForEachAt(json, "references", [&](const element& reference) {
    if (kube::TextAt(reference, "refType") == "CHILD_OF") span.parent = kube::TextAt(reference, "spanID");
  });
  kube::ForEachAt(json, "tags", [&](const element& tag) { ReadTag(tag, span); });
  return span;
}

}  // namespace

SpansById IndexSpans(const SeenTrace& trace) {
  SpansById spans;
  for (const SeenSpan& span : trace.spans) spans[span.id] = &span;
  return spans;
}

void SeeAttribute(std::string_view key, std::string_view text, int64_t number, SeenSpan& span) {
  if (IsRequestIdKey(key)) span.request_id = BaseRequestId(text);
  if (key == semconv::http::kStatusCode) span.http_status = number;
  if (key == semconv::envoy::kStatusCode) {
    int64_t status = 0;  // as text
    span.http_status = absl::SimpleAtoi(AbslView(text), &status) ? status : 0;
  }
}

StatusOr<std::vector<SeenTrace>> ReadTraces(std::string_view answer) {
  kube::JsonReader reader;
  ASSIGN_OR_RETURN(const element root, reader.Read(answer));
  std::vector<SeenTrace> traces;
  kube::ForEachAt(root, "data", [&](const element& json) {
    SeenTrace trace;
    trace.id = kube::TextAt(json, "traceID");
    const auto services = Services(json);
    kube::ForEachAt(json, "spans", [&](const element& span) { trace.spans.push_back(ReadSpan(span, services)); });
    traces.push_back(std::move(trace));
  });
  return traces;
}

StatusOr<std::vector<std::string>> ReadServices(std::string_view answer) {
  kube::JsonReader reader;
  ASSIGN_OR_RETURN(const element root, reader.Read(answer));
  std::vector<std::string> services;
  kube::ForEachAt(root, "data", [&](const element& json) {
    std::string_view name;
    if (json.get(name) == simdjson::SUCCESS) services.emplace_back(name);
  });
  return services;
}

}  // namespace spanloom::doctor
