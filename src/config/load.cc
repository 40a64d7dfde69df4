// SPDX-License-Identifier: Apache-2.0

#include "config/load.h"

#include "base/text.h"
#include "config/merge.h"
#include "config/problems.h"
#include "config/yaml.h"

namespace spanloom::config {
namespace {

StatusOr<Node> ParseMap(const ConfigText& source) {
  ASSIGN_OR_RETURN(Node node, ParseYaml(source.text, source.file));
  if (node.is_null()) return Node::Map({}, node.source());
  if (node.is_map()) return SpreadKeyPaths(node);
  return absl::InvalidArgumentError(
      StrCat(node.source().ToString(), ": expected a map at the top, got ", TypeName(node)));
}

}  // namespace

StatusOr<Expansion> Load(std::span<const ConfigText> texts, std::span<const std::string> settings,
                         const ExpansionSources& sources) {
  Node merged = Node::Map({}, {});
  Problems problems;
  const auto lay_over = [&](const StatusOr<Node>& node) {
    if (node.ok()) {
      merged = Merge(merged, *node);
    } else {
      problems.Add(node.status());
    }
  };
  for (const ConfigText& text : texts) lay_over(ParseMap(text));
  for (const std::string& setting : settings) lay_over(ParseSetting(setting));
  RETURN_IF_ERROR(problems.ToStatus());
  return Expand(merged, sources);
}

}  // namespace spanloom::config
