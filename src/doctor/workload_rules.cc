// SPDX-License-Identifier: Apache-2.0

#include "doctor/workload_rules.h"

#include <map>
#include <string>

#include "base/text.h"
#include "doctor/document.h"
#include "doctor/switches.h"
#include "doctor/tracing_settings.h"
#include "doctor/vllm_arguments.h"

namespace spanloom::doctor {
namespace {

using config::Node;
using Environment = std::map<std::string_view, const Node*>;  // a variable's entry, by its name; the last one counts

Environment EnvironmentOf(const Node& container) {
  Environment environment;
  for (const Node& variable : NodesAt(container, "env")) environment[TextAt(variable, {"name"})] = &variable;
  return environment;
}

// The variable's value; nullptr if it is not set, or comes from elsewhere.
const Node* ValueOf(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? nullptr : found->second->Find("value");
}

void CheckSharedVariables(const Environment& environment, Reader reader, Findings& findings) {
  for (const auto& [name, variable] : environment) {
    const bool is_endpoint = name == "OTEL_EXPORTER_OTLP_ENDPOINT" || name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const Node* value = variable->Find("value");
    if (is_endpoint && value == nullptr && variable->Find("valueFrom") == nullptr) {
      CheckEndpoint(Node::Scalar("", Node::Style::kQuoted, variable->source()), name, findings);
    }
    if (value == nullptr) continue;
    if (is_endpoint) CheckEndpoint(*value, name, findings);
    if (name == "OTEL_TRACES_SAMPLER") CheckSampler(*value, name, reader, findings);
    if (name == "OTEL_TRACES_SAMPLER_ARG") CheckSamplerArgument(*value, name, findings);
  }
}

bool HasTracingVariable(const Environment& environment) {
  return environment.contains("OTEL_EXPORTER_OTLP_ENDPOINT") ||
         environment.contains("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") || environment.contains("OTEL_SERVICE_NAME");
}

void CheckVllm(const Node& container, const Environment& environment, Findings& findings) {
  const auto endpoint = ArgumentOf(WordsOf(container), kTracesEndpointFlag);
  if (!endpoint.has_value()) {
    if (HasTracingVariable(environment)) {
      findings.Error("vllm-no-argument", container.source(),
                     StrCat("the environment asks for traces, but without ", kTracesEndpointFlag, " vLLM makes none"),
                     StrCat(kTracesEndpointFlag, " ", kEndpoint));
    }
    return;
  }
  CheckArguments(container, findings);
  const bool is_variable = endpoint->text.starts_with('$');
  if (!is_variable) {
    CheckEndpoint(Node::Scalar(endpoint->text, Node::Style::kQuoted, endpoint->where), kTracesEndpointFlag, findings);
  }
  if (!environment.contains("OTEL_SERVICE_NAME")) {
    findings.Error("vllm-no-service-name", container.source(),
                   "OTEL_SERVICE_NAME is not set: the service is called unknown_service",
                   "- name: OTEL_SERVICE_NAME\n  value: \"vllm-decode\"");
  }
}

// The scheduler and the routing proxy: programs in Go.
void CheckGoComponent(const Node& container, const Environment& environment, Findings& findings) {
  if (!HasTracingVariable(environment)) return;
  const Node* exporter = ValueOf(environment, "OTEL_TRACES_EXPORTER");
  if (exporter == nullptr || exporter->text() != "otlp") {
    findings.Error(
        "exporter-console", exporter == nullptr ? container.source() : exporter->source(),
        StrCat("OTEL_TRACES_EXPORTER is ", exporter == nullptr ? "not set" : StrCat("\"", exporter->text(), "\""),
               ": llm-d's scheduler and proxy write their spans to the console unless it is otlp"),
        "- name: OTEL_TRACES_EXPORTER\n  value: \"otlp\"");
  }
  const auto tracing = ArgumentOf(WordsOf(container), "--tracing");
  if (tracing.has_value() && tracing->text == "false") {
    findings.Error("tracing-flag-off", tracing->where, "--tracing=false: there are no spans", "--tracing=true");
  }
}

void CheckContainer(const Node& container, Findings& findings) {
  const Environment environment = EnvironmentOf(container);
  const std::string_view image = ReadImage(TextAt(container, {"image"})).name;
  const bool is_go = image == "llm-d-routing-sidecar" || image == "llm-d-inference-scheduler" || image == "epp" ||
                     image.starts_with("llm-d-router");
  const bool is_vllm = !is_go && IsVllm(container);
  if (!is_go && !is_vllm) return;
  if (const Node* name = container.Find("image"); name != nullptr && HasTracingVariable(environment)) {
    CheckImage(*name, findings);
  }
  CheckSharedVariables(environment, is_go ? Reader::kGo : Reader::kPython, findings);
  if (is_go) return CheckGoComponent(container, environment, findings);
  CheckVllm(container, environment, findings);
}

}  // namespace

void CheckWorkload(const Node& object, Findings& findings) {
  for (const std::string_view key : {"initContainers", "containers"}) {
    for (const Node& container : NodesAt(object, key)) CheckContainer(container, findings);
  }
  for (const Node::Entry& entry : object.entries()) {
    const bool is_pod_part = entry.key == "initContainers" || entry.key == "containers";
    if (!is_pod_part && entry.value.is_map()) CheckWorkload(entry.value, findings);
  }
}

}  // namespace spanloom::doctor
