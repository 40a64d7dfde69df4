// SPDX-License-Identifier: Apache-2.0

#include "doctor/router_rules.h"

#include "base/text.h"
#include "doctor/document.h"
#include "doctor/switches.h"
#include "doctor/tracing_settings.h"

namespace spanloom::doctor {
namespace {

using config::Node;

const KeyTable kTracingKeys = {
    {"tracing", {"enabled", "otelExporterEndpoint", "sampling"}},
    {"tracing.sampling", {"sampler", "samplerArg"}},
};

void CheckTracing(const Node& tracing, Findings& findings) {
  CheckKeys(tracing, "tracing", kTracingKeys, KeyFate::kIgnored, findings);
  if (!CheckSwitch(tracing, findings)) return;
  if (const Node* endpoint = tracing.Find("otelExporterEndpoint")) {
    CheckEndpoint(*endpoint, "otelExporterEndpoint", Wire::kGrpc, findings);
  } else {
    findings.Error("router-endpoint-default", tracing.source(),
                   "otelExporterEndpoint is not set: this chart's default is http://localhost:4317, the pod itself, "
                   "and the scheduler's spans go nowhere",
                   StrCat("otelExporterEndpoint: \"", kEndpoint, "\""));
  }
  const Node* sampling = tracing.Find("sampling");
  if (sampling == nullptr) return;
  if (const Node* sampler = sampling->Find("sampler")) CheckSampler(*sampler, "sampler", Reader::kGo, findings);
  if (const Node* share = sampling->Find("samplerArg")) CheckSamplerArgument(*share, "samplerArg", findings);
}

void CheckImageAt(const Node& image, Findings& findings) {
  const std::string_view name = TextAt(image, {"name"});
  const Node* tag = image.Find("tag");
  if (name.empty() || tag == nullptr) return;
  CheckImage(Node::Scalar(StrCat(name, ":", tag->text()), Node::Style::kQuoted, tag->source()), findings);
  if (name != "epp") return;
  findings.Warning("image-upstream-epp", image.source(),
                   "the upstream image epp traces no more than that a request came; llm-d-inference-scheduler has the "
                   "spans of routing and scoring",
                   "name: llm-d-inference-scheduler");
}

}  // namespace

void CheckRouterValues(const Node& values, Findings& findings) {
  for (const std::string_view block : {"inferenceExtension", "router"}) {
    const Node* part = values.Find(block);
    if (part == nullptr) continue;
    const Node* tracing = part->Find("tracing");
    if (tracing == nullptr) continue;
    CheckTracing(*tracing, findings);
    if (const Node* image = part->Find("image"); image != nullptr && IsTruthy(tracing->Find("enabled"))) {
      CheckImageAt(*image, findings);
    }
  }
}

}  // namespace spanloom::doctor
