// SPDX-License-Identifier: Apache-2.0

#include "doctor/model_service_rules.h"

#include <array>
#include <string>
#include <vector>

#include "base/text.h"
#include "doctor/document.h"
#include "doctor/switches.h"
#include "doctor/tracing_settings.h"
#include "doctor/vllm_arguments.h"

namespace spanloom::doctor {
namespace {

using config::Node;

constexpr std::array<std::string_view, 2> kRoles = {"decode", "prefill"};

const KeyTable kTracingKeys = {
    {"tracing", {"enabled", "otlpEndpoint", "sampling", "serviceNames", "vllm"}},
    {"tracing.sampling", {"sampler", "samplerArg"}},
    {"tracing.serviceNames", {"vllmDecode", "vllmPrefill", "routingProxy"}},
    {"tracing.vllm", {"collectDetailedTraces"}},
};

void CheckSettings(const Node& tracing, Findings& findings) {
  if (const Node* endpoint = tracing.Find("otlpEndpoint")) {
    CheckEndpoint(*endpoint, "otlpEndpoint", Wire::kGrpc, findings);
  }
  if (const Node* sampler = At(tracing, {"sampling", "sampler"})) {
    CheckSampler(*sampler, "sampler", Reader::kGo, findings);
  }
  if (const Node* share = At(tracing, {"sampling", "samplerArg"})) CheckSamplerArgument(*share, "samplerArg", findings);
  if (const Node* level = At(tracing, {"vllm", "collectDetailedTraces"})) {
    CheckDetailedTraces(*level, "collectDetailedTraces", findings);
  }
  const Node* names = tracing.Find("serviceNames");
  if (names != nullptr && names->is_null()) {
    findings.Error("service-names-null", names->source(),
                   "serviceNames is null: the chart does not render (nil pointer); leave it out for its defaults");
  }
}

// A vLLM container gets its arguments from the chart by two of the three ways to start it.
void CheckModelCommand(const Node& container, Findings& findings) {
  const std::string_view command = TextAt(container, {"modelCommand"});
  if (command == "vllmServe") return;
  if (command == "imageDefault") {
    const Node* image = container.Find("image");
    const bool is_simulator = image != nullptr && ReadImage(image->text()).name == "llm-d-inference-sim";
    if (is_simulator) {
      findings.Error("simulator-arguments", image->source(),
                     "tracing adds --otlp-traces-endpoint to the arguments, which llm-d-inference-sim does not know: "
                     "the pod restarts for ever; take `spanloom simulator`, or turn tracing off");
    }
    return;
  }
  if (HasArgument(container, kTracesEndpointFlag)) return;
  const Node* key = container.Find("modelCommand");
  findings.Error(
      "model-command-custom", key == nullptr ? container.source() : key->source(),
      StrCat(key == nullptr ? "modelCommand is not set, which means custom" : "modelCommand is custom",
             ": the chart adds the environment, but no arguments, and vLLM makes no spans"),
      StrCat("args:\n  - ", kTracesEndpointFlag, "\n  - ", kEndpoint, "\n  - ", kDetailedTracesFlag, "\n  - all"));
}

void CheckContainer(const Node& container, Findings& findings) {
  CheckModelCommand(container, findings);
  CheckArguments(container, findings);
  if (const Node* image = container.Find("image")) CheckImage(*image, findings);
  for (const Node& variable : NodesAt(container, "env")) {
    if (TextAt(variable, {"name"}) != "OTEL_SERVICE_NAME") continue;
    findings.Warning("service-name-twice", variable.source(),
                     "OTEL_SERVICE_NAME is set here and by the chart, whose value stands last and wins",
                     "tracing:\n  serviceNames:\n    vllmDecode: \"...\"");
  }
}

void CheckRole(const Node& values, std::string_view role, Findings& findings) {
  const Node* of_role = values.Find(role);
  if (of_role == nullptr) return;
  for (const Node& container : NodesAt(*of_role, "containers")) CheckContainer(container, findings);
  const Node* replicas = of_role->Find("replicas");
  if (role == "prefill" && !IsTruthy(replicas) && !NodesAt(*of_role, "containers").empty()) {
    findings.Warning("prefill-replicas", replicas == nullptr ? of_role->source() : replicas->source(),
                     "prefill has containers but no replicas (the chart's default is 0): there are no prefill pods, "
                     "and no spans of them",
                     "replicas: 1");
  }
}

void CheckProxy(const Node& values, Findings& findings) {
  const Node* image = At(values, {"routing", "proxy", "image"});
  if (image == nullptr || !image->is_scalar()) return;
  CheckImage(*image, findings);
  const Image read = ReadImage(image->text());
  if (read.version.value_or(0) < Version(0, 7)) return;
  findings.Error("proxy-flag", image->source(),
                 StrCat(read.name, " ", read.tag, " traces only with --tracing=true, which this chart does not pass: ",
                        "there are no spans of the routing proxy"));
}

}  // namespace

void CheckModelServiceValues(const Node& values, Findings& findings) {
  if (const Node* old = At(values, {"global", "tracing"})) {
    findings.Error(
        "values-old-key", old->source(),
        "global.tracing was read by the chart up to 0.4.6, which traces vLLM alone; since 0.4.7 the key is tracing",
        "tracing:\n  enabled: true");
  }
  const Node* tracing = values.Find("tracing");
  if (tracing == nullptr) return;
  CheckKeys(*tracing, "tracing", kTracingKeys, KeyFate::kRefused, findings);
  if (!CheckSwitch(*tracing, findings)) return;
  CheckSettings(*tracing, findings);
  for (const std::string_view role : kRoles) CheckRole(values, role, findings);
  CheckProxy(values, findings);
}

}  // namespace spanloom::doctor
