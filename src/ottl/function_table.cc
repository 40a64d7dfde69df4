// SPDX-License-Identifier: Apache-2.0

#include "ottl/function_table.h"

#include <absl/container/flat_hash_map.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::ottl {
namespace {

using Table = absl::flat_hash_map<std::string, const Function*>;

constexpr size_t kEditorFamilies = 4;  // the last ones of FunctionFamilies

Table TableOf(std::span<const std::span<const Function>> families) {
  Table table;
  for (const std::span<const Function> family : families) {
    for (const Function& function : family) CHECK(table.try_emplace(std::string(function.name), &function).second);
  }
  return table;
}

const Function* Find(const Table& table, std::string_view name) {
  const auto it = table.find(AbslView(name));
  return it == table.end() ? nullptr : it->second;
}

}  // namespace

std::span<const std::span<const Function>> FunctionFamilies() {
  static const std::vector<std::span<const Function>> families = {
      TypeConverters(),    TextConverters(),    ListConverters(), ParseConverters(), KeyValueConverters(),
      CsvConverters(),     ExtractConverters(), TimeConverters(), HashConverters(),  EncodingConverters(),
      AddressConverters(), NumberConverters(),  XmlConverters(),  XPathConverters(), UserAgentConverters(),
      ValueEditors(),      MapEditors(),        ReplaceEditors(), SpanNameEditors(),
  };
  return families;
}

const Function* FindConverter(std::string_view name) {
  static const Table table = TableOf(FunctionFamilies().first(FunctionFamilies().size() - kEditorFamilies));
  return Find(table, name);
}

const Function* FindEditor(std::string_view name) {
  static const Table table = TableOf(FunctionFamilies().last(kEditorFamilies));
  return Find(table, name);
}

}  // namespace spanloom::ottl
