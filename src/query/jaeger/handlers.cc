// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/handlers.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "query/jaeger/dependencies.h"
#include "query/jaeger/parameters.h"
#include "query/jaeger/trace_json.h"
#include "store/span_tags.h"

namespace spanloom::query::jaeger {
namespace {

using net::HttpRequest;
using net::HttpResponse;

// The response itself, or over several lines if the request asks for that.
HttpResponse Formatted(HttpResponse response, const Parameters& parameters) {
  if (WantsPrettyPrint(parameters)) response.body = Bytes(IndentJson(response.body.view()));
  return response;
}

void WriteNames(const std::vector<std::string>& names, JsonWriter& json) {
  json.BeginArray();
  for (const std::string& name : names) json.String(name);
  json.EndArray();
}

void WriteOperations(const std::vector<store::OperationName>& operations, JsonWriter& json) {
  json.BeginArray();
  for (const store::OperationName& name : operations) {
    json.BeginObject();
    json.Field("name", name.operation.name);
    json.Field("spanKind", store::SpanKindText(name.operation.kind));
    json.EndObject();
  }
  json.EndArray();
}

void WriteDependencies(const std::vector<Dependency>& dependencies, JsonWriter& json) {
  json.BeginArray();
  for (const Dependency& dependency : dependencies) {
    json.BeginObject();
    json.Field("parent", dependency.parent);
    json.Field("child", dependency.child);
    json.Field("callCount", dependency.calls);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace

store::ReadLimits Handlers::LimitsFromNow(std::stop_token stop) const {
  const int64_t question_max_ns = std::chrono::nanoseconds(limits_.question_max).count();
  return {.deadline_steady_ns = clock_.SteadyNs() + question_max_ns, .stop = std::move(stop)};
}

HttpResponse Handlers::Services(const HttpRequest& request, std::stop_token stop) const {
  const auto services = store_.Services({.limits = LimitsFromNow(std::move(stop))});
  if (!services.ok()) return ErrorResponse(services.status());
  std::vector<std::string> names;
  for (const store::ServiceName& service : *services) names.push_back(service.name);
  DataResponse response;
  WriteNames(names, response.data());
  return Formatted(response.Finish(names.size()), Parameters(request.query));
}

HttpResponse Handlers::Operations(const HttpRequest& request, std::stop_token stop) const {
  const Parameters parameters(request.query);
  const std::string service(parameters.Get("service"));
  if (service.empty()) return ErrorResponse(400, "parameter 'service' is required");
  auto operations = store_.Operations(service, {.limits = LimitsFromNow(std::move(stop))});
  if (!operations.ok()) return ErrorResponse(operations.status());
  if (const std::string_view kind = parameters.Get("spanKind"); !kind.empty()) {
    std::erase_if(*operations, [kind](const auto& name) { return store::SpanKindText(name.operation.kind) != kind; });
  }
  DataResponse response;
  WriteOperations(*operations, response.data());
  return Formatted(response.Finish(operations->size()), parameters);
}

HttpResponse Handlers::OperationNames(const HttpRequest& request, std::string_view service,
                                      std::stop_token stop) const {
  const auto operations = store_.Operations(std::string(service), {.limits = LimitsFromNow(std::move(stop))});
  if (!operations.ok()) return ErrorResponse(operations.status());
  std::vector<std::string> names;
  for (const auto& [operation, spans] : *operations) {
    if (names.empty() || names.back() != operation.name) names.push_back(operation.name);  // they come sorted by name
  }
  DataResponse response;
  WriteNames(names, response.data());
  return Formatted(response.Finish(names.size()), Parameters(request.query));
}

HttpResponse Handlers::Search(const HttpRequest& request, std::stop_token stop) const {
  const Parameters parameters(request.query);
  auto search = ParseTraceSearch(parameters, NowUnixNs());
  if (!search.ok()) return ErrorResponse(search.status());
  if (!search->trace_ids.empty()) {
    return Formatted(SearchByIds(search->trace_ids, search->is_raw, std::move(stop)), parameters);
  }
  const store::ReadLimits limits = LimitsFromNow(std::move(stop));
  search->plan.limits = limits;
  const auto traces = store::FetchTraces(store_, std::move(search->plan));
  if (!traces.ok()) return ErrorResponse(traces.status());
  return Formatted(TracesResponse(*traces, search->is_raw, {}, limits), parameters);
}

HttpResponse Handlers::SearchByIds(const std::vector<otlp::TraceId>& ids, bool is_raw, std::stop_token stop) const {
  std::vector<store::Trace> traces;
  std::vector<ApiError> errors;
  const store::ReadLimits limits = LimitsFromNow(std::move(stop));
  for (const otlp::TraceId& id : ids) {
    auto trace = store_.GetTrace(id, {}, limits);
    if (trace.ok()) {
      traces.push_back(*std::move(trace));
    } else if (absl::IsNotFound(trace.status())) {
      errors.push_back({.code = 0, .message = "trace not found", .trace_id = id.Hex()});
    } else {
      return ErrorResponse(trace.status());
    }
  }
  return TracesResponse(traces, is_raw, errors, limits);
}

HttpResponse Handlers::Trace(const HttpRequest& request, std::string_view id_text, std::stop_token stop) const {
  const Parameters parameters(request.query);
  const auto id = ParseTraceIdText(id_text);
  if (!id.ok()) return ErrorResponse(id.status());
  const auto is_raw = ParseTraceOptions(parameters);
  if (!is_raw.ok()) return ErrorResponse(is_raw.status());
  const store::ReadLimits limits = LimitsFromNow(std::move(stop));
  auto trace = store_.GetTrace(*id, {}, limits);
  if (!trace.ok()) return ErrorResponse(trace.status());
  return Formatted(TracesResponse({*std::move(trace)}, *is_raw, {}, limits), parameters);
}

HttpResponse Handlers::TracesResponse(const std::vector<store::Trace>& traces, bool is_raw,
                                      const std::vector<ApiError>& errors, const store::ReadLimits& limits) const {
  DataResponse response;
  response.data().BeginArray();
  for (size_t i = 0; i < traces.size(); ++i) {
    if (response.size() > limits_.answer_bytes_max) {
      return ErrorResponse(
          absl::ResourceExhaustedError(StrCat("the answer exceeds ", limits_.answer_bytes_max, " bytes after ", i,
                                              " of ", traces.size(), " traces; lower 'limit'")));
    }
    if (const Status status = limits.Check(clock_); !status.ok()) return ErrorResponse(status);
    WriteTraceJson(traces[i], {.is_raw = is_raw}, response.data());
  }
  response.data().EndArray();
  return response.Finish(0, errors);
}

HttpResponse Handlers::Dependencies(const HttpRequest& request, std::stop_token stop) const {
  const Parameters parameters(request.query);
  const auto range = ParseDependencyRange(parameters, NowUnixNs());
  if (!range.ok()) return ErrorResponse(range.status());
  store::FetchPlan plan = DependencyCounter::Plan();
  plan.starts = *range;
  plan.traces_max = limits_.dependency_traces_max;
  plan.limits = LimitsFromNow(std::move(stop));
  const auto cursor = store_.Fetch(std::move(plan));
  if (!cursor.ok()) return ErrorResponse(cursor.status());
  DependencyCounter counter;
  auto batch = (*cursor)->Next();
  for (; batch.ok() && batch->has_value(); batch = (*cursor)->Next()) counter.Add(**batch);
  if (!batch.ok()) return ErrorResponse(batch.status());
  std::vector<Dependency> dependencies = counter.Take();
  if (const std::string_view service = parameters.Get("service"); !service.empty()) {
    std::erase_if(dependencies, [service](const Dependency& dependency) {
      return dependency.parent != service && dependency.child != service;
    });
  }
  DataResponse response;
  WriteDependencies(dependencies, response.data());
  return Formatted(response.Finish(0), parameters);
}

}  // namespace spanloom::query::jaeger
