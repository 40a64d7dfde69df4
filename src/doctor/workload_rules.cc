// SPDX-License-Identifier: Apache-2.0

#include "doctor/workload_rules.h"

#include <absl/strings/str_join.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "doctor/containers.h"
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

void CheckSharedVariables(const Environment& environment, Reader reader, Wire wire, Findings& findings) {
  for (const auto& [name, variable] : environment) {
    const bool is_endpoint = name == "OTEL_EXPORTER_OTLP_ENDPOINT" || name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const Node* value = variable->Find("value");
    if (is_endpoint && value == nullptr && variable->Find("valueFrom") == nullptr) {
      CheckEndpoint(Node::Scalar("", Node::Style::kQuoted, variable->source()), name, wire, findings);
    }
    if (value == nullptr) continue;
    if (is_endpoint) CheckEndpoint(*value, name, wire, findings);
    if (name == "OTEL_TRACES_SAMPLER") CheckSampler(*value, name, reader, findings);
    if (name == "OTEL_TRACES_SAMPLER_ARG") CheckSamplerArgument(*value, name, findings);
  }
}

// vLLM's; it reads no other variable for it.
Wire WireOf(const Environment& environment) {
  const Node* protocol = ValueOf(environment, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL");
  return protocol != nullptr && protocol->is_scalar() && protocol->text() == "http/protobuf" ? Wire::kHttp
                                                                                             : Wire::kGrpc;
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
    CheckEndpoint(Node::Scalar(endpoint->text, Node::Style::kQuoted, endpoint->where), kTracesEndpointFlag,
                  WireOf(environment), findings);
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

// The scheduler or the routing proxy, by its image.
bool IsGo(const Node& container) {
  const std::string_view image = ReadImage(TextAt(container, {"image"})).name;
  return image == "llm-d-routing-sidecar" || image == "llm-d-inference-scheduler" || image == "epp" ||
         image.starts_with("llm-d-router");
}

void CheckContainer(const Node& container, Findings& findings) {
  const Environment environment = EnvironmentOf(container);
  const bool is_go = IsGo(container);
  const bool is_vllm = !is_go && IsVllm(container);
  if (!is_go && !is_vllm) return;
  if (const Node* name = container.Find("image"); name != nullptr && HasTracingVariable(environment)) {
    CheckImage(*name, findings);
  }
  CheckSharedVariables(environment, is_go ? Reader::kGo : Reader::kPython, is_go ? Wire::kGrpc : WireOf(environment),
                       findings);
  if (is_go) return CheckGoComponent(container, environment, findings);
  CheckVllm(container, environment, findings);
}

// True if the container's spans say which pod they come from.
bool NamesItsPod(const Environment& environment) {
  const auto attributes = environment.find("OTEL_RESOURCE_ATTRIBUTES");
  if (attributes == environment.end()) return false;
  const Node* value = attributes->second->Find("value");
  return value == nullptr || !value->is_scalar() || value->text().find("k8s.pod.") != std::string::npos;
}

// Every pod of a Deployment calls itself by the same service's name.
void CheckPodIdentity(const Node& object, const std::vector<const Node*>& containers, Findings& findings) {
  std::vector<std::string> nameless;
  for (const Node* container : containers) {
    const Environment environment = EnvironmentOf(*container);
    const bool is_traced = IsGo(*container) || ArgumentOf(WordsOf(*container), kTracesEndpointFlag).has_value();
    if (!is_traced || !HasTracingVariable(environment) || NamesItsPod(environment)) continue;
    nameless.emplace_back(TextAt(*container, {"name"}));
  }
  if (nameless.empty()) return;
  findings.Note(
      "pod-nameless", object.source(),
      StrCat("spans of ", absl::StrJoin(nameless, ", "),
             " do not say which pod they come from; a backend of ours tells it from the connection, as a last "
             "resort. In env of each container:"),
      "- name: OTEL_RESOURCE_ATTRIBUTES_POD_NAME\n  valueFrom: {fieldRef: {fieldPath: metadata.name}}\n"
      "- name: OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_NAME\n  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}\n"
      "- name: OTEL_RESOURCE_ATTRIBUTES\n"
      "  value: "
      "\"k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME),k8s.namespace.name=$(OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_"
      "NAME)\"");
}

}  // namespace

void CheckWorkload(const Node& object, Findings& findings) {
  const std::vector<const Node*> containers = ContainersOf(object);
  for (const Node* container : containers) CheckContainer(*container, findings);
  CheckPodIdentity(object, containers, findings);
}

}  // namespace spanloom::doctor
