// SPDX-License-Identifier: Apache-2.0

#include "doctor/collector_configs.h"

#include <utility>

#include "base/status.h"
#include "config/yaml.h"
#include "doctor/document.h"

namespace spanloom::doctor {
namespace {

using config::Node;

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

}  // namespace

std::vector<Node> CollectorConfigsOf(const Node& object) {
  const std::string_view kind = TextAt(object, {"kind"});
  std::vector<Node> configs;
  if (kind == "OpenTelemetryCollector") {
    if (const Node* config = At(object, {"spec", "config"}); config != nullptr && config->is_map()) {
      configs.push_back(*config);
    }
  }
  const Node* data = kind == "ConfigMap" ? object.Find("data") : nullptr;
  if (data == nullptr || !data->is_map()) return configs;
  for (const Node::Entry& entry : data->entries()) {
    const StatusOr<Node> root = config::ParseYaml(entry.value.text(), entry.value.source().file);
    const bool is_whole = root.ok() && root->Find("receivers") != nullptr && root->Find("service") != nullptr;
    if (is_whole) configs.push_back(Moved(*root, entry.value.source().line));
  }
  return configs;
}

}  // namespace spanloom::doctor
