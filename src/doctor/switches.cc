// SPDX-License-Identifier: Apache-2.0

#include "doctor/switches.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <string>

#include "base/text.h"
#include "config/nearest.h"
#include "doctor/document.h"

namespace spanloom::doctor {

using config::Node;

void CheckKeys(const Node& block, std::string_view path, const KeyTable& known, KeyFate fate, Findings& findings) {
  const auto table = std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.first == path; });
  if (table == known.end()) return;
  const std::vector<std::string>& keys = table->second;
  for (const Node::Entry& entry : block.entries()) {
    const std::string below = StrCat(path, ".", entry.key);
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) {
      CheckKeys(entry.value, below, known, fate, findings);
      continue;
    }
    const std::string fix = config::Nearest(entry.key, keys);
    findings.Error("values-unknown-key", entry.source,
                   StrCat(below, " is no key of the chart, which ",
                          fate == KeyFate::kRefused ? "refuses to render" : "ignores it: its default is used",
                          " (known: ", absl::StrJoin(keys, ", "), ")"),
                   fix.empty() ? "" : StrCat(fix, ":"));
  }
}

bool CheckSwitch(const Node& block, Findings& findings) {
  const Node* enabled = block.Find("enabled");
  const bool is_on = IsTruthy(enabled);
  if (enabled == nullptr || !enabled->is_scalar()) return is_on;
  const std::string word = absl::AsciiStrToLower(enabled->text());
  const bool looks_off = word == "false" || word == "no" || word == "off";
  if (is_on && looks_off) {
    findings.Error(
        "switch-is-text", enabled->source(),
        StrCat("enabled is the text \"", enabled->text(), "\": a template takes any text for true, and tracing is on"),
        "enabled: false");
  }
  return is_on;
}

const std::vector<Node>& NodesAt(const Node& node, std::string_view key) {
  static const std::vector<Node> none;
  const Node* list = node.Find(key);
  return list == nullptr ? none : list->items();
}

}  // namespace spanloom::doctor
