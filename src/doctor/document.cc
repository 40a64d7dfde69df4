// SPDX-License-Identifier: Apache-2.0

#include "doctor/document.h"

#include <utility>

#include "base/text.h"
#include "config/yaml.h"

namespace spanloom::doctor {
namespace {

using config::Node;
using Kind = Document::Kind;

bool HasAny(const Node& root, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (root.Find(key) != nullptr) return true;
  }
  return false;
}

Kind KindOf(const Node& root) {
  if (root.Find("apiVersion") != nullptr && root.Find("kind") != nullptr) return Kind::kManifest;
  if (root.Find("receivers") != nullptr && root.Find("service") != nullptr) return Kind::kCollector;
  if (HasAny(root, {"inferenceExtension", "inferencePool", "router"})) return Kind::kRouter;
  if (HasAny(root, {"tracing", "decode", "prefill", "modelArtifacts", "modelCommand"})) return Kind::kModelService;
  if (At(root, {"global", "tracing"}) != nullptr) return Kind::kModelService;
  return Kind::kUnknown;
}

void Append(const Node& root, std::vector<Document>& documents) {
  if (root.is_null()) return;
  const Node* items = TextAt(root, {"kind"}).ends_with("List") ? root.Find("items") : nullptr;
  if (items == nullptr) {
    documents.push_back({.kind = KindOf(root), .root = root});
    return;
  }
  for (const Node& item : items->items()) Append(item, documents);
}

}  // namespace

StatusOr<std::vector<Document>> ReadDocuments(std::string_view text, std::string_view file) {
  const StatusOr<std::vector<Node>> roots = config::ParseYamlStream(text, file);
  if (!roots.ok() && text.find("{{") != std::string_view::npos) {
    return Annotate(roots.status(), "this looks like a chart's template; render it first (helm template)");
  }
  RETURN_IF_ERROR(roots.status());
  std::vector<Document> documents;
  for (const Node& root : *roots) Append(root, documents);
  return documents;
}

const Node* At(const Node& node, std::initializer_list<std::string_view> path) {
  const Node* at = &node;
  for (const std::string_view key : path) {
    at = at->Find(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string_view TextAt(const Node& node, std::initializer_list<std::string_view> path) {
  const Node* at = At(node, path);
  return at != nullptr && at->is_scalar() ? std::string_view(at->text()) : std::string_view();
}

bool IsTruthy(const Node* node) {
  if (node == nullptr || node->is_null()) return false;
  if (node->is_map()) return !node->entries().empty();
  if (node->is_list()) return !node->items().empty();
  if (node->text().empty()) return false;
  if (const auto flag = config::ReadBool(*node)) return *flag;
  if (const auto number = config::ReadDouble(*node)) return *number != 0;
  return true;
}

}  // namespace spanloom::doctor
