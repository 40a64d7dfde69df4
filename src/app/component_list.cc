// SPDX-License-Identifier: Apache-2.0

#include "app/component_list.h"

#include <string_view>

#include "app/version.h"
#include "base/text.h"

namespace spanloom::app {
namespace {

void AppendComponent(std::string_view name, std::string_view signal, std::string& list) {
  StrAppend(list, "  - name: ", name, "\n    module: spanloom ", Version(), "\n    stability:\n      ", signal,
            ": Development\n");
}

template <typename Table>
void AppendKind(std::string_view kind, const Table& table, std::string_view signal, std::string& list) {
  StrAppend(list, kind, ":\n");
  for (const std::string& type : table.types()) {
    AppendComponent(type, signal, list);
    for (const std::string& alias : table.AliasesOf(type)) AppendComponent(alias, signal, list);
  }
}

}  // namespace

std::string ComponentList(const pipeline::Registry& registry) {
  std::string list = StrCat("buildinfo:\n  command: spanloom collector\n  description: Collector for traces\n",
                            "  version: ", Version(), "\n");
  AppendKind("receivers", registry.receivers, "traces", list);
  AppendKind("processors", registry.processors, "traces", list);
  AppendKind("exporters", registry.exporters, "traces", list);
  AppendKind("connectors", registry.connectors, "traces-to-traces", list);
  AppendKind("extensions", registry.extensions, "extension", list);
  list += "providers:\n";
  for (const std::string_view scheme : {"env", "file", "yaml"}) {
    StrAppend(list, "  - scheme: ", scheme, "\n    module: spanloom ", Version(), "\n");
  }
  return list;
}

}  // namespace spanloom::app
