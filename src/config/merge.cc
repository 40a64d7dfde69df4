// SPDX-License-Identifier: Apache-2.0

#include "config/merge.h"

#include <absl/algorithm/container.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>

#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/yaml.h"

namespace spanloom::config {
namespace {

void MergeEntry(const Node::Entry& entry, std::vector<Node::Entry>& entries) {
  const auto found = absl::c_find_if(entries, [&](const Node::Entry& e) { return e.key == entry.key; });
  if (found == entries.end()) {
    entries.push_back(entry);
  } else if (found->value.is_map() && entry.value.is_map()) {
    found->value = Merge(found->value, entry.value);
  } else {
    *found = entry;
  }
}

}  // namespace

Node Merge(const Node& base, const Node& over) {
  if (!base.is_map() || !over.is_map()) return over;
  std::vector<Node::Entry> entries = base.entries();
  for (const Node::Entry& entry : over.entries()) MergeEntry(entry, entries);
  return Node::Map(std::move(entries), over.source());
}

Node Nested(std::span<const std::string> keys, Node value, const Source& source) {
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    value = Node::Map({Node::Entry{*key, source, std::move(value)}}, source);
  }
  return value;
}

Node SpreadKeyPaths(const Node& map) {
  const auto is_path = [](const Node::Entry& entry) { return entry.key.find("::") != std::string::npos; };
  if (absl::c_none_of(map.entries(), is_path)) return map;
  Node spread = Node::Map({}, map.source());
  for (const Node::Entry& entry : map.entries()) {
    const std::vector<std::string> keys = absl::StrSplit(entry.key, "::");
    spread = Merge(spread, Nested(keys, entry.value, entry.source));
  }
  return spread;
}

StatusOr<Node> ParseSetting(std::string_view setting) {
  const std::string origin = StrCat("--set ", setting);
  const size_t equals = setting.find('=');
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError(StrCat(origin, ": expected KEY=VALUE, for example processors.batch.timeout=2s"));
  }
  ASSIGN_OR_RETURN(Node value, ParseYaml(setting.substr(equals + 1), origin));
  const Source source{origin, 0};
  value = value.WithSource(source);
  const std::string path = absl::StrReplaceAll(AbslView(setting.substr(0, equals)), {{"::", "."}});
  const std::vector<std::string> keys = absl::StrSplit(path, '.');
  if (absl::c_linear_search(keys, "")) return absl::InvalidArgumentError(StrCat(origin, ": a key is empty"));
  return Nested(keys, std::move(value), source);
}

}  // namespace spanloom::config
