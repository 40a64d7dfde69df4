// SPDX-License-Identifier: Apache-2.0

#include "app/component_list.h"

#include <string>
#include <string_view>
#include <vector>

#include "app/version.h"
#include "base/text.h"
#include "otlp/signal.h"

namespace spanloom::app {
namespace {

using Stabilities = std::vector<std::string>;

void AppendComponent(std::string_view name, const Stabilities& of, std::string& list) {
  StrAppend(list, "  - name: ", name, "\n    module: spanloom ", Version(), "\n    stability:\n");
  for (const std::string& what : of) StrAppend(list, "      ", what, ": Development\n");
}

// "metrics", or of what joins pipelines "traces-to-metrics".
std::string PairText(const pipeline::SignalPair& pair, bool joins) {
  const std::string_view to = otlp::SignalText(pair.to);
  return joins ? StrCat(otlp::SignalText(pair.from), "-to-", to) : std::string(to);
}

template <typename Table>
void AppendKind(std::string_view kind, const Table& table, std::string& list) {
  StrAppend(list, kind, ":\n");
  for (const std::string& type : table.types()) {
    Stabilities of;
    for (const pipeline::SignalPair& pair : table.Find(type)->carries.pairs) {
      of.push_back(kind == "extensions" ? "extension" : PairText(pair, kind == "connectors"));
    }
    AppendComponent(type, of, list);
    for (const std::string& alias : table.AliasesOf(type)) AppendComponent(alias, of, list);
  }
}

}  // namespace

std::string ComponentList(const pipeline::Registry& registry) {
  std::string list = StrCat("buildinfo:\n  command: spanloom collector\n  description: Collector for traces\n",
                            "  version: ", Version(), "\n");
  AppendKind("receivers", registry.receivers, list);
  AppendKind("processors", registry.processors, list);
  AppendKind("exporters", registry.exporters, list);
  AppendKind("connectors", registry.connectors, list);
  AppendKind("extensions", registry.extensions, list);
  list += "providers:\n";
  for (const std::string_view scheme : {"env", "file", "yaml"}) {
    StrAppend(list, "  - scheme: ", scheme, "\n    module: spanloom ", Version(), "\n");
  }
  return list;
}

}  // namespace spanloom::app
