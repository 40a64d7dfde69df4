// SPDX-License-Identifier: Apache-2.0

#include "doctor/examine.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "config/yaml.h"
#include "doctor/collector_rules.h"
#include "doctor/model_service_rules.h"
#include "doctor/router_rules.h"
#include "doctor/sampling_rules.h"
#include "doctor/workload_rules.h"

namespace spanloom::doctor {
namespace {

using config::Node;
using Kind = Document::Kind;

// The node with the lines of the file that its text was embedded in.
Node Moved(const Node& node, int lines) {
  config::Source source = node.source();
  source.line += lines;
  if (node.is_list()) {
    std::vector<Node> items;
    for (const Node& item : node.items()) items.push_back(Moved(item, lines));
    return Node::List(std::move(items), source);
  }
  if (!node.is_map()) return node.is_null() ? Node::Null(source) : Node::Scalar(node.text(), node.style(), source);
  std::vector<Node::Entry> entries;
  for (const Node::Entry& entry : node.entries()) {
    config::Source key = entry.source;
    key.line += lines;
    entries.push_back({entry.key, key, Moved(entry.value, lines)});
  }
  return Node::Map(std::move(entries), source);
}

// A collector's configuration in a ConfigMap is a text, in an OpenTelemetryCollector it is a tree.
void CheckObject(const Node& object, Findings& findings) {
  const std::string_view kind = TextAt(object, {"kind"});
  if (kind == "OpenTelemetryCollector") {
    if (const Node* config = At(object, {"spec", "config"}); config != nullptr && config->is_map()) {
      CheckCollector(*config, true, findings);
    }
    return;
  }
  if (kind != "ConfigMap") return CheckWorkload(object, findings);
  const Node* data = object.Find("data");
  if (data == nullptr) return;
  for (const Node::Entry& entry : data->entries()) {
    const StatusOr<Node> root = config::ParseYaml(entry.value.text(), entry.value.source().file);
    const bool is_whole = root.ok() && root->Find("receivers") != nullptr && root->Find("service") != nullptr;
    if (!is_whole) continue;  // or a part that is merged over another
    CheckCollector(Moved(*root, entry.value.source().line), true, findings);
  }
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
  for (const Document& document : all) CheckDocument(document, findings);
  CheckSampling(all, findings);
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
