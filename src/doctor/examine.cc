// SPDX-License-Identifier: Apache-2.0

#include "doctor/examine.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "doctor/collector_configs.h"
#include "doctor/collector_rules.h"
#include "doctor/model_service_rules.h"
#include "doctor/router_rules.h"
#include "doctor/sampling_rules.h"
#include "doctor/workload_rules.h"

namespace spanloom::doctor {
namespace {

using config::Node;
using Kind = Document::Kind;

void CheckObject(const Node& object, Findings& findings) {
  for (const Node& config : CollectorConfigsOf(object)) CheckCollector(config, true, findings);
  const std::string_view kind = TextAt(object, {"kind"});
  if (kind != "ConfigMap" && kind != "OpenTelemetryCollector") CheckWorkload(object, findings);
}

void CheckDocument(const Document& document, Findings& findings) {
  switch (document.kind) {
    case Kind::kModelService:
      return CheckModelServiceValues(document.root, findings);
    case Kind::kRouter:
      return CheckRouterValues(document.root, findings);
    case Kind::kManifest:
      return CheckObject(document.root, findings);
    case Kind::kCollector:
      return CheckCollector(document.root, false, findings);
    case Kind::kUnknown:
      return;
  }
}

}  // namespace

void CheckDocuments(std::span<const Document> documents, Findings& findings) {
  for (const Document& document : documents) CheckDocument(document, findings);
  CheckSampling(documents, findings);
}

Examination Examine(std::span<const FileText> files) {
  Examination examination;
  Findings findings;
  std::vector<Document> all;
  for (const FileText& file : files) {
    StatusOr<std::vector<Document>> documents = ReadDocuments(file.text, file.name);
    if (!documents.ok()) {
      findings.Error("not-yaml", {file.name, 0}, std::string(documents.status().message()));
      continue;
    }
    const auto known = [](const Document& document) { return document.kind != Kind::kUnknown; };
    if (std::none_of(documents->begin(), documents->end(), known)) {
      findings.Note("nothing-known", {file.name, 0},
                    "nothing in it is known: neither values of the llm-d charts, nor Kubernetes objects, nor a "
                    "collector's configuration");
    }
    for (Document& document : *documents) {
      if (known(document)) all.push_back(std::move(document));
    }
  }
  examination.documents = all.size();
  CheckDocuments(all, findings);
  examination.findings = std::move(findings).Take();
  const auto order = [&](const Finding& finding) {
    const auto file =
        std::find_if(files.begin(), files.end(), [&](const FileText& f) { return f.name == finding.where.file; });
    return std::pair(file - files.begin(), finding.where.line);
  };
  std::stable_sort(examination.findings.begin(), examination.findings.end(),
                   [&](const Finding& a, const Finding& b) { return order(a) < order(b); });
  return examination;
}

}  // namespace spanloom::doctor
